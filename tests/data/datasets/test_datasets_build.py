"""Datasets made from files: whole or not at all, and the same bytes from the same input."""

import fcntl
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from dataset_worlds import city, install, ring, write_order_file

from crowdgym.common.archives import Arrays
from crowdgym.common.errors import DataError, UnwritableError
from crowdgym.data import store as dataset_files
from crowdgym.data.build import build_dataset
from crowdgym.data.dataset import CATEGORIES
from crowdgym.data.registry import dataset_description, load_dataset
from crowdgym.data.roads.assemble import AssemblyReport
from crowdgym.data.store import dataset_checksum, datasets_folder, write_dataset

ROADS = AssemblyReport(
    source="/somewhere/node.csv and /somewhere/link.csv",
    nodes_read=8,
    roads_read=8,
    self_loops_dropped=0,
    parallel_roads_merged=0,
    lengths_repaired=0,
    dropped_part_sizes=(),
    roads_dropped=0,
    nodes=8,
    edges=8,
    unit_m=1.0,
)


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path / "cache")


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_built_is_what_is_loaded(tmp_path: Path) -> None:
    result = build_dataset("mine", ring(), ROADS, [write_order_file(tmp_path / "orders.csv")])

    dataset = load_dataset("mine")

    assert dataset_checksum(dataset) == dataset_checksum(result.dataset)
    assert dataset.orders.time_s.tolist() == [hour * 3600 + 1800 for hour in range(12)]
    assert dataset.orders.origin.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3]
    assert dataset.category.dtype == np.int8
    assert ((dataset.category >= 0) & (dataset.category < len(CATEGORIES))).all()
    assert result.folder == datasets_folder() / "mine"


def test_the_description_accounts_for_every_row_and_names_the_sources(tmp_path: Path) -> None:
    path = write_order_file(tmp_path / "orders.csv")
    result = build_dataset("mine", ring(), ROADS, [path])

    description = dataset_description("mine")

    assert description["counts"] == {
        "nodes": 8,
        "edges": 8,
        "arcs": 16,
        "orders": 12,
        "orders_with_destination": 12,
        "days": 1,
    }
    assert description["checksum"] == dataset_checksum(result.dataset)
    assert description["first_day"] == "2016-11-01"
    assert description["created_by"].startswith("crowdgym ")
    (source,) = description["orders"]["sources"]
    assert (source["name"], source["size_bytes"]) == ("orders.csv", path.stat().st_size)
    assert source["read"]["unusable"] == {"missing time": 1, "bad time": 1}
    assert description["orders"]["snap"]["unusable"] == {"unknown node": 1, "repeated order": 1}
    assert description["roads"]["nodes_read"] == 8


def test_the_same_input_gives_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    paths = [write_order_file(tmp_path / "orders.csv"), write_order_file(tmp_path / "elsewhere" / "orders.csv")]
    content = []
    for path in paths:
        folder = build_dataset("mine", ring(), ROADS, [path], overwrite=True).folder
        content.append(everything_in(folder))
        time.sleep(0.01)

    assert content[0] == content[1]
    assert str(tmp_path).encode() not in b"".join(content[0].values())
    assert b"somewhere" not in content[0]["dataset.json"]


def test_a_taken_name_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    build_dataset("mine", ring(), ROADS, [write_order_file(tmp_path / "orders.csv")])
    before = everything_in(datasets_folder())

    with pytest.raises(
        DataError, match=r"the dataset 'mine' exists already .*overwrite=True \(on the command line --f"
    ):
        build_dataset("mine", ring(), ROADS, ["not even looked for.csv"])
    assert everything_in(datasets_folder()) == before


def test_overwriting_replaces_all_files_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write_order_file(tmp_path / "orders.csv")
    build_dataset("mine", ring(), ROADS, [path])
    (datasets_folder() / "mine" / "extra.txt").write_text("of the old one")

    write_order_file(path, lambda text: text.replace("2016", "2017"))
    build_dataset("mine", ring(), ROADS, [path], overwrite=True)

    assert dataset_description("mine")["first_day"] == "2017-11-01"
    assert sorted(path.name for path in datasets_folder().rglob("*")) == [
        "dataset.json",
        "mine",
        "network.npz",
        "orders.npz",
    ]


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_build_that_fails_half_way_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: bool, failure: BaseException
) -> None:
    path = write_order_file(tmp_path / "orders.csv")
    if existing:
        build_dataset("mine", ring(), ROADS, [path])
    before = everything_in(tmp_path)
    written = []
    original = dataset_files.write_arrays

    def fail_at_the_second(target: Path, arrays: Arrays) -> None:
        written.append(target)
        if len(written) == 2:
            raise failure
        original(target, arrays)

    monkeypatch.setattr(dataset_files, "write_arrays", fail_at_the_second)
    with pytest.raises(UnwritableError if isinstance(failure, OSError) else KeyboardInterrupt):
        build_dataset("mine", ring(), ROADS, [path], overwrite=True)

    assert len(written) == 2
    assert everything_in(tmp_path) == before
    assert [path.name for path in datasets_folder().iterdir()] == (["mine"] if existing else [])


def test_what_a_dead_process_left_is_removed_and_what_a_living_one_writes_is_not() -> None:
    dead, living = datasets_folder() / ".mine.aaaa.tmp", datasets_folder() / ".mine.bbbb.tmp"
    for folder in (dead, living):
        folder.mkdir(parents=True)
    held = os.open(living, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)

    write_dataset(city("mine"), {}, overwrite=False)

    os.close(held)
    assert not dead.exists()
    assert living.exists()


@pytest.mark.parametrize("name", ["", "-x", "_x", "Haikou", "hai kou", "../x", "a/b", "hai.kou", "海口", "x\n"])
def test_names_that_could_be_paths_or_options_are_refused(name: str) -> None:
    with pytest.raises(DataError, match=r"the name .* of a dataset is not valid; expected at most 64 lower"):
        build_dataset(name, ring(), ROADS, ["x.csv"])


def test_the_name_of_an_embedded_city_is_refused() -> None:
    with pytest.raises(DataError, match="the name 'ringtown' belongs to a city that is built in"):
        build_dataset("ringtown", ring(), ROADS, ["x.csv"], overwrite=True)


def test_bad_orders_leave_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("")

    with pytest.raises(DataError, match=r"orders\.csv is empty"):
        build_dataset("mine", ring(), ROADS, [tmp_path / "orders.csv"])
    assert not datasets_folder().exists()


def test_a_cache_that_cannot_be_written_is_noticed_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path / "file"))

    with pytest.raises(DataError, match=r"cannot keep datasets in .*because of .*file: it is a file; make it a folder"):
        build_dataset("mine", ring(), ROADS, ["not even looked for.csv"])


def test_json_is_readable_by_a_person(tmp_path: Path) -> None:
    folder = build_dataset("mine", ring(), ROADS, [write_order_file(tmp_path / "orders.csv")]).folder

    text = (folder / "dataset.json").read_text()

    assert text.startswith('{\n  "format": 1,\n  "name": "mine",\n  "checksum": "')
    assert json.loads(text)["orders"]["max_snap_m"] == 1000.0
