"""``crowdgym data`` for sensing series: what ``build --from``, ``build --table``, ``fetch`` and ``info`` do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from crowdgym.cli.data.files import FileOptions
from crowdgym.cli.shared.assignments import column_pairs
from crowdgym.common.errors import DataError

if TYPE_CHECKING:
    from crowdgym.data.sensing.build import SeriesBuild
    from crowdgym.data.sensing.series import SensingSeries


@dataclass(frozen=True)
class SeriesOptions:
    """The files of a sensing series: a folder with those of Piemonte, or a table."""

    section = "Sensing series (no roads, no orders)"

    folder: Annotated[Path | None, typer.Option("--from", help="Folder with the Piemonte files.")] = None
    table: Annotated[Path | None, typer.Option(help="CSV or Parquet: a row for each cell and time.")] = None
    coordinates: Annotated[Path | None, typer.Option(help="Table of cells, if --table has no coordinates.")] = None
    series_column: Annotated[
        list[str], typer.Option(metavar="KEY=COLUMN", help="Column of --table, by name; may be repeated.")
    ] = field(default_factory=list)
    attribute: Annotated[list[str], typer.Option(metavar="COLUMN", help="Measured column; may be repeated.")] = field(
        default_factory=list
    )
    unit: Annotated[
        str | None, typer.Option(help="Unit of the coordinates: km, m or degrees; else told by their columns' names.")
    ] = None
    cycle_s: Annotated[
        float | None, typer.Option(help="Length of a cycle, s, of which values are means; else told by the times.")
    ] = None

    def is_given(self) -> bool:
        """Whether the options are those of a sensing series."""
        return self.folder is not None or self.table is not None

    def of_table(self) -> bool:
        """Whether an option is given that belongs to ``--table``."""
        plain = (self.table, self.coordinates, self.unit, self.cycle_s)
        return any(option is not None for option in plain) or bool(self.series_column or self.attribute)


def build_series(name: str, options: SeriesOptions, files: FileOptions, *, force: bool) -> None:
    """Make a dataset from the Piemonte files in a folder, or from a table.

    Raises:
        DataError: the files or the options cannot be used.
    """
    from crowdgym.data.sensing.build import check_target, keep_series
    from crowdgym.data.sensing.piemonte import FILES, read_piemonte
    from crowdgym.data.sensing.tables import SeriesColumns, read_series

    named = column_pairs("--series-column", options.series_column, ("cell", "time", "x", "y", "parameter", "value"))
    check_target(name, overwrite=force)
    folder = options.folder
    if folder is not None:
        if options.of_table() or files != FileOptions():
            raise DataError("--from is given with options of --table; expected the folder of the Piemonte files alone")
        sources = [file.name for file in FILES if (folder / file.name).exists()]
        _print_build(keep_series(read_piemonte(folder, name), sources, overwrite=force))
        return
    assert options.table is not None
    unit: Any = options.unit  # checked by SeriesColumns
    columns = SeriesColumns(
        **named,
        attributes=tuple(options.attribute),
        unit=unit,
        time_format=files.time_format,
        cycle_s=options.cycle_s,
        encoding=files.encoding,
    )
    reading = read_series(name, options.table, columns, options.coordinates)
    sources = [path.name for path in (options.table, options.coordinates) if path is not None]
    _print_build(keep_series(reading.series, sources, overwrite=force), reading.notes)


def fetch_series(name: str, *, force: bool) -> None:
    """Download the files of a public series, and make the dataset."""
    from crowdgym.data.sensing import piemonte
    from crowdgym.data.sensing.build import check_target, keep_series
    from crowdgym.data.sensing.fetch import downloads_folder, fetch_files

    if name != piemonte.NAME:
        raise DataError(f"{name!r} cannot be fetched; expected {piemonte.NAME}")
    check_target(name, overwrite=force)
    folder = downloads_folder(name)
    with Console(stderr=True).status(f"fetching {name}") as status:

        def show(file: str, done: int) -> None:
            status.update(f"fetching {file}: {done:,} bytes")

        fetch_files(piemonte.FILES, piemonte.ORIGIN, folder, progress=show)
    series = piemonte.read_piemonte(folder)
    _print_build(keep_series(series, [piemonte.ORIGIN], overwrite=force))


def print_series(name: str) -> None:
    """Show one series."""
    from crowdgym.data.registry import dataset_description, load_series

    series, description = load_series(name), dataset_description(name)
    console = Console()
    for key, value in _facts(series, description):
        _say(console, f"{key:<14}{value}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("attribute", "mean", "deviation", "lowest", "highest", "missing"):
        table.add_column(heading, justify="left" if heading == "attribute" else "right")
    for a, attribute in enumerate(series.attributes):
        known = series.values[..., a][~np.isnan(series.values[..., a])]
        figures = (known.mean(), known.std(), known.min(), known.max())
        table.add_row(attribute, *(f"{figure:.4g}" for figure in figures), f"{series.missing[a]:,}")
    console.print(table)


def _facts(series: "SensingSeries", description: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    width_km, height_km = np.ptp(series.x_km), np.ptp(series.y_km)
    yield "name", series.name
    yield "kind", "sensing series"
    yield "cells", f"{series.num_cells:,}, {width_km:.1f} x {height_km:.1f} km"
    yield "projection", series.crs or "not known"
    yield "cycles", f"{series.num_cycles:,} of {series.cycle_s:g} s, {series.cycles[0]} to {series.cycles[-1]}"
    yield "outline", f"{len(series.outline_km):,} points" if len(series.outline_km) else "none"
    yield "checksum", series.checksum
    if description.get("sources"):
        yield "sources", ", ".join(map(str, description["sources"]))
    if "created_by" in description:
        yield "created by", str(description["created_by"])


def _print_build(build: "SeriesBuild", notes: Sequence[str] = ()) -> None:
    series = build.series
    console = Console()
    _say(
        console,
        f"series: {series.num_cells} cells, {series.num_cycles} cycles, {series.cycles[0]} to {series.cycles[-1]}",
    )
    for note in notes:
        _say(console, f"series: {note}")
    share = 100 / (series.num_cells * series.num_cycles)
    missing = zip(series.attributes, series.missing, strict=True)
    gaps = [f"{name} {count:,} ({share * count:.1f} %)" for name, count in missing if count]
    _say(console, f"series: attributes {', '.join(series.attributes)}; missing values: {', '.join(gaps) or 'none'}")
    _say(
        console,
        f"series: with {series.num_cells} participants, as many as cells, every cell is sensed: choose fewer, or there "
        "is no choice to learn",
    )
    _say(console, f"wrote {build.folder}")
    _say(console, f"use it with scenario={series.name!r}; see 'crowdgym data info {series.name}'")


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
