"""The matching with prices, whose parameters `es` searches: its formula by hand, its memory, and where it begins."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from crowdgym.agents.preference.policies import ANSWER_WEIGHT, AnswersKmPolicy, KmPolicy
from crowdgym.agents.preference.priced_matching import PARAMETERS, PricedMatchingPolicy
from crowdgym.agents.row_policy import RowPolicy
from crowdgym.common.errors import ConfigError
from crowdgym.configs.preference import PreferenceSettings
from crowdgym.envs import preference_v0
from crowdgym.envs.preference.definition import RULES
from crowdgym.envs.preference.kernel.observation import Scales, observation_layout
from crowdgym.runner import run_episodes

SCENARIO = "preference-tiny"


def priced(**changed: float) -> PricedMatchingPolicy:
    policy, values = PricedMatchingPolicy(), PARAMETERS.start.copy()
    for name, value in changed.items():
        values[PARAMETERS.names.index(name)] = value
    policy.set_parameters(values)
    return policy


def played(policy: RowPolicy, episodes: int = 2) -> list[Any]:
    env = preference_v0.parallel_env(scenario=SCENARIO, strict=True)  # whatever is illegal raises
    return [one.metrics for one in run_episodes(env, policy, agent="", episodes=episodes, seed=10).episodes]


def test_it_begins_as_the_matching_that_learns_from_answers() -> None:
    assert played(priced()) == played(AnswersKmPolicy())
    assert played(priced(answers=0.0)) == played(KmPolicy())
    assert played(priced(answers=-1.0)) == played(KmPolicy())
    assert PARAMETERS.start[-1] == ANSWER_WEIGHT


def test_where_waiting_is_worth_most_nothing_is_offered() -> None:
    assert all(one["offered"] == 0 for one in played(priced(hold=1e6)))


def test_copies_of_a_vector_environment_are_played_as_one_alone() -> None:
    env, policy = preference_v0.vector_env(num_envs=2, scenario=SCENARIO), priced(hold=1.0, hold_last=-2.0, level=1.0)
    observations, infos = env.reset(seed=[10, 11])
    copies, agents = env.batch_shape
    policy.begin(copies, agents, observations.shape[1], env.metadata)
    truncated = np.zeros(2, bool)
    while not truncated.any():
        read = {name: infos[name].reshape(copies, agents, *infos[name].shape[1:]) for name in policy.reads}
        joint = policy.choose(observations.reshape(copies, agents, -1), read)
        observations, _, _, truncated, infos = env.step(joint.reshape(-1))
    assert infos["metrics"]["accepted"].tolist() == [one["accepted"] for one in played(policy)]


def test_parameters_are_finite_and_as_many_as_they_are() -> None:
    for wrong in (np.zeros(3), np.full(len(PARAMETERS.names), np.nan)):
        with pytest.raises(ConfigError, match=f"parameters must be {len(PARAMETERS.names)} finite numbers"):
            PricedMatchingPolicy().set_parameters(wrong)


# ---- one epoch by hand: speed 10 m/s, service 120 s, pause 300 s, 2 offers, horizon 5,400 s ----


@cache
def metadata() -> dict[str, Any]:
    """What an environment with these settings says of itself, without a city."""
    settings = PreferenceSettings.load(num_workers=2, num_centres=1, num_tasks=10, max_candidates=2)
    scales = Scales(0.0, 0.0, 5e3, settings.range_m, settings.horizon_s, 600.0, 1e-3, 1 / 600, settings.max_offers)
    return {
        "observation_layout": observation_layout(2).in_units(scales.units()).describe(),
        "rules": {name: getattr(settings, name) for name in RULES},
    }


class OneEpoch:
    """Rows with the columns of the environment, filled by hand: both workers idle, half of the episode over."""

    def __init__(self) -> None:
        self.rows = np.zeros((1, 2, observation_layout(2).width), np.float32)
        self.infos: dict[str, NDArray[Any]] = {
            "candidates": np.full((1, 2, 2), -1, np.int32),
            "outcome": np.zeros((1, 2), np.int8),
        }
        self.put("w_self", "idle", [1.0, 1.0])
        self.put("w_self", "elapsed", [2700.0, 2700.0])
        self.put("w_self", "share_0", [0.5, 0.25])
        self.put("w_self", "share_1", [0.5, 0.75])

    def put(self, part: str, feature: str, values: list[float], row: int = 0) -> None:
        """Write a feature of both workers, in its unit."""
        layout = metadata()["observation_layout"][part]
        column = layout["features"].index(feature)
        at = layout["start"] + row * len(layout["features"]) + column
        self.rows[0, :, at] = np.array(values) / layout["scales"][column]

    def task(self, slot: int, ids: list[int], category: int, **features: list[float]) -> None:
        """Give both workers a candidate."""
        self.infos["candidates"][0, :, slot] = ids
        for name, values in ({"present": [1.0, 1.0], f"category_{category}": [1.0, 1.0]} | features).items():
            self.put("T_candidates", name, values, slot)

    def choose(self, policy: PricedMatchingPolicy) -> list[int]:
        """The actions of the two workers."""
        return policy.choose(self.rows, self.infos)[0].tolist()

    def begin(self, policy: PricedMatchingPolicy) -> PricedMatchingPolicy:
        policy.begin(1, 2, self.rows.shape[2], metadata())
        return policy


def one_task() -> OneEpoch:
    """A task of category 0, 600 m from worker 0 and 900 m from worker 1; expires in 150 s."""
    epoch = OneEpoch()
    epoch.task(0, [3, 3], 0, distance=[600.0, 900.0], until_expiry=[150.0, 150.0], rivals=[10.0, 10.0])
    return epoch


def test_the_worth_of_waiting_decides_whether_a_task_is_offered() -> None:
    # worker 0: a = 0.95; worker 1: a = 0.05 + 0.9 / 3 = 0.35. V(2) = V(1) = 0.2 · 150/300 · hold = 0.1 hold
    # gain of worker 0: 0.95 + 0.05 V - V = 0.95 (1 - V), of worker 1: 0.35 - 0.65 V... both are above 0 below V = 1
    epoch = one_task()
    assert epoch.choose(epoch.begin(priced(hold=9.9))) == [1, 0]
    assert epoch.choose(epoch.begin(priced(hold=10.1))) == [0, 0]
    # rivals: log10(10) = 1, so it counts as much as hold
    assert epoch.choose(epoch.begin(priced(hold_rivals=10.1))) == [0, 0]


def test_after_a_decline_the_task_has_one_offer_left() -> None:
    # with one offer left nothing is worth after a decline: the gain of worker 1 is 0.35 - V(1), 0.1 hold_last = 0.4
    epoch = one_task()
    policy = epoch.begin(priced(hold_last=4.0))
    assert epoch.choose(policy) == [1, 0]
    epoch.infos["outcome"][0, 0] = 2  # worker 0 declines, and is paused
    epoch.infos["candidates"][0, 0] = -1
    assert epoch.choose(policy) == [0, 0]
    assert epoch.choose(epoch.begin(priced(hold_last=4.0))) == [0, 1]  # a new episode knows of no decline


def test_a_second_has_a_price() -> None:
    # λ = 5e-4 level. Worker 0: 0.95 (1 - 180 λ) - 0.05 · 300 λ = 0.95 - 186 λ, above 0 below λ = 0.0051075, level 10.2
    # worker 1 alone: 0.35 (1 - 210 λ) - 0.65 · 300 λ = 0.35 - 268.5 λ, above 0 below λ = 0.0013035, level 2.607
    epoch = one_task()
    assert epoch.choose(epoch.begin(priced(level=10.1))) == [1, 0]
    assert epoch.choose(epoch.begin(priced(level=10.3))) == [0, 0]
    epoch.infos["candidates"][0, 0] = -1
    assert epoch.choose(epoch.begin(priced(level=2.6))) == [0, 1]
    assert epoch.choose(epoch.begin(priced(level=2.61))) == [0, 0]
    # half of the episode is left, so time_left counts half; one task for two idle workers: log(1/2) < 0
    assert epoch.choose(epoch.begin(priced(time_left=5.2))) == [0, 1]
    assert epoch.choose(epoch.begin(priced(time_left=5.22))) == [0, 0]
    assert epoch.choose(epoch.begin(priced(scarcity=-2.6 / np.log(2.0)))) == [0, 1]
    assert epoch.choose(epoch.begin(priced(scarcity=-2.61 / np.log(2.0)))) == [0, 0]


def test_a_task_that_stays_open_for_long_is_worth_no_more_than_one_of_300_s() -> None:
    # V = 0.2 min(1, 600 / 300) hold = 0.2 hold, and the gain of worker 0 is 0.95 (1 - V)
    epoch = one_task()
    epoch.put("T_candidates", "until_expiry", [600.0, 600.0])
    assert epoch.choose(epoch.begin(priced(hold=4.9))) == [1, 0]
    assert epoch.choose(epoch.begin(priced(hold=5.1))) == [0, 0]


@pytest.mark.parametrize("rivals", [0.0, 1.0])
def test_no_rivals_count_as_one(rivals: float) -> None:
    epoch = one_task()
    epoch.put("T_candidates", "rivals", [rivals, rivals])
    assert epoch.choose(epoch.begin(priced(hold_rivals=1e6))) == [1, 0]  # log10(1) = 0


def test_the_price_of_time_left_falls_with_the_time_that_has_passed() -> None:
    # a quarter has passed: worker 1 alone gains 0.35 - 268.5 · 5e-4 · 0.75 time_left, above 0 below 3.476
    epoch = one_task()
    epoch.infos["candidates"][0, 0] = -1
    epoch.put("w_self", "elapsed", [1350.0, 1350.0])
    assert epoch.choose(epoch.begin(priced(time_left=3.47))) == [0, 1]
    assert epoch.choose(epoch.begin(priced(time_left=3.48))) == [0, 0]


def test_an_offer_may_lead_to_the_last_one() -> None:
    # with two left, a decline leaves V(1) = 0.1 hold_last: worker 1 alone gains 0.35 + 0.65 · 0.1 hold_last
    epoch = one_task()
    epoch.infos["candidates"][0, 0] = -1
    assert epoch.choose(epoch.begin(priced(hold_last=-5.38))) == [0, 1]
    assert epoch.choose(epoch.begin(priced(hold_last=-5.39))) == [0, 0]


def test_a_task_of_number_0_is_offered_like_any_other() -> None:
    epoch = one_task()
    epoch.infos["candidates"][0, :, 0] = 0
    assert epoch.choose(epoch.begin(priced())) == [1, 0]


def test_scarcity_counts_the_tasks_in_reach_and_the_idle_workers() -> None:
    # two tasks for one idle worker: 0.35 - 268.5 · 5e-4 · log(2) · scarcity, above 0 below 2.607 / log(2)
    epoch = one_task()
    epoch.task(1, [-1, 4], 0, distance=[0.0, 1000.0], until_expiry=[150.0, 150.0], rivals=[10.0, 10.0])
    epoch.infos["candidates"][0, 0, 0] = -1
    epoch.put("w_self", "idle", [0.0, 1.0])
    assert epoch.choose(epoch.begin(priced(scarcity=2.6 / np.log(2.0)))) == [0, 1]
    assert epoch.choose(epoch.begin(priced(scarcity=2.61 / np.log(2.0)))) == [0, 0]
    epoch.put("w_self", "idle", [1.0, 1.0])  # two for two: log(1) = 0
    assert epoch.choose(epoch.begin(priced(scarcity=-1e6))) == [0, 1]


def test_a_decline_counts_for_the_task_that_was_offered_in_whatever_slot() -> None:
    # as in slot 0: with one offer left the gain of worker 1 is 0.35 - V(1) = 0.35 - 0.4
    epoch = OneEpoch()
    epoch.task(1, [3, 3], 0, distance=[600.0, 900.0], until_expiry=[150.0, 150.0], rivals=[10.0, 10.0])
    policy = epoch.begin(priced(hold_last=4.0))
    assert epoch.choose(policy) == [2, 0]
    epoch.infos["outcome"][0, 0] = 2
    epoch.infos["candidates"][0, 0] = -1
    assert epoch.choose(policy) == [0, 0]


def test_where_nothing_was_offered_yet_nothing_was_declined() -> None:
    # with a decline of task 1 it would have one offer left, worth 0.99 if it waits, which is above 0.95
    epoch = one_task()
    epoch.infos["candidates"][0, :, 0] = 1
    epoch.infos["outcome"][0, 0] = 2
    assert epoch.choose(epoch.begin(priced(hold_last=9.9))) == [1, 0]


@pytest.mark.parametrize(("hold", "second"), [(3.4, [0, 1]), (3.6, [0, 0])])
def test_after_the_last_offer_a_task_is_worth_nothing(hold: float, second: list[int]) -> None:
    # V(1) = 0.1 hold and V(0) = 0: with one offer left worker 1 gains 0.35 - 0.1 hold
    epoch = one_task()
    policy = epoch.begin(priced(hold=hold))
    assert epoch.choose(policy) == [1, 0]
    epoch.infos["outcome"][0, 0] = 2
    epoch.infos["candidates"][0, 0] = -1
    assert epoch.choose(policy) == second
