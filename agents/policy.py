"""What a policy is: any object with ``act``. Yours needs nothing of CrowdGym, not even this file.

The smallest one, a rule of your own:

    class FirstCandidate:
        def act(self, observations, infos):
            return {agent: int(info["action_mask"][1]) for agent, info in infos.items()}

One policy acts for all agents, so that a central heuristic can coordinate them and a network can take all observations
as one batch; a rule for a single agent is a loop over ``infos``. A policy that needs more than the present moment, a
seed, the layout of an observation or the global state, has a ``reset`` too, and is given an `Episode` at the start of
each. One that has read files, such as weights, may name their paths in an attribute ``files``: a benchmark that goes on
where it was stopped sees by them whether it still is the same policy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import gymnasium
from numpy.typing import NDArray

Observations = Mapping[str, Any]  # by agent: what the observation space holds, an array of shape [F] by default
Infos = Mapping[str, Mapping[str, Any]]  # by agent: action_mask (int8, [actions]), candidates, and what else there is
Actions = Mapping[str, int]  # by agent


@runtime_checkable
class Policy(Protocol):
    """Chooses the actions of all agents."""

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """Choose an action for every agent.

        Args:
            observations: what ``reset`` or ``step`` has just returned, by agent.
            infos: likewise. ``infos[agent]["action_mask"][a]`` is 1 where action ``a`` is legal.

        Returns:
            An action for every agent in ``observations``, a whole number that its action space holds.
        """


@dataclass(frozen=True)
class Episode:
    """What a policy may know about an episode that begins, besides its observations and infos.

    Attributes:
        seed: for the policy's own randomness; fixed by the seed of the run, and not the environment's.
        agents: all agents, in the order of the observations.
        observation_space: the one of every agent.
        action_space: the one of every agent.
        metadata: the environment's; ``metadata["observation_layout"]`` names each slice of an observation.
        state: returns the global state of the present moment, as ``env.state()`` does.
    """

    seed: int
    agents: tuple[str, ...]
    observation_space: gymnasium.Space[Any]
    action_space: gymnasium.Space[Any]
    metadata: Mapping[str, Any]
    state: Callable[[], NDArray[Any]]


@runtime_checkable
class EpisodicPolicy(Policy, Protocol):
    """A policy that is told when an episode begins."""

    def reset(self, episode: Episode) -> None:
        """Forget the last episode and get ready for this one. Called before the first ``act`` of each."""
