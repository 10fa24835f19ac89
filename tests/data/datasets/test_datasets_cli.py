"""``crowdgym data`` as a person types it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from dataset_worlds import install, write_order_file, write_road_files
from typer.testing import CliRunner, Result

from crowdgym.cli.data.view import hourly_chart
from crowdgym.cli.main import app
from crowdgym.cli.shared.endings import clean_endings
from crowdgym.common.errors import DataError, DataWarning
from crowdgym.data.store import datasets_folder

Crowdgym = Callable[..., Result]


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Crowdgym:
    """Run ``crowdgym data ...`` in a folder that holds node.csv, link.csv and orders.csv."""
    install(monkeypatch, tmp_path / "cache")
    write_road_files(tmp_path)
    write_order_file(tmp_path / "orders.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(line: str) -> Result:
        return CliRunner().invoke(app, ["data", *line.split()])

    return run


ROADS = "--nodes node.csv --links link.csv"


def test_build_says_what_was_read_left_out_and_written(data: Crowdgym, tmp_path: Path) -> None:
    result = data(f"build mine {ROADS} --orders orders.csv")

    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        "roads: read 8 nodes and 8 roads from node.csv and link.csv",
        "roads: kept 8 nodes and 8 edges",
        "orders: read 16 rows of 1 file (table)",
        "orders: left out 1 with missing time",
        "orders: left out 1 with bad time, such as 'soon'",
        "orders: left out 1 with unknown node, such as '999'",
        "orders: left out 1 with repeated order",
        "orders: clock: times without a zone are local",
        "orders: kept 12, first day 2016-11-01",
        f"wrote {tmp_path / 'cache' / 'datasets' / 'mine'}",
        "use it with scenario='mine'; see 'crowdgym data info mine'",
    ]


def test_build_says_how_far_places_were_moved_and_which_are_too_far(data: Crowdgym, tmp_path: Path) -> None:
    rows = ["2016-11-01 08:00:00,104.0753,30.66,104.0647,30.66", "2016-11-01 08:00:00,104.5,30.66,104.0647,30.66"]
    (tmp_path / "places.csv").write_text("time,start_lng,start_lat,end_lng,end_lat\n" + "\n".join(rows))

    result = data(f"build mine {ROADS} --orders places.csv --crs wgs84 --max-snap-m 300")

    assert "orders: left out 1 too far from any road (more than 300 m), such as '104.5, 30.66'" in result.stdout
    assert re.search(
        r"orders: moved pick-ups to the nearest node, median \d\d m, 90 % below \d\d m, at most", result.stdout
    )


def test_build_tells_points_from_orders_and_nothing_of_a_day_where_there_are_no_dates(
    data: Crowdgym, tmp_path: Path
) -> None:
    points = "".join(f"d,{order},{1_477_929_600 + i},104.0753,30.66\n" for i, order in enumerate("aaabb"))
    (tmp_path / "points.txt").write_text(points)
    (tmp_path / "dateless.csv").write_text("60,100\n61,101\n")

    gps = data(f"build gps {ROADS} --orders points.txt --crs wgs84")
    dateless = data(
        f"build dateless {ROADS} --orders dateless.csv --column time=1 --column origin_node=2 --times seconds-of-day"
    )

    assert "orders: read 5 rows of 1 file (gaia-gps), 2 orders\n" in gps.stdout
    assert "orders: kept 2\n" in dateless.stdout
    assert re.search(r"days +1\n", data("info dateless").stdout)


def test_an_unquoted_pattern_that_the_shell_has_expanded_is_understood(data: Crowdgym, tmp_path: Path) -> None:
    write_order_file(tmp_path / "more.csv", lambda text: text.replace("11-01", "11-02"))

    result = data(f"build mine {ROADS} --orders orders.csv more.csv")

    assert result.exit_code == 0
    assert "read 32 rows of 2 files" in result.stdout


def test_info_shows_counts_box_checksum_days_hours_and_trips(data: Crowdgym) -> None:
    data(f"build mine {ROADS} --orders orders.csv")

    shown = data("info mine").stdout

    assert re.search(r"nodes +8\n", shown)
    assert re.search(r"edges +8 \(16 directed arcs, lengths in units of 1 m\)", shown)
    assert re.search(r"bounding box +104\.0650, 30\.6550 to 104\.0750, 30\.6650", shown)
    assert re.search(r"checksum +[0-9a-f]{64}\n", shown)
    assert re.search(r"orders +12, 12 with a destination", shown)
    assert re.search(r"days +1 from 2016-11-01", shown)
    assert re.search(r"trip by road +median 1\.50 km, 10 % below 1\.50 km, 10 % above 1\.50 km", shown)
    assert re.search(r"^08 +8\.33 +█+$", shown, flags=re.MULTILINE)
    assert re.search(r"^23 +0\.00$", shown, flags=re.MULTILINE)


def test_the_hourly_chart_is_drawn_to_the_longest_bar() -> None:
    import numpy as np

    counts = np.zeros(24, np.int64)
    counts[7], counts[8] = 10, 40

    lines = hourly_chart(counts)

    assert lines[7] == "07  20.00  " + "█" * 10
    assert lines[8] == "08  80.00  " + "█" * 40
    assert lines[0] == "00   0.00"


def test_info_of_an_embedded_city_builds_it(data: Crowdgym) -> None:
    result = data("info ringtown")

    assert result.exit_code == 0
    assert re.search(r"orders +3, 2 with a destination", result.stdout)
    assert (datasets_folder() / "ringtown" / "network.npz").exists()


def test_list_shows_cities_and_datasets_with_their_counts_and_builds_nothing(data: Crowdgym) -> None:
    data(f"build mine {ROADS} --orders orders.csv")
    (datasets_folder() / "broken").mkdir()
    (datasets_folder() / "broken" / "dataset.json").write_text("{")

    lines = [line.split() for line in data("list").stdout.splitlines()]

    assert ["ringtown", "city", "-", "-", "-", "-", "built", "in,", "not", "made", "yet"] in lines
    assert ["mine", "city", "8", "8", "12", "1", "built", "from", "files"] in lines
    assert ["broken", "?", "?", "?", "?", "?", "built", "from", "files,", "damaged"] in lines
    assert not (datasets_folder() / "ringtown").exists()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("build mine --orders orders.csv", "roads are read from one source, found none; expected one of --nodes and"),
        (f"build mine {ROADS} --roads x.osm --orders orders.csv", "found --nodes and --links and --roads"),
        ("build mine --nodes node.csv --orders orders.csv", "--nodes is given alone; expected --nodes and --links"),
        ("build mine --bbox 1,2,3 --orders orders.csv", "--bbox is '1,2,3'; expected WEST,SOUTH,EAST,NORTH"),
        (f"build mine {ROADS} --orders nothing*.csv", "no file matches 'nothing*.csv'"),
        (f"build mine {ROADS} --orders node.csv", "node.csv is in no format known for orders"),
        (f"build mine {ROADS} --orders orders.csv --format gaia-chengdu", "orders.csv is not gaia-chengdu"),
        (f"build mine {ROADS} --orders orders.csv --format gaia", "--format is 'gaia'; expected one of"),
        (
            f"build mine {ROADS} --orders orders.csv --crs utm",
            "--crs is 'utm'; expected wgs84 (GPS and",
        ),
        (
            f"build mine {ROADS} --orders orders.csv --time-zone 99",
            "--time-zone is '99'; expected a name",
        ),
        (f"build mine {ROADS} --orders orders.csv --max-snap-m 0", "--max-snap-m is 0.0; expected a distance"),
        (f"build mine {ROADS} --orders orders.csv --column when=x", "--column is 'when=x'; expected KEY=COLUMN where"),
        (f"build mine {ROADS} --orders orders.csv --column time=a --column time=b", "--column time is given twice"),
        (f"build mine {ROADS} --orders orders.csv --road-column tail=u", "--road-column lacks node_id, longitude"),
        (f"build mine {ROADS} --two-way --arcs --orders orders.csv", "--two-way and --arcs are given together"),
        (f"build ringtown {ROADS} --orders orders.csv", "the name 'ringtown' belongs to a city that is built in"),
        (f"build Mine {ROADS} --orders orders.csv", "the name 'Mine' of a dataset is not valid"),
        ("info mine", "unknown dataset or scenario 'mine'"),
    ],
)
def test_bad_input_is_one_line_on_standard_error_exit_code_2_and_no_dataset(
    data: Crowdgym, line: str, expected: str
) -> None:
    result = data(line)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert expected in result.stderr
    assert not datasets_folder().exists()


def test_a_taken_name_is_refused_and_force_replaces_it(data: Crowdgym) -> None:
    data(f"build mine {ROADS} --orders orders.csv")

    again = data(f"build mine {ROADS} --orders orders.csv")
    forced = data(f"build mine {ROADS} --orders orders.csv --force")

    assert again.exit_code == 2
    assert "the dataset 'mine' exists already" in again.stderr
    assert forced.exit_code == 0


def test_columns_of_roads_and_orders_can_be_named(data: Crowdgym, tmp_path: Path) -> None:
    for name, old, new in (
        ("node.csv", "node_id,x_coord,y_coord", "a,b,c"),
        ("link.csv", "from_node_id,to_node_id,length", "d,e,f"),
        ("orders.csv", "order_id,time,origin_id,destination_id", "g,h,i,j"),
    ):
        path = tmp_path / name
        path.write_text(path.read_text().replace(old, new))
    roads = " ".join(f"--road-column {pair}" for pair in ["node_id=a", "longitude=b", "latitude=c", "tail=d", "head=e"])
    columns = "--column order_id=g --column time=h --column origin_node=3 --column destination_node=j"

    result = data(f"build mine {ROADS} {roads} --orders orders.csv {columns}")

    assert result.exit_code == 0, result.stderr
    assert "orders: kept 12" in result.stdout


def test_only_refusals_of_crowdgym_become_one_line() -> None:
    with pytest.raises(ValueError, match="a fault of the program"), clean_endings():
        raise ValueError("a fault of the program")


def test_a_refusal_of_several_lines_becomes_one_and_a_warning_too(capsys: pytest.CaptureFixture[str]) -> None:
    import warnings

    import typer

    @clean_endings()
    def refuse() -> None:
        warnings.warn("built\nagain", DataWarning, stacklevel=1)
        raise DataError("first\n  second")

    with pytest.raises(typer.Exit) as ending:
        refuse()

    assert ending.value.exit_code == 2
    assert capsys.readouterr().err == "warning: built again\nerror: first second\n"


def test_an_interrupt_becomes_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    with pytest.raises(typer.Exit) as ending, clean_endings():
        raise KeyboardInterrupt
    assert (ending.value.exit_code, capsys.readouterr().err) == (130, "interrupted\n")


def test_a_dataset_is_removed_with_its_files(data: Crowdgym) -> None:
    data(f"build mine {ROADS} --orders orders.csv")

    removed, again, built_in = data("remove mine"), data("remove mine"), data("remove ringtown")

    assert removed.stdout == f"removed {datasets_folder() / 'mine'}\n"
    assert list(datasets_folder().iterdir()) == []
    assert (again.exit_code, built_in.exit_code) == (2, 2)
    assert "unknown dataset or scenario 'mine'" in again.stderr
    assert "the dataset 'ringtown' is built in; expected one that was built or fetched" in built_in.stderr


def test_the_list_is_given_as_json(data: Crowdgym) -> None:
    import json

    data(f"build mine {ROADS} --orders orders.csv")

    rows = {row["name"]: row for row in json.loads(data("list --json").stdout)}

    assert rows["mine"] == {
        "name": "mine",
        "kind": "city",
        "origin": "built from files",
        "state": "made",
        "counts": {"nodes": 8, "edges": 8, "orders": 12, "days": 1},
    }
    assert rows["ringtown"]["state"] == "not made yet"


def test_lengths_that_cannot_be_metres_are_refused_and_read_by_naming_their_unit(
    data: Crowdgym, tmp_path: Path
) -> None:
    links = (tmp_path / "link.csv").read_text().replace(",500\n", ",0.5\n")
    (tmp_path / "link.csv").write_text(links)

    refused, read = (data(f"build mine {ROADS} --orders orders.csv {more}") for more in ("", "--length-unit km"))
    believed = data(f"build mine {ROADS} --orders orders.csv --force --length-unit m")

    assert refused.exit_code == 2
    assert "8 of 8 roads are shorter than the straight line between their ends; which unit are the" in refused.stderr
    assert "--length-unit km would fit" in refused.stderr
    assert "roads: read the lengths in length as km\n" in read.stdout
    assert (believed.exit_code, believed.stderr.startswith("WARNING: 8 of 8 roads are shorter")) == (0, True)


def test_a_build_that_loses_most_rows_ends_loudly_and_fails_if_strict(data: Crowdgym, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("time,origin_id\n2016-11-01,100\n1.11.2016,100\n2.11.2016,100\n")

    loud, strict = (data(f"build {end} --orders orders.csv") for end in (f"a {ROADS}", f"b {ROADS} --strict"))

    assert loud.exit_code == 0
    assert loud.stderr.startswith(
        "WARNING: only 1 of 3 rows are kept (33 %): 2 with bad time, such as '1.11.2016'; --t"
    )
    assert strict.exit_code == 2
    assert not (datasets_folder() / "b").exists()


def test_options_of_the_readers_reach_them(data: Crowdgym, tmp_path: Path) -> None:
    rows = "zeit;x;y\n1.11.2016 12:00 +0000;104,0753;30,66\n"
    (tmp_path / "orders.csv").write_bytes(rows.encode("utf-16"))
    columns = "--column time=zeit --column origin_lng=x --column origin_lat=y --crs wgs84"

    result = CliRunner().invoke(
        app,
        [
            *f"data build mine {ROADS} --orders orders.csv {columns} --decimal-comma --time-zone Asia/Tokyo".split(),
            *["--time-format", "%d.%m.%Y %H:%M %z", "--encoding", "utf-16"],
        ],
    )

    assert result.exit_code == 0, result.stderr
    assert "turned into that of Asia/Tokyo" in result.stdout
    assert re.search(r"^21  100\.00 ", data("info mine").stdout, flags=re.MULTILINE)
