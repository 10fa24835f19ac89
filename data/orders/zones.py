"""Zones, such as the taxi zones of New York: a place for each number or name of a zone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.orders.columns import as_strings
from crowdgym.data.orders.raw import MISSING_ZONE, UNKNOWN_ZONE, Coordinates, Reasons

EXPECTED = "expected a file of zones: polygons (GeoPackage, GeoJSON, shapefile) with a column of their ids"
# Columns that hold the id of a zone, the likeliest first; in lower case.
ID_COLUMNS = ("locationid", "location_id", "zone_id", "zoneid", "zone", "taz", "geoid", "id")


@dataclass(frozen=True)
class Zones:
    """A point inside each zone, by the zone's id as text."""

    ids: tuple[str, ...]
    longitude_deg: NDArray[np.float64]  # [Z]
    latitude_deg: NDArray[np.float64]  # [Z]

    def places(self, column: Any, reasons: Reasons) -> Coordinates:
        """The points of a column of zone ids; rows without a known one are named in ``reasons``. Shape [R]."""
        from pyarrow import compute

        row = {zone: number for number, zone in enumerate(self.ids)}
        missing = np.asarray(compute.is_null(column))
        coded = as_strings(column).dictionary_encode()
        known = np.array([row.get(_plain(zone), -1) for zone in coded.dictionary.to_pylist()] or [-1], np.int64)
        number = known[np.asarray(coded.indices)]
        reasons.add(MISSING_ZONE, missing)
        reasons.add(UNKNOWN_ZONE, number < 0, column)
        there = number >= 0
        longitude, latitude = (
            np.where(there, degrees[number], np.nan) for degrees in (self.longitude_deg, self.latitude_deg)
        )
        return Coordinates(longitude, latitude)


def read_zones(path: str | Path, id_column: str | None = None) -> Zones:
    """Read zones from polygons: of each a point inside it stands for the zone.

    Args:
        path: a file that GDAL reads.
        id_column: holds the ids; None takes the first of ``LocationID``, ``zone_id``, ``id`` and the like.

    Raises:
        DataError: the file is missing, holds no polygons, or has no such column.
    """
    import geopandas
    import pyogrio

    path = Path(path)
    if not path.exists():
        raise DataError(f"there is no file {path}; {EXPECTED}")
    try:
        frame = geopandas.read_file(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise DataError(f"{path} cannot be read: {error}; {EXPECTED}") from error
    if not isinstance(frame, geopandas.GeoDataFrame) or frame.crs is None:
        raise DataError(f"{path} has no polygons with a coordinate system; {EXPECTED}")
    lower = {str(name).lower(): str(name) for name in frame.columns}
    column = id_column or next((lower[name] for name in ID_COLUMNS if name in lower), None)
    if column is None or column not in frame:
        raise DataError(f"{path} has no column of ids; it has {', '.join(map(str, frame.columns))}; {EXPECTED}")
    frame = frame[frame.geometry.notna()].drop_duplicates(column)
    points = frame.geometry.representative_point().to_crs("EPSG:4326")
    ids = tuple(_plain(str(zone)) for zone in frame[column])
    return Zones(ids, points.x.to_numpy(np.float64), points.y.to_numpy(np.float64))


def _plain(zone: str) -> str:
    """The id as text, 132.0 as 132."""
    return zone.removesuffix(".0").strip()
