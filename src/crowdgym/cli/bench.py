"""What ``crowdgym bench`` does."""

import os
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from tqdm import tqdm

from crowdgym.bench.report.pages import check_page, write_page
from crowdgym.bench.run_folder import open_run, play_all
from crowdgym.bench.suites import Overrides, find_benchmark
from crowdgym.cli.output import check_output_folder, print_table
from crowdgym.common.errors import ConfigError
from crowdgym.execution.jobs import Benchmark, Outcome, Piece, Report
from crowdgym.execution.processes import WorkerPool

_DEFAULT_OUT = Path("out/bench")


@dataclass(frozen=True)
class BenchOptions:
    """The options of the command, as they were given."""

    agents: str | None
    jobs: int | None
    out: Path | None
    resume: bool
    scenario: str | None
    only: Sequence[str]
    episodes: int | None
    time_limit_s: float | None
    quick: bool
    traces: bool
    page: Path | None


def bench_command(suite: str, options: BenchOptions) -> None:
    """See `crowdgym.cli.main.bench`. Bad input is found before the first episode, as far as possible."""
    jobs = _cores() if options.jobs is None else options.jobs
    if jobs < 1:
        raise ConfigError(f"--jobs must be at least 1, got {jobs}")
    folder = _DEFAULT_OUT / Path(suite).stem if options.out is None else options.out
    overrides = Overrides(
        agents=None if options.agents is None else [name.strip() for name in options.agents.split(",")],
        scenario=options.scenario,
        episodes=options.episodes,
        time_limit_s=options.time_limit_s,
        only=_choices(options.only),
        quick=options.quick,
        traces=options.traces,
    )
    with WorkerPool(jobs) as pool:
        benchmark = find_benchmark(suite, overrides, folder, pool)
        if options.page is not None:
            check_page(options.page, benchmark.name)
        _play(benchmark, folder, pool, resume=options.resume)
    report = benchmark.report(folder)
    _print(benchmark, report)
    if options.page is not None:
        write_page(options.page, benchmark.name, report.markdown)
        typer.echo(f"wrote {options.page}")


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _play(benchmark: Benchmark, folder: Path, pool: WorkerPool, *, resume: bool) -> None:
    """Play what is not there yet, and say how long it took whom."""
    finished = open_run(folder, benchmark, resume=resume)
    check_output_folder(folder, "--out")
    took_s: dict[str, list[float]] = defaultdict(list)
    with tqdm(
        total=sum(len(part.items) for part in benchmark.parts),
        initial=sum(map(len, finished)),
        unit="episode",
        leave=False,
        disable=None,
    ) as progress:

        def watch(piece: Piece, outcome: Outcome) -> None:
            progress.update()
            took_s[piece.parameters().get("agent", "bounds")].append(outcome.wall_s)

        play_all(folder, benchmark, pool, finished=finished, watch=watch)
    for agent, seconds in took_s.items():
        median_s, most_s = statistics.median(seconds), max(seconds)
        typer.echo(f"{agent}: {len(seconds)} played now, each in {median_s:.2f} s (median), {most_s:.2f} s at most")


def _print(benchmark: Benchmark, report: Report) -> None:
    if report.rows:
        print_table(benchmark.name, report.headings, report.rows)
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
