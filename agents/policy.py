"""The interface of policies: any object with ``act``. A policy of your own need not import CrowdGym or this file.

The smallest one, a rule of your own:

    class FirstCandidate:
        def act(self, observations, infos):
            return {agent: int(info["action_mask"][1]) for agent, info in infos.items()}

or a function of the two, ``def first_candidate(observations, infos): ...``, which `FunctionPolicy` makes a policy.

One policy acts for all agents, so that a central heuristic can coordinate them and a network can take all observations
as one batch; a rule for a single agent is a loop over ``infos``. A policy that needs a seed, the layout of observations
or the global state also has a method ``reset``, which gets an `Episode` at the start of each episode. A policy that
reads files, such as weights, may list their paths in an attribute ``files``: a resumed benchmark checks by them that
the policy is the same. A policy that was trained with options of the environment's ``reset`` has them in an attribute
``reset_options``, a mapping: its episodes begin with them. An attribute ``information`` declares by what the policy
decides: see `crowdgym.agents.information`.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import gymnasium
from numpy.typing import NDArray

from crowdgym.agents.information import Information, information_of

Observations = Mapping[str, Any]  # by agent: what the observation space holds, an array of shape [F] by default
Infos = Mapping[str, Mapping[str, Any]]  # by agent: action_mask (int8, [actions]), candidates, and what else there is
Actions = Mapping[str, int]  # by agent


@runtime_checkable
class Policy(Protocol):
    """Chooses the actions of all agents."""

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """Choose an action for every agent.

        Args:
            observations: the observations that ``reset`` or ``step`` has just returned, by agent.
            infos: likewise. ``infos[agent]["action_mask"][a]`` is 1 where action ``a`` is legal.

        Returns:
            An action for every agent in ``observations``: an integer in its action space.
        """


@dataclass(frozen=True)
class Episode:
    """What a policy may know about an episode besides its observations and infos.

    Attributes:
        seed: seed of the policy's own random draws; fixed by the seed of the run, and not the environment's.
        agents: all agents, in the order of the observations; one agent, if the policy is decentralised.
        observation_space: the observation space of every agent.
        action_space: the action space of every agent.
        metadata: metadata of the environment; ``metadata["observation_layout"]`` names each slice of an observation.
        state: returns the global state of the present moment, as ``env.state()`` does. It raises `PolicyError` if the
            policy is decentralised.
        instance: the arrays of the instance, all that will happen, if the policy is clairvoyant; otherwise None.
    """

    seed: int
    agents: tuple[str, ...]
    observation_space: gymnasium.Space[Any]
    action_space: gymnasium.Space[Any]
    metadata: Mapping[str, Any]
    state: Callable[[], NDArray[Any]]
    instance: Mapping[str, NDArray[Any]] | None = None


@dataclass(frozen=True)
class FunctionPolicy:
    """The policy that calls a function for every joint action.

    Attributes:
        function: takes ``observations`` and ``infos``, and returns what `Policy.act` does.
        arguments: its other arguments, by name.
    """

    function: Callable[..., Actions]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        """The file that defines the function."""
        return (inspect.getfile(self.function),)

    @property
    def information(self) -> Information:
        """What the function declares in an attribute of this name."""
        return information_of(self.function)

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `Policy`."""
        return self.function(observations, infos, **self.arguments)


def is_rule(candidate: object) -> bool:
    """Whether an object is a function of observations and infos, for `FunctionPolicy`."""
    if not inspect.isfunction(candidate):
        return False
    parameters = inspect.signature(candidate).parameters.values()
    return sum(one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD for one in parameters) == 2


@runtime_checkable
class EpisodicPolicy(Policy, Protocol):
    """A policy that is told when an episode begins."""

    def reset(self, episode: Episode) -> None:
        """Forget the last episode and prepare for this one. It is called before the first ``act`` of each episode."""
