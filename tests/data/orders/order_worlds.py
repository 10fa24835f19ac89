"""A street in Chengdu for the tests of orders.

7       8       9          ids of the nodes in the source
o-------o-------o          1,000 m between neighbours
0       1       2          numbers of the nodes
|
(0 m, 0 m): the corner that east and north are counted from
"""

import numpy as np
import pyproj

from crowdgym.data.coordinates import wgs84_to_gcj02
from crowdgym.data.roads.network import RoadNetwork

CRS = "EPSG:32648"
MIDNIGHT = 1_477_929_600  # Unix seconds of 2016-11-01 00:00 in China
_EAST_M, _NORTH_M = pyproj.Transformer.from_crs("EPSG:4326", CRS, always_xy=True).transform(104.07, 30.66)
_TO_DEGREES = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform


def wgs84(east_m: float, north_m: float = 0.0) -> tuple[float, float]:
    """Longitude and latitude of a place by its metres east and north of node 0."""
    longitude, latitude = _TO_DEGREES(_EAST_M + east_m, _NORTH_M + north_m)
    return float(longitude), float(latitude)


def gcj02(east_m: float, north_m: float = 0.0) -> str:
    """The same in GCJ-02, as 'longitude,latitude' in a file of DiDi's."""
    longitude, latitude = wgs84_to_gcj02(*wgs84(east_m, north_m))
    return f"{float(longitude):.7f},{float(latitude):.7f}"


def street() -> RoadNetwork:
    x_m = _EAST_M + np.array([0.0, 1000.0, 2000.0])
    y_m = np.full(3, _NORTH_M)
    longitude, latitude = _TO_DEGREES(x_m, y_m)
    return RoadNetwork(
        node_ids=np.array([7, 8, 9], np.int64),
        x_m=x_m,
        y_m=y_m,
        longitude_deg=np.asarray(longitude),
        latitude_deg=np.asarray(latitude),
        indptr=np.array([0, 1, 3, 4], np.int32),
        indices=np.array([1, 0, 2, 1], np.int32),
        length=np.array([1000, 1000, 1000, 1000], np.int32),
        unit_m=1.0,
        crs=CRS,
    )
