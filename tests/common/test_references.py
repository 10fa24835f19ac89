"""Structures that compiled loops are handed by address: what they read and write is the structure itself."""

import gc
import pickle
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from crowdgym.common.jit import jit, kernel
from crowdgym.common.references import reference_to


class Shop(NamedTuple):
    stock: NDArray[np.int32]  # [2, 3]
    is_open: NDArray[np.bool_]  # [2]
    price: float
    goods: int


class Town(NamedTuple):
    shop: Shop
    visitors: NDArray[np.int64]  # [2]


def a_town() -> Town:
    return Town(
        Shop(np.arange(6, dtype=np.int32).reshape(2, 3), np.array([False, True]), 2.5, 7), np.zeros(2, np.int64)
    )


@kernel
def sell(shop: Shop, day: int, good: int) -> float:
    if not shop.is_open[day]:
        return 0.0
    shop.stock[day, good] -= 1
    return shop.price + shop.goods


@kernel
def visit(town: Town, day: int) -> float:
    town.visitors[day] += town.shop.stock.shape[1]
    return sell(town.shop, day, 2)


@kernel
def clear(arrays: tuple[NDArray[np.int32], ...]) -> None:
    for array in arrays:
        array[:] = 0


@kernel
def count_of(town: Town) -> int:
    return len(town[1:])


@jit
def twice(town: Town) -> float:
    return visit(town, 1) + visit(town, 1)


def test_a_kernel_reads_and_writes_the_arrays_and_numbers_of_a_structure() -> None:
    town = a_town()
    reference = reference_to(town)
    assert visit(reference, 0) == 0.0  # closed
    assert visit(reference, 1) == 9.5
    assert town.shop.stock.tolist() == [[0, 1, 2], [3, 4, 4]]
    assert town.visitors.tolist() == [3, 3]


def test_python_reads_a_reference_by_the_same_names() -> None:
    town = a_town()
    reference = reference_to(town)
    assert reference.shop.stock is town.shop.stock
    assert reference.shop.price == 2.5


def test_kernels_hand_on_references_also_where_they_count_them() -> None:
    town = a_town()
    assert twice(reference_to(town)) == 19.0
    assert town.shop.stock[1].tolist() == [3, 4, 3]


def test_a_part_of_a_reference_is_a_tuple_of_its_fields() -> None:
    assert count_of(reference_to(a_town())) == 1


def test_a_kernel_takes_the_structure_itself_too() -> None:
    town = a_town()
    assert visit(town, 1) == 9.5


def test_a_reference_holds_what_it_refers_to() -> None:
    reference = reference_to(a_town())
    gc.collect()
    assert visit(reference, 1) == 9.5


@pytest.mark.parametrize("copied", [deepcopy, lambda value: pickle.loads(pickle.dumps(value))])  # noqa: S301
def test_a_copy_refers_to_the_copy(copied: object) -> None:
    town = a_town()
    pair = (town, reference_to(town))
    other, reference = copied(pair)  # type: ignore[operator]
    assert visit(reference, 1) == 9.5
    assert other.shop.stock.tolist() == [[0, 1, 2], [3, 4, 4]]
    assert town.shop.stock.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("field", "value"), [("stock", np.zeros((4, 4), np.int32)[:, ::2]), ("price", "2.5"), ("price", None)]
)
def test_what_a_reference_cannot_hold_is_refused(field: str, value: object) -> None:
    shop = a_town().shop._replace(**{field: value})
    with pytest.raises(TypeError, match=rf"Shop\.{field} must be a contiguous array, a number or a named tuple"):
        reference_to(shop)
