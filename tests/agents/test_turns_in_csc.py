"""Rules in turn in the environment: legal, repeatable, and no join that adds nothing."""

import numpy as np
import pytest

import crowdgym
from crowdgym.agents.csc.observation_reader import DispatchState
from crowdgym.agents.csc.pau_game import potential
from crowdgym.agents.csc.turn_policies import LargestGainTurnPolicy, NearestTurnPolicy, RandomTurnPolicy, TurnPolicy
from crowdgym.policies import load_policy
from crowdgym.runner import EpisodeResult, run_episodes

NAMES = ["turn-random", "turn-nearest", "turn-gain", "pau-nohelp"]


def played(
    agent: str, scenario: str, episodes: int = 2, seed: int = 100, first_number: int = 0
) -> tuple[EpisodeResult, ...]:
    env = crowdgym.make("csc_v0", scenario=scenario, strict=True)  # whatever is illegal raises
    policy = load_policy(agent, "csc_v0")
    return run_episodes(env, policy, agent=agent, episodes=episodes, seed=seed, first_number=first_number).episodes


@pytest.mark.parametrize("agent", NAMES)
def test_it_does_nothing_illegal_and_earns_more_than_greedy(agent: str) -> None:
    ours, greedy = played(agent, "haikou-synth"), played("greedy", "haikou-synth")
    assert sum(one.metrics["revenue"] for one in ours) > sum(one.metrics["revenue"] for one in greedy)


@pytest.mark.parametrize("agent", NAMES)
def test_the_same_seed_gives_the_same_episode(agent: str) -> None:
    again = played(agent, "tiny", episodes=1, seed=101, first_number=1)  # alone, not after another episode
    assert again[0].metrics == played(agent, "tiny")[1].metrics


@pytest.mark.parametrize("kind", [RandomTurnPolicy, NearestTurnPolicy, LargestGainTurnPolicy])
def test_the_choices_of_an_epoch_never_lower_the_payments(kind: type[TurnPolicy]) -> None:
    """And some epochs raise them: the first of a pair may add nothing, but takes nothing away."""

    class Watched(kind):  # type: ignore[misc, valid-type]
        gains: list[float]

        def choose(self, now: DispatchState) -> np.ndarray:
            before = potential(now.coalitions)
            choice = super().choose(now)
            self.gains.append(potential(now.coalitions) - before)
            return choice

    policy = Watched()
    policy.gains = []
    run_episodes(crowdgym.make("csc_v0", scenario="tiny", strict=True), policy, agent="", episodes=1, seed=100)
    assert min(policy.gains) >= 0.0
    assert max(policy.gains) > 0.0
