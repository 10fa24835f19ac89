"""Every tutorial is followed from its first to its last line, on small worlds."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import follow, write_streets

TUTORIALS = Path(__file__).resolve().parents[1] / "docs" / "tutorials"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The empty folder of a reader, with datasets of its own."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path / "cache"))
    yield tmp_path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def shorter(command: str) -> str:
    """The same command or program on the smallest city: one episode, a few steps of training, two of evaluation."""
    command = re.sub(r"--episodes \d+", "--episodes 1", command.replace("haikou-synth", "tiny"))
    command = re.sub(r"\.learn\([\d_]+\)", ".learn(500)", command)
    if command.startswith("train ippo"):
        command = re.sub(r"--steps \d+", "--steps 1", command) + " --set evaluation_episodes=2 --set num_envs=2"
    return command


def followed(name: str, folder: Path) -> dict[str, str]:
    return follow((TUTORIALS / name).read_text(encoding="utf-8"), folder, shorter)


def said_by(said: dict[str, str], beginning: str) -> list[str]:
    return [text for command, text in said.items() if command.startswith(beginning)]


def test_every_tutorial_is_tried_here() -> None:
    assert {page.stem for page in TUTORIALS.glob("*.md")} == {
        *("own_city", "own_environment", "own_learner", "own_policy", "regression_of_dynamics")
    }


def test_own_policy(folder: Path) -> None:
    said = followed("own_policy.md", folder)

    assert "worth:Worth" in said_by(said, "crowdgym bench")[0]
    assert (folder / "mine" / "table.md").is_file()
    assert (folder / "replay.html").is_file()


def test_own_learner(folder: Path) -> None:
    said = followed("own_learner.md", folder)

    assert re.search(r"^0 0 [\d,]+$", said["import csv"], re.MULTILINE)  # the curve before training
    assert "best revenue" in said_by(said, "crowdgym train climber:LEARNER")[0]
    assert "agent library:Trained" in said_by(said, "crowdgym run csc_v0 --scenario tiny --set num_workers=12")[0]


def test_own_city(folder: Path) -> None:
    write_streets(folder / "town.osm")

    said = followed("own_city.md", folder)

    assert re.search(r"nodes +396\n", said["crowdgym data info town"])  # 20 × 20, of which the corners are no crossings
    assert "csc_v0 on town, agent trained" in said_by(said, "crowdgym run --agent trained")[0]
    assert (folder / "replay.html").is_file()


def test_own_environment(folder: Path) -> None:
    said = followed("own_environment.md", folder)

    assert "all 17 checks passed" in said["import ring"]
    assert "ring.trace: verified" in said_by(said, "crowdgym trace verify")[0]


def test_regression_of_dynamics(folder: Path) -> None:
    (verified,) = said_by(followed("regression_of_dynamics.md", folder), "crowdgym trace verify")

    assert verified.count(": verified") == 2
