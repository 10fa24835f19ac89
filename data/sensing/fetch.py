"""Downloads a dataset's files from their origin: checked by SHA-256, kept in the cache, and gone on with where cut."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crowdgym.common.errors import DataError
from crowdgym.common.files import make_folder
from crowdgym.data.cache import cache_folder, writing_to_cache
from crowdgym.data.sensing.piemonte import SourceFile

if TYPE_CHECKING:
    import requests

ATTEMPTS = 3  # at a connection that is cut, each going on where the last one stopped
TIMEOUT_S = 30.0
_CHUNK_BYTES = 1 << 16
_PARTIAL, _BEYOND_THE_END = 206, 416

Progress = Callable[[str, int], None]  # a file's name, and how many bytes of it are there


class _CutConnectionError(Exception):
    """The connection ended before the file did; what has come so far is kept."""


def downloads_folder(name: str) -> Path:
    """Where the files of a dataset's origin are kept (it need not exist yet)."""
    return cache_folder() / "downloads" / name


def fetch_files(
    files: Iterable[SourceFile],
    origin: str,
    folder: Path,
    *,
    attempts: int = ATTEMPTS,
    timeout_s: float = TIMEOUT_S,
    progress: Progress | None = None,
) -> None:
    """Make sure that ``folder`` holds the files: what is there and whole is left, the rest is downloaded.

    What came before a connection was cut is kept beside the file (``NAME.part``); this call, or another one later, goes
    on from there if the server can.

    Args:
        files: which, with their sums.
        origin: the address that their names are added to.
        folder: created if need be.
        attempts: at one file.
        timeout_s: how long the server may be silent.
        progress: told now and then how far a file is.

    Raises:
        DataError: the server cannot be reached, refuses, is cut off in the end, or sends something else than the sums
            say; or the folder cannot be written.
    """
    import pooch

    with writing_to_cache():
        make_folder(folder)
    with _quiet(pooch.get_logger()):
        for file in files:
            downloader = _Resuming(folder / f"{file.name}.part", attempts, timeout_s, progress)
            url = origin + file.name
            try:
                pooch.retrieve(url, f"sha256:{file.sha256}", file.name, folder, downloader=downloader)
            except DataError:
                raise
            except OSError as error:
                raise DataError(f"cannot keep {folder / file.name}: {error.strerror or error}") from error
            except ValueError as error:  # pooch's word for a sum that differs; it has thrown the file away
                raise DataError(
                    f"{url} is not what was expected: its SHA-256 sum is not {file.sha256}; nothing of it was kept"
                ) from error


class _Resuming:
    """A downloader for pooch that keeps what it has got so far, and asks for the rest only."""

    def __init__(self, part: Path, attempts: int, timeout_s: float, progress: Progress | None) -> None:
        self._part = part
        self._attempts = attempts
        self._timeout_s = timeout_s
        self._progress = progress
        self._received = False

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Download ``url`` into ``output_file``."""
        for attempt in range(1, self._attempts + 1):
            try:
                self._download(url)
                break
            except _CutConnectionError as error:
                if attempt == self._attempts:
                    raise DataError(
                        f"the connection to {urlsplit(url).netloc} was cut after {self._size()} bytes of {url}; "
                        "the same command goes on from there"
                    ) from error
        os.replace(self._part, output_file)

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _download(self, url: str) -> None:
        import requests

        had, self._received = self._size(), False
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={had}-"} if had else {})
        try:
            with requests.get(url, headers=headers, stream=True, timeout=self._timeout_s) as response:
                if had and response.status_code == _BEYOND_THE_END:
                    return  # it was whole already, or is another file now: the sum tells
                self._refuse_failure(url, response)
                goes_on = response.status_code == _PARTIAL and _starts_at(response, had)
                self._save(url, response, goes_on)
        except requests.exceptions.ChunkedEncodingError as error:
            raise _CutConnectionError from error
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
            if self._received:
                raise _CutConnectionError from error
            raise DataError(
                f"{urlsplit(url).netloc} cannot be reached to fetch {url}; check the network, or build the dataset "
                "from files at hand with 'crowdgym data build'"
            ) from error

    def _refuse_failure(self, url: str, response: "requests.Response") -> None:
        if response.status_code not in (200, _PARTIAL):
            raise DataError(
                f"{url} cannot be fetched: {urlsplit(url).netloc} answered HTTP {response.status_code} "
                f"({response.reason}); try again later"
            )

    def _save(self, url: str, response: "requests.Response", goes_on: bool) -> None:
        with self._part.open("ab" if goes_on else "wb") as file:
            for chunk in response.iter_content(_CHUNK_BYTES):
                file.write(chunk)
                self._received = True
                if self._progress is not None:
                    self._progress(url.rpartition("/")[2], file.tell())


def _starts_at(response: "requests.Response", byte: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {byte}-")


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from telling standard error what it is about to do."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
