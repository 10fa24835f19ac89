"""Who the agents are: the cells, which ask for participants, or the participants, which choose a cell."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import kernel
from crowdgym.common.layout import ObservationLayout
from crowdgym.configs.sensing import AgentsName
from crowdgym.envs.sensing.kernel.dynamics import Actions, Copies, play_asked, play_chosen
from crowdgym.envs.sensing.kernel.features import cell_features
from crowdgym.envs.sensing.kernel.observation import (
    Sight,
    finish_for_cells,
    finish_for_participants,
    observation_of_cell,
    observation_of_participant,
)
from crowdgym.envs.sensing.kernel.state import Rows, SensingState, World


class AgentMode(ABC):
    """One of the two kinds of agents, for X cells and P participants.

    Attributes:
        cell_features: of every cell in observations; see `crowdgym.envs.sensing.kernel.features.cell_features`.
    """

    def __init__(self, cells: int, participants: int, attributes: tuple[str, ...], *, scores: bool = False) -> None:
        self.cells = cells
        self.participants = participants
        self.attributes = attributes
        self.cell_features = cell_features(attributes, scores=scores)

    @property
    @abstractmethod
    def agents(self) -> tuple[str, ...]:
        """Names of the agents."""

    @property
    @abstractmethod
    def num_actions(self) -> int:
        """Of every agent; all of them are always legal."""

    @abstractmethod
    def layout(self, sight: Sight) -> ObservationLayout:
        """The sets of an observation, in order."""

    @abstractmethod
    def play(self, world: World, state: SensingState, actions: Actions, copies: Copies) -> None:
        """Begin the next cycle of some copies: move, and collect."""

    @abstractmethod
    def share_gains(self, state: SensingState, copies: Copies) -> None:
        """Write ``state.outcome.gain`` from ``error_without``."""

    @abstractmethod
    def finish(self, world: World, sight: Sight, state: SensingState, copies: Copies, observations: Rows) -> None:
        """Take the error of the cycle of some copies, and write their observations."""

    @abstractmethod
    def constant_arrays(self, batch: int) -> dict[str, NDArray[Any]]:
        """What infos hold for every agent, besides the mask, and never changes: arrays of shape [B, N, ...]."""

    @abstractmethod
    def changing_arrays(self, state: SensingState) -> dict[str, NDArray[Any]]:
        """What infos hold for every agent and may change every cycle: arrays of shape [B, N, ...]."""


class CellMode(AgentMode):
    """Every cell is an agent: it holds, or asks for a participant."""

    @property
    def agents(self) -> tuple[str, ...]:
        """See `AgentMode`."""
        return tuple(f"cell_{x}" for x in range(self.cells))

    @property
    def num_actions(self) -> int:
        """See `AgentMode`."""
        return self.participants + 1

    def layout(self, sight: Sight) -> ObservationLayout:
        """See `AgentMode`."""
        return observation_of_cell(self.participants, sight.near.shape[1], self.cell_features)

    def play(self, world: World, state: SensingState, actions: Actions, copies: Copies) -> None:
        """See `AgentMode`."""
        play_asked(world, state, actions, copies)

    def share_gains(self, state: SensingState, copies: Copies) -> None:
        """See `AgentMode`."""
        _gains_of_cells(state, copies)

    def finish(self, world: World, sight: Sight, state: SensingState, copies: Copies, observations: Rows) -> None:
        """See `AgentMode`."""
        finish_for_cells(world, sight, state, copies, observations)

    def constant_arrays(self, batch: int) -> dict[str, NDArray[Any]]:
        """See `AgentMode`."""
        shape = (batch, self.cells)
        return {"cell": _numbers(shape), "candidates": _numbers((*shape, self.participants))}

    def changing_arrays(self, state: SensingState) -> dict[str, NDArray[Any]]:
        """See `AgentMode`."""
        return {
            "candidate_cells": np.repeat(state.participants.cell[:, np.newaxis], self.cells, axis=1),
            **_known("collected", state.cells.collected),
            **_known("inferred", state.cells.inferred),
        }


class ParticipantMode(AgentMode):
    """Every participant is an agent: it chooses the cell that it goes to, or stays in."""

    @property
    def agents(self) -> tuple[str, ...]:
        """See `AgentMode`."""
        return tuple(f"participant_{p}" for p in range(self.participants))

    @property
    def num_actions(self) -> int:
        """See `AgentMode`."""
        return self.cells

    def layout(self, sight: Sight) -> ObservationLayout:
        """See `AgentMode`."""
        return observation_of_participant(self.cells, self.cell_features)

    def play(self, world: World, state: SensingState, actions: Actions, copies: Copies) -> None:
        """See `AgentMode`."""
        play_chosen(world, state, actions, copies)

    def share_gains(self, state: SensingState, copies: Copies) -> None:
        """See `AgentMode`."""
        _gains_of_participants(state, copies)

    def finish(self, world: World, sight: Sight, state: SensingState, copies: Copies, observations: Rows) -> None:
        """See `AgentMode`."""
        finish_for_participants(world, sight, state, copies, observations)

    def constant_arrays(self, batch: int) -> dict[str, NDArray[Any]]:
        """See `AgentMode`."""
        return {"candidates": _numbers((batch, self.participants, self.cells))}

    def changing_arrays(self, state: SensingState) -> dict[str, NDArray[Any]]:
        """See `AgentMode`."""
        own = state.participants.cell[..., np.newaxis]
        return {
            "cell": state.participants.cell,
            **_known("collected", np.take_along_axis(state.cells.collected, own, axis=1)),
            **_known("inferred", np.take_along_axis(state.cells.inferred, own, axis=1)),
        }


AGENT_MODES: dict[AgentsName, type[AgentMode]] = {"cells": CellMode, "participants": ParticipantMode}


def _known(name: str, values: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Values with 0 for NaN, and which of them are known: NaN equals nothing, not even itself."""
    known = ~np.isnan(values)
    return {name: np.where(known, values, 0.0), f"is_{name}": known.astype(np.int8)}


def _numbers(shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Counting from 0 along the last axis."""
    return np.ascontiguousarray(np.broadcast_to(np.arange(shape[-1], dtype=np.int32), shape))


@kernel
def _gains_of_cells(state: SensingState, copies: Copies) -> None:
    for b in copies:
        for x in range(state.cells.crowd.shape[1]):
            sensed = state.cells.crowd[b, x] > 0
            state.outcome.gain[b, x] = state.outcome.error_without[b, x] - state.outcome.error[b] if sensed else 0.0


@kernel
def _gains_of_participants(state: SensingState, copies: Copies) -> None:
    for b in copies:
        for p in range(state.participants.cell.shape[1]):
            x = state.participants.cell[b, p]
            alone = state.cells.crowd[b, x] == 1
            state.outcome.gain[b, p] = state.outcome.error_without[b, x] - state.outcome.error[b] if alone else 0.0
