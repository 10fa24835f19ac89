"""Sums of products of 32 numbers at once, which the compiler does not make of a short loop over arrays by itself.

It has to suppose that the arrays overlap, and asks before every loop whether they do. These functions do not ask. A
place counts the numbers of an array from its first one, whatever its shape. Products are not rounded before they are
added.
"""

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

LANES: Final = 32
_NUMBERS = ir.VectorType(ir.FloatType(), LANES)
_FLAGS = ("contract", "nsz", "reassoc")


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def add_product_of_lanes(typing: Any, found: Any, at: Any, one: Any, one_at: Any, other: Any, other_at: Any) -> Any:
    """Add to 32 numbers of ``found``, from place ``at`` on, those of two arrays times each other."""
    place = types.intp
    signature = types.void(found, place, one, place, other, place)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, first, second = (_lanes(context, builder, signature, values, i) for i in (0, 2, 4))
        product = builder.fmul(_load(builder, first), _load(builder, second), flags=_FLAGS)
        _store(builder, builder.fadd(_load(builder, into), product, flags=_FLAGS), into)
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def add_times_lanes(typing: Any, found: Any, at: Any, a: Any, given: Any, given_at: Any) -> Any:
    """Add to 32 numbers of ``found`` a times those of ``given`` from ``given_at`` on."""
    signature = types.void(found, types.intp, types.float32, given, types.intp)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, source = (_lanes(context, builder, signature, values, i) for i in (0, 3))
        product = builder.fmul(_load(builder, source), _spread(builder, values[2]), flags=_FLAGS)
        _store(builder, builder.fadd(_load(builder, into), product, flags=_FLAGS), into)
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def add_four_times_lanes(
    typing: Any, found: Any, at: Any, a: Any, b: Any, c: Any, d: Any, given: Any, given_at: Any, step: Any
) -> Any:
    """Add to 32 numbers of ``found`` a times those of ``given`` from ``given_at`` on, b times those a step on, ..."""
    place, single = types.intp, types.float32
    signature = types.void(found, place, single, single, single, single, given, place, place)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, source = (_lanes(context, builder, signature, values, i) for i in (0, 6))
        products = []
        for factor in values[2:6]:
            products.append(builder.fmul(_load(builder, source), _spread(builder, factor), flags=_FLAGS))
            numbers = builder.gep(builder.bitcast(source, ir.FloatType().as_pointer()), [values[8]])
            source = builder.bitcast(numbers, _NUMBERS.as_pointer())
        halves = [builder.fadd(*products[i : i + 2], flags=_FLAGS) for i in (0, 2)]
        both = builder.fadd(*halves, flags=_FLAGS)
        _store(builder, builder.fadd(_load(builder, into), both, flags=_FLAGS), into)
        return context.get_dummy_value()

    return signature, generate


def _lanes(context: Any, builder: Any, signature: Any, values: Any, index: int) -> Any:
    """The address of 32 numbers: of an array, from the place behind it on."""
    array = make_array(signature.args[index])(context, builder, values[index])
    return builder.bitcast(builder.gep(array.data, [values[index + 1]]), _NUMBERS.as_pointer())


def _spread(builder: Any, number: Any) -> Any:
    """32 times the same number."""
    single = builder.insert_element(ir.Constant(_NUMBERS, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(single, ir.Constant(_NUMBERS, ir.Undefined), zeros)


def _load(builder: Any, address: Any) -> Any:
    numbers = builder.load(address)
    numbers.align = np.dtype(np.float32).itemsize
    return numbers


def _store(builder: Any, numbers: Any, address: Any) -> None:
    builder.store(numbers, address).align = np.dtype(np.float32).itemsize
