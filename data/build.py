"""Makes a named dataset from a road network and files of orders."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crowdgym.common.errors import DataError
from crowdgym.data.categories import assign_categories
from crowdgym.data.dataset import CATEGORIES, Dataset
from crowdgym.data.histories.checkins.place import CheckinReport, checkins_of, place_checkins, points_of, with_roots
from crowdgym.data.histories.checkins.read import CheckinOptions, read_checkins
from crowdgym.data.names import check_name
from crowdgym.data.orders.days import day_number
from crowdgym.data.orders.read import OrderOptions
from crowdgym.data.orders.report import StreamReport
from crowdgym.data.orders.snap import Progress, order_files, order_stream
from crowdgym.data.orders.snapper import MAX_SNAP_M, Snapper
from crowdgym.data.pois import PointsOfInterest, categories_near
from crowdgym.data.roads.assemble import AssemblyReport
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.store import check_free, check_writable, counts_of, created_by, write_dataset

CATEGORY_SEED = 0


@dataclass(frozen=True)
class BuildResult:
    """A dataset that has just been built, where it lies, and what became of its sources."""

    dataset: Dataset
    folder: Path
    orders: StreamReport
    workers: StreamReport | None = None
    checkins: CheckinReport | None = None


@dataclass(frozen=True)
class WorkerFiles:
    """Files with a row for each worker: when and where it begins, and perhaps until when it works (``deadline``)."""

    files: Sequence[str | Path]
    options: OrderOptions


@dataclass(frozen=True)
class CheckinFiles:
    """Files of check-ins.

    Attributes:
        files: paths or patterns.
        options: how they are read.
        roots: for categories that are to be put together, the name of what they become.
    """

    files: Sequence[str | Path]
    options: CheckinOptions
    roots: Mapping[str, str] = field(default_factory=dict)


def build_dataset(
    name: str,
    network: RoadNetwork,
    report: AssemblyReport,
    orders: Sequence[str | Path],
    options: OrderOptions | None = None,
    *,
    max_snap_m: float = MAX_SNAP_M,
    overwrite: bool = False,
    seed: int = CATEGORY_SEED,
    progress: Progress | None = None,
    strict: bool = False,
    workers: WorkerFiles | None = None,
    pois: PointsOfInterest | None = None,
    checkins: CheckinFiles | None = None,
) -> BuildResult:
    """Build a dataset and keep it under its name; `crowdgym.data.registry.load_dataset` gives it back.

    It is written whole or not at all, and the same input gives the same bytes.

    Args:
        name: lower-case letters, digits, '_' and '-'; not that of an embedded city.
        network: the road network, from a reader of `crowdgym.data.roads`.
        report: what that reader reported; kept in the description of the dataset.
        orders: files of orders, or patterns such as ``orders/*.csv``.
        options: how they are read; by default everything is told by their content.
        max_snap_m: an order farther than this from any node is left out, and a destination forgotten; metres.
        overwrite: replace a dataset of the same name.
        seed: of the categories of nodes, which the sources do not give.
        progress: called now and then with a file and the number of its rows read so far.
        strict: refuse orders of which less than half can be kept.
        workers: files that say when and where workers begin; without them workers begin where orders do.
        pois: points of interest, whose kinds the nodes near them get; without them kinds are those of the places of
            check-ins, or are drawn.
        checkins: files that say where people have been, for workers with histories.

    Returns:
        The dataset, its folder, and what became of every row.

    Raises:
        DataError: the name is not valid or taken; the lengths of most roads cannot be metres, and no unit was named; a
            file is missing, empty, damaged or in another format; no order can be used; the cache folder cannot be
            written.
    """
    check_name(name)
    if not overwrite:
        check_free(name)
    check_writable()
    check_lengths(report)
    stream, stream_report = order_stream(
        network, order_files(orders), options, max_snap_m=max_snap_m, left_out=report.left_out, progress=progress
    )
    if strict and stream_report.loss is not None:
        raise DataError(f"{stream_report.loss}; with --strict nothing is written")
    worker_stream, worker_report = None, None
    if workers is not None:
        worker_stream, worker_report = order_stream(
            network, order_files(workers.files), workers.options, max_snap_m=max_snap_m, left_out=report.left_out
        )
    placed = None
    if checkins is not None:
        raw, _ = read_checkins(order_files(checkins.files), checkins.options)
        placed = place_checkins(with_roots(raw, checkins.roots), Snapper(network, max_snap_m, report.left_out))
        pois = points_of(placed) if pois is None else pois
        if pois is None:
            raise DataError("the check-ins have no categories; expected --pois FILE, by whose kinds places are told")
    if pois is None:
        category, names = assign_categories(network, stream, np.random.default_rng(seed)), tuple(CATEGORIES)
    else:
        category, names = categories_near(network, pois), pois.names
    people = None if placed is None else checkins_of(placed, category, names)
    first_day = day_number(stream_report.snap.first_day)
    dataset = Dataset(name, network, stream, category, worker_stream, names, people, first_day)
    facts = _description(dataset, report, stream_report, None if pois is not None else seed)
    if worker_report is not None:
        facts["workers"] = asdict(worker_report)
    if placed is not None:
        facts["checkins"] = asdict(placed.report)
    folder = write_dataset(dataset, facts, overwrite=overwrite)
    return BuildResult(dataset, folder, stream_report, worker_report, None if placed is None else placed.report)


def drawn_of(dataset: Dataset, *, categories_drawn: bool) -> tuple[str, ...]:
    """What environments have to draw, because the sources of a dataset do not give it."""
    given = {
        "payments": dataset.orders.payment is not None,
        "deadlines": dataset.orders.deadline_s is not None,
        "places where workers begin": dataset.workers is not None,
        "kinds of places": not categories_drawn,
    }
    return tuple(what for what, is_data in given.items() if not is_data)


def check_lengths(report: AssemblyReport) -> None:
    """Check that the lengths of roads can be what they were read as; a unit that the user has named is believed.

    Raises:
        DataError: most roads are shorter than the straight line between their ends, or far longer.
    """
    if report.lengths.doubt is not None and not report.unit_named:
        raise DataError(f"{report.source}: {report.lengths.doubt} (--length-unit m if they are metres all the same)")


def _description(dataset: Dataset, roads: AssemblyReport, orders: StreamReport, seed: int | None) -> dict[str, Any]:
    return {
        "created_by": created_by(),
        "counts": counts_of(dataset),
        "bounds_deg": [round(degree, 6) for degree in dataset.network.bounds_deg],
        "first_day": orders.snap.first_day,
        "category_seed": seed,
        "drawn": list(drawn_of(dataset, categories_drawn=seed is not None)),
        "roads": {**roads.facts(), "source": _without_folders(roads.source)},
        "orders": asdict(orders),
    }


def _without_folders(source: str) -> str:
    """Names of files only: their folders are private, and would change the bytes."""
    return " and ".join(Path(part).name for part in source.split(" and "))
