"""Checks an entry as if an opponent had made it: complete, frozen, and every episode played again and judged.

Every metric is worked out by the replay; the independent checker of the environment confirms that the replay kept the
rules. No code of the entry is run.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.error import InvalidAction

from crowdgym.bench.fingerprint import fingerprint_of_instance
from crowdgym.common.errors import ConfigError, TraceError
from crowdgym.common.text import shortened
from crowdgym.execution.jobs import Engine, JobKind
from crowdgym.leaderboard.boards import Board, Cell, find_board
from crowdgym.leaderboard.entry import Entry, Execution
from crowdgym.leaderboard.folder import EntryFolder, read_entry
from crowdgym.leaderboard.pack import LIMITS, Pack, last_digest, read_pack
from crowdgym.leaderboard.results import Result, interquartile_means_of
from crowdgym.leaderboard.rounds import MOST_RUNS, hidden_seeds, read_round
from crowdgym.traces import Trace, TraceRecorder
from crowdgym.traces.quantities import ROUNDED
from crowdgym.verification.traces import broken_rules, has_checker


@dataclass(frozen=True)
class PackJob:
    """The replay of a pack.

    Attributes:
        board: name of the board.
        cell: name of the cell.
        file: of the pack.
        seeds: that it must hold, in this order.
    """

    board: str
    cell: str
    file: Path
    seeds: tuple[int, ...]

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Job`."""
        return {"file": str(self.file)}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Job`. No code of an entry is run, so all share processes."""
        return ""


def verify_entries(paths: Iterable[Path], engine: Engine) -> Iterator[tuple[Path, list[str]]]:
    """Verify entries; yields each with what is wrong with it, in sentences: none for an entry that is verified.

    An entry is yielded, in the order of the paths, as soon as it and those before it have been judged.
    """
    faults: dict[Path, list[str]] = {}
    open_jobs: dict[Path, int] = {}
    jobs: list[PackJob] = []
    of_job: dict[Path, Path] = {}
    for path in paths:
        faults[path], open_jobs[path] = [], 0
        try:
            found = pack_jobs(read_entry(path))
        except (ConfigError, TraceError) as error:
            faults[path].append(str(error))
            continue
        jobs += found
        of_job |= {job.file: path for job in found}
        open_jobs[path] = len(found)
    waiting = deque(faults)
    for job, outcome in engine.run(JobKind(judge_pack, fingerprint=fingerprint_of_pack), jobs):
        path = of_job[job.file]
        faults[path] += outcome.values["faults"]
        open_jobs[path] -= 1
        while waiting and not open_jobs[waiting[0]]:
            judged = waiting.popleft()
            yield judged, faults[judged]
    yield from ((path, faults[path]) for path in waiting)


def fingerprint_of_pack(job: PackJob) -> dict[str, str]:
    """What the judgement depends on: the code, the dataset and the file of a machine."""
    board = find_board(job.board)
    of_data = fingerprint_of_instance(board.instance(board.cells[job.cell], 0))
    if not job.file.is_file():
        return {**of_data, f"file {job.file}": "none"}
    with job.file.open("rb") as file:
        content = file.read(LIMITS.file_bytes + 1)
    return {**of_data, f"file {job.file}": hashlib.sha256(content).hexdigest()[:12]}


def judge_pack(job: PackJob) -> dict[str, Any]:
    """Play a pack again. Returns ``faults``, at most one sentence: the first thing that is wrong."""
    board = find_board(job.board)
    try:
        for _ in replayed(board, board.cells[job.cell], read_pack(job.file), job.seeds):
            pass
    except TraceError as error:
        return {"faults": [f"{job.file}: {str(error).removeprefix(f'{job.file} ')}"]}
    return {"faults": []}


def pack_jobs(folder: EntryFolder) -> list[PackJob]:
    """Check all of an entry but its episodes; returns the packs that are to be played.

    Raises:
        ConfigError: something is wrong; one sentence.
        TraceError: a pack cannot be read.
    """
    board = folder.board
    _check_package(folder)
    if folder.execution is not None:
        _check_execution(folder, folder.execution, folder.packs)
    jobs = _jobs(board, folder.packs, dict.fromkeys(board.cells, board.public_seeds), folder.path)
    for run in folder.hidden:
        found = read_round(folder.rounds, run.round)
        if board.name not in found.suites:
            raise ConfigError(
                f"the round {run.round!r} is not about {board.name}, only about {', '.join(found.suites)}"
            )
        if found.secret is None:
            if run.packs:
                raise ConfigError(
                    f"{folder.path} has traces of the round {run.round!r}, which is open: they tell its seeds"
                )
            continue
        seeds = {name: hidden_seeds(found.secret, board, cell) for name, cell in board.cells.items()}
        jobs += _jobs(board, run.packs, seeds, folder.path)
        _check_execution(folder, run.execution, run.packs)
    return jobs


def check_runs(folders: Iterable[EntryFolder]) -> list[str]:
    """Sentences about teams with too many entries in a round. Policies of CrowdGym do not count: they are baselines."""
    runs: dict[tuple[str, str, str], list[str]] = {}
    for folder in folders:
        if folder.entry.policy.name is None:
            for run in folder.hidden:
                key = (folder.entry.suite, run.round, folder.entry.team)
                runs.setdefault(key, []).append(folder.entry.name)
    return [
        f"the team {team!r} has {len(names)} runs in the round {name!r} of {suite}, more than {MOST_RUNS}: "
        + ", ".join(names)
        for (suite, name, team), names in runs.items()
        if len(names) > MOST_RUNS
    ]


def replayed(board: Board, cell: Cell, pack: Pack, seeds: Sequence[int]) -> Iterator[Trace]:
    """Play the episodes of a pack again; yields each as a full trace once it is confirmed.

    Raises:
        TraceError: a claim of the pack is not confirmed; one sentence.
    """
    header = pack.header
    env = board.make_environment(cell)
    _check_header(board, cell, pack, env)
    _check_seeds([episode.seed for episode in header.episodes], seeds)
    for number in range(len(header.episodes)):
        yield _confirmed(env, pack, number)


def play_again(env: Any, pack: Pack, number: int) -> Trace:
    """Play an episode of a pack on its environment, and record it.

    Raises:
        TraceError: the actions do not fit the episode.
    """
    header, episode = pack.header, pack.header.episodes[number]
    where = f"the episode of seed {episode.seed}"
    recorder = TraceRecorder(env, "replay")
    try:
        recorder.reset(seed=episode.seed, options=dict(header.options))
    except (ValueError, TypeError, LookupError, ArithmeticError, MemoryError) as error:
        raise TraceError(f"{where} cannot begin: {shortened(error)}") from None
    here = env.provenance.data_checksum
    if header.data_checksum != here:
        raise TraceError(
            f"the pack was played on {env.provenance.other_data} than the scenario is here: checksum "
            f"{shortened(header.data_checksum[:12])}…, here {here[:12]}…"
        )
    for joint in pack.actions[number]:
        if not env.agents:
            raise TraceError(f"{where} is over before its {episode.steps} steps")
        try:
            recorder.step(dict(zip(env.possible_agents, joint.tolist(), strict=True)))
        except InvalidAction as error:
            raise TraceError(f"{where} holds an action that is none: {shortened(error)}") from None
    if env.agents:
        raise TraceError(f"{where} is cut: it goes on after its {episode.steps} steps")
    return recorder.trace()


def _confirmed(env: Any, pack: Pack, number: int) -> Trace:
    episode = pack.header.episodes[number]
    where = f"the episode of seed {episode.seed}"
    trace = play_again(env, pack, number)
    played = trace.header.metrics
    if set(played) != set(episode.metrics):
        odd = min(set(played) ^ set(episode.metrics))
        raise TraceError(f"{where} must have the metrics of its replay, and differs in {shortened(odd)!r}")
    for name, value in played.items():
        claimed = episode.metrics[name]
        if not np.isclose(claimed, value, rtol=ROUNDED.relative_tolerance, atol=ROUNDED.absolute_tolerance):
            raise TraceError(f"{where} claims {name} {claimed:,.10g}, its replay earns {value:,.10g}")
    # A setting that is newer than the pack is not in it, and not in its digest.
    named = replace(trace, header=trace.header.model_copy(update={"settings": pack.header.settings}))
    if last_digest(named) != episode.digest:
        raise TraceError(
            f"{where} differs from its replay: its digest is {episode.digest}, played {last_digest(named)}"
        )
    broken = broken_rules(trace) if has_checker(trace) else []
    if broken:
        raise TraceError(f"{where} breaks a rule: {broken[0].message}")
    return trace


def _check_header(board: Board, cell: Cell, pack: Pack, env: Any) -> None:
    header = pack.header
    if (header.env, header.cell) != (board.environment, cell.name):
        raise TraceError(f"the pack must be of {cell.name} of {board.environment}, got {shortened(header.cell)}")
    here = env.settings.model_dump(mode="json")
    for name, value in header.settings.items():
        if name not in here or here[name] != value or type(here[name]) is not type(value):
            there = f"{here[name]!r}" if name in here else "no such setting"
            raise TraceError(
                f"the setting {shortened(name)} must be that of the board, {there}, got {shortened(value)}"
            )
    missing = next((name for name in ("scenario", *dict(cell.point)) if name not in header.settings), None)
    if missing is not None:
        raise TraceError(f"the pack lacks the setting {missing}")
    if "instance" in header.options:
        raise TraceError("the pack begins its episodes with an instance: expected those of the seeds")
    if header.agents != len(env.possible_agents):
        raise TraceError(f"the pack has {header.agents} agents, the board {len(env.possible_agents)}")


def _check_seeds(found: Sequence[int], wanted: Sequence[int]) -> None:
    twice = next((seed for at, seed in enumerate(found) if seed in found[:at]), None)
    if twice is not None:
        raise TraceError(f"the pack holds the episode of seed {twice} twice")
    missing = next((seed for seed in wanted if seed not in found), None)
    if missing is not None:
        raise TraceError(f"the pack lacks the episode of seed {missing}")
    stranger = next((seed for seed in found if seed not in wanted), None)
    if stranger is not None:
        raise TraceError(f"the pack holds an episode of seed {stranger}, which is not on the board")
    if tuple(found) != tuple(wanted):
        raise TraceError("the episodes of the pack must be in the order of the board's seeds")


def _jobs(board: Board, packs: Mapping[str, Path], seeds: Mapping[str, tuple[int, ...]], path: Path) -> list[PackJob]:
    missing = next((name for name in board.cells if name not in packs), None)
    if missing is not None:
        raise ConfigError(f"{path} lacks the cell {missing}: an entry plays all {len(board.cells)} of {board.name}")
    stranger = next((name for name in packs if name not in board.cells), None)
    if stranger is not None:
        raise ConfigError(f"{packs[stranger]} is of no cell of {board.name}")
    return [PackJob(board.name, name, packs[name], seeds[name]) for name in board.cells]


def _check_package(folder: EntryFolder) -> None:
    policy = folder.entry.policy
    if policy.package is None:
        return
    file = folder.path / policy.package
    if not file.is_file():
        raise ConfigError(f"{folder.path} lacks {policy.package}, the package that its {policy.entry_point} is in")
    here = hashlib.sha256(file.read_bytes()).hexdigest()
    if here != policy.sha256:
        raise ConfigError(
            f"{file} is not the package of the entry: SHA-256 {here[:12]}…, expected {policy.sha256:.12}…"
        )


def _check_execution(folder: EntryFolder, execution: Execution, packs: Mapping[str, Path]) -> None:
    """Check that it was this policy that was run, and that the scores are those of the packs."""
    entry: Entry = folder.entry
    if execution.frozen_sha256 != entry.frozen_sha256:
        raise ConfigError(f"{folder.path} was changed after it was run: its policy is not the one of its execution")
    if set(packs) != set(folder.board.cells):
        return  # said elsewhere
    means = interquartile_means_of(Result.of(folder.board, packs))
    for name, value in means.items():
        if not np.isclose(execution.scores.get(name, np.nan), value, rtol=1e-9, atol=1e-9):
            claimed = execution.scores.get(name)
            raise ConfigError(f"the execution of {folder.path} says {name} {claimed}, its traces {value:.10g}")
