"""What a synthetic series is drawn from: places, and a model in space and time of each attribute.

On a scale on which it is about normal (``transform``), the value of an attribute at cell x in cycle y is

    centre + spread · (season(y) + weekday(y) + day(y) + station(x) + local(x, y))

``day`` is the same everywhere: AR(1) in time, correlated between the attributes. ``station`` stays: correlated in space
and between the attributes, possibly skewed. ``local`` is AR(1) in time, correlated in space and between the attributes.
Correlations in space fall as exp(-distance / range), to 1 - ``nugget`` as soon as two cells differ.
"""

from dataclasses import dataclass
from typing import Literal

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Place:
    """A cell: its name, and its projected coordinates."""

    name: str
    x_km: float
    y_km: float


@dataclass(frozen=True)
class AttributeFigures:
    """What one attribute comes to. Standard deviations of parts are on the transformed scale.

    Attributes:
        name: of the attribute.
        transform: the scale on which the parts add up.
        decimals: to which values are rounded.
        mean: of all values.
        sd: their standard deviation.
        lowest: no value is below.
        season_sin: factor of sin(2π day / 365), day 0 the first.
        season_cos: factor of cos(2π day / 365).
        weekday: what is added from Monday to Sunday; sums to 0.
        day_sd: of the part common to all cells.
        day_persistence: its correlation with the day before.
        station_sd: of the part that stays.
        station_skew: its skewness.
        station_range_km: over which it is correlated.
        local_sd: of the rest.
        local_persistence: its correlation with the day before.
        local_range_km: over which it is correlated.
        local_nugget: share of it that no other cell shares.
    """

    name: str
    transform: Literal["identity", "root", "logarithm"]
    decimals: int
    mean: float
    sd: float
    lowest: float
    season_sin: float
    season_cos: float
    weekday: tuple[float, ...]
    day_sd: float
    day_persistence: float
    station_sd: float
    station_skew: float
    station_range_km: float
    local_sd: float
    local_persistence: float
    local_range_km: float
    local_nugget: float


@dataclass(frozen=True)
class GapFigures:
    """Values that are missing: outages of single cells, anywhere and at any time with the same chance.

    Attributes:
        attribute: which has them; the others have none.
        count: of missing values.
        most_a_cycle: cells without a value in one cycle, at most.
        mean_length: of an outage, in cycles.
    """

    attribute: str
    count: int
    most_a_cycle: int
    mean_length: float


@dataclass(frozen=True)
class SeriesPlan:
    """Everything that a synthetic series is drawn from.

    Attributes:
        name: of the series.
        entropy: of its ``SeedSequence``.
        first_day: of the series, ISO 8601; a cycle is a day.
        days: how many.
        crs: of the coordinates.
        cells: where values are taken.
        attributes: what is measured.
        day_correlation: between the attributes, of the part common to all cells.
        station_correlation: of the part that stays.
        local_correlation: of the rest.
        gaps: which values are missing.
    """

    name: str
    entropy: int
    first_day: str
    days: int
    crs: str
    cells: tuple[Place, ...]
    attributes: tuple[AttributeFigures, ...]
    day_correlation: Matrix
    station_correlation: Matrix
    local_correlation: Matrix
    gaps: GapFigures
