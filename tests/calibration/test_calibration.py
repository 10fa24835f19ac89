"""The calibration: its arithmetic, that a fit goes on where it was killed, and that it plays what the policies play."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import crowdgym
from crowdgym.agents.pau.policy import PauPolicy
from crowdgym.agents.policy import Episode
from crowdgym.bench.csc_published import Point
from crowdgym.calibration import fit as fitting
from crowdgym.calibration.fit import Evaluation, Plan, Trial, fit, open_fit
from crowdgym.calibration.objective import agreement, fitted_points, published_means
from crowdgym.calibration.parameters import PARAMETERS, keywords_of, parameters_of, rounded, settings_of
from crowdgym.calibration.report import scenario_file
from crowdgym.cli import app
from crowdgym.configs.csc import CscSettings
from crowdgym.configs.errors import ConfigError
from crowdgym.policies import load_policy
from crowdgym.runner import policy_seed, run_episodes

WANTED = np.array([[10.0, 20.0], [10.0, 30.0]])


# ---- parameters ----


@pytest.mark.parametrize("one", PARAMETERS, ids=lambda one: one.name)
def test_bounds_are_0_and_1_and_a_search_begins_between(one: fitting.Any) -> None:
    assert (one.to_unit(one.low), one.to_unit(one.high)) == (pytest.approx(0), pytest.approx(1))
    assert (one.from_unit(-0.5), one.from_unit(1.5)) == (pytest.approx(one.low), pytest.approx(one.high))
    for start in one.starts.values():
        assert one.from_unit(one.to_unit(start)) == pytest.approx(start)
        assert 0 < one.to_unit(start) < 1


def test_the_penalty_rate_is_its_share_over_a_mean_workload() -> None:
    keywords = keywords_of({"workload_mean_s": 2_000.0, "penalty_share": 0.5, "step_s": 30.0})
    assert keywords == {"workload_mean_s": 2_000.0, "penalty_per_s": 0.00025, "step_s": 30.0}


def test_every_corner_of_the_bounds_is_a_scenario() -> None:
    for share in (0.0, 1.0):
        keywords = rounded(keywords_of(parameters_of([share] * len(PARAMETERS))))
        assert settings_of("haikou", 350, 350, keywords).num_tasks == 350


# ---- objective ----


def test_what_agrees_up_to_a_factor_agrees() -> None:
    found = agreement(WANTED / 1.25, WANTED)
    assert found.loss < 0.01
    assert found.scale == pytest.approx(1.25, rel=2e-3)
    assert found.errors == pytest.approx(np.zeros((2, 2)), abs=2e-3)


def test_errors_are_shares_of_what_is_published() -> None:
    """Seven of eight figures agree; the eighth is half of what it should be."""
    wanted = np.full((2, 4), 10.0)
    simulated = wanted.copy()
    simulated[1, 3] = 5.0
    errors = agreement(simulated, wanted).errors
    assert errors[1, 3] == pytest.approx(-0.5, abs=0.02)
    assert errors.ravel()[:-1] == pytest.approx(np.zeros(7), abs=0.02)


def test_a_point_that_nothing_can_reach_does_not_decide_the_rest() -> None:
    wanted = np.full((2, 13), 10.0)
    simulated = wanted.copy()
    simulated[1, 12] = 1.0
    assert abs(agreement(simulated, wanted).scale - 1.0) < 0.01


def test_the_published_figures_are_those_of_greedy_and_pau_alone() -> None:
    assert len(fitted_points("chengdu")) == 13
    means = published_means([Point("chengdu", 200, 50), Point("chengdu", 50, 200)])
    assert means == pytest.approx(np.array([[65_300.0, 76_300.0], [65_700.0, 114_800.0]]))


# ---- fits ----


def bowl(self: Trial, shares: list[float]) -> Evaluation:
    """In place of an evaluation: lowest where all shares are 0.4."""
    return Evaluation(shares, float(np.sum((np.array(shares) - 0.4) ** 2)), 1.0, [[1.0], [1.0]])


PLAN = Plan(city="chengdu", evaluations=60, episodes=1, seed=0)


def fitted(folder: Path, plan: Plan = PLAN, resume: bool = False) -> list[Evaluation]:
    return list(fit(folder, plan, open_fit(folder, plan, resume=resume)))


@pytest.fixture
def _bowl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trial, "evaluate", bowl)


@pytest.mark.usefixtures("_bowl")
def test_a_fit_finds_what_is_best(tmp_path: Path) -> None:
    losses = [one.loss for one in fitted(tmp_path, Plan("chengdu", evaluations=800, episodes=1, seed=0))]
    assert min(losses[-100:]) < 1e-3 < min(losses[:10])


@pytest.mark.usefixtures("_bowl")
@pytest.mark.parametrize("kept_bytes", [0.3, 0.55, 0.9])
def test_a_fit_that_was_killed_comes_to_the_same(tmp_path: Path, kept_bytes: float) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    expected = fitted(whole)
    content = (whole / fitting.FILE_NAME).read_bytes()
    (killed / fitting.FILE_NAME).write_bytes(content[: int(kept_bytes * len(content))])
    assert fitted(killed, resume=True) == expected
    assert (killed / fitting.FILE_NAME).read_bytes() == content


@pytest.mark.usefixtures("_bowl")
def test_what_has_been_tried_is_not_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = fitted(tmp_path)
    monkeypatch.setattr(Trial, "evaluate", None)
    assert fitted(tmp_path, resume=True) == expected


@pytest.mark.usefixtures("_bowl")
def test_another_fit_is_left_alone(tmp_path: Path) -> None:
    fitted(tmp_path)
    with pytest.raises(ConfigError, match="exists; give --resume"):
        open_fit(tmp_path, PLAN, resume=False)
    with pytest.raises(ConfigError, match="other options or bounds"):
        open_fit(tmp_path, Plan("haikou", 60, 1, 0), resume=True)


@pytest.mark.usefixtures("_bowl")
def test_the_best_are_played_again_on_other_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = fitted(tmp_path)
    seeds: list[tuple[int, int]] = []

    def again(self: Trial, shares: list[float]) -> Evaluation:
        seeds.append((self._first_seed, self._plan.episodes))
        return bowl(self, shares)

    monkeypatch.setattr(Trial, "evaluate", again)
    finalists = list(fitting.final(PLAN, tried))
    assert [one.loss for one in finalists] == sorted(one.loss for one in tried)[: fitting.FINALISTS]
    assert set(seeds) == {(fitting.FINAL_SEED, fitting.FINAL_EPISODES)}
    assert fitting.FINAL_SEED > fitting.FIRST_SEED + 13 * fitting.SEEDS_A_POINT


def test_a_fit_tries_as_many_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where that is no whole number of generations; and it goes on from there."""
    monkeypatch.setattr(Trial, "evaluate", bowl)
    first = fitted(tmp_path, Plan("chengdu", 13, 1, 0))
    more = fitted(tmp_path, Plan("chengdu", 27, 1, 0), resume=True)
    assert (len(first), len(more)) == (13, 27)
    assert more[:13] == first


def test_a_scenario_file_marks_every_number(tmp_path: Path) -> None:
    keywords = rounded({**keywords_of(parameters_of([0.5] * len(PARAMETERS))), "payment_mean": 1234.567})
    text = scenario_file("haikou", keywords)
    read = yaml.safe_load(text)
    assert read == {"dataset": "haikou-synth", "csc_v0": keywords}
    assert read["csc_v0"]["payment_mean"] == 1230.0
    numbers = text.splitlines()[text.splitlines().index("csc_v0:") + 1 :]
    assert all(line.endswith("# fit") for line in numbers)
    assert len(numbers) == len(PARAMETERS) + 1


@pytest.mark.parametrize("city", ["chengdu", "haikou"])
def test_the_scenarios_that_come_with_crowdgym_are_within_the_bounds(city: str) -> None:
    settings = CscSettings.load(scenario=f"{city}-paper").model_dump()
    settings["penalty_share"] = settings["penalty_per_s"] * settings["workload_mean_s"]
    for one in PARAMETERS:
        assert one.low <= settings[one.name] <= one.high, one.name


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dasc", "--city", "haikou"], "there is nothing to calibrate 'dasc' to (known: csc)"),
        (["csc", "--city", "beijing"], "--city must be one of chengdu, haikou, got 'beijing'"),
        (["csc", "--city", "haikou", "--episodes", "0"], "--episodes must be at least 1, got 0"),
    ],
)
def test_what_the_command_refuses(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, ["calibrate", *arguments])
    assert result.exit_code != 0
    assert sentence in result.output


# ---- episodes ----


class Informed(PauPolicy):
    """PAU that need not see the penalty rate before it knows it."""

    def reset(self, episode: Episode) -> None:
        super().reset(episode)
        self._reader._penalty_per_s, self._reader._latest_s = 0.002, float("inf")


@pytest.mark.slow
def test_compiled_episodes_are_those_of_the_policies() -> None:
    """Greedy to the last bit; PAU but for workloads of more than an observation shows, which a few episodes have."""
    from crowdgym.calibration.episodes import play_episode
    from crowdgym.data.registry import load_dataset
    from crowdgym.envs.core.seeding import InstanceSeeds
    from crowdgym.envs.csc.generator import OrderStreamGenerator
    from crowdgym.envs.csc.simulation import CscSimulation

    env = crowdgym.make("csc_v0", scenario="tiny")
    played = {
        agent: [one.metrics["revenue"] for one in run_episodes(env, policy, agent=agent, episodes=8, seed=0).episodes]
        for agent, policy in (("greedy", load_policy("greedy", "csc_v0")), ("pau", Informed()))
    }
    settings = CscSettings.load(scenario="tiny")
    assert settings.penalty_per_s == 0.002
    dataset = load_dataset(settings.dataset)
    simulation, instances = CscSimulation(dataset.network, settings, 1), OrderStreamGenerator(dataset, settings)
    compiled: dict[str, list[float]] = {"greedy": [], "pau": []}
    for seed in range(8):
        instance = instances.generate(InstanceSeeds.of(np.random.SeedSequence(seed)))
        simulation.reset_copy(0, instance)
        for agent in ("pau", "greedy", "pau"):  # in any order, and again
            compiled[agent].append(play_episode(simulation, instance, agent, policy_seed(seed)))
    assert compiled["greedy"] == played["greedy"]
    assert compiled["pau"][0::2] == compiled["pau"][1::2]
    assert np.isclose(compiled["pau"][0::2], played["pau"], rtol=1e-4).sum() >= 6


def test_a_line_of_a_fit_is_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trial, "evaluate", bowl)
    fitted(tmp_path)
    header, *rows = [json.loads(line) for line in (tmp_path / fitting.FILE_NAME).read_text().splitlines()]
    assert header["plan"] == {"city": "chengdu", "episodes": 1, "seed": 0, "population": 10}
    assert len(rows) == 60
    assert set(rows[0]) == {"shares", "loss", "scale", "revenue"}
