"""Matchings of workers with their candidate tasks.

All take weights of shape [W, K], one for each candidate, and return the chosen action of each worker: 0 for no offer, i
for the i-th candidate. No task is chosen twice.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def greedy(weight: Floats, candidates: Ints) -> Ints:
    """Pairs in order of weight, the largest first, ties by worker, then by candidate. Shape [W]."""
    worker, slot = np.nonzero(candidates >= 0)
    order = np.argsort(-weight[worker, slot], kind="stable")
    actions = np.zeros(len(candidates), np.int64)
    taken: set[int] = set()
    for w, j in zip(worker[order].tolist(), slot[order].tolist(), strict=True):
        task = int(candidates[w, j])
        if actions[w] == 0 and task not in taken:
            actions[w] = j + 1
            taken.add(task)
    return actions


def max_cardinality(candidates: Ints) -> Ints:
    """As many pairs as possible, by Hopcroft and Karp's algorithm. Shape [W]."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    worker, slot = np.nonzero(candidates >= 0)
    actions = np.zeros(len(candidates), np.int64)
    if len(worker) == 0:
        return actions
    tasks, column = np.unique(candidates[worker, slot], return_inverse=True)
    graph = csr_array((np.ones(len(worker), np.int8), (worker, column)), shape=(len(candidates), len(tasks)))
    matched = maximum_bipartite_matching(graph, perm_type="column")
    chosen = matched[worker] == column
    actions[worker[chosen]] = slot[chosen] + 1
    return actions


def max_weight(weight: Floats, candidates: Ints) -> Ints:
    """The pairs of the largest total weight, by the algorithm of Kuhn and Munkres (Jonker and Volgenant's form).

    Args:
        weight: from 0 on. A pair of weight 0 may be matched or not. Shape [W, K].
        candidates: task ids, -1 for none. Shape [W, K].

    Returns:
        Shape [W].
    """
    from scipy.optimize import linear_sum_assignment

    worker, slot = np.nonzero(candidates >= 0)
    actions = np.zeros(len(candidates), np.int64)
    if len(worker) == 0:
        return actions
    able, row = np.unique(worker, return_inverse=True)
    tasks, column = np.unique(candidates[worker, slot], return_inverse=True)
    action = np.zeros((len(able), len(tasks)), np.int64)
    action[row, column] = slot + 1
    table = np.zeros(action.shape)
    table[row, column] = weight[worker, slot]
    rows, columns = linear_sum_assignment(table, maximize=True)
    actions[able[rows]] = action[rows, columns]
    return actions


def lexicographic(weight: Floats, candidates: Ints) -> Ints:
    """As many pairs as possible, and of all such matchings one of the largest total weight.

    One more pair counts for more than all weights together.

    Args:
        weight: from 0 to 1. Shape [W, K].
        candidates: task ids, -1 for none. Shape [W, K].

    Returns:
        Shape [W].
    """
    return max_weight(1.0 + weight / (len(candidates) + 1), candidates)
