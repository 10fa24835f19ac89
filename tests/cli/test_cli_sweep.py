"""``crowdgym sweep``: trials of short training runs."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from training_runs import NETWORK, SMALL, crowdgym, curve, ran, refused

pytest.importorskip("optuna", reason="Optuna is not installed: pip install 'crowdgym[sweep]'")
pytest.importorskip("torch")

FIXED = {name: value for name, value in NETWORK.items() if name != "hidden"}
PLAN: dict[str, Any] = {
    "environment": "csc_v0",
    "scenario": "tiny",
    "settings": {**SMALL["csc_v0"], **FIXED, "evaluation_every": 1, "evaluation_episodes": 2},
    "steps": 120,
    "search": {"learning_rate": {"low": 1e-4, "high": 0.1, "log": True}, "hidden": {"choices": [8, 16]}},
    "trials": 4,
    "together": 2,
    "prune": False,
}


def plan(folder: Path, **changed: Any) -> Path:
    file = folder / "plan.yaml"
    content = {name: value for name, value in {**PLAN, **changed}.items() if value is not None}
    file.write_text(yaml.safe_dump(content))
    return file


def rows(out: Path) -> list[str]:
    """The rows of the table, best first."""
    lines = [line for line in (out / "results.md").read_text().splitlines() if line.startswith("| ")]
    return lines[2:]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep."""
    folder = tmp_path_factory.mktemp("whole")
    ran("sweep", "ippo", plan(folder), "--out", folder / "out", "--jobs", 1)
    return folder / "out"


def test_each_trial_is_a_training_run_and_the_best_is_first(whole: Path) -> None:
    found = {int(row.split("|")[1]): float(row.split("|")[4].replace(",", "")) for row in rows(whole)}
    assert list(found.values()) == sorted(found.values(), reverse=True)
    for number, score in found.items():
        evaluations = [row["evaluation"] for row in curve(whole / f"trial-{number:05d}" / "seed-0")]
        best = max(map(float, filter(None, evaluations)))
        assert score == pytest.approx(best, abs=0.05)


@pytest.mark.slow
def test_the_page_ends_with_the_command_that_repeats_the_best_trial(whole: Path, tmp_path: Path) -> None:
    command = (whole / "results.md").read_text().splitlines()[-1].split()
    number = int(rows(whole)[0].split("|")[1])
    ran(*command[1:-1], tmp_path / "again")
    assert (
        curve(tmp_path / "again")[-1]["evaluation"]
        == (curve(whole / f"trial-{number:05d}" / "seed-0")[-1]["evaluation"])
    )


def test_a_sweep_that_goes_on_later_has_the_same_trials(whole: Path, tmp_path: Path) -> None:
    ran("sweep", "ippo", plan(tmp_path, trials=2), "--out", tmp_path / "out", "--jobs", 1)
    ran("sweep", "ippo", plan(tmp_path), "--out", tmp_path / "out", "--jobs", 2, "--resume")
    assert rows(tmp_path / "out") == rows(whole)


def test_a_finished_sweep_says_that_no_trial_is_left(whole: Path, tmp_path: Path) -> None:
    before = rows(whole)
    said = ran("sweep", "ippo", plan(tmp_path), "--out", whole, "--resume")
    assert said.stdout.splitlines()[0] == f"all 4 trials are over; more of them: raise 'trials' in {plan(tmp_path)}"
    assert rows(whole) == before


@pytest.mark.slow
def test_a_trial_below_the_median_of_the_finished_ones_is_pruned(tmp_path: Path) -> None:
    """Optuna prunes from the sixth trial on. Every second trial learns nothing good: its environment pays less."""
    search = {"payment_mean": {"choices": [10.0, 1000.0]}}
    ran("sweep", "ippo", plan(tmp_path, search=search, prune=True, trials=8, together=1), "--out", tmp_path / "out")
    pruned = [row for row in rows(tmp_path / "out") if row.split("|")[-2].strip()]
    assert pruned
    assert all(row.split("|")[2].strip() == "10" for row in pruned)


def test_a_finished_sweep_is_not_begun_anew(whole: Path, tmp_path: Path) -> None:
    message = refused("sweep", "ippo", plan(tmp_path), "--out", whole)
    assert message == f"{whole} holds a sweep: continue it with --resume, or give another --out"
    message = refused("sweep", "ippo", plan(tmp_path, seed=1), "--out", whole, "--resume")
    assert message == f"{whole} holds a sweep with another plan; use another --out"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": None}, "the plan {file}: steps is missing"),
        ({"step": 5}, "the plan {file}: there is no key 'step'; did you mean 'steps'? (known: about, environment, "),
        (
            {"search": {}},
            "the plan {file}: search must be a mapping of at least one name to what is searched, got {{}}",
        ),
        (
            {"search": {"hidden": {"low": 9, "high": 3}}},
            "search.hidden must be a range whose low is less than its high, got {{'high': 3, 'low': 9}}",
        ),
        ({"search": {"hiden": {"low": 3, "high": 9}}}, "csc_v0 has no keyword 'hiden'"),
        ({"search": {"hidden": {"choices": [-1, 8]}}}, "hidden must be"),
        ({"environment": "chess_v0"}, "there is no environment 'chess_v0'"),
    ],
)
def test_a_wrong_plan_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    file = plan(tmp_path, **changed)
    assert message.format(file=file) in refused("sweep", "ippo", file, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_options_of_another_engine_are_refused(tmp_path: Path) -> None:
    ended = crowdgym("sweep", "ippo", plan(tmp_path), "--out", tmp_path / "out", "--address", "auto")
    assert ended.stderr.strip() == "error: --address belongs to --engine ray, got --engine local"
