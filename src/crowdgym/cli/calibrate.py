"""``crowdgym calibrate``: fit the settings that a paper leaves open."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdgym.cli.shared.options import Jobs, Resume, number, output_folder
from crowdgym.cli.shared.output import check_output_folder, print_table
from crowdgym.cli.shared.progress import shown_progress
from crowdgym.common.errors import ConfigError
from crowdgym.common.extras import needs
from crowdgym.common.files import write_bytes

if TYPE_CHECKING:
    from crowdgym.calibration.fit import Evaluation, Plan

SETTINGS = ("csc",)

app = typer.Typer()


@app.command()
def calibrate(
    setting: Annotated[str, typer.Argument(metavar="SETTING", help="What to calibrate: csc.")],
    city: Annotated[str, typer.Option(help="City of the published tables: chengdu or haikou.")],
    evaluations: Annotated[int, number("Candidates that are tried.")] = 540,
    explore: Annotated[int, number("How many of them are drawn from the whole space between the bounds.")] = 300,
    episodes: Annotated[int, number("Episodes of each agent at each point of the tables, per candidate.")] = 3,
    seed: Annotated[int, number("Seed of the search.", least=0)] = 0,
    jobs: Jobs = 1,
    out: Annotated[Path, output_folder("results")] = Path("out/calibration"),
    resume: Resume = False,
) -> None:
    """Fit the settings that a paper leaves open.

    They are fitted to the published results of the two policies that learn nothing. Writes a scenario file, and a table
    and a plot of the candidates that no other candidate beats for both policies. Prints the revenue of the policies in
    the fitted scenario, on seeds that the fit has not seen, beside the published revenue. A line is written for each
    candidate, so a fit that was stopped can be continued with --resume.
    """
    _check(setting, city)
    from crowdgym.calibration.fit import Plan, open_fit
    from crowdgym.calibration.parameters import rounded
    from crowdgym.calibration.report import scenario_file
    from crowdgym.calibration.trade_off import picture, table_file

    plan = Plan(city, evaluations, explore, episodes, seed)
    check_output_folder(out, "--out")
    found = open_fit(out, plan, resume=resume)
    tried = _searched(out, plan, found, jobs)
    best = _best(plan, tried, jobs)
    typer.echo(f"{plan.evaluations} candidates tried; loss of the best, played again: {best.loss:.3f}")
    keywords = rounded(best.keywords)
    contents = {
        f"{plan.city}-paper.yaml": scenario_file(plan.city, keywords).encode(),
        f"{plan.city}-trade-off.csv": table_file(tried, plan.city),
        f"{plan.city}-trade-off.png": picture(tried, plan.city, best),
    }
    for name, content in contents.items():
        write_bytes(out / name, content)
    _show_held_out(plan.city, keywords)
    typer.echo(f"wrote {', '.join(contents)} in {out}")


def _check(setting: str, city: str) -> None:
    from crowdgym.bench.published.cafe import CITIES

    if setting not in SETTINGS:
        raise ConfigError(f"setting must be one of {', '.join(SETTINGS)}, got {setting!r}")
    if city not in CITIES:
        raise ConfigError(f"--city must be one of {', '.join(CITIES)}, got {city!r}")
    if find_spec("cma") is None:
        raise ConfigError(needs("'crowdgym calibrate'", "cma"))


def _searched(folder: Path, plan: "Plan", found: "list[Evaluation]", jobs: int) -> "list[Evaluation]":
    """All candidates, in order."""
    from crowdgym.calibration.fit import fit

    with shown_progress(plan.evaluations, "candidates") as progress:
        tried: list[Evaluation] = []
        for one in fit(folder, plan, found, jobs):
            tried.append(one)
            progress.show(f"loss {min(one.loss for one in tried):.3f}")
            progress.advance()
    return tried


def _best(plan: "Plan", tried: "list[Evaluation]", jobs: int) -> "Evaluation":
    """The best of the finalists, which are played again."""
    from crowdgym.calibration.fit import FINALISTS, final

    with shown_progress(FINALISTS, "finalists") as progress:
        finalists = []
        for one in final(plan, tried, jobs):
            finalists.append(one)
            progress.advance()
    return min(finalists, key=lambda one: one.loss)


def _show_held_out(city: str, keywords: Mapping[str, float]) -> None:
    """Play held-out seeds and print the results."""
    from crowdgym.bench.published.cafe import UNLEARNED
    from crowdgym.calibration.objective import fitted_points
    from crowdgym.calibration.report import EPISODES, play_held_out

    with shown_progress(len(UNLEARNED) * len(fitted_points(city)), "cells") as progress:
        held_out = play_held_out(city, keywords, progress.advance)
    headings = ["workers", "tasks"]
    for agent in UNLEARNED:
        headings += [f"{agent}, paper", f"{agent}, here", "error"]
    print_table(f"revenue in units of 10,000, {EPISODES} held-out seeds a point", headings, held_out.table())
    for line in held_out.summary():
        typer.echo(line)
