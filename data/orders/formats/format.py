"""What a format of orders is: how it is recognised, which column holds what, its coordinates and its clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal

from crowdgym.common.errors import DataError
from crowdgym.data.orders.tables import Peek
from crowdgym.data.orders.times import EARLIEST_S, LATEST_S, Clock

_OTHERS = ("order_id", "utc_offset_min", "payment", "deadline", "quantity")
_PLACE_WORDS = {
    "coordinates": "coordinates",
    "node": "a node",
    "zone": "a zone",
    "polyline start": "a polyline",
    "polyline end": "a polyline",
}


@dataclass(frozen=True)
class OrderColumns:
    """Which column of a table holds what: a name of its header, or a number that counts columns from 1.

    Needed are ``time`` and a pick-up, told in one of four ways:

    Attributes:
        time: when the order was placed.
        origin_lng: longitude of the pick-up, with ``origin_lat``.
        origin_lat: its latitude.
        destination_lng: longitude of the drop-off, with ``destination_lat``.
        destination_lat: its latitude.
        origin_node: the id that the node of the pick-up has in the source of the road network.
        destination_node: that of the drop-off.
        order_id: names the order.
        origin_zone: the zone of the pick-up, which a file of zones places.
        destination_zone: that of the drop-off.
        polyline: the way of the order as [[longitude, latitude], ...]: its ends are pick-up and drop-off.
        utc_offset_min: how many minutes the local clock of the row is ahead of Greenwich.
        payment: the fare.
        deadline: until when the order can be served: a time as ``time``, or seconds after it.
        quantity: how much the order asks for, such as passengers.
    """

    time: str | None = None
    origin_lng: str | None = None
    origin_lat: str | None = None
    destination_lng: str | None = None
    destination_lat: str | None = None
    origin_node: str | None = None
    destination_node: str | None = None
    order_id: str | None = None
    origin_zone: str | None = None
    destination_zone: str | None = None
    polyline: str | None = None
    utc_offset_min: str | None = None
    payment: str | None = None
    deadline: str | None = None
    quantity: str | None = None

    def named(self) -> dict[str, str]:
        """Those that are given."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}


@dataclass(frozen=True)
class OrderFormat:
    """A format of orders. One object in one module of this folder is all that a new format needs.

    Attributes:
        name: by which ``--format`` names it.
        expected: what a file of this format looks like, for messages.
        matches: whether the beginning of a file looks like this format; one good row is enough.
        columns: which column holds what.
        crs: the coordinate system of its places; None where ``--crs`` has to say it.
        clock: which clock its times are read on, unless options say otherwise.
        prepare: completes what is known of a file, such as a header that was cut off.
        quotes: double quotes enclose fields; False where they are signs like any other.
        is_points: a row is one point of an order's way, and the first and the last make the order.
    """

    name: str
    expected: str
    matches: Callable[[Peek], bool]
    columns: Callable[[Peek], OrderColumns]
    crs: str | None = None
    clock: Clock = field(default_factory=Clock)
    prepare: Callable[[Peek], Peek] = lambda source: source
    quotes: bool = True
    is_points: bool = False


PlaceKind = Literal["coordinates", "node", "zone", "polyline start", "polyline end", "unknown"]


@dataclass(frozen=True)
class PlacePosition:
    """How a place is told, and by which columns, counted from 0."""

    kind: PlaceKind
    columns: tuple[int, ...]

    @property
    def has_crs(self) -> bool:
        """Whether it is told by coordinates of the file itself."""
        return self.kind in ("coordinates", "polyline start", "polyline end")


NO_PLACE = PlacePosition("unknown", ())


@dataclass(frozen=True)
class Positions:
    """Which column holds what, counted from 0; other columns by their names in `OrderColumns`."""

    time: int
    origin: PlacePosition
    destination: PlacePosition
    others: Mapping[str, int]

    @property
    def columns(self) -> tuple[int, ...]:
        """All of them, each once."""
        every = (self.time, *self.origin.columns, *self.destination.columns, *self.others.values())
        return tuple(dict.fromkeys(every))


def find_positions(source: Peek, columns: OrderColumns) -> Positions:
    """Positions of columns by name, or by number where no column is called so.

    Raises:
        DataError: a column is not there, or too few are named.
    """
    at = {what: find_column(source, what, wanted) for what, wanted in columns.named().items()}
    if "time" not in at:
        raise DataError(f"{source.path}: no column of times is named; say which one it is (--column time=COLUMN)")
    places = {place: _place(source, place, at) for place in ("origin", "destination")}
    if places["origin"] is NO_PLACE:
        raise DataError(
            f"{source.path}: no column of pick-ups is named; say which they are (--column origin_lng=COLUMN and "
            "origin_lat=COLUMN, or origin_node=COLUMN, origin_zone=COLUMN or polyline=COLUMN)"
        )
    others = {name: at[name] for name in _OTHERS if name in at}
    return Positions(at["time"], places["origin"], places["destination"], others)


def header_has(*names: str) -> Callable[[Peek], bool]:
    """Whether the header of a file has all of these columns, in any case of letters."""
    wanted = {short_name(name) for name in names}
    return lambda source: wanted <= set(short_names(source))


def short_names(source: Peek) -> list[str]:
    """The names in the header of a file, each as `short_name`."""
    return [short_name(name) for name in source.header or ()]


def short_name(name: str) -> str:
    """The name of a column without the table it was exported from, in lower case, with _ for spaces."""
    return name.rsplit(".", 1)[-1].strip().lower().replace(" ", "_")


def are_unix_seconds(values: Sequence[str]) -> bool:
    """Whether all of the values are times in Unix seconds."""
    return all(value.strip().isdigit() and EARLIEST_S <= int(value) < LATEST_S for value in values)


def are_numbers(values: Sequence[str]) -> bool:
    """Whether all of the values are numbers."""
    try:
        return all(float(value) is not None for value in values)
    except ValueError:
        return False


def find_column(source: Peek, what: str, wanted: str) -> int:
    """The position of a column, counted from 0, by name, or by number where no column is called so.

    Raises:
        DataError: there is no such column; lists those there are.
    """
    names = source.header or ()
    if wanted in names:
        return names.index(wanted)
    short = [short_name(name) for name in names]
    if short.count(short_name(wanted)) == 1:
        return short.index(short_name(wanted))
    if wanted.isdigit() and 1 <= int(wanted) <= source.width:
        return int(wanted) - 1
    known = ", ".join(map(repr, names)) if names else f"{source.width} columns without a header: 1 to {source.width}"
    encoding = "" if source.encoding.name == "utf-8" else f" (its text was read as {source.encoding.name}; --encoding)"
    raise DataError(f"{source.path} has no column {wanted!r} for {what}; it has {known}{encoding}")


def _place(source: Peek, place: str, at: dict[str, int]) -> PlacePosition:
    pair = [at[key] for key in (f"{place}_lng", f"{place}_lat") if key in at]
    if len(pair) == 1:
        raise DataError(f"{source.path}: the {place} needs two columns, {place}_lng and {place}_lat; one is named")
    polyline = (at["polyline"],) if "polyline" in at else ()
    told: list[tuple[PlaceKind, tuple[int, ...]]] = [
        ("coordinates", tuple(pair)),
        ("node", (at[f"{place}_node"],) if f"{place}_node" in at else ()),
        ("zone", (at[f"{place}_zone"],) if f"{place}_zone" in at else ()),
        ("polyline start" if place == "origin" else "polyline end", polyline),
    ]
    given = [PlacePosition(kind, columns) for kind, columns in told if columns]
    if len(given) > 1:
        kinds = " and ".join(f"as {_PLACE_WORDS[way.kind]}" for way in given[:2])
        raise DataError(f"{source.path}: the {place} is named twice, {kinds}; expected one")
    return given[0] if given else NO_PLACE
