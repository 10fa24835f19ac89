"""Structures of arrays whose fields say their own dtype and shape, so that each array is named once.

class Workers(NamedTuple):
status: Annotated[NDArray[np.int8], "B, W"]
keys: Annotated[NDArray[np.int64], "B, W, K + 1"]

workers = allocate(Workers, {"B": 8, "W": 200, "K": 10})
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numba import literal_unroll
from numpy.typing import NDArray

from crowdgym.common.jit import kernel

Structure = TypeVar("Structure")


def allocate(structure: Callable[..., Structure], sizes: Mapping[str, int], **given: Any) -> Structure:
    """A structure of zeros.

    Args:
        structure: a named tuple. Each of its fields is an array, annotated with its dtype and its axes, or another such
            structure.
        sizes: the size of each axis, by its letter.
        given: fields that are there already, by name.
    """
    kinds = get_type_hints(structure, include_extras=True)
    return structure(**{name: given[name] if name in given else _zeros(kind, sizes) for name, kind in kinds.items()})


def _zeros(kind: Any, sizes: Mapping[str, int]) -> Any:
    if get_origin(kind) is not Annotated:
        return allocate(kind, sizes)
    array, axes = get_args(kind)
    return np.zeros([_size(axis, sizes) for axis in axes.split(",")], dtype_in(array))


def dtype_in(array: Any) -> Any:
    """The dtype of ``NDArray[dtype]``: up to NumPy 2.4 that is ``ndarray[shape, dtype[...]]``, since 2.5 an alias."""
    arguments = get_args(array)
    return arguments[0] if len(arguments) == 1 else get_args(arguments[1])[0]


def _size(axis: str, sizes: Mapping[str, int]) -> int:
    """The size of an axis such as "W", "3" or "K + 1"."""
    terms = (term.strip() for term in axis.split("+"))
    return sum(int(term) if term.isdigit() else sizes[term] for term in terms)


@kernel
def zero(arrays: tuple[NDArray[Any], ...], b: int) -> None:
    """Write zeros into row ``b`` of every array."""
    for array in literal_unroll(arrays):
        array[b] = 0
