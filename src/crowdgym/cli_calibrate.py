"""What ``crowdgym calibrate`` does."""

from importlib.util import find_spec
from pathlib import Path

import typer
from tqdm import tqdm

from crowdgym.bench.csc_published import CITIES, UNLEARNED
from crowdgym.calibration.fit import FINALISTS, Evaluation, Plan, final, fit, open_fit
from crowdgym.calibration.objective import fitted_points
from crowdgym.calibration.parameters import rounded
from crowdgym.cli_output import check_output_folder, print_table
from crowdgym.configs.errors import ConfigError
from crowdgym.data.storage import write_bytes

SETTINGS = ("csc",)


def calibrate_command(setting: str, plan: Plan, folder: Path, resume: bool) -> None:
    """See `crowdgym.cli.calibrate`."""
    _check(setting, plan)
    check_output_folder(folder, "--out")
    found = open_fit(folder, plan, resume=resume)
    best = _searched(folder, plan, found)
    typer.echo(f"{plan.evaluations} candidates tried; loss of the best, played again: {best.loss:.3f}")
    keywords = rounded(best.keywords)
    from crowdgym.calibration.report import EPISODES, play_held_out, scenario_file

    file = folder / f"{plan.city}-paper.yaml"
    write_bytes(file, scenario_file(plan.city, keywords).encode())
    with tqdm(total=len(UNLEARNED) * len(fitted_points(plan.city)), unit="cell", leave=False, disable=None) as progress:
        held_out = play_held_out(plan.city, keywords, lambda: progress.update())
    headings = ["workers", "tasks"]
    for agent in UNLEARNED:
        headings += [f"{agent}, paper", f"{agent}, here", "error"]
    print_table(f"revenue in units of 10,000, {EPISODES} held-out seeds a point", headings, held_out.table())
    for line in held_out.summary():
        typer.echo(line)
    typer.echo(f"wrote {file}")


def _check(setting: str, plan: Plan) -> None:
    if setting not in SETTINGS:
        raise ConfigError(f"there is nothing to calibrate {setting!r} to (known: {', '.join(SETTINGS)})")
    if plan.city not in CITIES:
        raise ConfigError(f"--city must be one of {', '.join(CITIES)}, got {plan.city!r}")
    for option, value, least in (("evaluations", plan.evaluations, 1), ("episodes", plan.episodes, 1)):
        if value < least:
            raise ConfigError(f"--{option} must be at least {least}, got {value}")
    if plan.seed < 0:
        raise ConfigError(f"--seed must be at least 0, got {plan.seed}")
    if find_spec("cma") is None:
        raise ConfigError("calibrate needs the package cma: pip install 'crowdgym[bench]'")


def _searched(folder: Path, plan: Plan, found: list[Evaluation]) -> Evaluation:
    """The best of all candidates."""
    with tqdm(total=plan.evaluations, unit="candidate", leave=False, disable=None) as progress:
        tried: list[Evaluation] = []
        for one in fit(folder, plan, found):
            tried.append(one)
            progress.set_postfix(loss=f"{min(one.loss for one in tried):.3f}")
            progress.update()
    with tqdm(total=FINALISTS, unit="finalist", leave=False, disable=None) as progress:
        finalists = []
        for one in final(plan, tried):
            finalists.append(one)
            progress.update()
    return min(finalists, key=lambda one: one.loss)
