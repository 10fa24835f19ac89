"""What compiled loops do eight numbers at a time, in numbers worked out by hand; the plain functions say the same."""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from crowdgym.envs.core.lanes import LANES, copy_rest, copy_row, first_bit, near_lanes, prefetch, rank_lanes


@numba.njit
def _near(x_m: Any, y_m: Any, at: int, x: float, y: float, bound: float, squared: Any) -> Any:
    return near_lanes(x_m, y_m, at, x, y, bound, squared)


@numba.njit
def _first(bits: Any) -> Any:
    return first_bit(bits)


@numba.njit
def _rank(squared: Any, ids: Any, ranks: Any) -> None:
    rank_lanes(squared, ids, ranks)


@numba.njit
def _copy_three(table: Any, which: int, row: Any, at: int) -> None:
    copy_row(table, which, row, at, 3)


@numba.njit
def _copy_rest(table: Any, which: int, row: Any, at: int) -> None:
    copy_rest(table, which, row, at)


@numba.njit
def _prefetch(table: Any, column: int, at: int) -> None:
    prefetch(table[:, column], at)


def _plain_three(table: Any, which: int, row: Any, at: int) -> None:
    copy_row(table, which, row, at, 3)


@pytest.mark.parametrize("near", [near_lanes, _near])
def test_points_are_near_up_to_the_bound_and_it_included(near: Callable[..., int]) -> None:
    """From (1, 1), points 2 to 9 of a row at y = 1: squared distances 1, 4, 9, 16, ... Up to 9 are the first three."""
    x_m, y_m, squared = np.arange(12.0), np.ones(12), np.full(12, -1.0)
    assert near(x_m, y_m, 2, 1.0, 1.0, 9.0, squared) == 0b111
    assert squared.tolist() == [-1, -1, 1, 4, 9, 16, 25, 36, 49, 64, -1, -1]
    assert near(x_m, y_m, 4, 7.0, 1.0, 1.0, squared) == 0b11100  # 6, 7 and 8


@pytest.mark.parametrize("first", [first_bit, _first])
def test_the_first_bit_is_the_lowest(first: Callable[[Any], int]) -> None:
    assert [first(np.uint64(bits)) for bits in (1, 0b1100, 1 << 63, (1 << 63) + 2)] == [0, 2, 63, 1]


@pytest.mark.parametrize("rank", [rank_lanes, _rank])
def test_ranks_go_by_distance_and_then_by_id(rank: Callable[..., None]) -> None:
    squared = np.array([4.0, 1.0, 4.0, 9.0, 0.0, 4.0, np.inf, np.inf])
    ids = np.array([7, 3, 2, 0, 9, 5, 100, 100], np.int32)
    ranks = np.zeros(LANES, np.int32)
    rank(squared, ids, ranks)
    assert ranks.tolist() == [4, 1, 2, 5, 0, 3, 6, 6]


@pytest.mark.parametrize("copy", [_plain_three, _copy_three])
def test_of_a_row_so_many_numbers_are_copied(copy: Callable[..., None]) -> None:
    table, row = np.arange(8, dtype=np.float32).reshape(2, 4), np.full(6, -1, np.float32)
    copy(table, 1, row, 2)
    assert row.tolist() == [-1, -1, 4, 5, 6, -1]


@pytest.mark.parametrize("copy", [copy_rest, _copy_rest])
def test_a_row_is_copied_whole(copy: Callable[..., None]) -> None:
    table, row = np.arange(6, dtype=np.float32).reshape(2, 3), np.full(5, -1, np.float32)
    copy(table, 1, row, 1)
    assert row.tolist() == [-1, 3, 4, 5, -1]


@pytest.mark.parametrize("ask", [lambda table, column, at: prefetch(table[:, column], at), _prefetch])
def test_to_ask_for_memory_changes_nothing(ask: Callable[..., None]) -> None:
    table = np.arange(12, dtype=np.uint16).reshape(4, 3)
    ask(table, 2, 3)
    assert table.ravel().tolist() == list(range(12))
