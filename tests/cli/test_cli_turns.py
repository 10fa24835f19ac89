"""``crowdgym train`` with agents in turn, and with mixed settings; on the smallest city, with small networks."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from training_runs import STEPS, arguments, curve, ran, refused, tensors

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.learning.checkpoint import BEST, read_tensors  # noqa: E402
from crowdgym.agents.learning.description import DESCRIPTION  # noqa: E402

ALL_ON = {"turns": "gain", "mask_idle_gain": True, "gain_features": True}
WORKERS = {"num_workers": 8, "num_tasks": 12}  # more than one chooses at an epoch


@pytest.mark.parametrize(
    "settings", [ALL_ON, {"turns": "idle"}, {"mask_idle_gain": True, "play": "likeliest"}], ids=["all", "idle", "mask"]
)
def test_an_agent_plays_in_turn_as_it_was_evaluated(settings: dict[str, Any], tmp_path: Path) -> None:
    """The dict interface, one episode at a time, gives the same mean as the vector environment of training."""
    ran(*arguments(tmp_path / "run", iterations=1, **WORKERS, **settings))
    described = yaml.safe_load((tmp_path / "run" / DESCRIPTION).read_text())
    assert {name: described["hyperparameters"][name] for name in settings} == settings
    file = tmp_path / "played.json"
    ran("run", "--agent", tmp_path / "run", "--episodes", 2, "--seed", 1_000_000, "--json", file)
    mean = json.loads(file.read_text())["mean"]
    assert mean["revenue"] == pytest.approx(read_tensors(tmp_path / "run" / BEST).facts["score"], rel=1e-12)
    assert mean["illegal"] == 0


def test_a_run_in_turn_that_is_resumed_ends_with_the_same_bits(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    changed = {**WORKERS, **ALL_ON, "learning_rate_schedule": "constant"}
    ran(*arguments(whole, iterations=2, **changed))
    ran(*arguments(parts, iterations=1, **changed))
    ran(*arguments(parts, iterations=2, **changed), "--resume")
    assert tensors(whole) == tensors(parts)
    assert curve(whole)[-1]["charts/hold_share"] == curve(parts)[-1]["charts/hold_share"]


def test_turns_are_refused_where_there_are_none(tmp_path: Path) -> None:
    message = refused(*arguments(tmp_path / "run", env="dasc_v0", turns="gain"))
    assert message.startswith("turns, mask_idle_gain and gain_features need observations of csc_v0")


def test_one_policy_for_several_settings(tmp_path: Path) -> None:
    """Three settings: the values of each ``--mix`` with all else as it is, the one that is in both only once."""
    mix = ("--mix", "num_workers=4,6", "--mix", "num_tasks=8,12")
    words = arguments(tmp_path / "run", iterations=2, mixed_at_once=2, evaluation_episodes=3)
    ran(*words, *mix)
    described = yaml.safe_load((tmp_path / "run" / DESCRIPTION).read_text())
    assert described["mix"] == {"num_workers": [4, 6], "num_tasks": [8, 12]}
    assert described["command"].endswith("--mix num_workers=4,6 --mix num_tasks=8,12 --out run")
    assert [row["steps"] for row in curve(tmp_path / "run")] == ["0", str(STEPS), str(2 * STEPS)]
    message = refused(*words, "--mix", "num_workers=4,6,8", "--resume")
    assert "has mix = {'num_workers': [4, 6], 'num_tasks': [8, 12]}, not {'num_workers': [4, 6, 8]}" in message


def test_the_baseline_of_a_mix_is_the_mean_over_its_settings(tmp_path: Path) -> None:
    words = arguments(tmp_path / "run", iterations=1, evaluation_episodes=2)
    ran(*words, "--mix", "num_workers=4,6")
    scores = []
    for number, workers in enumerate((4, 6)):
        file = tmp_path / f"{workers}.json"
        setting = ("--set", f"num_workers={workers}")
        ran("run", "--agent", "greedy", "csc_v0", "--scenario", "tiny", "--set", "num_tasks=8", "--set",
            "horizon_s=900", "--set", "window_s=300", *setting, "--episodes", 1, "--seed", 1_000_000 + number,
            "--json", file)  # fmt: skip
        scores.append(json.loads(file.read_text())["mean"]["revenue"])
    described = yaml.safe_load((tmp_path / "run" / DESCRIPTION).read_text())
    assert described["baseline_score"] == pytest.approx(sum(scores) / 2)


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ("num_workers", "--mix must be NAME=VALUE,VALUE, such as num_workers=100,200, got 'num_workers'"),
        ("num_workers=4,", "--mix must be NAME=VALUE,VALUE, such as num_workers=100,200, got 'num_workers=4,'"),
        ("workers=4,6", "csc_v0 has no keyword 'workers'; did you mean 'num_workers'? (known: "),
        ("max_candidates=3,4", "mixed settings must have equal observations and actions; mix numbers of workers or"),
    ],
)
def test_mixes_that_cannot_be_are_refused(mix: str, message: str, tmp_path: Path) -> None:
    assert refused(*arguments(tmp_path / "run"), "--mix", mix).startswith(message)


def test_a_run_that_is_older_than_a_hyperparameter_is_resumed(tmp_path: Path) -> None:
    """It was made with what is the default now."""
    run = tmp_path / "run"
    ran(*arguments(run, iterations=1, learning_rate_schedule="constant"))
    described = yaml.safe_load((run / DESCRIPTION).read_text())
    del described["hyperparameters"]["turns"]
    (run / DESCRIPTION).write_text(yaml.safe_dump(described))
    ran(*arguments(run, iterations=2, learning_rate_schedule="constant"), "--resume")
    message = refused(*arguments(run, iterations=3, learning_rate_schedule="constant", turns="gain"), "--resume")
    assert "has turns = 'none', not 'gain'" in message
