"""`csc_v0.vector_env`: the same numbers as single environments, rows (copy, agent), and what happens at the end."""

import warnings
from typing import Any

import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.vector import AutoresetMode

from crowdgym.common.errors import ConfigError
from crowdgym.envs import csc_v0
from crowdgym.testing import check_env

SHORT = {"scenario": "tiny", "horizon_s": 300.0}  # ten steps


def legal_actions(infos: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    mask = infos["action_mask"]
    return (rng.random(mask.shape) * mask).argmax(axis=1)


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_rows_are_those_of_single_environments(num_threads: int) -> None:
    vector = csc_v0.vector_env(num_envs=3, num_threads=num_threads, **SHORT)
    singles = [csc_v0.parallel_env(**SHORT) for _ in range(3)]
    rng = np.random.default_rng(0)
    observations, infos = vector.reset(seed=5)
    single_infos = []
    for copy, single in enumerate(singles):
        seen, info = single.reset(seed=5 + copy)
        single_infos.append(info)
        assert observations.reshape(3, 12, -1)[copy].tobytes() == np.stack(list(seen.values())).tobytes()
    for _ in range(10):
        actions = legal_actions(infos, rng)
        observations, rewards, terminations, truncations, infos = vector.step(actions)
        for copy, single in enumerate(singles):
            joint = dict(zip(single.agents, actions.reshape(3, 12)[copy].tolist(), strict=True))
            seen, earned, _, over, info = single.step(joint)
            rows = slice(12 * copy, 12 * copy + 12)
            assert observations[rows].tobytes() == np.stack(list(seen.values())).tobytes()
            assert rewards[rows].tolist() == list(earned.values())
            assert truncations[rows].tolist() == list(over.values())
            assert infos["action_mask"][rows].tolist() == [i["action_mask"].tolist() for i in info.values()]
            assert infos["candidates"][rows].tolist() == [i["candidates"].tolist() for i in info.values()]
        assert not terminations.any()
        assert vector.state().tobytes() == np.stack([single.state() for single in singles]).tobytes()
    for copy, single in enumerate(singles):
        assert infos["metrics"]["revenue"][copy] == single.metrics.revenue
    vector.close()


def test_the_kit_for_other_people_finds_nothing_wrong() -> None:
    check_env(
        lambda: csc_v0.parallel_env(**SHORT),
        vector_factory=lambda copies: csc_v0.vector_env(num_envs=copies, **SHORT),
        checks=["vector"],
    )


def test_spaces_and_shapes() -> None:
    vector = csc_v0.vector_env(num_envs=4, **SHORT)
    observations, infos = vector.reset(seed=0)
    assert vector.batch_shape == (4, 12)
    assert vector.num_envs == 48
    assert vector.observation_space.contains(observations)
    assert infos["action_mask"].shape == (48, 11)
    assert infos["candidates"].shape == (48, 10)
    actions = vector.action_space.sample()
    assert vector.step(actions)[1].shape == (48,)
    assert vector.step(actions.reshape(4, 12))[1].shape == (48,)


def test_next_step_begins_anew_one_step_later_and_ignores_the_actions() -> None:
    vector = csc_v0.vector_env(num_envs=2, **SHORT)
    assert vector.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    vector.reset(seed=0)
    for _ in range(9):
        assert not vector.step(np.zeros(24, np.int64))[3].any()
    last, _, _, truncations, infos = vector.step(np.zeros(24, np.int64))
    assert truncations.all()
    assert infos["_metrics"].all()
    first, rewards, _, truncations, infos = vector.step(np.ones(24, np.int64))
    assert not truncations.any()
    assert not rewards.any()
    assert "metrics" not in infos
    elapsed = vector.metadata["observation_layout"]["w_self"]["features"].index("elapsed")
    assert last[0, elapsed] == 1.0
    assert first[0, elapsed] == 0.0


def test_same_step_hands_out_the_last_and_the_first_observations() -> None:
    vector = csc_v0.vector_env(num_envs=2, autoreset_mode="SameStep", **SHORT)
    with pytest.raises(ResetNeeded, match="state was called, but copy 0 has not begun"):
        vector.state()
    vector.reset(seed=0)
    for _ in range(9):
        vector.step(np.zeros(24, np.int64))
    first, _, _, truncations, infos = vector.step(np.zeros(24, np.int64))
    assert truncations.all()
    elapsed = vector.metadata["observation_layout"]["w_self"]["features"].index("elapsed")
    assert (infos["final_obs"][:, elapsed] == 1.0).all()
    assert infos["_final_obs"].all()
    assert (first[:, elapsed] == 0.0).all()
    assert not vector.step(np.zeros(24, np.int64))[3].any()


def test_disabled_waits_for_a_reset_of_the_copies_that_are_over() -> None:
    vector = csc_v0.vector_env(num_envs=2, autoreset_mode=AutoresetMode.DISABLED, **SHORT)
    vector.reset(seed=0)
    for _ in range(5):
        vector.step(np.zeros(24, np.int64))
    vector.reset(options={"reset_mask": np.array([False, True])})
    elapsed = vector.metadata["observation_layout"]["w_self"]["features"].index("elapsed")
    for _ in range(5):
        observations, _, _, truncations, infos = vector.step(np.zeros(24, np.int64))
    assert truncations.reshape(2, 12).all(axis=1).tolist() == [True, False]
    assert infos["_metrics"].tolist() == [True, False]
    assert observations[[0, 12], elapsed].tolist() == [1.0, 0.5]
    with pytest.raises(ResetNeeded, match="the episode of copy 0 is over"):
        vector.step(np.zeros(24, np.int64))
    vector.reset(options={"reset_mask": np.repeat([True, False], 12)})
    assert vector.step(np.zeros(24, np.int64))[0][[0, 12], elapsed] == pytest.approx([0.1, 0.6])


def test_copies_meet_different_instances_and_seeds_repeat() -> None:
    vector = csc_v0.vector_env(num_envs=3, **SHORT)
    first = vector.reset(seed=7)[0].reshape(3, 12, -1)
    assert len({first[copy].tobytes() for copy in range(3)}) == 3
    again = vector.reset(seed=[9, 8, 7])[0].reshape(3, 12, -1)
    assert again[::-1].tobytes() == first.tobytes()
    benchmark = vector.reset(options={"instance": 4})[0].reshape(3, 12, -1)
    single = csc_v0.parallel_env(**SHORT).reset(options={"instance": 6})[0]
    assert benchmark[2].tobytes() == np.stack(list(single.values())).tobytes()


def test_what_is_handed_out_is_a_copy_unless_asked_for_views() -> None:
    copying, viewing = csc_v0.vector_env(num_envs=1, **SHORT), csc_v0.vector_env(num_envs=1, copy=False, **SHORT)
    kept, view = copying.reset(seed=0)[0], viewing.reset(seed=0)[0]
    before = kept.copy()
    copying.step(np.zeros(12, np.int64))
    later = viewing.step(np.zeros(12, np.int64))[0]
    assert kept.tobytes() == before.tobytes()
    assert view.tobytes() == later.tobytes()
    assert np.shares_memory(view, later)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"num_envs": 0}, "num_envs must be a whole number from 1 on, got 0"),
        ({"num_threads": 1.5}, r"num_threads must be a whole number from 1 on, got 1\.5"),
        (
            {"autoreset_mode": "Sometimes"},
            "autoreset_mode must be one of NextStep, SameStep, Disabled, got 'Sometimes'",
        ),
        ({"num_workerz": 1}, "no keyword 'num_workerz'"),
    ],
)
def test_bad_keywords(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        csc_v0.vector_env(**{"num_envs": 2, **SHORT, **keywords})


def test_bad_calls() -> None:
    vector = csc_v0.vector_env(num_envs=2, **SHORT)
    with pytest.raises(ResetNeeded, match="copy 0 has not begun"):
        vector.step(np.zeros(24, np.int64))
    with pytest.raises(ConfigError, match=r"seed must be a whole number, or one for each of 2 copies, got \[1, 2, 3\]"):
        vector.reset(seed=[1, 2, 3])
    with pytest.raises(ConfigError, match="'reset_mask' must be a bool array"):
        vector.reset(options={"reset_mask": [True, False]})
    vector.reset(seed=0)
    with pytest.raises(InvalidAction, match=r"shape \(24,\) or \(2, 12\), got int64 of shape \(12,\)"):
        vector.step(np.zeros(12, np.int64))
    with pytest.raises(InvalidAction, match="got float64"):
        vector.step(np.zeros(24))
    actions = np.zeros(24, np.int64)
    actions[15] = 11
    with pytest.raises(InvalidAction, match="the action of worker_3 in copy 1 must be from 0 to 10, got 11"):
        vector.step(actions)


def test_strict_names_the_copy() -> None:
    vector = csc_v0.vector_env(num_envs=2, strict=True, **SHORT)
    _, infos = vector.reset(seed=0)
    row = int(np.flatnonzero(infos["action_mask"][:, 10] == 0)[-1])
    actions = np.zeros(24, np.int64)
    actions[row] = 10
    with pytest.raises(InvalidAction, match=f"worker_{row - 12} of copy 1 may not take action 10 now; legal: 0"):
        vector.step(actions)


def test_wrappers_of_gymnasium_work_on_it() -> None:
    from gymnasium.wrappers.vector import RecordEpisodeStatistics

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vector = RecordEpisodeStatistics(csc_v0.vector_env(num_envs=2, **SHORT))
    vector.reset(seed=0)
    for _ in range(10):
        infos = vector.step(np.zeros(24, np.int64))[4]
    assert infos["episode"]["l"].tolist() == [10] * 24
