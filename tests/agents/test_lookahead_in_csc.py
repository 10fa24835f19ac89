"""The planner that looks ahead, in the environment: what it reads of those soon idle, and that it is legal."""

from functools import cache
from math import ceil

import numpy as np
import pytest

import crowdgym
from crowdgym.agents.csc.lookahead import HORIZON_S, LookaheadPolicy
from crowdgym.agents.csc.lookahead_reader import Lookahead, LookaheadReader
from crowdgym.agents.csc.observation_reader import DispatchState
from crowdgym.agents.policy import Actions, Episode, Infos, Observations
from crowdgym.policies import load_policy
from crowdgym.runner import EpisodeResult, run_episodes


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


class WatchedReader(LookaheadReader):
    """Keeps what it said of each worker: in which epoch the worker is idle at last, and how near tasks are then."""

    now: DispatchState
    ahead: Lookahead | None = None

    def look_ahead(self, now: DispatchState, observations: Observations) -> Lookahead:
        self.now, self.ahead = now, super().look_ahead(now, observations)
        return self.ahead


class Watched(LookaheadPolicy):
    """Compares what was said of a worker with what an observation says once it is idle."""

    def __init__(self) -> None:
        self.late: list[int] = []  # epochs by which a worker is idle earlier than was said last
        self.road_m: list[tuple[float, float]] = []  # to a task, as it was estimated and as it is

    def reset(self, episode: Episode) -> None:
        super().reset(episode)
        self._reader = WatchedReader(episode, HORIZON_S)
        self._rules, self._agents = episode.metadata["rules"], episode.agents
        self._layout = episode.metadata["observation_layout"]
        self._epoch = 0
        self._said: dict[int, tuple[int, dict[int, float]]] = {}

    def act(self, observations: Observations, infos: Infos) -> Actions:
        for worker in list(self._said):
            row = observations[self._agents[worker]]
            if row[self._layout["w_self"]["features"].index("idle")] > 0.5:
                self._compare(*self._said.pop(worker), row, infos[self._agents[worker]]["candidates"].tolist())
        self._reader.ahead = None
        actions = super().act(observations, infos)
        if self._reader.ahead is not None:
            self._keep(self._reader.now, self._reader.ahead)
        self._epoch += 1
        return actions

    def _keep(self, now: DispatchState, ahead: Lookahead) -> None:
        there = now.options >= 0
        ids = dict(zip(now.game.task[there].tolist(), now.options[there].tolist(), strict=True))
        for row, worker in enumerate(ahead.soon.tolist()):
            at = self._epoch + ahead.ready_s[row] / self._rules["step_s"]
            way_s = ahead.game.arrival_s[row] - ahead.ready_s[row]
            tasks = {
                ids[task]: float(seconds) * self._rules["speed_mps"]
                for task, seconds in zip(ahead.game.task[row].tolist(), way_s.tolist(), strict=True)
                if task >= 0
            }
            self._said[worker] = (ceil(at - 1e-4), tasks)

    def _compare(self, epoch: int, tasks: dict[int, float], row: np.ndarray, candidates: list[int]) -> None:
        self.late.append(epoch - self._epoch)
        part = self._layout["T_optional"]
        rows = row[part["start"] : part["stop"]].reshape(part["shape"])
        for option, task in enumerate(candidates):
            if task in tasks:
                self.road_m.append((tasks[task], 5000.0 * float(rows[option, part["features"].index("distance")])))


@cache
def watched() -> Watched:
    policy = Watched()
    run_episodes(crowdgym.make("csc_v0", scenario="haikou-synth"), policy, agent="", episodes=1, seed=100)
    return policy


def test_a_worker_is_idle_when_it_was_said_or_earlier_because_another_joined() -> None:
    """Or an epoch later: a worker whose task ends while it is on its way still walks to the next node."""
    late = watched().late
    assert len(late) > 100
    assert min(late) >= -1
    assert late.count(-1) < 0.05 * len(late)
    assert late.count(0) > 0.8 * len(late)


def test_estimated_roads_are_near_the_roads() -> None:
    """Straight lines are shorter by a quarter or more; the estimates are as long as the roads on average."""
    estimated, true = np.array(watched().road_m).T
    assert len(true) > 100
    assert abs(estimated.mean() / true.mean() - 1) < 0.1
    assert np.corrcoef(estimated, true)[0, 1] > 0.9
