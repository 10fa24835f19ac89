"""Text in files: compressed or not, in whatever encoding, so that every reader of tables treats them alike."""

import codecs
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdgym.common.errors import DataError
from crowdgym.common.files import refuse_special

START_BYTES = 1 << 18
MOST_TEXT_BYTES = 1 << 31  # of a file that is read as a whole, unpacked
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_COMPRESSION = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}
_XZ, _ZIP = b"\xfd7zXZ\0", b"PK\x03\x04"
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_LONGEST_CHARACTER = 4  # bytes, in UTF-8 and in GB 18030


@dataclass(frozen=True)
class Encoding:
    """How the bytes of a file are text.

    Attributes:
        name: of the encoding, as Python spells it.
        mark_bytes: length of the byte order mark at the beginning.
        is_named: the user has named it; otherwise it was told by the content.
    """

    name: str
    mark_bytes: int = 0
    is_named: bool = False

    @property
    def is_wide(self) -> bool:
        """Whether even signs such as the comma take several bytes, as in UTF-16."""
        return len(",".encode(self.name)) > 1

    def shown(self, latin: str) -> str:
        """Text that was read byte by byte (as Latin-1), decoded for a person."""
        if self.is_wide:
            return latin
        try:
            return latin.encode("latin-1").decode(self.name, errors="replace")
        except UnicodeEncodeError:
            return latin


def encoding_of(start: bytes, named: str | None = None) -> Encoding | None:
    """Tell the encoding of a text by its beginning.

    A byte order mark decides; then UTF-8, if the bytes are that; then GB 18030 (of which GBK and GB 2312 are parts), if
    bytes beyond ASCII stand in groups as those of Chinese characters do; else Windows-1252.

    Args:
        start: the first bytes.
        named: the name of the encoding, if the user has given one.

    Returns:
        The encoding; None where the bytes are no text.

    Raises:
        DataError: no encoding has this name.
    """
    mark = next((mark for mark in _MARKS if start.startswith(mark)), b"")
    if named is not None:
        name = check_encoding(named)
        if mark and _MARKS[mark].startswith(name.replace("_", "-")):
            return Encoding(_MARKS[mark], len(mark), is_named=True)
        return Encoding(name, 0, is_named=True)
    if mark:
        return Encoding(_MARKS[mark], len(mark))
    if b"\0" in start:
        wide = _wide_without_mark(start)
        return Encoding(wide) if wide else None
    if _decodes(start, "utf-8"):
        return Encoding("utf-8")
    runs = [len(run) for run in _HIGH_RUN.findall(start)]
    in_groups = sum(length > 1 for length in runs) * 2 > len(runs)
    return Encoding("gb18030" if in_groups and _decodes(start, "gb18030") else "cp1252")


def check_encoding(name: str) -> str:
    """The name of an encoding as Python spells it.

    Raises:
        DataError: Python knows no encoding of this name.
    """
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise DataError(
            f"--encoding is {name!r}; expected the name of an encoding, such as utf-8, gbk, utf-16 or latin-1"
        ) from None


def open_bytes(path: Path) -> Any:
    """Open a file for reading with Arrow, decompressed: gzip, bzip2, xz, Zstandard, LZ4, or a zip with one file in it.

    Raises:
        OSError: the file is missing, a folder, or cannot be read.
        DataError: a zip archive that holds another number of files than one, a device or a pipe.
    """
    import pyarrow

    try:
        refuse_special(path)
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_XZ):
        import lzma

        return pyarrow.PythonFile(lzma.open(path, "rb"), mode="r")
    if start.startswith(_ZIP):
        return pyarrow.PythonFile(_only_member(path), mode="r")
    codec = next((name for magic, name in _COMPRESSION.items() if start.startswith(magic)), None)
    plain = pyarrow.OSFile(str(path))
    return plain if codec is None else pyarrow.CompressedInputStream(plain, codec)


def read_text(path: Path, encoding: str | None, expected: str) -> tuple[str, Encoding]:
    """Read a whole file of text.

    Args:
        path: the file, perhaps compressed.
        encoding: its name; None tells it by the content.
        expected: what the file should be, for messages.

    Raises:
        DataError: the file is missing, a folder, damaged, or not text in the encoding.
    """
    with refusing_unreadable(path, expected):
        with open_bytes(path) as stream:
            data = bytes(stream.read(MOST_TEXT_BYTES + 1))
        if len(data) > MOST_TEXT_BYTES:
            raise DataError(f"{path} holds more than {MOST_TEXT_BYTES:,} bytes of text; {expected}")
        found = encoding_of(data[:START_BYTES], encoding)
        if found is None:
            raise DataError(f"{path} is not a text file in UTF-8 or another encoding; {expected}")
        try:
            return data[found.mark_bytes :].decode(found.name), found
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise DataError(
                f"{path}, line {line} is not text in {found.name}; expected its encoding by --encoding (of roads: "
                "--road-encoding)"
            ) from error


@contextmanager
def refusing_unreadable(path: Path, expected: str) -> Iterator[None]:
    """Turn what can go wrong when a file is read into one sentence.

    Raises:
        DataError: the file is missing, a folder, or damaged.
    """
    import lzma
    import zlib

    import pyarrow

    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}; {expected}") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder; {expected}") from error
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pyarrow.ArrowException) as error:
        raise DataError(f"{path} cannot be read: {one_line(error)}") from error


def one_line(error: BaseException) -> str:
    """The first line of what an error says."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return said.strip().split("\n")[0].rstrip(".") or type(error).__name__


def _only_member(path: Path) -> io.BufferedIOBase:
    archive = zipfile.ZipFile(path)
    members = [name for name in archive.namelist() if not name.endswith("/")]
    if len(members) != 1:
        raise DataError(f"{path} is a zip archive of {len(members)} files; expected one file in it")
    return archive.open(members[0])  # type: ignore[return-value]


def _decodes(start: bytes, name: str) -> bool:
    """Whether the beginning of a file is text in this encoding; its last character may be cut off."""
    try:
        start.decode(name)
    except UnicodeDecodeError as error:
        return len(start) == START_BYTES and error.start >= len(start) - _LONGEST_CHARACTER
    return True


def _wide_without_mark(start: bytes) -> str | None:
    """UTF-16 without a byte order mark: text in Latin letters has a zero in every second byte."""
    pairs = len(start) // 2
    for name, zeros, letters in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if pairs and zeros.count(0) > 0.6 * pairs and letters.count(0) < 0.05 * pairs:
            return name
    return None
