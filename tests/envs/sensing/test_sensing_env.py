"""`sensing_v0` from outside: interface, observations, infos, what leaks (nothing), settings, and the vector form."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import crowdgym
from crowdgym.common.errors import ConfigError, DataError
from crowdgym.configs.sensing import SensingSettings
from crowdgym.data.registry import load_series
from crowdgym.data.sensing import SensingSeries
from crowdgym.data.sensing.build import keep_series
from crowdgym.envs import sensing_v0
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.sensing.instance import SensingInstance
from crowdgym.envs.sensing.kernel.simulation import SensingSimulation
from crowdgym.testing import check_env

DAY_S = 86_400.0
SHORT: dict[str, Any] = {"horizon_s": 8 * DAY_S, "num_participants": 5}
SIDES = ("cells", "participants")


def play(env: Any, seed: int = 0, steps: int | None = None) -> list[Any]:
    """Play at random; everything that came back."""
    generator = np.random.default_rng(seed)
    results: list[Any] = [env.reset(seed=seed)]
    while env.agents and (steps is None or len(results) <= steps):
        size = env.action_space(env.agents[0]).n
        actions = dict(zip(env.agents, generator.integers(size, size=len(env.agents)).tolist(), strict=True))
        results.append(env.step(actions))
    return results


@pytest.mark.parametrize("agents", SIDES)
@pytest.mark.parametrize("reward", ["shared", "marginal"])
def test_it_passes_the_kit(agents: str, reward: str) -> None:
    keywords: Any = {**SHORT, "agents": agents, "reward": reward}
    report = check_env(
        lambda: sensing_v0.parallel_env(**keywords), vector_factory=lambda n: sensing_v0.vector_env(n, **keywords)
    )
    assert report.passed, str(report)


def test_pettingzoo_s_own_tests_pass() -> None:
    from pettingzoo.test import parallel_api_test

    parallel_api_test(sensing_v0.parallel_env(**SHORT), num_cycles=20)
    assert sensing_v0.env(**SHORT).metadata["name"] == "sensing_v0"
    assert crowdgym.make("sensing_v0", **SHORT).metadata["name"] == "sensing_v0"


def test_agents_spaces_and_metadata_of_cells() -> None:
    env = sensing_v0.parallel_env(**SHORT)
    assert env.possible_agents == [f"cell_{x}" for x in range(24)]
    assert env.action_space("cell_0").n == 6
    assert env.metadata["attributes"] == ("EMI", "PM10", "TEMP", "WS")
    assert env.metadata["coordinates"].shape == (24, 2)
    assert env.metadata["coordinates"][0].tolist() == [469.452, 4972.848]
    assert {name: part["shape"] for name, part in env.metadata["observation_layout"].items()} == {
        "self": (1, 3 + 4 + 12),
        "participants": (5, 5),
        "near_cells": (8, 3 + 4 + 12),
    }


def test_agents_spaces_and_metadata_of_participants() -> None:
    env = sensing_v0.parallel_env(**SHORT, agents="participants")
    assert env.possible_agents == [f"participant_{p}" for p in range(5)]
    assert env.action_space("participant_0").n == 24
    shapes = {name: part["shape"] for name, part in env.metadata["observation_layout"].items()}
    assert shapes == {"self": (1, 19), "cells": (24, 4 + 4 + 12)}


def test_infos_say_where_everyone_is_and_what_was_collected_and_inferred() -> None:
    env = sensing_v0.parallel_env(**SHORT)
    _, infos = env.reset(seed=3)
    cells = env.instance.cell.tolist()
    truth = env.instance.values[0]
    assert len(set(cells)) == 5
    for x in range(24):
        info = infos[f"cell_{x}"]
        assert info["cell"] == x
        assert info["candidates"].tolist() == [0, 1, 2, 3, 4]
        assert info["candidate_cells"].tolist() == cells
        np.testing.assert_array_equal(info["collected"], truth[x] if x in cells else [0.0] * 4)
        assert info["is_collected"].tolist() == [int(x in cells)] * 4
        assert np.isfinite(info["inferred"]).all()
        assert info["action_mask"].tolist() == [1] * 6
    _, infos = sensing_v0.parallel_env(**SHORT, agents="participants").reset(seed=3)
    for p, x in enumerate(cells):
        info = infos[f"participant_{p}"]
        assert info["cell"] == x
        assert info["candidates"].tolist() == list(range(24))
        np.testing.assert_array_equal(info["collected"], truth[x])


@pytest.mark.parametrize("agents", ["cells", "participants"])
def test_an_episode_that_is_played_again_has_the_same_infos(agents: str) -> None:
    """PettingZoo compares infos by ==, which NaN never passes."""
    from pettingzoo.test import parallel_seed_test

    parallel_seed_test(lambda: sensing_v0.parallel_env(**SHORT, agents=agents), num_cycles=10)


def test_an_episode_of_eight_cycles_has_seven_steps_and_ends_with_metrics() -> None:
    env = sensing_v0.parallel_env(**SHORT)
    results = play(env)
    assert len(results) == 8
    *_, truncations, infos = results[-1]
    assert all(truncations.values())
    metrics = infos["cell_0"]["metrics"]
    assert set(metrics) == {"error", "cost_km", "error_per_attribute"}
    assert metrics["error"] == pytest.approx(sum(metrics["error_per_attribute"]))
    assert all("metrics" not in info for result in results[:-1] for info in result[-1].values())


def test_shared_rewards_sum_to_minus_error_minus_weighted_cost() -> None:
    env = sensing_v0.parallel_env(**SHORT, cost_weight=0.01)
    results = play(env)
    snapshot = env.snapshot()
    for cycle, (_, rewards, *_) in enumerate(results[1:], start=1):
        assert len(set(rewards.values())) == 1
        assert sum(rewards.values()) == pytest.approx(-snapshot.error[cycle] - 0.01 * snapshot.cost_km[cycle])


def test_marginal_rewards_of_cells_pay_for_who_came() -> None:
    env = sensing_v0.parallel_env(**SHORT, cost_weight=0.01, reward="marginal")
    rewards = play(env)[-1][1]
    snapshot, outcome = env.snapshot(), env._simulation.state.outcome  # type: ignore[attr-defined]
    for x in range(24):
        came_km = snapshot.travel_km[snapshot.participant_cell == x].sum() / 5
        gain = outcome.error_without[0, x] - outcome.error[0] if snapshot.crowd[x] else 0.0
        assert rewards[f"cell_{x}"] == pytest.approx(gain - 0.01 * came_km)
    assert len(set(rewards.values())) > 2


class Scrambled:
    """A generator whose instances differ from the real ones in all values that ``sensed`` does not mark."""

    def __init__(self, instance: SensingInstance, sensed: NDArray[np.bool_]) -> None:
        noise = np.random.default_rng(99).normal(1000.0, 500.0, instance.values.shape)
        values = np.where(sensed[..., np.newaxis], instance.values, noise)
        self._instance = SensingInstance(values, instance.cell)

    def generate(self, seeds: InstanceSeeds) -> SensingInstance:
        return self._instance


@pytest.mark.parametrize("agents", SIDES)
def test_no_value_that_was_not_collected_is_seen_before_the_end(agents: str) -> None:
    """Replace all of it: observations, infos and state stay the same to the last bit; only the last metrics differ."""
    keywords: Any = {**SHORT, "agents": agents}
    env = sensing_v0.parallel_env(**keywords)
    placements, states = [], []

    def watch(env: Any, states: list[Any]) -> list[Any]:
        generator = np.random.default_rng(5)
        results: list[Any] = [env.reset(seed=5)]
        states.append(env.state())
        placements.append(env.snapshot().crowd > 0)
        while env.agents:
            size = env.action_space(env.agents[0]).n
            results.append(env.step({agent: int(generator.integers(size)) for agent in env.agents}))
            states.append(env.state())
            placements.append(env.snapshot().crowd > 0)
        return results

    real = watch(env, states)
    sensed = np.array(placements)
    other_states: list[Any] = []
    other = watch(sensing_v0.parallel_env(**keywords, generator=Scrambled(env.instance, sensed)), other_states)
    for one, two, last in zip(real, other, [False] * 7 + [True], strict=True):
        for agent in env.possible_agents:
            np.testing.assert_array_equal(one[0][agent], two[0][agent])
            assert set(one[-1][agent]) == set(two[-1][agent])
            for name, value in one[-1][agent].items():
                if name != "metrics":
                    np.testing.assert_array_equal(value, two[-1][agent][name])
        if last:
            assert one[-1][env.possible_agents[0]]["metrics"] != two[-1][env.possible_agents[0]]["metrics"]
    np.testing.assert_array_equal(states, other_states)


def test_observations_show_what_was_collected_relative_to_what_was_collected() -> None:
    env = sensing_v0.parallel_env(**SHORT)
    observations, infos = env.reset(seed=1)
    layout = env.metadata["observation_layout"]
    cells = env.instance.cell
    collected = env.instance.values[0][np.sort(cells)]  # [P, A]
    mean, deviation = np.nanmean(collected, axis=0), np.nanstd(collected, axis=0)
    assert (deviation > 0).all()
    for x in range(24):
        row = dict(zip(layout["self"]["features"], observations[f"cell_{x}"][: layout["self"]["stop"]], strict=True))
        assert row["sensed"] == row["ever_sensed"] == (x in cells)
        assert row["age"] == (0.0 if x in cells else 1.0)
        assert row["elapsed"] == 0.0
        for a, name in enumerate(env.metadata["attributes"]):
            value = env.instance.values[0, x, a] if x in cells else np.nan
            assert row[f"known_{name}"] == (not np.isnan(value))
            for feature, number in (("latest", value), ("inferred", infos[f"cell_{x}"]["inferred"][a])):
                shown = 0.0 if np.isnan(number) else np.clip((number - mean[a]) / (3 * deviation[a]), -1, 1)
                assert row[f"{feature}_{name}"] == pytest.approx(shown, abs=1e-6)
        part = layout["participants"]
        rows = observations[f"cell_{x}"][part["start"] : part["stop"]].reshape(part["shape"])
        assert rows[:, 0].tolist() == [float(u == x) for u in cells]
        places = env.metadata["coordinates"]
        reach_km = np.linalg.norm(places[:, np.newaxis] - places, axis=2).max()
        np.testing.assert_allclose(rows[:, 1:3], (places[cells] - places[x]) / reach_km, atol=1e-6)


def test_scores_show_by_how_much_the_inference_missed_what_was_collected() -> None:
    env = sensing_v0.parallel_env(**SHORT, scores=True)
    played = [(result[0], result[-1]) for result in play(env, steps=4)]
    part = env.metadata["observation_layout"]["self"]
    assert part["features"][-4:] == ("missed_EMI", "missed_PM10", "missed_TEMP", "missed_WS")
    collected, inferred = (
        np.array([[np.where(info[f"is_{name}"], info[name], np.nan) for info in infos.values()] for _, infos in played])
        for name in ("collected", "inferred")
    )  # [cycles, X, A]
    misses = np.abs(collected - inferred)
    number = (~np.isnan(misses)).sum(axis=0)
    mean = np.nansum(misses, axis=0) / np.maximum(number, 1) / (3 * np.nanstd(collected, axis=(0, 1)))
    shown = np.array([row[part["start"] : part["start"] + part["shape"][1]][-4:] for row in played[-1][0].values()])
    assert number.max() > 1
    assert shown == pytest.approx(np.minimum(mean, 1.0), abs=1e-6)


@pytest.mark.parametrize("agents", SIDES)
def test_many_copies_play_as_one_does(agents: str) -> None:
    keywords: Any = {**SHORT, "agents": agents, "inference": "idw", "reward": "marginal"}
    vector = sensing_v0.vector_env(3, num_threads=2, **keywords)
    singles = [sensing_v0.parallel_env(**keywords) for _ in range(3)]
    rows, _ = vector.reset(seed=10)
    firsts = [env.reset(seed=10 + copy)[0] for copy, env in enumerate(singles)]
    np.testing.assert_array_equal(rows, np.concatenate([np.stack(list(first.values())) for first in firsts]))
    generator = np.random.default_rng(0)
    copies, agents_of_one = vector.batch_shape
    for _ in range(7):
        joint = generator.integers(vector.single_action_space.n, size=(copies, agents_of_one))
        rows, rewards, _, truncated, infos = vector.step(joint)
        for copy, env in enumerate(singles):
            seen, earned, _, _, single = env.step(dict(zip(env.agents, joint[copy].tolist(), strict=True)))
            span = slice(copy * agents_of_one, (copy + 1) * agents_of_one)
            np.testing.assert_array_equal(rows[span], np.stack(list(seen.values())))
            np.testing.assert_array_equal(rewards[span], list(earned.values()))
            np.testing.assert_array_equal(infos["inferred"][span], [info["inferred"] for info in single.values()])
    assert truncated.all()
    assert infos["metrics"]["error"].tolist() == [env.metrics.error for env in singles]
    assert infos["metrics"]["error_per_attribute"].shape == (3, 4)


@pytest.mark.parametrize("agents", SIDES)
def test_what_is_kept_from_cycle_to_cycle_is_what_a_first_look_would_find(agents: str) -> None:
    vector = sensing_v0.vector_env(2, agents=agents, **SHORT)
    vector.reset(seed=5)
    simulation, generator = vector._simulation, np.random.default_rng(0)
    assert isinstance(simulation, SensingSimulation)
    for _ in range(12):  # an episode, and the beginning of the next one
        vector.step(generator.integers(vector.single_action_space.n, size=vector.num_envs))
        anew = deepcopy(simulation)
        anew.state.scratch.unseen[:] = 1
        anew.observations[:] = 0.25  # whatever was there is written over
        anew._finish(np.arange(2))
        assert simulation.observations.tobytes() == anew.observations.tobytes()


# ---- settings ----


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"num_participants": 25}, "num_participants must be at most 24, the number of cells in 'piemonte-synth', got"),
        ({"num_participants": 0}, "num_participants must be greater than or equal to 1, got 0"),
        ({"attributes": ("EMI", "CO2")}, "attributes must be some of EMI, PM10, TEMP, WS, those of 'piemonte-synth'"),
        ({"attributes": ()}, "attributes must name at least one attribute, or be 'all'"),
        ({"attributes": "EMI,EMI"}, "attributes must name every attribute once, got 'EMI' twice"),
        ({"inference": "kriging"}, "inference must be 'knn', 'idw' or 'svr', got 'kriging'"),
        ({"normalisation": "max"}, "normalisation must be 'range' or 'p99', got 'max'"),
        ({"agents": "workers"}, "agents must be 'cells' or 'participants', got 'workers'"),
        ({"cost_weight": -1.0}, "cost_weight must be greater than or equal to 0"),
        ({"horizon_s": DAY_S}, "horizon_s must take from 2 to 182 steps of 86400 s in 'piemonte-synth' from start_s"),
        ({"horizon_s": 183 * DAY_S}, "horizon_s must take from 2 to 182 steps"),
        ({"step_s": 1.5 * DAY_S}, "step_s must be a whole number of cycles, which take 86400 s"),
        ({"start_s": 181 * DAY_S}, "start_s and step_s must leave at least 2 of the 182 cycles"),
        ({"partcipants": 3}, "sensing_v0 has no keyword 'partcipants'; did you mean"),
        ({"generator": 3}, "generator must be an object with a method 'generate', got 3"),
        ({"inference_strategy": 3}, "inference_strategy must be an object with a method 'infer', got 3"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused_in_one_sentence(keywords: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as refusal:
        sensing_v0.parallel_env(**keywords)
    assert "\n" not in str(refusal.value)


def test_a_city_is_no_scenario() -> None:
    with pytest.raises(DataError, match="'tiny' is a city, and this needs a sensing series"):
        sensing_v0.parallel_env(scenario="tiny")


def test_attributes_are_names_in_any_order_a_list_or_text() -> None:
    assert SensingSettings.load(attributes=["WS", "EMI"]).attributes == ("WS", "EMI")
    assert SensingSettings.load(attributes="WS, EMI").attributes == ("WS", "EMI")
    assert SensingSettings.load(attributes="all").attributes == "all"
    assert SensingSettings.load().attributes == ("EMI", "PM10", "TEMP", "WS")  # of the scenario
    env = sensing_v0.parallel_env(attributes=("WS", "EMI"), **SHORT)
    env.reset(seed=0)
    series = load_series("piemonte-synth")
    np.testing.assert_array_equal(env.instance.values, series.values[:8][..., [3, 0]])


def test_start_and_step_choose_cycles() -> None:
    env = sensing_v0.parallel_env(start_s=60 * DAY_S, step_s=7 * DAY_S, horizon_s=21 * DAY_S)
    env.reset(seed=0)
    np.testing.assert_array_equal(env.instance.values, load_series("piemonte-synth").values[[60, 67, 74]])
    assert len(play(sensing_v0.parallel_env(start_s=60 * DAY_S))) == 122


def test_scales_are_taken_over_the_whole_series() -> None:
    values = load_series("piemonte-synth").values[..., 1]
    env = sensing_v0.parallel_env(attributes=("PM10",), **SHORT)
    assert env._simulation.world.scale.tolist() == [np.nanmax(values) - np.nanmin(values)]  # type: ignore[attr-defined]
    env = sensing_v0.parallel_env(attributes=("PM10",), normalisation="p99", **SHORT)
    assert env._simulation.world.scale[0] == pytest.approx(np.nanpercentile(values, 99))  # type: ignore[attr-defined]


def grid(name: str, cells: int, attributes: int, constant: bool = False) -> SensingSeries:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(4, cells, attributes))
    if constant:
        values[..., 0] = 5.0
    return SensingSeries(
        name=name,
        cells=tuple(map(str, range(cells))),
        attributes=tuple(f"a{a}" for a in range(attributes)),
        cycles=("0", "1", "2", "3"),
        cycle_s=60.0,
        x_km=generator.random(cells),
        y_km=generator.random(cells),
        crs="",
        values=values,
        outline_km=np.empty((0, 2)),
    )


@pytest.mark.parametrize("agents", SIDES)
def test_a_thousand_cells_and_ten_attributes_play(agents: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path))
    keep_series(grid("large", 1000, 10), [])
    env = sensing_v0.parallel_env(scenario="large", num_participants=100, agents=agents)  # type: ignore[arg-type]
    results = play(env)
    assert len(results) == 4
    assert all(np.isfinite(row).all() for row in results[-1][0].values())


def test_an_attribute_that_is_always_the_same_cannot_be_normalised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path))
    keep_series(grid("flat", 10, 2, constant=True), [])
    with pytest.raises(ConfigError, match="normalisation 'range' must be positive for every attribute, got 0 for 'a0'"):
        sensing_v0.parallel_env(scenario="flat", num_participants=3)


@pytest.mark.parametrize("participants", [1, 24])
@pytest.mark.parametrize("inference", ["knn", "idw", "svr"])
def test_one_participant_and_one_for_every_cell_play(participants: int, inference: Any) -> None:
    env = sensing_v0.parallel_env(num_participants=participants, inference=inference, horizon_s=3 * DAY_S)
    results = play(env)
    metrics = results[-1][-1]["cell_0"]["metrics"]
    assert np.isfinite(metrics["error"])
    assert np.isfinite(metrics["cost_km"])


@pytest.mark.real_data
def test_it_plays_the_real_series(
    shared_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from crowdgym.data.sensing.piemonte import read_piemonte

    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path))
    keep_series(read_piemonte(shared_data("piemonte")), [])
    env = sensing_v0.parallel_env(scenario="piemonte")
    assert env.metadata["attributes"] == ("EMI", "PM10", "TEMP", "WS")
    assert len(play(env)) == 182
