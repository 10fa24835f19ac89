"""The formats that orders come in: how each is recognised, and which column holds what."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

from crowdgym.common.errors import DataError
from crowdgym.data.orders.fields import EARLIEST_S, LATEST_S
from crowdgym.data.orders.tables import Peek

OrderFormat = Literal["gaia-chengdu", "gaia-haikou", "gaia-gps", "table"]
ORDER_FORMATS: tuple[OrderFormat, ...] = get_args(OrderFormat)

EXPECTED: dict[OrderFormat, str] = {
    "gaia-chengdu": "7 or 8 comma separated columns without a header (order_id, start_ts, end_ts, pickup_lng, "
    "pickup_lat, dropoff_lng, dropoff_lat and perhaps reward; times in Unix seconds)",
    "gaia-haikou": "the columns departure_time, starting_lng, starting_lat, dest_lng and dest_lat, 24 in all, with a "
    "header that may be prefixed dwv_order_make_haikou_N.",
    "gaia-gps": "5 comma separated columns without a header (driver_id, order_id, ts, lng, lat; times in Unix seconds)",
    "table": "a column of times, and columns of coordinates or of ids of road nodes, under names that say so",
}

# Columns of DiDi's Haikou export, for files from which the header was cut off.
HAIKOU_COLUMNS = (
    *("order_id", "product_id", "city_id", "district", "county", "type"),
    *("combo_type", "traffic_type", "passenger_count", "driver_product_id", "start_dest_distance", "arrive_time"),
    *("departure_time", "pre_total_fee", "normal_time", "bubble_trace_id", "product_1level", "dest_lng"),
    *("dest_lat", "starting_lng", "starting_lat", "year", "month", "day"),
)
_HAIKOU_NEEDED = ("departure_time", "starting_lng", "starting_lat", "dest_lng", "dest_lat")


@dataclass(frozen=True)
class OrderColumns:
    """Which column of a table holds what: a name of its header, or a number that counts columns from 1.

    Needed are ``time`` and a pick-up: ``origin_lng`` and ``origin_lat``, or ``origin_node``, the id that the node has
    in the source of the road network.
    """

    time: str | None = None
    origin_lng: str | None = None
    origin_lat: str | None = None
    destination_lng: str | None = None
    destination_lat: str | None = None
    origin_node: str | None = None
    destination_node: str | None = None
    order_id: str | None = None

    def named(self) -> dict[str, str]:
        """Those that are given."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}


@dataclass(frozen=True)
class Positions:
    """Which column holds what, counted from 0. A place is (longitude, latitude), (node id,) or () where unknown."""

    time: int
    origin: tuple[int, ...]
    destination: tuple[int, ...]
    order_id: int | None


_CHENGDU = Positions(time=1, origin=(3, 4), destination=(5, 6), order_id=0)

_PLACE_STEMS = {
    "origin": ("origin", "o", "pickup", "pick_up", "starting", "start", "from", ""),
    "destination": ("destination", "dest", "d", "dropoff", "drop_off", "ending", "end", "to"),
}
_PLACE_ENDINGS = {
    "lng": ("lng", "lon", "long", "longitude"),
    "lat": ("lat", "latitude"),
    "node": ("node", "node_id", "nodeid"),
}


def _place_names() -> dict[str, tuple[str, ...]]:
    """Names by which a column of a place is known, the likeliest first; 'origin_id' is a node, 'id' is not."""
    names = {}
    for place, stems in _PLACE_STEMS.items():
        for what, endings in _PLACE_ENDINGS.items():
            pairs = itertools.product(stems, endings)
            names[f"{place}_{what}"] = tuple(f"{stem}_{ending}" if stem else ending for stem, ending in pairs)
        names[f"{place}_node"] += (f"{place}_id",)
    return names


KNOWN_NAMES: dict[str, tuple[str, ...]] = {
    "time": (
        *("departure_time", "request_time", "order_time", "pickup_time", "pick_up_time", "start_time", "begin_time"),
        *(
            "pickup_datetime",
            "tpep_pickup_datetime",
            "start_ts",
            "departure_ts",
            "pickup_ts",
            "timestamp",
            "time",
            "ts",
        ),
    ),
    "order_id": ("order_id", "orderid", "trip_id", "ride_id"),
    **_place_names(),
}


def detect(source: Peek, columns: OrderColumns) -> OrderFormat:
    """Tell the format of a file by its content.

    Raises:
        DataError: it is none of the known ones.
    """
    if columns.named():
        return "table"
    for candidate in ORDER_FORMATS:
        if matches(candidate, source):
            return candidate
    raise DataError(
        f"{source.path} is in no format known for orders: found {source.describe()}; expected "
        f"{', '.join(name for name in ORDER_FORMATS if name != 'table')} or a table whose header names the times and "
        "the pick-ups, or that the columns are named"
    )


def matches(candidate: OrderFormat, source: Peek) -> bool:
    """Whether a file looks like this format; one good row is enough, the others are counted later."""
    text = not source.parquet
    if candidate == "gaia-chengdu":
        return text and source.delimiter == "," and any(map(_is_chengdu_row, source.rows))
    if candidate == "gaia-gps":
        return text and source.delimiter == "," and any(map(_is_gps_row, source.rows))
    if candidate == "gaia-haikou":
        return text and set(_HAIKOU_NEEDED) <= set(_haikou_names(source))
    if source.header is None:
        return False
    found = _guess(source)
    return found.time is not None and (
        found.origin_node is not None or None not in (found.origin_lng, found.origin_lat)
    )


def positions(order_format: OrderFormat, source: Peek, columns: OrderColumns) -> tuple[Peek, Positions | None]:
    """Find the columns of a file.

    Returns:
        What is known of the file (its header may turn out to be one only now), and the positions; None for
        trajectories, whose columns are fixed.

    Raises:
        DataError: the file is not in this format, or lacks a column.
    """
    if order_format != "table":
        if not matches(order_format, source):
            raise _wrong_format(order_format, source)
        if order_format == "gaia-chengdu":
            widths = Counter(len(row) for row in source.rows if _is_chengdu_row(row))
            return replace(source, known_width=widths.most_common(1)[0][0]), _CHENGDU
        if order_format == "gaia-gps":
            return replace(source, known_width=5), None
        names = _haikou_names(source)
        order_id = "order_id" if "order_id" in names else None
        return source, _find(source, names, OrderColumns(*_HAIKOU_NEEDED, order_id=order_id))
    if not columns.named():
        if not matches("table", source):
            raise _wrong_format(order_format, source)
        assert source.header is not None
        return source, _find(source, source.header, _guess(source))
    source = _with_header(source, columns)
    return source, _find(source, source.header or (), columns)


def _find(source: Peek, names: Sequence[str], columns: OrderColumns) -> Positions:
    """Positions of columns by name, or by number where no column is called so."""

    def find(what: str, wanted: str) -> int:
        if wanted in names:
            return names.index(wanted)
        short = [_short(name) for name in names]
        if short.count(wanted) == 1:
            return short.index(wanted)
        if wanted.isdigit() and 1 <= int(wanted) <= source.width:
            return int(wanted) - 1
        known = (
            ", ".join(map(repr, names)) if names else f"{source.width} columns without a header: 1 to {source.width}"
        )
        raise DataError(f"{source.path} has no column {wanted!r} for {what}; it has {known}")

    at = {what: find(what, wanted) for what, wanted in columns.named().items()}
    if "time" not in at:
        raise DataError(f"{source.path}: no column of times is named; say which one it is (time)")
    places = {}
    for place in ("origin", "destination"):
        pair = [at[key] for key in (f"{place}_lng", f"{place}_lat") if key in at]
        if len(pair) == 1:
            raise DataError(f"{source.path}: the {place} needs two columns, {place}_lng and {place}_lat; one is named")
        node = at.get(f"{place}_node")
        if pair and node is not None:
            raise DataError(f"{source.path}: the {place} is named twice, as coordinates and as a node; expected one")
        places[place] = tuple(pair) if pair else () if node is None else (node,)
    if not places["origin"]:
        raise DataError(
            f"{source.path}: no column of pick-ups is named; say which they are (origin_lng and origin_lat, or "
            "origin_node)"
        )
    return Positions(at["time"], places["origin"], places["destination"], at.get("order_id"))


def _guess(source: Peek) -> OrderColumns:
    """Columns of a table by the names of its header; coordinates are preferred to nodes, pairs to halves of one."""
    short = [_short(name) for name in source.header or ()]
    found = {what: next((name for name in known if name in short), None) for what, known in KNOWN_NAMES.items()}
    for place in ("origin", "destination"):
        if found[f"{place}_lng"] is not None and found[f"{place}_lat"] is not None:
            found[f"{place}_node"] = None
        else:
            found[f"{place}_lng"] = found[f"{place}_lat"] = None
    return OrderColumns(**found)


def _with_header(source: Peek, columns: OrderColumns) -> Peek:
    """Take the first line for a header, although it holds a number, if a wanted name stands there."""
    if source.header is not None or not source.rows:
        return source
    wanted = {name for name in columns.named().values() if not name.isdigit()}
    if not wanted & {_short(name) for name in source.rows[0]} and not wanted & set(source.rows[0]):
        return source
    return replace(source, header=source.rows[0], rows=source.rows[1:], skip=source.skip + 1)


def _haikou_names(source: Peek) -> Sequence[str]:
    if source.header is not None:
        return [_short(name) for name in source.header]
    return HAIKOU_COLUMNS if source.delimiter == "\t" and source.width == len(HAIKOU_COLUMNS) else ()


def _short(name: str) -> str:
    """The name of a column without the table it was exported from, in lower case."""
    return name.rsplit(".", 1)[-1].strip().lower()


def _is_chengdu_row(row: Sequence[str]) -> bool:
    return len(row) in (7, 8) and _are_unix_seconds(row[1:3]) and all(map(_is_number, row[3:7]))


def _is_gps_row(row: Sequence[str]) -> bool:
    return len(row) == 5 and _are_unix_seconds(row[2:3]) and all(map(_is_number, row[3:5]))


def _are_unix_seconds(values: Sequence[str]) -> bool:
    return all(value.strip().isdigit() and EARLIEST_S <= int(value) < LATEST_S for value in values)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _wrong_format(order_format: OrderFormat, source: Peek) -> DataError:
    other = next((name for name in ORDER_FORMATS if name != order_format and matches(name, source)), None)
    hint = f", which looks like {other}" if other else ""
    return DataError(
        f"{source.path} is not {order_format}: expected {EXPECTED[order_format]}; found {source.describe()}{hint}"
    )
