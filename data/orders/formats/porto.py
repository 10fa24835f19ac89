"""The taxi trips of Porto (ECML/PKDD 2015, Kaggle): the way of each trip in one column."""

from crowdgym.data.orders.formats.format import OrderColumns, OrderFormat, header_has
from crowdgym.data.orders.times import Clock

FORMAT = OrderFormat(
    name="porto",
    expected="the columns TRIP_ID, TIMESTAMP (Unix seconds) and POLYLINE ([[longitude, latitude], ...])",
    matches=header_has("TRIP_ID", "TIMESTAMP", "POLYLINE"),
    columns=lambda source: OrderColumns("TIMESTAMP", polyline="POLYLINE", order_id="TRIP_ID"),
    crs="wgs84",
    clock=Clock(time_zone="Europe/Lisbon"),
)
