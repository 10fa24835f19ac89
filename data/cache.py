"""The folder under which CrowdGym keeps datasets, and what is derived from them.

It is the platform's cache directory unless the environment variable ``CROWDGYM_DATA`` names another.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from crowdgym.common.errors import DataError, DataWarning, UnwritableError

CACHE_VARIABLE = "CROWDGYM_DATA"

_closed: set[Path] = set()  # the cache folders that cannot be written to, and for which a warning was given


def cache_folder() -> Path:
    """Return the folder under which everything is kept (it need not exist yet)."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("crowdgym"))


@contextmanager
def writing_to_cache() -> Iterator[None]:
    """Add to the message of an `UnwritableError` how to choose another folder.

    Raises:
        UnwritableError: the block raised one.
    """
    try:
        yield
    except UnwritableError as error:
        raise UnwritableError(f"{error}, or set {CACHE_VARIABLE} to another folder") from error


def warn_not_kept(error: DataError) -> None:
    """Warn, once for each cache folder, that every process has to make anew what was to be kept there."""
    folder = cache_folder()
    if folder not in _closed:
        _closed.add(folder)
        warnings.warn(f"{error} (until then, what is derived is held in memory only)", DataWarning, stacklevel=4)
