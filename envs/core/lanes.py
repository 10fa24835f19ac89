"""Eight numbers at once, and memory that is needed soon: what the compiler does not make of a loop by itself.

A loop over an array that only computes becomes vector instructions. These functions do the rest: say in one number
which of eight points are near, rank eight points without a branch, copy a few numbers as one, ask for memory before it
is needed. Each is a plain function, and further down is the code that a compiled loop runs in its place. The results
are equal.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import CallableTemplate, infer_global
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import make_array
from numpy.typing import NDArray

LANES = 8

_WORD, _INT, _BYTE = ir.IntType(64), ir.IntType(32), ir.IntType(8)
_DOUBLES, _INTS = ir.VectorType(ir.DoubleType(), LANES), ir.VectorType(_INT, LANES)


def near_lanes(
    x_m: NDArray[np.float64],
    y_m: NDArray[np.float64],
    at: int,
    x: float,
    y: float,
    bound: float,
    squared: NDArray[np.float64],
) -> int:
    """Write the squared distances from (x, y) of the eight points from ``at`` on into ``squared``, at the same places.

    Returns:
        Bit i is set if that of point ``at`` + i is at most ``bound``.
    """
    dx, dy = x_m[at : at + LANES] - x, y_m[at : at + LANES] - y
    squared[at : at + LANES] = dx * dx + dy * dy
    return int(sum(1 << i for i in range(LANES) if squared[at + i] <= bound))


def first_bit(bits: int | np.uint64) -> int:
    """The place of the lowest bit that is set in ``bits``, which is not 0."""
    return (int(bits) & -int(bits)).bit_length() - 1


def rank_lanes(squared: NDArray[np.float64], ids: NDArray[np.int32], ranks: NDArray[np.int32]) -> None:
    """Write into ``ranks``, for each of the first eight points, how many of them are before it by (distance, id)."""
    for i in range(LANES):
        ranks[i] = sum((squared[j], ids[j]) < (squared[i], ids[i]) for j in range(LANES))


def copy_row(table: NDArray[np.float32], which: int, row: NDArray[np.float32], at: int, count: int) -> None:
    """Copy the first ``count`` numbers, a constant, of row ``which`` of a table into ``row``, from ``at`` on."""
    row[at : at + count] = table[which, :count]


def copy_rest(table: NDArray[np.float32], which: int, row: NDArray[np.float32], at: int) -> None:
    """Copy row ``which`` of a table into ``row``, from ``at`` on."""
    row[at : at + table.shape[1]] = table[which]


def prefetch(array: NDArray[np.uint16], at: int) -> None:
    """Ask for ``array[at]``, which is read soon. Nothing comes of it but speed."""


# ---- what a compiled loop does instead ----


def _number(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.cast(builder, value, kind, types.uintp)


def _place(context: Any, builder: Any, kind: Any, value: Any, *index: Any) -> Any:
    """The address of an item of an array."""
    array = make_array(kind)(context, builder, value)
    strides = [builder.extract_value(array.strides, axis) for axis in range(kind.ndim)]
    if kind.layout == "C":
        strides[-1] = ir.Constant(_WORD, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    address = builder.ptrtoint(array.data, _WORD)
    for step, number in zip(strides, index, strict=True):
        address = builder.add(address, builder.mul(number, step))
    return address


def _splat(builder: Any, value: Any, kind: Any) -> Any:
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_INT, 0))
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(_INTS, [0] * LANES))


def _load(builder: Any, address: Any, kind: Any) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=4)


def _store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer()), align=4)


@type_callable(near_lanes)
def _type_near(_context: Any) -> Any:
    return lambda x_m, y_m, at, x, y, bound, squared: types.uint64


@lower_builtin(near_lanes, types.Array, types.Array, types.Integer, types.Float, types.Float, types.Float, types.Array)
def _near(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    at = _number(context, builder, sig.args[2], args[2])
    total = None
    for k, origin in ((0, 3), (1, 4)):
        places = _load(builder, _place(context, builder, sig.args[k], args[k], at), _DOUBLES)
        offset = builder.fsub(places, _splat(builder, args[origin], _DOUBLES))
        square = builder.fmul(offset, offset)
        total = square if total is None else builder.fadd(total, square)
    _store(builder, total, _place(context, builder, sig.args[6], args[6], at))
    near = builder.fcmp_ordered("<=", total, _splat(builder, args[5], _DOUBLES))
    return builder.zext(builder.bitcast(near, _BYTE), _WORD)


@type_callable(first_bit)
def _type_first(_context: Any) -> Any:
    return lambda bits: types.uint64


@lower_builtin(first_bit, types.Integer)
def _first(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
    return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))


@type_callable(rank_lanes)
def _type_rank(_context: Any) -> Any:
    return lambda squared, ids, ranks: types.none


@lower_builtin(rank_lanes, types.Array, types.Array, types.Array)
def _rank(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    start = ir.Constant(_WORD, 0)
    squared = _load(builder, _place(context, builder, sig.args[0], args[0], start), _DOUBLES)
    ids = _load(builder, _place(context, builder, sig.args[1], args[1], start), _INTS)
    ranks = ir.Constant(_INTS, [0] * LANES)
    for lane in range(LANES):
        same = ir.Constant(_INTS, [lane] * LANES)
        others = builder.shuffle_vector(squared, squared, same), builder.shuffle_vector(ids, ids, same)
        nearer = builder.fcmp_ordered("<", others[0], squared)
        level = builder.fcmp_ordered("==", others[0], squared)
        before = builder.or_(nearer, builder.and_(level, builder.icmp_signed("<", others[1], ids)))
        ranks = builder.add(ranks, builder.zext(before, _INTS))
    _store(builder, ranks, _place(context, builder, sig.args[2], args[2], start))
    return context.get_dummy_value()


@infer_global(copy_row)
class _TypeOfCopy(CallableTemplate):
    prefer_literal = True  # the count has to be known

    def generic(self) -> Any:
        return lambda table, which, row, at, count: types.none


@lower_builtin(copy_row, types.Array, types.Integer, types.Array, types.Integer, types.IntegerLiteral)
def _copy(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    which, at = (_number(context, builder, sig.args[k], args[k]) for k in (1, 3))
    source = _place(context, builder, sig.args[0], args[0], which, ir.Constant(_WORD, 0))
    target = _place(context, builder, sig.args[2], args[2], at)
    numbers = ir.VectorType(ir.FloatType(), sig.args[4].literal_value)
    _store(builder, _load(builder, source, numbers), target)
    return context.get_dummy_value()


@type_callable(copy_rest)
def _type_copy_rest(_context: Any) -> Any:
    return lambda table, which, row, at: types.none


@lower_builtin(copy_rest, types.Array, types.Integer, types.Array, types.Integer)
def _copy_rest(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    which, at = (_number(context, builder, sig.args[k], args[k]) for k in (1, 3))
    source = _place(context, builder, sig.args[0], args[0], which, ir.Constant(_WORD, 0))
    target = _place(context, builder, sig.args[2], args[2], at)
    table = make_array(sig.args[0])(context, builder, args[0])
    size = builder.mul(builder.extract_value(table.shape, 1), ir.Constant(_WORD, 4))
    pointer = _BYTE.as_pointer()
    cgutils.raw_memcpy(builder, builder.inttoptr(target, pointer), builder.inttoptr(source, pointer), size, 1)
    return context.get_dummy_value()


@type_callable(prefetch)
def _type_prefetch(_context: Any) -> Any:
    return lambda array, at: types.none


@lower_builtin(prefetch, types.Array, types.Integer)
def _prefetch(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    at = _number(context, builder, sig.args[1], args[1])
    pointer = _BYTE.as_pointer()
    place = builder.inttoptr(_place(context, builder, sig.args[0], args[0], at), pointer)
    kind = ir.FunctionType(ir.VoidType(), [pointer, _INT, _INT, _INT])
    function = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
    builder.call(function, [place, *(ir.Constant(_INT, each) for each in (0, 3, 1))])  # to read, keep, data
    return context.get_dummy_value()
