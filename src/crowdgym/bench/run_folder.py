"""Plays the jobs of a suite, and writes a line of JSON for each: an episode, or the bound of an instance.

A killed run can be resumed. A line is written as soon as its job is finished, so at most the jobs that are running are
lost. At the end the lines are put into the order of the suite, so the files do not depend on how often the run was
killed, or on the number of processes. The time that a job takes is no result, and is not kept.

Each line ends with a checksum of itself, of its environment and of the settings of its scenario. The job of a line that
was damaged or edited is played again.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from crowdgym.bench.benchmark import Benchmark, JobList
from crowdgym.common.errors import ConfigError, DataWarning
from crowdgym.common.files import LineFile, write_bytes
from crowdgym.common.json_text import parse_json
from crowdgym.execution.jobs import AnyJob, Engine, Job, Outcome

FILE_NAME = "episodes.jsonl"
BOUNDS_NAME = "bounds.jsonl"
TRACES_NAME = "traces"  # a folder
RUN_NAME = "run.json"
RUN_FORMAT = 4  # of the run folder
CHECKSUM = "checksum"  # of a line, its last key

Row = Mapping[str, Any]  # the parameters of a job, and its result


def open_run(folder: Path, benchmark: Benchmark, *, resume: bool) -> list[dict[str, Row]]:
    """Check the folder of a run, and read the finished jobs. Writes nothing.

    Args:
        folder: need not exist.
        benchmark: to be played.
        resume: whether the folder may hold a run.

    Returns:
        For each list of jobs the finished rows, by `key_of` their jobs.

    Raises:
        ConfigError: the folder holds a run and ``resume`` is off, or lines of another run, or files of no run.

    Warns:
        DataWarning: lines are damaged; their jobs are not among the finished ones.
    """
    found = [of for of in benchmark.job_lists if (folder / of.file_name).exists()]
    if found and not resume:
        file = folder / found[0].file_name
        raise ConfigError(f"{file} exists; give --resume to continue that run, or another --out")
    if not found:
        foreign = next((name for name in benchmark.output_names if (folder / name).exists()), None)
        if foreign is not None:
            raise ConfigError(f"{folder / foreign} exists, but {folder} holds no run; give another --out")
        return [{} for _ in benchmark.job_lists]
    _check_provenance(folder / RUN_NAME, benchmark)
    return [_finished(folder / of.file_name, of, benchmark.provenance) for of in benchmark.job_lists]


def play_all(
    folder: Path,
    benchmark: Benchmark,
    engine: Engine,
    *,
    finished: list[dict[str, Row]],
    watch: Callable[[Job, Outcome], object],
) -> None:
    """Play the jobs that are not finished, and write the files.

    Args:
        folder: of the run; exists.
        benchmark: to be played.
        engine: executes the jobs.
        finished: what `open_run` returned.
        watch: called after each job, when its line is written.

    Raises:
        ConfigError: a policy failed in a list that keeps no failures.
    """
    _remove_leftovers(folder, benchmark)
    write_bytes(folder / RUN_NAME, _run_file(folder, benchmark))
    for of, rows in zip(benchmark.job_lists, finished, strict=True):
        _write(folder / of.file_name, rows.values(), benchmark.provenance)  # without damaged lines
    for of, rows in zip(benchmark.job_lists, finished, strict=True):
        file = folder / of.file_name
        with LineFile(file) as lines:
            for job, row in _played(of, engine, rows, watch):
                lines.append(_line(row, benchmark.provenance))
                rows[key_of(job)] = row
        _write(file, [rows[key_of(job)] for job in of.jobs], benchmark.provenance)


def read_rows(file: Path) -> list[Row]:
    """All rows of a finished list, in the order of its jobs, without checksums; none if there is no file."""
    if not file.exists():
        return []
    rows = [parse_json(line) for line in file.read_bytes().splitlines()]
    return [{name: value for name, value in row.items() if name != CHECKSUM} for row in rows]


def key_of(job: Job) -> str:
    """A key that two jobs share if and only if they are the same."""
    return _key(job.parameters())


def _remove_leftovers(folder: Path, benchmark: Benchmark) -> None:
    """Remove files that were being written when the run was killed; they have temporary names."""
    names = (*(of.file_name for of in benchmark.job_lists), *benchmark.output_names, RUN_NAME)
    for pattern in (*(f".{name}.*" for name in names), f"{TRACES_NAME}/.*.trace.*"):
        for file in folder.glob(pattern):
            file.unlink(missing_ok=True)


def _finished(file: Path, of: JobList[AnyJob], provenance: Row) -> dict[str, Row]:
    if not file.exists() or not of.jobs:
        return {}
    wanted = {key_of(job): job for job in of.jobs}
    names = of.jobs[0].parameters()
    finished: dict[str, Row] = {}
    damaged: list[int] = []
    *lines, _ = file.read_bytes().split(b"\n")  # behind the last end there is what was being written at a kill
    for number, line in enumerate(lines, start=1):
        row = _checked(line, provenance)
        if row is None or not names.keys() <= row.keys():
            damaged.append(number)
            continue
        key = _key({name: row[name] for name in names})
        if key not in wanted:
            raise ConfigError(f"{file}, line {number} is of an episode that is not in this run; use another --out")
        if of.is_complete(wanted[key]):
            finished[key] = row
    if damaged:
        others = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        warnings.warn(
            f"{file}, line {damaged[0]}{others}: damaged or changed since written; what was there is played again",
            DataWarning,
            stacklevel=3,
        )
    return finished


def _played(
    of: JobList[AnyJob], engine: Engine, finished: Mapping[str, Row], watch: Callable[[Job, Outcome], object]
) -> Iterator[tuple[AnyJob, Row]]:
    """Play the jobs without a row; yields each with its row. ``watch`` is called when the row was taken."""
    missing = [job for job in of.jobs if key_of(job) not in finished]
    for job, outcome in engine.run(of.kind, missing):
        yield job, {**job.parameters(), **_values(of, job, outcome)}
        watch(job, outcome)


def _values(of: JobList[AnyJob], job: AnyJob, outcome: Outcome) -> Mapping[str, Any]:
    values = of.keep(job, outcome.values)
    if of.keeps_failures:
        return {**values, "failure": outcome.failure}
    if outcome.failure is not None:
        raise ConfigError(outcome.failure)
    return values


def _check_provenance(file: Path, benchmark: Benchmark) -> None:
    """Check that a run is resumed with the provenance it was started with. It may have had fewer agents."""
    if not file.exists():
        raise ConfigError(f"{file} is missing, so the run in {file.parent} cannot be resumed; use another --out")
    before = _read_run(file)
    if before.get("format") != benchmark.provenance["format"]:
        raise ConfigError(f"{file.parent} holds a run of another version of CrowdGym; use another --out")
    for name, value in benchmark.provenance.items():
        if before.get(name, value) != value:
            raise ConfigError(
                f"{file.parent} holds a run that differs in the {name}{_difference(before[name], value)}, and "
                "results are not mixed; use another --out"
            )


def _difference(before: Any, now: Any) -> str:
    """The two values; of two mappings, the first value that differs."""
    if isinstance(before, dict) and isinstance(now, dict):
        name = next(name for name in {**before, **now} if before.get(name) != now.get(name))
        return f" ({name} was {before.get(name)!r}, now it is {now.get(name)!r})"
    return f" (it was {before!r}, now it is {now!r})"


def _read_run(file: Path) -> dict[str, Any]:
    try:
        content = parse_json(file.read_bytes())
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ConfigError(f"{file} is damaged; use another --out")
    return content


def _run_file(folder: Path, benchmark: Benchmark) -> bytes:
    """The provenance of the run, and of agents that played earlier and do not play now."""
    resumed = any((folder / of.file_name).exists() for of in benchmark.job_lists)
    before = _read_run(folder / RUN_NAME) if resumed else {}
    return (json.dumps({**before, **benchmark.provenance}, indent=1, sort_keys=True) + "\n").encode()


def _key(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True)


def _line(row: Row, provenance: Row) -> str:
    return json.dumps({**row, CHECKSUM: _checksum(row, provenance)}, allow_nan=False) + "\n"


def _checked(line: bytes, provenance: Row) -> dict[str, Any] | None:
    """The row of a line; None if it is not as it was written."""
    try:
        row = parse_json(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or row.pop(CHECKSUM, None) != _checksum(row, provenance):
        return None
    return row


def _checksum(row: Row, provenance: Row) -> str:
    settings = [provenance.get(name) for name in ("environment", f"settings of {row.get('scenario')}")]
    return hashlib.sha256(json.dumps([row, settings], sort_keys=True).encode()).hexdigest()[:16]


def _write(file: Path, rows: Iterable[Row], provenance: Row) -> None:
    write_bytes(file, "".join(_line(row, provenance) for row in rows).encode())
