"""The `VecEnv` for Stable-Baselines3: a market of three sellers by hand, then the environments themselves.

Prices are 25, 50 and 75, everyone has 3 units, action i sells i of them, an episode has three steps; a row sees its
units left (of 3), the time (of 3) and its price (of 100).
"""

import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import InvalidAction
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecCheckNan, VecFrameStack, VecMonitor, VecNormalize
from worlds.toy_market import MarketVectorEnv

from crowdgym import make
from crowdgym.common.errors import ConfigError
from crowdgym.integrations.sb3 import CrowdVecEnv, make_vec_env

THIRD, TWO_THIRDS = np.float32(1 / 3), np.float32(2 / 3)
SETTINGS: dict[str, dict[str, Any]] = {
    "csc_v0": {"scenario": "tiny", "horizon_s": 300.0},  # ten steps
    "dasc_v0": {"scenario": "tiny", "horizon_s": 50.0},
    "preference_v0": {"scenario": "preference-tiny", "horizon_s": 300.0},
    "sensing_v0": {"num_participants": 4, "horizon_s": 10 * 86_400.0},
}


def market(copies: int = 2, **keywords: Any) -> CrowdVecEnv:
    keywords = {"prices": (25.0, 50.0, 75.0), "autoreset_mode": "SameStep", **keywords}
    return CrowdVecEnv(MarketVectorEnv(copies, **keywords))


def sold(*units: int) -> np.ndarray:
    return np.array(units, np.int64)


HOLD = sold(0, 0, 0, 0, 0, 0)


# ---- an episode by hand ----


def test_every_agent_of_every_copy_is_a_row() -> None:
    env = market()
    assert env.num_envs == 6
    assert env.observation_space == gymnasium.spaces.Box(0.0, 1.0, (3,), np.float32)
    assert env.action_space == gymnasium.spaces.Discrete(3)
    assert env.reset().tolist() == [[1.0, 0.0, 0.25], [1.0, 0.0, 0.5], [1.0, 0.0, 0.75]] * 2
    assert env.reset_infos == [{}] * 6


def test_a_step_plays_every_row() -> None:
    env = market()
    env.reset()
    observations, rewards, dones, infos = env.step(sold(1, 2, 0, 0, 0, 1))
    assert observations[:3].tolist() == [[TWO_THIRDS, THIRD, 0.25], [THIRD, THIRD, 0.5], [1.0, THIRD, 0.75]]
    assert observations[3:, 0].tolist() == [1.0, 1.0, TWO_THIRDS]
    assert rewards.tolist() == [25.0, 100.0, 0.0, 0.0, 0.0, 75.0]
    assert (rewards.dtype, dones.dtype) == (np.float32, np.bool_)
    assert dones.tolist() == [False] * 6
    assert infos == [{}] * 6


def test_at_the_end_the_last_observation_is_told_and_a_new_episode_begins() -> None:
    env = market()
    env.reset()
    env.step(sold(1, 2, 0, 0, 0, 1))
    env.step(sold(2, 2, 0, 0, 0, 0))  # row 1 has one unit left: an illegal action
    observations, rewards, dones, infos = env.step(sold(0, 1, 0, 0, 0, 0))
    assert dones.all()
    assert rewards.tolist() == [0.0, 50.0, 0.0, 0.0, 0.0, 0.0]
    assert observations.tolist() == [[1.0, 0.0, 0.25], [1.0, 0.0, 0.5], [1.0, 0.0, 0.75]] * 2
    last = [info["terminal_observation"].tolist() for info in infos]
    assert last[:3] == [[0.0, 1.0, 0.25], [0.0, 1.0, 0.5], [1.0, 1.0, 0.75]]
    assert last[3:] == [[1.0, 1.0, 0.25], [1.0, 1.0, 0.5], [TWO_THIRDS, 1.0, 0.75]]
    assert [info["TimeLimit.truncated"] for info in infos] == [True] * 6
    assert [info["metrics"]["revenue"] for info in infos] == [225.0] * 3 + [75.0] * 3  # 3 x 25 + 3 x 50; 1 x 75
    assert [info["metrics"]["illegal"] for info in infos] == [1] * 3 + [0] * 3
    assert infos[0]["metrics"]["units_sold"].tolist() == [3, 3, 0]
    assert env.step(HOLD)[3] == [{}] * 6


def test_masks_are_those_of_the_present() -> None:
    env = market()
    env.reset()
    assert env.action_masks().tolist() == [[True, True, True]] * 6
    env.step(sold(1, 2, 0, 0, 0, 1))
    masks = get_action_masks(env)
    assert masks.dtype == np.bool_
    assert masks.tolist() == [[True, True, True], [True, True, False], *[[True, True, True]] * 4]
    env.step(sold(2, 1, 0, 0, 0, 0))
    assert get_action_masks(env)[:2].tolist() == [[True, False, False]] * 2
    assert [mask.tolist() for mask in env.env_method("action_masks", indices=[1, 2])] == [
        [True, False, False],
        [True, True, True],
    ]
    assert env.env_method("action_masks", indices=0)[0].tolist() == [True, False, False]
    env.step(HOLD)  # the last step: masks are those of the episode that begins
    assert get_action_masks(env).all()


def test_what_all_agents_are_told_is_at_hand_as_arrays() -> None:
    env = market()
    env.reset()
    env.step(sold(1, 2, 0, 0, 0, 1))
    assert sorted(env.agent_arrays) == ["action_mask", "offer", "sold"]
    assert env.agent_arrays["sold"].tolist() == [1, 2, 0, 0, 0, 1]


@pytest.mark.parametrize("copy", [True, False])
def test_an_observation_stays_as_it_is(copy: bool) -> None:
    env = market(copy=copy)
    first = env.reset()
    first_before = first.copy()
    second = env.step(sold(1, 1, 1, 1, 1, 1))[0]
    second_before = second.copy()
    env.step(sold(1, 1, 1, 1, 1, 1))
    assert (first.tolist(), second.tolist()) == (first_before.tolist(), second_before.tolist())
    assert first.flags.writeable


# ---- seeds and options ----


def test_a_seed_fixes_every_copy_and_all_that_follows() -> None:
    env, again, other = (market(prices=None) for _ in range(3))
    assert env.seed(7) == [7, 7, 7, 8, 8, 8]
    again.seed(7)
    other.seed(9)
    for _ in range(3):  # whole episodes, those that begin of themselves too
        begun = env.reset()
        assert begun.tobytes() == again.reset().tobytes()
        assert begun.tobytes() != other.reset().tobytes()
        for _ in range(3):
            assert env.step(HOLD)[0].tobytes() == again.step(HOLD)[0].tobytes()


def test_copies_play_episodes_of_their_own_which_are_those_of_the_single_seeds() -> None:
    env, one = market(prices=None), market(1, prices=None)
    env.seed(7)
    begun = env.reset()
    assert begun[:3].tolist() != begun[3:].tolist()
    for copy in range(2):
        one.seed(7 + copy)
        assert one.reset().tolist() == begun[3 * copy : 3 * copy + 3].tolist()


def test_a_seed_counts_once() -> None:
    env = market(prices=None)
    env.seed(7)
    first = env.reset()
    assert env.reset().tolist() != first.tolist()


def test_without_a_seed_the_global_one_of_numpy_decides_as_everywhere_in_sb3() -> None:
    env, again = market(prices=None), market(prices=None)
    state = np.random.get_state()  # noqa: NPY002 - this is what SB3 does
    drawn = env.seed()
    np.random.set_state(state)  # noqa: NPY002
    assert again.seed() == drawn
    assert env.reset().tolist() == again.reset().tolist()


def test_options_reach_the_next_reset_and_no_other() -> None:
    env = market()
    env.set_options({"discount": 0.5})
    env.reset()
    assert env.step(sold(1, 1, 1, 1, 1, 1))[1].tolist() == [12.5, 25.0, 37.5] * 2
    env.reset()
    assert env.step(sold(1, 1, 1, 1, 1, 1))[1].tolist() == [25.0, 50.0, 75.0] * 2


def test_options_that_differ_between_rows_are_refused() -> None:
    env = market()
    env.set_options([{"discount": 0.5}, *[{}] * 5])
    with pytest.raises(ConfigError, match="options must be the same for all rows"):
        env.reset()


# ---- what SB3 asks besides ----


def test_attributes_are_those_of_the_vector_environment() -> None:
    env = market()
    env.reset()
    assert is_masking_supported(env)
    assert (env.has_attr("settings"), env.has_attr("render_mode"), env.has_attr("nonsense")) == (True, True, False)
    assert env.get_attr("batch_shape") == [(2, 3)] * 6
    assert env.get_attr("batch_shape", indices=[0, 4]) == [(2, 3)] * 2
    assert [method().tolist() for method in env.get_attr("action_masks", indices=1)] == [[True, True, True]]
    assert env.env_is_wrapped(Monitor) == [False] * 6
    assert env.env_is_wrapped(Monitor, indices=2) == [False]
    with pytest.raises(AttributeError, match="nonsense"):
        env.get_attr("nonsense")
    with pytest.raises(AttributeError, match="rows have no method 'nonsense', only 'action_masks'"):
        env.env_method("nonsense")
    with pytest.raises(AttributeError, match="'strict' cannot be set: rows share one environment"):
        env.set_attr("strict", True)
    env.close()


def test_the_wrappers_of_sb3_fit_around_it() -> None:
    env = VecCheckNan(VecFrameStack(VecNormalize(VecMonitor(market())), 2), raise_exception=True)
    env.seed(0)
    assert env.reset().shape == (6, 6)
    for _ in range(3):
        infos = env.step(sold(1, 1, 1, 1, 1, 1))[3]
    assert [info["episode"]["r"] for info in infos] == [75.0, 150.0, 225.0] * 2
    assert [info["episode"]["l"] for info in infos] == [3] * 6
    assert get_action_masks(env).all()


def test_calls_out_of_order_are_refused() -> None:
    env = market()
    with pytest.raises(RuntimeError, match="there are no masks yet: call reset first"):
        env.action_masks()
    env.reset()
    with pytest.raises(RuntimeError, match="step_wait was called without step_async"):
        env.step_wait()
    with pytest.raises(InvalidAction, match="from 0 to 2, got 3"):
        env.step(sold(0, 0, 0, 0, 0, 3))


def test_what_it_cannot_stand_on_is_refused() -> None:
    with pytest.raises(ConfigError, match="autoreset_mode must be 'SameStep' for Stable-Baselines3, got 'NextStep'"):
        market(autoreset_mode="NextStep")
    with pytest.raises(ConfigError, match=r"must be a vector environment of crowdgym\.envs"):
        CrowdVecEnv(gymnasium.make_vec("CartPole-v1", num_envs=1, vectorization_mode="sync"))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="there is no environment 'csc_v1'; did you mean 'csc_v0'"):
        make_vec_env("csc_v1")
    with pytest.raises(ConfigError, match="no keyword 'num_workerz'"):
        make_vec_env("csc_v0", num_workerz=1)


def test_without_sb3_one_sentence_names_the_extra() -> None:
    program = (
        "import sys; sys.modules['stable_baselines3'] = None\n"
        "try:\n    import crowdgym.integrations.sb3\n"
        "except ImportError as error:\n    print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == (
        "crowdgym.integrations.sb3 needs Stable-Baselines3, which is in the extra 'agents': "
        "pip install 'crowdgym[agents]'\n"
    )


# ---- the environments ----


@pytest.mark.parametrize("name", SETTINGS)
def test_rows_and_masks_are_those_of_the_parallel_environment(name: str) -> None:
    env = make_vec_env(name, num_envs=2, seed=5, **SETTINGS[name])
    singles = [make(name, **SETTINGS[name]) for _ in range(2)]
    rng = np.random.default_rng(0)
    observations = env.reset()
    seen, infos = zip(*(single.reset(seed=5 + copy) for copy, single in enumerate(singles)), strict=True)
    dones = np.zeros(env.num_envs, np.bool_)
    while not dones.any():
        assert observations.tobytes() == b"".join(row.tobytes() for part in seen for row in part.values())
        masks = [info["action_mask"].astype(bool).tolist() for part in infos for info in part.values()]
        assert get_action_masks(env).tolist() == masks
        actions = (rng.random(np.shape(masks)) * masks).argmax(axis=1)
        observations, rewards, dones, told = env.step(actions)
        joint = np.split(actions, 2)
        played = [
            one.step(dict(zip(one.agents, part.tolist(), strict=True)))
            for one, part in zip(singles, joint, strict=True)
        ]
        seen, earned, _, over, infos = zip(*played, strict=True)
        assert rewards.tolist() == [np.float32(reward) for part in earned for reward in part.values()]
        assert dones.tolist() == [end for part in over for end in part.values()]
    last = [row.tolist() for part in seen for row in part.values()]
    assert [info["terminal_observation"].tolist() for info in told] == last
    for row, info in enumerate(info for part in infos for info in part.values()):
        assert told[row]["metrics"].keys() == info["metrics"].keys()
        for metric, value in info["metrics"].items():
            assert np.array_equal(told[row]["metrics"][metric], value)


@pytest.mark.parametrize("name", SETTINGS)
def test_maskable_ppo_trains_on_it_and_takes_no_illegal_action(name: str) -> None:
    env = VecMonitor(make_vec_env(name, num_envs=2, strict=True, **SETTINGS[name]), info_keywords=("metrics",))
    model = MaskablePPO("MlpPolicy", env, n_steps=16, batch_size=64, n_epochs=1, seed=0, device="cpu")
    model.learn(2 * 16 * env.num_envs)
    assert model.num_timesteps == 2 * 16 * env.num_envs
    ended = list(model.ep_info_buffer or [])
    assert ended
    assert [episode["metrics"].get("illegal", 0) for episode in ended] == [0] * len(ended)


def test_ppo_trains_to_the_same_weights_twice() -> None:
    def weights() -> bytes:
        env = make_vec_env("csc_v0", num_envs=2, **SETTINGS["csc_v0"])
        model = PPO("MlpPolicy", env, n_steps=16, batch_size=64, n_epochs=1, seed=3, device="cpu").learn(500)
        return b"".join(value.numpy().tobytes() for value in model.policy.state_dict().values())

    assert weights() == weights()


def test_what_would_follow_an_end_by_time_is_bootstrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rollout ends with the episode: its last rewards are what was sold, plus half the value of the last state."""
    env = market(1)
    model = PPO("MlpPolicy", env, n_steps=3, batch_size=9, n_epochs=1, gamma=0.5, seed=0, device="cpu")
    _, callback = model._setup_learn(9)
    earned, infos = [], []
    play = env.step_wait

    def remembered() -> Any:
        result = play()
        earned.append(result[1].copy())
        infos.append(result[3])
        return result

    monkeypatch.setattr(env, "step_wait", remembered)
    model.collect_rollouts(env, callback, model.rollout_buffer, 3)
    last = np.stack([info["terminal_observation"] for info in infos[2]])
    values = model.policy.predict_values(model.policy.obs_to_tensor(last)[0]).detach().numpy()[:, 0]
    assert np.abs(values).min() > 1e-3
    assert model.rollout_buffer.rewards[:2].tolist() == [row.tolist() for row in earned[:2]]
    assert model.rollout_buffer.rewards[2] == pytest.approx(earned[2] + 0.5 * values, rel=1e-6)


def test_sb3s_own_evaluation_plays_it() -> None:
    env = VecMonitor(market())
    model = PPO("MlpPolicy", env, n_steps=3, batch_size=18, seed=0, device="cpu")
    mean, _ = evaluate_policy(model, env, n_eval_episodes=6)
    assert 0.0 <= mean <= 150.0
