"""Makes a named dataset from a sensing series."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crowdgym.data.names import check_name
from crowdgym.data.sensing.files import write_series
from crowdgym.data.sensing.series import SensingSeries
from crowdgym.data.store import check_free, check_writable, created_by


@dataclass(frozen=True)
class SeriesBuild:
    """A series that has just been kept, and where."""

    series: SensingSeries
    folder: Path


def check_target(name: str, *, overwrite: bool) -> None:
    """Check that a dataset may be written under this name, before anything is read or fetched.

    Raises:
        DataError: the name is not valid or taken, or the cache folder cannot be written.
    """
    check_name(name)
    if not overwrite:
        check_free(name)
    check_writable()


def keep_series(series: SensingSeries, sources: Sequence[str], *, overwrite: bool = False) -> SeriesBuild:
    """Keep a series under its name; `crowdgym.data.registry.load_series` gives it back.

    It is written whole or not at all, and the same series gives the same bytes.

    Args:
        series: what is kept.
        sources: what it was read from, for the description of the dataset: names of files, or an address.
        overwrite: replace a dataset of the same name.

    Raises:
        DataError: as `check_target`.
    """
    check_target(series.name, overwrite=overwrite)
    description = {
        "created_by": created_by(),
        "first_cycle": series.cycles[0],
        "last_cycle": series.cycles[-1],
        "sources": list(sources),
    }
    return SeriesBuild(series, write_series(series, description, overwrite=overwrite))
