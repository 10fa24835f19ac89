"""`csc_v0` as a PettingZoo environment: spaces, dicts, masks, seeds, and what bad input gets."""

import warnings
from typing import Any

import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from pettingzoo.test import api_test, parallel_api_test

from crowdgym.common.errors import ConfigError
from crowdgym.envs import csc_v0
from crowdgym.envs.csc.kernel.state import TaskStatus, WorkerStatus

TINY = {"scenario": "tiny"}
SHORT = {"scenario": "tiny", "horizon_s": 600.0}


def random_legal(infos: dict[str, Any], rng: np.random.Generator) -> dict[str, int]:
    return {agent: int(rng.choice(np.flatnonzero(info["action_mask"]))) for agent, info in infos.items()}


def play_episode(env: Any, seed: int, action_seed: int = 0) -> list[Any]:
    """Everything an episode of random legal actions hands out."""
    rng = np.random.default_rng(action_seed)
    observations, infos = env.reset(seed=seed)
    record: list[Any] = [observations, infos]
    while env.agents:
        step = env.step(random_legal(infos, rng))
        infos = step[4]
        record += [*step, env.state()]
    return record


def as_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_bytes(item) for key, item in value.items()}
    return value.tobytes() if isinstance(value, np.ndarray) else value


def test_pettingzoo_parallel_api() -> None:
    parallel_api_test(csc_v0.parallel_env(**TINY), num_cycles=300)


def test_pettingzoo_aec_api() -> None:
    with warnings.catch_warnings():
        # The test recommends images of integers and lists all masks it can think of; neither concerns flat features.
        warnings.simplefilter("ignore", UserWarning)
        api_test(csc_v0.env(**SHORT), num_cycles=100)


def test_the_same_seed_gives_the_same_episode_to_the_last_byte() -> None:
    first, second = (play_episode(csc_v0.parallel_env(**TINY), seed=5) for _ in range(2))
    assert [as_bytes(value) for value in first] == [as_bytes(value) for value in second]


def test_an_environment_repeats_an_episode_after_others() -> None:
    env = csc_v0.parallel_env(**TINY)
    first = play_episode(env, seed=5)
    play_episode(env, seed=6)
    env.reset()
    assert [as_bytes(value) for value in play_episode(env, seed=5)] == [as_bytes(value) for value in first]


def test_two_seeds_give_two_episodes_and_resets_without_a_seed_go_on() -> None:
    env = csc_v0.parallel_env(**TINY)
    instances = []
    for seed in (1, 2, None, None):
        env.reset(seed=seed)
        instances.append(env.instance.workload_s.tobytes())
    assert len(set(instances)) == 4
    env.reset(seed=2)
    env.reset()
    assert env.instance.workload_s.tobytes() == instances[2]


def test_tasks_do_not_depend_on_the_number_of_workers() -> None:
    few, many = csc_v0.parallel_env(**TINY, num_workers=3), csc_v0.parallel_env(**TINY, num_workers=30)
    few.reset(seed=3)
    many.reset(seed=3)
    assert few.instance.payment.tobytes() == many.instance.payment.tobytes()
    assert few.instance.task_node.tobytes() == many.instance.task_node.tobytes()


def test_a_benchmark_instance_is_the_same_whatever_came_before() -> None:
    env = csc_v0.parallel_env(**TINY)
    env.reset(seed=1, options={"instance": 4})
    first = env.instance.workload_s.tobytes()
    env.reset(seed=2)
    env.reset(options={"instance": 4})
    assert env.instance.workload_s.tobytes() == first
    env.reset(options={"instance": 5})
    assert env.instance.workload_s.tobytes() != first


def test_what_is_handed_out_stays_as_it_is() -> None:
    env = csc_v0.parallel_env(**TINY)
    observations, infos = env.reset(seed=1)
    kept = as_bytes(observations), as_bytes(infos)
    for _ in range(5):
        _, _, _, _, later = env.step(random_legal(infos, np.random.default_rng(0)))
        later.clear()
        infos = {agent: {"action_mask": np.array([1])} for agent in env.agents}
    assert (as_bytes(observations), as_bytes(env.reset(seed=1)[1])) == kept


def test_observations_and_state_stay_within_their_spaces() -> None:
    env = csc_v0.parallel_env(**TINY)
    rng = np.random.default_rng(0)
    observations, infos = env.reset(seed=0)
    while env.agents:
        for agent in env.agents:
            assert env.observation_space(agent).contains(observations[agent])
        assert env.state_space.contains(env.state())
        observations, _, _, _, infos = env.step(random_legal(infos, rng))


def test_layout_covers_the_observation_without_a_gap() -> None:
    env = csc_v0.parallel_env(**TINY, max_candidates=7)
    stop = 0
    for name, part in env.metadata["observation_layout"].items():
        assert part["start"] == stop, name
        stop = part["stop"]
        assert part["shape"][0] * part["shape"][1] == part["stop"] - part["start"]
        assert len(part["features"]) == len(part["units"]) == part["shape"][1]
    assert env.observation_space("worker_0").shape == (stop,)
    assert env.metadata["observation_layout"]["T_optional"]["shape"][0] == 7


def test_rules_are_the_constants_of_the_world() -> None:
    env = csc_v0.parallel_env(**TINY, speed_mps=7.0, penalty_per_s=0.0013)
    assert env.metadata["rules"] == {
        "step_s": env.settings.step_s,
        "horizon_s": env.settings.horizon_s,
        "speed_mps": 7.0,
        "range_m": env.settings.range_m,
        "penalty_per_s": 0.0013,
    }


def test_everyone_is_truncated_together_at_the_horizon_and_told_the_metrics() -> None:
    env = csc_v0.parallel_env(scenario="tiny", horizon_s=100.0, step_s=30.0)
    env.reset(seed=0)
    for step in range(4):  # epochs at 30, 60, 90 and 100 s
        assert len(env.agents) == 12
        _, _, terminations, truncations, infos = env.step(dict.fromkeys(env.agents, 0))
        assert not any(terminations.values())
        assert set(truncations.values()) == {step == 3}
    assert env.agents == []
    assert infos["worker_3"]["metrics"] == {
        "revenue": 0.0,
        "completed": 0,
        "expired": 0,
        "travel_m": 0.0,
        "illegal": 0,
    }


@pytest.mark.parametrize("reward", ["contribution", "team"])
def test_rewards_sum_to_the_revenue(reward: str) -> None:
    env = csc_v0.parallel_env(**TINY, reward=reward)
    rewards = play_episode(env, seed=1)[3::6]
    assert env.metrics.revenue > 0
    assert sum(sum(row.values()) for row in rewards) == pytest.approx(env.metrics.revenue, rel=1e-9)


def test_mask_and_candidates_agree_and_a_busy_worker_may_only_hold() -> None:
    env = csc_v0.parallel_env(**TINY)
    rng = np.random.default_rng(1)
    _, infos = env.reset(seed=1)
    busy = 0
    while env.agents:
        snapshot = env.snapshot()
        for w, agent in enumerate(env.agents):
            mask, candidates = infos[agent]["action_mask"], infos[agent]["candidates"]
            assert mask.dtype == np.int8
            assert mask[0] == 1
            assert (mask[1:] == (candidates >= 0)).all()
            assert (snapshot.task_status[candidates[candidates >= 0]] == TaskStatus.OPEN).all()
            if snapshot.worker_status[w] != WorkerStatus.IDLE:
                busy += 1
                assert mask.sum() == 1
        infos = env.step(random_legal(infos, rng))[4]
    assert busy > 100


def test_a_masked_action_holds_and_is_counted() -> None:
    env = csc_v0.parallel_env(**TINY)
    _, infos = env.reset(seed=1)
    assert infos["worker_0"]["action_mask"][10] == 0
    env.step({agent: 10 if agent == "worker_0" else 0 for agent in env.agents})
    assert env.metrics.illegal == 1
    assert env.snapshot().worker_status[0] == WorkerStatus.IDLE


def test_strict_refuses_a_masked_action_and_nothing_has_happened() -> None:
    env = csc_v0.parallel_env(**TINY, strict=True)
    env.reset(seed=1)
    before = env.state().tobytes()
    with pytest.raises(InvalidAction, match=r"worker_0 may not take action 10 now; legal: 0"):
        env.step({agent: 10 if agent == "worker_0" else 0 for agent in env.agents})
    assert env.state().tobytes() == before
    assert env.metrics.illegal == 0


@pytest.mark.parametrize(
    ("action", "named"), [(11, "got 11"), (-1, "got -1"), (1.0, "got 1.0"), ("a", "got 'a'"), (None, "got None")]
)
def test_an_action_outside_the_space_raises(action: Any, named: str) -> None:
    env = csc_v0.parallel_env(**TINY)
    env.reset(seed=1)
    with pytest.raises(InvalidAction, match=rf"the action of worker_4 must be a whole number from 0 to 10, {named}"):
        env.step({agent: action if agent == "worker_4" else 0 for agent in env.agents})


def test_integers_of_every_kind_are_actions() -> None:
    kinds = (int, np.int8, np.int64, np.uint8, np.uint64, np.array, bool, np.bool_)
    env, plain = csc_v0.parallel_env(**TINY), csc_v0.parallel_env(**TINY)
    env.reset(seed=1)
    plain.reset(seed=1)
    for _ in range(5):
        mixed = {agent: kinds[w % len(kinds)](1) for w, agent in enumerate(env.agents) if w % len(kinds) != 7}
        seen = env.step({**dict.fromkeys(env.agents, 0), **mixed})[0]
        expected = plain.step({**dict.fromkeys(env.agents, 0), **dict.fromkeys(mixed, 1)})[0]
        assert as_bytes(seen) == as_bytes(expected)


def test_the_right_agent_is_named_among_arrays() -> None:
    env = csc_v0.parallel_env(**TINY)
    env.reset(seed=1)
    actions = {agent: np.array(99 if agent == "worker_3" else 0) for agent in env.agents}
    with pytest.raises(InvalidAction, match=r"the action of worker_3 .* got array\(99\)"):
        env.step(actions)


def test_actions_for_other_agents_than_there_are_raise() -> None:
    env = csc_v0.parallel_env(**TINY)
    env.reset(seed=1)
    with pytest.raises(InvalidAction, match="no action for worker_1"):
        env.step({"worker_0": 0})
    with pytest.raises(InvalidAction, match="'worker_99' is not an agent"):
        env.step({**dict.fromkeys(env.agents, 0), "worker_99": 0})
    with pytest.raises(InvalidAction, match="must be a dict"):
        env.step([0] * 12)


def test_step_before_reset_and_after_the_end_raise() -> None:
    env = csc_v0.parallel_env(scenario="tiny", horizon_s=30.0)
    with pytest.raises(ResetNeeded, match="no episode has begun"):
        env.step({})
    for call in (env.state, env.snapshot):
        with pytest.raises(ResetNeeded):
            call()
    env.reset(seed=1)
    env.step(dict.fromkeys(env.agents, 0))
    with pytest.raises(ResetNeeded, match="the episode is over"):
        env.step({})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"instnce": 1}, "no option 'instnce'"),
        ({"instance": -1}, "got -1"),
        ({"instance": 1.5}, "got 1.5"),
        ({"instance": True}, "got True"),
    ],
)
def test_a_bad_option_of_reset_raises(options: dict[str, Any], message: str) -> None:
    env = csc_v0.parallel_env(**TINY)
    with pytest.raises(ConfigError, match=message):
        env.reset(options=options)


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_a_bad_seed_raises(seed: Any) -> None:
    env = csc_v0.parallel_env(**TINY)
    with pytest.raises(ConfigError, match="seed must be a whole number from 0 on, got"):
        env.reset(seed=seed)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"num_worker": 3}, r"csc_v0 has no keyword 'num_worker'; did you mean 'num_workers'\? \(known: scenario, "),
        ({"num_workers": 0}, "num_workers must be greater than or equal to 1, got 0"),
        ({"num_tasks": -5}, "num_tasks must be greater than or equal to 1, got -5"),
        ({"num_tasks": 2.5}, r"num_tasks must be a valid integer, got 2\.5"),
        ({"horizon_s": float("nan")}, "horizon_s must be a finite number, got nan"),
        ({"step_s": 0.0}, r"step_s must be greater than 0, got 0\.0"),
        (
            {"reward": "money"},
            "reward must be 'contribution', 'team', 'individual', 'marginal' or 'difference', got 'money'",
        ),
        ({"num_workers": 5000}, "num_workers must be at most 10[0-9], the number of places in 'tiny', got 5000"),
        ({"num_tasks": 100_000}, "num_tasks must be at most [0-9]+, the orders of 'tiny' in 1800 s from"),
        (
            {"step_s": 1e-6, "horizon_s": 60.0},
            "horizon_s must be at most 1,000,000 times step_s, got 60 with steps of 1e-06",
        ),
        ({"workload_log_sd": 1000.0}, r"workload_log_sd must be less than or equal to 5, got 1000\.0"),
        ({"workload_mean_s": 1e308}, "workload_mean_s must be less than or equal to"),
        ({"generator": object()}, "generator must be an object with a method 'generate', got"),
        ({"reward_strategy": "team"}, "reward_strategy must be an object with a method 'write', got 'team'"),
        ({"render_mode": "ascii"}, "render_mode must be one of human, rgb_array or None, got 'ascii'"),
    ],
)
def test_a_bad_keyword_is_named_with_what_was_expected(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        csc_v0.parallel_env(**{**TINY, **keywords})


def test_a_reward_strategy_of_ones_own() -> None:
    class Quiet:
        name = "quiet"

        def write(self, epoch: Any, rewards: Any) -> None:
            rewards[:] = 1.0

    env = csc_v0.parallel_env(**TINY, reward_strategy=Quiet())
    env.reset(seed=0)
    assert env.step(dict.fromkeys(env.agents, 0))[1] == dict.fromkeys(env.possible_agents, 1.0)
