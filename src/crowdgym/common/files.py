"""Files that are written whole or not at all. Arrays in files are in `crowdgym.common.archives`.

A file is written under a temporary name beside its target, forced onto the disk and then renamed, so that a reader, or
a second process that writes the same file, never meets a half of one. A process that dies leaves a temporary file at
most; the next one that writes the same target takes it over. Locks tell which of the two it is: the system releases
those of a process that died.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from crowdgym.common.errors import UnwritableError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None

# What file systems answer that cannot lock, or cannot force a folder onto the disk.
_CANNOT = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK, errno.EBADF)


def make_folder(folder: Path) -> Path:
    """Create ``folder`` and its parents.

    Raises:
        UnwritableError: it cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableError(f"cannot create the folder {folder}: {error.strerror}; make it writable") from error
    return folder


def write_bytes(target: Path, content: bytes) -> None:
    """Write ``content`` to ``target``, whole or not at all; it is on the disk afterwards.

    A device or a pipe, such as ``/dev/null``, is no file that could be replaced: it is written to.

    Raises:
        UnwritableError: the file cannot be written.
    """
    make_folder(target.parent)
    with writing(target):
        if _is_device(target):
            with target.open("wb") as device:
                device.write(content)
            return
        with _temporary(target) as (temporary, descriptor):
            write_all(descriptor, content)
            os.fsync(descriptor)
            os.replace(temporary, target)
        sync_folder(target.parent)


def _is_device(path: Path) -> bool:
    """Whether a path, or what it links to, is a device, a pipe or a socket; all that lies below ``/dev`` counts."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISCHR(kind) or stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or Path("/dev") in path.absolute().parents


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell in one sentence why ``path`` cannot be written.

    Raises:
        UnwritableError: the block raised `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise UnwritableError(f"cannot write {path}: {error.strerror}; {remedy(error)}") from error


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of ``content``; the system may take less of it at a time. Raises `OSError`."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


class LineFile:
    """A file to which lines are appended, each as soon as it is there; use it with ``with``.

    Raises:
        UnwritableError: the file cannot be written; a line may be there by half then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> "LineFile":
        with writing(self._path):
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def append(self, line: str) -> None:
        """Write a line, its end included."""
        with writing(self._path):
            write_all(self._descriptor, line.encode())


def is_folder(path: str | Path) -> bool:
    """Whether there is a folder of that name; False for a name that no file can have."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):  # too long, or with a zero byte
        return False


def is_file(path: str | Path) -> bool:
    """Whether there is a plain file of that name; False for a name that no file can have."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def read_plain(path: Path, most_bytes: int) -> bytes:
    """The content of a plain file. A device would never end, and a pipe may never begin.

    Raises:
        OSError: it cannot be read.
        ValueError: in a few words: it is no plain file, or has more than ``most_bytes``.
    """
    refuse_special(path)
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"it has more than {most_bytes:,} bytes")
    return content


def refuse_special(path: Path) -> None:
    """Refuse a device or a pipe with a `ValueError`; an `OSError` if there is no such file."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError("it is a device or a pipe, not a plain file")


def sync_folder(folder: Path) -> None:
    """Force what was renamed or created in a folder onto the disk. Raises `OSError`."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(descriptor)


def lock(descriptor: int, *, wait: bool) -> bool:
    """Lock a file or folder for this process until ``descriptor`` is closed.

    Returns:
        Whether it is locked; False if another process holds the lock and ``wait`` is off, or if nothing can be locked.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (*_CANNOT, errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def remedy(error: OSError) -> str:
    """What to do about a file that cannot be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return "make room there" if full else "make its folder writable"


@contextmanager
def _temporary(target: Path) -> Iterator[tuple[Path, int]]:
    """An empty file beside ``target`` that no other process writes; removed at the end unless it was renamed."""
    path = target.with_name(f".{target.name}.tmp")
    descriptor = _claimed(path)
    try:
        os.ftruncate(descriptor, 0)
        yield path, descriptor
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def _claimed(path: Path) -> int:
    """Open a temporary file, once no other process holds it: a new one, or one that a dead process left."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o666)
        lock(descriptor, wait=True)
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # its writer renamed it meanwhile


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one of that name, and a plain one."""
    opened = os.fstat(descriptor)
    if not stat.S_ISREG(opened.st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"{path.name} is in the way, which is no plain file")
    try:
        return os.path.samestat(opened, os.stat(path))
    except FileNotFoundError:
        return False
