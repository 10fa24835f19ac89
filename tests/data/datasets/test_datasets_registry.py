"""Datasets by name: where they come from, and what happens when their files are not as they should be."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from dataset_worlds import Cities, city, install

from crowdgym.common.errors import DataError, DataWarning
from crowdgym.data import registry
from crowdgym.data.registry import dataset_description, dataset_names, load_dataset
from crowdgym.data.roads.distances import Distances
from crowdgym.data.store import dataset_checksum, datasets_folder, write_dataset

FILES = ["network.npz", "orders.npz", "dataset.json"]


@pytest.fixture
def cities(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cities:
    return install(monkeypatch, tmp_path / "cache")


def forget() -> None:
    """Do what a new process would do: remember nothing."""
    registry._loaded.clear()


def keep(name: str, first_time_s: int = 0, *, overwrite: bool = False) -> Path:
    return write_dataset(city(name, first_time_s), {}, overwrite=overwrite)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def test_an_embedded_city_is_built_once_and_read_from_the_cache_later(cities: Cities) -> None:
    first = load_dataset("ringtown")
    forget()
    second = load_dataset("ringtown")

    assert cities.builds == 1
    assert first is not second
    assert dataset_checksum(second) == dataset_checksum(city("ringtown"))
    assert sorted(path.name for path in (datasets_folder() / "ringtown").iterdir()) == sorted(FILES)


def test_environments_of_a_process_share_one_copy_that_nobody_can_change(cities: Cities) -> None:
    dataset = load_dataset("ringtown")

    assert load_dataset("ringtown") is dataset
    with pytest.raises(ValueError, match="read-only"):
        dataset.network.length[0] = 1
    forget()
    with pytest.raises(ValueError, match="read-only"):
        load_dataset("ringtown").orders.origin[0] = 1


def test_only_so_many_datasets_stay_in_memory(cities: Cities, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "KEPT_IN_MEMORY", 2)
    for name in ("a", "b", "c"):
        keep(name)
    a = load_dataset("a")
    b = load_dataset("b")
    assert load_dataset("a") is a

    load_dataset("c")

    assert load_dataset("a") is a
    assert load_dataset("b") is not b


def test_a_city_of_another_version_is_built_again_without_a_word(cities: Cities) -> None:
    load_dataset("ringtown")
    forget()
    cities.release("2")

    load_dataset("ringtown")
    forget()
    load_dataset("ringtown")

    assert cities.builds == 2
    assert dataset_description("ringtown")["city_version"] == "2"


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_of_a_city_is_built_again_with_a_warning(cities: Cities, name: str) -> None:
    load_dataset("ringtown")
    forget()
    truncate(datasets_folder() / "ringtown" / name)

    with pytest.warns(DataWarning, match=rf"the city 'ringtown' is built again: .*{name} is truncated or damaged"):
        dataset = load_dataset("ringtown")

    assert dataset_checksum(dataset) == dataset_checksum(city("ringtown"))
    forget()
    load_dataset("ringtown")
    assert cities.builds == 2


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_of_a_city_is_built_again_with_a_warning(cities: Cities, name: str) -> None:
    load_dataset("ringtown")
    forget()
    (datasets_folder() / "ringtown" / name).unlink()

    with pytest.warns(DataWarning, match=rf"the city 'ringtown' is built again: .*{name} is missing"):
        load_dataset("ringtown")
    assert cities.builds == 2


def test_a_single_changed_byte_is_noticed(cities: Cities) -> None:
    load_dataset("ringtown")
    forget()
    path = datasets_folder() / "ringtown" / "orders.npz"
    content = bytearray(path.read_bytes())
    at = content.index(np.array([0, 3600, 90_000], np.int64).tobytes())
    content[at] ^= 1
    path.write_bytes(content)

    with pytest.warns(DataWarning, match=r"orders\.npz is truncated or damaged"):
        load_dataset("ringtown")


def test_files_of_two_datasets_are_not_taken_for_one(cities: Cities) -> None:
    keep("mine")
    other = keep("other", first_time_s=7)
    (datasets_folder() / "mine" / "orders.npz").write_bytes((other / "orders.npz").read_bytes())

    with pytest.raises(DataError, match=r"orders\.npz belongs to another dataset than the dataset\.json beside it"):
        load_dataset("mine")


def test_a_cache_that_cannot_be_written_keeps_the_city_in_memory_with_one_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file is in the way of the cache folder: that stops even a superuser, whom permissions do not."""
    (tmp_path / "cache").write_text("not a folder")
    cities = install(monkeypatch, tmp_path / "cache")

    folder = tmp_path / "cache" / "datasets"
    with pytest.warns(DataWarning, match=rf"cannot create the folder {folder}: .* held in memory only") as caught:
        dataset = load_dataset("ringtown")
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Distances(dataset.network)  # nor can these be kept, which goes without saying
        assert load_dataset("ringtown") is dataset
        assert dataset_description("ringtown")["counts"]["orders"] == 3
        assert dataset_names() == ("ringtown", "piemonte-synth")
    assert cities.builds == 1


@pytest.mark.parametrize("name", FILES[:2])
def test_damage_to_a_dataset_of_ones_own_names_the_file_and_the_way_to_build_it_again(
    cities: Cities, name: str
) -> None:
    keep("mine")
    truncate(datasets_folder() / "mine" / name)

    with pytest.raises(
        DataError, match=rf"'mine' cannot be read: .*{name} is truncated.*'crowdgym data build mine \.\.\. --force'"
    ):
        load_dataset("mine")


def test_a_dataset_that_is_replaced_is_read_anew(cities: Cities) -> None:
    keep("mine")
    assert load_dataset("mine").orders.time_s[0] == 0

    keep("mine", first_time_s=7, overwrite=True)

    assert load_dataset("mine").orders.time_s[0] == 7


def test_a_dataset_of_a_later_format_is_refused(cities: Cities) -> None:
    path = keep("mine") / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))

    with pytest.raises(DataError, match=r"dataset\.json has format 99; this version of CrowdGym reads format 1"):
        load_dataset("mine")


def test_an_unknown_name_lists_the_known_ones_and_the_closest(cities: Cities) -> None:
    keep("haikou")

    with pytest.raises(
        DataError, match=r"unknown dataset or scenario 'haiku' \(did you mean 'haikou'\?\); known are ringtown, "
    ):
        load_dataset("haiku")


@pytest.mark.parametrize("name", ["../cache", "", ".", "a/b", "Haikou", "/etc"])
def test_a_name_is_never_taken_for_a_path(cities: Cities, name: str) -> None:
    keep("haikou")

    with pytest.raises(DataError, match="unknown dataset"):
        load_dataset(name)


def test_names_are_those_of_cities_and_of_whole_folders(cities: Cities) -> None:
    keep("zoo")
    keep("alley")
    (datasets_folder() / "half").mkdir()
    (datasets_folder() / ".zoo.0123.tmp").mkdir()
    (datasets_folder() / ".zoo.0123.tmp" / "dataset.json").write_text("{}")

    assert dataset_names() == ("ringtown", "piemonte-synth", "alley", "zoo")


def test_the_real_cities_are_known_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path))

    assert {"haikou-synth", "chengdu-synth", "tiny", "piemonte-synth"} <= set(dataset_names())
