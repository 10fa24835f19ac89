"""The draws of the generators: their means and their ends, and the places that are drawn."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from crowdgym.common.errors import ConfigError
from crowdgym.envs.core.sampling import (
    NearbyNodes,
    check_num_workers,
    draw_counts,
    draw_lognormal,
    draw_places,
    draw_subsets,
    later,
)

DRAWS = 40_000


@pytest.mark.parametrize(("mean", "log_sd"), [(520.0, 0.62), (1882.0, 0.25), (10.0, 1.0)])
def test_lognormal_numbers_have_the_mean_and_the_spread_of_logarithms_that_are_asked_for(
    mean: float, log_sd: float
) -> None:
    drawn = draw_lognormal(np.random.default_rng(0), mean, log_sd, DRAWS)
    sd = mean * np.sqrt(np.exp(log_sd**2) - 1)
    assert drawn.mean() == pytest.approx(mean, abs=5 * sd / np.sqrt(DRAWS))
    assert np.log(drawn).mean() == pytest.approx(np.log(mean) - log_sd**2 / 2, abs=5 * log_sd / np.sqrt(DRAWS))
    assert np.log(drawn).std() == pytest.approx(log_sd, rel=0.02)


def test_without_spread_lognormal_numbers_are_the_mean() -> None:
    assert draw_lognormal(np.random.default_rng(0), 520.0, 0.0, 3) == pytest.approx([520.0] * 3)


def test_counts_are_rounded_and_from_1_to_the_most() -> None:
    assert set(draw_counts(np.random.default_rng(0), 2.0, 3.0, 4, 1000)) == {1.0, 2.0, 3.0, 4.0}
    assert draw_counts(np.random.default_rng(0), 2.4, 0.0, 4, 3).tolist() == [2.0, 2.0, 2.0]
    # A mean of 2.5, and 0 and -1 became 1: P(0) = 0.0214 adds 1, P(-1) = 0.0013 adds 2.
    assert draw_counts(np.random.default_rng(0), 2.5, 1.0, 8, DRAWS).mean() == pytest.approx(2.524, abs=0.02)


def test_a_subset_has_as_many_skills_as_its_size_and_all_are_equally_likely() -> None:
    sizes = np.repeat([1.0, 3.0], DRAWS // 2)
    subsets = draw_subsets(np.random.default_rng(0), sizes, 5)
    assert np.array_equal(subsets.sum(axis=1), sizes)
    assert subsets.mean(axis=0) == pytest.approx([2 / 5] * 5, abs=0.02)  # of 5 skills 1 or 3 are drawn


def test_later_is_the_next_number_where_a_time_is_not_later() -> None:
    found = later(np.array([5.0, 7.0, 3.0]), np.array([5.0, 5.0, 5.0]))
    assert found.tolist() == [np.nextafter(5.0, 6.0), 7.0, np.nextafter(5.0, 6.0)]


def test_there_may_be_as_many_workers_as_places_and_no_more() -> None:
    dataset: Any = SimpleNamespace(name="ring", network=SimpleNamespace(num_nodes=6))
    check_num_workers(dataset, 6)
    with pytest.raises(ConfigError, match=r"^num_workers must be at most 6, the number of places in 'ring', got 7$"):
        check_num_workers(dataset, 7)


def test_places_are_those_at_which_orders_began_as_often_as_they_did() -> None:
    class Orders:
        origin = np.array([40, 50, 50, 60], np.int32)

        def __len__(self) -> int:
            return 4

    dataset: Any = SimpleNamespace(orders=Orders())
    drawn = draw_places(np.random.default_rng(0), dataset, DRAWS)
    assert (drawn.shape, drawn.dtype) == ((DRAWS,), np.int32)
    shares = [float((drawn == node).mean()) for node in (40, 50, 60)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


def test_a_node_nearby_is_the_nearest_to_a_place_at_so_many_spreads_east_and_north() -> None:
    """Nodes 0 and 1 at 0 and 1,000 m east, node 2 at 2,000 m north; the draws are given."""
    network: Any = SimpleNamespace(x_m=np.array([0.0, 1000.0, 0.0]), y_m=np.array([0.0, 0.0, 2000.0]))
    draws = np.array([[2.4, 0.0], [2.6, 0.0], [-2.6, 0.0], [0.0, -5.1], [0.0, 4.9]])
    generator: Any = SimpleNamespace(standard_normal=lambda shape: draws.reshape(shape))
    found = NearbyNodes(network).draw(generator, np.array([0, 0, 1, 2, 0], np.int32), spread_m=200.0)
    assert found.tolist() == [0, 1, 0, 0, 0]  # at 480, 520 and 480 m east, at 980 m north twice
    assert found.dtype == np.int32
