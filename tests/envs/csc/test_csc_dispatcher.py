"""CSC through Gymnasium: the central dispatcher, and the vector environment by its name."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env

import crowdgym  # noqa: F401 - registers the names
from crowdgym.envs import csc_v0
from crowdgym.envs.csc.env import CscVectorEnv

SHORT = {"scenario": "tiny", "horizon_s": 600.0}


def test_gymnasium_finds_nothing_wrong() -> None:
    env = gymnasium.make("crowdgym/CSC-v0", render_mode="rgb_array", **SHORT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        check_env(env.unwrapped)
    env.close()


def test_the_dispatcher_decides_for_all_workers() -> None:
    joint, single = gymnasium.make("crowdgym/CSC-v0", **SHORT), csc_v0.parallel_env(**SHORT)
    seen, info = joint.reset(seed=3)
    observations, _ = single.reset(seed=3)
    truncated = False
    while not truncated:
        assert seen.tobytes() == np.stack(list(observations.values())).tobytes()
        action = info["action_mask"][:, 1].astype(np.int64)  # everyone the nearest candidate
        seen, reward, terminated, truncated, info = joint.step(action)
        observations, rewards, *_ = single.step(dict(zip(single.agents, action.tolist(), strict=True)))
        assert not terminated
        assert reward == pytest.approx(sum(rewards.values()))
    assert info["metrics"]["revenue"] == single.metrics.revenue > 0


def test_bad_calls() -> None:
    env = gymnasium.make("crowdgym/CSC-v0", disable_env_checker=True, **SHORT).unwrapped
    with pytest.raises(ResetNeeded):
        env.step(np.zeros(12, np.int64))
    env.reset(seed=0)
    with pytest.raises(InvalidAction, match=r"the action must have shape \(12,\), got \(3,\)"):
        env.step(np.zeros(3, np.int64))
    with pytest.raises(InvalidAction, match="the action of worker_2 must be a whole number from 0 to 10"):
        env.step(np.array([0, 0, 11, *[0] * 9]))


@pytest.mark.parametrize("name", ["crowdgym/csc-v0", "crowdgym/CSC-v0"])
def test_make_vec_makes_the_vector_environment(name: str) -> None:
    vector = gymnasium.make_vec(name, num_envs=3, vectorization_mode="vector_entry_point", **SHORT)
    assert isinstance(vector.unwrapped, CscVectorEnv)
    assert vector.unwrapped.batch_shape == (3, 12)
    assert vector.reset(seed=0)[0].shape[0] == 36
