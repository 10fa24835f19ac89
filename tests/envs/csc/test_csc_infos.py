"""Infos of `csc_v0` that can be asked for: `gain` and `neighbours`."""

from typing import Any

import numpy as np
import pytest

from crowdgym.common.errors import ConfigError
from crowdgym.envs import csc_v0
from crowdgym.envs.csc.kernel.features import WORKER

TINY: dict[str, Any] = {"scenario": "tiny", "horizon_s": 1500.0}
BOTH = ("gain", "neighbours")


def test_they_are_there_only_if_asked_for() -> None:
    usual = ["action_mask", "candidates"]
    for asked in ((), ("gain",), ("neighbours",), BOTH):
        _, infos = csc_v0.parallel_env(**TINY, infos=asked).reset(seed=0)
        assert list(infos["worker_0"]) == [*usual, *asked]


def test_the_gain_is_the_marginal_reward_of_joining_alone() -> None:
    env = csc_v0.parallel_env(**TINY, infos=["gain"], reward="marginal")
    rng, seen = np.random.default_rng(0), 0
    _, infos = env.reset(seed=1)
    while env.agents:
        actions = dict.fromkeys(env.agents, 0)
        joiners = [agent for agent in env.agents if infos[agent]["action_mask"][1]]
        for agent in env.agents:
            assert (infos[agent]["gain"][infos[agent]["candidates"] < 0] == 0.0).all()
        if joiners:
            joiner = str(rng.choice(joiners))
            actions[joiner] = int(rng.choice(np.flatnonzero(infos[joiner]["action_mask"])[1:]))
            gain = infos[joiner]["gain"][actions[joiner] - 1]
        _, rewards, _, _, infos = env.step(actions)
        if joiners:
            assert rewards[joiner] == gain
            seen += gain > 0
    assert seen > 10


def test_neighbours_are_the_workers_behind_the_rows_of_w_near() -> None:
    env = csc_v0.parallel_env(**TINY, infos=["neighbours"])
    observations, infos = env.reset(seed=1)
    near, reach_m = env.metadata["observation_layout"]["W_near"], env.settings.range_m
    for _ in range(10):
        snapshot = env.snapshot()
        for w, agent in enumerate(env.agents):
            rows = observations[agent][near["start"] : near["stop"]].reshape(near["shape"])
            ids = infos[agent]["neighbours"]
            assert ids.dtype == np.int32
            assert w not in ids.tolist()
            dx_m = snapshot.worker_x_m[ids] - snapshot.worker_x_m[w]
            assert rows[:, WORKER.dx] == pytest.approx(np.clip(dx_m / reach_m, -1, 1), abs=1e-6)
        nearest = {agent: int(info["action_mask"][1]) for agent, info in infos.items()}
        observations, _, _, _, infos = env.step(nearest)


def test_where_there_are_fewer_workers_the_other_ids_are_minus_one() -> None:
    _, infos = csc_v0.parallel_env(**TINY, num_workers=3, infos=["neighbours"]).reset(seed=1)
    assert sorted(infos["worker_0"]["neighbours"].tolist()) == [-1, -1, -1, 1, 2]


def test_the_vector_environment_and_the_dispatcher_have_them_too() -> None:
    _, infos = csc_v0.parallel_env(**TINY, infos=BOTH).reset(seed=1)
    _, rows = csc_v0.vector_env(1, infos=BOTH, **TINY).reset(seed=1)
    _, joint = csc_v0.dispatcher_env(infos=BOTH, **TINY).reset(seed=1)
    aec = csc_v0.env(infos=BOTH, **TINY)
    aec.reset(seed=1)
    for name in BOTH:
        expected = np.stack([info[name] for info in infos.values()])
        assert rows[name].tolist() == joint[name].tolist() == expected.tolist()
        assert aec.infos["worker_3"][name].tolist() == expected[3].tolist()


@pytest.mark.parametrize("infos", ["gain", ("gian",), [1]])
def test_unknown_infos_are_refused(infos: Any) -> None:
    with pytest.raises(ConfigError, match=r"infos must be a list of names out of gain, neighbours, got"):
        csc_v0.parallel_env(**TINY, infos=infos)
