"""Datasets by name: the embedded cities, and whatever `build_dataset` or ``crowdgym data build`` has made."""

import difflib
import os
import threading
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

from crowdgym.data.build import build_dataset
from crowdgym.data.dataset import Dataset
from crowdgym.data.dataset_files import (
    DESCRIPTION_FILE,
    DatasetExistsError,
    counts_of,
    datasets_folder,
    read_dataset,
    read_description,
    write_dataset,
)
from crowdgym.data.errors import DataError, DataWarning
from crowdgym.data.names import NAME_PATTERN, embedded_names
from crowdgym.data.storage import DamagedFileError, warn_not_kept

__all__ = ["build_dataset", "dataset_description", "dataset_names", "load_dataset"]

KEPT_IN_MEMORY = 4

_Stamp = tuple[object, ...]
_loaded: OrderedDict[Path, tuple[_Stamp, Dataset]] = OrderedDict()
_lock = threading.RLock()


def load_dataset(name: str) -> Dataset:
    """Return the dataset of this name; environments that ask again in the same process share one copy.

    An embedded city is built at the first call and kept in the cache folder. Where the cache cannot be written it is
    built in memory, and where the files are damaged or of an older version it is built again.

    Args:
        name: an embedded city ('haikou-synth', 'chengdu-synth', 'tiny') or a dataset that `build_dataset` has made.

    Returns:
        The dataset; its arrays are read-only.

    Raises:
        DataError: there is no dataset of this name (lists those there are), or its files are damaged.

    Warns:
        DataWarning: an embedded city had to be built again, or cannot be kept.
    """
    embedded = name in embedded_names()
    folder = datasets_folder() / name
    if not embedded and not _is_there(name):
        raise _unknown(name)
    with _lock:
        stamp = _stamp_of(folder)
        if folder in _loaded and (_loaded[folder][0] == stamp or (embedded and _loaded[folder][0] == _in_memory())):
            _loaded.move_to_end(folder)
            return _loaded[folder][1]
        dataset = _load_embedded(name, folder) if embedded else _load_built(name, folder)
        _loaded[folder] = (_stamp_of(folder) or _in_memory(), dataset)
        while len(_loaded) > KEPT_IN_MEMORY:
            _loaded.popitem(last=False)
        return dataset


def dataset_names() -> tuple[str, ...]:
    """Names that `load_dataset` takes: the embedded cities first, then the built datasets in alphabetical order."""
    try:
        built = sorted(path.parent.name for path in datasets_folder().glob(f"*/{DESCRIPTION_FILE}"))
    except OSError:
        built = []
    embedded = embedded_names()
    return (*embedded, *(name for name in built if NAME_PATTERN.fullmatch(name) and name not in embedded))


def dataset_description(name: str) -> dict[str, Any]:
    """What ``dataset.json`` says about a dataset; an embedded city is built first if need be.

    Raises:
        DataError: as `load_dataset`.
    """
    dataset = load_dataset(name)
    try:
        return read_description(datasets_folder() / name)
    except (FileNotFoundError, DamagedFileError):  # an embedded city that could not be kept
        return city_description(dataset)


def city_description(dataset: Dataset) -> dict[str, Any]:
    """What ``dataset.json`` says about an embedded city, besides the checksum."""
    from crowdgym.data.cities import CITY_VERSION

    return {"city_version": CITY_VERSION, "counts": counts_of(dataset), "sources": []}


def _load_embedded(name: str, folder: Path) -> Dataset:
    from crowdgym.data.cities import CITY_VERSION, build_city

    # What is there and not whole, or of another version, is replaced; what another process has just put there is not.
    replace = False
    if (folder / DESCRIPTION_FILE).exists() or folder.is_dir():
        replace = True
        try:
            dataset, description = read_dataset(folder)
            if description.get("city_version") == CITY_VERSION:
                return dataset
        except FileNotFoundError:
            warnings.warn(f"the city {name!r} is built again: {folder / DESCRIPTION_FILE} is missing", DataWarning, 3)
        except DamagedFileError as error:
            warnings.warn(f"the city {name!r} is built again: {error}", DataWarning, stacklevel=3)
    dataset = build_city(name)
    for arrays in (dataset.network.to_arrays(), dataset.orders.to_arrays(), {"category": dataset.category}):
        for array in arrays.values():
            array.setflags(write=False)
    try:
        write_dataset(dataset, city_description(dataset), overwrite=replace)
    except DatasetExistsError:
        pass  # another process was faster
    except DataError as error:
        warn_not_kept(error)
    return dataset


def _load_built(name: str, folder: Path) -> Dataset:
    try:
        return read_dataset(folder)[0]
    except FileNotFoundError as error:
        raise _unknown(name) from error
    except DamagedFileError as error:
        raise DataError(
            f"the dataset {name!r} cannot be read: {error}; build it again with "
            f"'crowdgym data build {name} ... --force'"
        ) from error


def _is_there(name: str) -> bool:
    return NAME_PATTERN.fullmatch(name) is not None and (datasets_folder() / name / DESCRIPTION_FILE).exists()


def _unknown(name: str) -> DataError:
    names = dataset_names()
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return DataError(
        f"unknown dataset or scenario {name!r}{hint}; known are {', '.join(names)}, "
        "and 'crowdgym data build' makes others from your own files"
    )


def _stamp_of(folder: Path) -> _Stamp:
    """What changes when the files of a dataset are replaced; empty where there are none."""
    try:
        status = os.stat(folder / DESCRIPTION_FILE)
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _in_memory() -> _Stamp:
    return ("in memory",)
