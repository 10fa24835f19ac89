"""What a city can bring besides places and times: fares, deadlines, quantities, workers, kinds of places, days."""

from pathlib import Path

import numpy as np
import pytest
from dataset_worlds import install, ring

from crowdgym.common.errors import DataError
from crowdgym.data.build import BuildResult, WorkerFiles, build_dataset
from crowdgym.data.dataset import CATEGORIES
from crowdgym.data.orders.days import parse_days
from crowdgym.data.orders.formats import OrderColumns
from crowdgym.data.orders.read import OrderOptions
from crowdgym.data.pois import read_pois
from crowdgym.data.registry import dataset_description, load_dataset
from crowdgym.data.roads.assemble import AssemblyReport

REPORT = AssemblyReport("nowhere", 8, 8, 0, 0, 0, (), 0, 8, 8, 1.0)
NAMED = {"time": "time", "origin_node": "node", "order_id": "id"}


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path / "cache")


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def build(
    folder: Path, *rows: str, more: str = "", options: OrderOptions | None = None, **keywords: object
) -> BuildResult:
    path = write(folder, "orders.csv", f"id,time,node{more}", *rows)
    return build_dataset("mine", ring(), REPORT, [path], options, overwrite=True, **keywords)  # type: ignore[arg-type]


def test_fares_deadlines_and_quantities_are_kept_in_the_order_of_the_stream(tmp_path: Path) -> None:
    columns = OrderColumns(**NAMED, payment="fare", deadline="until", quantity="people")
    rows = [
        "1,2024-05-01 09:00:00,101,7.5,2024-05-01 09:20:00,2",
        "2,2024-05-01 08:00:00,100,,600,1",
        "3,2024-05-01 10:00:00,102,-3,2024-05-01 09:59:00,many",
        "3,2024-05-01 10:00:00,102,4,5,6",
    ]
    build(tmp_path, *rows, more=",fare,until,people", options=OrderOptions(columns=columns))

    orders = load_dataset("mine").orders

    assert orders.parts == ("payment", "deadline_s", "quantity")
    np.testing.assert_array_equal(orders.payment, [np.nan, 7.5, np.nan])
    np.testing.assert_array_equal(orders.deadline_s, [600, 1200, np.nan])
    np.testing.assert_array_equal(orders.quantity, [1, 2, np.nan])
    assert dataset_description("mine")["drawn"] == ["places where workers begin", "kinds of places"]


def test_deadlines_of_seconds_of_day_are_seconds_of_day(tmp_path: Path) -> None:
    columns = OrderColumns(**NAMED, deadline="until")
    build(tmp_path, "1,60,100,9809", more=",until", options=OrderOptions(columns=columns, times="seconds-of-day"))

    np.testing.assert_array_equal(load_dataset("mine").orders.deadline_s, [9749])


def test_a_part_that_one_of_two_files_lacks_is_missing_there(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "Trip Start Timestamp,Fare,Pickup Centroid Longitude,Pickup Centroid Latitude",
          "05/01/2024 08:15:00 PM,10.25,104.0753,30.66")  # fmt: skip
    write(tmp_path, "b.csv", "time,origin_node", "2024-05-01 21:00:00,100")

    build_dataset("mine", ring(), REPORT, [tmp_path / "a.csv", tmp_path / "b.csv"])

    np.testing.assert_array_equal(load_dataset("mine").orders.payment, [10.25, np.nan])


def test_without_parts_the_files_are_what_they_were(tmp_path: Path) -> None:
    build(tmp_path, "1,2024-05-01 09:00:00,101")

    dataset, description = load_dataset("mine"), dataset_description("mine")

    assert (dataset.orders.parts, dataset.workers, dataset.category_names) == ((), None, tuple(CATEGORIES))
    assert not {"order_parts", "worker_parts", "category_names"} & set(description)
    assert sorted(dataset.orders.to_arrays()) == ["destination", "origin", "time_s"]


def test_workers_begin_where_their_log_says_and_have_shifts(tmp_path: Path) -> None:
    log = write(
        tmp_path,
        "drivers.csv",
        "driver,on,node,off",
        "a,2024-05-01 07:00,103,2024-05-01 15:00",
        "b,2024-05-01 06:00,999,",
    )
    columns = OrderColumns(time="on", origin_node="node", deadline="off")
    workers = WorkerFiles([log], OrderOptions(columns=columns))

    result = build(tmp_path, "1,2024-05-01 09:00:00,101", workers=workers)
    loaded = load_dataset("mine").workers

    assert result.workers is not None
    assert result.workers.unusable == {"unknown node": 1}
    assert loaded is not None
    assert (loaded.time_s.tolist(), loaded.origin.tolist()) == ([7 * 3600], [3])
    np.testing.assert_array_equal(loaded.deadline_s, [8 * 3600])
    assert dataset_description("mine")["drawn"] == ["payments", "deadlines", "kinds of places"]


def test_nodes_get_the_kind_of_the_nearest_point_of_interest(tmp_path: Path) -> None:
    """East of the ring a school, west of it a shop."""
    path = write(tmp_path, "pois.csv", "lng,lat,category", "104.08,30.66,education", "104.06,30.66,shopping", "104,30,")

    build(tmp_path, "1,2024-05-01 09:00:00,101", pois=read_pois(path))
    dataset = load_dataset("mine")

    names = [dataset.category_names[kind] for kind in dataset.category]
    assert (names[0], names[4]) == ("education", "shopping")
    assert dataset.category_names == tuple(CATEGORIES)
    assert "kinds of places" not in dataset_description("mine")["drawn"]
    assert dataset_description("mine")["category_seed"] is None


def test_kinds_of_another_scheme_are_the_eight_most_frequent(tmp_path: Path) -> None:
    rows = [f"104.08,30.66,kind {kind}" for kind in range(10) for _ in range(20 - kind)]
    path = write(tmp_path, "pois.csv", "Longitude,Latitude,fclass", *rows)

    pois = read_pois(path)
    build(tmp_path, "1,2024-05-01 09:00:00,101", pois=pois)

    assert pois.names == tuple(f"kind {kind}" for kind in range(8))
    assert pois.left_out == 12 + 11
    assert load_dataset("mine").category_names == pois.names


@pytest.mark.parametrize(
    ("header", "row", "sentence"),
    [
        ("a,lat,category", "1,2,x", "has no column of longitudes; expected lng or lon or longitude or x"),
        ("lng,lat,name", "1,2,x", "has no column of kinds; expected category or kind or type or fclass or amenity"),
        ("lng,lat,category", "1,2,", "has no point with coordinates and a kind"),
        ("lng,lat,category", "1,north,x", "line 2: lat is 'north'; expected a number"),
    ],
)
def test_points_of_interest_that_are_none_are_refused(tmp_path: Path, header: str, row: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_pois(write(tmp_path, "pois.csv", header, row))


THREE_DAYS = [f"{day},2024-05-0{day} 0{day}:00:00,10{day}" for day in (1, 2, 3)]


def test_days_are_chosen_when_a_dataset_is_built(tmp_path: Path) -> None:
    result = build(tmp_path, *THREE_DAYS, options=OrderOptions(days=parse_days("2024-05-02..2024-05-03")))

    assert result.dataset.orders.time_s.tolist() == [2 * 3600, 86_400 + 3 * 3600]
    assert result.orders.unusable == {"a day that is not chosen": 1}
    assert dataset_description("mine")["first_day"] == "2024-05-02"


def test_a_day_that_is_chosen_is_no_loss_and_one_without_orders_is_refused(tmp_path: Path) -> None:
    assert build(tmp_path, *THREE_DAYS, options=OrderOptions(days=parse_days("2024-05-02"))).orders.loss is None
    with pytest.raises(DataError, match="no order is on 2025-01-01; the orders are of 2024-05-01 to 2024-05-03"):
        build(tmp_path, *THREE_DAYS, options=OrderOptions(days=parse_days("2025-01-01")))


def test_a_scenario_can_be_a_day_of_a_dataset(tmp_path: Path) -> None:
    build(tmp_path, *THREE_DAYS)

    day, days = load_dataset("mine@2024-05-02"), load_dataset("mine@2024-05-02..2024-05-03")

    assert (day.name, day.orders.time_s.tolist(), day.orders.origin.tolist()) == ("mine@2024-05-02", [7200], [2])
    assert days.orders.time_s.tolist() == [7200, 86_400 + 10_800]
    assert day.network is load_dataset("mine").network
    assert load_dataset("mine@2024-05-02") is day


def test_a_day_of_a_dataset_that_was_built_again_is_that_of_the_new_one(tmp_path: Path) -> None:
    build(tmp_path, *THREE_DAYS)
    before = load_dataset("mine@2024-05-02")
    build(tmp_path, "2,2024-05-02 05:00:00,105")

    assert before.orders.time_s.tolist() == [7200]
    assert load_dataset("mine@2024-05-02").orders.time_s.tolist() == [5 * 3600]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mine@yesterday", "the part behind @ of 'mine@yesterday' is 'yesterday'; expected a day as 2017-05-01"),
        ("mine@2024-05-03..2024-05-01", "expected a day as 2017-05-01, or days as"),
        ("mine@2024-13-01", "expected a day as 2017-05-01, or days as"),
        ("mine@2024-06-01", "'mine' has no order on 2024-06-01; its orders are of 2024-05-01 to 2024-05-03"),
        ("ringtown@2024-05-01", "the orders of 'ringtown' have no dates; expected the name without @2024-05-01"),
        ("nothing@2024-05-01", "unknown dataset or scenario 'nothing'"),
    ],
)
def test_days_that_are_none_are_refused(tmp_path: Path, name: str, sentence: str) -> None:
    build(tmp_path, *THREE_DAYS)

    with pytest.raises(DataError, match=sentence):
        load_dataset(name)


def test_a_first_day_that_is_no_date_is_a_damaged_description(tmp_path: Path) -> None:
    file = build(tmp_path, *THREE_DAYS).folder / "dataset.json"
    file.write_text(file.read_text().replace('"first_day": "2024-05-01"', '"first_day": "soon"'))

    with pytest.raises(DataError, match="has the first day 'soon'; expected a date"):
        load_dataset("mine")
