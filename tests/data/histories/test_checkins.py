"""Check-ins: reading them, leaving rare ones out, putting them on nodes, and the population that they make."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from crowdgym.cli.main import app
from crowdgym.common.errors import ConfigError, DataError
from crowdgym.data.dataset import Dataset
from crowdgym.data.histories.checkins.checkins import Checkins
from crowdgym.data.histories.checkins.formats import CheckinColumns
from crowdgym.data.histories.checkins.place import (
    PlacedCheckins,
    checkins_of,
    often,
    place_checkins,
    points_of,
    with_roots,
)
from crowdgym.data.histories.checkins.read import CheckinOptions, RawCheckins, read_checkins
from crowdgym.data.histories.recorded import recorded_population
from crowdgym.data.histories.synthetic import PopulationPlan
from crowdgym.data.orders.raw import Coordinates
from crowdgym.data.orders.snapper import Snapper
from crowdgym.data.orders.stream import OrderStream
from crowdgym.data.registry import load_dataset
from crowdgym.envs import preference_v0
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes

NOON_S = int(np.datetime64("2012-04-03T12:00:00").astype("datetime64[s]").astype(np.int64))


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def raw_of(user: str, place: str, category: list[str] | None = None) -> RawCheckins:
    """A letter of ``user`` and of ``place`` for each check-in, a second apart; the places lie 0.001 degrees apart."""
    number = np.array([ord(letter) - ord("a") for letter in place])
    names = category or [letter.upper() for letter in place]
    where = Coordinates(104.07 + 0.001 * number, np.full(len(place), 30.66))
    return RawCheckins(np.array(list(user)), np.array(list(place)), np.array(names), where, np.arange(len(user)))


def test_foursquare_by_hand(tmp_path: Path) -> None:
    file = written(
        tmp_path / "dataset_TSMC2014_NYC.txt",
        "470\tv1\tc9\tCafé\t40.71\t-74.00\t-240\tTue Apr 03 16:00:00 +0000 2012",
        "979\tv2\tc8\tGym\t40.72\t-74.01\t-240\tnever",
    )
    raw, reports = read_checkins([file])
    assert (raw.user.tolist(), raw.place.tolist(), raw.category.tolist()) == (["470"], ["v1"], ["Café"])
    assert (raw.where.longitude_deg.tolist(), raw.where.latitude_deg.tolist()) == ([-74.0], [40.71])
    assert raw.time_s.tolist() == [NOON_S]  # 16:00 in Greenwich is 12:00 there
    assert reports[file.name].unusable == {"bad time": 1}


def test_gowalla_has_no_categories(tmp_path: Path) -> None:
    raw, _ = read_checkins([written(tmp_path / "g.txt", "0\t2012-04-03T12:00:00Z\t30.2\t-97.7\t22847")])
    assert (raw.user.tolist(), raw.place.tolist(), raw.category.tolist()) == (["0"], ["22847"], [""])
    assert raw.time_s.tolist() == [NOON_S]


def test_yelp_by_hand(tmp_path: Path) -> None:
    """A business counts as the kind that most businesses have; reviews of businesses that are not there are counted."""
    businesses = [
        {"business_id": "b1", "latitude": 30.2, "longitude": -97.7, "categories": "Tacos, Food"},
        {"business_id": "b2", "latitude": 30.3, "longitude": -97.8, "categories": "Food"},
        {"business_id": "b3", "latitude": 30.3, "longitude": -97.8, "categories": None},
    ]
    reviews = [
        {"user_id": "u", "business_id": place, "date": "2012-04-03 12:00:00"} for place in ("b1", "b2", "b3", "b9")
    ]
    files = [
        written(tmp_path / "business.json", *map(json.dumps, businesses)),
        written(tmp_path / "review.json", *map(json.dumps, reviews)),
    ]
    raw, reports = read_checkins(files)
    assert raw.category.tolist() == ["Food", "Food", ""]
    assert raw.time_s.tolist() == 3 * [NOON_S]
    assert reports["review.json"].unusable == {"business that no file places": 1}
    with pytest.raises(DataError, match=r"review.json hold no businesses; expected both files of Yelp"):
        read_checkins(files[1:])
    with pytest.raises(DataError, match=r"broken.json, line 1: no JSON object"):
        read_checkins([written(tmp_path / "broken.json", '{"a": ')])


def test_a_table_by_its_names_and_by_columns(tmp_path: Path) -> None:
    rows = ("u,v,Bar,104.07,30.66,2012-04-03 12:00", "w,v,Bar,104.07,30.66,2012-04-03 12:00")
    known = written(tmp_path / "known.csv", "user_id,place_id,category,lng,lat,time", *rows)
    other = written(tmp_path / "other.csv", "wer,wo,was,x,y,wann", *rows)
    columns = CheckinColumns("wer", "wo", "x", "y", "wann", "was")
    for file, named in ((known, CheckinColumns()), (other, columns)):
        raw, _ = read_checkins([file], CheckinOptions(named, crs="wgs84"))
        assert (raw.user.tolist(), raw.category.tolist(), raw.time_s.tolist()) == (
            ["u", "w"],
            2 * ["Bar"],
            2 * [NOON_S],
        )
    with pytest.raises(DataError, match="has no column for user, place, longitude, latitude, time of check-ins"):
        read_checkins([other])
    with pytest.raises(DataError, match="nothing says in which system; expected --crs"):
        read_checkins([known])


def test_rare_users_and_places_are_left_out_until_none_is_left() -> None:
    # b has ten check-ins, but two of them are at a place that has only four: then b has too few, and so on
    user = "a" * 10 + "b" * 10 + "c" * 2
    place = "p" * 5 + "q" * 5 + "p" * 4 + "q" * 4 + "r" * 2 + "r" * 2
    assert often(raw_of(user, place)).tolist() == 10 * [True] + 12 * [False]


def ring_dataset(checkins: Checkins | None = None) -> Dataset:
    """Eight nodes at 30.66 degrees north, 0.001 degrees apart."""
    from crowdgym.data.roads.network import RoadNetwork

    x_m = 96.0 * np.arange(8)
    neighbours = np.sort(np.stack([np.arange(8) - 1, np.arange(8) + 1], axis=1) % 8, axis=1)
    network = RoadNetwork(
        node_ids=np.arange(8),
        x_m=x_m,
        y_m=np.zeros(8),
        longitude_deg=104.07 + 0.001 * np.arange(8),
        latitude_deg=np.full(8, 30.66),
        indptr=np.arange(0, 17, 2, dtype=np.int32),
        indices=neighbours.ravel().astype(np.int32),
        length=np.full(16, 100, np.int32),
        unit_m=1.0,
        crs="+proj=eqc +lat_ts=30.66 +lat_0=30.66 +lon_0=104.07 +datum=WGS84",
    )
    orders = OrderStream(np.array([0]), np.array([0], np.int32), np.array([-1], np.int32))
    return Dataset("ring", network, orders, np.arange(8, dtype=np.int8), checkins=checkins)


def placed_of(raw: RawCheckins, max_snap_m: float = 50.0) -> PlacedCheckins:
    return place_checkins(raw, Snapper(ring_dataset().network, max_snap_m))


def test_check_ins_are_put_on_the_nearest_node() -> None:
    raw = raw_of("u" * 10 + "v" * 11, "aaaaabbbbb" + "aaaaabbbbbz")
    placed = placed_of(raw)
    assert placed.node.tolist() == 2 * (5 * [0] + 5 * [1])
    assert (placed.report.read, placed.report.too_far, placed.report.kept) == (21, 1, 20)
    assert placed.report.sentence == (
        "kept 20 of 21, of 2 users at 2 places; left out 1 too far from every node, 0 of rare users or places"
    )
    with pytest.raises(DataError, match="of 3 check-ins 3 are within 50 m of a road node, and none of them"):
        placed_of(raw_of("uuu", "aaa"))


def test_there_are_eight_kinds_at_most_and_roots_come_first() -> None:
    names = [f"kind {i % 9}" for i in range(90)] + 5 * ["kind 3"]
    raw = raw_of("u" * 95, "abcdefgha" * 10 + "ddddd", names)
    points = points_of(placed_of(raw))
    assert points is not None
    assert points.names == ("kind 3", "kind 0", "kind 1", "kind 2", "kind 4", "kind 5", "kind 6", "other")
    assert placed_of(raw).report.other_categories == 2
    rooted = points_of(placed_of(with_roots(raw, {f"kind {i}": "even" for i in range(0, 9, 2)})))
    assert rooted is not None
    assert rooted.names == ("even", "kind 3", "kind 1", "kind 5", "kind 7")
    assert points_of(placed_of(raw_of("u" * 10, "a" * 10, 10 * [""]))) is None


def test_places_without_a_kind_get_that_of_their_node() -> None:
    placed = placed_of(raw_of("u" * 10, "aaaaaccccc", 5 * ["Bar"] + 5 * [""]))
    found = checkins_of(placed, np.full(8, 4, np.int8), ("Bar", "other"))
    assert found.place_category.tolist() == [0, 4]
    assert found.place_node.tolist() == [0, 2]


def test_check_ins_are_sorted_by_user_then_time() -> None:
    raw = raw_of("vu" * 10, "ab" * 10)
    backwards = raw.rows(np.arange(20)[::-1])
    found = checkins_of(placed_of(backwards), np.zeros(8, np.int8), ("A", "B"))
    assert found.user.tolist() == 10 * [0] + 10 * [1]
    assert found.time_s.tolist() == [*range(1, 20, 2), *range(0, 20, 2)]
    assert found.place.tolist() == 10 * [1] + 10 * [0]


def people(seed: int = 0, users: int = 6, hidden: int = 1) -> Checkins:
    """Ten check-ins of each user, of which eight are at its node, and the last two at the node of number ``hidden``."""
    place = np.repeat(np.arange(users), 10).astype(np.int32)
    place[np.arange(users * 10) % 10 >= 8] = hidden
    return Checkins(
        place_node=np.arange(users, dtype=np.int32),
        place_category=np.arange(users, dtype=np.int8),
        user=np.repeat(np.arange(users), 10).astype(np.int32),
        place=place,
        time_s=np.tile(np.arange(10.0), users),
    )


PLAN = PopulationPlan(4, 2, 50, 0, 0, 1.0, 3)


def test_the_last_fifth_is_hidden_and_gives_the_preference() -> None:
    drawn = recorded_population(ring_dataset(), people(hidden=5), PLAN)
    for centre in range(2):
        own = drawn.histories.of(centre)
        assert np.bincount(own.worker).max() == 8  # of ten
        assert 5 not in own.place[own.place != own.category].tolist()
    expected = np.full(8, 0.5 / 6)
    expected[5] = 2.5 / 6
    np.testing.assert_allclose(drawn.preference, np.tile(expected, (4, 1)))


def test_what_is_hidden_is_in_no_history() -> None:
    one, other = (recorded_population(ring_dataset(), people(hidden=place), PLAN) for place in (1, 2))
    np.testing.assert_array_equal(one.histories.digest, other.histories.digest)
    assert (one.preference != other.preference).any()


def test_centres_are_of_equal_size_and_lie_together() -> None:
    """The workers live at nodes in a row, so that each centre has neighbours."""
    drawn = recorded_population(ring_dataset(), people(), PLAN)
    homes = [sorted(set(drawn.histories.of(centre).place.tolist())) for centre in range(2)]
    assert [len(home) for home in homes] == [2, 2]
    assert max(homes[0]) < min(homes[1]) or max(homes[1]) < min(homes[0])
    assert drawn.centre.tolist() == [0, 0, 1, 1]


def test_a_seed_fixes_the_workers_and_there_are_no_more_than_users() -> None:
    one, same = (recorded_population(ring_dataset(), people(), PLAN) for _ in range(2))
    np.testing.assert_array_equal(one.histories.digest, same.histories.digest)
    plan = PopulationPlan(7, 2, 50, 0, 0, 1.0, 3)
    with pytest.raises(ConfigError, match="num_workers must be at most 6, the users with check-ins in ring, got 7"):
        recorded_population(ring_dataset(), people(), plan)


def test_a_city_with_check_ins_is_built_and_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --orders the check-ins are the orders, too."""
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path / "cache"))
    nodes = [f"{n},{104.07 + 0.001 * n:.3f},30.66" for n in range(8)]
    links = [f"{n},{n + 1},100" for n in range(7)]
    rows = [f"u{u}\tv{n}\tc\tKind {n}\t30.66\t{104.07 + 0.001 * n:.3f}\t480\tTue Apr 03 0{n}:0{u}:00 +0000 2012"
            for u in range(6) for n in range(5) for _ in range(2)]  # fmt: skip
    words = [
        "data",
        "build",
        "foursquare-row",
        "--nodes",
        str(written(tmp_path / "node.csv", "node_id,x_coord,y_coord", *nodes)),
    ]
    words += ["--links", str(written(tmp_path / "link.csv", "from_node_id,to_node_id,length", *links))]
    words += ["--checkins", str(written(tmp_path / "visits.txt", *rows))]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "check-ins: kept 60 of 60, of 6 users at 5 places" in result.output.replace("\n", " ")
    dataset = load_dataset("foursquare-row")
    assert dataset.checkins is not None
    assert dataset.category_names == tuple(f"Kind {n}" for n in range(5))
    env = preference_v0.parallel_env(
        scenario="foursquare-row",
        num_workers=6,
        num_centres=2,
        num_tasks=12,
        horizon_s=3600.0,
        window_start_s=8 * 3600.0,
    )
    assert [len(env.histories.of(centre)) for centre in range(2)] == [24, 24]
    run = run_episodes(env, load_policy("km", "preference_v0"), agent="km", episodes=1, seed=0)
    assert run.mean["offered"] > 0


def test_reviews_of_yelp_are_no_orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path / "cache"))
    business = written(
        tmp_path / "business.json", json.dumps({"business_id": "b", "latitude": 30.66, "longitude": 104.0})
    )
    roads = ["--nodes", str(tmp_path / "node.csv"), "--links", str(tmp_path / "link.csv")]
    result = CliRunner().invoke(app, ["data", "build", "yelp-town", *roads, "--checkins", str(business)])
    assert result.exit_code != 0
    said = " ".join(result.stderr.split())
    assert said.startswith("error: --orders is missing: ")
    assert said.endswith("business.json is of Yelp, whose reviews are no orders")
