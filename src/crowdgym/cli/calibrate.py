"""What ``crowdgym calibrate`` does."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import typer
from tqdm import tqdm

from crowdgym.bench.published.cafe import CITIES, UNLEARNED
from crowdgym.calibration.fit import FINALISTS, Evaluation, Plan, final, fit, open_fit
from crowdgym.calibration.objective import fitted_points
from crowdgym.calibration.parameters import rounded
from crowdgym.cli.output import check_output_folder, print_table
from crowdgym.common.errors import ConfigError
from crowdgym.common.files import write_bytes

SETTINGS = ("csc",)


def calibrate_command(setting: str, plan: Plan, folder: Path, *, jobs: int, resume: bool) -> None:
    """See `crowdgym.cli.main.calibrate`."""
    _check(setting, plan, jobs)
    check_output_folder(folder, "--out")
    found = open_fit(folder, plan, resume=resume)
    tried = _searched(folder, plan, found, jobs)
    best = _best(plan, tried, jobs)
    typer.echo(f"{plan.evaluations} candidates tried; loss of the best, played again: {best.loss:.3f}")
    keywords = rounded(best.keywords)
    from crowdgym.calibration.report import scenario_file
    from crowdgym.calibration.trade_off import picture, table_file

    contents = {
        f"{plan.city}-paper.yaml": scenario_file(plan.city, keywords).encode(),
        f"{plan.city}-trade-off.csv": table_file(tried, plan.city),
        f"{plan.city}-trade-off.png": picture(tried, plan.city, best),
    }
    for name, content in contents.items():
        write_bytes(folder / name, content)
    _show_held_out(plan.city, keywords)
    typer.echo(f"wrote {', '.join(contents)} in {folder}")


def _check(setting: str, plan: Plan, jobs: int) -> None:
    if setting not in SETTINGS:
        raise ConfigError(f"there is nothing to calibrate {setting!r} to (known: {', '.join(SETTINGS)})")
    if plan.city not in CITIES:
        raise ConfigError(f"--city must be one of {', '.join(CITIES)}, got {plan.city!r}")
    least = (("evaluations", plan.evaluations), ("explore", plan.explored), ("episodes", plan.episodes), ("jobs", jobs))
    for option, value in least:
        if value < 1:
            raise ConfigError(f"--{option} must be at least 1, got {value}")
    if plan.seed < 0:
        raise ConfigError(f"--seed must be at least 0, got {plan.seed}")
    if find_spec("cma") is None:
        raise ConfigError("calibrate needs the package cma: pip install 'crowdgym[bench]'")


def _searched(folder: Path, plan: Plan, found: list[Evaluation], jobs: int) -> list[Evaluation]:
    """All candidates, in order."""
    with tqdm(total=plan.evaluations, unit="candidate", leave=False, disable=None) as progress:
        tried: list[Evaluation] = []
        for one in fit(folder, plan, found, jobs):
            tried.append(one)
            progress.set_postfix(loss=f"{min(one.loss for one in tried):.3f}")
            progress.update()
    return tried


def _best(plan: Plan, tried: list[Evaluation], jobs: int) -> Evaluation:
    """The best of those that did best, after having been played again."""
    with tqdm(total=FINALISTS, unit="finalist", leave=False, disable=None) as progress:
        finalists = []
        for one in final(plan, tried, jobs):
            finalists.append(one)
            progress.update()
    return min(finalists, key=lambda one: one.loss)


def _show_held_out(city: str, keywords: Mapping[str, float]) -> None:
    """Play held-out seeds and print what they come to."""
    from crowdgym.calibration.report import EPISODES, play_held_out

    with tqdm(total=len(UNLEARNED) * len(fitted_points(city)), unit="cell", leave=False, disable=None) as progress:
        held_out = play_held_out(city, keywords, lambda: progress.update())
    headings = ["workers", "tasks"]
    for agent in UNLEARNED:
        headings += [f"{agent}, paper", f"{agent}, here", "error"]
    print_table(f"revenue in units of 10,000, {EPISODES} held-out seeds a point", headings, held_out.table())
    for line in held_out.summary():
        typer.echo(line)
