"""The readers on the real files beside this checkout, and the figures of the design that they have to meet."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from numpy.typing import NDArray

from crowdgym.data.coordinates import gcj02_to_wgs84
from crowdgym.data.orders.formats import OrderColumns
from crowdgym.data.orders.raw import Coordinates, NodeIds
from crowdgym.data.orders.read import OrderOptions, read_orders

pytestmark = pytest.mark.real_data

Find = Callable[[str], Path]
TASKS = OrderColumns(time="4", origin_lng="3", origin_lat="2", order_id="1")


def metres_to_the_nearest_road(roads: NDArray[np.object_], places: Coordinates, crs: str) -> NDArray[np.float64]:
    project = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform
    projected = shapely.transform(roads, lambda degrees: np.column_stack(project(degrees[:, 0], degrees[:, 1])))
    points = shapely.points(*project(places.longitude_deg, places.latitude_deg))
    return shapely.STRtree(projected).query_nearest(points, return_distance=True, all_matches=False)[1]


def haikou_roads(shared_data: Find) -> NDArray[np.object_]:
    return shapely.from_wkt(pd.read_csv(shared_data("haikou/link.csv"))["geometry"].to_numpy())


def chengdu_roads(shared_data: Find) -> NDArray[np.object_]:
    nodes = pd.read_csv(shared_data("chengdu/Node.csv")).drop_duplicates("NodeID").set_index("NodeID")
    links = pd.read_csv(shared_data("chengdu/edges_derived.csv"))
    ends = [nodes.loc[links[end], ["Longitude", "Latitude"]].to_numpy() for end in ("u", "v")]
    return shapely.linestrings(np.stack(ends, axis=1))


def test_in_haikou_the_conversion_moves_the_pick_ups_onto_the_roads(shared_data: Find) -> None:
    """The design: the median falls from 114 m to 12 m."""
    roads, path = haikou_roads(shared_data), shared_data("haikou/gaia_raw_sample.csv")
    median_m = {}
    for crs in ("wgs84", "gcj02"):
        places = read_orders(path, OrderOptions(crs=crs))[0].origin
        assert isinstance(places, Coordinates)
        median_m[crs] = float(np.median(metres_to_the_nearest_road(roads, places, "EPSG:32649")))

    assert median_m == {"wgs84": pytest.approx(114, abs=1.5), "gcj02": pytest.approx(12, abs=1)}


def test_in_chengdu_the_conversion_moves_the_vehicles_onto_the_roads(shared_data: Find) -> None:
    """The design: the median falls from 47 m to 6 m, near the roads at hand; those are of the centre only."""
    roads = chengdu_roads(shared_data)
    points = pd.read_csv(shared_data("chengdu/gaia_gps_sample.txt"), header=None)
    longitude, latitude = points[3].to_numpy(), points[4].to_numpy()
    as_given = metres_to_the_nearest_road(roads, Coordinates(longitude, latitude), "EPSG:32648")
    converted = metres_to_the_nearest_road(roads, Coordinates(*gcj02_to_wgs84(longitude, latitude)), "EPSG:32648")
    near = converted < 1000

    assert np.median(as_given[near]) > 45
    assert np.median(converted[near]) < 6


def test_the_raw_sample_of_haikou_is_recognised_and_every_row_used(shared_data: Find) -> None:
    path = shared_data("haikou/gaia_raw_sample.csv")
    orders, report = read_orders(path)

    assert (report.rows, report.orders, report.unusable, report.without_destination) == (1766, 1766, {}, {})
    clock = pd.read_csv(path)["dwv_order_make_haikou_1.departure_time"]
    assert orders.time_s.astype("datetime64[s]").astype(str).tolist() == clock.str.replace(" ", "T").tolist()


def test_the_hourly_files_of_haikou_are_recognised_as_tables_of_node_ids(shared_data: Find) -> None:
    known = set(pd.read_csv(shared_data("haikou/node.csv"))["node_id"])

    orders, report = read_orders(shared_data("haikou/orders/2017-05-01.csv"))

    assert (report.rows, report.orders, report.unusable) == (2035, 2035, {})
    assert isinstance(orders.origin, NodeIds)
    assert isinstance(orders.destination, NodeIds)
    assert set(orders.origin.node_id) | set(orders.destination.node_id) <= known
    assert set(orders.time_s // 3600 % 24) == {8}


def test_the_gps_sample_of_chengdu_is_recognised_and_becomes_one_order_for_each_id(shared_data: Find) -> None:
    path = shared_data("chengdu/gaia_gps_sample.txt")
    points = pd.read_csv(path, header=None)

    orders, report = read_orders(path)

    assert (report.rows, report.usable_rows, report.unusable) == (5000, 5000, {})
    assert len(orders) == points[1].nunique()
    first = points.sort_values(2).drop_duplicates(1)[2].to_numpy()
    assert np.array_equal(np.sort(orders.time_s), np.sort(first + 8 * 3600))


def test_the_tasks_of_chengdu_are_read_by_naming_their_columns(shared_data: Find) -> None:
    options = OrderOptions(columns=TASKS, crs="gcj02", times="seconds-of-day")

    orders, report = read_orders(shared_data("chengdu/pick_up_tasks.txt"), options)

    assert (report.rows, report.orders, report.unusable) == (52_355, 52_355, {})
    assert isinstance(orders.origin, Coordinates)
    assert np.median(orders.origin.longitude_deg) == pytest.approx(104.07, abs=0.02)


def test_the_drivers_of_chengdu_are_read_by_naming_their_columns(shared_data: Find) -> None:
    columns = OrderColumns(time="Start_time", origin_node="NodeS")

    orders, report = read_orders(shared_data("chengdu/Drivers1101.csv"), OrderOptions(columns=columns))

    assert (report.rows, report.orders) == (20_187, 20_187)
    assert str(orders.time_s.min().astype("datetime64[s]")) == "2016-11-01T08:01:00"
    assert str(orders.time_s.max().astype("datetime64[s]")) == "2016-11-01T09:59:00"
