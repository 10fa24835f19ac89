"""What infos hold only if it is asked for: worked out at every epoch then, and not at all otherwise."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import kernel
from crowdgym.configs.csc import InfoName
from crowdgym.envs.core.clock import Clock
from crowdgym.envs.core.neighbours import NO_NEIGHBOUR
from crowdgym.envs.core.road_graph import RoadArrays, travel_time_s
from crowdgym.envs.csc.kernel.dynamics import gain_of_joining
from crowdgym.envs.csc.kernel.projection import NO_WORKER
from crowdgym.envs.csc.kernel.state import NEIGHBOURS, CscState, Floats, Ints, Rules, units_to_task

Asked = dict[str, NDArray[Any]]


def empty_asked(names: tuple[InfoName, ...], batch: int, workers: int, candidates: int) -> Asked:
    """Arrays for what is asked for, by name: gain, [B, W, K], and neighbours, [B, W, rows of W_near]."""
    arrays: Asked = {
        "gain": np.zeros((batch, workers, candidates)),
        "neighbours": np.full((batch, workers, NEIGHBOURS), NO_WORKER, np.int32),
    }
    return {name: arrays[name] for name in names}


@kernel
def list_gains(
    state: CscState,
    roads: RoadArrays,
    rules: Rules,
    clock: Clock,
    epochs: NDArray[np.int64],
    copies: NDArray[np.int64],
    gain: Floats,
) -> None:
    """Write what joining each candidate now would add to its projected payment, into ``gain``, shape [B, W, K]."""
    candidates = state.output.candidates
    for b in copies:
        now_s = min(epochs[b] * clock.step_s, clock.horizon_s)
        for w in range(gain.shape[1]):
            node = state.workers.node[b, w]
            for slot in range(gain.shape[2]):
                task = candidates[b, w, slot]
                gain[b, w, slot] = 0.0
                if task >= 0:
                    units = units_to_task(state.distances, b, node, task)
                    arrival_s = now_s + travel_time_s(units, roads.unit_m, rules.speed_mps)
                    gain[b, w, slot] = gain_of_joining(state, rules, b, task, arrival_s)


@kernel
def list_neighbours(near_workers: Ints, copies: NDArray[np.int64], neighbours: Ints) -> None:
    """Write the ids behind the rows of W_near, or `NO_WORKER`, into ``neighbours``, shape [B, W, rows]."""
    for b in copies:
        for w in range(neighbours.shape[1]):
            for row in range(neighbours.shape[2]):
                other = near_workers[b, w, row]
                neighbours[b, w, row] = NO_WORKER if other == NO_NEIGHBOUR else other
