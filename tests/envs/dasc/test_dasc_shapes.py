"""The shapes of precedence: exact edges of small graphs, and what holds of every graph of a shape."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdgym.envs.dasc.shapes import (
    FEWEST_SUBTASKS,
    MOST_SUBTASKS,
    SHAPES,
    Precedence,
    chain,
    diamond,
    fork_join,
    in_tree,
    layered,
    out_tree,
)

SIZES = range(FEWEST_SUBTASKS, MOST_SUBTASKS + 1)
sizes = st.integers(FEWEST_SUBTASKS, MOST_SUBTASKS)
seeds = st.integers(0, 2**32 - 1)


def some(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def successors(before: Precedence) -> list[list[int]]:
    return [[i for i, row in enumerate(before) if j in row] for j in range(len(before))]


def sources(before: Precedence) -> list[int]:
    return [i for i, row in enumerate(before) if not row]


def sinks(before: Precedence) -> list[int]:
    return [j for j, row in enumerate(successors(before)) if not row]


def hangs_together(before: Precedence) -> bool:
    reached, border = {0}, [0]
    after = successors(before)
    while border:
        i = border.pop()
        for j in [*before[i], *after[i]]:
            if j not in reached:
                reached.add(j)
                border.append(j)
    return len(reached) == len(before)


def test_a_chain_by_hand() -> None:
    assert chain(4, some()) == [(), (0,), (1,), (2,)]


def test_a_fork_join_by_hand() -> None:
    #     1
    #  0  2  4
    #     3
    assert fork_join(5, some()) == [(), (0,), (0,), (0,), (1, 2, 3)]
    assert fork_join(3, some()) == [(), (0,), (1,)]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_of_two_subtasks_every_shape_is_a_chain(shape: Callable[[int, np.random.Generator], Precedence]) -> None:
    assert shape(2, some()) == [(), (0,)]


def test_a_diamond_of_four_and_of_nine_by_hand() -> None:
    #        1           1   3   6
    #    0       3     0   2 4 5 7 8   in layers 0 | 1 2 | 3 4 5 | 6 7 | 8
    #        2
    assert diamond(4, some()) == [(), (0,), (0,), (1, 2)]
    assert diamond(9, some()) == [(), (0,), (0,), (1,), (1, 2), (2,), (3, 4), (4, 5), (6, 7)]


def test_diamonds_between_two_squares_are_longer() -> None:
    # 5: layers 0 | 1 | 2 3 | 4; 6: 0 | 1 2 | 3 4 | 5; 7: 0 | 1 | 2 3 | 4 5 | 6
    assert diamond(3, some()) == [(), (0,), (1,)]
    assert diamond(5, some()) == [(), (0,), (1,), (1,), (2, 3)]
    assert diamond(6, some()) == [(), (0,), (0,), (1,), (2,), (3, 4)]
    assert diamond(7, some()) == [(), (0,), (1,), (1,), (2,), (3,), (4, 5)]


def test_of_three_subtasks_a_tree_is_a_chain_or_a_fork() -> None:
    assert {tuple(in_tree(3, some(seed))) for seed in range(20)} == {((), (0,), (1,)), ((), (), (0, 1))}
    assert {tuple(out_tree(3, some(seed))) for seed in range(20)} == {((), (0,), (1,)), ((), (0,), (0,))}


def test_of_three_subtasks_layers_are_all_there_is_in_two_or_three_layers() -> None:
    drawn = {tuple(layered(3, some(seed))) for seed in range(60)}
    assert drawn == {((), (0,), (1,)), ((), (), (0, 1)), ((), (0,), (0,))}


def test_layers_that_would_fall_apart_are_joined() -> None:
    # Four in two layers of two: without joining, 0 -> 2 and 1 -> 3 alone would be two tasks.
    drawn = {tuple(layered(4, some(seed))) for seed in range(300)}
    assert ((), (), (0,), (1,)) not in drawn
    assert ((), (), (0, 1), (1,)) in drawn


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@given(size=sizes, seed=seeds)
def test_every_graph_is_in_topological_order_connected_and_of_its_size(
    shape: Callable[[int, np.random.Generator], Precedence], size: int, seed: int
) -> None:
    before = shape(size, some(seed))
    assert len(before) == size
    assert all(j < i for i, row in enumerate(before) for j in row)  # acyclic, too
    assert all(list(row) == sorted(set(row)) for row in before)
    assert hangs_together(before)
    assert shape(size, some(seed)) == before


@pytest.mark.parametrize("name", ["chain", "fork-join", "in-tree", "diamond"])
@given(size=sizes, seed=seeds)
def test_one_subtask_ends_the_task(name: str, size: int, seed: int) -> None:
    assert sinks(SHAPES[name](size, some(seed))) == [size - 1]  # type: ignore[index]


@pytest.mark.parametrize("name", ["chain", "fork-join", "out-tree", "diamond"])
@given(size=sizes, seed=seeds)
def test_one_subtask_begins_the_task(name: str, size: int, seed: int) -> None:
    assert sources(SHAPES[name](size, some(seed))) == [0]  # type: ignore[index]


@given(size=sizes, seed=seeds)
def test_trees_have_one_edge_less_than_subtasks(size: int, seed: int) -> None:
    joined, branched = in_tree(size, some(seed)), out_tree(size, some(seed))
    assert all(len(row) == 1 for row in successors(joined)[:-1])
    assert all(len(row) == 1 for row in branched[1:])


@given(size=sizes, seed=seeds)
def test_layers_reach_from_the_first_to_the_last(size: int, seed: int) -> None:
    """Each edge leads to the next layer: all ways to a subtask are equally long, and all ways end at the same depth."""
    before = layered(size, some(seed))
    depth: list[int] = []
    for row in before:
        assert len({depth[j] for j in row}) <= 1
        depth.append(1 + max((depth[j] for j in row), default=-1))
    assert depth == sorted(depth)
    assert {depth[i] for i in sinks(before)} == {max(depth)}


@pytest.mark.parametrize("size", SIZES)
def test_a_diamond_widens_and_narrows_by_one(size: int) -> None:
    depth: list[int] = []
    for row in diamond(size, some()):
        depth.append(1 + max((depth[j] for j in row), default=-1))
    widths = np.bincount(depth)
    top = int(np.argmax(widths))
    assert widths[0] == widths[-1] == 1
    assert set(np.diff(widths[: top + 1])) <= {0, 1}
    assert set(np.diff(widths[top:])) <= {-1, 0}
    assert widths.max() == int(np.sqrt(size))
