"""What ``crowdgym data`` prints."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crowdgym.common.errors import DataError
from crowdgym.data.dataset import CATEGORIES

if TYPE_CHECKING:
    from crowdgym.data.build import BuildResult
    from crowdgym.data.dataset import Dataset
    from crowdgym.data.orders.snap import Progress, SnapDistances, StreamReport
    from crowdgym.data.roads.assemble import AssemblyReport

BAR_WIDTH = 40
TRIPS_FROM = 150  # pick-up nodes whose trips are measured along the roads
CITY_COUNTS = ("nodes", "edges", "orders", "days")  # what a list shows
SERIES_COUNTS = ("cells", "cycles", "attributes", "missing")
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@contextmanager
def reading(files: Sequence[Path]) -> Iterator["Progress"]:
    """Show on standard error, on a terminal only, which file is being read."""
    console = Console(stderr=True)
    with console.status(f"reading {len(files)} files of orders") as status:

        def show(path: Path, rows: int) -> None:
            status.update(f"reading {escape(path.name)} ({files.index(path) + 1} of {len(files)}): {rows:,} rows")

        yield show


def print_build(result: "BuildResult", roads: "AssemblyReport") -> None:
    """Print what a new dataset was made from and what was left out."""
    console = Console()
    for line in roads.lines():
        _say(console, f"roads: {line}")
    for line in _order_lines(result.orders, len(result.dataset.orders)):
        _say(console, f"orders: {line}")
    _say(console, f"wrote {result.folder}")
    _say(console, f"use it with scenario={result.dataset.name!r}; see 'crowdgym data info {result.dataset.name}'")


def print_list() -> None:
    """List the names of the datasets and what is in them: cities, then sensing series."""
    from crowdgym.data.store import CITY, SENSING, datasets_folder

    rows = list(_listed())
    console = Console()
    for kind, keys in ((CITY, CITY_COUNTS), (SENSING, SERIES_COUNTS)):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("name", "kind", *keys, "origin"):
            left = heading in ("name", "kind", "origin")
            table.add_column(heading, justify="left" if left else "right", overflow="fold")
        for row in rows:
            if row[1] == kind or (row[1] == "?" and kind == CITY):
                table.add_row(*row)
        console.print(table)
    _say(console, f"kept in {datasets_folder()}")


def _listed() -> Iterator[tuple[str, ...]]:
    """A row of text for each dataset: name, kind, counts, origin."""
    from crowdgym.data.names import embedded_names, series_names
    from crowdgym.data.registry import dataset_description, dataset_names
    from crowdgym.data.store import CITY, SENSING, datasets_folder, kind_of, read_description

    for name in dataset_names():
        origin = "built in" if name in embedded_names() else "built from files"
        keys, kind = CITY_COUNTS, CITY
        try:
            in_memory = name in series_names()
            description = dataset_description(name) if in_memory else read_description(datasets_folder() / name)
            kind = kind_of(description)
            keys = SERIES_COUNTS if kind == SENSING else CITY_COUNTS
            yield (name, kind, *(f"{description['counts'][key]:,}" for key in keys), origin)
        except FileNotFoundError:
            yield (name, kind, *["-"] * len(keys), f"{origin}, not made yet")
        except (DataError, KeyError, TypeError):
            yield (name, "?", *["?"] * len(CITY_COUNTS), f"{origin}, damaged")


def print_info(name: str) -> None:
    """Show one dataset."""
    from crowdgym.data.registry import dataset_description, dataset_kind, load_dataset
    from crowdgym.data.store import SENSING

    if dataset_kind(name) == SENSING:
        from crowdgym.cli.data_series import print_series

        print_series(name)
        return
    dataset, description = load_dataset(name), dataset_description(name)
    console = Console()
    for key, value in _facts(dataset, description):
        _say(console, f"{key:<14}{value}")
    console.print()
    _say(console, "orders by hour of day, percent")
    for line in hourly_chart(dataset.orders.hourly_counts()):
        _say(console, line)


def hourly_chart(counts: NDArray[np.int64]) -> list[str]:
    """Draw 24 counts as bars; the longest is ``BAR_WIDTH`` characters wide."""
    share = counts / max(counts.sum(), 1)
    eighths = np.round(share / max(share.max(), 1e-12) * BAR_WIDTH * 8).astype(int)
    bars = ["█" * (n // 8) + (_EIGHTHS[n % 8] if n % 8 else "") for n in eighths]
    return [f"{hour:02d}  {100 * share[hour]:5.2f}  {bars[hour]}".rstrip() for hour in range(24)]


def _facts(dataset: "Dataset", description: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from crowdgym.data.store import counts_of, dataset_checksum

    counts, network = counts_of(dataset), dataset.network
    west, south, east, north = network.bounds_deg
    yield "name", dataset.name
    yield "nodes", f"{counts['nodes']:,}"
    yield "edges", f"{counts['edges']:,} ({counts['arcs']:,} directed arcs, lengths in units of {network.unit_m:g} m)"
    yield "bounding box", f"{west:.4f}, {south:.4f} to {east:.4f}, {north:.4f} (WGS-84), {_size(dataset)}"
    yield "projection", network.crs
    yield "checksum", str(description.get("checksum") or dataset_checksum(dataset))
    yield "orders", f"{counts['orders']:,}, {counts['orders_with_destination']:,} with a destination"
    first_day = description.get("first_day")
    since = f" from {first_day}" if first_day and not _is_dateless(first_day) else ""
    yield "days", f"{counts['days']:,}{since}"
    trips = _trip_lengths_m(dataset)
    if len(trips):
        low, median, high = np.quantile(trips, (0.1, 0.5, 0.9)) / 1000
        yield "trip by road", f"median {median:.2f} km, 10 % below {low:.2f} km, 10 % above {high:.2f} km"
    shares = np.bincount(dataset.category[dataset.orders.origin], minlength=len(CATEGORIES)) / max(
        len(dataset.orders), 1
    )
    yield "places", ", ".join(f"{name} {100 * share:.1f} %" for name, share in zip(CATEGORIES, shares, strict=True))
    if "created_by" in description:
        yield "created by", str(description["created_by"])


def _size(dataset: "Dataset") -> str:
    network = dataset.network
    return f"{np.ptp(network.x_m) / 1000:.1f} x {np.ptp(network.y_m) / 1000:.1f} km"


def _trip_lengths_m(dataset: "Dataset") -> NDArray[np.float64]:
    """Lengths along the roads of the trips from some pick-up nodes, chosen evenly among the trips."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    network, orders = dataset.network, dataset.orders
    trips = np.flatnonzero(orders.destination >= 0)
    if not len(trips):
        return np.zeros(0)
    # Every k-th trip, not every trip of some nodes: otherwise the busiest nodes would speak for the city.
    chosen = trips[np.linspace(0, len(trips) - 1, min(len(trips), TRIPS_FROM)).astype(int)]
    origins, row = np.unique(orders.origin[chosen], return_inverse=True)
    roads = csr_matrix((network.length, network.indices, network.indptr), shape=(network.num_nodes,) * 2)
    distance = dijkstra(roads, indices=origins)  # [origins, N]
    lengths: NDArray[np.float64] = distance[row, orders.destination[chosen]] * network.unit_m
    return lengths


def _order_lines(report: "StreamReport", kept: int) -> Iterator[str]:
    formats = sorted({source.order_format for source in report.sources})
    files = "1 file" if len(report.sources) == 1 else f"{len(report.sources):,} files"
    found = sum(source.read.orders for source in report.sources)
    usable = sum(source.read.usable_rows for source in report.sources)
    points = "" if found == usable else f", {found:,} orders"
    yield f"read {report.rows:,} rows of {files} ({', '.join(formats)}){points}"
    for reason, count in report.unusable.items():
        yield f"left out {count:,} with {reason}" if not reason.startswith("too far") else _far(report, count, reason)
    for reason, count in report.without_destination.items():
        yield f"kept {count:,} without their destination ({reason})"
    for what, distances in (("pick-ups", report.snap.origin), ("drop-offs", report.snap.destination)):
        if distances.places:
            yield f"moved {what} to the nearest node, {_moved(distances)}"
    yield f"kept {kept:,}" + ("" if _is_dateless(report.snap.first_day) else f", first day {report.snap.first_day}")


def _is_dateless(first_day: str) -> bool:
    """Seconds of day without a date count from this one; no real order is that old."""
    return first_day.startswith("1970")


def _far(report: "StreamReport", count: int, reason: str) -> str:
    return f"left out {count:,} {reason} (more than {report.max_snap_m:g} m)"


def _moved(distances: "SnapDistances") -> str:
    return f"median {distances.median_m:.0f} m, 90 % below {distances.p90_m:.0f} m, at most {distances.max_m:.0f} m"


def _say(console: Console, line: str) -> None:
    """Print one line as it is, however long."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)
