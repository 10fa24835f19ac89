"""Several processes that make and read the same dataset at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dataset_worlds import city, install

from crowdgym.data.store import dataset_checksum, datasets_folder, write_dataset

START_TOGETHER = """
import sys, time, warnings
from pathlib import Path
import pytest
warnings.simplefilter("error")
from dataset_worlds import city, install
from crowdgym.data.store import *
from crowdgym.data.registry import load_dataset
import scipy.sparse
cache, number = Path(sys.argv[1]), int(sys.argv[2])
patch = pytest.MonkeyPatch()
cities = install(patch, cache)
(cache.parent / f"ready{number}").touch()
while len(list(cache.parent.glob("ready*"))) < 3:
    time.sleep(0.001)
"""
LOAD_A_CITY = """
print(dataset_checksum(load_dataset("ringtown")))
"""
REPLACE_AND_READ = """
known = {dataset_checksum(city("mine", first)) for first in range(3)}
for _ in range(40):
    if number:
        write_dataset(city("mine", number), {}, overwrite=True)
    dataset, description = read_dataset(datasets_folder() / "mine")
    assert dataset_checksum(dataset) == description["checksum"] in known
"""


def run_together(script: str, cache: Path) -> list[str]:
    """Run three copies of a script that start at the same moment; returns what they print."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START_TOGETHER + script, str(cache), str(number)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], "\n".join(errors for _, errors in results)
    return [output.strip() for output, _ in results]


def test_three_processes_that_need_a_city_at_once_all_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path / "cache")

    found = run_together(LOAD_A_CITY, tmp_path / "cache")

    assert set(found) == {dataset_checksum(city("ringtown"))}
    assert [path.name for path in datasets_folder().iterdir()] == ["ringtown"]


def test_a_reader_never_meets_half_a_dataset_while_others_replace_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path / "cache")
    write_dataset(city("mine", 0), {}, overwrite=False)

    run_together(REPLACE_AND_READ, tmp_path / "cache")

    assert [path.name for path in datasets_folder().iterdir()] == ["mine"]
