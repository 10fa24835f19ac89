"""How the lines of a plan, which cross, become streets that meet."""

from dataclasses import replace

import pytest

from crowdgym.data.synthetic.cities.arrangement import draw_plan, inside
from crowdgym.data.synthetic.cities.mesh import OUTSIDE, StreetMesh
from crowdgym.data.synthetic.cities.plan import ARTERIAL, LOCAL, Area, CityPlan, Line, Place
from crowdgym.data.synthetic.cities.plan_tiny import TINY
from crowdgym.data.synthetic.cities.shapes import band, hubs, smooth

BOX: tuple[Place, ...] = ((0, 0), (1000, 0), (1000, 1000), (0, 1000))
RING = Line(LOCAL, (*BOX, BOX[0]), bridges=True)


def plan(*lines: Line, areas: tuple[Area, ...] = ()) -> CityPlan:
    return replace(TINY, outline=BOX, lines=(RING, *lines), areas=areas)


def places(mesh: StreetMesh) -> set[tuple[int, int]]:
    """Vertices in metres."""
    return {(x // 10, y // 10) for x, y in mesh.points}


def test_two_lines_that_cross_meet_in_a_vertex_of_four_streets() -> None:
    """
    +--|--+
    ---x---
    +--|--+
    """
    mesh = draw_plan(plan(Line(ARTERIAL, ((500, -50), (500, 1050))), Line(ARTERIAL, ((-50, 500), (1050, 500)))))
    assert places(mesh) == {*BOX, (500, 0), (1000, 500), (500, 1000), (0, 500), (500, 500)}
    assert mesh.degree[mesh.points.index((5000, 5000))] == 4
    assert len(mesh.streets()) == 8 + 4


def test_what_reaches_beyond_the_edge_of_the_map_is_cut_off_there() -> None:
    mesh = draw_plan(plan(Line(ARTERIAL, ((500, -400), (500, 1400)))))
    assert places(mesh) == {*BOX, (500, 0), (500, 1000)}


def test_a_road_stops_at_the_banks_unless_it_is_a_bridge() -> None:
    """
    +--|--+
    |  |  |
    =======   a river 100 m wide along y = 500
    |     |
    +-----+
    """
    river = band(((-100, 500), (1100, 500)), 100)
    banks, water = Line(LOCAL, (*river, river[0])), (Area(river, water=True),)
    road = ((500.0, -50.0), (500.0, 1050.0))
    bridge = draw_plan(plan(banks, Line(ARTERIAL, road, bridges=True), areas=water))
    stopped = draw_plan(plan(banks, Line(ARTERIAL, road), areas=water))
    assert places(bridge) == places(stopped)
    assert len(bridge.streets()) == len(stopped.streets()) + 1


def test_a_line_that_ends_short_of_another_by_less_than_8_m_meets_it() -> None:
    mesh = draw_plan(plan(Line(ARTERIAL, ((500, 6), (500, 995)))))
    assert len(mesh.streets()) == 4 + 2 + 1


def test_a_line_that_ends_in_the_middle_of_a_block_is_left_out() -> None:
    mesh = draw_plan(plan(Line(ARTERIAL, ((500, 0), (500, 700)))))
    assert places(mesh) == {*BOX, (500, 0)}


def test_crossings_less_than_40_m_apart_are_one() -> None:
    mesh = draw_plan(plan(Line(ARTERIAL, ((500, 0), (500, 1000))), Line(ARTERIAL, ((530, 0), (900, 1000)))))
    assert len(places(mesh)) == 4 + 3


def test_of_two_lines_in_one_place_the_wider_road_is_drawn() -> None:
    mesh = draw_plan(plan(Line(OUTSIDE, ((0, 0), (1000, 0))), Line(ARTERIAL, ((0, 0), (1000, 0)))))
    assert sorted(mesh.level) == [ARTERIAL, LOCAL, LOCAL, LOCAL]


@pytest.mark.parametrize(("place", "expected"), [((1, 1), True), ((3, 3), False), ((3, 1), True), ((5, 1), False)])
def test_inside_tells_the_notch_of_an_l_from_its_arms(place: Place, expected: bool) -> None:
    """
    ##
    ####
    """
    assert inside(((0, 0), (4, 0), (4, 2), (2, 2), (2, 4), (0, 4)), *place) is expected


def test_smooth_cuts_the_corner_and_keeps_the_ends() -> None:
    assert smooth(((0, 0), (4, 0), (4, 4)), rounds=1) == ((0, 0), (3, 0), (4, 1), (4, 4))


def test_smooth_keeps_a_closed_line_closed() -> None:
    line = smooth((*BOX, BOX[0]))
    assert line[0] == line[-1]
    assert len(line) == 4 * 4 + 1


def test_a_band_is_as_wide_as_asked_and_anticlockwise() -> None:
    assert band(((0, 0), (100, 0)), 20) == ((0, -10), (100, -10), (100, 10), (0, 10))


def test_a_hub_has_its_height_in_the_middle_and_a_quarter_of_it_at_its_reach() -> None:
    field = hubs(0.5, (1.0, 0.0, 4.0, 2.0))
    assert field(1000, 0) == 4.5
    assert field(3000, 0) == 1.5
