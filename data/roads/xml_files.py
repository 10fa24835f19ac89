"""XML files of roads, compressed or not, element by element."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from crowdgym.common.errors import DataError
from crowdgym.data.text_files import open_bytes, refusing_unreadable


def root_of(path: Path) -> str | None:
    """The name of the outermost element of an XML file, None where the file is no XML."""
    try:
        with open_bytes(path) as file:
            _, root = next(iter(Xml.iterparse(file, events=("start",))))
            return str(root.tag.rpartition("}")[2])
    except (OSError, Xml.ParseError, StopIteration, UnicodeDecodeError, EOFError):
        return None


def elements(path: Path, root: str, kinds: set[str], expected: str) -> Iterator[Xml.Element]:
    """Yield the elements of these kinds, each with what is in it; what was yielded is forgotten.

    Raises:
        DataError: the file is missing, no well-formed XML, or its outermost element is another.
    """
    with refusing_unreadable(path, expected), _well_formed(path, expected), open_bytes(path) as file:
        events = Xml.iterparse(file, events=("start", "end"))
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
