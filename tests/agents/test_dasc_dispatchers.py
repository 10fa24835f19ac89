"""What each dispatcher of DASC chooses, worked out by hand. The world is that of `worlds.dasc_worlds`."""

from collections.abc import Callable
from typing import Any

import pytest
from worlds.dasc_worlds import Helper, Job, Part, World, a_world

from crowdgym.agents.dasc.critical_path import CriticalPath
from crowdgym.agents.dasc.greedy import DascGreedy
from crowdgym.agents.dasc.recommend_all import RecommendAll
from crowdgym.agents.dasc.rolling_horizon import RollingHorizon
from crowdgym.agents.dasc.task_schedule import TaskSchedule
from crowdgym.agents.information import information_of
from crowdgym.agents.policy import EpisodicPolicy, Policy
from crowdgym.envs import dasc_v0
from crowdgym.envs.api.parallel_env import BaseParallelEnv
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.dasc.definition import DascDefinition
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.envs.dasc.reward import REWARDS
from crowdgym.runner import episode_of, run_episodes

DISPATCHERS: tuple[Callable[[], Policy], ...] = (DascGreedy, RecommendAll, CriticalPath, RollingHorizon, TaskSchedule)


class Fixed:
    """A generator of one instance."""

    def __init__(self, instance: DascInstance) -> None:
        self._instance = instance

    def generate(self, seeds: InstanceSeeds) -> DascInstance:
        return self._instance


class Played:
    """A world in the hands of a dispatcher."""

    def __init__(self, world: World, policy: Policy) -> None:
        instance, settings = world.instance, world.settings
        parts = DascDefinition(settings, instance.network, Fixed(instance), REWARDS["sparse"])
        self.env: Any = BaseParallelEnv(parts, None)
        self._policy = policy
        self._observations, self._infos = self.env.reset(seed=0)
        if isinstance(policy, EpisodicPolicy):
            policy.reset(episode_of(self.env, 0, information_of(policy)))

    def chooses(self) -> list[int]:
        """Its joint action at the present epoch, which is then played."""
        actions = self._policy.act(self._observations, self._infos)
        self._observations, _, _, _, self._infos = self.env.step(actions)
        return [actions[agent] for agent in self.env.possible_agents]

    def chooses_at(self, time_s: float) -> list[int]:
        """The same at a later epoch; what comes before is played as it chooses."""
        for _ in range(round(time_s / self.env.settings.step_s)):
            self.chooses()
        return self.chooses()


def one(*parts: Part, **others: Any) -> Job:
    return Job(parts, **others)


# ---- greedy


def test_greedy_gives_a_contested_worker_to_the_earliest_latest_finish() -> None:
    """Both want w0 at 0; t1 may finish at 400 at the latest. At 5 s only t0 at 1 is left, and only w1 at 4."""
    world = a_world([Helper(0), Helper(4)], [one(Part(1), expected_s=500.0), one(Part(2), expected_s=400.0)])
    played = Played(world, DascGreedy())
    assert played.chooses() == [0, 1]
    assert played.chooses() == [1, 0]
    assert played.env.snapshot().subtask_worker.tolist() == [1, 0]


def test_greedy_dispatches_together_who_have_different_nearest_workers() -> None:
    world = a_world([Helper(0), Helper(4)], [one(Part(1)), one(Part(3))])
    assert Played(world, DascGreedy()).chooses() == [1, 1]


def test_greedy_goes_by_the_latest_finish_of_the_subtask_not_of_its_task() -> None:
    """t0 before a job of 500 s has to be finished by 500; t2, of another task, by 600."""
    jobs = [one(Part(1), Part(1, 500.0, after=(0,))), one(Part(1), expected_s=600.0)]
    assert Played(a_world([Helper(0)], jobs), DascGreedy()).chooses() == [1, 0, 0]


@pytest.mark.parametrize("make", [DascGreedy, CriticalPath, RollingHorizon, TaskSchedule])
def test_a_successor_waits_until_its_predecessor_has_a_worker(make: Callable[[], Policy]) -> None:
    world = a_world([Helper(1), Helper(2)], [one(Part(1), Part(2, after=(0,)))])
    played = Played(world, make())
    assert played.chooses() == [1, 0]
    assert played.chooses() == [0, 1]  # w1 is there already, and t0 is done at 20 s


def test_greedy_asks_for_the_first_candidate() -> None:
    """w1 at 2 is nearest to t0 at 3, w0 at 0 to t1 at 1 (w1 is as near, and comes later)."""
    world = a_world([Helper(0), Helper(2)], [one(Part(3)), one(Part(1))], action_mode="select")
    played = Played(world, DascGreedy())
    assert played.chooses() == [1, 1]
    assert played.env.snapshot().subtask_worker.tolist() == [1, 0]


# ---- recommend-all


@pytest.mark.parametrize("mode", ["recommend", "select"])
def test_recommend_all_asks_for_whatever_is_legal(mode: str) -> None:
    """t0, its successor t1, t3; not t2, which asks for a skill that no worker has."""
    jobs = [one(Part(1), Part(2, after=(0,))), one(Part(1, skills=(1,))), one(Part(3))]
    assert Played(a_world([Helper(0)], jobs, action_mode=mode), RecommendAll()).chooses() == [1, 1, 0, 1]


# ---- critical path


def test_critical_path_sends_no_worker_that_would_wait_at_the_subtask() -> None:
    """t0 at 1 is done from 0 to 200. w1 at 2 needs 10 s to t1, so it is sent when 40 s are left, not before."""
    world = a_world([Helper(1), Helper(2)], [one(Part(1, 200.0), Part(1, after=(0,)))])
    played = Played(world, CriticalPath())
    assert played.chooses() == [1, 0]
    assert played.chooses_at(150.0) == [0, 0]  # at 155
    assert [0, 1] in [played.chooses() for _ in range(2)]  # at 160 or, as 40 s are not exact in 32 bits, at 165


def test_critical_path_gives_a_contested_worker_to_the_least_slack() -> None:
    """From w0 at 0, t0 at 1 has 500 - 20 - 10 s of slack, t1 at 4 has 520 - 20 - 40 s; w1 cannot do them."""
    jobs = [one(Part(1), expected_s=500.0), one(Part(4), expected_s=520.0)]
    world = a_world([Helper(0), Helper(0, (1,))], jobs)
    assert Played(world, CriticalPath()).chooses() == [0, 1]


def test_critical_path_takes_the_next_candidate_where_the_first_is_taken() -> None:
    jobs = [one(Part(1), expected_s=500.0), one(Part(1), expected_s=400.0)]
    world = a_world([Helper(0), Helper(4)], jobs, action_mode="select")
    assert Played(world, CriticalPath()).chooses() == [2, 1]


@pytest.mark.parametrize(("expected_s", "action"), [(3000.0, 0), (235.0, 0), (225.0, 1)])
def test_critical_path_sends_a_distant_worker_only_when_slack_is_short(expected_s: float, action: int) -> None:
    """200 s away for 20 s of work: slack 225 - 20 - 200 = 5 s is less than half of the way to the end, 10 s."""
    job = one(Part(1), expected_s=expected_s, deadline_s=4000.0)
    world = a_world([Helper(0)], [job], roads=((0, 1, 2000),))
    assert Played(world, CriticalPath()).chooses() == [action]


@pytest.mark.parametrize("make", [CriticalPath, RollingHorizon, TaskSchedule])
@pytest.mark.parametrize(("deadline_s", "action"), [(29.0, 0), (31.0, 1)])
def test_no_worker_is_sent_to_a_task_that_cannot_be_paid(
    make: Callable[[], Policy], deadline_s: float, action: int
) -> None:
    """There at 10 s, done at 30 s."""
    world = a_world([Helper(0)], [one(Part(1), expected_s=20.0, deadline_s=deadline_s)])
    assert Played(world, make()).chooses() == [action]
    assert Played(world, DascGreedy()).chooses() == [1]


# ---- rolling horizon


def test_rolling_horizon_makes_the_best_of_all_pairs() -> None:
    """w0 at 1, w1 at 4. w0 is nearest to t0 at 2 and to t1 at 0: 200 m + 100 m beat 100 m + 400 m."""
    world = a_world([Helper(1), Helper(4)], [one(Part(2)), one(Part(0))], action_mode="select")
    assert Played(world, RollingHorizon()).chooses() == [2, 1]


def test_rolling_horizon_waits_for_a_nearer_worker_who_is_idle_soon() -> None:
    """w1 is at work at 0 until 30 s; t1 appears there at 10 s, 40 s from the idle w0 at 4."""
    jobs = [one(Part(0, 30.0)), one(Part(0), created_s=10.0)]
    played = Played(a_world([Helper(4), Helper(0)], jobs), RollingHorizon())
    assert played.chooses() == [1, 0]
    assert [played.chooses() for _ in range(5)] == [[0, 0]] * 5  # 5 to 25 s
    assert played.chooses() == [0, 1]
    assert played.env.snapshot().subtask_worker.tolist() == [1, 1]
    greedy = Played(a_world([Helper(4), Helper(0)], jobs), DascGreedy())
    assert greedy.chooses_at(10.0) == [0, 1]


def test_rolling_horizon_waits_no_longer_than_it_can_afford() -> None:
    """As before, but done by w0 from 50 to 70 s, by w1 from 80 to 100 s: that would be too late."""
    jobs = [one(Part(0, 80.0)), one(Part(0), created_s=10.0, expected_s=80.0, deadline_s=90.0)]
    played = Played(a_world([Helper(4), Helper(0)], jobs), RollingHorizon())
    assert played.chooses_at(10.0) == [0, 1]


def test_rolling_horizon_prefers_the_task_that_lacks_less() -> None:
    """One worker; both tasks pay 90, but t0 is half of its task and t2 all of it."""
    jobs = [one(Part(1), Part(1)), one(Part(1))]
    assert Played(a_world([Helper(0)], jobs), RollingHorizon()).chooses() == [0, 0, 1]


def test_rolling_horizon_looks_ahead_to_successors() -> None:
    """One worker, 90 a task. t0 could be done by 30 s, but its successor not before its deadline; t2 is paid."""
    doomed = one(Part(1), Part(1, 100.0, after=(0,)), expected_s=100.0, deadline_s=120.0, payment=900.0)
    assert Played(a_world([Helper(0)], [doomed, one(Part(1))]), RollingHorizon()).chooses() == [0, 0, 1]


# ---- task schedule


def test_task_schedule_spends_no_worker_on_a_task_that_it_cannot_finish() -> None:
    """One worker, until 100 s. Both parts of the first task take it 10 to 130 s; the second task is paid."""
    jobs = [one(Part(1, 60.0), Part(1, 60.0), payment=900.0, expected_s=90.0, deadline_s=100.0), one(Part(1))]
    assert Played(a_world([Helper(0)], jobs), TaskSchedule()).chooses() == [0, 0, 1]
    assert Played(a_world([Helper(0)], jobs), DascGreedy()).chooses() == [1, 0, 0]


def test_task_schedule_keeps_a_worker_for_a_successor() -> None:
    """Only w1 can do t1, when t0 is done at 60 s and by 100 s at the latest. t2 would take it 90 s."""
    chain = one(Part(1, 50.0), Part(2, 30.0, (0,), (1,)), expected_s=95.0, deadline_s=100.0, payment=900.0)
    jobs = [chain, one(Part(2, 90.0, (), (1,)))]
    played = Played(a_world([Helper(0), Helper(2, (1,))], jobs), TaskSchedule({"lead_s": 22.0}))
    assert played.chooses() == [1, 0, 0]
    assert [played.chooses() for _ in range(7)] == [[0, 0, 0]] * 7  # 5 to 35 s
    assert played.chooses() == [0, 1, 0]
    assert played.chooses_at(45.0) == [0, 0, 1]  # at 90 s


def test_task_schedule_waits_at_first_for_tasks_that_pay_more() -> None:
    """A second of a worker costs 3 at 0 s and nothing from 600 s on: 1.025 at 395 s, 1 at 400 s. 30 s are paid 30.3."""
    job = one(Part(1), expected_s=500.0, deadline_s=600.0, payment=30.3)
    played = Played(a_world([Helper(0)], [job]), TaskSchedule({"early_price": 3.0}))
    assert [played.chooses() for _ in range(80)] == [[0]] * 80  # 0 to 395 s
    assert played.chooses() == [1]


def test_task_schedule_takes_parameters_by_name_and_as_numbers() -> None:
    policy = TaskSchedule({"lead_s": 5.0})
    place = policy.parameters.names.index("lead_s")
    assert policy.values["lead_s"] == 5.0
    numbers = policy.parameters.start.copy()
    numbers[place] = -3.0
    policy.set_parameters(numbers)
    assert policy.values["lead_s"] == 0.0


# ---- all


@pytest.mark.parametrize("make", DISPATCHERS)
@pytest.mark.parametrize("mode", ["recommend", "select"])
@pytest.mark.parametrize("dependency", ["assigned", "finished"])
def test_only_legal_actions_and_twice_the_same(make: Callable[[], Policy], mode: Any, dependency: Any) -> None:
    env = dasc_v0.parallel_env(scenario="tiny", action_mode=mode, dependency=dependency, strict=True, step_s=20.0)
    policy = make()
    first, again = (run_episodes(env, policy, agent="it", episodes=2, seed=3) for _ in range(2))
    assert [episode.metrics for episode in first.episodes] == [episode.metrics for episode in again.episodes]
    for episode in first.episodes:
        assert episode.metrics["illegal"] == 0
        assert episode.metrics["completed"] > 0
        assert episode.metrics["invalid"] == 0 or make is RecommendAll


@pytest.mark.parametrize("make", [DascGreedy, CriticalPath, RollingHorizon])
def test_who_coordinates_never_loses_a_contest(make: Callable[[], Policy]) -> None:
    env = dasc_v0.parallel_env(scenario="tiny", action_mode="select", num_workers=6, step_s=20.0)
    result = run_episodes(env, make(), agent="it", episodes=2, seed=3)
    assert result.mean["unmatched"] == 0
    contested = run_episodes(env, RecommendAll(), agent="all", episodes=2, seed=3)
    assert contested.mean["unmatched"] > 0


@pytest.mark.parametrize("make", DISPATCHERS)
def test_an_episode_in_which_nothing_can_be_done(make: Callable[[], Policy]) -> None:
    assert Played(a_world([Helper(0)], [one(Part(1, skills=(1,)))]), make()).chooses() == [0]
