"""The kernel of sensing: moves, what is collected, and the error of a cycle, by ``docs/sensing_dynamics.md``."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.sensing.kernel.state import SensingState, World, clear_outcome

Copies = NDArray[np.int64]
Actions = NDArray[np.int64]


@kernel
def play_asked(world: World, state: SensingState, actions: Actions, copies: Copies) -> None:
    """Begin the next cycle of some copies with the actions of cells, shape [B, X]: 0 holds, p + 1 asks for p."""
    for b in copies:
        cell, asked_by = state.participants.cell[b], state.scratch.asked_by[b]
        for p in range(len(cell)):
            asked_by[p] = -1
        for x in range(actions.shape[1]):
            p = actions[b, x] - 1
            if p < 0:
                continue
            nearest = asked_by[p]
            if nearest < 0 or world.distance_km[cell[p], x] < world.distance_km[cell[p], nearest]:
                asked_by[p] = x
        state.cycle[b] += 1
        clear_outcome(state.outcome, b)
        for p in range(len(cell)):
            _move(world, state, b, p, asked_by[p] if asked_by[p] >= 0 else cell[p])
        _charge(state, b)
        for p in range(len(cell)):
            state.outcome.caused_km[b, cell[p]] += state.participants.travel_km[b, p] / len(cell)
        sense(state, b)


@kernel
def play_chosen(world: World, state: SensingState, actions: Actions, copies: Copies) -> None:
    """Begin the next cycle of some copies with the actions of participants, shape [B, P]: where each goes."""
    for b in copies:
        participants = actions.shape[1]
        state.cycle[b] += 1
        clear_outcome(state.outcome, b)
        for p in range(participants):
            _move(world, state, b, p, actions[b, p])
            state.outcome.caused_km[b, p] = state.participants.travel_km[b, p] / participants
        _charge(state, b)
        sense(state, b)


@inlined
def _move(world: World, state: SensingState, b: int, p: int, goal: int) -> None:
    participants = state.participants
    start = participants.cell[b, p]
    participants.came_from[b, p] = start
    participants.cell[b, p] = goal
    participants.travel_km[b, p] = world.distance_km[start, goal]


@inlined
def _charge(state: SensingState, b: int) -> None:
    travel_km = 0.0
    participants = state.participants.travel_km.shape[1]
    for p in range(participants):
        travel_km += state.participants.travel_km[b, p]
    state.outcome.cost_km[b] = travel_km / participants
    state.totals.cost_km[b] += state.outcome.cost_km[b]


@kernel
def sense(state: SensingState, b: int) -> None:
    """Collect what is true in the cells where participants are, and take note of it."""
    cells, totals = state.cells, state.totals
    cycle, attributes = state.cycle[b], state.truth.shape[3]
    cells.crowd[b, :] = 0
    for p in range(state.participants.cell.shape[1]):
        cells.crowd[b, state.participants.cell[b, p]] += 1
    for x in range(cells.crowd.shape[1]):
        sensed = cells.crowd[b, x] > 0
        if sensed:
            cells.sensed_at[b, x] = cycle
        for a in range(attributes):
            cells.inferred_before[b, x, a] = cells.inferred[b, x, a]
            value = state.truth[b, cycle, x, a] if sensed else np.nan
            cells.collected[b, x, a] = value
            if np.isnan(value):
                continue
            cells.latest[b, x, a] = value
            totals.number[b, a] += 1.0
            ahead = value - totals.mean[b, a]
            totals.mean[b, a] += ahead / totals.number[b, a]
            totals.squares[b, a] += ahead * (value - totals.mean[b, a])


@kernel
def take_error(world: World, state: SensingState, b: int) -> None:
    """Compare inferred values with true ones in the cells without a participant (Eq. 15), and add the errors."""
    outcome, cells, cycle = state.outcome, state.cells, state.cycle[b]
    attributes = state.truth.shape[3]
    total, counted = state.scratch.total[b], state.scratch.counted[b]
    total[:] = 0.0
    counted[:] = 0
    for x in range(cells.crowd.shape[1]):
        outcome.cell_error[b, x] = np.nan
        if cells.crowd[b, x] > 0:
            continue
        for a in range(attributes):
            true = state.truth[b, cycle, x, a]
            if np.isnan(true):
                continue
            error = error_of(world, a, cells.inferred[b, x, a], true)
            total[a] += error
            counted[a] += 1
            so_far = outcome.cell_error[b, x]
            outcome.cell_error[b, x] = (0.0 if np.isnan(so_far) else so_far) + error / world.scale[a]
    normalised = 0.0
    for a in range(attributes):
        error = total[a] / counted[a] if counted[a] > 0 else 0.0
        outcome.attribute_error[b, a] = error
        state.totals.attribute_error[b, a] += error
        normalised += error / world.scale[a]
    outcome.error[b] = normalised
    state.history.error[b, cycle] = outcome.error[b]
    state.history.cost_km[b, cycle] = outcome.cost_km[b]


@kernel
def note_misses(state: SensingState, b: int) -> None:
    """Add by how much the inference from other cells misses what was collected."""
    cells = state.cells
    for x in range(cells.crowd.shape[1]):
        for a in range(state.truth.shape[3]):
            miss = abs(cells.collected[b, x, a] - cells.inferred[b, x, a])
            if not np.isnan(miss):
                cells.missed[b, x, a] += miss
                cells.compared[b, x, a] += 1.0


@inlined
def error_of(world: World, a: int, inferred: float, true: float) -> float:
    """The error at one cell; the whole scale where nothing could be inferred."""
    return world.scale[a] if np.isnan(inferred) else abs(inferred - true)


@kernel
def place(state: SensingState, b: int) -> None:
    """Play cycle 0 up to what is collected: the participants are where ``cell`` says, at no cost."""
    for values in (state.cells.collected, state.cells.inferred, state.cells.inferred_before, state.cells.latest):
        values[b, :, :] = np.nan
    state.cells.sensed_at[b, :] = -1
    state.cells.missed[b, :, :] = 0.0
    state.cells.compared[b, :, :] = 0.0
    for sums in (state.totals.attribute_error, state.totals.number, state.totals.mean, state.totals.squares):
        sums[b, :] = 0.0
    state.totals.cost_km[b] = 0.0
    clear_outcome(state.outcome, b)
    for p in range(state.participants.cell.shape[1]):
        state.participants.came_from[b, p] = state.participants.cell[b, p]
        state.participants.travel_km[b, p] = 0.0
    state.cycle[b] = 0
    state.scratch.unseen[b] = 1
    sense(state, b)
