"""Comparison of entries, with numbers worked out by hand."""

import numpy as np
import pytest

from crowdgym.bench.report.statistics import Interval, interquartile_mean, middle_half_mean
from crowdgym.leaderboard.statistics import RESAMPLES, Paired, better, chain, holm, paired, ranks, separated

ZERO = Interval(0.0, 0.0, 0.0)


def of_p(value: float, p_value: float) -> Paired:
    return Paired(Interval(value, value, value), 0.5, p_value)


def test_the_mean_of_the_middle_half() -> None:
    # Of eight values the two least and the two largest are left out: (3 + 4 + 5 + 6) / 4.
    assert middle_half_mean(np.array([8.0, 1, 7, 2, 6, 3, 5, 4]), -1) == 4.5
    # Outliers do not count: (2 + 3) / 2 of 1, 2, 3, 1000.
    assert interquartile_mean(np.array([[1.0, 1000.0], [2.0, 3.0]])).value == 2.5


def test_a_gain_that_is_the_same_everywhere_has_no_width() -> None:
    others = np.array([[1.0, 5.0], [2.0, 9.0], [4.0, 7.0]])
    one = paired(others + 0.5, others)
    assert one.difference == Interval(0.5, 0.5, 0.5)
    assert (one.won, one.p_value) == (1.0, 2 / (RESAMPLES + 1))


def test_equal_entries_cannot_be_told_apart() -> None:
    scores = np.array([[1.0, 5.0], [2.0, 9.0]])
    assert paired(scores, scores) == Paired(ZERO, 0.5, 1.0)


def test_a_tie_counts_half() -> None:
    assert paired(np.array([[2.0], [3.0], [1.0], [1.0]]), np.array([[1.0], [1.0], [1.0], [5.0]])).won == 0.625


def test_pairs_see_a_gain_that_unpaired_intervals_do_not() -> None:
    draw = np.random.default_rng(5)
    levels = draw.uniform(0.2, 0.9, (20, 8))  # instances differ much
    others = levels + draw.normal(0, 0.01, levels.shape)
    scores = levels + 0.01 + draw.normal(0, 0.01, levels.shape)
    one = paired(scores, others)
    assert one.difference.low > 0
    assert interquartile_mean(scores).low < interquartile_mean(others).high


def test_the_same_scores_give_the_same_interval() -> None:
    draw = np.random.default_rng(1)
    scores, others = draw.random((5, 4)), draw.random((5, 4))
    assert paired(scores, others) == paired(scores, others)


def test_holm_multiplies_the_least_by_all_and_never_decreases() -> None:
    # 3 * .01, then max(.03, 2 * .03), then max(.06, .04)
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_ranks_count_the_better_entries_and_equal_ones_share_a_rank() -> None:
    # 0 beats 2 and 3; 1 beats 3; 0 and 1 cannot be told apart.
    compared = [
        [None, of_p(0.1, 0.5), of_p(0.2, 0.001), of_p(0.3, 0.001)],
        [None, None, of_p(0.1, 0.4), of_p(0.2, 0.002)],
        [None, None, None, of_p(0.1, 0.6)],
        [None, None, None, None],
    ]
    table = better(compared)
    assert ranks(table) == [1, 1, 2, 3]
    assert chain(table, [0, 1, 2, 3]) == 2
    assert better([[None]]).tolist() == [[False]]


def test_a_worse_entry_comes_after_whatever_the_order_of_the_table() -> None:
    assert ranks(better([[None, of_p(-0.2, 0.01)], [None, None]])) == [2, 1]


def test_intervals_that_do_not_meet() -> None:
    spans = [(0, 1), (0.5, 2), (1.5, 3), (2.5, 4), (3.5, 5)]
    assert separated([Interval(low, low, high) for low, high in spans]) == 3
    assert separated([]) == 0


def test_a_chain_is_of_entries_each_better_than_the_next() -> None:
    table = np.zeros((4, 4), bool)
    table[0, [1, 2, 3]] = table[1, 3] = table[2, 3] = True  # 1 and 2 cannot be told apart
    assert chain(table, [0, 1, 2, 3]) == 3
