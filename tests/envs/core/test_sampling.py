"""The draws of the generators: their means and their ends."""

import numpy as np
import pytest

from crowdgym.envs.core.sampling import draw_counts, draw_lognormal, draw_subsets, later

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
