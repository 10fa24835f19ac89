"""The interfaces, on an environment of thirty lines (`toy_market`): a new environment brings none of its own."""

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env as gymnasium_check_env
from pettingzoo.test import parallel_api_test
from worlds.toy_market import (
    STEPS,
    MarketDefinition,
    MarketDispatcherEnv,
    MarketEnv,
    MarketSettings,
    MarketVectorEnv,
    MarketViewer,
)

from crowdgym.common.errors import ConfigError
from crowdgym.envs.api.actions import joint_action
from crowdgym.envs.api.vector_env import BaseVectorEnv
from crowdgym.testing import check_env

PRICES = (25.0, 50.0, 75.0)
HOLD = {"seller_0": 0, "seller_1": 0, "seller_2": 0}


def sell(*units: int) -> dict[str, int]:
    return {f"seller_{i}": number for i, number in enumerate(units)}


def lists(by_agent: dict[str, Any]) -> list[Any]:
    return [value.tolist() for value in by_agent.values()]


def test_pettingzoo_gymnasium_and_our_own_kit_find_nothing_wrong() -> None:
    parallel_api_test(MarketEnv(), num_cycles=20)
    check_env(MarketEnv, vector_factory=MarketVectorEnv)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it has never been made by gymnasium.make
        gymnasium_check_env(MarketDispatcherEnv(render_mode="rgb_array"), skip_render_check=True)


def test_without_candidates_an_action_asks_for_its_own_number_and_a_masked_one_for_nothing() -> None:
    env = MarketEnv(prices=PRICES)
    env.reset(seed=0)
    env.step(sell(2, 1, 0))  # of 3 units each

    assert env.chosen(sell(2, 2, 2)).tolist() == [-1, 2, 2]
    assert env.chosen(sell(1, 0, 1)).tolist() == [1, 0, 1]


def test_an_episode_by_hand() -> None:
    env = MarketEnv(prices=PRICES)
    observations, infos = env.reset(seed=0)
    assert env.possible_agents == env.agents == ["seller_0", "seller_1", "seller_2"]
    assert lists(observations) == [[1.0, 0.0, 0.25], [1.0, 0.0, 0.5], [1.0, 0.0, 0.75]]

    observations, rewards, terminations, truncations, infos = env.step(sell(1, 2, 0))
    third, two_thirds = np.float32(1 / 3), np.float32(2 / 3)
    assert lists(observations) == [[two_thirds, third, 0.25], [third, third, 0.5], [1.0, third, 0.75]]
    assert rewards == {"seller_0": 25.0, "seller_1": 100.0, "seller_2": 0.0}
    assert terminations == truncations == dict.fromkeys(HOLD, False)
    assert [info["action_mask"].tolist() for info in infos.values()] == [[1, 1, 1], [1, 1, 0], [1, 1, 1]]
    assert env.state().tolist() == [two_thirds, third, 1.0]
    assert env.snapshot()["left"].tolist() == [2, 1, 3]

    _, rewards, *_ = env.step(sell(2, 2, 1))  # seller_1 has only one left
    assert rewards == {"seller_0": 50.0, "seller_1": 0.0, "seller_2": 75.0}

    _, rewards, terminations, truncations, infos = env.step(HOLD)
    assert (terminations, truncations) == (dict.fromkeys(HOLD, False), dict.fromkeys(HOLD, True))
    assert env.agents == []
    metrics = infos["seller_1"]["metrics"]
    assert (metrics["revenue"], metrics["illegal"]) == (250.0, 1)
    assert metrics["units_sold"].tolist() == env.metrics.units_sold.tolist() == [3, 2, 1]


def test_infos_hold_a_row_of_every_array_and_a_plain_number_of_every_column() -> None:
    env = MarketEnv(prices=PRICES)
    env.reset(seed=0, options={"discount": 0.5})
    info = env.step(sell(1, 2, 0))[4]["seller_1"]
    assert list(info) == ["action_mask", "sold", "offer"]
    assert (info["sold"], type(info["sold"])) == (2, int)
    assert info["offer"].tolist() == [50.0, 0.5]


def test_returned_arrays_never_change_and_are_not_shared() -> None:
    env = MarketEnv(prices=PRICES)
    first = env.reset(seed=0)
    kept = copy.deepcopy(first)
    steps = [env.step(sell(1, 1, 1)) for _ in range(3)]
    for mine, before in zip(first, kept, strict=True):
        assert str(mine) == str(before)
    steps[0][2].clear()
    steps[0][3]["seller_0"] = True
    steps[2][4]["seller_0"]["metrics"]["units_sold"][:] = 9
    assert steps[2][4]["seller_1"]["metrics"]["units_sold"].tolist() == [3, 3, 3]
    env.reset(seed=0)
    assert env.step(HOLD)[2:4] == (dict.fromkeys(HOLD, False), dict.fromkeys(HOLD, False))


@pytest.mark.parametrize("make", [MarketEnv, MarketVectorEnv])
def test_options_of_its_own(make: Any) -> None:
    env = make(prices=PRICES)
    earned = []
    for options in ({"discount": 0.5}, {"discount": None}, None):
        env.reset(seed=0, options=options)
        rewards = env.step(sell(1, 1, 1) if make is MarketEnv else np.array([1, 1, 1]))[1]
        earned.append(list(rewards.values()) if isinstance(rewards, dict) else rewards.tolist())
    assert earned == [[12.5, 25.0, 37.5], [25.0, 50.0, 75.0], [25.0, 50.0, 75.0]]


def test_options_that_cannot_be_are_named_and_nothing_has_happened() -> None:
    env = MarketEnv()
    env.reset(seed=3)
    env.step(sell(1, 0, 0))
    before = env.state().tolist()
    with pytest.raises(ConfigError, match=r"no option 'discuont' \(known: 'instance', 'discount'\)"):
        env.reset(options={"discuont": 0.5})
    with pytest.raises(ConfigError, match=r"the option 'discount' must be a number above 0, at most 1, got 7\.0"):
        env.reset(seed=4, options={"discount": 7.0})
    assert env.state().tolist() == before
    env.reset()
    following = MarketEnv()
    following.reset(seed=3)
    following.reset()
    assert env.instance.tolist() == following.instance.tolist()
    with pytest.raises(ConfigError, match=r"\(known: 'instance', 'discount', 'reset_mask'\)"):
        MarketVectorEnv(2).reset(options={"mask": 1})


def test_the_metadata_of_the_parts_are_those_of_every_face() -> None:
    parallel, vector = MarketEnv(), MarketVectorEnv(2)
    for interface in (parallel, vector):
        assert (interface.metadata["name"], interface.metadata["currency"]) == ("market_v0", "shells")
        assert interface.settings.strict is False
    assert parallel.is_reproducible


def test_strict_names_the_agent_by_the_name_it_has() -> None:
    env, vector = MarketEnv(strict=True, prices=PRICES), MarketVectorEnv(2, strict=True, prices=PRICES)
    env.reset(seed=0)
    env.step(sell(0, 0, 2))
    with pytest.raises(InvalidAction, match="seller_2 may not take action 2 now; legal: 0, 1"):
        env.step(sell(0, 0, 2))
    vector.reset(seed=0)
    vector.step(np.array([[0, 0, 0], [0, 2, 0]]))
    with pytest.raises(InvalidAction, match="seller_1 of copy 1 may not take action 2 now; legal: 0, 1"):
        vector.step(np.array([[2, 2, 2], [0, 2, 0]]))
    with pytest.raises(InvalidAction, match="the action of seller_2 in copy 0 must be from 0 to 2, got 3"):
        vector.step(np.array([[0, 0, 3], [0, 0, 0]]))


def test_strict_does_not_look_at_the_actions_of_a_copy_that_begins_anew() -> None:
    vector = MarketVectorEnv(2, strict=True, prices=PRICES)
    vector.reset(seed=0)
    for sold in (2, 1, 0):
        truncated = vector.step(np.array([[sold, 0, 0], [0, sold, 0]]))[3]
    assert truncated.all()
    vector.step(np.array([[2, 2, 2], [2, 2, 2]]))  # sellers 0 and 1 have nothing left; this step begins an episode
    vector.step(np.array([[2, 2, 2], [2, 2, 2]]))
    with pytest.raises(InvalidAction, match="seller_0 of copy 0 may not take action 2 now; legal: 0, 1"):
        vector.step(np.array([[2, 2, 2], [2, 2, 2]]))


def test_a_picture_is_the_viewers_and_close_is_too() -> None:
    env = MarketEnv(render_mode="rgb_array")
    with pytest.raises(ResetNeeded, match="no snapshot yet"):
        env.render()
    env.reset(seed=0)
    env.step(sell(1, 2, 0))
    frame = env.render()
    assert frame is not None
    assert frame.ravel().tolist() == [6] * 12
    closed = MarketViewer.closed
    env.close()
    env.close()
    assert MarketViewer.closed == closed + 1


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])  # noqa: S301
def test_a_copy_goes_its_own_way(copied: Any) -> None:
    env = MarketEnv(prices=PRICES)
    env.reset(seed=0)
    other = copied(env)
    other.step(sell(2, 2, 2))
    assert env.state().tolist() == [1.0, 1.0, 1.0]
    assert env.step(sell(0, 0, 1))[1] == {"seller_0": 0.0, "seller_1": 0.0, "seller_2": 75.0}


@pytest.mark.parametrize("num_threads", [1, 2])
def test_rows_are_copy_by_copy(num_threads: int) -> None:
    vector = MarketVectorEnv(2, num_threads=num_threads, prices=PRICES)
    _, infos = vector.reset(seed=0)
    assert (vector.batch_shape, vector.num_envs) == ((2, 3), 6)
    assert {name: rows.shape for name, rows in infos.items()} == {"action_mask": (6, 3), "sold": (6,), "offer": (6, 2)}
    _, rewards, _, _, infos = vector.step(np.array([0, 1, 2, 1, 0, 0]))
    assert rewards.tolist() == [0.0, 50.0, 150.0, 25.0, 0.0, 0.0]
    assert infos["sold"].tolist() == [0, 1, 2, 1, 0, 0]
    vector.close()


def play_to_the_end(mode: str) -> tuple[MarketVectorEnv, Any]:
    """Two copies; copy 1 has been reset after a step, so that copy 0 ends alone, with one unit of each sold."""
    vector = MarketVectorEnv(2, autoreset_mode=mode, prices=PRICES)
    vector.reset(seed=0, options={"discount": 0.5})
    vector.step(np.array([1, 1, 1, 2, 2, 2]))
    vector.reset(options={"reset_mask": np.array([False, True])})
    vector.step(np.zeros(6, np.int64))
    return vector, vector.step(np.array([0, 0, 1, 1, 0, 0]))


TIMES = slice(None, None, 3), 1  # of the first seller of each copy, a third a step


def test_next_step() -> None:
    vector, (observations, rewards, _, truncations, infos) = play_to_the_end("NextStep")
    assert truncations.tolist() == [True] * 3 + [False] * 3
    assert rewards.tolist() == [0.0, 0.0, 37.5, 25.0, 0.0, 0.0]  # the discount is copy 0's, whose episode it began
    assert observations[TIMES].tolist() == [1.0, np.float32(2 / 3)]
    assert infos["_metrics"].tolist() == [True, False]
    assert infos["metrics"]["revenue"].tolist() == [112.5, 25.0]
    assert infos["metrics"]["units_sold"].tolist() == [[1, 1, 2], [1, 0, 0]]
    observations, rewards, _, truncations, infos = vector.step(np.full(6, 1))
    assert observations[TIMES].tolist() == [0.0, 1.0]
    assert rewards.tolist() == [0.0, 0.0, 0.0, 25.0, 50.0, 75.0]
    assert truncations.tolist() == [False] * 3 + [True] * 3
    assert infos["offer"][0].tolist() == [25.0, 1.0]
    assert "final_obs" not in infos


def test_same_step() -> None:
    vector, (observations, rewards, _, truncations, infos) = play_to_the_end("SameStep")
    assert truncations.tolist() == infos["_final_obs"].tolist() == infos["_final_info"].tolist()
    assert truncations.tolist() == [True] * 3 + [False] * 3
    assert rewards.tolist() == [0.0, 0.0, 37.5, 25.0, 0.0, 0.0]
    assert observations[TIMES].tolist() == [0.0, np.float32(2 / 3)]
    assert infos["final_obs"][:3].tolist() == [
        [np.float32(2 / 3), 1.0, 0.25],
        [np.float32(2 / 3), 1.0, 0.5],
        [np.float32(1 / 3), 1.0, 0.75],
    ]
    assert infos["final_info"]["sold"][:3].tolist() == [0, 0, 1]
    assert infos["sold"].tolist() == [0, 0, 0, 1, 0, 0]
    assert infos["metrics"]["units_sold"][0].tolist() == [1, 1, 2]
    assert vector.step(np.full(6, 1))[1].tolist() == [25.0, 50.0, 75.0] * 2


def test_disabled() -> None:
    vector, (observations, _, _, truncations, infos) = play_to_the_end("Disabled")
    assert truncations.tolist() == [True] * 3 + [False] * 3
    assert observations[TIMES].tolist() == [1.0, np.float32(2 / 3)]
    assert infos["_metrics"].tolist() == [True, False]
    with pytest.raises(ResetNeeded, match="the episode of copy 0 is over"):
        vector.step(np.zeros(6, np.int64))
    vector.reset(options={"reset_mask": np.array([True, False]), "discount": 0.2})
    assert vector.step(np.full(6, 1))[1].tolist() == [5.0, 10.0, 15.0, 25.0, 50.0, 75.0]


def test_views_are_overwritten_and_copies_are_not() -> None:
    viewing, copying = MarketVectorEnv(1, copy=False, prices=PRICES), MarketVectorEnv(1, prices=PRICES)
    views, copies = viewing.reset(seed=0), copying.reset(seed=0)
    for vector in (viewing, copying):
        vector.step(np.array([1, 1, 1]))
    assert (views[0][0, 0], views[1]["sold"][0]) == (np.float32(2 / 3), 1)
    assert (copies[0][0, 0], copies[1]["sold"][0]) == (1.0, 0)


class FarDefinition(MarketDefinition):
    """A definition whose simulation keeps its arrays elsewhere: what it hands out is marked."""

    def handed_out(self, array: Any, copy: bool) -> Any:
        return np.asarray(super().handed_out(array, copy), np.float64) + 1000.0

    def legal(self, simulation: Any, actions: Any) -> Any:
        return actions == 0


def test_arrays_of_the_simulation_are_read_by_two_methods_of_the_definition_alone() -> None:
    vector = BaseVectorEnv(FarDefinition(MarketSettings(strict=True), PRICES), 1, 1, True, "SameStep")
    handed_out = [*vector.reset(seed=0)]
    with pytest.raises(InvalidAction, match="seller_0 of copy 0 may not take action 1 now"):
        vector.step(np.array([1, 0, 0]))
    for _ in range(STEPS):
        observations, _, _, _, infos = vector.step(np.zeros(3, np.int64))
        handed_out += [observations, infos]
    assert {"final_obs", "final_info"} <= set(infos)
    arrays = [each for each in handed_out if isinstance(each, np.ndarray)]
    for info in (*(each for each in handed_out if isinstance(each, dict)), infos["final_info"]):
        arrays += [info[name] for name in ("action_mask", "sold", "offer")]
    assert len(arrays) == 1 + STEPS + 3 * (1 + STEPS + 1)
    assert all((array >= 1000.0).all() for array in (*arrays, infos["final_obs"]))


def test_the_dispatcher_sees_all_and_earns_the_sum() -> None:
    env = MarketDispatcherEnv(prices=PRICES)
    seen, info = env.reset(seed=0)
    assert seen.shape == env.observation_space.shape == (3, 3)
    assert {name: rows.shape for name, rows in info.items()} == {"action_mask": (3, 3), "sold": (3,), "offer": (3, 2)}
    for over in (False, False, True):
        _, reward, terminated, truncated, info = env.step(np.array([1, 0, 1]))
        assert (reward, terminated, truncated) == (100.0, False, over)
    assert info["sold"].tolist() == [1, 0, 1]
    assert info["metrics"]["revenue"] == 300.0


@pytest.mark.parametrize("one", [1, np.int8(1), np.uint64(1), np.array(1), True, np.True_, np.array(True)])
@pytest.mark.parametrize("others", [0, np.int64(0), np.False_])
def test_integers_and_truth_values_of_every_kind_are_actions(one: Any, others: Any) -> None:
    agents = ["a", "b", "c"]
    joint = joint_action({"c": others, "b": one, "a": others}, agents, MarketEnv().action_space("seller_0"))
    assert (joint.tolist(), joint.dtype, joint.flags.writeable) == ([0, 1, 0], np.int64, True)
    assert joint_action({"a": one}, ["a"], MarketEnv().action_space("seller_0")).tolist() == [1]


@pytest.mark.parametrize("value", [3, -1, 2**63, 2**64, -(2**70), 1.0, np.float32(1), "1", None, [1], np.array([1])])
def test_anything_else_is_named_with_its_agent(value: Any) -> None:
    space = MarketEnv().action_space("seller_0")
    with pytest.raises(InvalidAction, match="the action of b must be a whole number from 0 to 2, got "):
        joint_action({"a": 0, "b": value}, ["a", "b"], space)
    for no_dict in (None, [0, 1], np.array([0, 1])):
        with pytest.raises(InvalidAction, match="actions must be a dict from agent to action, got "):
            joint_action(no_dict, ["a", "b"], space)  # type: ignore[arg-type]


class Hostile:
    """An object of a policy that others wrote."""

    def raises(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("nothing\nof yours")

    __index__ = __int__ = __repr__ = __str__ = __getitem__ = __len__ = __iter__ = __eq__ = __hash__ = raises  # type: ignore[assignment]


class HostileDict(dict[str, int]):
    __getitem__ = __len__ = __iter__ = Hostile.raises  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ({"a": 0, "b": Hostile()}, "the action of b must be a whole number from 0 to 2, got <Hostile instance at"),
        (Hostile(), "actions must be a dict from agent to action, got Hostile"),
        (HostileDict(a=0, b=0), "actions must be a dict from agent to action, got HostileDict"),
        ({"a": 0, "b": 0, 10**5000: 0}, "is not an agent; agents are a to b"),
    ],
)
def test_whatever_objects_of_others_raise_is_an_invalid_action_in_one_line(actions: Any, message: str) -> None:
    with pytest.raises(InvalidAction, match=message) as raised:
        joint_action(actions, ["a", "b"], MarketEnv().action_space("seller_0"))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("options", [[1], 5, "instance", (1, 2), {1, 2}, np.array([1, 2]), np.array(["a"]), type])
def test_options_that_are_no_dict_are_one_sentence(options: Any) -> None:
    for env in (MarketEnv(), MarketVectorEnv(2), MarketDispatcherEnv()):
        with pytest.raises(ConfigError, match=r"^the options of reset must be a dict from name to value, got .*$"):
            env.reset(options=options)


@pytest.mark.parametrize(
    "seed", [1.5, float("nan"), "12", b"12", [1], [1, 2, 3], {1, 2}, {}, type, object(), -1, [-1, 0]]
)
def test_a_seed_that_is_none_is_one_sentence(seed: Any) -> None:
    with pytest.raises(ConfigError, match=r"^seed must be a whole number.*got .*$"):
        MarketVectorEnv(2).reset(seed=seed)
    if not isinstance(seed, list):
        with pytest.raises(ConfigError, match=r"^seed must be a whole number from 0 on, got .*$"):
            MarketEnv().reset(seed=seed)


def test_seeds_of_every_kind_of_list_are_taken() -> None:
    for seeds in ([3, 4], (3, 4), np.array([3, 4]), range(3, 5)):
        first = MarketVectorEnv(2).reset(seed=seeds)[0]
        np.testing.assert_array_equal(first, MarketVectorEnv(2).reset(seed=3)[0])


@pytest.mark.parametrize("make", [MarketEnv, MarketVectorEnv, MarketDispatcherEnv])
def test_a_closed_environment_plays_no_more(make: Any) -> None:
    env = make()
    env.reset(seed=0)
    env.close()
    env.close()
    with pytest.raises(
        ClosedEnvironmentError, match="reset was called, but the environment is closed: make another one"
    ):
        env.reset(seed=0)
    with pytest.raises(
        ClosedEnvironmentError, match="step was called, but the environment is closed: make another one"
    ):
        env.step(dict.fromkeys(env.agents, 0) if isinstance(env, MarketEnv) else np.zeros(3, np.int64))


def test_more_copies_than_any_memory_holds_are_refused_with_the_number() -> None:
    with pytest.raises(ConfigError, match=r"1,000,000,000 copies of 3 agents that see 3 numbers each need 34 GiB "):
        MarketVectorEnv(10**9)
    with pytest.raises(ConfigError, match="num_threads must be at most 1024, got 1000000000"):
        MarketVectorEnv(1, num_threads=10**9)
