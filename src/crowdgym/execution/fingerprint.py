"""What the result of a job depends on besides the job: the version, the code and the data of a machine."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import crowdgym
from crowdgym.data.registry import dataset_kind, load_dataset, load_series
from crowdgym.data.store import SENSING, dataset_checksum
from crowdgym.registration import environment_spec

# With their settings in YAML and their packaged weights.
_PARTS: Final = ("common", "configs", "data", "envs", "agents", "bench", "isolation", "training", "traces")


def fingerprint_of(*datasets: str) -> dict[str, str]:
    """By name, in words, for the machine that calls it.

    Args:
        datasets: names of those that a job reads.

    Raises:
        DataError: a dataset is missing or damaged.
    """
    of_data = {f"dataset {name!r}": _checksum_of(name) for name in datasets}
    return {"version of CrowdGym": crowdgym.__version__, "code of CrowdGym": digest_of_code(), **of_data}


def dataset_of(environment: str, keywords: Mapping[str, Any]) -> tuple[str, ...]:
    """The name of the dataset that an environment reads; nothing if it reads none.

    Raises:
        ConfigError: a keyword cannot be used.
    """
    settings = environment_spec(environment).settings_class().load(**keywords)
    name = getattr(settings, "dataset", None)
    return () if name is None else (name,)


@cache
def digest_of_code() -> str:
    """A digest of the code, the settings and the weights that play an episode: others may give other results."""
    digest = sha256()
    for package in _PARTS:
        for folder in import_module(f"crowdgym.{package}").__path__:
            for file in sorted(Path(folder).rglob("*")):
                if file.is_file() and file.suffix != ".pyc":
                    digest.update(f"{package}/{file.relative_to(folder).as_posix()}\n".encode() + file.read_bytes())
    for folder in crowdgym.__path__:
        for file in sorted(Path(folder).glob("*.py")):
            digest.update(f"{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _checksum_of(dataset: str) -> str:
    if dataset_kind(dataset.partition("@")[0]) == SENSING:
        return load_series(dataset).checksum
    return dataset_checksum(load_dataset(dataset))
