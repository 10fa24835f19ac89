"""Seeds for different purposes never meet."""

from itertools import pairwise

import pytest

from crowdgym.common import seeds
from crowdgym.configs.suites import named_suite, suite_names

RANGES = [value for value in vars(seeds).values() if isinstance(value, range)]


def test_ranges_cover_all_seeds_and_do_not_overlap() -> None:
    ordered = sorted(RANGES, key=lambda each: each.start)
    assert (ordered[0].start, ordered[-1].stop) == (0, 2**63)
    assert all(one.stop == other.start for one, other in pairwise(ordered))


def test_the_ranges_that_results_rest_on() -> None:
    """Weights, scenarios and tables were made with these: another number makes them another experiment."""
    assert seeds.EVALUATION.start == 1_000_000
    assert seeds.CALIBRATION_FINALISTS.start == 2_000_000
    assert seeds.CALIBRATION.start == 10_000_000
    assert seeds.TRAINING.start == 2**32
    assert seeds.BENCHMARK_ENTROPY.to_bytes(5, "big") == b"CROWD"
    assert seeds.POLICY_ENTROPY.to_bytes(5, "big") == b"POLIC"
    assert seeds.POPULATION_ENTROPY.to_bytes(7, "big") == b"HISTORY"


@pytest.mark.parametrize("name", suite_names())
def test_a_suite_plays_seeds_of_its_range(name: str) -> None:
    suite = named_suite(name)
    # Nothing is fitted in the sensing paper's setting, so its suite may begin where results do.
    allowed = seeds.RESULTS if name == "sensing-paper" else seeds.SUITES
    assert suite.first_seed in allowed
    assert suite.first_seed + suite.episodes - 1 in allowed
