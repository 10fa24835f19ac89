"""Compiled loops: `numba.njit` behind a decorator that keeps the type of what it decorates.

Machine code is kept on disk, so a loop is compiled once for each version of CrowdGym. That takes a minute or so, and it
looks like a program that hangs. So the first time that a process really compiles, the logger ``crowdgym`` says so in
one line (on standard error, unless the program has set up logging otherwise).
"""

import hashlib
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import platformdirs

Function = TypeVar("Function", bound=Callable[..., Any])

_logger = logging.getLogger("crowdgym")
_compiled_first: list[str] = []  # the module whose function this process compiled first, if it has compiled any


def has_compiled() -> bool:
    """Whether this process has compiled anything of CrowdGym, having found no machine code on disk."""
    return bool(_compiled_first)


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


def inner(function: Function) -> Function:
    """Compile ``function`` as a `kernel` that only other compiled loops may call.

    Without the way in from Python: for a function that is handed a structure of a hundred arrays, that way takes
    longer to compile than the function.
    """
    return cast(Function, _closed_to_python(_compiled(function, {"_nrt": False, **_NO_WAY_IN})))


def inlined(function: Function) -> Function:
    """Compile ``function`` as a `kernel` that becomes part of the function that calls it.

    For the innermost functions: to hand over arrays at a call takes longer than what they do.
    """
    return cast(Function, _compiled(function, {"_nrt": False, "forceinline": True}))


def inner_inlined(function: Function) -> Function:
    """Compile ``function`` as one that is both `inner` and `inlined`."""
    return cast(Function, _closed_to_python(_compiled(function, {"_nrt": False, "forceinline": True, **_NO_WAY_IN})))


_NO_WAY_IN = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def _closed_to_python(compiled: Any) -> object:
    """Let a call from Python, which numba would follow into nowhere, say what is wrong."""
    if not hasattr(compiled, "py_func"):
        return compiled  # NUMBA_DISABLE_JIT: a plain function
    kind = type(compiled)

    def refuse(dispatcher: Any, *_: object) -> None:
        name = dispatcher.py_func.__qualname__
        raise TypeError(f"{name} can only be called by compiled functions; call it from a function under @kernel")

    compiled.__class__ = type(kind.__name__, (kind,), {"__call__": refuse, "__module__": kind.__module__})
    return cast(object, compiled)


def _compiled(function: Callable[..., Any], options: dict[str, Any]) -> object:
    import numba

    _announce_compiling()
    sources = _sources_of(function.__module__)
    if "NUMBA_CACHE_DIR" in os.environ or not sources:
        try:
            return numba.njit(cache=True, nogil=True, **options)(function)  # numba's own choice of a folder
        except RuntimeError:  # "no locator available": there is none
            return numba.njit(nogil=True, **options)(function)
    folder = _machine_code_folder(*sources)
    if not _is_writable(folder):
        # Numba would turn to the folder of the source, whose machine code outlives a change in another file.
        return numba.njit(nogil=True, **options)(function)
    locators: list[Any] = numba.core.caching.CacheImpl._locator_classes
    locators.insert(0, _locator_in(folder))
    try:
        return numba.njit(cache=True, nogil=True, **options)(function)
    finally:
        locators.pop(0)


@cache
def _locator_in(folder: Path) -> type:
    """How numba finds machine code in ``folder``: by the name of the module.

    Its own locators go by the path of the source, so that each checkout and each virtual environment compiles anew
    what is the same code.
    """
    import numba.core.caching

    base: Any = numba.core.caching._CacheLocator

    class ByModule(base):  # type: ignore[misc]  # numba has no types
        def __init__(self, function: Callable[..., Any]) -> None:
            self.path = folder / function.__module__
            self.line = function.__code__.co_firstlineno

        @classmethod
        def from_function(cls, function: Callable[..., Any], _file: str) -> "ByModule":
            locator = cls(function)
            locator.ensure_cache_path()
            return locator

        def get_cache_path(self) -> str:
            return str(self.path)

        def get_source_stamp(self) -> str:
            return folder.name  # a digest of all sources

        def get_disambiguator(self) -> str:
            return str(self.line)

    return ByModule


@cache
def _announce_compiling() -> None:
    """Have the first compilation of this process announced. Numba tells of one only where it found no machine code."""
    import numba.core.event

    events: Any = numba.core.event

    class Announcement(events.Listener):  # type: ignore[misc]  # numba has no types
        def on_start(self, event: Any) -> None:
            module: str = event.data["dispatcher"].py_func.__module__
            if module.startswith("crowdgym.") and not _compiled_first:
                _compiled_first.append(module)
                _logger.warning(_sentence_of(module))

        def on_end(self, event: Any) -> None:
            pass

    events.register("numba:compile", Announcement())


def _sentence_of(module: str) -> str:
    doing = "CrowdGym is compiling its simulation for this machine, a minute or so"
    sources = _sources_of(module)
    if "NUMBA_CACHE_DIR" not in os.environ and not _is_writable(folder := _machine_code_folder(*sources)):
        return f"{doing}; in every process, because {folder.parent} cannot be written to"
    return f"{doing}, once"


def _sources_of(module: str) -> tuple[Path, ...]:
    """The folders whose code and constants may have gone into a compiled loop of ``module``.

    An environment's kernels are made of its own folder, `crowdgym.envs.core` and `crowdgym.data`; agents compile no
    code but their own; everything else may be built on any kernel. So a change in one environment leaves the machine
    code of the others as it is.
    """
    root, *below_root = module.split(".")
    if root != "crowdgym" or not below_root:
        return ()  # a kernel of another package: numba's own choice
    part, *inner = below_root
    if part == "envs" and len(inner) > 1:
        names = {f"envs/{inner[0]}", "envs/core", "data"}
    else:
        names = {part} if part in ("agents", "data") else {part, "agents", "envs", "data"}
    found = []
    for name in sorted(names):
        top, _, below = name.partition("/")
        package = sys.modules.get(f"crowdgym.{top}")
        found += [Path(root) / below for root in getattr(package, "__path__", ())]
    return tuple(found)


@cache
def _machine_code_folder(*sources: Path) -> Path:
    """Where the machine code made of ``sources`` is kept.

    Numba takes machine code to be up to date if the file that defines the function is. A kernel is made of functions
    and constants of many files, so the folder's name is a digest of all of them: a change anywhere compiles anew. The
    digest does not depend on where the files lie, so that all checkouts and virtual environments of one version share
    the machine code.
    """
    import numba

    digest = hashlib.sha256(Path(__file__).read_bytes())  # how they are compiled
    digest.update(numba.__version__.encode())
    for folder in sources:
        for source in sorted(folder.rglob("*.py")):
            digest.update(source.relative_to(folder).as_posix().encode() + source.read_bytes())
    return Path(platformdirs.user_cache_dir("crowdgym")) / f"kernels-{digest.hexdigest()[:16]}"


@cache
def _is_writable(folder: Path) -> bool:
    """Try it: permissions alone do not say (read-only disks, root)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
