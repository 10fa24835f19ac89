"""Hierarchies on disk: found again, never mixed up, rebuilt when damaged, safe for two processes at once."""

import os
import subprocess
import sys
import textwrap
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from roads_worlds import both_ways, network_of_arcs, street_grid

from crowdgym.common.archives import read_arrays, write_arrays
from crowdgym.common.errors import DataWarning
from crowdgym.data.roads import hierarchy_cache
from crowdgym.data.roads.distances import Distances
from crowdgym.data.roads.hierarchy import HIERARCHY_ARRAYS
from crowdgym.data.roads.hierarchy_cache import hierarchy_file

LINE = network_of_arcs(3, both_ways({(0, 1): 4, (1, 2): 5}))
LINE_ROWS = [[0, 4, 9], [4, 0, 5], [9, 5, 0]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clean cache folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("CROWDGYM_DATA", str(folder))
    return folder


def rows_of_line() -> list[list[int]]:
    return Distances(LINE).rows([0, 1, 2]).tolist()


def forbid_building(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(network: object) -> None:
        raise AssertionError("built although it is on disk")

    monkeypatch.setattr(hierarchy_cache, "build_hierarchy", build)


def test_the_second_time_it_is_read_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows_of_line() == LINE_ROWS
    forbid_building(monkeypatch)
    assert rows_of_line() == LINE_ROWS


def test_it_lies_under_the_cache_folder_by_the_checksum_of_the_network(cache: Path) -> None:
    rows_of_line()
    file = cache / "hierarchies" / f"{LINE.checksum[:32]}.npz"
    assert hierarchy_file(LINE) == file
    assert list(file.parent.iterdir()) == [file]  # and no temporary file beside it


def test_another_network_has_another_file() -> None:
    """The same roads, one of them a metre longer."""
    longer = network_of_arcs(3, both_ways({(0, 1): 4, (1, 2): 6}))
    rows_of_line()
    assert Distances(longer).rows([0]).tolist() == [[0, 4, 10]]
    assert hierarchy_file(longer) != hierarchy_file(LINE)


def test_a_file_of_another_network_under_this_ones_name_is_replaced() -> None:
    longer = network_of_arcs(3, both_ways({(0, 1): 4, (1, 2): 6}))
    Distances(longer)
    hierarchy_file(LINE).write_bytes(hierarchy_file(longer).read_bytes())
    assert rows_of_line() == LINE_ROWS
    assert str(read_arrays(hierarchy_file(LINE), ("checksum",))["checksum"]) == LINE.checksum


def test_a_file_of_another_version_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hierarchy_cache, "FORMAT_VERSION", 0)
    rows_of_line()
    monkeypatch.undo()
    assert rows_of_line() == LINE_ROWS


@pytest.mark.parametrize("kept_share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_rebuilt_with_a_warning(kept_share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rows_of_line()
    file = hierarchy_file(LINE)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * kept_share)])
    with pytest.warns(DataWarning, match=r"is truncated or damaged .*; it is rebuilt") as caught:
        assert rows_of_line() == LINE_ROWS
    assert len(caught) == 1
    assert str(file) in str(caught[0].message)
    forbid_building(monkeypatch)
    assert rows_of_line() == LINE_ROWS


def test_a_flipped_bit_is_harmless_or_noticed_and_never_changes_a_row() -> None:
    """Every 11th byte of the file, one bit each: headers, array headers, contents and the archive's directory."""
    rows_of_line()
    file = hierarchy_file(LINE)
    whole = file.read_bytes()
    rebuilt = 0
    for place in range(0, len(whole), 11):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        file.write_bytes(damaged)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert rows_of_line() == LINE_ROWS
        rebuilt += len(caught)
        assert all(warning.category is DataWarning for warning in caught)
    assert rebuilt > 100


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("parent", 2),
        ("position", 1),
        ("up_head", 7),
        ("up_head", -1),
        ("down_tail", 7),
        ("up_indptr", 9),
        ("up_length", 0),
    ],
)
def test_arrays_that_would_lead_the_compiled_loops_astray_are_rebuilt_with_a_warning(name: str, value: int) -> None:
    rows_of_line()
    arrays = read_arrays(hierarchy_file(LINE), ("checksum", "version", *HIERARCHY_ARRAYS))
    arrays[name] = np.full_like(arrays[name], value)
    write_arrays(hierarchy_file(LINE), arrays)
    with pytest.warns(DataWarning, match="holds arrays that are not a hierarchy of 3 nodes; it is rebuilt"):
        assert rows_of_line() == LINE_ROWS


def test_where_nothing_can_be_written_there_is_one_warning_and_distances_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache folder would have to lie in a file, which not even the superuser can arrange."""
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path / "file" / "cache"))
    with pytest.warns(DataWarning, match=r"cannot create the folder .* held in memory only") as caught:
        assert rows_of_line() == LINE_ROWS
    assert len(caught) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_to_write_is_such_a_place(cache: Path) -> None:
    (cache / "hierarchies").mkdir(parents=True)
    (cache / "hierarchies").chmod(0o500)
    with pytest.warns(DataWarning, match="held in memory only"):
        assert rows_of_line() == LINE_ROWS


def test_two_processes_at_once_agree_and_leave_one_whole_file(cache: Path, tmp_path: Path) -> None:
    """Both are ready before either may start, so both find the cache empty."""
    program = """
        import sys, time, hashlib, numpy as np
        from pathlib import Path
        from roads_worlds import street_grid
        from crowdgym.data.roads.distances import Distances
        network = street_grid(30, 30, seed=6)
        folder = Path(sys.argv[1])
        (folder / sys.argv[2]).touch()
        while not (folder / "go").exists():
            time.sleep(0.001)
        rows = Distances(network).rows(np.arange(60))
        print(hashlib.sha256(rows.tobytes()).hexdigest())
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program), str(tmp_path)]
    processes = [
        subprocess.Popen([*command, name], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    deadline = time.monotonic() + 60
    while not all((tmp_path / name).exists() for name in ("one", "two")) and time.monotonic() < deadline:
        time.sleep(0.01)
    (tmp_path / "go").touch()
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0] != ""

    files = list((cache / "hierarchies").iterdir())
    assert files == [hierarchy_file(street_grid(30, 30, seed=6))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Distances(street_grid(30, 30, seed=6))


def test_the_checksum_of_a_network_covers_its_coordinates_and_its_unit() -> None:
    moved = replace(LINE, x_m=LINE.x_m + 1)
    coarser = replace(LINE, unit_m=2.0)
    assert len({LINE.checksum, moved.checksum, coarser.checksum}) == 3
