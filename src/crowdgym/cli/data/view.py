"""What ``crowdgym data`` prints."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape

from crowdgym.configs.loading import Preset, presets
from crowdgym.data.orders.days import date_of, day_number
from crowdgym.data.orders.loss import example_of

if TYPE_CHECKING:
    from crowdgym.data.build import BuildResult
    from crowdgym.data.dataset import Dataset
    from crowdgym.data.orders.report import SnapDistances, StreamReport
    from crowdgym.data.orders.snap import Progress
    from crowdgym.data.roads.assemble import AssemblyReport

BAR_WIDTH = 40
TRIPS_FROM = 150  # pick-up nodes whose trips are measured along the roads
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
    if result.workers is not None and result.dataset.workers is not None:
        for line in _order_lines(result.workers, len(result.dataset.workers)):
            _say(console, f"workers: {line}")
    if result.checkins is not None:
        _say(console, f"check-ins: {result.checkins.sentence}")
    _say(console, f"wrote {result.folder}")
    _say(console, f"use it with scenario={result.dataset.name!r}; see 'crowdgym data info {result.dataset.name}'")
    for doubt in (roads.lengths.doubt, result.orders.loss, result.workers.loss if result.workers else None):
        if doubt is not None:
            _say(Console(stderr=True, style="bold"), f"WARNING: {doubt}")


def print_info(name: str) -> None:
    """Show one dataset, or some days of it; of a preset its settings, then its dataset."""
    from crowdgym.data.registry import DAYS_MARK, dataset_description, dataset_kind, load_dataset
    from crowdgym.data.store import SENSING

    preset = next((one for one in presets() if one.name == name != one.dataset), None)
    if preset is not None:
        _print_preset(preset)
        name = preset.dataset
    whole = name.partition(DAYS_MARK)[0]
    if dataset_kind(whole) == SENSING:
        from crowdgym.cli.data.series import print_series

        print_series(name)
        return
    dataset, description = load_dataset(name), dataset_description(whole)
    console = Console()
    for key, value in _facts(dataset, description):
        _say(console, f"{key:<14}{value}")
    console.print()
    _say(console, "orders by hour of day, percent")
    for line in hourly_chart(dataset.orders.hourly_counts()):
        _say(console, line)


def _print_preset(preset: Preset) -> None:
    console = Console()
    _say(console, f"{preset.name:<14}a preset: {preset.about}")
    for environment, settings in preset.settings.items():
        given = ", ".join(f"{name}={value}" for name, value in settings.items())
        _say(console, f"{environment:<14}{given or 'the defaults'}")
    _say(console, f"{'dataset':<14}{preset.dataset}")
    console.print()


def hourly_chart(counts: NDArray[np.int64]) -> list[str]:
    """Draw 24 counts as bars; the longest is ``BAR_WIDTH`` characters wide."""
    share = counts / max(counts.sum(), 1)
    eighths = np.round(share / max(share.max(), 1e-12) * BAR_WIDTH * 8).astype(int)
    bars = ["█" * (n // 8) + (_EIGHTHS[n % 8] if n % 8 else "") for n in eighths]
    return [f"{hour:02d}  {100 * share[hour]:5.2f}  {bars[hour]}".rstrip() for hour in range(24)]


def _facts(dataset: "Dataset", description: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from crowdgym.data.registry import DAYS_MARK
    from crowdgym.data.store import counts_of, dataset_checksum

    counts, network = counts_of(dataset), dataset.network
    west, south, east, north = network.bounds_deg
    yield "name", dataset.name
    yield "nodes", f"{counts['nodes']:,}"
    yield "edges", f"{counts['edges']:,} ({counts['arcs']:,} directed arcs, lengths in units of {network.unit_m:g} m)"
    yield "bounding box", f"{west:.4f}, {south:.4f} to {east:.4f}, {north:.4f} (WGS-84), {_size(dataset)}"
    yield "projection", network.crs
    whole = DAYS_MARK not in dataset.name
    yield "checksum", str((whole and description.get("checksum")) or dataset_checksum(dataset))
    yield "orders", f"{counts['orders']:,}, {counts['orders_with_destination']:,} with a destination"
    since = "" if dataset.first_day is None else f" from {date_of(dataset.first_day)}"
    yield "days", f"{counts['days']:,}{since}"
    trips = _trip_lengths_m(dataset)
    if len(trips):
        low, median, high = np.quantile(trips, (0.1, 0.5, 0.9)) / 1000
        yield "trip by road", f"median {median:.2f} km, 10 % below {low:.2f} km, 10 % above {high:.2f} km"
    shares = np.bincount(dataset.category[dataset.orders.origin], minlength=len(dataset.category_names)) / max(
        len(dataset.orders), 1
    )
    yield (
        "places",
        ", ".join(f"{name} {100 * share:.1f} %" for name, share in zip(dataset.category_names, shares, strict=True)),
    )
    yield from _part_facts(dataset, description)
    if "created_by" in description:
        yield "created by", str(description["created_by"])


def _part_facts(dataset: "Dataset", description: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the sources give besides places and times, and what environments draw."""
    from crowdgym.envs.core.given_parts import parts_of

    for name in dataset.orders.parts:
        values = getattr(dataset.orders, name)
        known = values[np.isfinite(values)]
        median = f", median {np.median(known):.4g}" if len(known) else ""
        yield (
            name.removesuffix("_s"),
            f"{len(known):,} of the orders have one{median}{' s' if name[-2:] == '_s' else ''}",
        )
    if dataset.workers is not None:
        shifts = " with shifts" if dataset.workers.deadline_s is not None else ""
        yield "workers", f"{len(dataset.workers):,} beginnings{shifts}"
    given = parts_of(dataset)
    if given:
        yield "data", f"{', '.join(given)}; an environment uses them with --set from_data={','.join(given)}, or all"
    if "drawn" in description:
        yield "drawn", ", ".join(description["drawn"]) or "none of payments, deadlines, workers and kinds of places"


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
        said = f"left out {count:,} with {reason}" if not reason.startswith("too far") else _far(report, count, reason)
        yield said + example_of(reason, report.examples)
    for reason, count in report.without_destination.items():
        yield f"kept {count:,} without their destination ({reason}{example_of(reason, report.examples)})"
    if report.snap.from_left_out:
        yield f"moved {report.snap.from_left_out:,} pick-ups from nodes that cannot be left or reached on the roads"
    if report.snap.shared_ids:
        yield f"kept {report.snap.shared_ids:,} that share their id with an earlier order of another time or place"
    for clock in dict.fromkeys(source.clock for source in report.sources):
        yield f"clock: {clock}"
    for encoding in dict.fromkeys(source.encoding for source in report.sources):
        if encoding not in ("", "utf-8"):
            yield f"text is read as {encoding} (--encoding names another)"
    for what, distances in (("pick-ups", report.snap.origin), ("drop-offs", report.snap.destination)):
        if distances.places:
            yield f"moved {what} to the nearest node, {_moved(distances)}"
    yield f"kept {kept:,}" + (
        "" if day_number(report.snap.first_day) is None else f", first day {report.snap.first_day}"
    )


def _far(report: "StreamReport", count: int, reason: str) -> str:
    return f"left out {count:,} {reason} (more than {report.max_snap_m:g} m)"


def _moved(distances: "SnapDistances") -> str:
    return f"median {distances.median_m:.0f} m, 90 % below {distances.p90_m:.0f} m, at most {distances.max_m:.0f} m"


def _say(console: Console, line: str) -> None:
    """Print one line as it is, however long."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)
