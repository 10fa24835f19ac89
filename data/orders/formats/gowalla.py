"""Check-ins of Gowalla and Brightkite (Stanford Large Network Dataset Collection)."""

from collections.abc import Sequence

from crowdgym.data.orders.formats.format import OrderColumns, OrderFormat, are_numbers

_WIDTH = 5


def _is_row(row: Sequence[str]) -> bool:
    return len(row) == _WIDTH and row[1].endswith("Z") and are_numbers(row[2:4])


FORMAT = OrderFormat(
    name="gowalla",
    expected="5 tab separated columns without a header (user, time as 2010-10-19T23:55:27Z, latitude, longitude, "
    "location id)",
    matches=lambda source: source.delimiter == "\t" and any(map(_is_row, source.rows)),
    columns=lambda source: OrderColumns("2", "4", "3"),
    crs="wgs84",
    quotes=False,
)
