"""Plays what a suite consists of, and keeps a line of JSON for each piece: an episode, or the bound of an instance.

A run that was killed goes on where it was: a line is written as soon as its piece is finished, so at most the pieces
under way are lost. When all are there the lines are put in the order of the suite, so that the file is the same
however often the run was killed and however many processes there were. How long a piece took is no result, and is not
kept.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from crowdgym.common.errors import ConfigError
from crowdgym.common.files import write_bytes
from crowdgym.execution.jobs import Benchmark, Item, Outcome, Part, Piece
from crowdgym.execution.processes import WorkerPool

FILE_NAME = "episodes.jsonl"
BOUNDS_NAME = "bounds.jsonl"
TRACES_NAME = "traces"  # a folder
RUN_NAME = "run.json"

Row = Mapping[str, Any]  # a piece's parameters and what it came to


def open_run(folder: Path, benchmark: Benchmark, *, resume: bool) -> list[dict[str, Row]]:
    """Check the folder of a run, and read what is there already. Writes nothing.

    Args:
        folder: need not exist.
        benchmark: what is to be played.
        resume: whether lines may be there.

    Returns:
        For each part the rows that are finished, by `key_of` their pieces.

    Raises:
        ConfigError: there is a run and ``resume`` is off; or lines of something else; or files of somebody else's.
    """
    there = [part for part in benchmark.parts if (folder / part.file_name).exists()]
    if there and not resume:
        file = folder / there[0].file_name
        raise ConfigError(f"{file} exists; give --resume to go on with that run, or another --out")
    if not there:
        foreign = next((name for name in benchmark.output_names if (folder / name).exists()), None)
        if foreign is not None:
            raise ConfigError(f"{folder / foreign} exists, but no run it could be of; give another --out")
        return [{} for _ in benchmark.parts]
    _check_provenance(folder / RUN_NAME, benchmark)
    return [_finished(folder, part) for part in benchmark.parts]


def play_all(
    folder: Path,
    benchmark: Benchmark,
    pool: WorkerPool,
    *,
    finished: list[dict[str, Row]],
    watch: Callable[[Piece, Outcome], object],
) -> None:
    """Play what is not finished, and keep the files.

    Args:
        folder: of the run; exists.
        benchmark: what is to be played.
        pool: who plays.
        finished: what `open_run` returned.
        watch: called after each piece that is played, when its line is kept.

    Raises:
        ConfigError: a policy failed in a part that keeps no failures.
    """
    _remove_leftovers(folder, benchmark)
    if benchmark.provenance:
        write_bytes(folder / RUN_NAME, _run_file(folder, benchmark))
    for part, rows in zip(benchmark.parts, finished, strict=True):
        _write(folder / part.file_name, rows.values())  # without what is no line
    for part, rows in zip(benchmark.parts, finished, strict=True):
        _play(folder, part, pool, rows, watch)
        _write(folder / part.file_name, [rows[key_of(item)] for item in part.items])


def read_rows(file: Path) -> list[Row]:
    """All rows of a finished part, in the order of its pieces; none if there is no file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def key_of(piece: Piece) -> str:
    """What two pieces have in common if and only if they are the same."""
    return _key(piece.parameters())


def _remove_leftovers(folder: Path, benchmark: Benchmark) -> None:
    """Remove files that were being written when the run was killed; they have temporary names."""
    names = (*(part.file_name for part in benchmark.parts), *benchmark.output_names, RUN_NAME)
    for pattern in (*(f".{name}.*" for name in names), f"{TRACES_NAME}/.*.trace.*"):
        for file in folder.glob(pattern):
            file.unlink(missing_ok=True)


def _finished(folder: Path, part: Part[Item]) -> dict[str, Row]:
    file = folder / part.file_name
    if not file.exists() or not part.items:
        return {}
    wanted = {key_of(item): item for item in part.items}
    names = part.items[0].parameters()
    finished: dict[str, Row] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            key = _key({name: row[name] for name in names})
        except (json.JSONDecodeError, KeyError, TypeError):
            continue  # the line that was being written when the run was killed; its piece is played again
        if key not in wanted:
            raise ConfigError(f"{file}, line {number} is of an episode that this run does not have; use another --out")
        if part.is_whole(wanted[key]):
            finished[key] = row
    return finished


def _play(
    folder: Path,
    part: Part[Item],
    pool: WorkerPool,
    rows: dict[str, Row],
    watch: Callable[[Piece, Outcome], object],
) -> None:
    """Play what has no row yet, and add its row."""
    missing = [item for item in part.items if key_of(item) not in rows]
    with (folder / part.file_name).open("a", encoding="utf-8") as lines:
        for item, outcome in pool.run(part.task, missing):
            row = {**item.parameters(), **_values(part, outcome)}
            lines.write(_line(row))
            lines.flush()
            rows[key_of(item)] = row
            watch(item, outcome)


def _values(part: Part[Any], outcome: Outcome) -> dict[str, Any]:
    if part.keeps_failures:
        return {**outcome.values, "failure": outcome.failure}
    if outcome.failure is not None:
        raise ConfigError(outcome.failure)
    return outcome.values


def _check_provenance(file: Path, benchmark: Benchmark) -> None:
    """See that a run goes on with what it began with. It may have begun with fewer agents."""
    if not benchmark.provenance:
        return
    if not file.exists():
        raise ConfigError(f"{file} is missing, so nobody knows what the run was played with; use another --out")
    before = _read_run(file)
    for name, value in benchmark.provenance.items():
        if before.get(name, value) != value:
            raise ConfigError(
                f"{file.parent} holds a run that differs in the {name}{_difference(before[name], value)}, and "
                "results are not mixed; use another --out"
            )


def _difference(before: Any, now: Any) -> str:
    """What is another: the first value that is, if there are several."""
    if isinstance(before, dict) and isinstance(now, dict):
        name = next(name for name in {**before, **now} if before.get(name) != now.get(name))
        return f" ({name} was {before.get(name)!r}, now it is {now.get(name)!r})"
    return f" (it was {before!r}, now it is {now!r})"


def _read_run(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict):
        raise ConfigError(f"{file} is damaged; use another --out")
    return content


def _run_file(folder: Path, benchmark: Benchmark) -> bytes:
    """What the run is played with, agents of before that do not play now included."""
    goes_on = any((folder / part.file_name).exists() for part in benchmark.parts)
    before = _read_run(folder / RUN_NAME) if goes_on else {}
    return (json.dumps({**before, **benchmark.provenance}, indent=1, sort_keys=True) + "\n").encode()


def _key(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True)


def _line(row: Row) -> str:
    return json.dumps(row, allow_nan=False) + "\n"


def _write(file: Path, rows: Iterable[Row]) -> None:
    write_bytes(file, "".join(map(_line, rows)).encode())
