"""Pictures of sensing: same snapshot, same bytes; what is drawn where; outlines and classes by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crowdgym.data.registry import load_series
from crowdgym.envs import sensing_v0
from crowdgym.envs.sensing.scene import ERROR_CLASSES, error_class, region_outline_km
from crowdgym.envs.sensing.viewer import SensingViewer, round_up

DAY_S = 86_400.0


def moment(agents: Any = "cells", **keywords: Any) -> Any:
    env = sensing_v0.parallel_env(agents=agents, num_participants=5, horizon_s=8 * DAY_S, **keywords)
    env.reset(seed=0)
    generator = np.random.default_rng(0)
    size = env.action_space(env.agents[0]).n
    env.step({agent: int(generator.integers(size)) for agent in env.agents})
    return env


def test_the_same_snapshot_gives_the_same_bytes_and_another_one_others() -> None:
    snapshot = moment().snapshot()
    viewer = SensingViewer(load_series("piemonte-synth"), "title")
    first = viewer.draw(snapshot)
    moved = replace(snapshot, participant_cell=snapshot.came_from)
    assert first.shape == (1000, 1000, 3)
    assert (viewer.draw(moved) != first).any()
    np.testing.assert_array_equal(viewer.draw(snapshot), first)
    np.testing.assert_array_equal(SensingViewer(load_series("piemonte-synth"), "title").draw(snapshot), first)


@pytest.mark.parametrize("agents", ["cells", "participants"])
def test_render_gives_a_picture_of_the_present_cycle(agents: str) -> None:
    env = moment(agents, render_mode="rgb_array")
    picture = env.render()
    assert picture.shape == (1000, 1000, 3)
    assert picture.dtype == np.uint8
    env.close()


def test_an_error_falls_into_the_class_of_its_bounds() -> None:
    assert error_class(np.array([0.0, 0.05, 0.051, 0.1, 0.3, 0.4, 5.0])).tolist() == [0, 0, 1, 1, 3, 3, 4]
    assert len(ERROR_CLASSES) == 5


@pytest.mark.parametrize(
    ("value", "rounded"), [(0.0, 1.0), (0.3, 0.5), (1.0, 1.0), (1.1, 2.0), (48.0, 50.0), (60.0, 100.0), (0.002, 0.002)]
)
def test_axes_end_at_round_numbers(value: float, rounded: float) -> None:
    assert round_up(value) == pytest.approx(rounded)


def test_the_outline_is_the_series_own_or_a_hull_around_all_cells() -> None:
    series = load_series("piemonte-synth")
    hull = region_outline_km(series)
    assert hull[:, 0].min() < series.x_km.min()
    assert hull[:, 1].max() > series.y_km.max()
    own = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert region_outline_km(replace(series, outline_km=own)) is not hull
    np.testing.assert_array_equal(region_outline_km(replace(series, outline_km=own)), own)


def test_cells_on_one_line_have_an_outline_too() -> None:
    series = load_series("piemonte-synth")
    hull = region_outline_km(replace(series, x_km=np.arange(24.0), y_km=np.zeros(24)))
    assert np.ptp(hull[:, 1]) > 0
