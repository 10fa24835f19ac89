"""Coordinates: checks, great-circle distances, the UTM projection and the order along a Hilbert curve."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError

FloatArray = NDArray[np.float64]
Int64Array = NDArray[np.int64]

EARTH_RADIUS_M = 6_371_008.8  # mean radius of the WGS-84 ellipsoid (IUGG)
MOST_OFF_ZONE_DEG = 9.0  # from the meridian of a UTM zone: at the equator lengths are one percent too long there
HILBERT_BITS = 16  # a grid of 65,536 x 65,536 cells: a metre in a large city


def check_coordinates(ids: Int64Array, longitude_deg: FloatArray, latitude_deg: FloatArray, source: str) -> None:
    """Check that every place is on earth.

    Raises:
        DataError: a coordinate is not finite, or not within -180..180 (longitude) or -90..90 (latitude).
    """
    for name, values, most in (("longitude", longitude_deg, 180.0), ("latitude", latitude_deg, 90.0)):
        wrong = np.flatnonzero(~(np.abs(values) <= most))  # NaN is not <= anything
        if len(wrong):
            first = wrong[0]
            swapped = name == "latitude" and bool((np.abs(longitude_deg) <= most).all())
            raise DataError(
                f"{source}: node {ids[first]} has {name} {values[first]:g}; "
                f"expected degrees (WGS-84) from {-most:g} to {most:g}"
                + ("; are longitude and latitude swapped?" if swapped else "")
            )


def great_circle_m(
    longitude_a: FloatArray, latitude_a: FloatArray, longitude_b: FloatArray, latitude_b: FloatArray
) -> FloatArray:
    """Return the distance of two places on a sphere (haversine), in metres; degrees in, any one shape."""
    lat_a, lat_b = np.radians(latitude_a), np.radians(latitude_b)
    half_lat = (lat_b - lat_a) / 2
    half_lon = np.radians(longitude_b - longitude_a) / 2
    square = np.sin(half_lat) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin(half_lon) ** 2
    distance: FloatArray = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(square, 1.0)))
    return distance


def utm_epsg(longitude_deg: float, latitude_deg: float) -> int:
    """Return the EPSG code of the UTM zone (WGS-84) of a place; the exceptions of Norway are not made."""
    zone = min(int((longitude_deg + 180) // 6) + 1, 60)
    return (32_600 if latitude_deg >= 0 else 32_700) + zone


def project_utm(longitude_deg: FloatArray, latitude_deg: FloatArray, source: str) -> tuple[FloatArray, FloatArray, str]:
    """Project places to the UTM zone of the centre of their bounding box.

    Returns:
        Metres east [n], metres north [n], and the projection, for example ``"EPSG:32650"``.

    Raises:
        DataError: a place has no coordinates in that projection, or lies far outside of its zone.
    """
    import pyproj

    centre = [(values.min() + values.max()) / 2 for values in (longitude_deg, latitude_deg)]
    crs = f"EPSG:{utm_epsg(*centre)}"
    transformer = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x_m, y_m = (np.asarray(values, np.float64) for values in transformer.transform(longitude_deg, latitude_deg))
    zone_centre = utm_epsg(*centre) % 100 * 6 - 183
    near = np.abs(longitude_deg - zone_centre) <= MOST_OFF_ZONE_DEG
    wrong = np.flatnonzero(~(near & np.isfinite(x_m) & np.isfinite(y_m)))
    if len(wrong):
        first = wrong[0]
        raise DataError(
            f"{source}: longitude {longitude_deg[first]:g}, latitude {latitude_deg[first]:g} cannot be projected to "
            f"{crs}, the UTM zone of the centre of all nodes; expected places of one city"
        )
    return x_m, y_m, crs


def hilbert_order(x_m: FloatArray, y_m: FloatArray) -> NDArray[np.intp]:
    """Order places along a Hilbert curve over their bounding square, ties by their present order. Shape [n]."""
    side = max(np.ptp(x_m), np.ptp(y_m), 1e-9)
    cells = (1 << HILBERT_BITS) - 1
    x = ((x_m - x_m.min()) / side * cells).astype(np.int64)
    y = ((y_m - y_m.min()) / side * cells).astype(np.int64)
    index = np.zeros(len(x), np.int64)
    step = 1 << (HILBERT_BITS - 1)
    while step:
        right, top = (x & step) > 0, (y & step) > 0
        index += step * step * ((3 * right) ^ top)
        # Turn the quadrant so that the curve enters and leaves it where its neighbours do.
        flip = right & ~top
        x, y = np.where(flip, step - 1 - (x & (step - 1)), x), np.where(flip, step - 1 - (y & (step - 1)), y)
        x, y = np.where(top, x, y), np.where(top, y, x)
        step >>= 1
    return np.argsort(index, kind="stable")
