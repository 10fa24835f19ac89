"""The policies in the environment: what they earn."""

from functools import cache

import pytest

import crowdgym
from crowdgym.policies import load_policy
from crowdgym.runner import EpisodeResult, run_episodes

EPISODES = 3
CITIES = ("tiny", "haikou-synth", "chengdu-synth")


@cache
def played(city: str, agent: str) -> tuple[EpisodeResult, ...]:
    env = crowdgym.make("csc_v0", scenario=city)
    return run_episodes(env, load_policy(agent, "csc_v0"), agent=agent, episodes=EPISODES, seed=100).episodes


@pytest.mark.parametrize("city", CITIES)
def test_greedy_earns_clearly_more_than_random(city: str) -> None:
    greedy = sum(episode.metrics["revenue"] for episode in played(city, "greedy"))
    random = sum(episode.metrics["revenue"] for episode in played(city, "random"))
    assert greedy > 1.03 * random


@pytest.mark.parametrize("city", CITIES)
def test_random_earns_in_every_episode(city: str) -> None:
    assert all(episode.metrics["revenue"] > 0 for episode in played(city, "random"))


@pytest.mark.parametrize("city", CITIES)
def test_hold_earns_nothing_and_stays_where_it_is(city: str) -> None:
    for episode in played(city, "hold"):
        assert episode.metrics["revenue"] == 0
        assert episode.metrics["completed"] == 0
        assert episode.metrics["travel_m"] == 0


@pytest.mark.parametrize("city", CITIES)
@pytest.mark.parametrize("agent", ["greedy", "random", "hold"])
def test_no_policy_of_ours_does_anything_illegal(city: str, agent: str) -> None:
    assert [episode.metrics["illegal"] for episode in played(city, agent)] == [0] * EPISODES


def test_greedy_serves_the_nearest_candidate_first() -> None:
    env = crowdgym.make("csc_v0", scenario="tiny")
    observations, infos = env.reset(seed=0)
    policy = load_policy("greedy", "csc_v0")
    taken = 0
    for _ in range(40):
        chosen = {a: infos[a]["candidates"][0] for a, action in policy.act(observations, infos).items() if action}
        observations, _, _, _, infos = env.step(policy.act(observations, infos))
        for agent, task in chosen.items():
            w = int(agent.removeprefix("worker_"))
            # On its way or at work, unless the task has ended within the step.
            assert env.snapshot().worker_task[w] in (task, -1)
            taken += env.snapshot().worker_task[w] == task
    assert taken > 5
