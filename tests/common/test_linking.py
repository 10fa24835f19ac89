"""Functions that become machine code as parts of those that Python calls."""

import numba
import numpy as np

from crowdgym.common.jit import inlined, jit, kernel
from crowdgym.common.linking import parts_of


@kernel
def twice(x: float) -> float:
    return 2.0 * x


@inlined
def twice_and(x: float, more: float) -> float:
    return twice(x) + max(more, 0.0)


@kernel
def both_ways(x: float) -> float:
    return twice_and(x, 1.0) + twice(x)


@jit
def table(n: int) -> np.ndarray:
    made = np.zeros(n)
    for i in range(n):
        made[i] = both_ways(float(i))
    return made


def test_a_function_is_called_by_python_and_by_compiled_functions() -> None:
    assert both_ways(3.0) == 13.0
    assert table(3).tolist() == [1.0, 5.0, 9.0]
    assert twice(4.0) == 8.0


def test_a_function_that_numba_compiles_in_its_own_way_may_call_it() -> None:
    assert numba.njit(lambda x: both_ways(x) + 1.0)(3.0) == 14.0


def test_the_parts_of_a_function_are_all_that_it_calls() -> None:
    assert parts_of(table.py_func) == {both_ways, twice_and, twice}  # type: ignore[attr-defined]
    assert parts_of(twice.py_func) == set()  # type: ignore[attr-defined]
