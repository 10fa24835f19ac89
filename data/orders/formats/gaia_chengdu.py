"""DiDi's GAIA orders of Chengdu (and Xi'an), also the edition of the KDD Cup with a reward."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from crowdgym.data.orders.formats.format import OrderColumns, OrderFormat, are_numbers, are_unix_seconds
from crowdgym.data.orders.tables import Peek
from crowdgym.data.orders.times import Clock


def _is_row(row: Sequence[str]) -> bool:
    return len(row) in (7, 8) and are_unix_seconds(row[1:3]) and are_numbers(row[3:7])


def _with_width(source: Peek) -> Peek:
    widths = Counter(len(row) for row in source.rows if _is_row(row))
    return replace(source, known_width=widths.most_common(1)[0][0])


FORMAT = OrderFormat(
    name="gaia-chengdu",
    expected="7 or 8 comma separated columns without a header (order_id, start_ts, end_ts, pickup_lng, pickup_lat, "
    "dropoff_lng, dropoff_lat and perhaps reward; times in Unix seconds)",
    matches=lambda source: source.delimiter == "," and any(map(_is_row, source.rows)),
    columns=lambda source: OrderColumns("2", "4", "5", "6", "7", order_id="1"),
    crs="gcj02",
    clock=Clock(time_zone="+08:00"),
    prepare=_with_width,
    quotes=False,
)
