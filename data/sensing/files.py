"""A sensing series on disk: a folder like that of every dataset, with ``series.npz`` beside ``dataset.json``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crowdgym.data.sensing.series import SensingSeries
from crowdgym.data.store import SENSING, DatasetFolder, read_patiently, read_stamped, write_folder

SERIES_FILE = "series.npz"

_ARRAYS = ("cells", "attributes", "cycles", "cycle_s", "x_km", "y_km", "crs", "values", "outline_km")


def series_counts(series: SensingSeries) -> dict[str, int]:
    """How much there is of everything."""
    return {
        "cells": series.num_cells,
        "cycles": series.num_cycles,
        "attributes": series.num_attributes,
        "values": int(series.values.size - series.missing.sum()),
        "missing": int(series.missing.sum()),
    }


def write_series(series: SensingSeries, description: Mapping[str, Any], *, overwrite: bool) -> Path:
    """Write a series under its name, beside its description. See `crowdgym.data.store.write_folder`.

    Returns:
        The folder of the dataset.

    Raises:
        DatasetExistsError: there is one of this name and ``overwrite`` is false.
        DataError: the folder cannot be written.
    """
    facts = {"kind": SENSING, "counts": series_counts(series), **description}
    content = DatasetFolder(series.name, series.checksum, {SERIES_FILE: series.to_arrays()}, facts)
    return write_folder(content, overwrite)


def read_series_folder(folder: Path) -> tuple[SensingSeries, dict[str, Any]]:
    """Read a series and its description.

    Raises:
        DamagedFileError: a file is missing, truncated or corrupted, or belongs to another dataset; names the file.
        FileNotFoundError: there is no dataset in ``folder``.
        DataError: the dataset is of another kind.
    """

    def read(description: dict[str, Any]) -> SensingSeries:
        arrays = read_stamped(folder / SERIES_FILE, _ARRAYS, description["checksum"])
        return SensingSeries.from_arrays(folder.name, arrays)

    return read_patiently(folder, SENSING, read)
