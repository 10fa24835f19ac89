"""``crowdgym bench``: play a suite of episodes."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from crowdgym.cli.shared import completion
from crowdgym.cli.shared.engines import EngineOptions
from crowdgym.cli.shared.grouping import SectionedCommand, grouped
from crowdgym.cli.shared.options import Resume, number
from crowdgym.cli.shared.output import check_output_folder, print_table
from crowdgym.cli.shared.progress import shown_progress
from crowdgym.common.errors import ConfigError
from crowdgym.execution.jobs import Engine, Job, Outcome

if TYPE_CHECKING:
    from crowdgym.bench.benchmark import Benchmark, Report

app = typer.Typer()

_DEFAULT_OUT = Path("out/bench")
_MOST_ROWS = 200  # of a table on the terminal


@dataclass(frozen=True)
class PartOptions:
    """What of the suite is played, and by whom."""

    section: ClassVar[str] = "What is played"

    agents: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME", help="Agents that play, your own as module:Class; default: the suite's."),
    ] = None
    quick: Annotated[bool, typer.Option("--quick", help="Play a small part of the suite, in less than a minute.")] = (
        False
    )
    scenario: Annotated[
        str | None,
        typer.Option(help="Dataset or preset to play in place of the suite's.", autocompletion=completion.scenarios),
    ] = None
    only: Annotated[
        list[str],
        typer.Option(metavar="NAME=VALUES", help="A part of the suite, such as num_workers=50,100 or agent=greedy."),
    ] = field(default_factory=list)
    isolated: Annotated[
        bool,
        typer.Option("--isolated", help="Play CrowdGym's own agents in processes of their own, too; takes longer."),
    ] = False
    episodes: Annotated[int | None, number("Episodes of each agent at each grid point; default: the suite's.")] = None


@dataclass(frozen=True)
class PaceOptions:
    """How many episodes at a time, and how long each may take."""

    section: ClassVar[str] = EngineOptions.section

    jobs: Annotated[int | None, number("Episodes that are played at the same time; default: the number of cores.")] = (
        None
    )
    time_limit_s: Annotated[
        float | None, typer.Option("--time-limit", help="Seconds that an episode may take; default: the suite's.")
    ] = None


@dataclass(frozen=True)
class FileOptions:
    """What is written, and where."""

    section: ClassVar[str] = "Files"

    out: Annotated[
        Path | None, typer.Option(help="Folder for results, created if missing; default: out/bench/SUITE.")
    ] = None
    resume: Resume = False
    traces: Annotated[bool, typer.Option("--traces", help="Record every episode in a .trace file under --out.")] = False
    page: Annotated[
        Path | None, typer.Option(help="A Markdown file; the tables are written between its two marks.")
    ] = None


@app.command(cls=SectionedCommand)
@grouped
def bench(
    suite: Annotated[
        str,
        typer.Argument(
            metavar="SUITE",
            help="A suite that comes with CrowdGym, or a .yaml file with a suite of your own.",
            autocompletion=completion.suites,
        ),
    ],
    part: PartOptions,
    pace: PaceOptions,
    machines: EngineOptions,
    files: FileOptions,
) -> None:
    """Play a whole suite of episodes, and write tables and plots.

    A line is written for each finished episode, so a run that was stopped can be continued with --resume, with the same
    results. A policy that fails, or takes too long, is reported; the other policies are still played.
    """
    # Bad input is found before the first episode, as far as possible.
    from crowdgym.bench.report.pages import check_page, write_page
    from crowdgym.bench.suites import Overrides, find_benchmark

    folder = _DEFAULT_OUT / Path(suite).stem if files.out is None else files.out
    overrides = Overrides(
        agents=None if part.agents is None else [name.strip() for name in part.agents.split(",")],
        scenario=part.scenario,
        episodes=part.episodes,
        time_limit_s=pace.time_limit_s,
        only=_choices(part.only),
        quick=part.quick,
        traces=files.traces,
        isolated=part.isolated,
    )
    with machines.chosen(pace.jobs).open(folder) as engine:
        benchmark = find_benchmark(suite, overrides, folder, engine)
        if files.page is not None:
            check_page(files.page, benchmark.page_mark)
        _play(benchmark, folder, engine, resume=files.resume)
    report = benchmark.report(folder)
    _print(report)
    if files.page is not None:
        write_page(files.page, benchmark.page_mark, report.markdown)
        typer.echo(f"wrote {files.page}")


def _play(benchmark: "Benchmark", folder: Path, engine: Engine, *, resume: bool) -> None:
    """Play the episodes that are not finished, and print the time of each agent."""
    from crowdgym.bench.run_folder import open_run, play_all

    finished = open_run(folder, benchmark, resume=resume)
    check_output_folder(folder, "--out")
    took_s: dict[str, list[float]] = defaultdict(list)
    jobs = [job for of in benchmark.job_lists for job in of.jobs]
    with shown_progress(len(jobs), unit_of(jobs), sum(map(len, finished))) as progress:

        def watch(job: Job, outcome: Outcome) -> None:
            progress.advance()
            took_s[_label(job)].append(outcome.wall_s)

        play_all(folder, benchmark, engine, finished=finished, watch=watch)
    for agent, seconds in took_s.items():
        median_s, most_s = statistics.median(seconds), max(seconds)
        typer.echo(f"{agent}: {len(seconds)} played now, each in {median_s:.2f} s (median), {most_s:.2f} s at most")


def unit_of(jobs: Sequence[Job]) -> str:
    """What progress counts: bounds and training runs are no episodes."""
    return "episodes" if all("agent" in job.parameters() for job in jobs) else "jobs"


def _label(job: Job) -> str:
    """The agent that a job plays or the variant that it trains; "bounds" for a bound."""
    parameters = job.parameters()
    return str(parameters.get("agent", parameters.get("variant", "bounds")))


def _print(report: "Report") -> None:
    for table in report.tables:
        if len(table.rows) <= _MOST_ROWS:
            print_table(table.title, table.headings, table.rows)
        else:
            typer.echo(f"{table.title}: {len(table.rows)} rows, too many to print here")
    for note in report.notes:
        typer.echo(f"failed: {note}")
    for file in report.files:
        typer.echo(f"wrote {file}")


def _choices(assignments: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """``--only NAME=VALUE[,VALUE]`` as a dict."""
    choices: dict[str, tuple[str, ...]] = {}
    for assignment in assignments:
        name, equals, values = assignment.partition("=")
        if not equals or not values:
            raise ConfigError(f"--only must be NAME=VALUE or NAME=VALUE,VALUE, got {assignment!r}")
        choices[name.strip()] = tuple(value.strip() for value in values.split(","))
    return choices
