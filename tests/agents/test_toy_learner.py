"""A learner is added without editing any file outside its folder: it is trained, resumed and played by the commands."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.learning.checkpoint import BEST, LAST, read_tensors  # noqa: E402
from crowdgym.agents.learning.description import read_description  # noqa: E402
from crowdgym.cli.main import app  # noqa: E402

NAME = "toy_learner:LEARNER"
SMALL = ("--scenario", "tiny", "--set", "num_workers=4", "--set", "num_tasks=8", "--set", "horizon_s=900")
STEPS = 30  # of an iteration: one episode of 900 s in steps of 30 s


def crowdgym(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def train(out: Path, iterations: int, *more: object) -> str:
    return crowdgym("train", NAME, "csc_v0", *SMALL, "--steps", iterations * STEPS, "--out", out, *more)


def learnt(out: Path) -> dict[str, float]:
    return {name: float(tensor) for name, tensor in read_tensors(out / LAST).tensors.items()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("toy") / "run"
    train(out, 6)
    return out


def test_it_is_trained_by_the_command(trained: Path) -> None:
    described = read_description(trained)
    assert (described.agent, described.hyperparameters["stride"]) == (NAME, 0.25)
    with (trained / "curve.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["iteration"] for row in rows] == [str(number) for number in range(7)]
    assert all(row["evaluation"] for row in rows)
    assert learnt(trained)["share"] > 0.0
    assert read_tensors(trained / BEST).facts["score"] == pytest.approx(max(float(row["evaluation"]) for row in rows))


def test_it_goes_on_where_it_stopped(trained: Path, tmp_path: Path) -> None:
    train(tmp_path / "run", 3)
    train(tmp_path / "run", 6, "--resume")
    assert learnt(tmp_path / "run") == learnt(trained)


def test_it_is_played_from_its_folder(trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "played.json"
    crowdgym("run", "--agent", trained, "--json", file)
    played = json.loads(file.read_text())
    assert (played["env"], played["config"]["num_workers"]) == ("csc_v0", 4)


def test_its_hyperparameters_are_listed() -> None:
    listed = crowdgym("train", NAME, "csc_v0", "--settings")
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    assert ["stride", "0.25", "of a step of the climb"] in [[word.strip() for word in row] for row in rows]
    assert ["evaluation_every", "1"] in [row[:2] for row in rows]
