"""Trips of New York's Taxi and Limousine Commission since 2016: places by the numbers of taxi zones."""

from crowdgym.data.orders.formats.format import OrderColumns, OrderFormat, header_has, short_names
from crowdgym.data.orders.tables import Peek

_TIMES = ("tpep_pickup_datetime", "lpep_pickup_datetime", "pickup_datetime")


def _columns(source: Peek) -> OrderColumns:
    names = short_names(source)
    return OrderColumns(
        next(name for name in _TIMES if name in names),
        origin_zone="PULocationID",
        destination_zone="DOLocationID" if "dolocationid" in names else None,
        payment=next((name for name in ("fare_amount", "base_passenger_fare") if name in names), None),
    )


FORMAT = OrderFormat(
    name="tlc",
    expected="the columns tpep_pickup_datetime (or lpep_pickup_datetime, pickup_datetime) and PULocationID",
    matches=lambda source: header_has("PULocationID")(source) and bool(set(_TIMES) & set(short_names(source))),
    columns=_columns,
)
