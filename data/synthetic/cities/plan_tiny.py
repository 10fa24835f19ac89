"""`tiny`: a town of about 100 nodes with a main street, a ring of boulevards, a brook and a park."""

from crowdgym.data.synthetic.cities.plan import (
    ARTERIAL,
    COLLECTOR,
    LOCAL,
    Area,
    CityPlan,
    Line,
    OrderFigures,
    Place,
    StreetFigures,
)

_RING: tuple[Place, ...] = (
    (-680, -420), (-420, -600), (60, -640), (480, -560), (690, -260), (700, 160),
    (520, 480), (130, 590), (-330, 560), (-650, 300), (-680, -420),
)  # fmt: skip
_BROOK: tuple[Place, ...] = (
    (-900, 90), (-420, 150), (-60, 90), (250, -130), (640, -160), (900, -120),
    (900, -200), (640, -240), (230, -215), (-90, 10), (-430, 70), (-900, 10),
)  # fmt: skip
_PARK: tuple[Place, ...] = ((-500, 250), (-280, 240), (-260, 430), (-480, 440))


def _block_ha(x: float, y: float) -> float:
    return 1.0 + (x * x + y * y) / 400_000


def _liveliness(x: float, y: float) -> float:
    return 1 / (1 + (x * x + y * y) / 200_000)


TINY = CityPlan(
    name="tiny",
    entropy=20_250_101,
    epsg=32650,
    centre=(117.0, 31.85),
    outline=_RING[:-1],
    lines=(
        Line(COLLECTOR, _RING, bridges=True),
        Line(ARTERIAL, ((-680, -180), (-200, -160), (120, -330), (480, -560)), bridges=True),
        Line(ARTERIAL, ((-40, -640), (-30, -260), (60, 40), (80, 330), (130, 590)), bridges=True),
        Line(ARTERIAL, ((-660, 190), (-250, 210), (70, 190), (400, 250), (690, 200)), bridges=True),
        Line(COLLECTOR, (*_BROOK, _BROOK[0])),
        Line(LOCAL, (*_PARK, _PARK[0])),
        Line(LOCAL, ((-650, 240), (-500, 250))),
        Line(LOCAL, ((-280, 240), (-250, 210))),
    ),
    areas=(Area(_BROOK, water=True), Area(_PARK, water=False)),
    block_ha=_block_ha,
    liveliness=_liveliness,
    streets=StreetFigures(
        nodes=104,
        edges=146,
        dead_end_share=0.06,
        bend_share=0.2,
        five_way_share=0.0,
        removed_share=0.1,
        align=0.3,
        winding=0.1,
    ),
    orders=OrderFigures(
        per_day=600,
        days=14,
        trip_log_mean=6.6,
        trip_log_sd=0.4,
        concentration=((0.05, 0.25), (0.1, 0.4)),
        cell_m=0.0,
    ),
)
