"""Policies that try to read the environment or the seed of the episode, and a check that a runner lets none succeed.

Each attack holds. If it succeeds it raises, so that the runner reports it. `check_runner` plays all of them.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from crowdgym.agents.policy import Actions, Episode, Infos, Observations
from crowdgym.common.errors import CrowdGymError, PolicyError

_MOST_SEEDS: Final = 300  # that the inverter of seeds tries
_MOST_LOOKS: Final = 5  # of an attack in an episode
_MOST_DEPTH: Final = 6  # of attributes that an attack follows


class AttackSucceededError(Exception):
    """A policy has got hold of something that it must not know. The message says what."""


class RunnerCheckError(CrowdGymError, AssertionError):
    """A runner lets policies reach the environment or its seed. The message names the attacks."""


class Attack:
    """Tries `look` at the start of each episode and at its first steps, and holds."""

    _episode: Episode
    _looks: int

    def reset(self, episode: Episode) -> None:
        """See `crowdgym.agents.policy.EpisodicPolicy`."""
        self._episode, self._looks = episode, 0
        self.look()

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        self._looks += 1
        if self._looks <= _MOST_LOOKS:
            self.look()
        return dict.fromkeys(infos, 0)

    def look(self) -> None:
        """Raise `AttackSucceededError` if an environment is within reach."""
        raise NotImplementedError


class StateOwner(Attack):
    """Looks for the environment behind the function that returns the global state."""

    def look(self) -> None:
        """See `Attack`."""
        self._episode.state()
        for thing in _behind(self._episode.state, _MOST_DEPTH):
            _refuse(thing, "episode.state")


class HeapReader(Attack):
    """Looks through all objects of the process."""

    def look(self) -> None:
        """See `Attack`."""
        for thing in gc.get_objects():
            _refuse(thing, "the heap")


class FrameReader(Attack):
    """Looks at the variables of all functions that are running."""

    def look(self) -> None:
        """See `Attack`."""
        for frame in sys._current_frames().values():
            at: Any = frame
            while at is not None:
                for thing in at.f_locals.values():
                    _refuse(thing, "a frame")
                at = at.f_back


class ArgumentReader(Attack):
    """Looks for a seed in the command line."""

    def look(self) -> None:
        """See `Attack`."""
        if any(argument.startswith("--seed") for argument in sys.argv):
            raise AttackSucceededError(f"the command line holds a seed: {sys.argv}")


class SeedInverter(Attack):
    """Looks for the seed of the environment that the seed of the policy was made from, and plays the episode before.

    Args:
        environment: name of the environment.
        scenario: name of the scenario.
    """

    def __init__(self, environment: str = "csc_v0", scenario: str = "tiny") -> None:
        self._environment, self._scenario = environment, scenario

    def look(self) -> None:
        """Nothing: `act` does it."""

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        import crowdgym
        from crowdgym.runner import policy_seed

        if self._looks:
            return super().act(observations, infos)
        twin = crowdgym.make(self._environment, scenario=self._scenario)
        for seed in (seed for seed in range(_MOST_SEEDS) if policy_seed(seed) == self._episode.seed):
            first, _ = twin.reset(seed=seed)
            if all(np.array_equal(first[agent], row) for agent, row in observations.items()):
                raise AttackSucceededError(f"the seed of the policy gives the seed of the environment, {seed}")
        return super().act(observations, infos)


ATTACKS: Final = (StateOwner, HeapReader, FrameReader, ArgumentReader, SeedInverter)


def check_runner(play: Callable[[str], object]) -> None:
    """Check that a program that plays policies keeps the environment and its seed from them.

    Args:
        play: plays an episode of ``csc_v0`` on "tiny" with the policy of a name, as
            `crowdgym.policies.load_policy` takes it. It should use a seed below 300, so that an attack that tries all
            seeds finds it, and raise or return if the policy raises.

    Raises:
        RunnerCheckError: an attack succeeded.
    """
    reached = []
    for attack in ATTACKS:
        try:
            play(f"{attack.__module__}:{attack.__qualname__}")
        except (PolicyError, AttackSucceededError) as error:
            if AttackSucceededError.__name__ not in f"{type(error).__name__}: {error}":
                raise
            reached.append(f"{attack.__qualname__} ({error})")
    if reached:
        raise RunnerCheckError(f"{len(reached)} of {len(ATTACKS)} attacks succeeded: {'; '.join(reached)}")


def _refuse(thing: Any, where: str) -> None:
    """Raise if a thing is an environment: it has agents, and can be played."""
    kind = type(thing)
    if hasattr(kind, "step") and hasattr(kind, "reset") and hasattr(kind, "state"):
        raise AttackSucceededError(f"{where} holds an environment, {kind.__name__}")


def _behind(thing: Any, depth: int) -> Iterator[Any]:
    """What a function or an object refers to: its owner, the cells of its closure, its attributes."""
    yield thing
    if depth == 0:
        return
    cells = [cell.cell_contents for cell in getattr(thing, "__closure__", None) or ()]
    attributes = list(vars(thing).values()) if hasattr(thing, "__dict__") and not isinstance(thing, type) else []
    owner = [thing.__self__] if hasattr(thing, "__self__") else []
    for further in (*owner, *cells, *attributes):
        if not isinstance(further, type(sys)):
            yield from _behind(further, depth - 1)
