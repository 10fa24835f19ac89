"""What the result of a job depends on besides the job: the version, the code and the data of a machine."""

from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import crowdgym
from crowdgym.bench.hooks import load_hook
from crowdgym.bench.jobs import BoundJob, EpisodeJob
from crowdgym.data.registry import dataset_kind, load_dataset, load_series
from crowdgym.data.store import SENSING, dataset_checksum
from crowdgym.registration import environment_spec


def fingerprint(job: EpisodeJob | BoundJob) -> dict[str, str]:
    """By name, in words, for the machine that calls it.

    Raises:
        ConfigError: the settings of the job cannot be used.
        DataError: the dataset is missing or damaged.
    """
    instance = job.instance
    keywords = {**dict(instance.settings), **load_hook(instance.hook).keywords(instance.scenario, dict(instance.point))}
    settings = environment_spec(instance.environment).settings_class().load(scenario=instance.scenario, **keywords)
    name = getattr(settings, "dataset", None)
    of_data = {} if name is None else {f"dataset {name!r}": _checksum_of(name)}
    return {"version of CrowdGym": crowdgym.__version__, "code of CrowdGym": digest_of_code(), **of_data}


@cache
def digest_of_code() -> str:
    """A digest of the code that plays an episode: other code may give other results."""
    digest = sha256()
    for package in ("envs", "data", "agents"):
        for folder in import_module(f"crowdgym.{package}").__path__:
            for file in sorted(Path(folder).rglob("*.py")):
                digest.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _checksum_of(dataset: str) -> str:
    if dataset_kind(dataset.partition("@")[0]) == SENSING:
        return load_series(dataset).checksum
    return dataset_checksum(load_dataset(dataset))
