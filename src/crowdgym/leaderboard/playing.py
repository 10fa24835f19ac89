"""Plays the policy of an entry, as a maintainer does: the frozen policy, in a process of its own, on given seeds."""

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Final

from crowdgym.bench.jobs import Agent, EpisodeJob, play_episode, prepare, recorded_trace
from crowdgym.common.errors import ConfigError
from crowdgym.common.files import write_bytes
from crowdgym.common.seeds import SUITES
from crowdgym.execution.jobs import Engine, JobKind
from crowdgym.execution.processes import ProcessEngine
from crowdgym.leaderboard.boards import Board
from crowdgym.leaderboard.entry import Entry
from crowdgym.leaderboard.pack import Pack, pack_of
from crowdgym.traces import trace_from_bytes

MOST_MEMBERS: Final = 1_000
MOST_UNPACKED_BYTES: Final = 2**28

Seeds = Mapping[str, tuple[int, ...]]  # by cell


@contextmanager
def engine_for(entry: Entry, folder: Path, jobs: int) -> Iterator[Engine]:
    """An engine whose processes find the package of an entry.

    Args:
        entry: to be played.
        folder: of the entry.
        jobs: processes that play at the same time.

    Raises:
        ConfigError: the package cannot be unpacked.
    """
    with tempfile.TemporaryDirectory(prefix="crowdgym-entry-") as here:
        if entry.policy.package is not None:
            unpack(folder / entry.policy.package, Path(here))
        with chdir(here), ProcessEngine(jobs) as engine:
            yield engine


def play_entry(
    entry: Entry, board: Board, seeds: Seeds, engine: Engine, watch: Callable[[], object]
) -> dict[str, Pack]:
    """Play an entry; returns its packs by cell.

    Args:
        entry: has a policy that can be run.
        board: that it is on.
        seeds: of each cell.
        engine: see `engine_for`.
        watch: called after each episode.

    Raises:
        ConfigError: the policy cannot be run, fails, or decides by more than the entry says.
    """
    agent = _agent(entry)
    files = {cell: [Path(f"{cell}-{seed}.trace") for seed in seeds[cell]] for cell in board.cells}
    episodes = [
        EpisodeJob(board.name, board.instance(cell, seed), agent, SUITES.start + i, files[name][i])
        for name, cell in board.cells.items()
        for i, seed in enumerate(seeds[name])
    ]
    kind: JobKind[EpisodeJob] = JobKind(play_episode, prepare, board.suite.time_limit_s)
    # Traces are kept in memory: a file could be replaced by the policy, which runs as the same user.
    recorded: dict[Path | None, bytes] = {}
    for job, outcome in engine.run(kind, episodes):
        if outcome.failure is not None:
            raise ConfigError(f"{entry.name} on {job.instance.scenario}: {outcome.failure}")
        recorded[job.trace] = recorded_trace(outcome.values)
        check_information(entry, str(outcome.values["information"]))
        watch()
    return {
        cell: pack_of(cell, [trace_from_bytes(recorded[file], file.name) for file in of_cell])
        for cell, of_cell in files.items()
    }


def check_information(entry: Entry, played: str) -> None:
    """Check that a policy was given what the entry says.

    Args:
        entry: says it.
        played: such as "centralised (isolated)"; see `crowdgym.bench.jobs.play_episode`.

    Raises:
        ConfigError: it was given something else.
    """
    given = played.partition(" ")[0]
    if given != entry.information:
        raise ConfigError(
            f"{entry.name} says that its policy is {entry.information}, but the policy is {given}: "
            "expected the same in entry.yaml"
        )


def _agent(entry: Entry) -> Agent:
    policy = entry.policy
    named = policy.name or policy.entry_point
    if named is None:
        raise ConfigError(f"{entry.name} has no policy that can be run: expected a name or a package in entry.yaml")
    return Agent(entry.name, named, tuple(policy.arguments.items()))


def unpack(package: Path, target: Path) -> None:
    """Unpack a package. Links, paths that lead out of the folder, and too many or too large files are refused.

    Raises:
        ConfigError: it is no package that can be unpacked.
    """
    try:
        with zipfile.ZipFile(package) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check_members(package, members)
            for member in members:
                content = archive.open(member).read(member.file_size + 1)
                if len(content) != member.file_size:
                    raise ConfigError(f"{package}: {member.filename!r} does not have the size that it declares")
                write_bytes(target / member.filename, content)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise ConfigError(f"{package} cannot be unpacked: {error}") from None


def _check_members(package: Path, members: list[zipfile.ZipInfo]) -> None:
    size = sum(member.file_size for member in members)
    if len(members) > MOST_MEMBERS or size > MOST_UNPACKED_BYTES:
        raise ConfigError(
            f"{package} must have at most {MOST_MEMBERS:,} files and {MOST_UNPACKED_BYTES:,} bytes when unpacked, "
            f"has {len(members):,} and {size:,}"
        )
    for member in members:
        parts = member.filename.split("/")
        is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
        if is_link or member.filename.startswith("/") or any(part in ("", ".", "..") for part in parts):
            raise ConfigError(f"{package}: {member.filename!r} must be a plain file below the folder of the package")
        if "\\" in member.filename or ":" in member.filename or not member.filename.isprintable():
            raise ConfigError(f"{package}: {member.filename!r} must have a name of plain characters")
