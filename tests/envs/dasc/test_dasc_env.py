"""DASC through its public interfaces."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium.error import InvalidAction
from pettingzoo.test import parallel_api_test
from worlds.dasc_worlds import Helper, Job, Part, a_world

from crowdgym.common.errors import ConfigError
from crowdgym.data.ground import ground_of
from crowdgym.data.registry import load_dataset
from crowdgym.envs import dasc_v0
from crowdgym.envs.dasc.env import DascEnv
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.envs.dasc.snapshot import DascSnapshot
from crowdgym.envs.dasc.viewer import DascViewer

SMALL: dict[str, Any] = {"scenario": "tiny", "horizon_s": 1800.0, "step_s": 30.0}


def act(infos: dict[str, dict[str, Any]], rng: np.random.Generator) -> dict[str, int]:
    return {agent: int(rng.choice(np.flatnonzero(info["action_mask"]))) for agent, info in infos.items()}


@pytest.mark.parametrize("action_mode", ["recommend", "select"])
def test_pettingzoo_finds_nothing_wrong(action_mode: Any) -> None:
    parallel_api_test(dasc_v0.parallel_env(action_mode=action_mode, **SMALL), num_cycles=200)


@pytest.mark.parametrize("reward", ["sparse", "shaped", "team", "shared"])
def test_an_episode(reward: Any) -> None:
    env = dasc_v0.parallel_env(reward=reward, **SMALL)
    observations, infos = env.reset(seed=1)
    rng, total, matches, revenue = np.random.default_rng(0), 0.0, 0, 0.0
    assert env.possible_agents == [f"subtask_{s}" for s in range(24)]
    while env.agents:
        was_live = {agent: info["live"] for agent, info in infos.items()}
        observations, rewards, terminations, _, infos = env.step(act(infos, rng))
        for agent, info in infos.items():
            assert env.observation_space(agent).contains(observations[agent])
            assert info["action_mask"].shape == (2,)
            assert info["live"] or not observations[agent].any()
            assert was_live[agent] or info["reward_sparse"] == info["reward_shaped"] == 0.0
            assert was_live[agent] or rewards[agent] == 0.0 or reward == "shared"
            if reward not in ("team", "shared"):
                assert rewards[agent] == info[f"reward_{reward}"]
            matches += bool(info["match_utility"].any())
        assert env.state_space.contains(env.state())
        assert not any(terminations.values())
        total += sum(rewards.values())
        revenue += sum(info["reward_sparse"] for info in infos.values())
    metrics = infos["subtask_0"]["metrics"]
    assert metrics["revenue"] == pytest.approx(revenue)
    assert metrics["profit"] == pytest.approx(revenue - metrics["travel_cost"])
    assert metrics["assigned"] == matches > 0
    assert metrics["illegal"] == 0
    assert reward == "shaped" or total == pytest.approx(revenue)
    assert "matching_time_s" not in metrics
    assert env.matching_time_s > 0


def test_the_same_seed_gives_the_same_episode() -> None:
    def episode() -> list[Any]:
        env = dasc_v0.parallel_env(action_mode="select", **SMALL)
        _, infos = env.reset(seed=5)
        rng, rows = np.random.default_rng(0), []
        while env.agents:
            observations, rewards, _, _, infos = env.step(act(infos, rng))
            rows.append((np.stack(list(observations.values())).tobytes(), tuple(rewards.values())))
        return [*rows, env.metrics]

    assert episode() == episode()


class TwoWorkers:
    """One subtask on the spot of a worker with four skills, a road away from one with just the one skill it takes."""

    def generate(self, seeds: object) -> DascInstance:
        network = load_dataset("tiny").network
        line = a_world([Helper(1), Helper(0, (0, 1, 2, 3))], [Job((Part(0),))]).instance
        a_road_away = int(network.indices[network.indptr[0]])
        return replace(line, network=network, worker_node=np.array([a_road_away, 0], np.int32))


def two_workers(**keywords: Any) -> DascEnv:
    sizes: dict[str, Any] = {"num_workers": 2, "num_tasks": 1, "subtasks_mean": 1.0}
    return dasc_v0.parallel_env(scenario="tiny", generator=TwoWorkers(), **sizes, **keywords)


def skill_term_of_match(env: DascEnv, options: dict[str, Any] | None) -> float:
    env.reset(seed=0, options=options)
    _, _, _, _, infos = env.step({"subtask_0": 1})
    return float(infos["subtask_0"]["match_utility"][0])


def test_utility_at_reset_is_for_that_episode() -> None:
    env = two_workers(utility=(1.0, 0.0))
    assert skill_term_of_match(env, None) == 0.25
    assert skill_term_of_match(env, {"utility": (1.0, 1.0)}) == 1.0
    assert skill_term_of_match(env, None) == 0.25


@pytest.mark.parametrize("utility", [(0.2,), (0.2, 1.5), "half", 3, (0.1, float("nan")), (0.1, 0.2, 0.3)])
def test_a_utility_that_cannot_be_is_refused(utility: object) -> None:
    env = dasc_v0.parallel_env(**SMALL)
    with pytest.raises(ConfigError, match="the option 'utility' must be two numbers from 0 to 1"):
        env.reset(options={"utility": utility})


def test_strict_refuses_what_is_masked() -> None:
    env = dasc_v0.parallel_env(strict=True, **SMALL)
    _, infos = env.reset(seed=0)
    absent = next(agent for agent, info in infos.items() if not info["live"])
    with pytest.raises(InvalidAction, match=f"{absent} may not take action 1 now; legal: 0"):
        env.step({agent: int(agent == absent) for agent in env.agents})


@pytest.mark.parametrize("action_mode", ["recommend", "select"])
def test_the_vector_environment_plays_what_single_ones_play(action_mode: Any) -> None:
    vector = dasc_v0.vector_env(num_envs=2, num_threads=2, action_mode=action_mode, **SMALL)
    singles = [dasc_v0.parallel_env(action_mode=action_mode, **SMALL) for _ in range(2)]
    _, agents = vector.batch_shape
    seen, infos = vector.reset(seed=3, options={"utility": (0.9, 0.4)})
    for b, single in enumerate(singles):
        single.reset(seed=3 + b, options={"utility": (0.9, 0.4)})
    rng = np.random.default_rng(2)
    for _ in range(60):
        mask = infos["action_mask"]
        actions = (rng.random(mask.shape) * mask).argmax(axis=1)
        seen, rewards, _, truncations, infos = vector.step(actions)
        for b, single in enumerate(singles):
            own = slice(b * agents, (b + 1) * agents)
            joint = dict(zip(single.possible_agents, actions[own].tolist(), strict=True))
            observations, single_rewards, _, _, single_infos = single.step(joint)
            np.testing.assert_array_equal(seen[own], list(observations.values()))
            np.testing.assert_array_equal(rewards[own], list(single_rewards.values()))
            for name in ("action_mask", "candidates", "live", "reward_sparse", "reward_shaped", "match_utility"):
                np.testing.assert_array_equal(infos[name][own], [info[name] for info in single_infos.values()])
    assert truncations.all()
    assert infos["metrics"]["revenue"].tolist() == [single.metrics.revenue for single in singles]
    assert (vector.matching_time_s > 0).all()
    vector.close()


def test_the_dispatcher_is_paid_the_revenue() -> None:
    env = dasc_v0.dispatcher_env(**SMALL)
    observation, info = env.reset(seed=2)
    assert env.observation_space.contains(observation)
    total, over = 0.0, False
    while not over:
        observation, reward, _, over, info = env.step(info["action_mask"][:, 1])
        total += reward
    assert total == pytest.approx(info["metrics"]["revenue"])
    assert total > 0
    assert info["match_utility"].shape == (24, 3)


def test_a_copy_of_an_environment_goes_on_alike() -> None:
    env = dasc_v0.parallel_env(**SMALL)
    _, infos = env.reset(seed=1)
    for _ in range(5):
        _, _, _, _, infos = env.step(act(infos, np.random.default_rng(0)))
    twin = copy.deepcopy(env)
    for _ in range(20):
        actions = act(infos, np.random.default_rng(0))
        observations, _, _, _, infos = env.step(actions)
        others, _, _, _, _ = twin.step(actions)
        np.testing.assert_array_equal(list(observations.values()), list(others.values()))


def test_agent_by_agent() -> None:
    env = dasc_v0.env(**SMALL)
    env.reset(seed=0)
    for _ in env.agent_iter(max_iter=48):
        _, _, termination, truncation, info = env.last()
        env.step(None if termination or truncation else int(info["action_mask"][1]))
    assert len(env.agents) == 24


def test_a_picture() -> None:
    env = dasc_v0.parallel_env(render_mode="rgb_array", **SMALL)
    _, infos = env.reset(seed=1)
    first = env.render()
    assert first is not None
    assert first.shape == (1000, 1000, 3)
    for _ in range(20):
        _, _, _, _, infos = env.step(act(infos, np.random.default_rng(0)))
    later = env.render()
    assert (later != first).any()
    np.testing.assert_array_equal(
        DascViewer(env._simulation.network, "dasc_v0 · tiny", ground=ground_of("tiny")).draw(env.snapshot()), later
    )
    env.close()


def test_subtasks_at_one_place_are_drawn_apart() -> None:
    """Three unassigned subtasks at one node: three discs of their colour, none of which touches another."""
    from scipy.ndimage import label

    world = a_world([Helper(0, (1,))], [Job((Part(2), Part(2), Part(2)))])
    frame = DascViewer(world.instance.network, "three").draw(DascSnapshot.of(world.start(), 0))
    on_the_map = frame[97:870]
    _, discs = label(np.abs(on_the_map.astype(int) - (0xD5, 0x5E, 0x00)).sum(axis=2) < 30)
    assert discs == 3


def test_metadata_say_how_the_state_is_laid_out_and_what_the_rules_are() -> None:
    env = dasc_v0.parallel_env(scenario="tiny", num_workers=7, horizon_s=600.0)
    env.reset(seed=0)
    layout, state = env.metadata["state_layout"], env.state()
    clock, workers, subtasks = (layout[name] for name in ("clock", "workers", "subtasks"))
    assert (clock["start"], clock["stop"]) == (0, workers["start"])
    assert (workers["shape"][0], subtasks["start"], subtasks["stop"]) == (7, workers["stop"], len(state))
    crowd = state[workers["start"] : workers["stop"]].reshape(workers["shape"])
    assert (crowd[:, workers["features"].index("idle")] == 1.0).all()
    skills = crowd[:, [workers["features"].index(f"skill_{k}") for k in range(10)]]
    assert (skills == env.instance.worker_skills).all()
    assert len(workers["units"]) == len(workers["features"])
    assert (env.metadata["rules"]["speed_mps"], env.metadata["rules"]["horizon_s"]) == (10.0, 600.0)
