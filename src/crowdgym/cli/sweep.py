"""``crowdgym sweep``: search the hyperparameters of a learner."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdgym.cli.shared import completion
from crowdgym.cli.shared.engines import EngineOptions
from crowdgym.cli.shared.grouping import SectionedCommand, grouped
from crowdgym.cli.shared.options import Resume, number
from crowdgym.cli.shared.output import check_output_folder
from crowdgym.cli.shared.progress import shown_progress
from crowdgym.common.errors import ConfigError
from crowdgym.common.extras import needs
from crowdgym.common.files import write_bytes

if TYPE_CHECKING:
    from crowdgym.training.sweep import TrialResult

app = typer.Typer()

_DEFAULT_OUT = Path("out/sweep")
_PAGE = "results.md"


@dataclass(frozen=True)
class SweepOptions:
    """The options of the command."""

    section = "Sweep"

    out: Annotated[
        Path | None, typer.Option(help="Folder for trials and results, created if missing; default: out/sweep/PLAN.")
    ] = None
    resume: Resume = False
    jobs: Annotated[int | None, number("Trials that run at the same time; default: the number of cores.")] = None


@app.command(cls=SectionedCommand)
@grouped
def sweep(
    agent: Annotated[
        str,
        typer.Argument(metavar="AGENT", help="A learner ('crowdgym agents').", autocompletion=completion.learners),
    ],
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A .yaml file: what is searched, and how long.")],
    options: SweepOptions,
    machines: EngineOptions,
) -> None:
    """Search the hyperparameters of a learner.

    Optuna chooses the values of each trial from the results of those before. A sweep that was stopped goes on with
    --resume, with the same trials; it may also be given more trials.
    """
    # Bad input is found before the first trial, as far as possible.
    from crowdgym.configs.sweeps import read_sweep
    from crowdgym.learners import find_learner

    settings = read_sweep(plan)
    for package in (*find_learner(agent).packages, "optuna"):
        if find_spec(package) is None:
            raise ConfigError(needs("'crowdgym sweep'", package))
    from crowdgym.training.sweep import PLAN, Sweep, report

    folder = _DEFAULT_OUT / plan.stem if options.out is None else options.out
    if (folder / PLAN).exists() and not options.resume:
        raise ConfigError(f"{folder} holds a sweep: continue it with --resume, or give another --out")
    searched = Sweep(agent, settings, folder)
    searched.check()
    check_output_folder(folder, "--out")
    finished = searched.results() if (folder / PLAN).exists() else []
    if len(finished) == settings.trials:
        typer.echo(f"all {settings.trials} trials are over; more of them: raise 'trials' in {plan}")
    with (
        machines.chosen(options.jobs).open(folder) as engine,
        shown_progress(settings.trials, "trials", len(finished)) as progress,
    ):

        def watch(result: "TrialResult") -> None:
            progress.advance()
            typer.echo(_line(result))

        searched.run(engine, watch)
    write_bytes(folder / _PAGE, report(searched, searched.results()).encode())
    typer.echo(f"wrote {folder / _PAGE}")


def _line(result: "TrialResult") -> str:
    values = ", ".join(f"{name}={value}" for name, value in result.values.items())
    ended = "" if result.pruned_at is None else f" (pruned at iteration {result.pruned_at})"
    return f"trial {result.number}: {result.score:,.1f}{ended}, {values}"
