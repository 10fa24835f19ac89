"""Check-ins of Foursquare as Yang et al. publish them (TSMC 2014: New York and Tokyo)."""

from collections.abc import Sequence

from crowdgym.data.orders.formats.format import OrderColumns, OrderFormat, are_numbers
from crowdgym.data.orders.times import Clock

_WIDTH = 8


def _is_row(row: Sequence[str]) -> bool:
    return len(row) == _WIDTH and are_numbers(row[4:7]) and " +0000 " in row[7]


FORMAT = OrderFormat(
    name="foursquare",
    expected="8 tab separated columns without a header (user, venue, category id, category, latitude, longitude, "
    "minutes from Greenwich, time as Tue Apr 03 18:00:09 +0000 2012)",
    matches=lambda source: source.delimiter == "\t" and any(map(_is_row, source.rows)),
    columns=lambda source: OrderColumns("8", "6", "5", utc_offset_min="7"),
    crs="wgs84",
    clock=Clock(time_zone="UTC"),
    quotes=False,
)
