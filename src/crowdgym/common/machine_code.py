"""Where the machine code of compiled functions is kept: one folder for each version of the code that it was made of."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs


@contextmanager
def kept_for(module: str) -> Iterator[bool]:
    """Have numba keep the machine code of a function of ``module`` that is decorated meanwhile.

    Yields:
        Whether to ask numba for it: not where there is no folder that may be written to.
    """
    import numba.core.caching

    sources = sources_of(module)
    if "NUMBA_CACHE_DIR" in os.environ or not sources:
        yield True  # numba's own choice of a folder
        return
    folder = machine_code_folder(*sources)
    if not is_writable(folder):
        # Numba would turn to the folder of the source, whose machine code outlives a change in another file.
        yield False
        return
    locators: list[Any] = numba.core.caching.CacheImpl._locator_classes
    locators.insert(0, _locator_in(folder))
    try:
        yield True
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


def sources_of(module: str) -> tuple[Path, ...]:
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
def machine_code_folder(*sources: Path) -> Path:
    """Where the machine code made of ``sources`` is kept.

    Numba takes machine code to be up to date if the file that defines the function is. A kernel is made of functions
    and constants of many files, so the folder's name is a digest of all of them: a change anywhere compiles anew. The
    digest does not depend on where the files lie, so that all checkouts and virtual environments of one version share
    the machine code.
    """
    import numba

    digest = hashlib.sha256(numba.__version__.encode())
    for compiler in ("jit.py", "linking.py", "references.py"):
        digest.update(Path(__file__).with_name(compiler).read_bytes())
    for folder in sources:
        for source in sorted(folder.rglob("*.py")):
            digest.update(source.relative_to(folder).as_posix().encode() + source.read_bytes())
    return Path(platformdirs.user_cache_dir("crowdgym")) / f"kernels-{digest.hexdigest()[:16]}"


@cache
def is_writable(folder: Path) -> bool:
    """Try it: permissions alone do not say (read-only disks, root)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
