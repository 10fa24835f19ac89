"""Pages of documentation whose tables are written by the command, between two marks."""

from pathlib import Path

from crowdgym.common.errors import ConfigError
from crowdgym.common.files import write_bytes

END = "<!-- end of tables -->"


def begin_mark(suite: str) -> str:
    """The line of a page after which the tables of a suite go."""
    return f"<!-- tables: crowdgym bench {suite} -->"


def check_page(page: Path, suite: str) -> None:
    """Check that a page has a place for the tables of a suite, so that nobody waits for tables that then have none.

    Raises:
        ConfigError: it cannot be read, or has no such place.
    """
    _around(page, suite)


def write_page(page: Path, suite: str, tables: str) -> None:
    """Put tables between their two marks in a Markdown file; the rest of it stays as it is.

    Raises:
        ConfigError: see `check_page`.
    """
    before, after = _around(page, suite)
    write_bytes(page, f"{before}{begin_mark(suite)}\n\n{tables}\n{END}{after}".encode())


def _around(page: Path, suite: str) -> tuple[str, str]:
    """What is before and after the place for the tables."""
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--page must be a Markdown file that can be read, got {str(page)!r}: {error}") from None
    before, begin, rest = text.partition(begin_mark(suite))
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(
            f"--page must be a file with the lines {begin_mark(suite)} and {END}, between which the tables go, "
            f"got {str(page)!r}"
        )
    return before, after
