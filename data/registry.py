"""Datasets by name: the embedded ones, and whatever `build_dataset` or ``crowdgym data build`` has made."""

import os
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from crowdgym.common.errors import DamagedFileError, DataError, DatasetExistsError, DataWarning, UnknownDatasetError
from crowdgym.common.text import shown
from crowdgym.data import publishing
from crowdgym.data.build import build_dataset
from crowdgym.data.cache import warn_not_kept
from crowdgym.data.dataset import Dataset
from crowdgym.data.names import NAME_PATTERN, city_names, embedded_names, series_names
from crowdgym.data.orders.days import date_of, parse_days
from crowdgym.data.orders.stream import SECONDS_PER_DAY
from crowdgym.data.sensing.files import read_series_folder, series_counts
from crowdgym.data.sensing.series import SensingSeries
from crowdgym.data.store import (
    CITY,
    DESCRIPTION_FILE,
    SENSING,
    counts_of,
    datasets_folder,
    kind_of,
    patiently,
    read_dataset,
    read_description,
    remove_folder,
    write_dataset,
)

__all__ = [
    "build_dataset",
    "dataset_description",
    "dataset_kind",
    "dataset_names",
    "load_dataset",
    "load_series",
    "remove_dataset",
]

KEPT_IN_MEMORY = 4
DAYS_MARK = "@"  # between the name of a dataset and the days of it that are meant

Content = TypeVar("Content", Dataset, SensingSeries)

_Stamp = tuple[object, ...]
_loaded: OrderedDict[Path, tuple[_Stamp, Dataset | SensingSeries]] = OrderedDict()
_lock = threading.RLock()
_of_days: dict[str, tuple[Dataset, Dataset]] = {}  # by name with days: the whole dataset, and its part


def load_dataset(name: str) -> Dataset:
    """Return the city of this name; environments that ask again in the same process share one copy.

    An embedded city is built at the first call and kept in the cache folder. Where the cache cannot be written it is
    built in memory, and where the files are damaged or of an older version it is built again.

    Args:
        name: an embedded city ('haikou-synth', 'chengdu-synth', 'tiny') or a dataset that `build_dataset` has made.
            With ``@2017-05-03`` or ``@2017-05-03..2017-05-05`` behind it, its orders are those of these days alone.

    Returns:
        The dataset; its arrays are read-only.

    Raises:
        DataError: there is no dataset of this name (lists those there are), it is a sensing series, or its files are
            damaged.

    Warns:
        DataWarning: an embedded city had to be built again, or cannot be kept.
    """
    base, mark, days = _text(name).partition(DAYS_MARK)
    if mark:
        return _on_days(name, load_dataset(base), days)
    embedded = name in city_names()
    if not embedded:
        _refuse_other_kind(name, CITY)
    load = _load_embedded if embedded else _load_built
    with _lock:
        return _remembered(name, Dataset, lambda: load(name, datasets_folder() / name), may_be_unsaved=embedded)


def _on_days(name: str, dataset: Dataset, days: str) -> Dataset:
    """The dataset with the orders of some days; the same object again as long as ``dataset`` is the same."""
    whole, part = _of_days.get(name, (None, None))
    if whole is dataset and part is not None:
        return part
    chosen = parse_days(days, f"the part behind {DAYS_MARK} of {name!r}")
    first = dataset.first_day
    if first is None:
        raise DataError(f"the orders of {dataset.name!r} have no dates; expected the name without {DAYS_MARK}{days}")
    orders = dataset.orders.on_days(chosen.first - first, chosen.last - first)
    if not len(orders):
        last = first + int(dataset.orders.time_s[-1]) // SECONDS_PER_DAY
        raise DataError(
            f"{dataset.name!r} has no order on {chosen}; its orders are of {date_of(first)} to {date_of(last)}"
        )
    part = replace(dataset, name=name, orders=orders, first_day=chosen.first)
    _of_days[name] = (dataset, part)
    return part


def load_series(name: str) -> SensingSeries:
    """Return the sensing series of this name; environments that ask again in the same process share one copy.

    Args:
        name: an embedded series ('piemonte-synth'; it is drawn in memory) or one that ``crowdgym data build`` or
            ``crowdgym data fetch`` has made.

    Returns:
        The series; its arrays are read-only.

    Raises:
        DataError: there is no dataset of this name (lists those there are), it is a city, or its files are damaged.
    """
    if _text(name) in series_names():
        from crowdgym.data.synthetic.series.draw import draw_series

        return draw_series(name)
    _refuse_other_kind(name, SENSING)
    with _lock:
        return _remembered(name, SensingSeries, lambda: _load_built_series(name, datasets_folder() / name))


def dataset_kind(name: str) -> str:
    """Of what kind the dataset of this name is: "city" or "sensing".

    Raises:
        DataError: there is no dataset of this name, or its description is damaged.
    """
    if _text(name) in embedded_names():
        return SENSING if name in series_names() else CITY
    if not _is_there(name):
        raise _unknown(name)
    try:
        folder = datasets_folder() / name
        return kind_of(patiently(folder, lambda: read_description(folder)))
    except FileNotFoundError as error:
        raise _unknown(name) from error
    except DamagedFileError as error:
        raise _unreadable(name, error) from error


def dataset_names() -> tuple[str, ...]:
    """Names of all datasets: the embedded ones first, then those built, in alphabetical order."""
    publishing.recover(datasets_folder())
    try:
        built = sorted(path.parent.name for path in datasets_folder().glob(f"*/{DESCRIPTION_FILE}"))
    except OSError:
        built = []
    embedded = embedded_names()
    return (*embedded, *(name for name in built if NAME_PATTERN.fullmatch(name) and name not in embedded))


def remove_dataset(name: str) -> Path:
    """Remove a dataset that was built or fetched.

    Returns:
        The folder that it lay in.

    Raises:
        DataError: there is no dataset of this name, it is built in, or its folder cannot be removed.
    """
    if _text(name) in embedded_names():
        raise DataError(f"the dataset {name!r} is built in; expected one that was built or fetched")
    if not _is_there(name):
        raise _unknown(name)
    folder = datasets_folder() / name
    remove_folder(folder)
    with _lock:
        _loaded.pop(folder, None)
    return folder


def dataset_description(name: str) -> dict[str, Any]:
    """What ``dataset.json`` says about a dataset; an embedded city is built first if need be.

    Raises:
        DataError: as `load_dataset`.
    """
    if _text(name) in series_names():
        return series_description(load_series(name))
    if dataset_kind(name) == SENSING:
        load_series(name)
        return read_description(datasets_folder() / name)
    dataset = load_dataset(name)
    try:
        return read_description(datasets_folder() / name)
    except (FileNotFoundError, DamagedFileError):  # an embedded city that could not be kept
        return city_description(dataset)


def city_description(dataset: Dataset) -> dict[str, Any]:
    """What ``dataset.json`` says about an embedded city, besides the checksum."""
    from crowdgym.data.synthetic.cities import CITY_VERSION

    return {"city_version": CITY_VERSION, "counts": counts_of(dataset), "sources": []}


def series_description(series: SensingSeries) -> dict[str, Any]:
    """What ``dataset.json`` would say about an embedded series."""
    from crowdgym.data.synthetic.series.draw import SERIES_VERSION

    counts = series_counts(series)
    return {"kind": SENSING, "series_version": SERIES_VERSION, "counts": counts, "checksum": series.checksum}


def _remembered(
    name: str, kind: type[Content], load: Callable[[], Content], *, may_be_unsaved: bool = False
) -> Content:
    """What is loaded already, if it is of this kind and its files are the same; else what ``load`` gives."""
    folder = datasets_folder() / name
    stamp, content = _loaded.get(folder, ((), None))
    if isinstance(content, kind) and (stamp == _stamp_of(folder) or (may_be_unsaved and stamp == _in_memory())):
        _loaded.move_to_end(folder)
        return content
    fresh = load()
    _loaded[folder] = (_stamp_of(folder) or _in_memory(), fresh)
    _loaded.move_to_end(folder)
    while len(_loaded) > KEPT_IN_MEMORY:
        _loaded.popitem(last=False)
    return fresh


def _refuse_other_kind(name: str, wanted: str) -> None:
    kind = dataset_kind(name)
    if kind != wanted:
        names = {CITY: "a city", SENSING: "a sensing series"}
        raise DataError(
            f"the dataset {name!r} is {names[kind]}, and this needs {names[wanted]}; "
            f"built in are {', '.join(city_names() if wanted == CITY else series_names())}"
        )


def _load_embedded(name: str, folder: Path) -> Dataset:
    from crowdgym.data.synthetic.cities import CITY_VERSION, build_city

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
        raise _unreadable(name, error) from error


def _load_built_series(name: str, folder: Path) -> SensingSeries:
    try:
        return read_series_folder(folder)[0]
    except FileNotFoundError as error:
        raise _unknown(name) from error
    except DamagedFileError as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: DamagedFileError) -> DataError:
    return DataError(
        f"the dataset {name!r} cannot be read: {error}; build it again with 'crowdgym data build {name} ... --force'"
    )


def _text(name: object) -> str:
    if not isinstance(name, str):
        raise DataError(f"the name of a dataset must be text, got {shown(name)}")
    return name


def _is_there(name: str) -> bool:
    if NAME_PATTERN.fullmatch(name) is None:
        return False
    description = datasets_folder() / name / DESCRIPTION_FILE
    if not description.exists():
        publishing.recover(datasets_folder())  # a process may have died while it replaced the dataset
    return description.exists()


def _unknown(name: str) -> UnknownDatasetError:
    return UnknownDatasetError(name, dataset_names())


def _stamp_of(folder: Path) -> _Stamp:
    """What changes when the files of a dataset are replaced; empty where there are none."""
    try:
        status = os.stat(folder / DESCRIPTION_FILE)
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _in_memory() -> _Stamp:
    return ("in memory",)
