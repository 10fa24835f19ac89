"""What a pull request changes: an entry, and nothing that only maintainers write."""

import shutil
import subprocess
from pathlib import Path

import pytest

from crowdgym.common.errors import ConfigError
from crowdgym.leaderboard.changes import changed_entries


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "change")


@pytest.fixture
def repository(entries: Path) -> Path:
    """A git repository with the folder ``entries``, on a branch beside main."""
    folder = entries.parent
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    git(folder, "switch", "--quiet", "--create", "mine")
    return folder


def test_a_new_entry_is_the_only_one_that_is_verified(repository: Path) -> None:
    entries = repository / "entries"
    new = entries / "csc_v0" / "mine"
    (new / "traces").mkdir(parents=True)
    for file in ("entry.yaml", "traces/tiny-num_workers=4.npz"):
        shutil.copy(entries / "csc_v0" / "greedy" / file, new / file)
    commit(repository)

    assert changed_entries(entries, "main") == ([new.resolve()], [])


def test_what_only_maintainers_write_is_refused(repository: Path) -> None:
    entries = repository / "entries"
    (entries / "csc_v0" / "hold" / "execution.yaml").write_text("format: 1")
    (entries / "csc_v0" / "hold" / "hidden" / "first").mkdir(parents=True)
    (entries / "csc_v0" / "hold" / "hidden" / "first" / "execution.yaml").write_text("format: 1")
    commit(repository)

    changed, faults = changed_entries(entries, "main")

    assert [path.name for path in changed] == ["hold"]
    assert len(faults) == 2
    assert all("is written by maintainers alone" in fault for fault in faults)


def test_other_files_and_removed_entries_are_refused(repository: Path) -> None:
    entries = repository / "entries"
    (repository / "rounds").mkdir()
    (repository / "rounds" / "first.yaml").write_text("format: 1")
    shutil.rmtree(entries / "csc_v0" / "hold")
    commit(repository)

    changed, faults = changed_entries(entries, "main")

    assert changed == []
    assert "rounds/first.yaml is no file of an entry: a pull request with an entry changes nothing else" in faults
    assert "entries/csc_v0/hold is removed: entries stay" in faults


def test_a_commit_that_git_does_not_know(repository: Path) -> None:
    with pytest.raises(ConfigError, match="git diff failed"):
        changed_entries(repository / "entries", "nowhere")
    with pytest.raises(ConfigError, match="must be a commit, got '--output=x'"):
        changed_entries(repository / "entries", "--output=x")
