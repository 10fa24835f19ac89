"""Pieces of Markdown pages."""

import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

TO_DOCS = "../../"  # from the folder of a generated page to docs/


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; ``|`` in a cell is escaped."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(value: object) -> str:
    """A value as code; nothing for an empty text."""
    return f"`{value}`" if str(value) else ""


def docstring_of(thing: object, *, deeper: int = 0, to_docs: str = TO_DOCS) -> str:
    """A docstring in Markdown, as Markdown of a page.

    Args:
        thing: what it belongs to.
        deeper: by how many levels its headings go down.
        to_docs: from the page to the folder ``docs/``, to which names of its pages become links.
    """
    text = re.sub(r"^(#+ )", "#" * deeper + r"\1", inspect.getdoc(thing) or "", flags=re.MULTILINE)
    return re.sub(r"``docs/([\w/]+)\.md``", rf"[\1]({to_docs}\1.md)", text)


def section_of(page: Path, heading: str) -> str:
    """What stands below a heading of level 2, up to the next one.

    Raises:
        KeyError: the page has no such heading.
    """
    parts = re.split(r"^## (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[heading].strip()


def title_of(page: Path) -> str:
    """The first heading of a page."""
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
