"""Compiled loops of agents."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile at the first call; numba keeps the machine code where it may write.

    It takes machine code to be up to date if the file is that it is made of, so all that a function calls must be in
    the same file.
    """
    try:
        return cast(Function, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # there is no folder for it
        return cast(Function, numba.njit(nogil=True)(function))
