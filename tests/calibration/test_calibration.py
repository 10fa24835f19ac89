"""The calibration: its arithmetic, that a fit goes on where it was killed, and that it plays what the policies play."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import crowdgym
from crowdgym.agents.policy import Policy
from crowdgym.bench.published.cafe import Point
from crowdgym.calibration import fit as fitting
from crowdgym.calibration import surfaces
from crowdgym.calibration.fit import Evaluation, Plan, Trial, episodes_at, fit, open_fit
from crowdgym.calibration.objective import agreement, cost_of_chance, fitted_points, judged, published_means
from crowdgym.calibration.parameters import PARAMETERS, keywords_of, parameters_of, rounded, settings_of
from crowdgym.calibration.report import scenario_file
from crowdgym.calibration.trade_off import front, picture, table_file
from crowdgym.cli.main import app
from crowdgym.common.errors import ConfigError
from crowdgym.configs.csc import CscSettings
from crowdgym.policies import load_policy
from crowdgym.runner import policy_seed, run_episodes

WANTED = np.array([[10.0, 20.0], [10.0, 30.0]])


# ---- parameters ----


@pytest.mark.parametrize("one", PARAMETERS, ids=lambda one: one.name)
def test_bounds_are_0_and_1_and_nothing_is_beyond(one: fitting.Any) -> None:
    assert (one.to_unit(one.low), one.to_unit(one.high)) == (pytest.approx(0), pytest.approx(1))
    assert (one.from_unit(-0.5), one.from_unit(1.5)) == (pytest.approx(one.low), pytest.approx(one.high))
    assert one.to_unit(one.from_unit(0.3)) == pytest.approx(0.3)


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


def test_chance_costs_where_it_earns_more_than_greedy() -> None:
    """6 % more at one point of two, which are 3 % in the mean; at the other one less, which makes up for nothing."""
    assert cost_of_chance(np.array([100.0, 200.0]), np.array([106.0, 150.0])) == pytest.approx(0.3)
    assert cost_of_chance(np.array([100.0, 200.0]), np.array([100.0, 150.0])) == 0.0


def test_the_published_figures_are_those_of_greedy_and_pau_alone() -> None:
    assert len(fitted_points("chengdu")) == 13
    means = published_means([Point("chengdu", 200, 50), Point("chengdu", 50, 200)])
    assert means == pytest.approx(np.array([[65_300.0, 76_300.0], [65_700.0, 114_800.0]]))


# ---- trade-offs ----


def test_the_front_is_what_no_other_is_better_than_for_both() -> None:
    """Greedy to the right, PAU upwards; c is worse than b for both, e no better than d for one and worse for the other.

    4 a
    3     c
    2   b   e
    1     . d
      1 2 3 4
    """
    a, b, c, d, e = (1.0, 4.0), (2.0, 2.0), (3.0, 3.0), (4.0, 1.0), (4.0, 2.0)
    assert front(np.array([e, d, c, b, a])).tolist() == [4, 3, 1]
    assert front(np.array([b, b])).tolist() == [0]


def test_the_table_of_the_trade_off_has_errors_chance_and_parameters() -> None:
    """One candidate: Greedy agrees, PAU is 10 % above everywhere, chance earns 5 % more than Greedy."""
    wanted = published_means(fitted_points("chengdu"))
    revenue = [wanted[0], 1.1 * wanted[1], 1.05 * wanted[0]]
    one = Evaluation([0.5] * len(PARAMETERS), 0.0, 1.0, [row.tolist() for row in revenue])
    heading, row = csv.reader(table_file([one], "chengdu").decode().splitlines())
    found = dict(zip(heading, row, strict=True))
    errors = [float(found["greedy_mean_error"]), float(found["pau_mean_error"])]
    assert (1 + errors[1]) / (1 - errors[0]) == pytest.approx(1.1, abs=1e-3)  # whatever the scale
    assert float(found["greedy_largest_error"]) == errors[0]
    assert float(found["random_over_greedy"]) == 1.05
    assert float(found["payment_mean"]) == 1000.0
    chosen = replace(one, shares=[0.4] * len(PARAMETERS))  # the optimum of the surfaces need not have been tried
    assert picture([one, one], "chengdu", chosen).startswith(b"\x89PNG")


# ---- fits ----


def bowl(self: Trial, shares: list[float]) -> Evaluation:
    """In place of an evaluation: best where all shares are 0.4, the logarithms of revenues quadratic."""
    wanted = published_means(fitted_points("chengdu"))
    away = float(np.sum((np.array(shares) - 0.4) ** 2))
    revenue = np.array([wanted[0] * np.exp(away), wanted[1] * np.exp(-away), wanted[0] * 0.5])
    found = judged(revenue, wanted)
    return Evaluation(shares, found.loss, found.scale, revenue.tolist())


PLAN = Plan(city="chengdu", evaluations=45, explored=25, episodes=1, seed=0)


def fitted(folder: Path, plan: Plan = PLAN, resume: bool = False, jobs: int = 1) -> list[Evaluation]:
    return list(fit(folder, plan, open_fit(folder, plan, resume=resume), jobs))


@pytest.fixture
def _bowl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trial, "evaluate", bowl)


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Optima that need not be any."""
    monkeypatch.setattr(surfaces, "FUNCTION_VALUES", 20)


@pytest.mark.usefixtures("_bowl")
def test_a_fit_begins_everywhere_and_goes_on_around_the_optimum(tmp_path: Path) -> None:
    """The surfaces are exact here, so the optimum is found at once; it leads each generation."""
    tried = np.array([one.shares for one in fitted(tmp_path, Plan("chengdu", 160, 140, 1, 0))])
    assert (tried[:140].min() < 0.05, tried[:140].max() > 0.95) == (True, True)
    assert tried[[140, 150]] == pytest.approx(0.4, abs=0.03)
    near, far = np.abs(tried[141:150:2] - 0.4).mean(), np.abs(tried[142:150:2] - 0.4).mean()
    assert [near, far] == pytest.approx([0.8 * spread for spread in fitting.SPREADS], rel=0.3)  # of normal draws


@pytest.mark.usefixtures("_bowl", "_hasty")
def test_a_fit_of_several_at_a_time_comes_to_the_same(tmp_path: Path) -> None:
    one, three = tmp_path / "one", tmp_path / "three"
    one.mkdir()
    three.mkdir()
    assert fitted(three, jobs=3) == fitted(one)


@pytest.mark.usefixtures("_bowl", "_hasty")
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


@pytest.mark.usefixtures("_bowl", "_hasty")
def test_what_has_been_tried_is_not_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = fitted(tmp_path)
    monkeypatch.setattr(Trial, "evaluate", None)
    assert fitted(tmp_path, resume=True) == expected


@pytest.mark.usefixtures("_bowl", "_hasty")
def test_another_fit_is_left_alone(tmp_path: Path) -> None:
    fitted(tmp_path)
    with pytest.raises(ConfigError, match="exists; give --resume"):
        open_fit(tmp_path, PLAN, resume=False)
    with pytest.raises(ConfigError, match="other options or bounds"):
        open_fit(tmp_path, Plan("haikou", 45, 25, 1, 0), resume=True)


@pytest.mark.usefixtures("_bowl")
def test_the_best_are_played_again_on_other_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The optimum of all that was tried, and the best by the surfaces, which are exact here without their ridge."""
    monkeypatch.setattr(surfaces, "RIDGE", 0.0)
    tried = fitted(tmp_path, Plan("chengdu", 160, 140, 1, 0))
    seeds: list[tuple[int, int]] = []

    def again(self: Trial, shares: list[float]) -> Evaluation:
        seeds.append((self._first_seed, self._plan.episodes))
        return bowl(self, shares)

    monkeypatch.setattr(Trial, "evaluate", again)
    optimum, *others = fitting.final(PLAN, tried)
    assert optimum.shares == pytest.approx([0.4] * len(PARAMETERS), abs=0.05)
    assert [one.loss for one in others] == sorted(one.loss for one in tried)[: fitting.FINALISTS - 1]
    assert set(seeds) == {(fitting.CALIBRATION_FINALISTS.start, fitting.FINAL_EPISODES)}


@pytest.mark.usefixtures("_bowl")
def test_a_generation_plays_the_same_episodes_and_the_next_one_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them far from those of the finalists (2,000,000 and up) and of the reports (0 to 9, 1,000 to 1,009)."""
    seeds: list[int] = []

    def noted(self: Trial, shares: list[float]) -> Evaluation:
        seeds.append(self._first_seed)
        return bowl(self, shares)

    monkeypatch.setattr(Trial, "evaluate", noted)
    fitted(tmp_path, Plan("chengdu", 25, 25, 1, 0))
    assert seeds == [10_000_000] * 10 + [10_020_000] * 10 + [10_040_000] * 5
    assert fitting.SEEDS_A_GENERATION > 13 * fitting.SEEDS_A_POINT


def test_where_revenues_vary_more_there_are_more_episodes() -> None:
    points = [Point("chengdu", *size) for size in ((200, 200), (350, 200), (50, 200), (200, 100), (150, 200))]
    assert [episodes_at(point, 6) for point in points] == [6, 6, 48, 17, 9]


@pytest.mark.usefixtures("_bowl", "_hasty")
def test_a_fit_tries_as_many_as_it_is_told(tmp_path: Path) -> None:
    """Also where that is no whole number of generations; and it goes on from there."""
    first = fitted(tmp_path, Plan("chengdu", 18, 12, 1, 0))
    more = fitted(tmp_path, Plan("chengdu", 27, 12, 1, 0), resume=True)
    assert (len(first), len(more)) == (18, 27)
    assert more[:18] == first


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
        (["dasc", "--city", "haikou"], "setting must be one of csc, got 'dasc'"),
        (["csc", "--city", "beijing"], "--city must be one of chengdu, haikou, got 'beijing'"),
        (["csc", "--city", "haikou", "--episodes", "0"], "--episodes must be at least 1, got 0"),
        (["csc", "--city", "haikou", "--jobs", "-1"], "--jobs must be at least 1, got -1"),
    ],
)
def test_what_the_command_refuses(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, ["calibrate", *arguments])
    assert result.exit_code != 0
    assert sentence in result.output


# ---- episodes ----


def compiled_revenues(agents: tuple[str, ...], seeds: range) -> list[list[float]]:
    """Of each seed, the revenue of each agent: one after the other on the same instance of ``tiny``."""
    from crowdgym.calibration.episodes import play_episode
    from crowdgym.data.registry import load_dataset
    from crowdgym.envs.core.seeding import InstanceSeeds
    from crowdgym.envs.csc.generator import OrderStreamGenerator
    from crowdgym.envs.csc.kernel.simulation import CscSimulation

    settings = CscSettings.load(scenario="tiny")
    dataset = load_dataset(settings.dataset)
    simulation, instances = CscSimulation(dataset.network, settings, 1), OrderStreamGenerator(dataset, settings)
    revenues = []
    for seed in seeds:
        instance = instances.generate(InstanceSeeds.of(np.random.SeedSequence(seed)))
        simulation.reset_copy(0, instance)
        revenues.append([play_episode(simulation, instance, agent, policy_seed(seed)) for agent in agents])
    return revenues


def played_revenues(policy: Policy, agent: str, episodes: int) -> list[float]:
    env = crowdgym.make("csc_v0", scenario="tiny")
    return [
        one.metrics["revenue"] for one in run_episodes(env, policy, agent=agent, episodes=episodes, seed=0).episodes
    ]


@pytest.mark.slow
def test_compiled_episodes_are_those_of_the_policies() -> None:
    """Greedy to the last bit; PAU but for workloads of more than an observation shows, which a few episodes have."""
    compiled = np.array(compiled_revenues(("pau", "greedy", "pau"), range(8)))  # in any order, and again
    assert compiled[:, 1].tolist() == played_revenues(load_policy("greedy", "csc_v0"), "greedy", 8)
    assert compiled[:, 0].tolist() == compiled[:, 2].tolist()
    assert np.isclose(compiled[:, 0], played_revenues(load_policy("pau", "csc_v0"), "pau", 8), rtol=1e-4).sum() >= 6


@pytest.mark.slow
def test_compiled_chance_earns_what_the_policy_earns_in_the_mean() -> None:
    """It draws in another way, so within three standard errors of the difference."""
    compiled = np.array(compiled_revenues(("random",), range(60)))[:, 0]
    apart = compiled - played_revenues(load_policy("random", "csc_v0"), "random", 60)
    assert abs(apart.mean()) < 3 * apart.std() / np.sqrt(60)
    assert apart.std() / np.sqrt(60) < 0.03 * compiled.mean()


@pytest.mark.usefixtures("_bowl", "_hasty")
def test_a_line_of_a_fit_is_json(tmp_path: Path) -> None:
    fitted(tmp_path)
    header, *rows = [json.loads(line) for line in (tmp_path / fitting.FILE_NAME).read_text().splitlines()]
    assert header["plan"] == {"city": "chengdu", "explored": 25, "episodes": 1, "seed": 0, "population": 10}
    assert len(rows) == PLAN.evaluations
    assert set(rows[0]) == {"shares", "loss", "scale", "revenue"}
