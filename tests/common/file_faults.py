"""Faults of the disk: the program dies, or an operation fails, before any one of the operations that change a folder.

Every change of a file goes through a function of `os`, or through `open`. `FileFaults` stands before these functions,
counts what they are asked to do below one folder, and lets one of them fail. With ``CRASH``, every operation after it
fails, too, as if the process had been killed: no ``finally`` can clean up.
"""

import builtins
import errno
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

CRASH, FULL, DENIED, SHORT = "crash", "disk full", "permission denied", "short write"
FAULTS = (CRASH, FULL, DENIED, SHORT)

_MOVING = ("rename", "replace")  # two paths
_OF_A_PATH = ("mkdir", "rmdir", "unlink", "remove", "chmod", "truncate")
_OF_A_DESCRIPTOR = ("write", "fsync", "ftruncate")
_NEED_ROOM = ("open", "open()", "write", "mkdir", "fsync")


class CrashedError(BaseException):
    """Stands for the end of the process: nothing catches it."""


@dataclass
class FileFaults:
    """What happens below a folder.

    Attributes:
        folder: that is watched.
        fault: one of ``FAULTS``.
        at: the number of the operation that fails; None for none of them.
        done: the operations so far, in words.
    """

    folder: Path
    fault: str = CRASH
    at: int | None = None
    done: list[str] = field(default_factory=list)
    _paths: dict[int, str] = field(default_factory=dict)  # of open descriptors

    def before(self, operation: str, path: str) -> bool:
        """Note an operation; let it fail if it is its turn. Returns whether it is to be done by half."""
        number = len(self.done)
        self.done.append(f"{operation} {Path(path).name}")
        if self.at is None or number < self.at:
            return False
        if self.fault == CRASH:
            raise CrashedError(self.done[self.at])
        if self.fault == FULL and operation in _NEED_ROOM:  # until the end
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        if self.fault == DENIED and number == self.at:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return self.fault == SHORT and number == self.at

    def is_watched(self, path: object, directory: int | None = None) -> str | None:
        """The whole path if it is below the folder. Other threads, such as TensorBoard's, are left alone."""
        if threading.current_thread() is not threading.main_thread():
            return None
        if isinstance(path, int):
            return self._paths.get(path)
        base = os.getcwd() if directory is None else self._paths.get(directory, "/")
        whole = os.path.abspath(os.path.join(base, os.fsdecode(path)))  # type: ignore[arg-type]
        return whole if whole.startswith(str(self.folder)) else None


@contextmanager
def file_faults(folder: Path, fault: str = CRASH, at: int | None = None) -> Iterator[FileFaults]:
    """Watch ``folder`` during the block; see `FileFaults`."""
    faults = FileFaults(folder.absolute(), fault, at)
    opening = _opening(faults)
    with (
        mock.patch.multiple(os, **_patched(faults)),
        mock.patch.object(io, "open", opening),
        mock.patch.object(builtins, "open", opening),
    ):
        yield faults


def _patched(faults: FileFaults) -> dict[str, Callable[..., Any]]:
    original = {name: getattr(os, name) for name in ("open", "close", *_MOVING, *_OF_A_PATH, *_OF_A_DESCRIPTOR)}

    def opened(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        watched = faults.is_watched(path, dir_fd)
        if watched is not None and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            faults.before("open", watched)
        descriptor: int = original["open"](path, flags, mode, dir_fd=dir_fd)
        if watched is not None:
            faults._paths[descriptor] = watched
        return descriptor

    def closed(descriptor: int) -> None:
        faults._paths.pop(descriptor, None)
        original["close"](descriptor)

    def of_a_path(name: str) -> Callable[..., Any]:
        def call(path: Any, *rest: Any, dir_fd: int | None = None, **more: Any) -> Any:
            watched = faults.is_watched(path, dir_fd)
            if watched is not None:
                faults.before(name, watched)
            return original[name](path, *rest, **more, **({} if dir_fd is None else {"dir_fd": dir_fd}))

        return call

    def of_a_descriptor(name: str) -> Callable[..., Any]:
        def call(descriptor: int, *rest: Any) -> Any:
            watched = faults.is_watched(descriptor)
            if watched is not None and faults.before(name, watched) and name == "write" and len(rest[0]) > 1:
                return original[name](descriptor, rest[0][: len(rest[0]) // 2])
            return original[name](descriptor, *rest)

        return call

    return {
        "open": opened,
        "close": closed,
        **{name: of_a_path(name) for name in (*_MOVING, *_OF_A_PATH)},
        **{name: of_a_descriptor(name) for name in _OF_A_DESCRIPTOR},
    }


def _opening(faults: FileFaults) -> Callable[..., Any]:
    original = io.open

    def call(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        watched = None if isinstance(file, int) else faults.is_watched(file)
        if watched is not None and set(mode) & set("wax+"):
            faults.before("open()", watched)
        return original(file, mode, *rest, **more)

    return call
