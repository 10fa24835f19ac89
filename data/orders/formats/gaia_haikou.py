"""DiDi's GAIA orders of Haikou, as exported from Hive, also without the header."""

from collections.abc import Sequence
from dataclasses import replace

from crowdgym.data.orders.formats.format import OrderColumns, OrderFormat, short_names
from crowdgym.data.orders.tables import Peek
from crowdgym.data.orders.times import Clock

# For files from which the header was cut off.
COLUMNS = (
    *("order_id", "product_id", "city_id", "district", "county", "type"),
    *("combo_type", "traffic_type", "passenger_count", "driver_product_id", "start_dest_distance", "arrive_time"),
    *("departure_time", "pre_total_fee", "normal_time", "bubble_trace_id", "product_1level", "dest_lng"),
    *("dest_lat", "starting_lng", "starting_lat", "year", "month", "day"),
)
_NEEDED = ("departure_time", "starting_lng", "starting_lat", "dest_lng", "dest_lat")


def _names(source: Peek) -> Sequence[str]:
    if source.header is not None:
        return short_names(source)
    return COLUMNS if source.delimiter == "\t" and source.width == len(COLUMNS) else ()


FORMAT = OrderFormat(
    name="gaia-haikou",
    expected="the columns departure_time, starting_lng, starting_lat, dest_lng and dest_lat, 24 in all, with a "
    "header that may be prefixed dwv_order_make_haikou_N.",
    matches=lambda source: not source.parquet and set(_NEEDED) <= set(_names(source)),
    columns=lambda source: OrderColumns(*_NEEDED, order_id="order_id" if "order_id" in _names(source) else None),
    crs="gcj02",
    clock=Clock(time_zone="+08:00"),
    prepare=lambda source: source if source.header is not None else replace(source, header=COLUMNS),
)
