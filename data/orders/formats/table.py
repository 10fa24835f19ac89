"""Any other table: its columns are told by the names of its header, or are named."""

import itertools
from dataclasses import replace

from crowdgym.data.orders.formats.format import OrderColumns, OrderFormat, short_name, short_names
from crowdgym.data.orders.tables import Peek

_PLACE_STEMS = {
    "origin": ("origin", "o", "pickup", "pick_up", "starting", "start", "start_station", "from", ""),
    "destination": ("destination", "dest", "d", "dropoff", "drop_off", "ending", "end", "end_station", "to"),
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


_TIMES = (
    *("departure_time", "request_time", "order_time", "pickup_time", "pick_up_time", "start_time", "begin_time"),
    *("started_at", "starttime", "pickup_datetime", "tpep_pickup_datetime", "lpep_pickup_datetime", "request_datetime"),
    *("start_ts", "departure_ts", "pickup_ts", "timestamp", "time", "ts"),
)
KNOWN_NAMES: dict[str, tuple[str, ...]] = {
    "time": _TIMES,
    "order_id": ("order_id", "orderid", "trip_id", "ride_id"),
    **_place_names(),
}


def guess_columns(source: Peek) -> OrderColumns:
    """Columns of a table by the names of its header; coordinates are preferred to nodes, pairs to halves of one."""
    short = short_names(source)
    found = {what: next((name for name in known if name in short), None) for what, known in KNOWN_NAMES.items()}
    for place in ("origin", "destination"):
        if found[f"{place}_lng"] is not None and found[f"{place}_lat"] is not None:
            found[f"{place}_node"] = None
        else:
            found[f"{place}_lng"] = found[f"{place}_lat"] = None
    return OrderColumns(**found)


def with_header(source: Peek, columns: OrderColumns) -> Peek:
    """Take the first line for a header, although it holds a number, if a wanted name stands there."""
    if source.header is not None or not source.rows:
        return source
    wanted = {name for name in columns.named().values() if not name.isdigit()}
    if not wanted & {short_name(name) for name in source.rows[0]} and not wanted & set(source.rows[0]):
        return source
    return replace(source, header=source.rows[0], rows=source.rows[1:], skip=source.skip + 1)


def _matches(source: Peek) -> bool:
    if source.header is None:
        return False
    found = guess_columns(source)
    return found.time is not None and (
        found.origin_node is not None or None not in (found.origin_lng, found.origin_lat)
    )


FORMAT = OrderFormat(
    name="table",
    expected="a column of times, and columns of coordinates or of ids of road nodes, under names that say so",
    matches=_matches,
    columns=guess_columns,
)
