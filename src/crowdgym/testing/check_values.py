"""Values that environments hand out: copying them, comparing them to the last byte, showing and spoiling them."""

import copy
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_SHOWN = 90  # characters of a value in a message


class Difference(NamedTuple):
    """Where two values differ first: the way there from the top, such as ``['mask'][3]``, and what is there."""

    path: str
    expected: str
    got: str


def frozen(value: Any) -> Any:
    """An independent copy. A value that cannot be copied is kept as it is."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) is dict:
        return {key: frozen(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(frozen(item) for item in value)
    try:
        return copy.deepcopy(value)
    except Exception:  # whatever a foreign object raises; it is then compared as it is
        return value


def shown(value: Any) -> str:
    """A value on one line, shortened."""
    if isinstance(value, np.generic):
        text = str(value)
    elif isinstance(value, np.ndarray):
        listed = np.array2string(value, separator=", ", threshold=8, edgeitems=3)
        text = f"{value.dtype} {list(value.shape)} {listed}"
    else:
        text = repr(value)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def kind(value: Any) -> str:
    """The type of a value, as a message names it."""
    return type(value).__name__


def described(exception: BaseException) -> str:
    """An exception on one line."""
    message = " ".join(str(exception).split())
    return f"{kind(exception)}: {message}" if message else kind(exception)


def first_difference(expected: Any, got: Any, path: str = "") -> Difference | None:
    """Where two values differ first, or None if they are the same to the last byte.

    Types count: 1 is not 1.0. NaN is the same as NaN. Other libraries' tensors are compared as arrays, objects of other
    types with ``==``; those for which that means nothing (it is identity, or it raises) are taken to be the same if
    their types are.
    """
    if type(expected) is not type(got):
        return Difference(path, f"{kind(expected)} {shown(expected)}", f"{kind(got)} {shown(got)}")
    if isinstance(expected, np.ndarray):
        return _arrays(expected, got, path)
    if isinstance(expected, dict):
        return _mappings(expected, got, path)
    if isinstance(expected, list | tuple):
        if len(expected) != len(got):
            return Difference(path, f"{len(expected)} entries", f"{len(got)} entries")
        steps = (first_difference(e, g, f"{path}[{i}]") for i, (e, g) in enumerate(zip(expected, got, strict=True)))
        return next(filter(None, steps), None)
    if isinstance(expected, float | np.number):
        same = np.asarray(expected).tobytes() == np.asarray(got).tobytes() or (expected != expected and got != got)
        return None if same else Difference(path, shown(expected), shown(got))
    if is_dataclass(expected):
        names = [field.name for field in fields(expected)]
        parts = (first_difference(getattr(expected, n), getattr(got, n), f"{path}.{n}") for n in names)
        return next(filter(None, parts), None)
    if hasattr(expected, "__array__"):  # tensors of other libraries
        with suppress(Exception):  # such as one that lies on a GPU
            return _arrays(np.asarray(expected), np.asarray(got), path)
    return None if _equal(expected, got) else Difference(path, shown(expected), shown(got))


def _equal(expected: Any, got: Any) -> bool:
    if not any("__eq__" in vars(ancestor) for ancestor in type(expected).__mro__[:-1]):
        return True  # object's own ==: identity
    try:
        return bool(expected == got)
    except Exception:  # a foreign ==, of which nothing is known
        return True


def _mappings(expected: dict[Any, Any], got: dict[Any, Any], path: str) -> Difference | None:
    for key in expected:
        if key not in got:
            return Difference(f"{path}[{key!r}]", shown(expected[key]), "no such key")
        difference = first_difference(expected[key], got[key], f"{path}[{key!r}]")
        if difference is not None:
            return difference
    extra = next((key for key in got if key not in expected), None)
    return None if extra is None else Difference(f"{path}[{extra!r}]", "no such key", shown(got[extra]))


def _arrays(expected: NDArray[Any], got: NDArray[Any], path: str) -> Difference | None:
    for name in ("dtype", "shape"):
        if getattr(expected, name) != getattr(got, name):
            return Difference(f"{path}.{name}", str(getattr(expected, name)), str(getattr(got, name)))
    if expected.dtype.hasobject:  # its bytes are addresses
        return first_difference(expected.tolist(), got.tolist(), path)
    if expected.tobytes() == got.tobytes():
        return None
    rows = (np.ascontiguousarray(array).view(np.uint8).reshape(expected.size, -1) for array in (expected, got))
    first = int((next(rows) != next(rows)).any(axis=1).argmax())
    where = tuple(int(i) for i in np.unravel_index(first, expected.shape))
    spot = f"[{', '.join(map(str, where))}]" if where else ""
    return Difference(path + spot, shown(expected[where]), shown(got[where]))


def spoil(value: Any) -> None:
    """Write over a value as a careless caller might: arrays get other numbers, dicts and lists lose their entries.

    The numbers are 0, or 1 where all are 0 already: harmless as indices, so that an environment that does use the
    caller's array goes on and is found out by what it does next.
    """
    if isinstance(value, np.ndarray):
        if value.flags.writeable and value.dtype.kind in "biuf":
            with suppress(ValueError):  # views that say they are writeable, but are not
                value[...] = 0 if value.any() else 1
    elif isinstance(value, dict):
        for item in value.values():
            spoil(item)
        value.clear()
    elif isinstance(value, list | tuple):
        for item in value:
            spoil(item)
        if isinstance(value, list):
            value.clear()
