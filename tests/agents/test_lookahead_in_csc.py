"""The planner that looks ahead, in the environment: what it reads of those soon idle, and that it is legal."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest

import crowdgym
from crowdgym.agents.csc.epoch_game import game_without_players, open_tasks, read_crews, when_and_where_idle
from crowdgym.agents.csc.epoch_reader import Columns, Crowd, empty_memory, note_epoch, read_crowd, with_room
from crowdgym.agents.csc.lookahead import PARAMETERS, LookaheadPolicy
from crowdgym.agents.csc.priced_coalitions import commit, empty_coalitions
from crowdgym.common.errors import ConfigError
from crowdgym.policies import load_policy
from crowdgym.registration import environment_spec
from crowdgym.runner import EpisodeResult, run_episodes

STEP_S = 30.0  # an epoch of the scenarios below


def played(agent: str, scenario: str, episodes: int, seed: int) -> tuple[EpisodeResult, ...]:
    env = crowdgym.make("csc_v0", scenario=scenario, strict=True)  # whatever is illegal raises
    return run_episodes(env, load_policy(agent, "csc_v0"), agent=agent, episodes=episodes, seed=seed).episodes


@pytest.mark.parametrize("scenario", ["tiny", "haikou-synth"])
def test_it_does_nothing_illegal_and_earns_more_than_pau(scenario: str) -> None:
    ours, pau = played("lookahead", scenario, 3, 100), played("pau", scenario, 3, 100)
    assert sum(one.metrics["revenue"] for one in ours) > sum(one.metrics["revenue"] for one in pau)


def test_the_same_instance_gives_the_same_episode() -> None:
    (again,) = played("lookahead", "tiny", 1, 101)  # not after another episode
    assert again.metrics == played("lookahead", "tiny", 2, 100)[1].metrics


def vector_env(scenario: str, copies: int) -> Any:
    return environment_spec("csc_v0").interface("vector_env")(num_envs=copies, scenario=scenario)


def test_copies_of_a_vector_environment_are_played_as_one_alone() -> None:
    env, policy = vector_env("tiny", 2), LookaheadPolicy()
    observations, infos = env.reset(seed=[100, 101])
    copies, agents = env.batch_shape
    policy.begin(copies, agents, observations.shape[1], env.metadata)
    truncated = np.zeros(2, bool)
    while not truncated.any():
        read = {"candidates": infos["candidates"].reshape(copies, agents, -1)}
        joint = policy.choose(observations.reshape(copies, agents, -1), read)
        observations, _, _, truncated, infos = env.step(joint.reshape(-1))
    alone = [episode.metrics["revenue"] for episode in played("lookahead", "tiny", 2, 100)]
    assert infos["metrics"]["revenue"].tolist() == alone


def test_a_horizon_of_nothing_and_a_high_price_change_what_it_does() -> None:
    def revenue(**changed: float) -> float:
        policy, values = LookaheadPolicy(), PARAMETERS.start.copy()
        for name, value in changed.items():
            values[PARAMETERS.names.index(name)] = value
        policy.set_parameters(values)
        env = crowdgym.make("csc_v0", scenario="tiny")
        return run_episodes(env, policy, agent="", episodes=1, seed=100).episodes[0].metrics["revenue"]

    usual = revenue()
    assert revenue(level=PARAMETERS.start[0]) == usual
    assert revenue(horizon=-20.0) != usual
    assert revenue(level=20.0) < 0.5 * usual  # a second costs more than it can earn


def test_parameters_are_finite_and_as_many_as_they_are() -> None:
    for wrong in (np.zeros(3), np.full(len(PARAMETERS.names), np.nan)):
        with pytest.raises(ConfigError, match=f"parameters must be {len(PARAMETERS.names)} finite numbers"):
            LookaheadPolicy().set_parameters(wrong)


@dataclass
class Said:
    """What was said of busy workers whose task no other worker joined at that epoch, and what is so at the next.

    ``present``: those at the task when it ends: by how many seconds that is before the next epoch, whether the worker
    is idle then, and how far it is from where it was said to be.
    """

    present: list[tuple[float, bool, float]] = field(default_factory=list)
    road_m: list[tuple[float, float]] = field(default_factory=list)  # to candidates, as estimated and as it is


@cache
def said() -> Said:
    """An episode, in which a second memory is kept and asked at every epoch."""
    env, policy, found = vector_env("haikou-synth", 1), LookaheadPolicy(), Said()
    rows, infos = env.reset(seed=[100])
    agents = env.batch_shape[1]
    policy.begin(1, agents, rows.shape[1], env.metadata)
    columns = Columns.of(env.metadata, rows.shape[1])
    memory = empty_memory(agents, 1, columns.num_skills)
    truncated = np.zeros(1, bool)
    while not truncated.any():
        candidates = infos["candidates"].astype(np.int64)
        memory = with_room(memory, int(candidates.max()) + 1)
        crowd = read_crowd(columns, rows)
        tasks = open_tasks(columns, memory, note_epoch(columns, memory, crowd, rows, candidates))
        crews = read_crews(memory, crowd, tasks)
        coalitions = empty_coalitions(len(tasks.ids), agents + 1)
        commit(game_without_players(tasks, 1), coalitions, crews.task, crews.arrival_s, np.zeros(len(crews.worker)))
        ready_s, x_m, y_m = when_and_where_idle(memory, crowd, tasks, crews, coalitions)
        for worker in np.flatnonzero(crowd.idle & (candidates[:, 0] >= 0)).tolist():
            task = candidates[worker, 0]
            straight_m = np.hypot(crowd.x_m[worker] - memory.x_m[task], crowd.y_m[worker] - memory.y_m[task])
            road_m = rows[worker, columns.candidates + columns.distance] * columns.reach_m
            found.road_m.append((straight_m * memory.lengths[1] / memory.lengths[0], road_m))
        joint = policy.choose(rows[np.newaxis], {"candidates": candidates[np.newaxis]})[0]
        sent = np.flatnonzero(joint)
        memory.sent_to[sent] = candidates[sent, joint[sent] - 1]
        rows, _, _, truncated, infos = env.step(joint)
        after = read_crowd(columns, rows)
        joined = set(memory.sent_to[sent].tolist())
        for worker, task, arrival_s in zip(*(each.tolist() for each in crews), strict=True):
            if int(tasks.ids[task]) in joined or arrival_s > ready_s[worker]:
                continue
            ahead_s, idle = STEP_S - float(ready_s[worker]), bool(after.idle[worker])
            off_m = np.hypot(after.x_m[worker] - x_m[worker], after.y_m[worker] - y_m[worker]) if idle else 0.0
            found.present.append((ahead_s, idle, float(off_m)))
    return found


def test_who_is_at_its_task_is_idle_when_and_where_that_ends() -> None:
    """Exactly: the finish time of a coalition follows from the work left and the arrivals."""
    clear = [(ahead_s, idle, off_m) for ahead_s, idle, off_m in said().present if abs(ahead_s) > 0.01]
    assert sum(idle for _, idle, _ in clear) > 100
    assert all(idle == (ahead_s > 0) for ahead_s, idle, _ in clear)
    assert max(off_m for _, _, off_m in clear) < 1.0


def test_who_is_on_its_way_when_its_task_ends_is_said_to_be_idle_there_and_then() -> None:
    """By hand: one worker is at a task with 60 worker-seconds left, another would arrive in 80 s, 800 m further east.

    In truth the second walks on to the next node, but observations show no roads.
    """
    crowd = Crowd(
        idle=np.zeros(2, bool),
        travelling=np.array([False, True]),
        busy=np.ones(2, bool),
        until_idle_s=np.array([60.0, 80.0]),
        x_m=np.array([1000.0, 200.0]),
        y_m=np.zeros(2),
        skills=np.ones(2, np.int64),
        num_skills=np.ones(2, np.int64),
    )
    memory = empty_memory(2, 1, 1)
    memory.sent_to[:], memory.task_open[0], memory.x_m[0] = 0, True, 1000.0
    memory.work_left_s[0], memory.deadline_s[0] = 60.0, 500.0
    tasks = open_tasks(Columns(*range(21), *[1.0] * 8, 5000.0), memory, 0.0)
    crews = read_crews(memory, crowd, tasks)
    coalitions = empty_coalitions(1, 3)
    commit(game_without_players(tasks, 1), coalitions, crews.task, crews.arrival_s, np.zeros(2))
    ready_s, x_m, y_m = when_and_where_idle(memory, crowd, tasks, crews, coalitions)
    assert ready_s.tolist() == [60.0, 60.0]
    assert (x_m.tolist(), y_m.tolist()) == ([1000.0, 800.0], [0.0, 0.0])


def test_estimated_roads_are_near_the_roads() -> None:
    """Straight lines are shorter by a quarter or more; the estimates are as long as the roads on average."""
    estimated, true = np.array(said().road_m).T
    assert len(true) > 100
    assert abs(estimated.mean() / true.mean() - 1) < 0.1
    assert np.corrcoef(estimated, true)[0, 1] > 0.9
