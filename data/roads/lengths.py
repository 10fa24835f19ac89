"""Units of the lengths of roads, and whether lengths fit the places that the roads join."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.roads.projection import great_circle_m

FloatArray = NDArray[np.float64]

METRES_PER_UNIT = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048}
# Endings of the names of columns, and words of GMNS's config.csv, that name a unit.
UNIT_OF_WORD = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), "m"),
    **dict.fromkeys(("km", "kms", "kilometer", "kilometers", "kilometre", "kilometres"), "km"),
    **dict.fromkeys(("mi", "mile", "miles"), "mi"),
    **dict.fromkeys(("ft", "foot", "feet"), "ft"),
}
# A road cannot be shorter than the straight line between its ends; so much is left to rounding and to the ellipsoid.
TOLERANCE_M, TOLERANCE = 1.0, 0.01
SHORTEST_JUDGED_M = 10.0  # between nearer ends the rounding of coordinates decides
MOST_SHORTER = 0.5
LONGEST_DETOUR = 2.5  # assumption: in no city are half of the roads longer than this many straight lines
_USUAL_SHORTER, _USUAL_DETOUR = 0.1, 2.0  # what a unit has to reach to be suggested


@dataclass(frozen=True)
class LengthCheck:
    """How the given lengths of roads compare with the straight lines between their ends.

    Attributes:
        roads: how many could be compared: with a length, and ends more than 10 m apart.
        shorter: how many of them are shorter than the straight line.
        median_detour: length over straight line, in the median.
        fits: what would make them fit: a unit ("km"), "swapped" coordinates, or "" where nothing would.
    """

    roads: int
    shorter: int
    median_detour: float
    fits: str

    @property
    def doubt(self) -> str | None:
        """A sentence if the lengths cannot be metres, or None."""
        if not self.roads:
            return None
        if self.shorter > MOST_SHORTER * self.roads:
            found = f"{self.shorter:,} of {self.roads:,} roads are shorter than the straight line between their ends"
        elif self.median_detour > LONGEST_DETOUR:
            found = (
                f"half of {self.roads:,} roads are more than {self.median_detour:.2g} times as long as the straight "
                "line between their ends"
            )
        else:
            return None
        if self.fits == "swapped":
            return f"{found}; are longitude and latitude of the nodes swapped?"
        fitting = f"--length-unit {self.fits} would fit" if self.fits else "no unit would fit"
        return f"{found}; which unit are the lengths in? {fitting}"


def check_unit(unit: str) -> float:
    """Metres in a unit of length.

    Raises:
        DataError: the unit is not known.
    """
    if unit not in METRES_PER_UNIT:
        raise DataError(f"--length-unit is {unit!r}; expected one of {', '.join(METRES_PER_UNIT)}")
    return METRES_PER_UNIT[unit]


def unit_of_name(column: str) -> str | None:
    """The unit that the name of a column ends with, such as length_km, "Length (mi)" or len.ft; None where none."""
    words = column.lower().replace("(", " ").replace(")", " ").replace("[", " ").replace("]", " ")
    parts = words.replace("_", " ").replace(".", " ").replace("-", " ").split()
    return UNIT_OF_WORD.get(parts[-1]) if len(parts) > 1 else None


def compare_lengths(length_m: FloatArray, start_deg: FloatArray, end_deg: FloatArray) -> LengthCheck:
    """Compare lengths with straight lines.

    Args:
        length_m: as they were read, in metres if nothing was said; NaN or 0 where there is none. Shape [r].
        start_deg: longitude and latitude of one end. Shape [r, 2].
        end_deg: of the other. Shape [r, 2].
    """
    straight_m = _straight_m(start_deg, end_deg)
    judged = (straight_m > SHORTEST_JUDGED_M) & (length_m > 0)
    if not judged.any():
        return LengthCheck(0, 0, 1.0, "")
    length_m, straight_m = length_m[judged], straight_m[judged]
    shorter, detour = _compared(length_m, straight_m)
    check = LengthCheck(len(length_m), round(shorter * len(length_m)), detour, "")
    if check.doubt is None:
        return check
    swapped_m = _straight_m(start_deg[judged, ::-1], end_deg[judged, ::-1])
    return LengthCheck(check.roads, check.shorter, check.median_detour, _what_fits(length_m, straight_m, swapped_m))


def _what_fits(length_m: FloatArray, straight_m: FloatArray, swapped_m: FloatArray) -> str:
    for fits, length, straight in (
        ("swapped", length_m, swapped_m),
        *((unit, length_m * factor, straight_m) for unit, factor in METRES_PER_UNIT.items()),
    ):
        shorter, detour = _compared(length, straight)
        if shorter < _USUAL_SHORTER and detour < _USUAL_DETOUR:
            return fits
    return ""


def _compared(length_m: FloatArray, straight_m: FloatArray) -> tuple[float, float]:
    """The share of roads shorter than the straight line, and the median of length over straight line."""
    shorter = length_m + TOLERANCE_M < (1 - TOLERANCE) * straight_m
    return float(shorter.mean()), float(np.median(length_m / np.maximum(straight_m, 1e-9)))


def _straight_m(start_deg: FloatArray, end_deg: FloatArray) -> FloatArray:
    return great_circle_m(start_deg[:, 0], start_deg[:, 1], end_deg[:, 0], end_deg[:, 1])
