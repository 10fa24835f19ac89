"""Rounds: hidden seeds follow from the secret, and from nothing that is published while the round is open."""

import hashlib
import io
from pathlib import Path

import pytest
from leaderboard.tiny_board import CELLS, NAME, SECRET, HereEngine, write_round

from crowdgym.common.errors import ConfigError
from crowdgym.leaderboard.boards import find_board
from crowdgym.leaderboard.execute import execute_hidden
from crowdgym.leaderboard.folder import read_entry
from crowdgym.leaderboard.rounds import hidden_seeds, read_round, secret_of


def hmac_by_hand(key: bytes, message: bytes) -> bytes:
    """HMAC with SHA-256 as RFC 2104 defines it, for a key of 64 bytes."""
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()


def test_a_seed_is_the_first_63_bits_of_an_hmac(tiny: None) -> None:
    board = find_board(NAME)
    seeds = hidden_seeds(SECRET, board, board.cells[CELLS[1]])
    digest = hmac_by_hand(SECRET.encode(), f"{NAME}\n{CELLS[1]}\n2".encode())
    assert seeds[2] == int(f"{int(digest.hex(), 16):0256b}"[:63], 2)
    assert len(set(seeds)) == 3
    assert not set(seeds) & set(hidden_seeds(SECRET, board, board.cells[CELLS[0]]))


def test_the_secret_of_an_open_round_comes_from_its_file_or_from_standard_input(
    entries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_round(entries, "first", closed=False)
    found = read_round(entries.parent / "rounds", "first")
    with pytest.raises(ConfigError, match="is open: give its secret with --secret-file"):
        secret_of(found, None)
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    assert secret_of(found, file) == SECRET
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(SECRET.encode() + b"\n")))
    assert secret_of(found, Path("-")) == SECRET
    file.write_text("f" * 64)
    with pytest.raises(ConfigError, match="must hold the secret of the round 'first'"):
        secret_of(found, file)


def test_an_open_round_publishes_scores_alone(greedy: Path, entries: Path, tmp_path: Path) -> None:
    write_round(entries, "first", closed=False)
    folder, found = read_entry(greedy), read_round(entries.parent / "rounds", "first")
    with pytest.raises(ConfigError, match="is open: give --vault"):
        execute_hidden(folder, found, SECRET, None, HereEngine(), lambda: None)

    execute_hidden(folder, found, SECRET, tmp_path / "vault", HereEngine(), lambda: None)

    assert [file.name for file in (greedy / "hidden" / "first").iterdir()] == ["execution.yaml"]
    kept = tmp_path / "vault" / "csc_v0" / "greedy" / "hidden" / "first"
    assert sorted(file.stem for file in kept.iterdir()) == sorted(CELLS)


def test_a_closed_round_needs_no_vault(greedy: Path, entries: Path, tmp_path: Path) -> None:
    write_round(entries, "first", closed=True)
    found = read_round(entries.parent / "rounds", "first")
    with pytest.raises(ConfigError, match="is closed: leave out --vault"):
        execute_hidden(read_entry(greedy), found, SECRET, tmp_path, HereEngine(), lambda: None)


def test_a_round_that_is_not_there(entries: Path) -> None:
    with pytest.raises(ConfigError, match="there is no round 'first'"):
        read_round(entries.parent / "rounds", "first")
