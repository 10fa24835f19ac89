"""`preference_v0` from outside: interfaces, infos, rewards, settings, and what is kept private."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import crowdgym
from crowdgym.common.errors import ConfigError
from crowdgym.configs.preference import PreferenceSettings
from crowdgym.data.histories import CentreHistories, HistoryBook
from crowdgym.data.orders.stream import OrderStream
from crowdgym.data.registry import load_dataset
from crowdgym.envs import preference_v0
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.preference.acceptance import acceptance_probabilities
from crowdgym.envs.preference.generator import PopulationGenerator, history_shares
from crowdgym.envs.preference.instance import PreferenceInstance
from crowdgym.testing import check_env

TINY: dict[str, Any] = {"scenario": "preference-tiny"}
SHORT: dict[str, Any] = {**TINY, "horizon_s": 450.0}


def play(env: Any, seed: int = 0) -> list[Any]:
    """Play at random; everything that came back."""
    rng = np.random.default_rng(seed)
    results: list[Any] = [env.reset(seed=seed)]
    while env.agents:
        masks = {agent: info["action_mask"] for agent, info in results[-1][-1].items()}
        results.append(env.step({agent: int(rng.choice(np.flatnonzero(mask))) for agent, mask in masks.items()}))
    return results


@pytest.mark.parametrize("reward", ["accepted", "team", "preference"])
def test_it_passes_the_kit(reward: str) -> None:
    keywords: Any = {**SHORT, "reward": reward}
    report = check_env(
        lambda: preference_v0.parallel_env(**keywords),
        vector_factory=lambda n: preference_v0.vector_env(n, **keywords),
    )
    assert report.passed, str(report)


def test_pettingzoo_s_own_tests_pass() -> None:
    from pettingzoo.test import parallel_api_test

    parallel_api_test(preference_v0.parallel_env(**SHORT), num_cycles=20)
    assert preference_v0.env(**SHORT).metadata["name"] == "preference_v0"
    assert crowdgym.make("preference_v0", **SHORT).metadata["name"] == "preference_v0"


def test_agents_spaces_and_metadata() -> None:
    env = preference_v0.parallel_env(**TINY)
    assert env.possible_agents == [f"worker_{w}" for w in range(12)]
    assert env.action_space("worker_0").n == 21
    assert env.metadata["centre_of"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    shapes = {name: part["shape"] for name, part in env.metadata["observation_layout"].items()}
    assert shapes == {"w_self": (1, 8 + 3 * 8), "T_candidates": (20, 8 + 8), "W_near": (5, 6)}
    assert env.metadata["rules"]["max_offers"] == 2


def test_infos_have_mask_candidates_outcome_and_centre() -> None:
    env = preference_v0.parallel_env(**TINY)
    seen = set()
    for step, (*_, infos) in enumerate(play(env)):
        for w, info in enumerate(infos.values()):
            assert info["centre"] == w // 4
            assert info["action_mask"].tolist() == [1, *(info["candidates"] >= 0).tolist()]
            assert step > 0 or info["outcome"] == 0
            seen.add(info["outcome"])
    assert seen == {0, 1, 2, 3}


def test_metrics_come_at_the_end_only() -> None:
    env = preference_v0.parallel_env(**TINY)
    *before, last = play(env)
    assert all("metrics" not in info for result in before for info in result[-1].values())
    metrics = last[-1]["worker_0"]["metrics"]
    assert metrics["offered"] == metrics["accepted"] + metrics["declined"]
    assert metrics["acceptance_rate"] == metrics["accepted"] / metrics["offered"]


@pytest.mark.parametrize("reward", ["accepted", "team", "preference"])
def test_rewards_sum_to_what_they_stand_for(reward: Any) -> None:
    env = preference_v0.parallel_env(**TINY, reward=reward)
    total = sum(sum(rewards.values()) for _, rewards, *_ in play(env)[1:])
    metrics = env.metrics
    expected = metrics.preference * metrics.accepted if reward == "preference" else metrics.accepted
    assert metrics.accepted > 5
    assert total == pytest.approx(expected)


def test_the_dispatcher_and_the_vector_play_the_same_episode() -> None:
    parallel = preference_v0.parallel_env(**SHORT)
    central = preference_v0.dispatcher_env(**SHORT)
    vector = preference_v0.vector_env(2, **SHORT)
    _, infos = parallel.reset(seed=4)
    central.reset(seed=4)
    vector.reset(seed=4)
    rng = np.random.default_rng(0)
    while parallel.agents:
        masks = [info["action_mask"] for info in infos.values()]
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
        observations, rewards, _, _, infos = parallel.step(dict(zip(infos, actions.tolist(), strict=True)))
        joint, reward, *_ = central.step(actions)
        rows, row_rewards, *_ = vector.step(np.concatenate([actions, np.zeros(12, np.int64)]))
        np.testing.assert_array_equal(joint, np.stack(list(observations.values())))
        np.testing.assert_array_equal(rows[:12], joint)
        assert reward == sum(rewards.values()) == row_rewards[:12].sum()


def test_a_seed_fixes_the_episode_but_not_the_population() -> None:
    env = preference_v0.parallel_env(**TINY)
    instances = []
    for seed in (3, 3, 4):
        env.reset(seed=seed)
        instances.append(env.instance)
    one, same, other = instances
    np.testing.assert_array_equal(one.lots, same.lots)
    assert (one.worker_node != other.worker_node).any()
    assert (one.lots != other.lots).any()
    np.testing.assert_array_equal(one.preference, other.preference)
    elsewhere = preference_v0.parallel_env(**TINY, population_seed=1)
    elsewhere.reset(seed=3)
    assert (elsewhere.instance.preference != one.preference).any()
    np.testing.assert_array_equal(elsewhere.instance.task_node, one.task_node)


def test_tasks_stay_open_as_long_as_the_settings_say() -> None:
    env = preference_v0.parallel_env(**TINY, expiry_mean_s=100.0, expiry_spread=0.2)
    env.reset(seed=0)
    open_s = env.instance.expiry_s - env.instance.created_s
    assert (open_s.min(), open_s.max()) == (pytest.approx(80, abs=5), pytest.approx(120, abs=5))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"num_centres": 13}, "num_centres must be at most num_workers, which is 12, got 13"),
        ({"acceptance_min": 0.9, "acceptance_max": 0.5}, "acceptance_min must be at most acceptance_max, which is 0.5"),
        ({"max_offers": 0}, "max_offers must be greater than or equal to 1, got 0"),
        ({"acceptance": "never"}, "acceptance must be 'preference' or 'always', got 'never'"),
        ({"step_s": 1e-6}, "horizon_s must be at most 1,000,000 times step_s"),
        ({"num_workers": 105}, "num_workers must be at most 104, the number of places in 'tiny', got 105"),
        ({"num_worker": 1}, "preference_v0 has no keyword 'num_worker'; did you mean 'num_workers'?"),
    ],
)
def test_settings_that_cannot_be_are_named(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        preference_v0.parallel_env(**TINY | keywords)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preference": np.full((12, 8), 0.1)}, r"preference\[0\] must be a distribution that sums to 1"),
        ({"lots": np.ones((12, 40))}, r"lots\[0\] must be in \[0, 1\)"),
        ({"expiry_s": np.zeros(40)}, r"expiry_s\[0\] must be after created_s, got 0.0"),
        ({"centre": np.zeros(3, np.int32)}, r"centre must have shape \(12,\), got \(3,\)"),
    ],
)
def test_an_instance_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    env = preference_v0.parallel_env(**TINY)
    env.reset(seed=0)
    with pytest.raises(ConfigError, match=message):
        replace(env.instance, **changes)


def test_replayed_orders_expire_by_the_deadlines_of_the_data_where_they_have_one() -> None:
    orders = OrderStream(
        time_s=np.array([64_800, 65_100]),
        origin=np.array([4, 5], np.int32),
        destination=np.full(2, -1, np.int32),
        deadline_s=np.array([90.0, np.nan]),
    )
    keywords: dict[str, Any] = {**TINY, "num_tasks": 2, "window_start_s": 64_800, "orders": "replay"}
    settings = PreferenceSettings.load(**keywords, from_data="deadlines", expiry_mean_s=200.0, expiry_spread=0.0)
    generator = PopulationGenerator(replace(load_dataset("tiny"), orders=orders), settings)

    instance = generator.generate(InstanceSeeds.of(np.random.SeedSequence(0)))

    assert instance.created_s.tolist() == [0.0, 300.0]
    assert instance.task_node.tolist() == [4, 5]
    assert instance.expiry_s.tolist() == [90.0, 500.0]


# ---- what is kept private ----


class Garbled:
    """The usual generator, the histories of one centre replaced by garbage."""

    def __init__(self, centre: int) -> None:
        settings = PreferenceSettings.load(**TINY)
        self._usual = PopulationGenerator(load_dataset("tiny"), settings)
        book = self._usual.histories
        centres = [book.of(p) for p in range(book.num_centres)]
        rng, size = np.random.default_rng(1), len(centres[centre])
        place = rng.integers(len(book.places), size=size).astype(np.int32)
        centres[centre] = CentreHistories(
            centres[centre].worker, place, book.places.category[place], centres[centre].time_s
        )
        self.histories = HistoryBook(book.places, centres)

    def generate(self, seeds: InstanceSeeds) -> PreferenceInstance:
        instance = self._usual.generate(seeds)
        return replace(instance, history_share=history_shares(self.histories, instance.centre))


def test_another_centre_s_history_changes_nothing_that_a_centre_sees() -> None:
    plain, garbled = preference_v0.parallel_env(**TINY), preference_v0.parallel_env(**TINY, generator=Garbled(1))
    assert plain.is_reproducible
    assert not garbled.is_reproducible
    results = [env.reset(seed=2) for env in (plain, garbled)]
    rng = np.random.default_rng(0)
    differs = False
    while plain.agents:
        actions = {a: int(rng.choice(np.flatnonzero(i["action_mask"]))) for a, i in results[0][-1].items()}
        for agent in plain.agents:
            one, other = (result[0][agent] for result in results)
            if plain.metadata["centre_of"][int(agent.removeprefix("worker_"))] == 1:
                differs |= one.tobytes() != other.tobytes()
            else:
                assert one.tobytes() == other.tobytes()
            for name, value in results[0][-1][agent].items():
                np.testing.assert_array_equal(value, results[1][-1][agent][name])
        assert plain.state().tobytes() == garbled.state().tobytes()
        results = [env.step(actions) for env in (plain, garbled)]
        assert results[0][1] == results[1][1]
    assert differs  # the centre itself sees its own history


class Redrawn:
    """The usual generator with other true preferences and lots, but the same answers."""

    def __init__(self) -> None:
        self._usual = PopulationGenerator(load_dataset("tiny"), PreferenceSettings.load(**TINY))
        self.histories = self._usual.histories

    def generate(self, seeds: InstanceSeeds) -> PreferenceInstance:
        instance = self._usual.generate(seeds)
        settings = PreferenceSettings.load(**TINY)
        before = acceptance_probabilities(instance.preference, settings)[:, instance.task_category]
        preference = np.roll(instance.preference, 1, axis=1)
        after = acceptance_probabilities(preference, settings)[:, instance.task_category]
        lots = np.where(instance.lots < before, 0.99 * after * 0.5, (1 + after) / 2)
        return replace(instance, preference=preference, lots=lots)


def test_preferences_and_lots_show_in_answers_only() -> None:
    """With other preferences and lots that give the same answers, everything handed out is the same."""
    plain, other = preference_v0.parallel_env(**TINY), preference_v0.parallel_env(**TINY, generator=Redrawn())
    results = [env.reset(seed=2) for env in (plain, other)]
    assert (plain.instance.preference != other.instance.preference).any()
    rng = np.random.default_rng(0)
    while plain.agents:
        actions = {a: int(rng.choice(np.flatnonzero(i["action_mask"]))) for a, i in results[0][-1].items()}
        results = [env.step(actions) for env in (plain, other)]
        assert plain.state().tobytes() == other.state().tobytes()
        assert results[0][1] == results[1][1]
        for agent, observation in results[0][0].items():
            assert observation.tobytes() == results[1][0][agent].tobytes()
            for name in ("action_mask", "candidates", "outcome", "centre"):
                np.testing.assert_array_equal(results[0][-1][agent][name], results[1][-1][agent][name])


def test_every_interface_has_the_histories_centre_by_centre() -> None:
    for env in (
        preference_v0.parallel_env(**TINY),
        preference_v0.vector_env(2, **TINY),
        preference_v0.dispatcher_env(**TINY),
    ):
        assert set(env.histories.of(2).worker.tolist()) == {8, 9, 10, 11}
