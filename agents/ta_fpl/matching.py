"""The intersecting top-k matching of TA-FPL (algorithms 2 to 4), exact and as stated.

All take weights and task ids of shape [W, K], -1 for no candidate, and return the chosen action of each worker: 0 for
no offer, i for the i-th candidate. An edge is a worker with a candidate; ties go by task id and worker number.
"""

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.preference.matching import max_weight

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_EQUAL = 1e-9  # labels that add up to a weight but for rounding


def intersecting_top_k(weight: Floats, candidates: Ints, k: int) -> NDArray[np.bool_]:
    """Which edges are among the k of largest weight both of their worker and of their task. Shape [W, K]."""
    worker, slot = np.nonzero(candidates >= 0)
    task, size = candidates[worker, slot], weight[worker, slot]
    of_worker = _rank(worker, -size, task)
    of_task = _rank(task, -size, worker)
    edges = np.zeros(candidates.shape, np.bool_)
    edges[worker, slot] = (of_worker < k) & (of_task < k)
    return edges


def top_k_exact(weight: Floats, candidates: Ints, k: int) -> Ints:
    """The matching of the largest total weight among the edges of `intersecting_top_k`, then `reassign`. Shape [W]."""
    edges = intersecting_top_k(weight, candidates, k)
    return reassign(max_weight(weight, np.where(edges, candidates, -1)), weight, candidates)


def top_k_literal(weight: Floats, candidates: Ints, k: int) -> Ints:
    """Algorithms 2 to 4 as they are stated. Shape [W].

    A worker's label begins as its largest weight, a task's as 0. For each worker in turn an augmenting path of edges
    whose labels add up to their weight is searched, to depth k. Where there is none, the labels of the workers that
    the search met fall, and those of the tasks rise, by the least that makes another edge tight. A worker whose label
    falls below 0 stays without a task: the original algorithm would go on for ever where not everyone can be matched.
    """
    edges = intersecting_top_k(weight, candidates, k)
    search = _LiteralSearch(weight, candidates, edges, depth=k)
    for worker in range(len(candidates)):
        search.match(worker)
    actions = np.zeros(len(candidates), np.int64)
    for task, worker in search.worker_of.items():
        actions[worker] = search.edges[worker][task][0] + 1
    return reassign(actions, weight, candidates)


def reassign(actions: Ints, weight: Floats, candidates: Ints) -> Ints:
    """Algorithm 4: each task that is left, in order, goes to the free worker with the largest weight. Shape [W]."""
    actions = actions.copy()
    chosen = np.flatnonzero(actions)
    taken = candidates[chosen, actions[chosen] - 1]
    worker, slot = np.nonzero((candidates >= 0) & ~np.isin(candidates, taken))
    task = candidates[worker, slot]
    last = -1
    for edge in np.lexsort((worker, -weight[worker, slot], task)).tolist():
        if task[edge] != last and actions[worker[edge]] == 0:
            actions[worker[edge]] = slot[edge] + 1
            last = int(task[edge])
    return actions


class _LiteralSearch:
    """Labels, matches and the depth-first search of algorithms 2 and 3."""

    def __init__(self, weight: Floats, candidates: Ints, edges: NDArray[np.bool_], depth: int) -> None:
        # By worker, by task: the slot and the weight.
        self.edges: list[dict[int, tuple[int, float]]] = [{} for _ in candidates]
        worker, slot = np.nonzero(edges)
        for w, j in zip(worker.tolist(), slot.tolist(), strict=True):
            self.edges[w][int(candidates[w, j])] = (j, float(weight[w, j]))
        self.worker_of: dict[int, int] = {}  # by task
        self._depth = depth
        self._of_worker = [max((size for _, size in own.values()), default=-1.0) for own in self.edges]
        self._of_task = dict.fromkeys((task for own in self.edges for task in own), 0.0)
        self._met: set[int] = set()  # workers
        self._visited: set[int] = set()  # tasks

    def match(self, worker: int) -> None:
        """Algorithm 2 for one worker."""
        while self._of_worker[worker] >= 0:
            self._met, self._visited = set(), set()
            if self._find(worker, 0):
                return
            slack = min((self._slack(w, task) for w in self._met for task in self._left(w)), default=np.inf)
            for w in self._met:
                self._of_worker[w] -= slack
            for task in self._visited:
                self._of_task[task] += slack if slack < np.inf else 0.0

    def _find(self, worker: int, depth: int) -> bool:
        """Algorithm 3: find a task for a worker, moving others on if need be."""
        if depth > self._depth:
            return False
        self._met.add(worker)
        for task in sorted(self._left(worker)):
            if self._slack(worker, task) > _EQUAL:
                continue
            self._visited.add(task)
            if task not in self.worker_of or self._find(self.worker_of[task], depth + 1):
                self.worker_of[task] = worker
                return True
        return False

    def _left(self, worker: int) -> set[int]:
        """Tasks of a worker that the search has not visited."""
        return self.edges[worker].keys() - self._visited

    def _slack(self, worker: int, task: int) -> float:
        return self._of_worker[worker] + self._of_task[task] - self.edges[worker][task][1]


def _rank(group: Ints, first: Floats, second: Ints) -> Ints:
    """The place of each element in its group, sorted by two keys. Shape as given."""
    order = np.lexsort((second, first, group))
    begins = np.concatenate([[True], np.diff(group[order]) != 0]) if len(order) else np.zeros(0, np.bool_)
    start = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - start
    return rank
