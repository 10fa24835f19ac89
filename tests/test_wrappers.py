"""Wrappers: the mask in the observation."""

import warnings
from typing import Any

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test

from crowdgym.common.errors import ConfigError
from crowdgym.envs import csc_v0
from crowdgym.wrappers import KeepInInfos, MaskInObservation

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


@pytest.mark.parametrize(
    "env",
    [
        csc_v0.parallel_env(**SHORT),
        csc_v0.env(turns=True, **SHORT),
        MaskInObservation(csc_v0.parallel_env(**SHORT)),
        KeepInInfos(csc_v0.parallel_env(**SHORT)),
    ],
    ids=["parallel", "turns", "mask in observation", "kept infos"],
)
def test_spaces_are_also_there_by_agent(env: Any) -> None:
    """As skrl asks for them."""
    assert list(env.observation_spaces) == list(env.action_spaces) == env.possible_agents
    for agent in env.possible_agents:
        assert env.observation_spaces[agent] is env.observation_space(agent)
        assert env.action_spaces[agent] is env.action_space(agent)


@pytest.mark.parametrize("names", [("action_mask",), ("candidates", "action_mask"), ()])
def test_infos_keep_what_was_asked_for_to_the_last_step(names: tuple[str, ...]) -> None:
    env, bare = KeepInInfos(csc_v0.parallel_env(**SHORT), names), csc_v0.parallel_env(**SHORT)
    infos, whole = env.reset(seed=1)[1], bare.reset(seed=1)[1]
    steps = 0
    while env.agents:
        assert {agent: list(info) for agent, info in infos.items()} == {key: list(names) for key in env.possible_agents}
        assert all(np.array_equal(infos[agent][name], whole[agent][name]) for agent in infos for name in names)
        actions = {agent: int(info["action_mask"][1]) for agent, info in whole.items()}
        *seen, infos = env.step(actions)
        *plain, whole = bare.step(actions)
        assert seen[1:] == plain[1:]
        assert [row.tobytes() for row in seen[0].values()] == [row.tobytes() for row in plain[0].values()]
        steps += 1
    assert steps == 20
    assert "metrics" in whole["worker_0"]
    assert list(infos["worker_0"]) == list(names)
    assert env.unwrapped.metrics == bare.metrics


def test_a_name_alone_is_not_taken_for_its_letters() -> None:
    with pytest.raises(ConfigError, match="names must be several names, such as a tuple, got 'candidates'"):
        KeepInInfos(csc_v0.parallel_env(**SHORT), "candidates")
