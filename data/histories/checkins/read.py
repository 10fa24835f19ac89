"""Reading check-ins from tables, by the same readers of tables, times and coordinates as orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.histories.checkins.formats import CheckinColumns, checkin_format_of
from crowdgym.data.histories.checkins.yelp import is_yelp, read_yelp
from crowdgym.data.orders import fields as columns_of
from crowdgym.data.orders.columns import as_strings
from crowdgym.data.orders.formats import OrderColumns
from crowdgym.data.orders.formats.format import find_column
from crowdgym.data.orders.formats.table import with_header
from crowdgym.data.orders.raw import Account, Coordinates, ReadReport, Reasons
from crowdgym.data.orders.tables import Peek, peek, read_pieces
from crowdgym.data.orders.times import Clock, local_times

MISSING_USER, MISSING_PLACE = "missing user", "missing place"


@dataclass(frozen=True)
class CheckinOptions:
    """How files of check-ins are read.

    Attributes:
        columns: of a table, by default told by the names of its header.
        crs: of its coordinates; None means what the format says.
        time_zone: of its times; None means what the format says.
        time_format: of times in text, as of `datetime.strptime`.
        encoding: of text; None tells it by the content.
    """

    columns: CheckinColumns = field(default_factory=CheckinColumns)
    crs: str | None = None
    time_zone: str | None = None
    time_format: str | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class RawCheckins:
    """M check-ins as their source gives them.

    Attributes:
        user: id. Shape [M].
        place: id. Shape [M].
        category: name of the kind of the place, "" where there is none. Shape [M].
        where: coordinates of the place. Length M.
        time_s: local seconds since 1970. Shape [M].
    """

    user: NDArray[np.str_]
    place: NDArray[np.str_]
    category: NDArray[np.str_]
    where: Coordinates
    time_s: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.user)

    def rows(self, chosen: NDArray[Any]) -> "RawCheckins":
        """Some of them, by mask or index."""
        return RawCheckins(
            self.user[chosen], self.place[chosen], self.category[chosen], self.where[chosen], self.time_s[chosen]
        )


def read_checkins(
    paths: Sequence[Path], options: CheckinOptions | None = None
) -> tuple[RawCheckins, Mapping[str, ReadReport]]:
    """Read files of check-ins. The two files of Yelp, of businesses and of reviews, are given together.

    Returns:
        The check-ins in the order of the files, and what became of the rows of each file, by its name.

    Raises:
        DataError: a file is missing, damaged or in no known format, or has no row that can be used.
    """
    options = options or CheckinOptions()
    of_yelp = [path for path in paths if is_yelp(path)]
    if of_yelp:
        if len(of_yelp) < len(paths):
            raise DataError("files of Yelp and other files of check-ins are given together; expected one kind")
        users, places, categories, where, time_s, reports = read_yelp(of_yelp)
        return RawCheckins(users, places, categories, where, time_s), reports
    read = {path.name: _read_table(path, options) for path in paths}
    pieces = [piece for raw, _ in read.values() for piece in raw]
    whole = RawCheckins(
        np.concatenate([piece.user for piece in pieces]),
        np.concatenate([piece.place for piece in pieces]),
        np.concatenate([piece.category for piece in pieces]),
        Coordinates(
            np.concatenate([piece.where.longitude_deg for piece in pieces]),
            np.concatenate([piece.where.latitude_deg for piece in pieces]),
        ),
        np.concatenate([piece.time_s for piece in pieces]),
    )
    return whole, {name: report for name, (_, report) in read.items()}


def _read_table(path: Path, options: CheckinOptions) -> tuple[list[RawCheckins], ReadReport]:
    source = peek(path, options.encoding)
    named = options.columns.named()
    if named:
        source = with_header(source, OrderColumns(order_id=next(iter(named.values()))))
    known = checkin_format_of(source, options.columns)
    crs = options.crs or known.crs
    if crs is None:
        raise DataError(f"{path} has coordinates, but nothing says in which system; expected --crs, such as wgs84")
    clock = Clock(options.time_zone or known.clock.time_zone, options.time_format or known.clock.time_format)
    at = {what: find_column(source, what, wanted) for what, wanted in known.columns.named().items()}
    account, pieces = Account(), []
    for piece in read_pieces(source, list(at.values()), account, quotes=known.quotes):
        raw = _piece(dict(zip(at, piece, strict=True)), crs, clock, account)
        pieces.append(replace(raw, category=_decoded(raw.category, source)))
    if not account.usable_rows:
        raise DataError(f"none of the {account.rows} rows of {path} is a check-in that can be used ({known.name})")
    return pieces, account.report()


def _piece(column: dict[str, Any], crs: str, clock: Clock, account: Account) -> RawCheckins:
    user, place = _text(column["user"]), _text(column["place"])
    reasons = Reasons(len(user))
    reasons.add(MISSING_USER, user == "").add(MISSING_PLACE, place == "")
    time_s = local_times(column["time"], clock, reasons, account.times)
    if "utc_offset_min" in column:
        time_s += columns_of.offsets_s(column["utc_offset_min"], reasons)
    where = columns_of.coordinates(column["longitude"], column["latitude"], crs, reasons)
    category = _text(column["category"]) if "category" in column else np.full(len(user), "", np.str_)
    usable = account.take(reasons)
    account.orders += int(usable.sum())
    return RawCheckins(user, place, category, where, time_s).rows(usable)


def _text(column: Any) -> NDArray[np.str_]:
    return np.array(as_strings(column).to_pylist(), np.str_)


def _decoded(names: NDArray[np.str_], source: Peek) -> NDArray[np.str_]:
    """Names of kinds in their letters: text is read byte by byte."""
    if source.parquet:
        return names
    different, number = np.unique(names, return_inverse=True)
    shown: NDArray[np.str_] = np.array([source.encoding.shown(str(name)) for name in different], np.str_)[number]
    return shown
