"""The folder of an entry, ``entries/ENV/NAME/``: nothing in it but what an entry has, and no path leads out of it.

entry.yaml           what the entry is
traces/CELL.npz      a pack for every cell
POLICY.zip           the policy, if it is given
execution.yaml       a maintainer has run the policy on the public seeds; the traces are those of the maintainer
hidden/ROUND/        a maintainer has run it on hidden seeds: execution.yaml and, once the round is closed, packs
"""

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crowdgym.common.errors import ConfigError
from crowdgym.common.text import shortened
from crowdgym.configs.documents import read_document
from crowdgym.leaderboard.boards import Board, find_board
from crowdgym.leaderboard.entry import Entry, Execution, Proof
from crowdgym.leaderboard.pack import SUFFIX

ENTRY, EXECUTION, TRACES, HIDDEN, ROUNDS = "entry.yaml", "execution.yaml", "traces", "hidden", "rounds"
MOST_FILES: Final = 2_000
MOST_BYTES: Final = 2**26  # of all files of an entry


@dataclass(frozen=True)
class HiddenRun:
    """A run of an entry on the hidden seeds of a round.

    Attributes:
        round: name of the round.
        execution: what the maintainer says.
        packs: by cell; empty while the round is open.
    """

    round: str
    execution: Execution
    packs: Mapping[str, Path]


@dataclass(frozen=True)
class EntryFolder:
    """An entry with its files.

    Attributes:
        path: of the folder.
        entry: what it is.
        board: that it is on.
        packs: of the public seeds, by cell.
        execution: of the public seeds, if a maintainer ran it.
        hidden: its runs on hidden seeds, by the names of rounds.
    """

    path: Path
    entry: Entry
    board: Board
    packs: Mapping[str, Path]
    execution: Execution | None
    hidden: tuple[HiddenRun, ...]

    @property
    def public_proof(self) -> Proof:
        """How its result on the public seeds is known."""
        return Proof.REPLAYED if self.execution is None else Proof.RE_EXECUTED

    @property
    def rounds(self) -> Path:
        """The folder of the rounds: beside that of all entries."""
        return rounds_of(self.path.parent.parent)


def rounds_of(entries: Path) -> Path:
    """The folder of the rounds, from that of all entries."""
    return entries.absolute().parent / ROUNDS


def find_entries(path: Path) -> list[Path]:
    """The folders of entries at or below a path, in the order of their names.

    Raises:
        ConfigError: there is none.
    """
    if (path / ENTRY).is_file():
        return [path]
    found = sorted({file.parent for pattern in (f"*/{ENTRY}", f"*/*/{ENTRY}") for file in path.glob(pattern)})
    if not found:
        raise ConfigError(f"{path} is neither an entry nor a folder of entries: there is no {ENTRY}")
    return found


def read_entry(path: Path) -> EntryFolder:
    """Read the files of an entry that say what it is. No pack is opened.

    Raises:
        ConfigError: something is missing, of the wrong form, too large, or does not belong to an entry.
    """
    path = path.absolute()
    files = list(_files(path))
    entry = read_document(Entry, path / ENTRY, "entry")
    if entry.name != path.name:
        raise ConfigError(f"{path / ENTRY}: name must be that of the folder, {path.name!r}, got {entry.name!r}")
    board = find_board(entry.suite)
    if path.parent.name != board.environment:
        raise ConfigError(f"an entry of {board.name} must be in a folder {board.environment}, got {path.parent.name!r}")
    known = {ENTRY, EXECUTION, *filter(None, [entry.policy.package])}
    for file in files:
        parts = file.relative_to(path).parts
        if not (parts[0] in known and len(parts) == 1) and not _is_pack(parts) and not _is_hidden(parts):
            raise ConfigError(f"{file} does not belong to an entry: expected {', '.join(sorted(known))} and packs")
    execution = read_document(Execution, path / EXECUTION, "execution") if (path / EXECUTION) in files else None
    return EntryFolder(path, entry, board, _packs(path / TRACES), execution, tuple(_hidden(path)))


def _files(path: Path) -> Iterator[Path]:
    """All files; their number and size are limited, and none is a link or a device."""
    count, size, waiting = 0, 0, [path]
    while waiting:
        for file in sorted(waiting.pop().iterdir()):
            status = file.lstat()
            count, size = count + 1, size + status.st_size
            if stat.S_ISDIR(status.st_mode):
                waiting.append(file)
            elif stat.S_ISREG(status.st_mode):
                yield file
            else:
                raise ConfigError(f"{file} must be a plain file or a folder: a link or a device is not opened")
            if count > MOST_FILES or size > MOST_BYTES:
                raise ConfigError(f"{path} must have at most {MOST_FILES:,} files and {MOST_BYTES:,} bytes, has more")


def _is_pack(parts: tuple[str, ...]) -> bool:
    return len(parts) == 2 and parts[0] == TRACES and parts[1].endswith(SUFFIX)


def _is_hidden(parts: tuple[str, ...]) -> bool:
    return len(parts) == 3 and parts[0] == HIDDEN and (parts[2] == EXECUTION or parts[2].endswith(SUFFIX))


def _packs(folder: Path) -> dict[str, Path]:
    return {file.name.removesuffix(SUFFIX): file for file in sorted(folder.glob(f"*{SUFFIX}"))}


def _hidden(path: Path) -> Iterator[HiddenRun]:
    for folder in sorted((path / HIDDEN).glob("*")):
        if not (folder / EXECUTION).is_file():
            raise ConfigError(f"{folder} is no run of a maintainer: there is no {EXECUTION}")
        execution = read_document(Execution, folder / EXECUTION, "execution")
        if execution.round != folder.name:
            raise ConfigError(
                f"{folder / EXECUTION} must be of the round {folder.name!r}, got {shortened(execution.round)!r}"
            )
        yield HiddenRun(folder.name, execution, _packs(folder))
