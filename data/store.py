"""A dataset on disk: a folder of a few files, written as a whole or not at all.

Of a city, ``network.npz`` holds the road network and ``orders.npz`` the order stream and the category of each node; of
a sensing series, ``series.npz`` holds everything (see `crowdgym.data.sensing.files`). ``dataset.json`` says what they
are and where they came from. All of them carry the checksum of the arrays, so that files of two different datasets are
never taken for one.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from crowdgym.common.archives import Arrays, read_arrays, write_arrays
from crowdgym.common.errors import DamagedFileError, DataError, DatasetExistsError
from crowdgym.common.files import make_folder, read_plain, write_bytes, writing
from crowdgym.common.json_text import parse_json
from crowdgym.data import publishing
from crowdgym.data.cache import CACHE_VARIABLE, cache_folder, writing_to_cache
from crowdgym.data.dataset import CATEGORIES, Dataset
from crowdgym.data.histories.checkins.checkins import Checkins
from crowdgym.data.orders.days import day_number
from crowdgym.data.orders.stream import SECONDS_PER_DAY, OrderStream
from crowdgym.data.roads.network import RoadNetwork

FORMAT_VERSION = 1
MOST_DESCRIPTION_BYTES = 2**26
DESCRIPTION_FILE = "dataset.json"
NETWORK_FILE = "network.npz"
ORDERS_FILE = "orders.npz"
WORKERS_FILE = "workers.npz"
CHECKINS_FILE = "checkins.npz"

CITY, SENSING = "city", "sensing"  # the kinds of datasets; a description without a kind is that of a city

_NETWORK_ARRAYS = tuple(field.name for field in fields(RoadNetwork))
_ORDER_ARRAYS = ("time_s", "origin", "destination")  # and those of PARTS that the description names
_CHECKIN_ARRAYS = tuple(field.name for field in fields(Checkins))
_READ_ATTEMPTS = 25
_PAUSE_S = 0.02


Content = TypeVar("Content")


@dataclass(frozen=True)
class DatasetFolder:
    """What is to be written as one dataset.

    Attributes:
        name: of the dataset.
        checksum: of the arrays.
        files: the arrays of each ``.npz`` file, by its name.
        description: what else ``dataset.json`` says; must be JSON and free of times and places of this machine.
    """

    name: str
    checksum: str
    files: Mapping[str, Arrays]
    description: Mapping[str, Any]


def datasets_folder() -> Path:
    """Return the folder in which every dataset has a folder of its own (it need not exist yet)."""
    return cache_folder() / "datasets"


def dataset_checksum(dataset: Dataset) -> str:
    """SHA-256 over the network, the orders and the categories, in hexadecimal."""
    digest = hashlib.sha256(dataset.network.checksum.encode())
    for name, array in _order_arrays(dataset).items():
        digest.update(f"{name}:{array.dtype.str}:{array.shape};".encode())
        digest.update(np.ascontiguousarray(array).data)
    if dataset.workers is not None:
        for name, array in dataset.workers.to_arrays().items():
            digest.update(f"workers {name}:{array.dtype.str}:{array.shape};".encode())
            digest.update(np.ascontiguousarray(array).data)
    if dataset.checkins is not None:
        for name, array in dataset.checkins.to_arrays().items():
            digest.update(f"checkins {name}:{array.dtype.str}:{array.shape};".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def counts_of(dataset: Dataset) -> dict[str, int]:
    """How much there is of everything."""
    orders = dataset.orders
    return {
        "nodes": dataset.network.num_nodes,
        "edges": dataset.network.num_edges,
        "arcs": dataset.network.num_arcs,
        "orders": len(orders),
        "orders_with_destination": int(np.count_nonzero(orders.destination >= 0)),
        "days": int(orders.time_s[-1]) // SECONDS_PER_DAY + 1 if len(orders) else 0,
    }


def created_by() -> str:
    """This version of CrowdGym, for the description of a dataset."""
    try:
        return f"crowdgym {version('crowdgym')}"
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "crowdgym unknown"


def write_dataset(dataset: Dataset, description: Mapping[str, Any], *, overwrite: bool) -> Path:
    """Write a dataset under its name, beside its description. The same input gives the same bytes.

    Args:
        dataset: what is written.
        description: what else ``dataset.json`` says; must be JSON and free of times and places of this machine.
        overwrite: replace a dataset of the same name.

    Returns:
        The folder of the dataset.

    Raises:
        DatasetExistsError: there is one of this name and ``overwrite`` is false.
        DataError: the folder cannot be written.
    """
    files = {NETWORK_FILE: dataset.network.to_arrays(), ORDERS_FILE: _order_arrays(dataset)}
    facts = dict(description)
    if dataset.orders.parts:
        facts["order_parts"] = list(dataset.orders.parts)
    if dataset.workers is not None:
        files[WORKERS_FILE] = dataset.workers.to_arrays()
        facts["worker_parts"] = list(dataset.workers.parts)
    if dataset.checkins is not None:
        files[CHECKINS_FILE] = dataset.checkins.to_arrays()
    if dataset.category_names != tuple(CATEGORIES):
        facts["category_names"] = list(dataset.category_names)
    return write_folder(DatasetFolder(dataset.name, dataset_checksum(dataset), files, facts), overwrite)


def write_folder(content: DatasetFolder, overwrite: bool) -> Path:
    """Write a dataset of any kind; returns and raises what `write_dataset` does."""
    target = datasets_folder() / content.name
    if not overwrite:
        check_free(content.name)
    with writing_to_cache():
        make_folder(target.parent)
        with writing(target), publishing.temporary_folder(target) as temporary:
            _write_files(temporary, content)
            published = publishing.publish(temporary, target, overwrite=overwrite)
    if not published:
        raise _exists(target)
    return target


def _write_files(folder: Path, content: DatasetFolder) -> None:
    stamp = np.array(content.checksum)
    for file, arrays in content.files.items():
        write_arrays(folder / file, {**arrays, "dataset": stamp})
    heading = {"format": FORMAT_VERSION, "name": content.name, "checksum": content.checksum}
    text = json.dumps({**heading, **content.description}, indent=2)
    write_bytes(folder / DESCRIPTION_FILE, (text + "\n").encode())


def check_free(name: str) -> None:
    """Check that there is no dataset of this name.

    Raises:
        DatasetExistsError: there is one.
    """
    publishing.recover(datasets_folder())
    target = datasets_folder() / name
    if (target / DESCRIPTION_FILE).exists():
        raise _exists(target)


def check_writable() -> None:
    """Check that a dataset can be written, so that no one waits for one that cannot; creates nothing.

    Raises:
        DataError: the folder of datasets cannot be written, or cannot be created.
    """
    folder = datasets_folder()
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        reason = "no permission to write there" if there.is_dir() else "it is a file"
        raise DataError(
            f"cannot keep datasets in {folder} because of {there}: {reason}; make it a folder that is writable, "
            f"or set {CACHE_VARIABLE} to another"
        )


def read_dataset(folder: Path) -> tuple[Dataset, dict[str, Any]]:
    """Read a city and its description. The arrays are read-only, so that environments can share them.

    Raises:
        DamagedFileError: a file is missing, truncated or corrupted, or belongs to another dataset; names the file.
        FileNotFoundError: there is no dataset in ``folder``.
        DataError: the dataset is of another kind.
    """
    return read_patiently(folder, CITY, lambda description: _read_city(folder, description))


def read_patiently(
    folder: Path, kind: str, read: Callable[[dict[str, Any]], Content]
) -> tuple[Content, dict[str, Any]]:
    """Read a dataset of one kind; see `read_dataset` for what is raised.

    Args:
        folder: of the dataset.
        kind: what it must be.
        read: reads its content, given the description.
    """

    def read_once() -> tuple[Content, dict[str, Any]]:
        description = read_description(folder)
        if kind_of(description) != kind:
            raise DataError(f"{folder} holds a dataset of the kind {kind_of(description)!r}; expected {kind!r}")
        return read(description), description

    return patiently(folder, read_once)


def patiently(folder: Path, read: Callable[[], Content]) -> Content:
    """What ``read`` gives, at the latest when another process has put a new folder in the place of this one."""
    for attempt in range(_READ_ATTEMPTS):
        try:
            return read()
        except (DamagedFileError, FileNotFoundError):
            if attempt == _READ_ATTEMPTS - 1 or not folder.parent.exists():
                raise
            time.sleep(_PAUSE_S)
    raise AssertionError("unreachable")


def kind_of(description: Mapping[str, Any]) -> str:
    """Of what kind a dataset is: ``CITY`` or ``SENSING``."""
    return str(description.get("kind", CITY))


def read_description(folder: Path) -> dict[str, Any]:
    """Read ``dataset.json`` alone.

    Raises:
        DamagedFileError: it is not the description of a dataset.
        FileNotFoundError: there is none.
    """
    path = folder / DESCRIPTION_FILE
    try:
        description = parse_json(read_plain(path, MOST_DESCRIPTION_BYTES))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise DamagedFileError(f"{path} is truncated or damaged ({error}); expected a JSON object") from error
    if not isinstance(description, dict) or not isinstance(description.get("checksum"), str):
        raise DamagedFileError(f"{path} lacks the checksum of a dataset; expected a file written by CrowdGym")
    if description.get("format") != FORMAT_VERSION:
        raise DamagedFileError(
            f"{path} has format {description.get('format')!r}; this version of CrowdGym reads format {FORMAT_VERSION}"
        )
    return description


def _read_city(folder: Path, description: dict[str, Any]) -> Dataset:
    network_arrays = read_stamped(folder / NETWORK_FILE, _NETWORK_ARRAYS, description["checksum"])
    order_names = (*_ORDER_ARRAYS, *description.get("order_parts", ()), "category")
    order_arrays = read_stamped(folder / ORDERS_FILE, order_names, description["checksum"])
    worker_arrays: dict[str, Any] = {}
    if "worker_parts" in description:
        worker_names = (*_ORDER_ARRAYS, *description["worker_parts"])
        worker_arrays = read_stamped(folder / WORKERS_FILE, worker_names, description["checksum"])
    checkin_arrays: dict[str, Any] = {}
    if "checkins" in description:
        checkin_arrays = read_stamped(folder / CHECKINS_FILE, _CHECKIN_ARRAYS, description["checksum"])
    parts = (network_arrays, order_arrays, worker_arrays, checkin_arrays)
    for array in (array for part in parts for array in part.values()):
        array.setflags(write=False)
    dataset = Dataset(
        name=folder.name,
        network=RoadNetwork.from_arrays(network_arrays),
        orders=OrderStream.from_arrays(order_arrays),
        category=order_arrays["category"],
        workers=OrderStream.from_arrays(worker_arrays) if worker_arrays else None,
        category_names=tuple(description.get("category_names", CATEGORIES)),
        checkins=Checkins.from_arrays(checkin_arrays) if checkin_arrays else None,
        first_day=_first_day(folder, description),
    )
    _check_fit(dataset, folder / ORDERS_FILE)
    return dataset


def _first_day(folder: Path, description: Mapping[str, Any]) -> int | None:
    """The day on which the orders begin; None where they have no dates."""
    if "first_day" not in description:
        return None
    try:
        return day_number(description["first_day"])
    except (TypeError, ValueError):
        raise DamagedFileError(
            f"{folder / DESCRIPTION_FILE} has the first day {description['first_day']!r}; expected a date"
        ) from None


def read_stamped(path: Path, names: tuple[str, ...], checksum: str) -> dict[str, Any]:
    """Read arrays of a dataset's file, and make sure that they belong to the dataset of this checksum.

    Raises:
        DamagedFileError: the file is missing, damaged or of another dataset.
    """
    try:
        arrays = read_arrays(path, (*names, "dataset"))
    except FileNotFoundError as error:
        raise DamagedFileError(f"{path} is missing; expected it beside {DESCRIPTION_FILE}") from error
    if str(arrays.pop("dataset")) != checksum:
        raise DamagedFileError(f"{path} belongs to another dataset than the {DESCRIPTION_FILE} beside it")
    return arrays


def _check_fit(dataset: Dataset, path: Path) -> None:
    num_nodes = dataset.network.num_nodes
    if (
        dataset.category.shape != (num_nodes,)
        or not ((dataset.category >= 0) & (dataset.category < len(CATEGORIES))).all()
    ):
        raise DamagedFileError(f"{path} does not hold a category for each of the {num_nodes} nodes of the network")


def _order_arrays(dataset: Dataset) -> dict[str, Any]:
    return {**dataset.orders.to_arrays(), "category": dataset.category}


def remove_folder(target: Path) -> None:
    """Remove a dataset: at once for every reader, so that none sees half of it.

    Raises:
        DataError: it cannot be removed.
    """
    try:
        publishing.remove(target)
    except OSError as error:
        raise DataError(f"{target} cannot be removed: {error.strerror}; make it writable") from error


def _exists(target: Path) -> DatasetExistsError:
    return DatasetExistsError(
        f"the dataset {target.name!r} exists already ({target}); choose another name, or replace it "
        "with overwrite=True (on the command line --force)"
    )
