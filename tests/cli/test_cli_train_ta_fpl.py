"""``crowdgym train ta-fpl``, and how ``crowdgym run`` plays what it made; on the smallest city, with small models."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from training_runs import crowdgym, curve, ran, refused

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.learning.checkpoint import BEST, read_tensors  # noqa: E402
from crowdgym.agents.learning.description import DESCRIPTION  # noqa: E402

SMALL = {"num_workers": 6, "num_centres": 2, "num_tasks": 10, "history_events": 10, "horizon_s": 600, "window_s": 300}
MODEL = {"embedding": 8, "recent": 4, "in_category": 2, "local_epochs": 1, "personal_epochs": 1}
EVALUATION = {"evaluation_episodes": 1, "validation_events": 2}


def arguments(out: Path, *more: str, **changed: Any) -> list[str]:
    settings = {**SMALL, **MODEL, **EVALUATION, **changed}
    chosen = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    return ["train", "ta-fpl", "preference_v0", "--scenario", "preference-tiny", "--out", str(out), *chosen, *more]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ta_fpl") / "run"
    ran(*arguments(folder, "--strategy", "feddyn", "--steps", "3"))
    return folder


def test_a_run_has_a_row_for_each_round_and_the_best_is_that_of_the_smallest_validation_loss(whole: Path) -> None:
    rows = curve(whole)
    assert [row["iteration"] for row in rows] == ["0", "1", "2", "3"]
    losses = [float(row["validation/loss"]) for row in rows]
    facts = read_tensors(whole / BEST).facts
    assert facts["iteration"] == losses.index(min(losses))
    assert facts["score"] == float(rows[facts["iteration"]]["evaluation"])
    description = yaml.safe_load((whole / DESCRIPTION).read_text())
    assert description["baseline_agent"] == "km"
    assert "--strategy" not in description["command"]
    assert "--set strategy=feddyn" in description["command"]


def test_a_stopped_run_goes_on_with_the_same_bits(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "resumed"
    ran(*arguments(folder, "--strategy", "feddyn", "--steps", "1"))
    ran(*arguments(folder, "--strategy", "feddyn", "--steps", "3", "--resume"))
    for file in ("last.safetensors", "best.safetensors"):
        one, other = read_tensors(whole / file).tensors, read_tensors(folder / file).tensors
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("strategy", ["local", "central", "fedavg", "fedprox", "scaffold"])
def test_every_strategy_trains(strategy: str, tmp_path: Path) -> None:
    ran(*arguments(tmp_path / "run", "--strategy", strategy, "--steps", "1"))
    stored = read_tensors(tmp_path / "run" / BEST)
    table = stored.get("preferences")
    assert table.shape == (6, 8)
    torch.testing.assert_close(table.sum(dim=1), torch.ones(6, dtype=torch.float64))
    assert bool(stored.under("model")) == (strategy != "local")


def test_without_steps_the_hyperparameter_rounds_counts(tmp_path: Path) -> None:
    ran(*arguments(tmp_path / "run", rounds=2))
    assert len(curve(tmp_path / "run")) == 3


def test_a_trained_folder_is_played_with_its_own_workers_only(whole: Path) -> None:
    result = crowdgym("run", "--agent", whole)
    assert result.exit_code == 0, result.output
    assert "best.safetensors has the preferences of other workers" in refused(
        "run", "--agent", whole, "--set", "population_seed=1"
    )


def test_an_environment_without_histories_is_refused(tmp_path: Path) -> None:
    message = refused("train", "ta-fpl", "csc_v0", "--scenario", "tiny", "--out", tmp_path / "run")
    assert "ta-fpl needs histories of centres, which csc_v0 does not have" in message
