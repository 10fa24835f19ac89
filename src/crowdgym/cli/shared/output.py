"""Where results go: tables on the screen, and files that are checked before the work begins."""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from crowdgym.common.errors import ConfigError
from crowdgym.common.files import write_bytes
from crowdgym.envs.api.spec import Metric
from crowdgym.registration import environment_spec

if TYPE_CHECKING:
    from crowdgym.runner import RunResult

stderr = Console(stderr=True)

STEPS = Metric("steps", "steps of the episode")


def _either(words: tuple[str, ...]) -> str:
    """Words with "or" before the last."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def check_output_file(file: Path | None, option: str, *suffixes: str) -> None:
    """Check that ``file`` can be written, before the work begins.

    Raises:
        ConfigError: it has another suffix, is not a plain file, or its folder is missing or not writable.
    """
    if file is None:
        return
    if file.suffix.lower() not in suffixes:
        raise ConfigError(f"{option} must be a {_either(suffixes)} file, got {str(file)!r}")
    if file.exists() and not file.is_file():
        raise ConfigError(f"{option} must be a file, but {str(file)!r} is a folder or a device")
    if not file.parent.is_dir():
        raise ConfigError(f"{option} must be in a folder that exists, but {str(file.parent)!r} does not")
    _check_writable(file.parent, option)


def check_output_folder(folder: Path, option: str) -> None:
    """Create a folder if it does not exist, and check that files can be written there.

    Raises:
        ConfigError: it cannot be created, or is not writable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{option} must be a folder, and {str(folder)!r} cannot be created: {error.strerror}"
        ) from None
    _check_writable(folder, option)


def write_results(file: Path | None, results: Mapping[str, Any]) -> None:
    """Write the results of a command to the file of ``--json``, if it is given: before anything is printed."""
    if file is not None:
        write_bytes(file, (json.dumps(results, indent=2, allow_nan=False) + "\n").encode())


def print_results_file(file: Path | None) -> None:
    """Print where `write_results` wrote, if it did."""
    if file is not None:
        typer.echo(f"results: {file}")


def print_json(content: object) -> None:
    """Print JSON on standard output."""
    typer.echo(json.dumps(content, indent=2, allow_nan=False))


def print_episodes(result: "RunResult", how_played: str) -> None:
    """Print a row for every episode, and their mean and standard deviation where there are several.

    Args:
        result: of the run.
        how_played: see `crowdgym.isolation.policy.how_played`.
    """
    metrics = [*(metric for metric in environment_spec(result.env).metrics if metric.in_table), STEPS]
    rows = [
        [str(episode.seed), *_figures({**episode.metrics, "steps": episode.steps}, metrics), f"{episode.wall_s:.2f}"]
        for episode in result.episodes
    ]
    summary: list[list[str]] = []
    if len(rows) > 1:
        mean_s = sum(episode.wall_s for episode in result.episodes) / len(rows)
        summary.append(["mean", *_figures(result.mean, metrics), f"{mean_s:.2f}"])
        summary.append(["sd", *_figures(result.standard_deviation, metrics), ""])
    print_table(
        f"{result.env} on {result.scenario}, agent {result.agent} ({result.information}, {how_played})",
        ["seed", *(metric.heading or metric.name for metric in metrics), "wall, s"],
        rows,
        summary,
    )


def warn_of_illegal_actions(result: "RunResult") -> None:
    """Say on standard error that most actions of a policy were illegal, if they were: its results mean little."""
    if result.illegal_share > 0.5:
        stderr.print(
            f"WARNING: {result.illegal_share:.0%} of the actions of {result.agent!r} other than 0 were illegal, and "
            "did nothing; a legal action a has infos[agent]['action_mask'][a] == 1",
            style="bold",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )


def print_comparison(title: str, results: "Sequence[RunResult]") -> None:
    """Print a row for every agent: mean and standard deviation of the objective, means of the other metrics."""
    spec = environment_spec(results[0].env)
    objective = spec.metric(spec.objective.metric)
    others = [metric for metric in spec.metrics if metric.in_table and metric is not objective]
    rows = [
        [
            result.agent,
            f"{_figure(result.mean[objective.name], objective)} ± "
            f"{_figure(result.standard_deviation[objective.name], objective)}",
            *_figures(result.mean, others),
        ]
        for result in results
    ]
    headings = ["agent", *(metric.heading or metric.name for metric in (objective, *others))]
    print_table(title, headings, rows)


def print_table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], summary: Iterable[Sequence[str]] = ()
) -> None:
    """Print a table on standard output, at its full width."""
    from rich.box import SIMPLE_HEAD
    from rich.measure import Measurement
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for k, heading in enumerate(headings):
        table.add_column(heading, justify="left" if k == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    table.add_section()
    for row in summary:
        table.add_row(*row, style="bold")
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = 120
    unlimited = console.options.update(width=10_000)
    console.width = max(console.width, Measurement.get(console, unlimited, table).maximum)
    console.print(title, style="bold", soft_wrap=True)
    console.print(table)


def print_listing(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of text on standard output, aligned to the left; the last column is wrapped on a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 10_000
    for k, heading in enumerate(headings):
        table.add_column(heading, no_wrap=k == 0, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(title, style="bold", soft_wrap=True)
    console.print(table)


def _figures(values: Mapping[str, float], metrics: Sequence[Metric]) -> list[str]:
    return [_figure(values[metric.name], metric) for metric in metrics]


def _figure(value: float, metric: Metric) -> str:
    """An integer unchanged, every other value with the format of its `Metric`."""
    return f"{value:,}" if isinstance(value, int) else f"{value * metric.factor:,.{metric.places}f}"


def _check_writable(folder: Path, option: str) -> None:
    """Check by writing a file, without a name if possible: permissions alone are not enough (read-only disks, root)."""
    try:
        tempfile.TemporaryFile(dir=folder, prefix=".crowdgym-").close()
    except OSError as error:
        raise ConfigError(
            f"{option} must be in a folder that can be written to: {str(folder)!r}: {error.strerror}"
        ) from None
