"""The formats that check-ins come in, and which column holds what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields

from crowdgym.common.errors import DataError
from crowdgym.data.orders.formats import order_formats
from crowdgym.data.orders.formats.format import short_names
from crowdgym.data.orders.tables import Peek
from crowdgym.data.orders.times import Clock


@dataclass(frozen=True)
class CheckinColumns:
    """Which column holds what: a name of the header, or a number that counts columns from 1.

    Attributes:
        user: who was there.
        place: names the place.
        longitude: of the place.
        latitude: of the place.
        time: when.
        category: kind of the place; None where the source has none.
        utc_offset_min: how many minutes the local clock of the row is ahead of Greenwich.
    """

    user: str | None = None
    place: str | None = None
    longitude: str | None = None
    latitude: str | None = None
    time: str | None = None
    category: str | None = None
    utc_offset_min: str | None = None

    def named(self) -> dict[str, str]:
        """Those that are given."""
        return {part.name: value for part in fields(self) if (value := getattr(self, part.name)) is not None}


@dataclass(frozen=True)
class CheckinFormat:
    """A format of check-ins.

    Attributes:
        name: of the format.
        matches: whether the beginning of a file looks like it.
        columns: which column holds what.
        crs: the coordinate system; None where the user has to say it.
        clock: of its times.
        quotes: double quotes enclose fields.
    """

    name: str
    matches: Callable[[Peek], bool]
    columns: CheckinColumns
    crs: str | None = None
    clock: Clock = field(default_factory=Clock)
    quotes: bool = True


_NEEDED = ("user", "place", "longitude", "latitude", "time")
_KNOWN_NAMES = {
    "user": ("user_id", "userid", "user"),
    "place": ("place_id", "venue_id", "venueid", "location_id", "business_id", "poi_id", "place", "venue"),
    "longitude": ("longitude", "lng", "lon"),
    "latitude": ("latitude", "lat"),
    "time": ("time", "timestamp", "utc_timestamp", "utctimestamp", "local_time", "date", "created_at"),
    "category": ("category", "venue_category", "venuecategory", "category_name", "kind"),
}


def _of_orders(name: str, columns: CheckinColumns) -> CheckinFormat:
    """A format of check-ins that orders are read from, too: with what the orders' format says of it."""
    known = order_formats()[name]
    return CheckinFormat(name, known.matches, columns, known.crs, known.clock, known.quotes)


def checkin_formats() -> tuple[CheckinFormat, ...]:
    """The formats that are told by their content."""
    return (
        _of_orders("foursquare", CheckinColumns("1", "2", "6", "5", "8", "4", "7")),
        _of_orders("gowalla", CheckinColumns("1", "5", "4", "3", "2")),
    )


def checkin_format_of(source: Peek, columns: CheckinColumns) -> CheckinFormat:
    """The format of a file: a known one, or a table whose columns are named or have names that say what they hold.

    Raises:
        DataError: it is no table of check-ins; says what is missing.
    """
    found = next((known for known in checkin_formats() if not columns.named() and known.matches(source)), None)
    if found is not None:
        return found
    chosen = CheckinColumns(**{**_guessed(short_names(source)), **columns.named()})
    missing = [name for name in _NEEDED if name not in chosen.named()]
    if missing:
        raise DataError(
            f"{source.path} has no column for {', '.join(missing)} of check-ins: found {source.describe()}; expected "
            "Foursquare's or Gowalla's, or a column named by --checkin-column KEY=COLUMN"
        )
    return CheckinFormat("table", lambda _: True, chosen)


def _guessed(names: Sequence[str]) -> dict[str, str]:
    pairs = {what: next((name for name in known if name in names), None) for what, known in _KNOWN_NAMES.items()}
    return {what: name for what, name in pairs.items() if name is not None}
