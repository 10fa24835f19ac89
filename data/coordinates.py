"""Coordinate systems: any that PROJ knows, and GCJ-02, in which Chinese map services give coordinates.

The law asks for a displacement of a few hundred metres that varies smoothly from place to place. The forward formula is
public knowledge; it has no closed inverse, so the way back is a fixed-point iteration.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdgym.common.errors import DataError

FloatArray = NDArray[np.float64]

# Krasovsky's ellipsoid, on which the displacement is defined.
SEMI_MAJOR_AXIS_M = 6_378_245.0
ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943_23
# The box in which the displacement applies, and where it is measured from.
WEST_DEG, EAST_DEG, SOUTH_DEG, NORTH_DEG = 72.004, 137.8347, 0.8293, 55.8271
CENTRE_DEG = (105.0, 35.0)
INVERSE_TOLERANCE_DEG = 1e-10
MAX_ITERATIONS = 30
GCJ02, WGS84 = "gcj02", "wgs84"


def check_crs(name: str) -> None:
    """Check that a coordinate system is known.

    Raises:
        DataError: it is neither gcj02 nor wgs84, nor does PROJ know it.
    """
    if name not in (GCJ02, WGS84):
        _transformer(name)


def to_wgs84(x: FloatArray, y: FloatArray, crs: str) -> tuple[FloatArray, FloatArray]:
    """Convert coordinates of any system to degrees of WGS-84.

    Args:
        x: degrees or metres east. Any shape; NaN stays NaN.
        y: degrees or metres north. The same shape.
        crs: "wgs84", "gcj02", or a system that PROJ knows, such as "EPSG:32632".

    Returns:
        Longitude and latitude in arrays of that shape; infinite where the system does not reach.

    Raises:
        DataError: the system is not known.
    """
    if crs == WGS84:
        return x, y
    if crs == GCJ02:
        return gcj02_to_wgs84(x, y)
    longitude, latitude = _transformer(crs).transform(x, y)
    return np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)


@lru_cache(maxsize=8)
def _transformer(crs: str) -> Any:
    import pyproj

    try:
        return pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise DataError(
            f"--crs is {crs!r}; expected wgs84 (GPS and OpenStreetMap), gcj02 (DiDi and other Chinese services) or a "
            "system that PROJ knows, such as EPSG:32632"
        ) from error


def in_china(longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> NDArray[np.bool_]:
    """Whether GCJ-02 differs from WGS-84 here: inside the box around China. NaN is outside."""
    longitude, latitude = np.asarray(longitude_deg, np.float64), np.asarray(latitude_deg, np.float64)
    inside: NDArray[np.bool_] = (
        (longitude >= WEST_DEG) & (longitude <= EAST_DEG) & (latitude >= SOUTH_DEG) & (latitude <= NORTH_DEG)
    )
    return inside


def wgs84_to_gcj02(longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Convert degrees of WGS-84 to degrees of GCJ-02.

    Args:
        longitude_deg: any shape; NaN stays NaN.
        latitude_deg: the same shape.

    Returns:
        Longitude and latitude in new arrays of that shape. Outside the box around China they are as they were.
    """
    longitude, latitude = np.array(longitude_deg, np.float64), np.array(latitude_deg, np.float64)
    inside = in_china(longitude, latitude)
    shift_longitude, shift_latitude = _displacement(longitude[inside], latitude[inside])
    longitude[inside] += shift_longitude
    latitude[inside] += shift_latitude
    return longitude, latitude


def gcj02_to_wgs84(longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Convert degrees of GCJ-02 to degrees of WGS-84: the inverse of `wgs84_to_gcj02` to within 1e-9 degrees.

    Args:
        longitude_deg: any shape; NaN stays NaN.
        latitude_deg: the same shape.

    Returns:
        Longitude and latitude in new arrays of that shape. Outside the box around China they are as they were.
    """
    longitude, latitude = np.array(longitude_deg, np.float64), np.array(latitude_deg, np.float64)
    inside = in_china(longitude, latitude)
    target_longitude, target_latitude = longitude[inside], latitude[inside]
    # The displacement changes by less than a hundredth of the step, so every round gains two digits.
    found_longitude, found_latitude = target_longitude, target_latitude
    for _ in range(MAX_ITERATIONS):
        shift_longitude, shift_latitude = _displacement(found_longitude, found_latitude)
        missed_longitude = target_longitude - (found_longitude + shift_longitude)
        missed_latitude = target_latitude - (found_latitude + shift_latitude)
        found_longitude = found_longitude + missed_longitude
        found_latitude = found_latitude + missed_latitude
        if (np.hypot(missed_longitude, missed_latitude) <= INVERSE_TOLERANCE_DEG).all():
            break
    longitude[inside], latitude[inside] = found_longitude, found_latitude
    return longitude, latitude


def _displacement(longitude_deg: FloatArray, latitude_deg: FloatArray) -> tuple[FloatArray, FloatArray]:
    """By how many degrees GCJ-02 lies east and north of WGS-84."""
    east, north = longitude_deg - CENTRE_DEG[0], latitude_deg - CENTRE_DEG[1]
    root = np.sqrt(np.abs(east))
    ripple = 20 * np.sin(6 * np.pi * east) + 20 * np.sin(2 * np.pi * east)
    east_m = 300 + east + 2 * north + 0.1 * east**2 + 0.1 * east * north + 0.1 * root
    east_m += 2 / 3 * (ripple + _waves(east, (20, 1), (40, 3), (150, 12), (300, 30)))
    north_m = -100 + 2 * east + 3 * north + 0.2 * north**2 + 0.1 * east * north + 0.2 * root
    north_m += 2 / 3 * (ripple + _waves(north, (20, 1), (40, 3), (160, 12), (320, 30)))

    latitude_rad = np.radians(latitude_deg)
    bend = 1 - ECCENTRICITY_SQUARED * np.sin(latitude_rad) ** 2
    prime_vertical_m = SEMI_MAJOR_AXIS_M / np.sqrt(bend) * np.cos(latitude_rad)
    meridian_m = SEMI_MAJOR_AXIS_M * (1 - ECCENTRICITY_SQUARED) / bend**1.5
    return np.degrees(east_m / prime_vertical_m), np.degrees(north_m / meridian_m)


def _waves(angle: FloatArray, *terms: tuple[float, float]) -> FloatArray:
    """Sum of amplitude · sin(π · angle / divisor)."""
    total: FloatArray = np.sum([amplitude * np.sin(np.pi * angle / divisor) for amplitude, divisor in terms], axis=0)
    return total
