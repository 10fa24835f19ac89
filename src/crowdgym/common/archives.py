"""Arrays in ``.npz`` files, read on our terms: nothing is unpickled, and nothing is unpacked before its size is known.

What a file says about itself (the number of its arrays, their sizes, types and shapes) is compared with limits first,
and then with what is there. A small file that would unpack to terabytes is refused in a sentence.
"""

import io
import math
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DamagedFileError
from crowdgym.common.files import write_bytes

Arrays = Mapping[str, NDArray[Any]]

GIB = 2**30
_ARRAY_KINDS = "biufUSmM"  # plain data; an "O" would be pickled objects
_SUFFIX = ".npy"
# What NumPy writes at the end of an archive: the record of the end, without a comment; before it, in large files, the
# locator of the record of 64 bits.
_END, _LOCATOR = struct.Struct("<4s4H2LH"), struct.Struct("<4sLQL")
_DIRECTORY_ENTRY = 512  # bytes in the archive's directory for an array, name included, at most
_NPY_HEADER = re.compile(
    rb"\{'descr': '([<>|][a-zA-Z]\d{0,9}(?:\[[a-zA-Z0-9]{1,8}\])?)', 'fortran_order': (False|True), "
    rb"'shape': \(((?:\d{1,15}, ){0,8}(?:\d{1,15},?)?)\), \} *\n"
)
_CHUNK = 2**20  # bytes


@dataclass(frozen=True)
class ArchiveLimits:
    """How much an archive may hold.

    Attributes:
        file_bytes: of the file.
        arrays: their number.
        unpacked_bytes: of all arrays together.
    """

    file_bytes: int
    arrays: int
    unpacked_bytes: int


DATASET_LIMITS = ArchiveLimits(file_bytes=16 * GIB, arrays=256, unpacked_bytes=64 * GIB)


def write_arrays(target: Path, arrays: Arrays) -> None:
    """Write named arrays as one ``.npz`` file, whole or not at all. See `write_bytes` for what is raised."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_bytes(target, buffer.getvalue())


def read_arrays(
    source: Path, names: tuple[str, ...], limits: ArchiveLimits = DATASET_LIMITS
) -> dict[str, NDArray[Any]]:
    """Read the named arrays of an ``.npz`` file; see `read_archive`.

    Raises:
        DamagedFileError: the file is damaged, or lacks one of the arrays.
        FileNotFoundError: there is no such file.
    """
    arrays = read_archive(source, limits)
    missing = [name for name in names if name not in arrays]
    if missing:
        raise DamagedFileError(f"{source} lacks the array {missing[0]!r}; expected {', '.join(names)}")
    return {name: arrays[name] for name in names}


def read_archive(source: Path, limits: ArchiveLimits = DATASET_LIMITS) -> dict[str, NDArray[Any]]:
    """Read all arrays of an ``.npz`` file. Never unpickles; the archive's CRC sums are checked.

    Raises:
        DamagedFileError: the file is truncated, corrupted, no such archive, or holds more than ``limits`` allow.
        FileNotFoundError: there is no such file.
    """
    try:
        if not stat.S_ISREG(os.stat(source).st_mode):  # opening a FIFO would wait for ever
            raise ValueError("it is no plain file")
        with source.open("rb") as file:
            return arrays_in(file, source, limits)
    except (FileNotFoundError, DamagedFileError):
        raise
    except (OSError, ValueError) as error:
        raise _damaged(source, error) from error


def arrays_in(file: IO[bytes], source: object, limits: ArchiveLimits = DATASET_LIMITS) -> dict[str, NDArray[Any]]:
    """As `read_archive`, of what is open or in memory; messages call it ``source``."""
    try:
        _check_directory(file, limits)
        with zipfile.ZipFile(file) as archive:
            return _arrays_of(archive, limits)
    except (
        *(OSError, ValueError, EOFError, OverflowError, MemoryError, RuntimeError),
        *(zipfile.BadZipFile, zlib.error, struct.error),
    ) as error:
        raise _damaged(source, error) from error


def _damaged(source: object, error: Exception) -> DamagedFileError:
    return DamagedFileError(f"{source} is truncated or damaged ({error}); expected a whole .npz file")


def _check_directory(file: IO[bytes], limits: ArchiveLimits) -> None:
    """Check the sizes of the file and of its directory, which is read as a whole when the archive is opened."""
    size = file.seek(0, os.SEEK_END)
    if size > limits.file_bytes:
        raise ValueError(f"it has {size:,} bytes, more than {limits.file_bytes:,}")
    tail = _LOCATOR.size + _END.size
    file.seek(-min(size, tail), os.SEEK_END)
    last = file.read(tail)
    if len(last) < _END.size or not last[-_END.size :].startswith(b"PK\x05\x06"):
        raise ValueError("it does not end as an archive does")
    directory = _END.unpack(last[-_END.size :])[5]
    if size < 2**31 and last.startswith(b"PK\x06\x07"):  # a second record, which would have precedence
        raise ValueError("its directory is described twice")
    file.seek(0)
    if file.read(2) != b"PK":  # else the same file can be a program, too
        raise ValueError("it does not begin as an archive does")
    if directory > limits.arrays * _DIRECTORY_ENTRY and directory != 0xFFFFFFFF:
        raise ValueError(f"its directory has {directory:,} bytes, too many for {limits.arrays} arrays")


def _arrays_of(archive: zipfile.ZipFile, limits: ArchiveLimits) -> dict[str, NDArray[Any]]:
    members = archive.infolist()
    if len(members) > limits.arrays:
        raise ValueError(f"it holds {len(members):,} arrays, more than {limits.arrays}")
    unpacked = sum(member.file_size for member in members)
    if unpacked > limits.unpacked_bytes:
        raise ValueError(f"it would unpack to {unpacked:,} bytes, more than {limits.unpacked_bytes:,}")
    arrays: dict[str, NDArray[Any]] = {}
    for member in members:
        name = member.filename.removesuffix(_SUFFIX)
        if name in arrays:
            raise ValueError(f"it holds {name!r} twice")
        arrays[name] = _parsed(name, _unpacked(archive, member))
    return arrays


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The content of a member: as many bytes as it declares, whatever else is packed there."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename!r} is packed in another way than NumPy packs")
    parts, left = [], member.file_size
    with archive.open(member) as packed:
        while left and (part := packed.read(min(left, _CHUNK))):
            parts.append(part)
            left -= len(part)
        if left or packed.read(1):  # reading to the end also checks the CRC sum
            raise ValueError(f"{member.filename!r} does not have the size that it declares")
    return b"".join(parts)


def _parsed(name: str, content: bytes) -> NDArray[Any]:
    """The array in the bytes of a ``.npy`` file of version 1 or 2, as NumPy writes it."""
    length, begin = {b"\x93NUMPY\x01\x00": ("<H", 10), b"\x93NUMPY\x02\x00": ("<I", 12)}.get(content[:8], ("", 0))
    if not length or len(content) < begin:
        raise ValueError(f"{name!r} is no array")
    end = begin + struct.unpack(length, content[8:begin])[0]
    found = _NPY_HEADER.fullmatch(content[begin:end]) if end - begin <= _CHUNK else None
    if found is None:
        raise ValueError(f"{name!r} has no type and shape of an array of plain data")
    try:
        kind = np.dtype(found[1].decode())
    except TypeError:
        raise ValueError(f"{name!r} has no type of plain data") from None
    shape = tuple(int(length) for length in found[3].decode().split(",") if length.strip())
    if kind.kind not in _ARRAY_KINDS or not kind.itemsize:
        raise ValueError(f"{name!r} has no type of plain data")
    if math.prod(shape) * kind.itemsize != len(content) - end:
        raise ValueError(f"{name!r} does not have as many numbers as its shape {shape} says")
    flat = np.frombuffer(content, kind, offset=end) if len(content) > end else np.zeros(0, kind)
    return flat.reshape(shape, order="F" if found[2] == b"True" else "C").copy()
