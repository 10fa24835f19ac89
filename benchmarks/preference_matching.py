"""The matchings of ``preference_v0`` on snapshots: pairs, expected acceptances, and processor time.

    python benchmarks/preference_matching.py

A snapshot has idle workers and open tasks at uniform places of a square, preferences drawn from Dirichlet(0.3) over 8
categories, and the default acceptance. The candidates of a worker are the tasks within range, the K nearest of them.
Times are medians over the snapshots, of processor time of one core.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.preference.matching import greedy, lexicographic, max_cardinality, max_weight
from crowdgym.agents.ta_fpl.matching import top_k_exact, top_k_literal

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NUM_CATEGORIES = 8
CONCENTRATION = 0.3  # of preferences
LEAST, MOST = 0.05, 0.95  # acceptance


@dataclass(frozen=True)
class Size:
    """How large a snapshot is: workers, tasks, the square, the range of a worker, and K."""

    workers: int
    tasks: int
    side_km: float
    range_km: float
    candidates: int


SIZES = (
    Size(100, 100, 10.0, 2.5, 100),
    Size(60, 150, 10.0, 2.5, 150),
    Size(1000, 1500, 20.0, 2.0, 20),
    Size(1000, 1500, 20.0, 2.0, 100),
)
MATCHINGS: dict[str, Callable[[Floats, Ints], Ints]] = {
    "max-flow": lambda _, candidates: max_cardinality(candidates),
    "greedy": greedy,
    "km": max_weight,
    "km-lexicographic": lexicographic,
    "top-k, k = 3": lambda weight, candidates: top_k_exact(weight, candidates, 3),
    "top-k, k = 10": lambda weight, candidates: top_k_exact(weight, candidates, 10),
    "top-k-literal, k = 3": lambda weight, candidates: top_k_literal(weight, candidates, 3),
    "top-k-literal, k = 10": lambda weight, candidates: top_k_literal(weight, candidates, 10),
}


def snapshot(size: Size, seed: int) -> tuple[Floats, Ints]:
    """Estimated acceptances, 0 where there is no candidate, and task ids, -1 for none; both [W, K]."""
    rng = np.random.default_rng(seed)
    workers, tasks = (rng.uniform(0, size.side_km, (count, 2)) for count in (size.workers, size.tasks))
    distance = np.linalg.norm(workers[:, np.newaxis] - tasks, axis=2)  # [W, S]
    order = np.argsort(distance, axis=1, kind="stable")[:, : size.candidates]
    near = np.take_along_axis(distance, order, axis=1) <= size.range_km
    preference = rng.dirichlet(np.full(NUM_CATEGORIES, CONCENTRATION), size.workers)
    relative = preference / preference.max(axis=1, keepdims=True)
    category = rng.integers(NUM_CATEGORIES, size=size.tasks)
    accepts = LEAST + (MOST - LEAST) * np.take_along_axis(relative, category[order], axis=1)
    return np.where(near, accepts, 0.0), np.where(near, order, -1)


def table(size: Size, snapshots: int) -> Iterator[str]:
    """A row for each matching."""
    yield (
        f"{size.workers} workers, {size.tasks} tasks, square of {size.side_km:g} km, range {size.range_km:g} km, "
        f"{size.candidates} candidates at most:\n"
    )
    yield "| matching | pairs | expected acceptances | processor time, ms |"
    yield "|---|---|---|---|"
    drawn = [snapshot(size, seed) for seed in range(snapshots)]
    for name, match in MATCHINGS.items():
        match(*drawn[0])  # imports
        pairs, accepted, seconds = [], [], []
        for weight, candidates in drawn:
            begin = time.process_time()
            actions = match(weight, candidates)
            seconds.append(time.process_time() - begin)
            chosen = np.flatnonzero(actions)
            pairs.append(len(chosen))
            accepted.append(weight[chosen, actions[chosen] - 1].sum())
        yield f"| {name} | {np.mean(pairs):.1f} | {np.mean(accepted):.1f} | {1e3 * np.median(seconds):.1f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshots", type=int, default=5)
    options = parser.parse_args()
    for size in SIZES:
        print("\n".join(table(size, options.snapshots)), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
