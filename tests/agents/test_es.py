"""The evolution strategy: it finds an optimum, depends on its seed alone, and goes on where it stopped."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")
pytest.importorskip("cma", reason="the extra 'agents' is not installed")

from crowdgym.agents.dasc.task_schedule import TaskSchedule  # noqa: E402
from crowdgym.agents.es.search import Search  # noqa: E402
from crowdgym.agents.es.trainer import play_rows, relative_scores  # noqa: E402
from crowdgym.agents.learning.checkpoint import BEST, LAST, read_tensors  # noqa: E402
from crowdgym.agents.row_policy import Parameters  # noqa: E402
from crowdgym.cli.main import app  # noqa: E402
from crowdgym.common.errors import ConfigError  # noqa: E402
from crowdgym.common.seeds import EVALUATION  # noqa: E402
from crowdgym.configs.es import EsSettings  # noqa: E402
from crowdgym.envs import dasc_v0  # noqa: E402
from crowdgym.runner import run_episodes  # noqa: E402

SPACE = Parameters(("a", "b", "c"), np.zeros(3), np.array([1.0, 1.0, 10.0]))
OPTIMUM = np.array([1.0, -2.0, 30.0])


def generations(search: Search, count: int) -> Search:
    for _ in range(count):
        candidates = search.ask()
        search.tell(-(((candidates - OPTIMUM) / SPACE.scale) ** 2).sum(axis=1))
    return search


# ---- the search ----


def test_it_reaches_the_optimum_of_a_quadratic() -> None:
    found = generations(Search(SPACE, population=8, step_size=0.3, seed=0), 80)
    assert found.mean == pytest.approx(OPTIMUM, abs=1e-3)


def test_the_first_candidates_are_spread_by_the_scales() -> None:
    asked = Search(SPACE, population=500, step_size=0.3, seed=0).ask()
    assert asked.std(axis=0) == pytest.approx(0.3 * SPACE.scale, rel=0.1)


def test_the_seed_fixes_it_and_the_global_generator_does_not() -> None:
    np.random.seed(5)  # noqa: NPY002
    first = generations(Search(SPACE, 8, 0.3, seed=1), 5).mean
    after = np.random.random()  # noqa: NPY002
    assert np.array_equal(generations(Search(SPACE, 8, 0.3, seed=1), 5).mean, first)
    assert not np.array_equal(generations(Search(SPACE, 8, 0.3, seed=2), 5).mean, first)
    np.random.seed(5)  # noqa: NPY002
    assert np.random.random() == after  # noqa: NPY002


def test_a_search_is_repeated_from_its_scores() -> None:
    whole = generations(Search(SPACE, 8, 0.3, seed=1), 30)
    again = Search(SPACE, 8, 0.3, seed=1)
    again.replay(generations(Search(SPACE, 8, 0.3, seed=1), 20).scores)
    assert np.array_equal(generations(again, 10).mean, whole.mean)
    assert np.array_equal(again.scores, whole.scores)


def test_scores_are_shares_above_the_mean_of_an_episode() -> None:
    """Mean 10 and 200: the first is 10 % below and 5 % above, -2.5 % in the mean."""
    assert relative_scores(np.array([[9.0, 210.0], [11.0, 190.0]])) == pytest.approx([-0.025, 0.025])


# ---- a policy that reads the state ----


def test_a_policy_that_reads_the_state_plays_many_copies_as_it_plays_each() -> None:
    """Without moves it draws nothing. Two copies of a vector environment, of seeds 3 and 4, and the two episodes."""
    keywords: dict[str, Any] = {"scenario": "tiny", "step_s": 20.0}
    rows = dasc_v0.vector_env(2, **keywords)
    many = play_rows(rows, TaskSchedule(moves=0), [3, 4], "profit").metric
    single = run_episodes(dasc_v0.parallel_env(**keywords), TaskSchedule(moves=0), agent="it", episodes=2, seed=3)
    assert many.tolist() == [episode.metrics["profit"] for episode in single.episodes]


# ---- a run ----

SMALL = ("--scenario", "tiny", "--set", "num_workers=4", "--set", "num_tasks=8", "--set", "horizon_s=900")
SETTINGS = (
    "policy=toy_row_policy:Patient",
    "population=4",
    "episodes=2",
    "evaluation_every=1",
    "evaluation_episodes=2",
)
STEPS = 4 * 2 * 30  # of an iteration: 4 candidates on 2 episodes of 900 s in steps of 30 s


def crowdgym(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def train(out: Path, iterations: int, *more: object) -> Path:
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    crowdgym("train", "es", "csc_v0", *SMALL, *settings, "--steps", iterations * STEPS, "--out", out, *more)
    return out


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("es") / "run", 5)


def tensors(folder: Path) -> dict[str, list[float]]:
    return {name: tensor.tolist() for name, tensor in read_tensors(folder / LAST).tensors.items()}


def curve(folder: Path) -> list[dict[str, str]]:
    with (folder / "curve.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_run_learns_and_keeps_the_best(trained: Path) -> None:
    rows = curve(trained)
    assert [int(row["steps"]) for row in rows] == [number * STEPS for number in range(6)]
    assert {"training", "decisions", "environment_s", "charts/step_size", "parameters/patience"} <= set(rows[-1])
    evaluations = [float(row["evaluation"]) for row in rows]
    assert max(evaluations) > evaluations[0]
    assert read_tensors(trained / BEST).facts["score"] == pytest.approx(max(evaluations), rel=1e-5)


def test_the_same_seed_gives_the_same_numbers(trained: Path, tmp_path: Path) -> None:
    assert tensors(train(tmp_path / "again", 5)) == tensors(trained)
    assert tensors(train(tmp_path / "other", 5, "--seed", 1)) != tensors(trained)


def test_a_resumed_run_ends_with_the_same_bits(trained: Path, tmp_path: Path) -> None:
    train(tmp_path / "run", 2)
    assert tensors(train(tmp_path / "run", 5, "--resume")) == tensors(trained)


def test_a_run_begins_where_another_has_ended(trained: Path, tmp_path: Path) -> None:
    first = curve(train(tmp_path / "next", 1, "--init", trained, "--seed", 7))[0]
    assert first["evaluation"] == curve(trained)[-1]["evaluation"]


def test_what_is_played_is_what_was_evaluated(trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "played.json"
    crowdgym("run", "--agent", trained, *SMALL, "--episodes", 2, "--seed", EVALUATION.start, "--json", file)
    best = read_tensors(trained / BEST).facts["score"]
    assert json.loads(file.read_text())["mean"]["revenue"] == pytest.approx(best)


def test_one_search_over_several_settings(tmp_path: Path) -> None:
    out = train(tmp_path / "mixed", 1, "--mix", "num_workers=3,5")
    assert int(curve(out)[-1]["steps"]) == STEPS


def test_in_sensing_the_rewards_are_what_is_maximised(tmp_path: Path) -> None:
    """Three steps; what is kept is the mean with the largest sum of rewards, and the curve has error and sum."""
    settings = ("horizon_s=345600", "num_participants=8", "population=4", "episodes=1", "evaluation_every=1")
    words = [word for setting in (*settings, "evaluation_episodes=2") for word in ("--set", setting)]
    crowdgym("train", "es", "sensing_v0", *words, "--steps", 2 * 4 * 3, "--out", tmp_path / "run")
    rows = curve(tmp_path / "run")
    best = max(rows, key=lambda row: float(row["selection"]))
    assert read_tensors(tmp_path / "run" / BEST).facts["score"] == pytest.approx(float(best["evaluation"]), rel=1e-5)
    assert all(float(row["selection"]) < -3 * 0.1 and float(row["evaluation"]) > 0 for row in rows)


def test_what_cannot_be_searched_is_refused(tmp_path: Path) -> None:
    for policy in ("toy_row_policy:WithoutParameters", "crowdgym.agents.csc.greedy:GreedyPolicy"):
        words = ["train", "es", "csc_v0", *SMALL, "--steps", "1", "--out", str(tmp_path / "x"), "--set"]
        result = CliRunner().invoke(app, [*words, f"policy={policy}"])
        assert result.exit_code != 0
        assert f"policy must be a RowPolicy with parameters, got '{policy}'" in " ".join(result.output.split())


def test_where_no_policy_is_the_usual_one_it_must_be_given() -> None:
    with pytest.raises(ConfigError, match=r"^policy must be given: it has no default here$"):
        EsSettings.load("market_v0")


def test_in_preference_v0_it_searches_the_prices_of_a_matching(tmp_path: Path) -> None:
    settings = ("population=4", "episodes=2", "evaluation_every=1", "evaluation_episodes=2")
    words = [word for setting in settings for word in ("--set", setting)]
    scenario = ("--scenario", "preference-tiny")
    crowdgym("train", "es", "preference_v0", *scenario, *words, "--steps", 1, "--out", tmp_path / "run")
    first, last = curve(tmp_path / "run")
    assert {"parameters/level", "parameters/hold", "parameters/answers"} <= set(last)
    file = tmp_path / "played.json"
    played = ("--agent", "km-answers", *scenario, "--episodes", 2, "--seed", EVALUATION.start)
    crowdgym("run", "preference_v0", *played, "--json", file)
    assert json.loads(file.read_text())["mean"]["accepted"] == float(first["evaluation"])  # where the search begins
