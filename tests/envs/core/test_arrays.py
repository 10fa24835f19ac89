"""Structures of arrays whose fields say their own dtype and shape."""

from typing import Annotated, Any, NamedTuple, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from typing_extensions import TypeAliasType

from crowdgym.envs.core.arrays import allocate, dtype_in, zero


class Inner(NamedTuple):
    weight: Annotated[NDArray[np.float64], "B"]


class Outer(NamedTuple):
    status: Annotated[NDArray[np.int8], "B, W"]
    keys: Annotated[NDArray[np.int64], "B, W, K + 1 + spare"]
    term: Annotated[NDArray[np.float64], "B, 3"]
    inner: Inner


def test_arrays_have_the_dtype_and_shape_that_their_fields_say() -> None:
    made = allocate(Outer, {"B": 2, "W": 5, "K": 3, "spare": 4})
    assert (made.status.dtype, made.status.shape) == (np.int8, (2, 5))
    assert (made.keys.dtype, made.keys.shape) == (np.int64, (2, 5, 8))
    assert (made.term.dtype, made.term.shape) == (np.float64, (2, 3))
    assert made.inner.weight.shape == (2,)
    assert not made.keys.any()


def test_a_field_that_is_given_is_taken_as_it_is() -> None:
    given = Inner(np.ones(7))
    assert allocate(Outer, {"B": 2, "W": 5, "K": 3, "spare": 4}, inner=given).inner is given


def test_one_row_of_every_array_is_cleared() -> None:
    arrays = (np.ones(2), np.ones((2, 3), np.int8), np.ones((2, 3, 2)))
    zero(arrays, 1)
    assert [array[0].all() for array in arrays] == [True, True, True]
    assert [array[1].any() for array in arrays] == [False, False, False]


Number = TypeVar("Number", bound=np.generic)
AliasOfNumPy25 = TypeAliasType("AliasOfNumPy25", np.ndarray[Any, np.dtype[Number]], type_params=(Number,))


@pytest.mark.parametrize("array", [NDArray[np.float32], AliasOfNumPy25[np.float32]], ids=["now", "NumPy 2.5"])
def test_the_dtype_of_an_annotation(array: Any) -> None:
    assert dtype_in(array) is np.float32
