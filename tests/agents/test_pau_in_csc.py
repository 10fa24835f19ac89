"""PAU in the environment: it reads what it needs from observations and infos, exactly."""

from functools import cache

import numpy as np
import pytest

import crowdgym
from crowdgym.agents.csc.observation_reader import DispatchState
from crowdgym.agents.csc.pau import PauPolicy
from crowdgym.agents.csc.pau_game import finish_s
from crowdgym.agents.policy import Episode
from crowdgym.policies import load_policy
from crowdgym.runner import EpisodeResult, policy_seed, run_episodes


@cache
def played(agent: str, scenario: str = "tiny", episodes: int = 3) -> tuple[EpisodeResult, ...]:
    env = crowdgym.make("csc_v0", scenario=scenario, strict=True)  # whatever is illegal raises
    return run_episodes(env, load_policy(agent, "csc_v0"), agent=agent, episodes=episodes, seed=100).episodes


@pytest.mark.parametrize("agent", ["pau", "pau-fair"])
@pytest.mark.parametrize("scenario", ["tiny", "haikou-synth"])
def test_it_does_nothing_illegal_and_earns_more_than_greedy(agent: str, scenario: str) -> None:
    pau, greedy = played(agent, scenario), played("greedy", scenario)
    assert sum(one.metrics["revenue"] for one in pau) > sum(one.metrics["revenue"] for one in greedy)


@pytest.mark.parametrize("agent", ["pau", "pau-fair"])
def test_the_same_seed_gives_the_same_episode(agent: str) -> None:
    env = crowdgym.make("csc_v0", scenario="tiny")
    policy = load_policy(agent, "csc_v0")
    again = run_episodes(env, policy, agent=agent, episodes=2, seed=101).episodes  # the same policy, other episodes
    assert [one.metrics for one in again] == [one.metrics for one in played(agent)[1:]]


class Watched(PauPolicy):
    """Keeps when it expects tasks to be finished, in seconds from now, and what it takes them to pay at most, by id."""

    expected_s: dict[int, float]
    payment: dict[int, float]

    def choose(self, now: DispatchState) -> np.ndarray:
        choice = super().choose(now)
        there = now.game.task >= 0
        id_of = dict(zip(now.game.task[there].tolist(), now.options[there].tolist(), strict=True))
        self.payment |= {id_of[task]: paid for task, paid in enumerate(now.game.payment.tolist())}
        self.expected_s = {
            id_of[task]: finish_s(now.coalitions.arrival_s[task], int(now.coalitions.members[task]), left_s)
            for task, left_s in enumerate(now.game.work_left_s.tolist())
            if now.coalitions.members[task]
        }
        return choice


@pytest.mark.parametrize("speed_mps", [10.0, 3.0])
def test_finish_times_of_coalitions_are_exact(speed_mps: float) -> None:
    """The last finish time that PAU computed for a task is its actual one: no worker has joined since.

    The highest payment that PAU read is exact as well, also where PAU first saw the task after its creation.
    """
    env = crowdgym.make("csc_v0", scenario="tiny", speed_mps=speed_mps, expected_factor=0.3)
    observations, infos = env.reset(seed=3)
    policy = Watched()
    agents = tuple(env.possible_agents)
    policy.reset(
        Episode(
            policy_seed(3),
            agents,
            env.observation_space(agents[0]),
            env.action_space(agents[0]),
            env.metadata,
            env.state,
        )
    )
    policy.payment = {}
    finish: dict[int, float] = {}
    while env.agents:
        now_s = env.snapshot().time_s
        policy.expected_s = {}
        actions = policy.act(observations, infos)
        finish |= {task: now_s + seconds for task, seconds in policy.expected_s.items()}
        observations, _, _, _, infos = env.step(actions)
    end = env.snapshot()
    finished = np.flatnonzero(end.paid > 0).tolist()
    assert len(finished) > 12
    for task in finished:
        assert finish[task] == pytest.approx(end.end_s[task], abs=0.01)  # observations are 32-bit shares of an hour
        assert policy.payment[task] == pytest.approx(env.instance.payment[task], rel=1e-4)


def test_it_chooses_nothing_where_there_is_nothing_to_choose() -> None:
    env = crowdgym.make("csc_v0", scenario="tiny", range_m=0.0)
    assert run_episodes(env, PauPolicy(), agent="pau", episodes=1, seed=0).episodes[0].metrics["travel_m"] == 0
