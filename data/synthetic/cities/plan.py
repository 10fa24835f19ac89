"""What a city is drawn from: its main roads, its water and greens, how dense it is, and what its orders follow."""

from collections.abc import Callable
from dataclasses import dataclass

# A point of a plan: metres east and north of the centre of the city.
Place = tuple[float, float]

EXPRESSWAY, ARTERIAL, COLLECTOR, LOCAL = range(4)  # the rank of a street


@dataclass(frozen=True)
class Line:
    """A road of the plan.

    Attributes:
        level: its rank; ``mesh.OUTSIDE`` for a stretch of the edge of the map.
        places: at least two; a closed line ends where it begins.
        bridges: whether it crosses water; otherwise it stops at the banks.
    """

    level: int
    places: tuple[Place, ...]
    bridges: bool = False


@dataclass(frozen=True)
class Area:
    """A part of the city without streets inside: water, or a park or airport round which streets lead."""

    outline: tuple[Place, ...]  # closed by itself
    water: bool


@dataclass(frozen=True)
class StreetFigures:
    """What the streets of a city come to.

    Attributes:
        nodes: of the finished network.
        edges: of the finished network.
        dead_end_share: share of nodes of degree 1.
        bend_share: share of nodes of degree 2, as far as junctions can be merged to make room for them.
        five_way_share: share of nodes of degree 5, at most.
        removed_share: streets that are missing among those that blocks were split by.
        align: how often a new street goes on where one ends on the other side, and how far its ends shift to
            meet a junction, as a share of its length: crossings against T junctions.
        winding: how much longer a street is than the straight line between its ends, at most.
        shortest_m: no street is drawn shorter.
    """

    nodes: int
    edges: int
    dead_end_share: float
    bend_share: float
    five_way_share: float
    removed_share: float
    align: float
    winding: float
    shortest_m: float = 24.0


@dataclass(frozen=True)
class OrderFigures:
    """What the orders of a city come to.

    Attributes:
        per_day: orders on an average day.
        days: of the stream, from a Monday.
        trip_log_mean: mean of the natural logarithm of the trip length in metres.
        trip_log_sd: its standard deviation.
        concentration: pairs (share of places, share of the origins that the busiest of them hold).
        cell_m: side of the square cells that ``concentration`` counts as places; 0 counts nodes.
    """

    per_day: int
    days: int
    trip_log_mean: float
    trip_log_sd: float
    concentration: tuple[tuple[float, float], ...]
    cell_m: float


@dataclass(frozen=True)
class CityPlan:
    """Everything that a city is built from.

    Attributes:
        name: of the city.
        entropy: of its ``SeedSequence``.
        epsg: the UTM zone in which it is drawn.
        centre: longitude and latitude (WGS-84) of the origin of all places.
        outline: the edge of the map, counter-clockwise; streets end there.
        lines: the main roads, banks and the edge of the map.
        areas: water and greens.
        block_ha: the wanted size of a block at a place, up to a common factor.
        liveliness: how much is going on at a place, up to a common factor.
        streets: what the streets come to.
        orders: what the orders come to.
        sea: water beyond the edge of the map, for pictures.
    """

    name: str
    entropy: int
    epsg: int
    centre: tuple[float, float]
    outline: tuple[Place, ...]
    lines: tuple[Line, ...]
    areas: tuple[Area, ...]
    block_ha: Callable[[float, float], float]
    liveliness: Callable[[float, float], float]
    streets: StreetFigures
    orders: OrderFigures
    sea: tuple[Place, ...] = ()
