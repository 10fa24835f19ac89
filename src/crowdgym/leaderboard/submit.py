"""``submit``: makes an entry of a finished run of ``crowdgym bench SUITE --traces``."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crowdgym.bench.jobs import EpisodeJob
from crowdgym.bench.run_folder import FILE_NAME, RUN_NAME, read_rows
from crowdgym.bench.suite import Suite
from crowdgym.common.errors import ConfigError
from crowdgym.common.files import read_plain, write_bytes
from crowdgym.common.json_text import parse_json
from crowdgym.configs.suites import AgentEntry
from crowdgym.leaderboard.boards import Board, find_board
from crowdgym.leaderboard.entry import Entry
from crowdgym.leaderboard.execute import yaml_of
from crowdgym.leaderboard.folder import ENTRY, MOST_BYTES, TRACES
from crowdgym.leaderboard.pack import SUFFIX, pack_of, write_pack
from crowdgym.traces import read_trace

_MOST_RUN_BYTES = 2**22


@dataclass(frozen=True)
class About:
    """What the author says of an entry; see `crowdgym.leaderboard.entry.Entry`."""

    title: str
    team: str
    authors: tuple[str, ...]
    kind: str
    package: Path | None = None
    entry_point: str | None = None
    licence: str | None = None
    paper: str | None = None


def submit(run: Path, agent: str | None, name: str, about: About, entries: Path) -> Path:
    """Write an entry; returns its folder. Nothing is written if the run is not complete.

    Args:
        run: folder of the run.
        agent: of the run; None for the only one.
        name: of the entry.
        about: see `About`.
        entries: the folder of all entries.

    Raises:
        ConfigError: the run is not one of a board, or not complete; or the entry says something that it cannot.
        TraceError: a trace cannot be read.
    """
    board, agent, information = _played(run, agent)
    jobs = _jobs(run, board, agent)
    missing = next((job.trace for job in jobs if job.trace is None or not job.trace.is_file()), None)
    if missing is not None:
        raise ConfigError(f"{missing} is missing: play the suite with --traces, without --quick and --only")
    folder = entries / board.environment / name
    if folder.exists():
        raise ConfigError(f"{folder} exists: an entry is not replaced; choose another --entry")
    entry = _entry(board, name, information, about)
    for cell in board.cells.values():
        of_cell = [job for job in jobs if (job.instance.scenario, job.instance.point) == (cell.scenario, cell.point)]
        pack = pack_of(cell.name, [read_trace(job.trace) for job in of_cell if job.trace is not None])
        write_pack(folder / TRACES / f"{cell.name}{SUFFIX}", pack)
    if about.package is not None:
        write_bytes(folder / about.package.name, about.package.read_bytes())
    write_bytes(folder / ENTRY, yaml_of(entry.model_dump(mode="json", exclude_none=True, exclude_defaults=True)))
    return folder


def _played(run: Path, agent: str | None) -> tuple[Board, str, str]:
    """The board of a run, the agent, and what it was given."""
    try:
        about: Any = parse_json(read_plain(run / RUN_NAME, _MOST_RUN_BYTES))
        rows = read_rows(run / FILE_NAME)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{run} holds no run of 'crowdgym bench': {error}") from None
    board = find_board(str(about.get("suite") if isinstance(about, dict) else None))
    names = sorted({str(row.get("agent")) for row in rows})
    if agent is None and len(names) != 1:
        raise ConfigError(f"{run} has several agents: give one of {', '.join(names)} with --agent")
    wanted = names[0] if agent is None else agent
    of_agent = [row for row in rows if row.get("agent") == wanted]
    if not of_agent:
        raise ConfigError(f"{run} has no agent {wanted!r}, only {', '.join(names)}")
    failed = next((row for row in of_agent if row.get("failure") is not None), None)
    if failed is not None:
        raise ConfigError(f"{wanted} failed on seed {failed.get('seed')}: {failed['failure']}")
    given = sorted({str(row.get("information")).partition(" ")[0] for row in of_agent})
    return board, wanted, given[0]


def _jobs(run: Path, board: Board, agent: str) -> list[EpisodeJob]:
    """The episodes that the agent plays, whatever else was played in the run."""
    suite = board.suite.model_copy(update={"agents": (AgentEntry(name=agent),)})
    episodes, *_ = Suite(board.name, suite).job_lists(run, {}, traces=True)
    return list(episodes.jobs)


def _entry(board: Board, name: str, information: str, about: About) -> Entry:
    policy: dict[str, object] = {"kind": about.kind, "licence": about.licence}
    if about.package is not None:
        content = _package(about.package)
        policy |= {"package": about.package.name, "sha256": hashlib.sha256(content).hexdigest()}
        policy["entry_point"] = about.entry_point
    content_of: Mapping[str, object] = {
        "format": 1,
        "name": name,
        "title": about.title,
        "team": about.team,
        "authors": [{"name": author} for author in about.authors],
        "suite": board.name,
        "information": information,
        "policy": policy,
        "paper": about.paper,
        "played_with": {of: version(of) for of in ("crowdgym", "numpy", "numba")},
    }
    try:
        return Entry.model_validate(content_of)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{where} of the entry: {first['msg'].removeprefix('Value error, ')}") from None


def _package(file: Path) -> bytes:
    try:
        return read_plain(file, MOST_BYTES)
    except (OSError, ValueError) as error:
        raise ConfigError(f"--package {file} cannot be read: {error}") from None
