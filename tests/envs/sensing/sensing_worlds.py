"""Small worlds of sensing, drawn as rows of cells, for tests by hand.

A world is a line of text for each cycle, one drawing for each attribute: the true value of each cell, ``.`` where it is
missing. Cells are on a line, at the kilometres given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.sensing import AgentsName
from crowdgym.envs.sensing.agent_modes import AGENT_MODES
from crowdgym.envs.sensing.inference import InferenceStrategy, NearestInference
from crowdgym.envs.sensing.instance import SensingInstance
from crowdgym.envs.sensing.kernel.simulation import SensingSimulation
from crowdgym.envs.sensing.kernel.state import World

NAN = float("nan")


def truth(*attributes: str) -> NDArray[np.float64]:
    """Values [Y, X, A] from a drawing for each attribute, a line for each cycle."""
    tables = [
        [[NAN if word == "." else float(word) for word in line.split()] for line in drawing.strip().splitlines()]
        for drawing in attributes
    ]
    return np.stack([np.array(table) for table in tables], axis=-1)


@dataclass
class Line:
    """Cells on a line, and who is where at first. KNN with one neighbour and scales of 1, unless said otherwise."""

    values: NDArray[np.float64]
    start: Sequence[int]
    km: Sequence[float] = ()
    scale: Sequence[float] = ()
    agents: AgentsName = "cells"
    inference: InferenceStrategy = field(default_factory=lambda: NearestInference("knn", 1, 0.0))
    needs_gains: bool = False

    def begin(self) -> SensingSimulation:
        """A simulation of one copy, its cycle 0 played."""
        cycles, cells, attributes = self.values.shape
        x_km = np.array(self.km or range(cells), np.float64)
        world = World.of(x_km, np.zeros(cells), np.array(self.scale or [1.0] * attributes))
        mode = AGENT_MODES[self.agents](cells, len(self.start), tuple("abcd"[:attributes]))
        simulation = SensingSimulation(
            world, mode, self.inference, cycles=cycles, batch=1, needs_gains=self.needs_gains
        )
        simulation.reset_copy(0, SensingInstance(self.values, np.array(self.start, np.int32)))
        return simulation


def play(simulation: SensingSimulation, *joint_actions: Sequence[int]) -> SensingSimulation:
    """Play some cycles."""
    for joint in joint_actions:
        simulation.step(np.array([joint], np.int64))
    return simulation


def where(simulation: SensingSimulation) -> list[int]:
    """The cell of each participant."""
    return [int(x) for x in simulation.state.participants.cell[0]]


def inferred(simulation: SensingSimulation, attribute: int = 0) -> list[float]:
    """What each cell is inferred to be."""
    return [float(value) for value in simulation.state.cells.inferred[0, :, attribute]]
