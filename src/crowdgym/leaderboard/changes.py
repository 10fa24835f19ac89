"""What a pull request changes: one that hands in an entry adds that entry, and nothing that only maintainers write."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from crowdgym.common.errors import ConfigError
from crowdgym.leaderboard.folder import ENTRY, EXECUTION, HIDDEN


def changed_entries(entries: Path, base: str) -> tuple[list[Path], list[str]]:
    """The entries that differ from a commit.

    Args:
        entries: the folder of all entries, in a git repository.
        base: the commit, such as "origin/main".

    Returns:
        The changed entries, and a sentence about each change that an author must not make.

    Raises:
        ConfigError: git does not know the commit.
    """
    if base.startswith("-"):
        raise ConfigError(f"--only-changed must be a commit, got {base!r}")
    top = Path(_git(entries, "rev-parse", "--show-toplevel").strip())
    files = [top / name for name in _git(top, "diff", "--name-only", "-z", f"{base}...HEAD").split("\0") if name]
    found: dict[Path, None] = {}
    faults = []
    for file in files:
        parts = file.relative_to(entries.resolve()).parts if file.is_relative_to(entries.resolve()) else ()
        if len(parts) < 3:
            faults.append(
                f"{file.relative_to(top)} is no file of an entry: a pull request with an entry changes nothing else"
            )
            continue
        if parts[2] in (EXECUTION, HIDDEN):
            faults.append(f"{file.relative_to(top)} is written by maintainers alone, after the entry is merged")
        found[entries.resolve() / parts[0] / parts[1]] = None
    removed = [path for path in found if not (path / ENTRY).is_file()]
    faults += [f"{path.relative_to(top)} is removed: entries stay" for path in removed]
    return [path for path in found if path not in removed], faults


def _git(folder: Path, *words: Sequence[str] | str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigError(f"git {words[0]} failed in {folder}: {' '.join(done.stderr.split())}")
    return done.stdout
