"""DiDi's GAIA trajectories: a point of a vehicle's way a row."""

from collections.abc import Sequence
from dataclasses import replace

from crowdgym.data.orders.formats.format import OrderColumns, OrderFormat, are_numbers, are_unix_seconds
from crowdgym.data.orders.times import Clock

_WIDTH = 5


def _is_row(row: Sequence[str]) -> bool:
    return len(row) == _WIDTH and are_unix_seconds(row[2:3]) and are_numbers(row[3:5])


FORMAT = OrderFormat(
    name="gaia-gps",
    expected="5 comma separated columns without a header (driver_id, order_id, ts, lng, lat; times in Unix seconds)",
    matches=lambda source: source.delimiter == "," and any(map(_is_row, source.rows)),
    columns=lambda source: OrderColumns("3", "4", "5", order_id="2"),
    crs="gcj02",
    clock=Clock(time_zone="+08:00"),
    prepare=lambda source: replace(source, known_width=_WIDTH),
    quotes=False,
    is_points=True,
)
