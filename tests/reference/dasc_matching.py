"""Matching and admission of DASC as docs/dasc_dynamics.md has them, for the reference simulator: exact and slow.

The assignment of the largest utility comes from networkx, in Python's whole numbers: below the utility each pair has a
digit of its own for the rule of ties, so that there is one best assignment and no rounding.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping

import networkx as nx

Pairs = Mapping[tuple[int, int], int]  # (subtask, worker) -> U, of every pair that may be matched


def whole_utility(utility: float) -> int:
    """U, the utility as a whole number."""
    return math.floor(utility * 2**30 + 0.5)


def largest_assignment(pairs: Pairs) -> dict[int, int]:
    """The worker of every subtask that gets one: the largest total, ties by subtask, then a small worker id."""
    subtasks = sorted({subtask for subtask, _ in pairs})
    workers = sorted({worker for _, worker in pairs})
    base = len(workers) + 1
    graph = nx.Graph()
    for (subtask, worker), utility in pairs.items():
        digit = len(workers) - workers.index(worker)  # the largest for the smallest id, 0 for none
        place = len(subtasks) - 1 - subtasks.index(subtask)
        weight = utility * base ** len(subtasks) + digit * base**place
        graph.add_edge(("subtask", subtask), ("worker", worker), weight=weight)
    matched = {}
    for ends in nx.max_weight_matching(graph):
        side = dict(ends)
        matched[side["subtask"]] = side["worker"]
    return matched


def largest_assignment_by_trial(pairs: Pairs) -> dict[int, int]:
    """The same by trying every assignment. For tiny cases only."""
    subtasks = sorted({subtask for subtask, _ in pairs})
    workers = sorted({worker for _, worker in pairs})
    best: dict[int, int] = {}
    best_key: tuple[int, list[int]] | None = None
    for choice in itertools.product([*workers, None], repeat=len(subtasks)):
        chosen = {i: w for i, w in zip(subtasks, choice, strict=True) if w is not None}
        if len(set(chosen.values())) < len(chosen) or any(pair not in pairs for pair in chosen.items()):
            continue
        order = [len(workers) if w is None else workers.index(w) for w in choice]
        key = (-sum(pairs[pair] for pair in chosen.items()), order)
        if best_key is None or key < best_key:
            best, best_key = chosen, key
    return best


def has_ties(pairs: Pairs, selects: bool) -> bool:
    """Whether numbers decide in a round: two askers alike for one worker, or several assignments of one total."""
    if selects:
        of_worker = [(worker, utility) for (_, worker), utility in pairs.items()]
        return len(set(of_worker)) < len(of_worker)
    best = largest_assignment(pairs)
    total = sum(pairs[pair] for pair in best.items())
    for pair in best.items():
        others = {other: utility for other, utility in pairs.items() if other != pair}
        if sum(others[chosen] for chosen in largest_assignment(others).items()) == total:
            return True
    return False


def chosen_workers(asked: Mapping[int, int], pairs: Pairs) -> dict[int, int]:
    """``select``: each worker asked for goes to the asker of the largest utility, ties by the smaller subtask."""
    matched: dict[int, int] = {}
    for worker in set(asked.values()):
        askers = [subtask for subtask in asked if asked[subtask] == worker]
        matched[min(askers, key=lambda subtask: (-pairs[subtask, worker], subtask))] = worker
    return matched


def closed(some: Iterable[int], before: Callable[[int], Iterable[int]], served: Callable[[int], bool]) -> set[int]:
    """The subtasks of ``some`` each of whose predecessors is served or in the result itself."""
    kept = set(some)
    while True:
        falling = {i for i in kept if any(not served(j) and j not in kept for j in before(i))}
        if not falling:
            return kept
        kept -= falling


def rounds(
    admitted: Iterable[int],
    match: Callable[[set[int]], dict[int, int]],
    before: Callable[[int], Iterable[int]],
    served: Callable[[int], bool],
) -> dict[int, int]:
    """Rounds of ``match`` until all that got a worker stand: the final one's subtasks and workers."""
    remaining = set(admitted)
    while True:
        matched = match(remaining)
        standing = closed(matched, before, served)
        if standing == set(matched):
            return matched
        remaining -= set(matched) - standing
