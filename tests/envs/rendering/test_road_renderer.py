"""What pictures of environments on roads show, whatever the environment.

A square of one kilometre; its corners on the picture are (137, 154) and (863, 880), in pixels from the left and the
bottom.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from crowdgym.data.ground import NO_GROUND, Ground
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.csc.scene import PICTURE as CSC
from crowdgym.envs.dasc.scene import PICTURE as DASC
from crowdgym.envs.preference.scene import PICTURE as PREFERENCE
from crowdgym.envs.rendering.crowding import crowded
from crowdgym.envs.rendering.map import WATER
from crowdgym.envs.rendering.picture import HIDDEN, Moment, Picture
from crowdgym.envs.rendering.road_viewer import RoadViewer

LEGEND_ROWS, GROUND_ROWS = slice(874, 1000), slice(90, 873)  # of a frame
INK, GREEN = "#22262b", "#009e73"


def square(side_m: float = 1000.0) -> RoadNetwork:
    x, y = np.array([0.0, 1.0, 1.0, 0.0]) * side_m, np.array([0.0, 0.0, 1.0, 1.0]) * side_m
    return RoadNetwork(
        node_ids=np.arange(4),
        x_m=x,
        y_m=y,
        longitude_deg=110.0 + x / 1e5,
        latitude_deg=20.0 + y / 1e5,
        indptr=np.array([0, 2, 4, 6, 8], np.int32),
        indices=np.array([1, 3, 0, 2, 1, 3, 0, 2], np.int32),
        length=np.full(8, round(side_m), np.int32),
        unit_m=1.0,
        crs="EPSG:32649",
    )


def moment(sites: Sequence[tuple[float, float]] = (), movers: Sequence[tuple[float, float]] = ()) -> Moment:
    """Unclaimed sites and movers of the first state, at places in metres."""
    at, there = np.reshape(sites, (-1, 2)), np.reshape(movers, (-1, 2))
    return Moment(
        time_s=0.0,
        figures=("0", "0", "0", "0"),
        mover_state=np.zeros(len(there), np.uint8),
        mover_x_m=there[:, 0],
        mover_y_m=there[:, 1],
        mover_goal=np.zeros(len(there), np.int64),
        mover_site=np.full(len(there), -1),
        site_state=np.zeros(len(at), np.uint8),
        site_size=np.full(len(at), 0.09),
        site_x_m=at[:, 0],
        site_y_m=at[:, 1],
        site_seen=np.ones(len(at)),
    )


def drawn(shown: Moment, picture: Picture = DASC, ground: Ground = NO_GROUND) -> NDArray[np.uint8]:
    return RoadViewer(square(), "a square", picture, lambda of: of, ground=ground).draw(shown)


def near(rows: NDArray[Any], colour: str, within: float = 40.0) -> int:
    """How many pixels have about this colour."""
    return int((np.abs(rows - np.array(to_rgb(colour)) * 255).max(axis=2) < within).sum())


PAIR = [(200.0, 500.0), (800.0, 500.0)]


def linked(state: int, critical: bool = False) -> Moment:
    return replace(
        moment(PAIR),
        links=np.array([[0, 1]]),
        link_state=np.array([state], np.uint8),
        link_is_critical=np.array([critical]),
    )


def test_an_arrow_has_the_colour_of_its_state_and_is_thick_on_the_critical_path() -> None:
    nothing = drawn(linked(HIDDEN))[GROUND_ROWS].astype(float)
    waits, done, thick = (drawn(of)[GROUND_ROWS].astype(float) for of in (linked(0), linked(1), linked(0, True)))
    # Drawn with an opacity of 0.8 over light ground: a shade lighter than the colour itself.
    assert near(waits, INK, 60) > near(nothing, INK, 60) + 300
    assert near(done, GREEN, 60) > near(nothing, GREEN, 60) + 300
    assert near(thick, INK, 60) > 1.6 * near(waits, INK, 60)


def test_the_sites_of_a_group_have_an_outline_while_it_is_open() -> None:
    alone = moment(PAIR)
    open_group, ended = (drawn(replace(alone, site_group=np.array(of))) for of in ([7, 7], [-1, -1]))
    np.testing.assert_array_equal(ended, drawn(alone))
    differs = (open_group != ended).any(axis=2)[GROUND_ROWS]
    assert differs.sum() > 435 * 20  # 600 m of 0.726 pixels, and ten to both sides


def test_water_is_blue_and_lies_below_the_streets() -> None:
    lake = np.array([[300.0, 300.0], [700.0, 300.0], [700.0, 700.0], [300.0, 700.0]])
    frame = drawn(moment(), ground=Ground(water=(lake,)))
    assert frame[999 - 517, 500].tolist() == [round(255 * part) for part in to_rgb(WATER)]
    over_all = np.array([[-500.0, -500.0], [1500.0, -500.0], [1500.0, 1500.0], [-500.0, 1500.0]])
    street, beside = drawn(moment(), ground=Ground(water=(over_all,)))[[999 - 154, 999 - 180], 500].astype(int)
    assert street[2] < beside[2] - 20  # less blue


def test_six_of_one_state_at_one_place_are_one_mark_and_five_are_not() -> None:
    places_px = np.array([[5.0, 5.0]] * 6 + [[100.0, 100.0]] * 5)
    found = crowded(np.arange(11), places_px)
    assert found.count.tolist() == [6, 1, 1, 1, 1, 1]
    assert found.mover.tolist() == [0, 6, 7, 8, 9, 10]
    np.testing.assert_array_equal(found.middle_px[0], [5.0, 5.0])


@pytest.mark.parametrize("picture", [CSC, DASC, PREFERENCE], ids=["csc", "dasc", "preference"])
def test_the_legend_has_the_colour_of_every_mark(picture: Picture) -> None:
    legend = drawn(moment(), picture)[LEGEND_ROWS].astype(float)
    for mark in (*picture.site_marks, *picture.mover_marks, *picture.link_marks):
        colour = mark.look.edge if mark.look.face in ("none", "#ffffff") else mark.look.face
        assert near(legend, colour) > 8, mark.name


@pytest.mark.parametrize("picture", [CSC, DASC, PREFERENCE], ids=["csc", "dasc", "preference"])
def test_marks_of_one_picture_can_be_told_apart(picture: Picture) -> None:
    for marks in (picture.site_marks, picture.mover_marks, picture.link_marks):
        assert len({mark.name for mark in marks}) == len(marks)
        looks = {(mark.look.face, mark.look.edge, mark.look.outline.tobytes()) for mark in marks}
        assert len(looks) == len(marks)
