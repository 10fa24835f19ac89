"""The figures that the synthetic cities follow, published and real, each with the tolerance that is claimed."""

import csv
import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from crowdgym.data.dataset import CATEGORIES, Dataset
from crowdgym.data.roads.distances import Distances
from crowdgym.data.synthetic.cities.demand import WEEKDAY_PERCENT, WEEKEND_PERCENT

City = Callable[[str], Dataset]
SharedData = Callable[[str], Path]
Floats = NDArray[np.float64]
BIG = ("haikou-synth", "chengdu-synth")
DAY_S = 86_400


def trips(dataset: Dataset) -> tuple[Floats, Floats]:
    """Length along the roads and in a straight line of 5,000 random orders, metres."""
    network, orders = dataset.network, dataset.orders
    some = np.random.default_rng(0).choice(len(orders), min(5000, len(orders)), replace=False)
    origin, destination = orders.origin[some], orders.destination[some]
    nodes, row = np.unique(origin, return_inverse=True)
    road_m = Distances(network).rows(nodes)[row, destination] * network.unit_m
    dx, dy = (values[origin] - values[destination] for values in (network.x_m, network.y_m))
    return road_m.astype(np.float64), np.hypot(dx, dy)


def top_shares(counts: NDArray[np.int64]) -> list[float]:
    """What the busiest 1, 5 and 10 % hold."""
    falling = np.sort(counts)[::-1]
    return [float(falling[: round(len(counts) * share)].sum() / counts.sum()) for share in (0.01, 0.05, 0.10)]


def cell_counts(x_m: Floats, y_m: Floats) -> NDArray[np.int64]:
    """How many points each 500 m cell with any point has."""
    return np.unique(x_m // 500 * 1e6 + y_m // 500, return_counts=True)[1]


def hourly_percent(dataset: Dataset, *, weekend: bool) -> Floats:
    time_s = dataset.orders.time_s
    wanted = (time_s // DAY_S % 7 >= 5) == weekend
    counts = np.bincount(time_s[wanted] % DAY_S // 3600, minlength=24)
    return 100 * counts / counts.sum()


def degree_shares(degree: NDArray[np.int64]) -> Floats:
    """Shares of degree 1, 2, 3, 4 and 5 or more."""
    return np.bincount(np.minimum(degree, 5), minlength=6)[1:] / len(degree)


def circuity(places: Floats, graph: Any) -> float:
    """How much longer the way along the roads is than the straight line, for nodes 2 to 8 km apart on average."""
    from scipy.sparse.csgraph import dijkstra

    some = np.random.default_rng(0).choice(len(places), 150, replace=False)
    road_m = dijkstra(graph, directed=False, indices=some)
    straight_m = np.hypot(*(places[some][:, None] - places[None]).transpose(2, 0, 1))
    pairs = (straight_m > 2000) & (straight_m < 8000) & np.isfinite(road_m)
    return float(np.mean(road_m[pairs] / straight_m[pairs]))


@dataclass(frozen=True)
class RealGraph:
    places: Floats  # [N, 2] metres
    graph: Any  # CSR matrix of lengths in metres
    degree: NDArray[np.int64]  # [N]


def real_graph(name: str, shared_data: SharedData) -> RealGraph:
    """Read one of the real graphs, without the readers that other tests are about."""
    import pandas as pd
    from scipy.sparse import csr_array

    from crowdgym.data.roads.projection import project_utm

    if name == "haikou-synth":
        nodes, links = (pd.read_csv(shared_data(f"haikou/{file}.csv")) for file in ("node", "link"))
        columns = ["node_id", "x_coord", "y_coord"], ["from_node_id", "to_node_id", "length"]
    else:
        nodes, links = (
            pd.read_csv(shared_data("chengdu/Node.csv")),
            pd.read_csv(shared_data("chengdu/edges_derived.csv")),
        )
        columns = ["NodeID", "Longitude", "Latitude"], ["u", "v", "length_m"]
    ids, longitude, latitude = (nodes[column].to_numpy() for column in columns[0])
    x_m, y_m, _ = project_utm(longitude, latitude, name)
    order = np.argsort(ids)
    ends = [order[np.searchsorted(ids, links[column].to_numpy(), sorter=order)] for column in columns[1][:2]]
    low, high = np.minimum(*ends), np.maximum(*ends)
    _, once = np.unique(low * len(ids) + high, return_index=True)
    once = once[low[once] != high[once]]
    length_m = np.maximum(links[columns[1][2]].to_numpy(float)[once], 1.0)
    graph = csr_array((length_m, (low[once], high[once])), shape=(len(ids), len(ids)))
    degree = np.bincount(np.concatenate([low[once], high[once]]), minlength=len(ids))
    return RealGraph(np.column_stack([x_m, y_m]), graph, degree)


@pytest.mark.parametrize("name", BIG)
def test_about_61_000_orders_a_day_for_14_days(city: City, name: str) -> None:
    per_day = np.bincount(city(name).orders.time_s // DAY_S)
    assert per_day == pytest.approx(np.full(14, 61_000), rel=0.02)


def test_tiny_has_600_orders_a_day_for_14_days(city: City) -> None:
    per_day = np.bincount(city("tiny").orders.time_s // DAY_S)
    assert per_day == pytest.approx(np.full(14, 600), rel=0.2)


@pytest.mark.parametrize("name", [*BIG, "tiny"])
def test_orders_are_in_the_order_of_time_and_lead_elsewhere(city: City, name: str) -> None:
    orders, nodes = city(name).orders, city(name).network.num_nodes
    assert np.all(np.diff(orders.time_s) >= 0)
    assert np.all((orders.origin >= 0) & (orders.origin < nodes))
    assert np.all((orders.destination >= 0) & (orders.destination < nodes))
    assert np.all(orders.origin != orders.destination)


@pytest.mark.parametrize("name", BIG)
@pytest.mark.parametrize("weekend", [False, True])
def test_no_hour_of_the_day_is_off_by_more_than_a_sixth_of_a_percent(city: City, name: str, weekend: bool) -> None:
    published = np.array(WEEKEND_PERCENT if weekend else WEEKDAY_PERCENT)
    assert hourly_percent(city(name), weekend=weekend) == pytest.approx(published, abs=0.17)


@pytest.mark.parametrize(
    ("name", "log_mean", "log_sd"),
    [("haikou-synth", 8.690, 0.603), ("chengdu-synth", 1.728 + np.log(1000), 0.551), ("tiny", 6.6, 0.4)],
)
def test_trip_lengths_are_lognormal(city: City, name: str, log_mean: float, log_sd: float) -> None:
    """Mean of the logarithm within 0.03, standard deviation within 0.025, no quantile's share off by more than 0.03."""
    from scipy.stats import norm

    logs = np.sort(np.log(trips(city(name))[0]))
    assert logs.mean() == pytest.approx(log_mean, abs=0.03)
    assert logs.std() == pytest.approx(log_sd, abs=0.025)
    assert norm.cdf((logs - log_mean) / log_sd) == pytest.approx((np.arange(len(logs)) + 0.5) / len(logs), abs=0.03)


@pytest.mark.parametrize(("name", "published"), [("haikou-synth", 1.51), ("chengdu-synth", 1.25)])
def test_roads_lead_as_far_round_as_published(city: City, name: str, published: float) -> None:
    """Mean over orders, within 0.12: Haikou's figure contains one-way streets, which the synthetic city has not."""
    road_m, straight_m = trips(city(name))
    assert np.mean(road_m / straight_m) == pytest.approx(published, abs=0.12)


def test_in_haikou_the_busiest_nodes_hold_the_published_shares_of_origins(city: City) -> None:
    counts = np.bincount(city("haikou-synth").orders.origin, minlength=city("haikou-synth").network.num_nodes)
    assert top_shares(counts) == pytest.approx([0.19, 0.55, 0.77], abs=0.01)


def test_in_chengdu_the_busiest_cells_hold_the_published_shares_of_origins(city: City) -> None:
    network, origin = city("chengdu-synth").network, city("chengdu-synth").orders.origin
    assert top_shares(cell_counts(network.x_m[origin], network.y_m[origin])) == pytest.approx(
        [0.16, 0.46, 0.65], abs=0.01
    )


@pytest.mark.parametrize("name", BIG)
def test_the_categories_at_origins_have_the_published_mix(city: City, name: str) -> None:
    """Within half a percent; the published percentages are of what is known and add up to 96.5."""
    published = np.array(list(CATEGORIES.values()))
    counts = np.bincount(city(name).category[city(name).orders.origin], minlength=len(CATEGORIES))
    assert 100 * counts / counts.sum() == pytest.approx(100 * published / published.sum(), abs=0.5)


@pytest.mark.real_data
def test_hours_are_those_of_the_real_haikou(city: City, shared_data: SharedData) -> None:
    """184 days of 2017, within a fifth of a percent."""
    counts = {True: np.zeros(24), False: np.zeros(24)}
    with shared_data("haikou/hourly_counts.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            month, day = map(int, row["date"].split("/"))
            counts[datetime.date(2017, month, day).weekday() >= 5] += json.loads(row["hour_count"])
    for weekend, count in counts.items():
        real = 100 * count / count.sum()
        assert hourly_percent(city("haikou-synth"), weekend=weekend) == pytest.approx(real, abs=0.2)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "tolerance"), [("haikou-synth", 0.15), ("chengdu-synth", 0.20)])
def test_degrees_are_shared_out_as_in_the_real_graph(
    city: City, shared_data: SharedData, name: str, tolerance: float
) -> None:
    """Total variation distance of the shares of degree 1, 2, 3, 4 and 5 or more.

    It cannot be 0: the published counts make a mean degree of 2.99 and 3.10, the real graphs have 2.80 and 2.93.
    """
    network = city(name).network
    shares = degree_shares(np.diff(network.indptr))
    assert 0.5 * np.abs(shares - degree_shares(real_graph(name, shared_data).degree)).sum() < tolerance


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "tolerance"), [("haikou-synth", 0.12), ("chengdu-synth", 0.20)])
def test_roads_lead_as_far_round_as_in_the_real_graph(
    city: City, shared_data: SharedData, name: str, tolerance: float
) -> None:
    """Mean over pairs of nodes 2 to 8 km apart; the real graph of Chengdu lacks roads, ours is nearer to the orders."""
    from scipy.sparse import csr_array

    network = city(name).network
    graph = csr_array((network.length * network.unit_m, network.indices, network.indptr))
    synthetic = circuity(np.column_stack([network.x_m, network.y_m]), graph)
    real = real_graph(name, shared_data)
    assert synthetic == pytest.approx(circuity(real.places, real.graph), abs=tolerance)


@pytest.mark.real_data
def test_trips_are_as_far_round_as_real_ones_in_haikou(city: City, shared_data: SharedData) -> None:
    """Median over 1,766 real orders of the length that the platform states over the great circle, within 0.06."""
    import pandas as pd

    from crowdgym.data.roads.projection import great_circle_m

    rows = pd.read_csv(shared_data("haikou/gaia_raw_sample.csv"), index_col=0)
    rows.columns = [column.split(".")[-1] for column in rows.columns]
    ends = [rows[column].to_numpy(float) for column in ("starting_lng", "starting_lat", "dest_lng", "dest_lat")]
    straight_m, stated_m = great_circle_m(*ends), rows["start_dest_distance"].to_numpy(float)
    usable = (straight_m > 300) & (stated_m > 0) & (stated_m < 60_000)
    ours = np.divide(*trips(city("haikou-synth")))
    assert np.median(ours) == pytest.approx(np.median(stated_m[usable] / straight_m[usable]), abs=0.06)


@pytest.mark.real_data
def test_origins_are_as_concentrated_as_real_ones_in_haikou(city: City, shared_data: SharedData) -> None:
    """Shares of the busiest 1, 5 and 10 % of nodes over 14 days of the hour from 8, within 0.02."""
    import pandas as pd

    shared_data("haikou/orders/2017-05-01.csv")
    files = sorted(shared_data("haikou/orders").glob("*.csv"))
    origin = np.concatenate([pd.read_csv(file, usecols=["origin_id"])["origin_id"].to_numpy() for file in files])
    nodes = pd.read_csv(shared_data("haikou/node.csv"), usecols=["node_id"])["node_id"].to_numpy()
    real = np.bincount(np.searchsorted(np.sort(nodes), origin), minlength=len(nodes))
    counts = np.bincount(city("haikou-synth").orders.origin, minlength=city("haikou-synth").network.num_nodes)
    assert top_shares(counts) == pytest.approx(top_shares(real), abs=0.02)


@pytest.mark.real_data
def test_origins_are_as_concentrated_as_real_ones_in_chengdu(city: City, shared_data: SharedData) -> None:
    """Shares of the busiest 1, 5 and 10 % of 500 m cells of the 52,355 points, within 0.02."""
    import pandas as pd

    from crowdgym.data.roads.projection import project_utm

    path = shared_data("chengdu/pick_up_tasks.txt")
    points = pd.read_csv(path, header=None, lineterminator="\r", usecols=[1, 2]).to_numpy(float)
    x_m, y_m, _ = project_utm(points[:, 1], points[:, 0], "the points")
    network, origin = city("chengdu-synth").network, city("chengdu-synth").orders.origin
    ours = top_shares(cell_counts(network.x_m[origin], network.y_m[origin]))
    assert ours == pytest.approx(top_shares(cell_counts(x_m, y_m)), abs=0.02)
