"""A finished run of the suite becomes an entry that the verification accepts."""

from pathlib import Path

import pytest
import yaml
from leaderboard.tiny_board import CELLS, NAME, SUITE, HereEngine

from crowdgym.bench.run_folder import open_run, play_all
from crowdgym.bench.suite import Suite
from crowdgym.common.errors import ConfigError
from crowdgym.leaderboard.submit import About, submit
from crowdgym.leaderboard.verify import verify_entries

ABOUT = About("nearest task", "Team", ("Ada", "Bob"), "rule")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the tiny suite with traces."""
    folder = tmp_path_factory.mktemp("run")
    benchmark = Suite(NAME, SUITE).benchmark(HereEngine(), folder, {}, traces=True)
    finished = open_run(folder, benchmark, resume=False)
    play_all(folder, benchmark, HereEngine(), finished=finished, watch=lambda job, outcome: None)
    return folder


def test_the_entry_of_a_run_is_verified(tiny: None, run: Path, tmp_path: Path) -> None:
    path = submit(run, "greedy", "mine", ABOUT, tmp_path / "entries")

    assert path == tmp_path / "entries" / "csc_v0" / "mine"
    content = yaml.safe_load((path / "entry.yaml").read_text())
    assert (content["suite"], content["information"]) == (NAME, "decentralised")
    assert content["authors"] == [{"name": "Ada"}, {"name": "Bob"}]
    assert sorted(file.stem for file in (path / "traces").iterdir()) == sorted(CELLS)
    assert list(verify_entries([path], HereEngine())) == [(path, [])]


def test_an_episode_of_a_pack_takes_a_fraction_of_its_trace(tiny: None, run: Path, tmp_path: Path) -> None:
    path = submit(run, "greedy", "mine", ABOUT, tmp_path / "entries")
    traces = sum(file.stat().st_size for file in (run / "traces").glob("*greedy*"))
    packs = sum(file.stat().st_size for file in (path / "traces").iterdir())
    assert packs < traces / 10


def test_a_package_goes_into_the_entry_with_its_digest(tiny: None, run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.zip").write_bytes(b"abc")
    about = About("nearest task", "Team", ("Ada",), "rule", tmp_path / "mine.zip", "mine:Mine", "MIT")
    path = submit(run, "greedy", "mine", about, tmp_path / "entries")
    policy = yaml.safe_load((path / "entry.yaml").read_text())["policy"]
    # The SHA-256 of "abc", from FIPS 180-2.
    assert policy["sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (path / "mine.zip").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("agent", "name", "about", "sentence"),
    [
        (None, "mine", ABOUT, "has several agents: give one of greedy, hold, random with --agent"),
        ("pau", "mine", ABOUT, "has no agent 'pau', only greedy, hold, random"),
        ("greedy", "My Entry", ABOUT, "name of the entry: String should match pattern"),
        ("greedy", "mine", About("", "Team", ("Ada",), "rule"), "title of the entry: String should have at least 1"),
        ("greedy", "mine", About("a", "Team", ("Ada",), "rule", Path("none.zip"), "a:B"), "--package none.zip cannot"),
    ],
)
def test_what_cannot_be_an_entry(
    agent: str | None, name: str, about: About, sentence: str, tiny: None, run: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        submit(run, agent, name, about, tmp_path / "entries")
    assert not (tmp_path / "entries").exists()


def test_an_entry_is_not_replaced(tiny: None, run: Path, tmp_path: Path) -> None:
    submit(run, "greedy", "mine", ABOUT, tmp_path / "entries")
    with pytest.raises(ConfigError, match="an entry is not replaced"):
        submit(run, "hold", "mine", ABOUT, tmp_path / "entries")


def test_a_folder_that_holds_no_run(tiny: None, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no run of 'crowdgym bench'"):
        submit(tmp_path, None, "mine", ABOUT, tmp_path / "entries")


def test_a_run_without_traces(tiny: None, run: Path, tmp_path: Path) -> None:
    for name in ("run.json", "episodes.jsonl"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    with pytest.raises(ConfigError, match="play the suite with --traces"):
        submit(tmp_path, "greedy", "mine", ABOUT, tmp_path / "entries")
