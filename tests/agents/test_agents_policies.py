"""The policies that come with CrowdGym, on infos written by hand.

Four workers, three candidates each; an action that is legal is marked with its number:

    worker  hold  1  2  3
    idle     0    1  2  3
    near     0    1  .  .
    gap      0    .  2  .     (no environment of ours does this; others may)
    busy     0    .  .  .
"""

import numpy as np
import pytest

from crowdgym.agents.any.hold import HoldPolicy
from crowdgym.agents.any.random_policy import RandomPolicy
from crowdgym.agents.csc.greedy import GreedyPolicy
from crowdgym.agents.policy import Episode, EpisodicPolicy, Policy

LEGAL = {"idle": (0, 1, 2, 3), "near": (0, 1), "gap": (0, 2), "busy": (0,)}
INFOS = {name: {"action_mask": np.isin(np.arange(4), legal).astype(np.int8)} for name, legal in LEGAL.items()}
OBSERVATIONS = {name: np.zeros(5, np.float32) for name in LEGAL}


def episode(seed: int) -> Episode:
    import gymnasium

    return Episode(
        seed=seed,
        agents=tuple(LEGAL),
        observation_space=gymnasium.spaces.Box(-1, 1, (5,)),
        action_space=gymnasium.spaces.Discrete(4),
        metadata={},
        state=lambda: np.zeros(1),
    )


def actions_of(policy: RandomPolicy, steps: int) -> list[dict[str, int]]:
    return [dict(policy.act(OBSERVATIONS, INFOS)) for _ in range(steps)]


def test_greedy_takes_the_first_candidate_where_it_is_legal_and_holds_otherwise() -> None:
    assert GreedyPolicy().act(OBSERVATIONS, INFOS) == {"idle": 1, "near": 1, "gap": 0, "busy": 0}


def test_hold_holds() -> None:
    assert HoldPolicy().act(OBSERVATIONS, INFOS) == {"idle": 0, "near": 0, "gap": 0, "busy": 0}


def test_random_draws_every_legal_action_equally_often_and_no_other() -> None:
    drawn = actions_of(RandomPolicy(seed=5), 2000)
    for name, legal in LEGAL.items():
        counts = np.bincount([actions[name] for actions in drawn], minlength=4)
        expected = np.isin(np.arange(4), legal) * 2000 / len(legal)
        assert counts[expected == 0].sum() == 0
        assert counts == pytest.approx(expected, abs=100)  # about five standard deviations


def test_random_agents_draw_independently_of_each_other() -> None:
    drawn = actions_of(RandomPolicy(seed=5), 2000)
    same = np.mean([(actions["near"] == 0) == (actions["gap"] == 0) for actions in drawn])
    assert same == pytest.approx(0.5, abs=0.06)


def test_random_draws_the_same_with_the_same_seed_and_others_with_another() -> None:
    first = actions_of(RandomPolicy(seed=1), 20)
    assert actions_of(RandomPolicy(seed=1), 20) == first
    assert actions_of(RandomPolicy(seed=2), 20) != first


def test_random_begins_anew_with_every_episode() -> None:
    policy = RandomPolicy(seed=3)
    actions_of(policy, 7)
    policy.reset(episode(seed=11))
    first = actions_of(policy, 20)
    policy.reset(episode(seed=12))
    assert actions_of(policy, 20) != first
    policy.reset(episode(seed=11))
    assert actions_of(policy, 20) == first


def test_random_leaves_the_global_random_state_alone() -> None:
    before = repr(np.random.get_state())  # noqa: NPY002
    actions_of(RandomPolicy(), 3)
    assert repr(np.random.get_state()) == before  # noqa: NPY002


@pytest.mark.parametrize("policy", [GreedyPolicy(), HoldPolicy(), RandomPolicy()])
def test_actions_are_python_numbers_in_the_order_of_the_agents(policy: Policy) -> None:
    actions = policy.act(OBSERVATIONS, INFOS)
    assert list(actions) == list(LEGAL)
    assert {type(action) for action in actions.values()} == {int}


@pytest.mark.parametrize("policy", [GreedyPolicy(), HoldPolicy(), RandomPolicy()])
def test_without_agents_there_are_no_actions(policy: Policy) -> None:
    assert policy.act({}, {}) == {}


def test_anything_with_act_is_a_policy_and_reset_is_optional() -> None:
    class Mine:
        def act(self, observations, infos):  # type: ignore[no-untyped-def]
            return {}

    assert isinstance(Mine(), Policy)
    assert not isinstance(Mine(), EpisodicPolicy)
    assert not isinstance(object(), Policy)
    assert isinstance(RandomPolicy(), EpisodicPolicy)
    assert not isinstance(GreedyPolicy(), EpisodicPolicy)
