"""``execute``: a maintainer runs the frozen policy of an entry, and writes packs and ``execution.yaml``."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import yaml

from crowdgym.common.errors import ConfigError
from crowdgym.common.files import write_bytes
from crowdgym.execution.jobs import Engine
from crowdgym.leaderboard.entry import Execution
from crowdgym.leaderboard.folder import EXECUTION, HIDDEN, TRACES, EntryFolder
from crowdgym.leaderboard.pack import SUFFIX, Pack, write_pack
from crowdgym.leaderboard.playing import play_entry
from crowdgym.leaderboard.results import Result, interquartile_means_of
from crowdgym.leaderboard.rounds import Round, hidden_seeds

Watch = Callable[[], object]


def execute_public(folder: EntryFolder, engine: Engine, watch: Watch) -> Execution:
    """Run an entry on the public seeds; its packs replace those of the author.

    Raises:
        ConfigError: the policy cannot be run.
    """
    board = folder.board
    packs = play_entry(folder.entry, board, dict.fromkeys(board.cells, board.public_seeds), engine, watch)
    return _write(folder, packs, folder.path / TRACES, folder.path, None)


def execute_hidden(
    folder: EntryFolder, found: Round, secret: str, vault: Path | None, engine: Engine, watch: Watch
) -> Execution:
    """Run an entry on the hidden seeds of a round.

    Args:
        folder: of the entry.
        found: the round.
        secret: of the round.
        vault: where the packs of an open round are kept, outside of what is published; None for a closed round.
        engine: see `crowdgym.leaderboard.playing.engine_for`.
        watch: called after each episode.

    Raises:
        ConfigError: the policy cannot be run, the round is not about its board, or ``vault`` does not fit the round.
    """
    board = folder.board
    if board.name not in found.suites:
        raise ConfigError(f"the round {found.name!r} is not about {board.name}, only about {', '.join(found.suites)}")
    if (found.secret is None) != (vault is not None):
        state = "open: give --vault, the" if found.secret is None else "closed: leave out --vault, a"
        raise ConfigError(f"the round {found.name!r} is {state} folder for traces that are not published yet")
    seeds = {name: hidden_seeds(secret, board, cell) for name, cell in board.cells.items()}
    packs = play_entry(folder.entry, board, seeds, engine, watch)
    part = Path(board.environment, folder.entry.name, HIDDEN, found.name)
    run = folder.path / HIDDEN / found.name
    return _write(folder, packs, run if vault is None else vault / part, run, found.name)


def _write(folder: EntryFolder, packs: Mapping[str, Pack], traces: Path, run: Path, name: str | None) -> Execution:
    """Write packs, and last of all what says that they are complete."""
    files = {cell: traces / f"{cell}{SUFFIX}" for cell in packs}
    for cell, pack in packs.items():
        write_pack(files[cell], pack)
    execution = Execution(
        format=1,
        round=name,
        frozen_sha256=folder.entry.frozen_sha256,
        scores=interquartile_means_of(Result.of(folder.board, files)),
        played_with={of: version(of) for of in ("crowdgym", "numpy", "numba")},
    )
    write_bytes(run / EXECUTION, yaml_of(execution.model_dump(mode="json", exclude_none=True)))
    return execution


def yaml_of(content: Mapping[str, object]) -> bytes:
    """A mapping as YAML, in its order."""
    return yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=120).encode()
