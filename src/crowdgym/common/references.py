"""Structures of arrays handed to compiled loops by their address, instead of array by array.

    state = allocate(CscState, sizes)        # a named tuple of named tuples of arrays
    play(reference_to(state), ...)           # in a kernel: state.workers.status[b, w], as before

A named tuple of a hundred arrays is a thousand numbers. Numba hands all of them over at every call that is not inlined,
and writes code that takes each of them out of its Python object. That is most of what a kernel takes to compile, and a
call of it from Python takes 35 microseconds. A reference is one number: the address of a table of where the arrays are.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import config, typeof, types
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer, signature
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_builtin,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np.arrayobj import populate_array

Structure = TypeVar("Structure")

_WORD = ir.IntType(64)
_SCALARS = {float: types.float64, int: types.int64}


def reference_to(structure: Structure) -> Structure:
    """What a kernel is handed in place of ``structure``: it reads the fields of it by the same names.

    Args:
        structure: a named tuple whose fields are C-contiguous arrays, floats, whole numbers, or other such structures.

    Returns:
        The structure itself where nothing is compiled (``NUMBA_DISABLE_JIT``).

    Raises:
        TypeError: a field is of another kind.
    """
    return structure if config.DISABLE_JIT else cast(Structure, _Reference(structure))


class _Reference:
    """A structure, and a table of where its arrays are and how large; deep copies refer to the copy."""

    def __init__(self, structure: Any) -> None:
        self.structure = structure  # holds the arrays for as long as the table is there
        self.type = StructureReference(_type_of(structure))
        self._table = np.array(list(_words(structure)), np.uint64)
        self.address = int(self._table.ctypes.data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.structure, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Reference, (self.structure,)


def _type_of(structure: Any) -> Any:
    """The numba type of a structure.

    Raises:
        TypeError: a field is not of a kind that a reference can hold.
    """
    fields = []
    for name, value in zip(structure._fields, structure, strict=True):
        if isinstance(value, np.ndarray) and value.flags.c_contiguous:
            fields.append(typeof(value))
        elif type(value) in _SCALARS:
            fields.append(_SCALARS[type(value)])
        elif hasattr(value, "_fields"):
            fields.append(_type_of(value))
        else:
            raise TypeError(f"{type(structure).__name__}.{name} must be a contiguous array, a number or a named tuple")
    return types.NamedTuple(tuple(fields), type(structure))


def _words(structure: Any) -> Iterator[int]:
    """The table: for each array its address and shape, for each number its eight bytes."""
    for value in structure:
        if isinstance(value, np.ndarray):
            yield value.ctypes.data
            yield from value.shape
        elif isinstance(value, int | float):
            yield int(np.array(value, _SCALARS[type(value)].name).view(np.uint64))
        else:
            yield from _words(value)


class StructureReference(types.Type):
    """The numba type of a reference: its name holds a digest, since that of the structure is thousands of letters."""

    def __init__(self, structure: Any) -> None:
        self.structure = structure
        digest = hashlib.sha256(structure.name.encode()).hexdigest()
        super().__init__(f"{structure.instance_class.__name__}_{digest[:16]}")

    def field(self, name: str) -> tuple[int, Any]:
        """Where a field is in the table, in words, and what it is."""
        return _fields(self)[name]


@cache
def _fields(reference: StructureReference) -> dict[str, tuple[int, Any]]:
    found, at = {}, 0
    structure = reference.structure
    for name, kind in zip(structure.instance_class._fields, structure.types, strict=True):
        found[name] = at, StructureReference(kind) if isinstance(kind, types.NamedTuple) else kind
        at += _size(kind)
    return found


def _size(kind: Any) -> int:
    """How many words a field takes."""
    if isinstance(kind, types.NamedTuple):
        return sum(map(_size, kind.types))
    return 1 + kind.ndim if isinstance(kind, types.Array) else 1


@register_model(StructureReference)
class _Model(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: StructureReference) -> None:
        super().__init__(dmm, fe_type, _WORD.as_pointer())


@typeof_impl.register(_Reference)
def _typeof(value: _Reference, _context: Any) -> StructureReference:
    return value.type


@unbox(StructureReference)
def _unbox(_type: StructureReference, value: Any, c: Any) -> Any:
    number = c.pyapi.object_getattr_string(value, "address")
    address = c.pyapi.long_as_ulonglong(number)
    c.pyapi.decref(number)
    return NativeValue(c.builder.inttoptr(address, _WORD.as_pointer()))


@infer_getattr
class _FieldTypes(AttributeTemplate):
    key = StructureReference

    def generic_resolve(self, reference: StructureReference, name: str) -> Any:
        return reference.field(name)[1] if name in _fields(reference) else None


@infer
class _SliceType(AbstractTemplate):
    """``structure[first:]``: a tuple of some of the fields."""

    key = "static_getitem"

    def generic(self, arguments: tuple[Any, ...], _keywords: object) -> Any:
        reference, index = arguments
        if not isinstance(reference, StructureReference) or not isinstance(index, slice):
            return None
        kinds = [kind for _, kind in _fields(reference).values()]
        return signature(types.BaseTuple.from_types(kinds[index]), *arguments)


@lower_builtin("static_getitem", StructureReference, types.SliceLiteral)
def _read_slice(context: Any, builder: Any, sig: Any, arguments: tuple[Any, ...]) -> Any:
    (reference, _), (table, index) = sig.args, arguments
    names = list(_fields(reference))[index]
    fields = [_read_field(context, builder, reference, table, name) for name in names]
    return context.make_tuple(builder, sig.return_type, fields)


@lower_getattr_generic(StructureReference)
def _read_field(context: Any, builder: Any, reference: StructureReference, table: Any, name: str) -> Any:
    at, kind = reference.field(name)
    if isinstance(kind, StructureReference):
        return builder.gep(table, [ir.Constant(_WORD, at)], inbounds=True)
    if not isinstance(kind, types.Array):
        return _load(builder, table, at, context.get_value_type(kind))
    data = _load(builder, table, at, context.get_data_type(kind.dtype).as_pointer())
    shape = [_load(builder, table, at + 1 + axis, _WORD) for axis in range(kind.ndim)]
    itemsize = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    strides = [ir.Constant(_WORD, itemsize)]
    for extent in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], extent, flags=("nsw",)))
    array = context.make_array(kind)(context, builder)
    populate_array(array, data, shape, strides, ir.Constant(_WORD, itemsize), None)
    return array._getvalue()


def _load(builder: Any, table: Any, at: int, kind: Any) -> Any:
    """Read a word of the table, of which the compiler may assume that no loop changes it."""
    place = builder.gep(table, [ir.Constant(_WORD, at)], inbounds=True)
    word = builder.load(builder.bitcast(place, kind.as_pointer()))
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word
