"""One moment of one copy of sensing, copied out of the arrays: for pictures, logs and checks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.sensing.kernel.simulation import Metrics, SensingSimulation

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SensingSnapshot:
    """Everything after one cycle, the truth included: not for policies. X cells, A attributes, P participants."""

    cycle: int
    cycles: int  # of the episode
    metrics: Metrics
    participant_cell: NDArray[np.int32]  # [P]
    came_from: NDArray[np.int32]  # [P] the cell of the last cycle
    travel_km: Floats  # [P]
    crowd: NDArray[np.int32]  # [X] participants in it
    collected: Floats  # [X, A] NaN where there is none
    inferred: Floats  # [X, A] from other cells; NaN where there has never been any
    truth: Floats  # [X, A] NaN where it is missing
    cell_error: Floats  # [X] over attributes, normalised; NaN where nothing is counted
    attribute_error: Floats  # [A] of this cycle, in the attribute's unit
    error: Floats  # [cycle + 1] of each cycle so far, normalised
    cost_km: Floats  # [cycle + 1]

    @classmethod
    def of(cls, simulation: SensingSimulation, b: int) -> "SensingSnapshot":
        """The present moment of copy ``b``."""
        state = simulation.state
        cycle = int(state.cycle[b])
        return cls(
            cycle=cycle,
            cycles=simulation.cycles,
            metrics=simulation.metrics(b),
            participant_cell=state.participants.cell[b].copy(),
            came_from=state.participants.came_from[b].copy(),
            travel_km=state.participants.travel_km[b].copy(),
            crowd=state.cells.crowd[b].copy(),
            collected=state.cells.collected[b].copy(),
            inferred=state.cells.inferred[b].copy(),
            truth=state.truth[b, cycle].copy(),
            cell_error=state.outcome.cell_error[b].copy(),
            attribute_error=state.outcome.attribute_error[b].copy(),
            error=state.history.error[b, : cycle + 1].copy(),
            cost_km=state.history.cost_km[b, : cycle + 1].copy(),
        )
