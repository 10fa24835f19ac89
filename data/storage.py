"""Where files are kept, and how they are written: whole or not at all.

Everything that CrowdGym keeps on disk lies under one folder, the platform's cache directory unless the environment
variable ``CROWDGYM_DATA`` names another. A file is written under a temporary name beside its target and then renamed,
so that a reader, or a second process that writes the same file, never meets a half of one.
"""

import io
import os
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from crowdgym.data.errors import DataError, DataWarning

CACHE_VARIABLE = "CROWDGYM_DATA"

Arrays = Mapping[str, NDArray[Any]]

_closed: set[Path] = set()  # the cache folders that cannot be written to, as has been said


class DamagedFileError(DataError):
    """A file that is truncated, corrupted or not what its name says."""


def cache_folder() -> Path:
    """Return the folder under which everything is kept (it need not exist yet)."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("crowdgym"))


def make_folder(folder: Path) -> Path:
    """Create ``folder`` and its parents.

    Raises:
        DataError: it cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot create the folder {folder}: {error.strerror}; make it writable, "
            f"or set {CACHE_VARIABLE} to a folder that is"
        ) from error
    return folder


def warn_not_kept(error: DataError) -> None:
    """Warn, once for each cache folder, that what was to be kept there has to be made again in every process."""
    folder = cache_folder()
    if folder not in _closed:
        _closed.add(folder)
        warnings.warn(f"{error} (until then, what is derived is held in memory only)", DataWarning, stacklevel=4)


def write_bytes(target: Path, content: bytes) -> None:
    """Write ``content`` to ``target``, whole or not at all.

    Raises:
        DataError: the file cannot be written.
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
        raise DataError(
            f"cannot write {target}: {error.strerror}; make its folder writable, or set {CACHE_VARIABLE} to one that is"
        ) from error


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
