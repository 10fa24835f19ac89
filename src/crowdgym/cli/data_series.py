"""``crowdgym data`` for sensing series: what ``build --from``, ``build --table``, ``fetch`` and ``info`` do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from crowdgym.common.errors import DataError

if TYPE_CHECKING:
    from crowdgym.data.sensing.build import SeriesBuild
    from crowdgym.data.sensing.series import SensingSeries


@dataclass(frozen=True)
class SeriesOptions:
    """The options of ``build --table``, as they were given."""

    table: Path | None
    coordinates: Path | None
    columns: Mapping[str, str]
    attributes: tuple[str, ...]
    unit: str
    time_format: str | None
    cycle_s: float | None


def build_series(name: str, folder: Path | None, options: SeriesOptions, *, force: bool) -> None:
    """Make a dataset from the Piemonte files in a folder, or from a table."""
    from crowdgym.data.sensing.build import check_target, keep_series
    from crowdgym.data.sensing.piemonte import FILES, read_piemonte
    from crowdgym.data.sensing.tables import SeriesColumns, read_series

    check_target(name, overwrite=force)
    given = (options.table, options.coordinates, options.time_format, options.cycle_s)
    if folder is not None:
        if any(option is not None for option in given) or options.columns or options.attributes:
            raise DataError("--from is given with options of --table; expected the folder of the Piemonte files alone")
        sources = [file.name for file in FILES if (folder / file.name).exists()]
        _print_build(keep_series(read_piemonte(folder, name), sources, overwrite=force))
        return
    assert options.table is not None
    unit: Any = options.unit  # checked by SeriesColumns
    columns = SeriesColumns(
        **options.columns,
        attributes=options.attributes,
        unit=unit,
        time_format=options.time_format,
        cycle_s=options.cycle_s,
    )
    series = read_series(name, options.table, columns, options.coordinates)
    sources = [path.name for path in (options.table, options.coordinates) if path is not None]
    _print_build(keep_series(series, sources, overwrite=force))


def fetch_series(name: str, *, force: bool) -> None:
    """Download the files of a public series, and make the dataset."""
    from crowdgym.data.sensing import piemonte
    from crowdgym.data.sensing.build import check_target, keep_series
    from crowdgym.data.sensing.fetch import downloads_folder, fetch_files

    if name != piemonte.NAME:
        raise DataError(f"there is nothing to fetch for {name!r}; expected {piemonte.NAME}")
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


def _print_build(build: "SeriesBuild") -> None:
    series = build.series
    console = Console()
    _say(
        console,
        f"series: {series.num_cells} cells, {series.num_cycles} cycles, {series.cycles[0]} to {series.cycles[-1]}",
    )
    gaps = [f"{name} {count:,}" for name, count in zip(series.attributes, series.missing, strict=True) if count]
    _say(console, f"series: attributes {', '.join(series.attributes)}; missing values: {', '.join(gaps) or 'none'}")
    _say(console, f"wrote {build.folder}")
    _say(console, f"use it with scenario={series.name!r}; see 'crowdgym data info {series.name}'")


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
