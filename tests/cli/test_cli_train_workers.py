"""``crowdgym train --workers``: several processes play the episodes, and the result is that of one, bit for bit."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")

from training_runs import arguments, curve, ran, refused, tensors

from crowdgym.cli.train import MachineOptions

TIMES = ("wall_s", "processor_s", "environment_s")
SEARCH = {"population": 4, "episodes": 2, "evaluation_every": 1, "evaluation_episodes": 2}
SEARCH_STEPS = 2 * 4 * 2 * 30  # of two generations: candidates, episodes, steps of an episode


def searching(out: Path) -> list[str]:
    chosen = {"num_workers": 4, "num_tasks": 8, "horizon_s": 900, "window_s": 300, **SEARCH}
    words = ["train", "es", "csc_v0", "--scenario", "tiny", "--steps", str(SEARCH_STEPS), "--out", str(out)]
    return words + [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]


def results(out: Path) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    rows = [{name: value for name, value in row.items() if name not in TIMES} for row in curve(out)]
    return tensors(out), rows


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="at once"),
        pytest.param(
            {"turns": "gain", "mask_idle_gain": "true", "gain_features": "true"}, id="in turn", marks=pytest.mark.slow
        ),
    ],
)
def test_three_copies_shared_by_two_processes(tmp_path: Path, changed: dict[str, Any]) -> None:
    for workers in (1, 2):
        words = arguments(tmp_path / str(workers), iterations=3, num_envs=3, evaluation_episodes=3, **changed)
        ran(*words, "--workers", workers)
    assert results(tmp_path / "2") == results(tmp_path / "1")


@pytest.mark.slow
def test_settings_that_are_mixed(tmp_path: Path) -> None:
    for workers in (1, 2):
        ran(*arguments(tmp_path / str(workers), iterations=2), "--mix", "num_workers=3,5", "--workers", workers)
    assert results(tmp_path / "2") == results(tmp_path / "1")


def test_the_candidates_of_an_evolution_strategy(tmp_path: Path) -> None:
    for workers in (1, 2):
        ran(*searching(tmp_path / str(workers)), "--workers", workers)
    assert results(tmp_path / "2") == results(tmp_path / "1")


@pytest.mark.slow
def test_a_run_may_go_on_with_another_number(tmp_path: Path) -> None:
    steady = {"learning_rate_schedule": "constant"}
    ran(*arguments(tmp_path / "whole", iterations=2, **steady))
    ran(*arguments(tmp_path / "parts", iterations=2, **steady), "--workers", 2)
    ran(*arguments(tmp_path / "whole", iterations=4, **steady), "--resume")
    ran(*arguments(tmp_path / "parts", iterations=4, **steady), "--resume")
    assert results(tmp_path / "parts") == results(tmp_path / "whole")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "0"], "--workers must be at least 1, got 0"),
        (["--engine", "slurm"], "--engine of 'crowdgym train' must be local or ray, got slurm"),
        (["--address", "auto"], "--address belongs to --engine ray, got --engine local"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, words: list[str], message: str) -> None:
    assert refused(*arguments(tmp_path / "out"), *words) == message
    assert not (tmp_path / "out" / "agent.yaml").exists()


def test_workers_may_play_for_a_network_that_learns_on_a_gpu(tmp_path: Path) -> None:
    """They play on the processor in any case; `test_learning_collect` says what they are sent."""
    plan: Any = SimpleNamespace(datasets=lambda: ())
    with MachineOptions(device="cuda", workers=2).playing(plan, tmp_path) as workers:
        assert workers is not None
        assert workers.number == 2


def test_a_clone_is_taught_in_one_process(tmp_path: Path) -> None:
    words = ["clone", *arguments(tmp_path / "out")[2:], "--workers", "2"]
    assert refused("train", *words) == "clone plays its episodes in one process, so it takes no --workers"
