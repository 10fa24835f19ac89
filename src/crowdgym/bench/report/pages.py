"""Pages of documentation with tables that the command writes, between two marks."""

from pathlib import Path

from crowdgym.common.errors import ConfigError
from crowdgym.common.files import write_bytes

END = "<!-- end of tables -->"


def begin_mark(of: str) -> str:
    """The line of a page after which the tables are written.

    Args:
        of: see `crowdgym.bench.benchmark.Benchmark.page_mark`.
    """
    return f"<!-- tables: crowdgym bench {of} -->"


def check_page(page: Path, of: str) -> None:
    """Check, before the run, that a page has a place for the tables.

    Args:
        page: a Markdown file.
        of: see `begin_mark`.

    Raises:
        ConfigError: the file cannot be read, or has no such place.
    """
    _around(page, of)


def write_page(page: Path, of: str, tables: str) -> None:
    """Write tables between their two marks in a Markdown file; the rest of the file stays as it is.

    Args:
        page: the file.
        of: see `begin_mark`.
        tables: in Markdown.

    Raises:
        ConfigError: see `check_page`.
    """
    before, after = _around(page, of)
    write_bytes(page, f"{before}{begin_mark(of)}\n\n{tables}\n{END}{after}".encode())


def _around(page: Path, of: str) -> tuple[str, str]:
    """The text before and after the place for the tables."""
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--page must be a Markdown file that can be read, got {str(page)!r}: {error}") from None
    before, begin, rest = text.partition(begin_mark(of))
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(
            f"--page must be a file with the lines {begin_mark(of)} and {END}, between which the tables are written, "
            f"got {str(page)!r}"
        )
    return before, after
