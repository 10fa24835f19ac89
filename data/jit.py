"""Compiled loops: `numba.njit` behind a decorator that keeps the type of what it decorates."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile ``function`` at its first call for the types it is called with, and keep the machine code on disk.

    Floating point stays exact (no fast-math), so that compiled and interpreted runs (``NUMBA_DISABLE_JIT=1``) agree.
    Where numba finds no folder that it may write to, the function is compiled anew in every process.
    """
    return cast(Function, _compiled(function, {}))


def kernel(function: Function) -> Function:
    """Compile ``function`` as `jit` does, without reference counting: for loops that allocate nothing.

    A kernel that is handed a structure of sixty arrays would else count references to each of them, atomically, at
    every inner call; measured on the observations of CSC that is 20 to 200 times the work itself. The caller holds the
    arrays for as long as the call lasts, so nothing needs counting. Such a function must not create an array, a list
    or a slice that outlives it.
    """
    return cast(Function, _compiled(function, {"_nrt": False}))


def _compiled(function: Callable[..., Any], options: dict[str, Any]) -> object:
    import numba

    try:
        return numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # "no locator available": neither the package's folder nor the user's cache is writable
        return numba.njit(nogil=True, **options)(function)
