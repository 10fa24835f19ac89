"""Compiled loops: `numba.njit` behind decorators that keep the type of what they decorate.

Machine code is kept on disk, so a loop is compiled once for each version of CrowdGym (`crowdgym.common.machine_code`),
and what takes a while is announced (`crowdgym.common.compiling`).

A function may be called by Python and by other compiled functions. Only what Python calls becomes machine code, with
all that it calls (`crowdgym.common.linking`).
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from crowdgym.common.compiling import announce_compiling
from crowdgym.common.machine_code import kept_for

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile ``function`` at its first call for the types it is called with, and keep the machine code on disk.

    Floating point stays exact (no fast-math), so that compiled and interpreted runs (``NUMBA_DISABLE_JIT=1``) agree to
    the bit. It takes some care: `math.exp` and `crowdgym.common.sums.total`, not `numpy.exp` and ``array.sum()``, and
    ``float`` around a number of single precision. ``tests/common/test_interpreted.py`` refuses the former, and has a
    list of the modules that are excepted.
    Where there is no folder that may be written to, the function is compiled anew in every process.
    """
    return cast(Function, _compiled(function, {}))


def kernel(function: Function) -> Function:
    """Compile ``function`` as `jit` does, without reference counting: for loops that allocate nothing.

    A kernel that is handed arrays would else count references to each of them, atomically, at every inner call. The
    caller holds the arrays for as long as the call lasts, so nothing needs counting. Such a function must not create
    an array, a list or a slice that outlives it.
    """
    return cast(Function, _compiled(function, {"_nrt": False}))


def inlined(function: Function) -> Function:
    """Compile ``function`` as a `kernel` that becomes part of the function that calls it.

    For the innermost functions: to hand over arrays at a call takes longer than what they do.
    """
    return cast(Function, _compiled(function, {"_nrt": False, "forceinline": True}))


def loose(function: Function) -> Function:
    """Compile ``function`` as a `kernel` whose sums may change their order, and take in products without rounding them.

    For networks that learn: the same inputs give the same bits on one machine, and other last bits on another.
    """
    return cast(Function, _compiled(function, {"_nrt": False, "fastmath": {"contract", "nsz", "reassoc"}}))


def _compiled(function: Callable[..., Any], options: dict[str, Any]) -> object:
    import numba

    if numba.config.DISABLE_JIT:
        return function
    from crowdgym.common.linking import PART, Compiled

    announce_compiling()
    part: Any = numba.njit(nogil=True, **options, **PART)(function)
    part.__class__ = Compiled
    part.decorate_whole = lambda function: _whole(function, options)
    return cast(object, part)


def _whole(function: Callable[..., Any], options: dict[str, Any]) -> object:
    """``function`` with all that it calls, as Python calls it."""
    import numba

    from crowdgym.common.linking import WHOLE

    with kept_for(function.__module__) as is_kept:
        try:
            return cast(object, numba.njit(cache=is_kept, nogil=True, **options, **WHOLE)(function))
        except RuntimeError:  # "no locator available": there is none
            return cast(object, numba.njit(nogil=True, **options, **WHOLE)(function))
