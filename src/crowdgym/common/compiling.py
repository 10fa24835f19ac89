"""What is said while loops are compiled: it takes a while, and looks like a program that hangs.

The logger ``crowdgym`` says so when a process compiles for the first time, and how far it is every few seconds (on
standard error, unless the program has set up logging otherwise).
"""

import logging
import os
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from crowdgym.common.machine_code import is_writable, machine_code_folder, sources_of

EVERY_S = 5.0  # between two lines on how far it is
FEW = 10  # so many functions take no time worth a line

_logger = logging.getLogger("crowdgym")
_compiled_first: list[str] = []  # the module whose function this process compiled first, if it has compiled any


def has_compiled() -> bool:
    """Whether this process has compiled anything of CrowdGym, having found no machine code on disk."""
    return bool(_compiled_first)


@cache
def announce_compiling() -> None:
    """Have the compilations of this process announced. Numba tells of one only where it found no machine code."""
    import numba.core.event

    events: Any = numba.core.event

    class Announcement(events.Listener):  # type: ignore[misc]  # numba has no types
        def __init__(self) -> None:
            self.told = _Told()

        def on_start(self, event: Any) -> None:
            function = event.data["dispatcher"].py_func
            if not function.__module__.startswith("crowdgym."):
                return
            if not _compiled_first:
                _compiled_first.append(function.__module__)
                _logger.warning(_sentence_of(function.__module__))
            self.told.begin(function)

        def on_end(self, event: Any) -> None:
            function = event.data["dispatcher"].py_func
            if function.__module__.startswith("crowdgym."):
                self.told.end(function)

    events.register("numba:compile", Announcement())


class _Told:
    """How far the compilation of a whole is: how many of the functions that it is made of are translated."""

    def __init__(self) -> None:
        self._depth, self._left, self._total = 0, set[Any](), 0
        self._began_s = self._told_s = time.monotonic()

    def begin(self, function: Callable[..., Any]) -> None:
        """A function is next; it is a whole if none is under way."""
        from crowdgym.common.linking import parts_of

        if self._depth == 0:
            self._left = {part.py_func for part in parts_of(function)} | {function}
            self._total = len(self._left)
            self._began_s = self._told_s = time.monotonic()
        self._depth += 1

    def end(self, function: Callable[..., Any]) -> None:
        """A function is done."""
        self._depth -= 1
        self._left.discard(function)
        now_s = time.monotonic()
        if now_s > self._told_s + EVERY_S and self._total > FEW:
            done, took_s = self._total - len(self._left), now_s - self._began_s
            self._told_s = now_s
            _logger.warning(f"compiled {done} of {self._total} functions, {took_s:.0f} s")


def _sentence_of(module: str) -> str:
    doing = "CrowdGym is compiling its simulation for this machine, half a minute or so"
    sources = sources_of(module)
    if "NUMBA_CACHE_DIR" not in os.environ and not is_writable(folder := machine_code_folder(*sources)):
        return f"{doing}; in every process, because {folder.parent} cannot be written to"
    return f"{doing}, once"
