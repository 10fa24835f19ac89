"""Tables in files: what the first lines look like, and the columns in pieces that fit into memory."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdgym.common.errors import DataError
from crowdgym.data.orders.columns import as_strings
from crowdgym.data.orders.raw import WRONG_COLUMNS, Account
from crowdgym.data.text_files import START_BYTES, Encoding, encoding_of, one_line, open_bytes, refusing_unreadable

DELIMITERS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}
PIECE_BYTES = 1 << 24  # about 100,000 rows of a DiDi file
PIECE_ROWS = 200_000
_PEEK_LINES = 200
_PARQUET_MAGIC = b"PAR1"
UTF8 = Encoding("utf-8")
_EXAMPLE_LENGTH = 60
# Besides the usual spellings of "nothing" (empty, NULL, NaN, NA), that of Hive, in which DiDi exports.
_MORE_NULLS = ["\\N", "None", "none"]


@dataclass(frozen=True)
class Peek:
    """The first lines of a file.

    Attributes:
        path: the file.
        parquet: it is a Parquet file; then ``header`` holds its columns, and there are no lines.
        delimiter: what stands between the fields.
        header: the fields of the first line if none of them is a number, else None.
        rows: the fields of the lines after the header, as far as they were read.
        skip: lines before the first row: the header, and empty lines before it.
        encoding: how its bytes are text.
        known_width: how many columns there are, where the format says so.
    """

    path: Path
    parquet: bool
    delimiter: str
    header: tuple[str, ...] | None
    rows: tuple[tuple[str, ...], ...]
    skip: int
    encoding: Encoding = UTF8
    known_width: int | None = None

    @property
    def width(self) -> int:
        """How many columns there are: those of the format, of the header, or those that most rows have."""
        if self.known_width is not None:
            return self.known_width
        if self.header is not None:
            return len(self.header)
        return Counter(len(row) for row in self.rows).most_common(1)[0][0]

    def describe(self) -> str:
        """What was found, for a message."""
        kind = "Parquet" if self.parquet else f"{DELIMITERS[self.delimiter]} separated"
        columns = "1 column" if self.width == 1 else f"{self.width} {kind} columns"
        first = self.header if self.header is not None else self.rows[0]
        start = ", ".join(first[:3]) + (", ..." if len(first) > 3 else "")
        header = "with the header" if self.header is not None else "without a header, beginning"
        return f"{columns} {header} {start[:120]!r}"


def peek(path: Path, encoding: str | None = None) -> Peek:
    """Look at the beginning of a file.

    Args:
        path: the file, perhaps compressed.
        encoding: its name; None tells it by the content.

    Raises:
        DataError: there is no such file, it cannot be read, is empty, or is neither text nor Parquet.
    """
    start = _first_bytes(path)
    if not start:
        raise DataError(f"{path} is empty; expected orders, one a line")
    if start.startswith(_PARQUET_MAGIC):
        columns = tuple(str(name) for name in _open_parquet(path).schema_arrow.names)
        return Peek(path, parquet=True, delimiter=",", header=columns, rows=(), skip=0)
    found = encoding_of(start, encoding)
    if found is None:
        raise DataError(f"{path} is not a text file in UTF-8 or another encoding (nor Parquet); expected orders")
    lines = re.split(r"\r\n|\n|\r", start[found.mark_bytes :].decode(found.name, errors="replace"))
    if len(start) >= START_BYTES and len(lines) > 1:
        lines.pop()  # cut off in the middle
    return _peek_lines(path, lines, found)


def read_pieces(
    source: Peek, positions: Sequence[int], account: Account, *, quotes: bool = True
) -> Iterator[list[Any]]:
    """Read some columns of a file piece by piece.

    Args:
        source: what `peek` has found.
        positions: which columns, counted from 0.
        quotes: double quotes enclose fields, wherever in the file they first appear.
        account: rows are counted here, also those that have too many or too few columns.

    Yields:
        Arrow arrays of equal length, one for each of ``positions``: of strings from a text file, with null for a
        missing value; of whatever type a Parquet file has.

    Raises:
        DataError: the file cannot be read to its end.
    """
    import pyarrow

    try:
        if source.parquet:
            pieces = _parquet_pieces(source, positions)
        else:
            pieces = _text_pieces(source, positions, account, quotes)
        for piece in pieces:
            account.rows += len(piece[0])
            yield piece
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source.path} is not text in {source.encoding.name} to its end; expected its encoding with --encoding"
        ) from error
    except (pyarrow.ArrowException, OSError, EOFError) as error:
        raise DataError(f"{source.path} cannot be read to its end: {one_line(error)}") from error


def _text_pieces(source: Peek, positions: Sequence[int], account: Account, quotes: bool) -> Iterator[list[Any]]:
    import pyarrow
    from pyarrow import csv as arrow_csv

    def count(row: Any) -> str:
        lines = 1 + row.text.count("\n")  # more than one where a quote is opened and not closed in its line
        account.rows += lines
        account.unusable[WRONG_COLUMNS] += lines
        account.examples.setdefault(WRONG_COLUMNS, row.text.split("\n")[0][:_EXAMPLE_LENGTH])
        return "skip"

    names = [str(position) for position in range(source.width)]
    wanted = [names[position] for position in positions]
    options = arrow_csv.ConvertOptions(
        column_types={name: pyarrow.string() for name in wanted},
        include_columns=list(dict.fromkeys(wanted)),
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        null_values=[*arrow_csv.ConvertOptions().null_values, *_MORE_NULLS],
    )
    stream = open_bytes(source.path)
    stream.read(source.encoding.mark_bytes)
    # Byte by byte (as Latin-1) wherever a comma is one byte: what matters is ASCII, and Arrow dies of a bad row that is
    # not UTF-8. Second bytes of Chinese characters can be a bar.
    transcoded = source.encoding.is_wide or (source.delimiter == "|" and source.encoding.name != "utf-8")
    with arrow_csv.open_csv(
        stream,
        read_options=arrow_csv.ReadOptions(
            use_threads=False,
            block_size=PIECE_BYTES,
            skip_rows=source.skip,
            column_names=names,
            encoding=source.encoding.name if transcoded else "latin-1",
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=source.delimiter,
            quote_char='"' if quotes else False,
            newlines_in_values=quotes,
            invalid_row_handler=count,
        ),
        convert_options=options,
    ) as reader:
        for batch in reader:
            yield [batch.column(name) for name in wanted]


def _parquet_pieces(source: Peek, positions: Sequence[int]) -> Iterator[list[Any]]:
    assert source.header is not None
    wanted = [source.header[position] for position in positions]
    for batch in _open_parquet(source.path).iter_batches(PIECE_ROWS, columns=list(dict.fromkeys(wanted))):
        yield [_plain(batch.column(name)) for name in wanted]


def _plain(column: Any) -> Any:
    """A column of categories as a column of their values."""
    import pyarrow

    return as_strings(column) if pyarrow.types.is_dictionary(column.type) else column


def _open_parquet(path: Path) -> Any:
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is a damaged Parquet file: {one_line(error)}") from error


def _first_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise DataError(f"{path} is a folder; expected a file of orders, or a pattern such as '{path}/*.csv'")
    with refusing_unreadable(path, "expected a file of orders"), open_bytes(path) as stream:
        return bytes(stream.read(START_BYTES))


def _peek_lines(path: Path, lines: list[str], encoding: Encoding) -> Peek:
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise DataError(f"{path} holds only empty lines; expected orders, one a line")
    full = [line for line in lines[first:] if line.strip()][:_PEEK_LINES]
    delimiter = max(DELIMITERS, key=lambda mark: full[0].count(mark))
    try:
        rows = tuple(tuple(row) for row in csv.reader(full, delimiter=delimiter))
    except csv.Error as error:
        raise DataError(f"{path} is not a table: {error}; expected orders, one a line") from error
    has_header = not any(_is_number(value) for value in rows[0])
    return Peek(
        path=path,
        parquet=False,
        delimiter=delimiter,
        header=rows[0] if has_header else None,
        rows=rows[1:] if has_header else rows,
        skip=first + has_header,
        encoding=encoding,
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
