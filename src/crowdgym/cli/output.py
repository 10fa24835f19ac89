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

if TYPE_CHECKING:
    from crowdgym.runner import RunResult

stderr = Console(stderr=True)

# How a metric is shown: its heading, the factor it is multiplied with, and decimal places.
_SHOWN = {
    "revenue": ("revenue", 1.0, 0),
    "profit": ("profit", 1.0, 0),
    "completed": ("completed", 1.0, 1),
    "expired": ("expired", 1.0, 1),
    "travel_m": ("travel, km", 1e-3, 1),
    "illegal": ("illegal", 1.0, 1),
    "invalid": ("invalid", 1.0, 1),
    "unmatched": ("unmatched", 1.0, 1),
    "error": ("error", 1.0, 4),
    "cost_km": ("cost, km", 1.0, 2),
    "steps": ("steps", 1.0, 0),
}


def check_output_file(file: Path | None, option: str, suffix: str) -> None:
    """Check that ``file`` can be written, before the work begins.

    Raises:
        ConfigError: it has another suffix, is not a plain file, or its folder is missing or closed to us.
    """
    if file is None:
        return
    if file.suffix.lower() != suffix:
        raise ConfigError(f"{option} must be a {suffix} file, got {str(file)!r}")
    if file.exists() and not file.is_file():
        raise ConfigError(f"{option} must be a file, but {str(file)!r} is a folder or a device")
    if not file.parent.is_dir():
        raise ConfigError(f"{option} must be in a folder that exists, and {str(file.parent)!r} is none")
    _check_writable(file.parent, option)


def check_output_folder(folder: Path, option: str) -> None:
    """Create a folder if need be and check that files can be written there.

    Raises:
        ConfigError: it cannot be created, or is closed to us.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{option} must be a folder, and {str(folder)!r} cannot be created: {error.strerror}"
        ) from None
    _check_writable(folder, option)


def write_results(file: Path | None, results: Mapping[str, Any]) -> None:
    """Write the results of a command to the file of ``--json`` if it is given, and say where."""
    if file is not None:
        write_bytes(file, (json.dumps(results, indent=2, allow_nan=False) + "\n").encode())
        typer.echo(f"results: {file}")


def print_episodes(result: "RunResult") -> None:
    """Print a row for every episode, and their mean and standard deviation where there are several."""
    names = [name for name in _SHOWN if name in result.mean]
    rows = [
        [str(episode.seed), *_figures({**episode.metrics, "steps": episode.steps}, names), f"{episode.wall_s:.2f}"]
        for episode in result.episodes
    ]
    summary: list[list[str]] = []
    if len(rows) > 1:
        mean_s = sum(episode.wall_s for episode in result.episodes) / len(rows)
        summary.append(["mean", *_figures(result.mean, names), f"{mean_s:.2f}"])
        summary.append(["sd", *_figures(result.standard_deviation, names), ""])
    print_table(
        f"{result.env} on {result.scenario}, agent {result.agent}",
        ["seed", *(_SHOWN[name][0] for name in names), "wall, s"],
        rows,
        summary,
    )


def print_comparison(title: str, results: "Iterable[RunResult]") -> None:
    """Print a row for every agent: its means, and the standard deviation of its revenue."""
    names = ["completed", "expired", "travel_m"]
    rows = [
        [
            result.agent,
            f"{result.mean['revenue']:,.0f} ± {result.standard_deviation['revenue']:,.0f}",
            *_figures(result.mean, names),
        ]
        for result in results
    ]
    print_table(title, ["agent", "revenue", *(_SHOWN[name][0] for name in names)], rows)


def print_table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], summary: Iterable[Sequence[str]] = ()
) -> None:
    """Print a table on standard output, as wide as it has to be."""
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


def _figures(values: Mapping[str, float], names: Sequence[str]) -> list[str]:
    return [_figure(values[name], *_SHOWN[name][1:]) for name in names]


def _figure(value: float, factor: float, places: int) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value * factor:,.{places}f}"  # counts are counts


def _check_writable(folder: Path, option: str) -> None:
    """Try it: permissions alone do not say (read-only disks, root)."""
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=".crowdgym-")
    except OSError as error:
        raise ConfigError(
            f"{option} must be in a folder that can be written to: {str(folder)!r}: {error.strerror}"
        ) from None
    os.close(handle)
    os.unlink(name)
