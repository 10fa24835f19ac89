"""Taxi and ride-hailing trips of the Chicago Data Portal: places by the middle of their census tract or area."""

from crowdgym.data.orders.formats.format import OrderColumns, OrderFormat, header_has
from crowdgym.data.orders.tables import Peek
from crowdgym.data.orders.times import Clock

_PICKUP = ("Pickup Centroid Longitude", "Pickup Centroid Latitude")
_DROPOFF = ("Dropoff Centroid Longitude", "Dropoff Centroid Latitude")


def _columns(source: Peek) -> OrderColumns:
    has_dropoff = header_has(*_DROPOFF)(source)
    return OrderColumns(
        "Trip Start Timestamp",
        *_PICKUP,
        destination_lng=_DROPOFF[0] if has_dropoff else None,
        destination_lat=_DROPOFF[1] if has_dropoff else None,
        order_id="Trip ID" if header_has("Trip ID")(source) else None,
        payment="Fare" if header_has("Fare")(source) else None,
    )


FORMAT = OrderFormat(
    name="chicago",
    expected="the columns Trip Start Timestamp (05/01/2024 08:15:00 PM), Pickup Centroid Longitude and Latitude, and "
    "the same of Dropoff",
    matches=header_has("Trip Start Timestamp", *_PICKUP),
    columns=_columns,
    crs="wgs84",
    clock=Clock(time_format="%m/%d/%Y %I:%M:%S %p"),
)
