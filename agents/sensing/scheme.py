"""Shared by all schemes: the known data of the region and of a cycle, and the step from chosen cells to actions.

A scheme acts for the cells, since only their infos contain the inferred value of every cell. It assigns a cell to each
participant; every such cell then asks for its participant, and all other cells hold.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import gymnasium
import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.policy import Actions, Episode, Infos, Observations
from crowdgym.common.errors import ConfigError

Floats = NDArray[np.float64]
Cells = NDArray[np.int64]


@dataclass(frozen=True)
class Region:
    """The cells and attributes of a region: X cells, A attributes, P participants."""

    distance_km: Floats  # [X, X] in a straight line
    attributes: tuple[str, ...]  # [A]
    num_participants: int

    @property
    def num_cells(self) -> int:
        """X."""
        return len(self.distance_km)

    @classmethod
    def of(cls, episode: Episode) -> "Region":
        """Read the region from the metadata and the spaces of ``sensing_v0``.

        Raises:
            ConfigError: the environment is another one, or the agents are not the cells.
        """
        metadata, space = episode.metadata, episode.action_space
        if "coordinates" not in metadata or not isinstance(space, gymnasium.spaces.Discrete):
            raise ConfigError(f"a sensing scheme plays sensing_v0, got {metadata.get('name', 'another environment')}")
        places_km = np.asarray(metadata["coordinates"], np.float64)  # [X, 2]
        if not episode.agents[0].startswith("cell_"):
            raise ConfigError(f"a sensing scheme plays with agents='cells', got agents such as {episode.agents[0]!r}")
        apart = places_km[:, np.newaxis] - places_km
        return cls(np.hypot(apart[..., 0], apart[..., 1]), tuple(metadata["attributes"]), int(space.n) - 1)


@dataclass(frozen=True)
class Cycle:
    """The known data after one cycle."""

    participant_cell: Cells  # [P] where the participants are
    collected: Floats  # [X, A] CS; NaN where there is none
    inferred: Floats  # [X, A] IS, from other cells; NaN where there is none

    @classmethod
    def of(cls, infos: Infos) -> "Cycle":
        """Read the known data from the infos of the cells, which are in the order of the cells."""
        return cls(
            participant_cell=np.asarray(next(iter(infos.values()))["candidate_cells"], np.int64),
            collected=_values(infos, "collected"),
            inferred=_values(infos, "inferred"),
        )


def _values(infos: Infos, name: str) -> Floats:
    """Values of the infos of the cells, NaN where there is none. Shape [X, A]."""
    values = np.array([info[name] for info in infos.values()], np.float64)
    return np.where([info[f"is_{name}"] for info in infos.values()], values, np.nan)


class SensingScheme(ABC):
    """A policy of ``sensing_v0`` that assigns a cell to each participant."""

    def reset(self, episode: Episode) -> None:
        """See `crowdgym.agents.policy.EpisodicPolicy`. Raises `ConfigError` if the agents are not cells."""
        self.region = Region.of(episode)
        self.begin(np.random.default_rng(episode.seed))

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        if not infos:
            return {}
        asks = np.zeros(self.region.num_cells, np.int64)  # [X] 0 holds, p + 1 asks for participant p
        asks[self.choose(Cycle.of(infos))] = np.arange(1, self.region.num_participants + 1)
        return dict(zip(infos, asks.tolist(), strict=True))

    @abstractmethod
    def begin(self, generator: np.random.Generator) -> None:
        """Forget the last episode; ``region`` is that of the new one."""

    @abstractmethod
    def choose(self, cycle: Cycle) -> Cells:
        """The cell of each participant in the next cycle: shape [P], no cell twice."""


def nearest_in_sequence(participant_cell: Cells, selected: Cells, distance_km: Floats) -> Cells:
    """Send participants to the selected cells: one after the other, each takes the nearest cell that is left.

    The paper does not say which participant goes to which cell. With this rule uniform sampling has the cost of the
    paper's. Ties go to the smaller cell.

    Args:
        participant_cell: where they are. Shape [P].
        selected: different cells. Shape [P].
        distance_km: between cells. Shape [X, X].

    Returns:
        The cell of each participant. Shape [P].
    """
    left = np.sort(selected)
    chosen = np.empty_like(participant_cell)
    for p, cell in enumerate(participant_cell):
        best = int(distance_km[cell, left].argmin())
        chosen[p] = left[best]
        left = np.delete(left, best)
    return chosen
