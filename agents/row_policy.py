"""Policies that read the rows of all agents at once, and so play a vector environment as well as a parallel one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.policy import Actions, Episode, Infos, Observations
from crowdgym.common.errors import ConfigError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Parameters:
    """The numbers of a policy that a search may change. D of them.

    Attributes:
        names: of the numbers.
        start: where a search begins: what the policy plays with by default. Shape [D].
        scale: the step by which a search tries others at first. Shape [D].
    """

    names: tuple[str, ...]
    start: Floats
    scale: Floats

    def checked(self, values: Floats) -> Floats:
        """``values`` as float64. Raises `ConfigError` if they are not D finite numbers."""
        found = np.asarray(values, np.float64)
        if found.shape != self.start.shape or not np.isfinite(found).all():
            raise ConfigError(f"parameters must be {len(self.names)} finite numbers, got {found.tolist()}")
        return found


NO_PARAMETERS: Final = Parameters((), np.zeros(0), np.zeros(0))


class RowPolicy(ABC):
    """Chooses from the observations of B copies of an environment with N agents each.

    A subclass writes `begin` and `choose`. As a policy of a parallel environment it plays one copy.

    Attributes:
        parameters: what a search may change; see `crowdgym.agents.es`.
        reads: the infos that `choose` gets.
        reads_state: whether it also gets "state", the global state of each copy, [B, ...].
    """

    parameters: Parameters = NO_PARAMETERS
    reads: ClassVar[tuple[str, ...]] = ()
    reads_state: ClassVar[bool] = False

    def set_parameters(self, values: Floats) -> None:  # noqa: B027
        """Play with these numbers, [D], from now on. Raises `ConfigError`, see `Parameters.checked`."""

    @abstractmethod
    def begin(self, copies: int, agents: int, width: int, metadata: Mapping[str, Any]) -> None:
        """Forget the last episodes and prepare for one of every copy.

        Args:
            copies: B.
            agents: N.
            width: F, the length of an observation.
            metadata: metadata of the environment.
        """

    @abstractmethod
    def choose(self, observations: NDArray[np.float32], infos: Mapping[str, NDArray[Any]]) -> Ints:
        """The actions of all agents, [B, N].

        Args:
            observations: shape [B, N, F].
            infos: those that ``reads`` names, each of shape [B, N, ...]; "state" if ``reads_state``.
        """

    def reset(self, episode: Episode) -> None:
        """See `crowdgym.agents.policy.EpisodicPolicy`."""
        self._agents, self._state = episode.agents, episode.state
        width = int(np.prod(episode.observation_space.shape or (0,)))
        self.begin(1, len(episode.agents), width, episode.metadata)

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        rows = np.stack([observations[agent] for agent in self._agents])[np.newaxis]
        read = {name: np.stack([infos[agent][name] for agent in self._agents])[np.newaxis] for name in self.reads}
        if self.reads_state:
            read["state"] = self._state()[np.newaxis]
        return dict(zip(self._agents, self.choose(rows, read)[0].tolist(), strict=True))
