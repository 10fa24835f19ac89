"""XML files of roads, compressed or not, element by element."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from crowdgym.common.errors import DataError
from crowdgym.data.text_files import open_bytes, refusing_unreadable

MOST_TAG_BYTES = 1 << 20  # between the ends of two tags


class WithoutHugeTags:
    """Reads a stream for an XML parser, which keeps a tag with its attributes in memory as a whole.

    Args:
        stream: of bytes, unpacked.
        path: of the file, for the message.

    Raises:
        DataError: a tag, or a text between two tags, has more than `MOST_TAG_BYTES`.
    """

    def __init__(self, stream: Any, path: Path) -> None:
        self._stream, self._path = stream, path
        self._open_bytes = 0  # since the end of a tag

    def read(self, size: int = -1) -> bytes:
        """See `io.RawIOBase.read`."""
        piece = bytes(self._stream.read(MOST_TAG_BYTES if size < 0 else min(size, MOST_TAG_BYTES)))
        at = piece.rfind(b">")
        self._open_bytes = len(piece) - at - 1 if at >= 0 else self._open_bytes + len(piece)
        if self._open_bytes > MOST_TAG_BYTES:
            raise DataError(f"{self._path} holds a tag or a text of more than {MOST_TAG_BYTES:,} bytes")
        return piece


def root_of(path: Path) -> str | None:
    """The name of the outermost element of an XML file, None where the file is no XML."""
    try:
        with open_bytes(path) as file:
            _, root = next(iter(Xml.iterparse(WithoutHugeTags(file, path), events=("start",))))
            return str(root.tag.rpartition("}")[2])
    except (OSError, Xml.ParseError, StopIteration, UnicodeDecodeError, EOFError):
        return None


def elements(path: Path, root: str, kinds: set[str], expected: str) -> Iterator[Xml.Element]:
    """Yield the elements of these kinds, each with what is in it; what was yielded is forgotten.

    Raises:
        DataError: the file is missing, no well-formed XML, or its outermost element is another.
    """
    with refusing_unreadable(path, expected), _well_formed(path, expected), open_bytes(path) as file:
        events = Xml.iterparse(WithoutHugeTags(file, path), events=("start", "end"))
        _, outermost = next(events)
        if outermost.tag != root:
            raise DataError(f"{path} begins with <{outermost.tag}>; {expected}")
        for event, element in events:
            if event == "end" and element.tag in kinds:
                yield element
                element.clear()


def number_of(element: Xml.Element, name: str, path: Path) -> float:
    """An attribute that is a number.

    Raises:
        DataError: it is missing or no number.
    """
    try:
        return float(element.get(name, ""))
    except ValueError:
        raise DataError(
            f"{path}: {name} of <{element.tag} id={element.get('id')!r}> is {element.get(name)!r}; expected a number"
        ) from None


@contextmanager
def _well_formed(path: Path, expected: str) -> Iterator[Any]:
    try:
        yield
    except (Xml.ParseError, StopIteration, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not well-formed XML ({error}); {expected}") from error
