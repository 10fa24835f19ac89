"""A clone acts as its teacher does, is played, and is where other learners begin."""

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.learning.checkpoint import BEST, LAST, read_tensors  # noqa: E402
from crowdgym.cli.main import app  # noqa: E402

SMALL = ("--scenario", "tiny", "--set", "step_s=60.0", "--set", "hidden=8", "--set", "evaluation_episodes=2")
STEPS = 60 * 2  # of an iteration: 3600 s in steps of 60 s, two copies


def train(learner: str, out: Path, iterations: int, *more: object) -> None:
    words = ("train", learner, "dasc_v0", *SMALL, "--set", "num_envs=2", "--steps", iterations * STEPS, "--out", out)
    result = CliRunner().invoke(app, [str(word) for word in (*words, *more)])
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clone") / "run"
    train("clone", out, 6, "--set", "teacher=recommend-all", "--set", "learning_rate=0.02")
    return out


def test_it_learns_to_take_the_actions_of_its_teacher(clone: Path) -> None:
    """Who recommends whatever is legal is learnt from any observation."""
    with (clone / "curve.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert float(rows[-1]["charts/accuracy"]) > 0.99
    assert float(rows[-1]["losses/cross_entropy"]) < 0.1 < float(rows[1]["losses/cross_entropy"])


def test_it_is_played(clone: Path) -> None:
    result = CliRunner().invoke(app, ["run", "--agent", str(clone)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("learner", ["ippo", "rmo"])
def test_other_learners_begin_with_it(clone: Path, learner: str, tmp_path: Path) -> None:
    train(learner, tmp_path / "run", 1, "--init", clone)
    before, begun = read_tensors(clone / LAST).tensors, read_tensors(tmp_path / "run" / BEST)
    assert begun.facts["iteration"] <= 1
    name = "actor.trunk.scaling.mean_t_self"
    assert torch.equal(begun.tensors[name], before[name])


def test_an_unknown_teacher_is_refused(tmp_path: Path) -> None:
    words = [
        "train",
        "clone",
        "dasc_v0",
        *SMALL,
        "--set",
        "teacher=nemo",
        "--steps",
        "60",
        "--out",
        str(tmp_path / "run"),
    ]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "nemo" in result.stderr
