"""`chengdu-synth`: flat and concentric, rings and radials round an old town between two arms of a river."""

from crowdgym.data.synthetic.cities.mesh import OUTSIDE
from crowdgym.data.synthetic.cities.plan import (
    ARTERIAL,
    COLLECTOR,
    EXPRESSWAY,
    LOCAL,
    Area,
    CityPlan,
    Line,
    OrderFigures,
    Place,
    StreetFigures,
)
from crowdgym.data.synthetic.cities.shapes import band, closed, hubs, km, smooth

# Directions at the corners of the rings, from the east anticlockwise, and how far each ring is out there, km.
_DIRECTIONS: tuple[Place, ...] = (
    (1.0, 0.0), (0.924, 0.383), (0.707, 0.707), (0.383, 0.924), (0.0, 1.0), (-0.383, 0.924), (-0.707, 0.707),
    (-0.924, 0.383), (-1.0, 0.0), (-0.924, -0.383), (-0.707, -0.707), (-0.383, -0.924), (0.0, -1.0), (0.383, -0.924),
    (0.707, -0.707), (0.924, -0.383),
)  # fmt: skip


def _ring(*radii_km: float) -> tuple[Place, ...]:
    """A closed line round the centre, with its corners in `_DIRECTIONS`."""
    corners = [(radius * x, radius * y) for radius, (x, y) in zip(radii_km, _DIRECTIONS, strict=True)]
    return km(*corners, corners[0])


_FIRST = smooth(_ring(2.5, 2.6, 2.7, 2.4, 2.4, 2.5, 2.7, 2.4, 2.3, 2.5, 2.6, 2.3, 2.2, 2.4, 2.7, 2.6))
_SECOND = smooth(_ring(4.8, 4.9, 5.1, 4.7, 4.6, 4.7, 5.0, 4.7, 4.5, 4.7, 5.0, 4.6, 4.5, 4.7, 5.1, 4.9))
_THIRD = smooth(_ring(8.0, 8.2, 8.3, 7.8, 7.6, 7.8, 8.2, 7.7, 7.4, 7.7, 8.3, 8.0, 7.8, 7.9, 8.3, 8.1))
_MIDDLE = smooth(_ring(10.6, 10.8, 11.0, 10.4, 10.2, 10.3, 10.8, 10.2, 9.9, 10.3, 10.9, 10.6, 10.4, 10.6, 11.0, 10.7))
_FOURTH = smooth(_ring(13.1, 13.4, 13.6, 13.0, 12.8, 13.0, 13.5, 12.8, 12.5, 12.9, 13.6, 13.3, 13.2, 13.3, 13.7, 13.3))
_EDGE = _ring(14.4, 14.6, 14.9, 14.2, 14.0, 14.2, 14.7, 14.0, 13.7, 14.1, 14.8, 14.6, 14.6, 14.6, 15.0, 14.5)

# The two arms join in the south-east of the old town; the brook is a third, farther out.
_NORTH_ARM = band(
    smooth(
        km(
            (-10.5, 11.5),
            (-7.6, 8.0),
            (-5.6, 5.2),
            (-3.2, 3.3),
            (-0.6, 2.9),
            (1.6, 2.7),
            (2.7, 1.4),
            (2.6, -0.4),
            (1.9, -1.6),
            (2.6, -3.4),
            (1.9, -5.8),
            (2.6, -8.6),
            (1.4, -11.4),
            (2.2, -16),
        )
    ),
    130,
)
_SOUTH_ARM = band(
    smooth(
        km((-16, 3.6), (-11.8, 2.2), (-8.4, 1.9), (-5.4, 0.9), (-3.0, -0.9), (-1.2, -1.9), (0.6, -1.7), (2.1, -1.5))
    ),
    110,
)
_BROOK = band(
    smooth(km((3.4, 16), (4.0, 11.6), (5.2, 8.0), (6.4, 4.2), (6.2, 0.6), (5.2, -2.6), (3.6, -4.8), (2.2, -6.2))), 70
)
_CANAL = band(
    smooth(km((-16, -3.4), (-11.8, -3.9), (-9.0, -5.4), (-6.4, -7.2), (-3.6, -8.6), (-2.6, -11.6), (-3.4, -16))), 60
)
_WATER = (_NORTH_ARM, _SOUTH_ARM, _BROOK, _CANAL)

_GREENS = (
    smooth(km((-0.45, 0.55), (-0.1, 0.5), (-0.05, -0.35), (-0.5, -0.3), (-0.45, 0.55)), 1)[:-1],  # the old palace
    smooth(km((0.9, 7.4), (2.4, 7.3), (2.6, 6.0), (1.2, 5.9), (0.9, 7.4)), 1)[:-1],
    smooth(km((-5.6, -1.2), (-4.3, -0.9), (-4.2, -2.1), (-5.4, -2.2), (-5.6, -1.2)), 1)[:-1],
    smooth(km((10.2, -2.4), (12.3, -2.6), (12.2, -4.2), (10.4, -3.9), (10.2, -2.4)), 1)[:-1],
    smooth(km((-9.0, -8.4), (-7.7, -7.6), (-7.0, -9.1), (-8.2, -9.8), (-9.0, -8.4)), 1)[:-1],
    smooth(km((8.1, 8.1), (9.5, 8.5), (10.3, 7.1), (9.1, 6.5), (8.1, 8.1)), 1)[:-1],
    smooth(km((-11.6, 4.6), (-10.4, 5.2), (-10.1, 3.5), (-11.6, 3.2), (-11.6, 4.6)), 1)[:-1],
    smooth(km((2.7, -10.4), (4.1, -10.2), (4.6, -12.0), (3.0, -12.2), (2.7, -10.4)), 1)[:-1],
)

_RADIALS = (
    km((0, 0), (0.1, 2.4), (-0.1, 5), (0.3, 8), (0.2, 11), (0.5, 15.5)),
    km((0.15, 1.1), (1.1, 2.3), (2.1, 4.3), (3.4, 7.0), (4.8, 9.8), (6.4, 14.5)),
    km((0.9, 0.9), (1.9, 1.8), (3.6, 3.4), (5.9, 5.4), (8.0, 7.6), (11.0, 11.0)),
    km((0, 0), (2.5, 0.3), (4.9, 0.6), (8.1, 1.4), (10.8, 1.8), (15.4, 2.8)),
    km((1.8, 1.4), (4.5, 2.1), (7.4, 3.6), (10.0, 4.8), (14.2, 6.4)),
    km((0.8, -0.4), (2.4, -0.9), (4.7, -1.9), (7.6, -2.8), (10.2, -4.2), (14.4, -5.6)),
    km((1.0, -1.0), (2.0, -1.7), (3.5, -3.7), (5.7, -5.9), (7.7, -7.8), (11.2, -11.2)),
    km((0, 0), (0.0, -2.2), (0.2, -4.5), (0.1, -7.8), (0.3, -10.4), (0.1, -15.4)),
    km((1.2, -2.0), (2.0, -4.3), (3.2, -7.3), (4.3, -9.7), (6.0, -14.4)),
    km((-0.9, -1.0), (-1.5, -1.9), (-3.1, -3.8), (-5.6, -6.0), (-7.5, -7.8), (-11.2, -11.0)),
    km((-0.6, -1.6), (-1.8, -4.4), (-3.0, -7.4), (-4.4, -9.6), (-5.6, -14.6)),
    km((0, 0), (-2.3, -0.1), (-4.5, 0.2), (-7.4, -0.2), (-9.9, 0.3), (-15, -0.1)),
    km((-1.9, -0.6), (-4.3, -1.8), (-7.1, -2.9), (-9.6, -4.2), (-14.4, -5.8)),
    km((-0.9, 0.7), (-2.0, 1.6), (-4.3, 2.5), (-7.0, 3.4), (-9.4, 4.7), (-14.2, 6.3)),
    km((-1.0, 1.2), (-1.8, 1.9), (-3.5, 3.5), (-5.8, 5.7), (-7.7, 7.6), (-11.2, 11.0)),
    km((-0.3, 0.9), (-1.0, 2.3), (-1.9, 4.3), (-3.0, 7.3), (-4.1, 9.6), (-5.8, 14.5)),
)
_OLD_TOWN = (
    km((-2.6, 0.75), (-1, 0.9), (1.1, 0.9), (2.6, 1.0)),
    km((-2.5, -0.95), (-1, -1.0), (1.0, -1.0), (2.5, -0.9)),
    km((-1.0, -2.4), (-0.95, -1), (-0.95, 0.9), (-1.05, 2.6)),
    km((1.1, -2.4), (1.0, -1), (1.1, 0.9), (1.15, 2.7)),
)

_DENSITY = hubs(
    0.02, (0, 0, 0.30, 6.5), (0, 0, 0.16, 2.5), (0.2, -7.5, 0.13, 2.4), (-4.5, 4.6, 0.10, 2.2), (4.4, 3.6, 0.10, 2.4),
    (-9.5, 1.6, 0.09, 2.0), (9.6, 0.8, 0.08, 2.0), (-4.8, -4.6, 0.10, 2.0), (1.6, 9.6, 0.08, 2.2),
    (5.8, -7.6, 0.07, 1.8), (-7.2, -10.8, 0.06, 1.5), (11.4, 6.0, 0.06, 1.5),
)  # fmt: skip


def _block_ha(x: float, y: float) -> float:
    return 1 / _DENSITY(x, y)


CHENGDU = CityPlan(
    name="chengdu-synth",
    entropy=20_161_101,
    epsg=32648,
    centre=(104.0657, 30.6595),
    outline=_EDGE[:-1],
    lines=(
        Line(EXPRESSWAY, _FOURTH, bridges=True),
        Line(EXPRESSWAY, _THIRD, bridges=True),
        *(Line(ARTERIAL, ring, bridges=True) for ring in (_FIRST, _SECOND, _MIDDLE)),
        *(Line(ARTERIAL, smooth(radial), bridges=True) for radial in _RADIALS),
        *(Line(ARTERIAL, street) for street in _OLD_TOWN),
        *(Line(COLLECTOR, closed(outline)) for outline in _WATER[:2]),
        *(Line(LOCAL, closed(outline)) for outline in (*_WATER[2:], *_GREENS)),
        Line(OUTSIDE, _EDGE),
    ),
    areas=(
        *(Area(outline, water=True) for outline in _WATER),
        *(Area(outline, water=False) for outline in _GREENS),
    ),
    block_ha=_block_ha,
    liveliness=hubs(
        0.01, (0.3, 0, 1.0, 3.2), (0.2, -7.2, 0.6, 2.0), (-4.3, 4.4, 0.3, 1.6), (4.4, 3.4, 0.4, 1.8),
        (-9.4, 1.6, 0.25, 1.6), (9.4, 0.8, 0.2, 1.4), (-4.6, -4.6, 0.35, 1.8), (1.4, 6.0, 0.35, 1.4),
        (5.6, -7.4, 0.2, 1.4),
    ),
    streets=StreetFigures(
        nodes=17_378,
        edges=26_961,
        dead_end_share=0.1,
        bend_share=0.2,
        five_way_share=0.06,
        removed_share=0.08,
        align=0.6,
        winding=0.12,
    ),
    orders=OrderFigures(
        per_day=61_000,
        days=14,
        trip_log_mean=1.728 + 6.907755,  # of kilometres, in metres
        trip_log_sd=0.551,
        concentration=((0.01, 0.16), (0.05, 0.46), (0.10, 0.65), (0.20, 0.82), (0.50, 0.963)),
        cell_m=500.0,
    ),
)  # fmt: skip
