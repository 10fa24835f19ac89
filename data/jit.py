"""Compiled loops: `numba.njit` behind a decorator that keeps the type of what it decorates."""

import hashlib
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import platformdirs

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile ``function`` at its first call for the types it is called with, and keep the machine code on disk.

    Floating point stays exact (no fast-math), so that compiled and interpreted runs (``NUMBA_DISABLE_JIT=1``) agree.
    Where there is no folder that may be written to, the function is compiled anew in every process.
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

    folder = _machine_code_folder(".".join(function.__module__.split(".")[:2]))
    config: Any = numba.config
    previous, config.CACHE_DIR = config.CACHE_DIR, folder or config.CACHE_DIR
    try:
        return numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # "no locator available": there is no folder that may be written to
        return numba.njit(nogil=True, **options)(function)
    finally:
        config.CACHE_DIR = previous


@cache
def _machine_code_folder(part: str) -> str:
    """Where the machine code of one part of CrowdGym is kept; empty where numba's own choice has to do.

    Numba takes machine code to be up to date if the file that defines the function is. A kernel is made of functions
    and constants of many files, so the folder's name is a digest of all of them: a change anywhere compiles anew.
    """
    roots = [
        Path(root) for name in {part, "crowdgym.data"} if name in sys.modules for root in sys.modules[name].__path__
    ]
    digest = hashlib.sha256()
    for source in sorted(file for root in roots for file in root.rglob("*.py")):
        digest.update(source.name.encode() + source.read_bytes())
    if "NUMBA_CACHE_DIR" in os.environ or not roots:
        return ""
    beside = roots[0] / "__pycache__"
    kept = beside if os.access(beside, os.W_OK) else Path(platformdirs.user_cache_dir("crowdgym"))
    return str(kept / f"kernels-{digest.hexdigest()[:16]}")
