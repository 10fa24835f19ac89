"""Points of interest with their kinds, from which the nodes of a road network get the kinds of place they are."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.coordinates import to_wgs84
from crowdgym.data.dataset import CATEGORIES
from crowdgym.data.orders.raw import Coordinates
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.sensing.rows import is_missing, read_rows

MOST_CATEGORIES = len(CATEGORIES)
_LONGITUDES, _LATITUDES = ("lng", "lon", "longitude", "x"), ("lat", "latitude", "y")
_KINDS = ("category", "kind", "type", "fclass", "amenity")


@dataclass(frozen=True)
class PointsOfInterest:
    """Places with kinds.

    Attributes:
        places: where they are. Length P.
        category: index into ``names``. Shape [P].
        names: of the kinds, at most eight.
        left_out: how many points have other kinds than the eight most frequent.
    """

    places: Coordinates
    category: NDArray[np.int8]
    names: tuple[str, ...]
    left_out: int


def read_pois(path: str | Path, crs: str = "wgs84", category_column: str | None = None) -> PointsOfInterest:
    """Read points from a table with the columns ``lng``, ``lat`` and ``category``, or names that say the same.

    Kinds are those of `crowdgym.data.dataset.CATEGORIES` in their order if all are among them; else the eight most
    frequent of the file.

    Args:
        path: text or Parquet.
        crs: what the coordinates are in.
        category_column: holds the kinds; None takes ``category``, ``kind``, ``type``, ``fclass`` or ``amenity``.

    Raises:
        DataError: the file is missing, lacks a column, or has no point with a kind.
    """
    rows = read_rows(Path(path))
    lower = {name.lower(): name for name in rows.columns}

    def column(what: str, names: tuple[str, ...]) -> str:
        found = next((lower[name] for name in names if name in lower), None)
        if found is None:
            raise DataError(f"{path} has no column of {what}; expected {' or '.join(names)}, found {', '.join(lower)}")
        return found

    x, y = rows.numbers(column("longitudes", _LONGITUDES)), rows.numbers(column("latitudes", _LATITUDES))
    kinds = rows.column(category_column or column("kinds", _KINDS))
    longitude_deg, latitude_deg = to_wgs84(x, y, crs)
    given = np.isfinite(longitude_deg + latitude_deg) & np.array([not is_missing(kind) for kind in kinds], np.bool_)
    counts = Counter(kind for kind, known in zip(kinds, given, strict=True) if known)
    if not counts:
        raise DataError(f"{path} has no point with coordinates and a kind; expected some")
    names = tuple(CATEGORIES) if set(counts) <= set(CATEGORIES) else _most_frequent(counts)
    number = {name: index for index, name in enumerate(names)}
    kept = given & np.array([kind in number for kind in kinds], np.bool_)
    category = np.array([number[kind] for kind, is_kept in zip(kinds, kept, strict=True) if is_kept], np.int8)
    return PointsOfInterest(
        Coordinates(longitude_deg[kept], latitude_deg[kept]), category, names, int(given.sum() - kept.sum())
    )


def categories_near(network: RoadNetwork, pois: PointsOfInterest) -> NDArray[np.int8]:
    """The kind of the nearest point of interest to each node. Shape [N]."""
    import pyproj
    from scipy.spatial import cKDTree

    project = pyproj.Transformer.from_crs("EPSG:4326", network.crs, always_xy=True).transform
    points_m = np.column_stack(project(pois.places.longitude_deg, pois.places.latitude_deg))  # [P, 2]
    nodes_m = np.column_stack(project(network.longitude_deg, network.latitude_deg))  # [N, 2]
    nearest = cKDTree(points_m).query(nodes_m)[1]  # [N]
    category: NDArray[np.int8] = pois.category[nearest]
    return category


def _most_frequent(counts: Counter[str]) -> tuple[str, ...]:
    ordered = sorted(counts, key=lambda kind: (-counts[kind], kind))
    return tuple(ordered[:MOST_CATEGORIES])
