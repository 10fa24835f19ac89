"""Files that are written whole or not at all, and arrays in files.

A file is written under a temporary name beside its target and then renamed, so that a reader, or a second process that
writes the same file, never meets a half of one.
"""

import io
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DamagedFileError, UnwritableError

Arrays = Mapping[str, NDArray[Any]]


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
    """Write ``content`` to ``target``, whole or not at all.

    Raises:
        UnwritableError: the file cannot be written.
    """
    make_folder(target.parent)
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise UnwritableError(f"cannot write {target}: {error.strerror}; make its folder writable") from error


def write_arrays(target: Path, arrays: Arrays) -> None:
    """Write named arrays as one ``.npz`` file, whole or not at all. See `write_bytes` for what is raised."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_bytes(target, buffer.getvalue())


def read_archive(source: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays of an ``.npz`` file. Never unpickles; the archive's CRC sums are checked first.

    Raises:
        DamagedFileError: the file is truncated, corrupted or no such archive.
        FileNotFoundError: there is no such file.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        return {
            name.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
            for name, content in members.items()
        }
    except FileNotFoundError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise DamagedFileError(f"{source} is truncated or damaged ({error}); expected a whole .npz file") from error


def read_arrays(source: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Read the named arrays of an ``.npz`` file; see `read_archive`.

    Raises:
        DamagedFileError: the file is damaged, or lacks one of the arrays.
        FileNotFoundError: there is no such file.
    """
    arrays = read_archive(source)
    missing = [name for name in names if name not in arrays]
    if missing:
        raise DamagedFileError(f"{source} lacks the array {missing[0]!r}; expected {', '.join(names)}")
    return {name: arrays[name] for name in names}


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
