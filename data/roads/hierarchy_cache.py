"""Hierarchies kept on disk: built once for a network, whichever process needs it first."""

import os
import warnings
from pathlib import Path

import numpy as np

from crowdgym.common.archives import read_arrays, write_arrays
from crowdgym.common.errors import DamagedFileError, DataError, DataWarning
from crowdgym.data.cache import cache_folder, warn_not_kept, writing_to_cache
from crowdgym.data.roads.hierarchy import HIERARCHY_ARRAYS, Hierarchy, build_hierarchy
from crowdgym.data.roads.network import RoadNetwork

FORMAT_VERSION = 1  # to be raised when what a file holds, or how it is built, changes


def hierarchy_file(network: RoadNetwork) -> Path:
    """Return where the hierarchy of a network is kept."""
    return cache_folder() / "hierarchies" / f"{network.checksum[:32]}.npz"


def kept_hierarchy(network: RoadNetwork) -> Hierarchy:
    """Return the hierarchy of a network, from disk if it is there, else built and written there.

    Two processes may do this at once: each builds its own, both are the same, and the file is whole at any time. A file
    of another network or an older version is replaced. A damaged file is replaced with a `DataWarning`; where the
    folder cannot be written to, the hierarchy is held in memory only, with the warning of `warn_not_kept`.
    """
    file = hierarchy_file(network)
    try:
        kept = _read(file, network)
    except DamagedFileError as error:
        warnings.warn(f"{error}; it is rebuilt", DataWarning, stacklevel=3)
        kept = None
    if kept is not None:
        return kept
    hierarchy = build_hierarchy(network)
    header = {"checksum": np.array(network.checksum), "version": np.array(FORMAT_VERSION)}
    try:
        with writing_to_cache():
            write_arrays(file, header | hierarchy.to_arrays())
    except DataError as error:
        warn_not_kept(error)
    return hierarchy


def _read(file: Path, network: RoadNetwork) -> Hierarchy | None:
    """Read a hierarchy; None if there is none, or one of another network or version.

    Raises:
        DamagedFileError: the file is not a whole hierarchy.
    """
    if not os.path.isfile(file):  # also where the folder cannot be looked into: it cannot be written to either
        return None
    try:
        header = read_arrays(file, ("checksum", "version"))
        if str(header["checksum"]) != network.checksum or header["version"].tolist() != FORMAT_VERSION:
            return None
        hierarchy = Hierarchy.from_arrays(read_arrays(file, HIERARCHY_ARRAYS))
    except FileNotFoundError:  # gone since
        return None
    if not _fits(hierarchy, network.num_nodes):
        raise DamagedFileError(f"{file} holds arrays that are not a hierarchy of {network.num_nodes} nodes")
    return hierarchy


def _fits(hierarchy: Hierarchy, count: int) -> bool:
    """Whether the compiled loops, which do not check, stay within the arrays."""
    if any(array.dtype != np.int32 or array.ndim != 1 for array in hierarchy.to_arrays().values()):
        return False
    place = np.arange(count)
    if len(hierarchy.parent) != count or np.any((hierarchy.parent < -1) | (hierarchy.parent >= place)):
        return False
    if not np.array_equal(np.sort(hierarchy.position), place):
        return False
    for indptr, ends, length in (
        (hierarchy.up_indptr, hierarchy.up_head, hierarchy.up_length),
        (hierarchy.down_indptr, hierarchy.down_tail, hierarchy.down_length),
    ):
        if len(indptr) != count + 1 or indptr[0] != 0 or indptr[-1] != len(ends) or len(ends) != len(length):
            return False
        degree = np.diff(indptr)
        if np.any(degree < 0) or np.any((ends < 0) | (ends >= np.repeat(place, degree))) or np.any(length < 1):
            return False
    return True
