"""Sensing series as datasets: kept, found by name, told from cities, and on the command line."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sensing_tables import TABLE, row_of_three, write_table
from typer.testing import CliRunner, Result

from crowdgym.cli.main import app
from crowdgym.common.errors import DataError, DatasetExistsError
from crowdgym.data import registry
from crowdgym.data.registry import dataset_kind, dataset_names, load_dataset, load_series
from crowdgym.data.sensing.build import keep_series
from crowdgym.data.store import datasets_folder


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(registry, "_loaded", type(registry._loaded)())


def test_what_is_kept_is_what_is_loaded() -> None:
    series = replace(row_of_three(), outline_km=np.array([[0.0, 0.0], [6.0, 8.0]]), crs="EPSG:32632")
    folder = keep_series(series, ["table.csv"]).folder

    loaded = load_series("row")

    assert sorted(path.name for path in folder.iterdir()) == ["dataset.json", "series.npz"]
    assert loaded.checksum == series.checksum
    assert (loaded.cells, loaded.cycles, loaded.attributes) == (series.cells, series.cycles, series.attributes)
    assert load_series("row") is loaded
    assert not loaded.values.flags.writeable
    assert dataset_kind("row") == "sensing"


def test_the_same_series_gives_the_same_bytes_and_another_one_another_checksum() -> None:
    content = []
    for _ in range(2):
        folder = keep_series(row_of_three(), ["table.csv"], overwrite=True).folder
        content.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert content[0] == content[1]
    values = row_of_three().values.copy()
    values[0, 0, 0] += 1e-9
    assert replace(row_of_three(), values=values).checksum != row_of_three().checksum
    assert replace(row_of_three(), cells=("a", "b", "d")).checksum != row_of_three().checksum
    assert replace(row_of_three(), name="other").checksum == row_of_three().checksum


def test_a_series_that_is_replaced_is_loaded_anew() -> None:
    keep_series(row_of_three(), [])
    first = load_series("row")
    with pytest.raises(DatasetExistsError, match="the dataset 'row' exists already"):
        keep_series(row_of_three(), [])
    keep_series(replace(row_of_three(), attributes=("heat", "rain")), [], overwrite=True)
    assert load_series("row").attributes == ("heat", "rain")
    assert first.attributes == ("heat", "dust")


def test_a_damaged_series_is_named() -> None:
    folder = keep_series(row_of_three(), []).folder
    (folder / "series.npz").write_bytes((folder / "series.npz").read_bytes()[:-50])
    with pytest.raises(DataError, match=r"the dataset 'row' cannot be read: .*series\.npz is truncated or damaged"):
        load_series("row")


def test_a_series_is_no_city_and_a_city_no_series() -> None:
    keep_series(row_of_three(), [])
    with pytest.raises(
        DataError, match="the dataset 'row' is a sensing series, and this needs a city; built in are haik"
    ):
        load_dataset("row")
    with pytest.raises(DataError, match="'piemonte-synth' is a sensing series, and this needs a city"):
        load_dataset("piemonte-synth")
    with pytest.raises(
        DataError, match="'tiny' is a city, and this needs a sensing series; built in are piemonte-synth"
    ):
        load_series("tiny")
    with pytest.raises(DataError, match=r"unknown dataset or scenario 'rwo' \(did you mean 'row'\?\)"):
        load_series("rwo")
    assert dataset_names()[-2:] == ("piemonte-synth", "row")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cells": ("a", "b", "a")}, "names 'a' twice in its cells"),
        (
            {"cells": ("a", "b")},
            r"x_km of the series 'row' is float64 of shape \(3,\); expected float64 of shape \(2,\)",
        ),
        ({"values": np.zeros((2, 3, 2), np.float32)}, "values of the series 'row' is float32 of shape"),
        ({"values": np.full((2, 3, 2), np.inf)}, "heat of the cell 'a' in the cycle '2024-05-01' is infinite"),
        ({"x_km": np.array([0.0, np.nan, 6.0])}, "the cell 'b' has no coordinates"),
        ({"cycle_s": 0.0}, "has cycles of 0 s; expected a positive length"),
        ({"outline_km": np.zeros((4, 3))}, r"outline_km of the series 'row' is float64 of shape \(4, 3\)"),
    ],
)
def test_a_series_that_cannot_be_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        replace(row_of_three(), **changes)  # type: ignore[arg-type]


# ---- the command line ----


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Result]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    write_table(tmp_path)
    return lambda line: CliRunner().invoke(app, ["data", *line.split()])


def test_build_from_a_table_says_what_was_read_and_where_it_is(data: Callable[[str], Result], tmp_path: Path) -> None:
    result = data("build row --table table.csv")

    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "series: 3 cells, 2 cycles, 2024-05-01 to 2024-05-02",
        "series: attributes heat, dust; missing values: dust 2 (33.3 %)",
        "series: with 3 participants, as many as cells, every cell is sensed: choose fewer, or there is no choice to "
        "learn",
        f"wrote {tmp_path / 'cache' / 'datasets' / 'row'}",
        "use it with scenario='row'; see 'crowdgym data info row'",
    ]
    assert load_series("row").checksum == row_of_three().checksum


def test_every_column_can_be_named(data: Callable[[str], Result], tmp_path: Path) -> None:
    write_table(tmp_path, TABLE.replace("cell,time,x_km,y_km", "k,t,e,n").replace("2024-05-0", "5/"))
    keys = "--series-column cell=k --series-column time=t --series-column x=e --series-column y=n"
    result = data(f"build row --table table.csv {keys} --attribute dust --time-format %m/%d --unit m --cycle-s 60")
    assert result.exit_code == 0, result.stderr
    series = load_series("row")
    assert (series.attributes, series.cycle_s, series.x_km.tolist()) == (("dust",), 60.0, [0.0, 0.003, 0.006])


def test_list_and_info_show_series_beside_cities(data: Callable[[str], Result]) -> None:
    data("build row --table table.csv")

    rows = [line.split() for line in data("list").stdout.splitlines()]
    shown = data("info row").stdout

    assert ["tiny", "city", "-", "-", "-", "-", "built", "in,", "not", "made", "yet"] in rows
    assert ["piemonte-synth", "sensing", "24", "182", "4", "314", "built", "in"] in rows
    assert ["row", "sensing", "3", "2", "2", "2", "built", "from", "files"] in rows
    assert re.search(r"cells +3, 6\.0 x 8\.0 km\n", shown)
    assert re.search(r"cycles +2 of 86400 s, 2024-05-01 to 2024-05-02\n", shown)
    assert re.search(rf"checksum +{row_of_three().checksum}\n", shown)
    assert re.search(r"sources +table\.csv\n", shown)
    assert re.search(r"heat +2\.25 +0\.8539 +1 +3\.5 +0 ", shown)  # deviation of 1.5 2.5 3.5 1 2 3
    assert "checksum" in data("info piemonte-synth").stdout


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("build row --table nothing.csv", "there is no file nothing.csv"),
        ("build row --table table.csv --series-column place=x", "--series-column is 'place=x'; expected KEY=COLUMN"),
        ("build row --table table.csv --attribute rain", "table.csv has no column 'rain'"),
        ("build row --table table.csv --unit miles", "the unit of coordinates is 'miles'"),
        ("build row --table table.csv --orders o.csv", "a sensing series has no roads and no orders"),
        ("build row --from . --table table.csv", "--from is given with options of --table"),
        ("build row --from .", "there is no file Piemonte_data_byday.csv"),
        ("build row", "--orders is missing; expected files of orders (or --from or --table for a sensing series)"),
        ("build piemonte-synth --table table.csv", "belongs to a sensing series that is built in"),
        ("fetch row", "'row' cannot be fetched; expected piemonte"),
    ],
)
def test_bad_input_is_one_line_and_no_dataset(data: Callable[[str], Result], line: str, expected: str) -> None:
    result = data(line)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert expected in result.stderr
    assert not datasets_folder().exists()


@pytest.mark.real_data
def test_the_real_files_become_the_dataset_piemonte_fetched_or_built(
    data: Callable[[str], Result], shared_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    from crowdgym.data.sensing import piemonte

    folder = shared_data("piemonte")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    built = data(f"build piemonte --from {folder}")
    checksum = load_series("piemonte").checksum
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}).start()
        monkeypatch.setattr(piemonte, "ORIGIN", f"http://127.0.0.1:{http.server_address[1]}/")
        fetched = data("fetch piemonte --force")
        http.shutdown()

    assert "series: 24 cells, 182 cycles, 2005-10-01 to 2006-03-31" in built.stdout
    assert "attributes EMI, PM10, TEMP, WS, HMIX, PREC; missing values: PM10 314" in built.stdout
    assert fetched.exit_code == 0, fetched.stderr
    assert load_series("piemonte").checksum == checksum
    assert len(load_series("piemonte").outline_km) == 27_821
