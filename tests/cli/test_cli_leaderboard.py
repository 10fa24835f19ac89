"""``crowdgym leaderboard``, on entries of the repository."""

import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from crowdgym.cli.main import app

BOARD = Path(__file__).resolve().parents[2] / "leaderboard"
ENTRY = Path("entries", "sensing_v0", "random-static")


def invoke(*words: object) -> Result:
    return CliRunner().invoke(app, ["leaderboard", *map(str, words)])


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A folder with the rounds and one small entry of the repository."""
    shutil.copytree(BOARD / "rounds", tmp_path / "rounds")
    shutil.copytree(BOARD / ENTRY, tmp_path / ENTRY)
    return tmp_path


def test_an_entry_of_the_repository_is_verified_and_a_forged_one_is_refused(board: Path) -> None:
    honest = invoke("verify", board / ENTRY)
    assert honest.exit_code == 0, honest.output
    assert honest.stdout.startswith(f"{board / ENTRY}: verified, re-executed")

    (board / ENTRY / "execution.yaml").unlink()
    cells = sorted((board / ENTRY / "traces").iterdir())
    shutil.copy(cells[0], cells[1])
    forged = invoke("verify", board / "entries")

    assert forged.exit_code == 1
    assert forged.stdout == ""
    assert forged.stderr.startswith(f"{board / ENTRY}: refused: {cells[1]}: the pack must be of ")
    assert forged.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("verify", "nowhere"), "nowhere is neither an entry nor a folder of entries"),
        (("verify", "a", "b", "--only-changed", "main"), "needs the folder of all entries, got 2 folders"),
        (("build", "nowhere"), "nowhere is neither an entry nor a folder of entries"),
        (("submit", "nowhere", "--entry", "a", "--title", "a", "--team", "a", "--author", "a"), "holds no run of"),
    ],
)
def test_arguments_that_cannot_be_used(
    words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(*words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_options_of_rounds_that_do_not_fit(board: Path) -> None:
    assert "are for --seeds hidden" in invoke("execute", board / ENTRY, "--round", "2026-1").stderr
    assert "--seeds hidden needs --round" in invoke("execute", board / ENTRY, "--seeds", "hidden").stderr
    other = invoke("execute", board / ENTRY, "--seeds", "hidden", "--round", "2025-1")
    assert "there is no round '2025-1'" in other.stderr


def test_every_own_policy_of_a_board_is_an_entry() -> None:
    from crowdgym.leaderboard.boards import boards

    for board in boards():
        listed = {agent.name for agent in board.suite.agents}
        assert {path.name for path in (BOARD / "entries" / board.environment).iterdir()} == listed


def test_the_secret_of_a_closed_round_is_published() -> None:
    for file in (BOARD / "rounds").glob("*.yaml"):
        content = yaml.safe_load(file.read_text())
        assert content["name"] == file.stem
        assert ("secret" in content) == ("closed" in content)


@pytest.mark.slow
def test_all_entries_of_the_repository_are_verified_and_make_a_site(tmp_path: Path) -> None:
    verified = invoke("verify", BOARD / "entries", "--jobs", 2)
    assert verified.exit_code == 0, verified.output
    built = invoke("build", BOARD / "entries", "--out", tmp_path / "site")
    assert built.exit_code == 0, built.output
    assert (tmp_path / "site" / "index.html").is_file()
