"""Wrappers: the mask in the observation."""

import warnings

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test

from crowdgym.configs.errors import ConfigError
from crowdgym.envs import csc_v0
from crowdgym.wrappers import MaskInObservation

SHORT = {"scenario": "tiny", "horizon_s": 600.0}


@pytest.mark.parametrize("key", ["observation", "observations"])
def test_the_mask_is_in_the_observation(key: str) -> None:
    env, bare = MaskInObservation(csc_v0.parallel_env(**SHORT), key=key), csc_v0.parallel_env(**SHORT)
    observations, infos = env.reset(seed=1)
    plain, _ = bare.reset(seed=1)
    space = env.observation_space("worker_3")
    assert env.observation_space("worker_3") is space
    for _ in range(5):
        assert set(observations["worker_3"]) == {key, "action_mask"}
        assert space.contains(observations["worker_3"])
        assert observations["worker_3"][key].tobytes() == plain["worker_3"].tobytes()
        assert observations["worker_3"]["action_mask"].tolist() == infos["worker_3"]["action_mask"].tolist()
        actions = {agent: int(info["action_mask"][1]) for agent, info in infos.items()}
        observations, _, _, _, infos = env.step(actions)
        plain = bare.step(actions)[0]


def test_pettingzoo_finds_it_there_and_takes_no_illegal_action() -> None:
    env = MaskInObservation(csc_v0.parallel_env(**SHORT, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        parallel_api_test(env, num_cycles=100)


@pytest.mark.parametrize("key", ["", "action_mask", None])
def test_a_bad_key_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="key must be a name other than 'action_mask', got"):
        MaskInObservation(csc_v0.parallel_env(**SHORT), key=key)


def test_the_rest_of_the_environment_can_be_reached_through_it() -> None:
    env = MaskInObservation(csc_v0.parallel_env(**SHORT))
    env.reset(seed=0)
    assert env.state().shape == env.state_space.shape
    assert np.isfinite(env.state()).all()
    assert env.possible_agents[0] == "worker_0"
