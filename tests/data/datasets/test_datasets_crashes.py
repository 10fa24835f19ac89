"""``data build --force`` when the disk fails or the process dies, before every single file operation."""

import json
import shutil
from pathlib import Path

import pytest
from common.file_faults import CRASH, DENIED, FULL, SHORT, CrashedError, file_faults
from dataset_worlds import install, write_order_file, write_road_files
from typer.testing import CliRunner, Result

from crowdgym.cli.main import app
from crowdgym.data.registry import dataset_names, load_dataset
from crowdgym.data.store import datasets_folder

BUILD = "data build mine --nodes node.csv --links link.csv --orders orders.csv --force"
MOST = 80  # operations; a test checks that there are no more


def crowdgym(line: str) -> Result:
    return CliRunner().invoke(app, line.split())


def year() -> str:
    """Which of the two datasets there is, as a reader finds it after the process has died."""
    load_dataset("mine")
    assert "mine" in dataset_names()
    description = json.loads((datasets_folder() / "mine" / "dataset.json").read_text())
    return str(description["first_day"])[:4]


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the dataset of 2016, and the files to replace it by that of 2017."""
    install(monkeypatch, tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    write_road_files(tmp_path)
    write_order_file(tmp_path / "orders.csv")
    assert crowdgym(BUILD).exit_code == 0
    write_order_file(tmp_path / "orders.csv", lambda text: text.replace("2016", "2017"))
    return tmp_path


def operations(folder: Path) -> list[str]:
    """What is done to replace the dataset; afterwards it is the old one again."""
    kept = folder / "kept"
    shutil.copytree(folder / "cache", kept)
    with file_faults(folder / "cache") as faults:
        assert crowdgym(BUILD).exit_code == 0
    assert year() == "2017"
    shutil.rmtree(folder / "cache")
    kept.rename(folder / "cache")
    return faults.done


def test_the_new_one_is_in_first_and_the_old_one_away_last(old: Path) -> None:
    done = operations(old)
    assert len(done) <= MOST
    renamed = [operation for operation in done if operation.startswith("rename ")]
    assert [name.partition("mine")[2][-4:] for name in renamed] == [".tmp", "", ".new", ".old"]
    # Every file and, before the old one goes, every folder is on the disk.
    before_removal = done[: done.index(renamed[-1])]
    assert {operation.split()[1] for operation in before_removal if operation.startswith("fsync")} >= {
        ".network.npz.tmp",
        ".orders.npz.tmp",
        ".dataset.json.tmp",
        "datasets",
    }


def judge(old: Path, fault: str, at: int) -> None:
    with file_faults(old / "cache", fault, at) as faults:
        try:
            result: Result | None = crowdgym(BUILD)
        except CrashedError:
            result = None
    there = year()
    assert there in ("2016", "2017")
    assert (result is None) == (fault == CRASH)
    if result is not None and result.exit_code:
        assert fault != SHORT
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: ")
        assert there == "2016" or any(each.startswith("fsync") for each in faults.done[at:])
    elif result is not None:
        assert there == "2017"
    assert crowdgym(BUILD).exit_code == 0
    assert year() == "2017"
    assert sorted(path.name for path in datasets_folder().iterdir()) == ["mine"]
    assert sorted(path.name for path in (datasets_folder() / "mine").iterdir()) == [
        "dataset.json",
        "network.npz",
        "orders.npz",
    ]


def every_operation(old: Path, fault: str) -> int:
    shutil.copytree(old / "cache", old / "kept")
    done = operations_of(old)
    for at in range(done):
        shutil.rmtree(old / "cache")
        shutil.copytree(old / "kept", old / "cache")
        judge(old, fault, at)
    return done


def operations_of(old: Path) -> int:
    with file_faults(old / "cache") as faults:
        assert crowdgym(BUILD).exit_code == 0
    return len(faults.done)


def test_a_crash_before_any_operation_leaves_the_old_or_the_new_dataset(old: Path) -> None:
    assert every_operation(old, CRASH) >= 25


@pytest.mark.slow
@pytest.mark.parametrize("fault", [FULL, DENIED, SHORT])
def test_a_failure_of_any_operation_leaves_the_old_or_the_new_dataset(old: Path, fault: str) -> None:
    assert every_operation(old, fault) >= 25


def test_a_first_build_that_dies_leaves_none_or_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    write_road_files(tmp_path)
    write_order_file(tmp_path / "orders.csv")
    at = 0
    while True:
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        with file_faults(tmp_path / "cache", CRASH, at):
            try:
                crowdgym(BUILD)
                break
            except CrashedError:
                at += 1
        assert "mine" not in dataset_names() or year() == "2016"
        assert crowdgym(BUILD).exit_code == 0
        assert [path.name for path in datasets_folder().iterdir()] == ["mine"]
    assert at >= 20


def test_a_dataset_whose_removal_was_cut_short_is_there_or_gone(old: Path) -> None:
    shutil.copytree(old / "cache", old / "kept")
    at = 0
    while True:
        shutil.rmtree(old / "cache")
        shutil.copytree(old / "kept", old / "cache")
        with file_faults(old / "cache", CRASH, at):
            try:
                crowdgym("data remove mine")
                break
            except CrashedError:
                at += 1
        if "mine" in dataset_names():
            assert year() == "2016"
        assert [path.name for path in datasets_folder().iterdir()] in ([], ["mine"])
    assert at >= 4
