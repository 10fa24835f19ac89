"""Comparison of entries on the same instances: paired differences, Holm's correction, ranks, groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.bench.report.statistics import CONFIDENCE, Interval, joint_middle_half_mean, resampled
from crowdgym.leaderboard.results import Scores

RESAMPLES: Final = 9_999  # more than of one interval: Holm's correction asks for small p-values


@dataclass(frozen=True)
class Paired:
    """One entry against another on the same instances.

    Attributes:
        difference: interquartile mean of the differences, with its interval.
        won: share of the instances on which the first is better; a tie counts half.
        p_value: of a difference of 0, two-sided, by the bootstrap.
    """

    difference: Interval
    won: float
    p_value: float


def paired(scores: Scores, others: Scores) -> Paired:
    """Compare two entries.

    Args:
        scores: of one entry, more is better. Shape [E, C].
        others: of the other on the same instances. Shape [E, C].
    """
    differences = scores - others
    interval, drawn = resampled(differences, joint_middle_half_mean, RESAMPLES)
    # One more in both places: the sample itself is one of the resamples, and no probability is 0.
    below, above = (1 + int(np.sum(drawn <= 0))) / (1 + len(drawn)), (1 + int(np.sum(drawn >= 0))) / (1 + len(drawn))
    won = float(np.mean(differences > 0) + np.mean(differences == 0) / 2)
    return Paired(interval, won, min(1.0, 2 * min(below, above)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction (1979): p-values that may be compared with 5 % although there are several."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for place, at in enumerate(sorted(range(len(p_values)), key=lambda k: p_values[k])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[at]))
        adjusted[at] = largest
    return adjusted


def better(compared: Sequence[Sequence[Paired | None]]) -> NDArray[np.bool_]:
    """Which entries are better than which, with 95 % after Holm's correction over all pairs.

    Args:
        compared: ``compared[i][j]`` for i < j.

    Returns:
        ``[i, j]``: whether i is better than j. Shape [n, n].
    """
    n = len(compared)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    found = [compared[i][j] for i, j in pairs]
    known = [one for one in found if one is not None]
    assert len(known) == len(pairs)
    table = np.zeros((n, n), np.bool_)
    for (i, j), one, p_value in zip(pairs, known, holm([one.p_value for one in known]), strict=True):
        if p_value < 1 - CONFIDENCE:
            table[(i, j) if one.difference.value > 0 else (j, i)] = True
    return table


def ranks(is_better: NDArray[np.bool_]) -> list[int]:
    """1 + the number of entries that are better. ``is_better`` as `better` returns it."""
    return [1 + int(column.sum()) for column in is_better.T]


def separated(intervals: Sequence[Interval]) -> int:
    """The largest number of entries whose intervals do not meet each other."""
    count, end = 0, -np.inf
    for interval in sorted(intervals, key=lambda one: one.high):
        if interval.low > end:
            count, end = count + 1, interval.high
    return count


def chain(is_better: NDArray[np.bool_], best_first: Sequence[int]) -> int:
    """The largest number of entries of which each is better than the next.

    Args:
        is_better: as `better` returns it.
        best_first: all entries, by their scores.
    """
    longest: dict[int, int] = {}
    for i in reversed(best_first):
        longest[i] = 1 + max((longest[j] for j in longest if is_better[i, j]), default=0)
    return max(longest.values(), default=0)
