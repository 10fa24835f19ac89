"""Small problems of matching, and the values of all their solutions."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def random_pairs(seed: int) -> tuple[Floats, Ints]:
    """Weights and candidates of up to 5 workers with up to 4 candidates each, of up to 6 tasks."""
    rng = np.random.default_rng(seed)
    workers, slots, tasks = int(rng.integers(1, 6)), int(rng.integers(1, 5)), int(rng.integers(4, 7))
    candidates = np.full((workers, slots), -1, np.int64)
    for row in candidates:
        count = int(rng.integers(slots + 1))
        row[:count] = rng.permutation(tasks)[:count]
    return np.where(candidates >= 0, rng.random(candidates.shape), 0.0), candidates


def value(actions: Ints, weight: Floats, candidates: Ints) -> tuple[int, float]:
    """How many pairs, and their total weight; an impossible choice fails the test."""
    chosen = np.flatnonzero(actions)
    tasks = candidates[chosen, actions[chosen] - 1]
    assert (tasks >= 0).all()
    assert len(set(tasks.tolist())) == len(tasks)
    return len(chosen), float(weight[chosen, actions[chosen] - 1].sum())


def all_matchings(weight: Floats, candidates: Ints) -> list[tuple[int, float]]:
    """The values of all matchings, one by one."""
    values = []
    options = [[0, *(np.flatnonzero(row >= 0) + 1)] for row in candidates]
    for joint in product(*options):
        tasks = [int(candidates[w, j - 1]) for w, j in enumerate(joint) if j]
        if len(set(tasks)) == len(tasks):
            total = sum(float(weight[w, j - 1]) for w, j in enumerate(joint) if j)
            values.append((len(tasks), total))
    return values
