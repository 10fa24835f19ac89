"""Plays a list of episodes, one after the other or in several processes, and keeps a line of JSON for each.

A run that was killed goes on where it was: a line is written as soon as its episode is finished, so at most the
episodes under way are lost. When all are there the lines are put in the order of the list, so that the file is the same
however often the run was killed and however many processes there were.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol, TypeVar

from crowdgym.configs.errors import ConfigError
from crowdgym.data.storage import write_bytes

FILE_NAME = "episodes.jsonl"

Row = Mapping[str, Any]  # an episode's parameters and what it came to


class Episode(Protocol):
    """What to play. Must be picklable for a run in several processes."""

    def parameters(self) -> dict[str, Any]:
        """What sets it apart from the others, as a JSON object."""


Item = TypeVar("Item", bound=Episode)
Play = Callable[[Item], dict[str, Any]]  # a plain function of a module, so that another process can find it


def open_run(folder: Path, episodes: Sequence[Item], *, resume: bool) -> dict[str, Row]:
    """Check the folder of a run, and read what is there already.

    Args:
        folder: exists.
        episodes: of the run.
        resume: whether lines may be there.

    Returns:
        The rows that are finished, by `key_of` their episodes.

    Raises:
        ConfigError: there are lines and ``resume`` is off, or lines of episodes that are not in the run.
    """
    file = folder / FILE_NAME
    if not file.exists():
        return {}
    if not resume:
        raise ConfigError(f"{file} exists; give --resume to go on with that run, or another --out")
    wanted = [episode.parameters() for episode in episodes]
    keys = {_key(parameters) for parameters in wanted}
    finished: dict[str, Row] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            key = _key({name: row[name] for name in wanted[0]})
        except (json.JSONDecodeError, KeyError, TypeError):
            continue  # the line that was being written when the run was killed; its episode is played again
        if key not in keys:
            raise ConfigError(f"{file}, line {number} is of an episode that this run does not have; use another --out")
        finished[key] = row
    return finished


def play_all(
    folder: Path, episodes: Sequence[Item], play: Play[Item], *, finished: Mapping[str, Row], jobs: int
) -> Iterator[int]:
    """Play what is not finished, and keep the file.

    Args:
        folder: of the run.
        episodes: of the run.
        play: what an episode comes to.
        finished: what `open_run` returned.
        jobs: how many processes; 1: this one.

    Yields:
        How many episodes are there: first those that were, then after each that is played.
    """
    file, rows = folder / FILE_NAME, dict(finished)
    _write(file, rows.values())  # without what is no line
    yield len(rows)
    with file.open("a", encoding="utf-8") as lines:
        for episode, metrics in _played([e for e in episodes if key_of(e) not in rows], play, jobs):
            row = {**episode.parameters(), **metrics}
            lines.write(_line(row))
            lines.flush()
            rows[key_of(episode)] = row
            yield len(rows)
    _write(file, [rows[key_of(episode)] for episode in episodes])


def read_rows(folder: Path) -> list[Row]:
    """All rows of a finished run, in the order of its episodes."""
    return [json.loads(line) for line in (folder / FILE_NAME).read_text(encoding="utf-8").splitlines()]


def key_of(episode: Episode) -> str:
    """What two episodes have in common if and only if they are the same."""
    return _key(episode.parameters())


def _played(episodes: Sequence[Item], play: Play[Item], jobs: int) -> Iterator[tuple[Item, dict[str, Any]]]:
    if jobs == 1:
        for episode in episodes:
            yield episode, play(episode)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures: dict[Future[dict[str, Any]], Item] = {pool.submit(play, episode): episode for episode in episodes}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _key(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True)


def _line(row: Row) -> str:
    return json.dumps(row, allow_nan=False) + "\n"


def _write(file: Path, rows: Any) -> None:
    write_bytes(file, "".join(map(_line, rows)).encode())
