"""The matching of largest weight against scipy, and its rule for ties against all matchings there are."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from crowdgym.envs.core.matching import Graph, match

NO_EDGE = -1
Weights = NDArray[np.int64]


def solve(weights: Weights, graph: Graph | None = None) -> list[int]:
    """Match the rows of a matrix of weights, where ``NO_EDGE`` says that there is none."""
    rows, columns = weights.shape
    graph = graph or Graph.empty(1, rows, columns)
    edge = 0
    for i in range(rows):
        for j in np.flatnonzero(weights[i] != NO_EDGE):
            graph.column[0, edge], graph.weight[0, edge] = j, weights[i, j]
            edge += 1
        graph.start[0, i + 1] = edge
    match(graph, 0, rows)
    matched = graph.row_match[0, :rows].tolist()
    owners = graph.column_match[0].tolist()
    assert [owners.index(i) if i in owners else -1 for i in range(rows)] == matched
    return matched


def total(weights: Weights, matched: list[int]) -> int:
    pairs = [(i, j) for i, j in enumerate(matched) if j >= 0]
    assert all(weights[pair] != NO_EDGE for pair in pairs)
    assert len({j for _, j in pairs}) == len(pairs)
    return int(sum(weights[pair] for pair in pairs))


def largest_total(weights: Weights) -> int:
    profit = np.maximum(weights, 0)
    return int(profit[linear_sum_assignment(profit, maximize=True)].sum())


def first_of_the_best(weights: Weights) -> list[int]:
    """By trying all: none of a smaller total; then rows in order, a smaller column first and none at all last."""
    rows, columns = weights.shape
    options = [[*np.flatnonzero(weights[i] != NO_EDGE).tolist(), columns] for i in range(rows)]
    best: tuple[int, tuple[int, ...]] | None = None
    for choice in product(*options):
        used = [j for j in choice if j < columns]
        if len(set(used)) == len(used):
            value = sum(int(weights[i, j]) for i, j in enumerate(choice) if j < columns)
            if best is None or (-value, choice) < best:
                best = (-value, choice)
    assert best is not None
    return [j if j < columns else -1 for j in best[1]]


def random_weights(rng: np.random.Generator, rows: int, columns: int, most: int, density: float) -> Weights:
    weights = rng.integers(0, most + 1, (rows, columns))
    return np.where(rng.random((rows, columns)) < density, weights, NO_EDGE)


def test_one_good_pair_beats_two_poor_ones() -> None:
    assert solve(np.array([[1, 3], [NO_EDGE, 1]])) == [1, -1]


def test_two_pairs_that_are_worth_more_together_beat_a_better_one() -> None:
    assert solve(np.array([[2, 3], [NO_EDGE, 2]])) == [0, 1]


def test_a_tie_goes_to_the_smaller_row_and_then_to_the_smaller_column() -> None:
    assert solve(np.array([[5], [5]])) == [0, -1]
    assert solve(np.array([[5, 5]])) == [0]
    assert solve(np.array([[5, 5], [5, 5]])) == [0, 1]


def test_a_pair_worth_nothing_is_better_than_none() -> None:
    assert solve(np.array([[NO_EDGE, 0]])) == [1]


def test_a_row_without_edges_stays_alone() -> None:
    assert solve(np.array([[NO_EDGE, NO_EDGE], [7, 4]])) == [-1, 0]


def test_no_rows_at_all() -> None:
    assert solve(np.zeros((0, 3), np.int64)) == []


@pytest.mark.parametrize("most", [1, 3, 100, 2**30])
def test_the_total_is_that_of_scipy(most: int) -> None:
    rng = np.random.default_rng(most)
    for _ in range(1000):
        rows, columns = rng.integers(1, 30, 2)
        weights = random_weights(rng, rows, columns, most, rng.choice([0.05, 0.2, 0.6, 1.0]))
        assert total(weights, solve(weights)) == largest_total(weights)


def test_the_total_is_that_of_scipy_where_the_graph_is_large() -> None:
    rng = np.random.default_rng(0)
    for density, most in ((0.02, 2**30), (0.15, 2**30), (0.15, 50), (1.0, 2**30)):
        weights = random_weights(rng, 240, 300, most, density)
        assert total(weights, solve(weights)) == largest_total(weights)


@pytest.mark.parametrize("most", [0, 1, 2, 4])
def test_among_the_best_it_is_the_first(most: int) -> None:
    rng = np.random.default_rng(most)
    for _ in range(1000):
        rows, columns = rng.integers(1, 6, 2)
        weights = random_weights(rng, rows, columns, most, rng.choice([0.3, 0.6, 1.0]))
        assert solve(weights) == first_of_the_best(weights)


def test_room_used_before_leaves_no_trace() -> None:
    rng = np.random.default_rng(7)
    graph = Graph.empty(1, 12, 12)
    for _ in range(300):
        weights = random_weights(rng, 12, 12, 5, 0.5)
        assert solve(weights, graph) == solve(weights)
