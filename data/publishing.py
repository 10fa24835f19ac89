"""Puts a finished folder of a dataset in its place, and takes one away: after a crash there is the old or the new one.

A folder is written as ``.NAME.TOKEN.tmp``. Where a dataset of the name is there, it is replaced in four steps, all of
them renamings: the new one becomes ``.NAME.new``, the old one ``.NAME.old``, the new one ``NAME``, and the old one
``.NAME.TOKEN.gone``, which is then removed. A process that dies in between leaves at least one of them whole;
`recover` finishes or undoes what it began. A lock on the folder of all datasets keeps two processes apart.
"""

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crowdgym.common.files import lock, sync_folder

_NEW, _OLD = ".new", ".old"  # whole
_TEMPORARY, _GONE = ".tmp", ".gone"  # of no use to anybody but the process that writes or removes them
_A_DAY_S = 86_400.0


@contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """A new folder beside ``target``, for its content; removed at the end unless it was renamed.

    Raises:
        OSError: it cannot be made.
    """
    path = target.with_name(f".{target.name}.{secrets.token_hex(6)}{_TEMPORARY}")
    with _locked(target.parent):
        _recover(target.parent)
        os.mkdir(path)
        descriptor = _opened(path)
        lock(descriptor, wait=True)  # until this process ends
    try:
        yield path
    finally:
        try:
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(descriptor)


def publish(temporary: Path, target: Path, *, overwrite: bool) -> bool:
    """Rename a finished folder to ``target``.

    Returns:
        False if there is one already and ``overwrite`` is off.

    Raises:
        OSError: it cannot be renamed; then everything is as it was.
    """
    with _locked(target.parent):
        _recover(target.parent)
        if _is_occupied(target):
            if not overwrite:
                return False
            _exchange(temporary, target)
        else:
            os.rename(temporary, target)
        sync_folder(target.parent)
    return True


def remove(target: Path) -> None:
    """Remove a folder: at once for every reader, so that none sees half of it. Raises `OSError`."""
    with _locked(target.parent):
        _recover(target.parent)
        _discard(target, ignore_errors=False)
        sync_folder(target.parent)


def recover(folder: Path) -> None:
    """Finish or undo what processes that died in ``folder`` began, and remove what they left."""
    with suppress(OSError):  # there is no such folder, or it cannot be written to
        if any(path.suffix in (_NEW, _OLD, _TEMPORARY, _GONE) for path in folder.glob(".*")):
            with _locked(folder):
                _recover(folder)


def _exchange(temporary: Path, target: Path) -> None:
    """Put a folder in the place of another: the new one in first, the old one away last."""
    new, old = (target.with_name(f".{target.name}{kind}") for kind in (_NEW, _OLD))
    os.rename(temporary, new)
    try:
        os.rename(target, old)
    except OSError:
        os.rename(new, temporary)
        raise
    try:
        os.rename(new, target)
    except OSError:
        os.rename(old, target)
        os.rename(new, temporary)
        raise
    sync_folder(target.parent)
    _discard(old)


def _recover(folder: Path) -> None:
    """As `recover`, when the lock is held: what lies there then is of processes that are not at it any more."""
    for kind in (_NEW, _OLD):
        for path in folder.glob(f".*{kind}"):
            target = folder / path.name.split(".")[1]
            if _is_occupied(target):
                _discard(path)
            else:
                os.rename(path, target)
    for path in (*folder.glob(f".*{_TEMPORARY}"), *folder.glob(f".*{_GONE}")):
        if path.suffix == _GONE or _is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)


def _discard(path: Path, *, ignore_errors: bool = True) -> None:
    """Remove a folder that is not wanted any more; what is left of it after a crash is never taken for a dataset."""
    gone = path.with_name(f".{path.name.strip('.').split('.')[0]}.{secrets.token_hex(6)}{_GONE}")
    try:
        os.rename(path, gone)
    except OSError:
        if not ignore_errors:
            raise
    shutil.rmtree(gone, ignore_errors=True)


def _is_occupied(target: Path) -> bool:
    """Whether there is something that a folder cannot be renamed to: anything but an empty folder."""
    return os.path.lexists(target) and (not target.is_dir() or any(target.iterdir()))


def _is_abandoned(path: Path) -> bool:
    """Whether the process that wrote a temporary folder has died."""
    try:
        descriptor = _opened(path)
    except OSError:
        return False
    try:
        return lock(descriptor, wait=False) or time.time() - os.fstat(descriptor).st_mtime > _A_DAY_S
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = _opened(folder)
    try:
        lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY)
