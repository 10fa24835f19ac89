"""One honest entry, which tests copy and change."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from leaderboard.tiny_board import know_the_tiny_board, write_entry

from crowdgym.leaderboard import boards


@pytest.fixture(scope="session")
def honest_entries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder ``entries`` with the entries hold, greedy and random; not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        know_the_tiny_board(patch)
        entries = tmp_path_factory.mktemp("board") / "entries"
        for name in ("greedy", "random"):
            write_entry(entries, name)
        write_entry(entries, "hold", policy={"kind": "other", "name": "hold"})
    boards.find_board.cache_clear()
    return entries


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tiny board is known."""
    know_the_tiny_board(monkeypatch)
    yield
    boards.find_board.cache_clear()


@pytest.fixture
def entries(tiny: None, honest_entries: Path, tmp_path: Path) -> Path:
    """A copy of the honest entries, to be changed."""
    return Path(shutil.copytree(honest_entries, tmp_path / "entries"))


@pytest.fixture
def greedy(entries: Path) -> Path:
    """The folder of the entry greedy."""
    return entries / "csc_v0" / "greedy"
