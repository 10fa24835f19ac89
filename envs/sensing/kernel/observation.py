"""What an agent of sensing sees, as one flat row of numbers in [-1, 1].

All of it is known to the platform: where participants are, what was collected, and what is inferred from it. The
features of a cell that are the same for every observer are computed once a cycle; where it is from the observer is in
tables made once. Sizes are fixed, and a number that is not known is 0.

Observations are written over those of the cycle before: where things are is left as it is for what has not moved.
"""

from typing import NamedTuple

import numpy as np

from crowdgym.common.jit import inlined, kernel
from crowdgym.common.layout import FLAG, ObservationLayout, Unit
from crowdgym.envs.core.lanes import copy_rest, copy_row
from crowdgym.envs.sensing.kernel.dynamics import Copies, note_misses, take_error
from crowdgym.envs.sensing.kernel.features import (
    ATTRIBUTE,
    CELL,
    HERE,
    MISSED,
    OF_ATTRIBUTE,
    OF_CELL,
    OF_PARTICIPANT,
    OF_RELATION,
    OF_SELF,
    PARTICIPANT,
    PARTICIPANT_FEATURES,
    RELATION_FEATURES,
    SELF,
    SELF_FEATURES,
)
from crowdgym.envs.sensing.kernel.state import Floats, Ints, Rows, SensingState, World

NEAR_CELLS = 8  # at most, around a cell
OLD_CYCLES = 30.0  # a value that is so old, or older, is of age 1
DEVIATIONS = 3.0  # of a value from the mean that count as 1


def observation_of_cell(participants: int, near_cells: int, of_cell: tuple[str, ...]) -> ObservationLayout:
    """The sets of what a cell sees, in order. ``of_cell`` are `cell_features`."""
    return ObservationLayout.of(
        (
            ("self", 1, (*SELF_FEATURES, *of_cell)),
            ("participants", participants, PARTICIPANT_FEATURES),
            ("near_cells", near_cells, (*RELATION_FEATURES, *of_cell)),
        )
    )


def observation_of_participant(cells: int, of_cell: tuple[str, ...]) -> ObservationLayout:
    """The sets of what a participant sees, in order. ``of_cell`` are `cell_features`."""
    return ObservationLayout.of(
        (("self", 1, (*SELF_FEATURES, *of_cell)), ("cells", cells, (HERE, *RELATION_FEATURES, *of_cell)))
    )


def state_layout(cells: int, participants: int, of_cell: tuple[str, ...]) -> ObservationLayout:
    """The sets of a global state, in order. ``of_cell`` are `cell_features`."""
    return ObservationLayout.of(
        (
            ("clock", 1, ("elapsed",)),
            ("cells", cells, of_cell),
            ("participants", participants, ("x", "y")),
        )
    )


def units_of(attributes: tuple[str, ...], sight: "Sight", participants: int, cycles: int) -> dict[str, Unit]:
    """What a 1 stands for, feature by feature, of observations and of the global state."""
    units = dict.fromkeys((HERE, "sensed", "ever_sensed", *(f"known_{name}" for name in attributes)), FLAG)
    units |= dict.fromkeys(("x", "y"), Unit.of(sight.extent_km, "km from the region's centre"))
    units |= dict.fromkeys(RELATION_FEATURES, Unit.of(sight.reach_km, "km"))
    units |= {
        "elapsed": Unit("the episode", float(cycles - 1)),
        "crowd": Unit("all participants", float(participants)),
        "age": Unit.of(OLD_CYCLES, "cycles or never"),
    }
    for name in attributes:
        wide = Unit.of(DEVIATIONS, f"standard deviations from the mean of {name} collected so far")
        units |= {f"latest_{name}": wide, f"inferred_{name}": wide}
        units[f"{MISSED}_{name}"] = Unit.of(DEVIATIONS, f"standard deviations of {name} collected so far")
    return units


class Sight(NamedTuple):
    """Where cells are to each other, scaled."""

    place: Rows  # [X, 2] from the centre
    relation: Rows  # [X, X, 3] from the first cell to the second: dx, dy, distance
    near: Ints  # [X, M] the nearest other cells
    extent_km: float
    reach_km: float

    @classmethod
    def of(cls, world: World) -> "Sight":
        """The tables of a world."""
        sides = [(float(each.min()), float(each.max())) for each in (world.x_km, world.y_km)]
        centre = [(low + high) / 2 for low, high in sides]
        extent_km = max(max(high - low for low, high in sides) / 2, 1e-9)
        reach_km = max(float(world.distance_km.max()), 1e-9)
        offset = np.stack(
            [world.x_km - world.x_km[:, np.newaxis], world.y_km - world.y_km[:, np.newaxis], world.distance_km], axis=-1
        )
        place = np.stack([world.x_km - centre[0], world.y_km - centre[1]], axis=1) / extent_km
        near = np.ascontiguousarray(world.nearest[:, :NEAR_CELLS])
        return cls(place.astype(np.float32), (offset / reach_km).astype(np.float32), near, extent_km, reach_km)


@inlined
def _clip(value: float) -> float:
    return min(1.0, max(-1.0, value))


@inlined
def _scaled(value: float, mean: float, deviation: float) -> float:
    if np.isnan(value) or deviation == 0.0:
        return 0.0
    return _clip((value - mean) / (DEVIATIONS * deviation))


@kernel
def describe_cells(state: SensingState, b: int) -> None:
    """Compute the features of the cells of a copy that are the same for every observer, as `cell_features` has them."""
    cells, totals, rows = state.cells, state.totals, state.scratch.cell_rows[b]
    participants = state.participants.cell.shape[1]
    for x in range(rows.shape[0]):
        sensed_at = cells.sensed_at[b, x]
        rows[x, CELL.sensed] = 1.0 if cells.crowd[b, x] > 0 else 0.0
        rows[x, CELL.crowd] = cells.crowd[b, x] / participants
        rows[x, CELL.ever_sensed] = 1.0 if sensed_at >= 0 else 0.0
        rows[x, CELL.age] = min(1.0, (state.cycle[b] - sensed_at) / OLD_CYCLES) if sensed_at >= 0 else 1.0
    for a in range(state.truth.shape[3]):
        count = totals.number[b, a]
        deviation = np.sqrt(totals.squares[b, a] / count) if count > 0 else 0.0
        mean, first = totals.mean[b, a], OF_CELL + OF_ATTRIBUTE * a
        for x in range(rows.shape[0]):
            latest = cells.latest[b, x, a]
            rows[x, first + ATTRIBUTE.known] = 0.0 if np.isnan(latest) else 1.0
            rows[x, first + ATTRIBUTE.latest] = _scaled(latest, mean, deviation)
            rows[x, first + ATTRIBUTE.inferred] = _scaled(cells.inferred[b, x, a], mean, deviation)
        first = OF_CELL + OF_ATTRIBUTE * state.truth.shape[3] + a  # of the scores
        if first < rows.shape[1]:
            for x in range(rows.shape[0]):
                compared = cells.compared[b, x, a]
                missed = cells.missed[b, x, a] / compared if compared > 0.0 else np.nan
                rows[x, first] = _scaled(missed, 0.0, deviation)


@inlined
def _write_self(sight: Sight, state: SensingState, b: int, x: int, row: Rows) -> int:
    """Where the observer is and what its cell is. Returns how many numbers were written."""
    row[SELF.x], row[SELF.y] = sight.place[x, 0], sight.place[x, 1]
    row[SELF.elapsed] = state.cycle[b] / (state.truth.shape[1] - 1)
    return _write_cell(row, OF_SELF, state.scratch.cell_rows[b], x)


@inlined
def _write_cell(row: Rows, at: int, cell_rows: Rows, z: int) -> int:
    """What cell ``z`` is, the same for every observer. Returns where that ends."""
    end = at + int(cell_rows.shape[1])
    copy_rest(cell_rows, z, row, at)
    return end


@inlined
def _write_relation(row: Rows, at: int, sight: Sight, x: int, z: int) -> None:
    """Where cell ``z`` is from cell ``x``."""
    copy_row(sight.relation[x], z, row, at, OF_RELATION)


@kernel
def finish_for_cells(world: World, sight: Sight, state: SensingState, copies: Copies, observations: Rows) -> None:
    """Take the error of a cycle, and work out what every cell sees. Observations have shape [B, X, F]."""
    for b in copies:
        take_error(world, state, b)
        note_misses(state, b)
        describe_cells(state, b)
        _see_as_cells(sight, state, b, observations[b])


@kernel
def _see_as_cells(sight: Sight, state: SensingState, b: int, rows: Rows) -> None:
    cell, came_from, crowd = state.participants.cell[b], state.participants.came_from[b], state.cells.crowd[b]
    cell_rows, unseen = state.scratch.cell_rows[b], state.scratch.unseen[b] == 1
    participants = len(cell)
    for x in range(rows.shape[0]):
        row = rows[x]
        at = _write_self(sight, state, b, x, row)
        for p in range(participants):
            u = cell[p]
            row[at + PARTICIPANT.here] = 1.0 if u == x else 0.0
            if unseen or came_from[p] != u:
                _write_relation(row, at + PARTICIPANT.dx, sight, x, u)
            row[at + PARTICIPANT.crowd] = crowd[u] / participants
            at += OF_PARTICIPANT
        for rank in range(sight.near.shape[1]):
            z = sight.near[x, rank]
            if unseen:
                _write_relation(row, at, sight, x, z)
            at = _write_cell(row, at + OF_RELATION, cell_rows, z)
    state.scratch.unseen[b] = 0


@kernel
def finish_for_participants(
    world: World, sight: Sight, state: SensingState, copies: Copies, observations: Rows
) -> None:
    """Take the error of a cycle, and work out what every participant sees. Observations have shape [B, P, F]."""
    for b in copies:
        take_error(world, state, b)
        note_misses(state, b)
        describe_cells(state, b)
        _see_as_participants(sight, state, b, observations[b])


@kernel
def _see_as_participants(sight: Sight, state: SensingState, b: int, rows: Rows) -> None:
    cell_rows, unseen = state.scratch.cell_rows[b], state.scratch.unseen[b] == 1
    for p in range(rows.shape[0]):
        row, u = rows[p], state.participants.cell[b, p]
        changed = unseen or state.participants.came_from[b, p] != u
        at = _write_self(sight, state, b, u, row)
        for z in range(cell_rows.shape[0]):
            if changed:
                row[at] = 1.0 if z == u else 0.0
                _write_relation(row, at + 1, sight, u, z)  # behind HERE
            at = _write_cell(row, at + 1 + OF_RELATION, cell_rows, z)
    state.scratch.unseen[b] = 0


def global_state(sight: Sight, state: SensingState, b: int) -> Rows:
    """Copy ``b`` as one row in [-1, 1], for centralised critics. Shape [state_layout(X, P, of_cell).width]."""
    elapsed = np.array([state.cycle[b] / (state.truth.shape[1] - 1)], np.float32)
    places = sight.place[state.participants.cell[b]]
    return np.concatenate([elapsed, state.scratch.cell_rows[b].ravel(), places.ravel()])


def as_places(world: World) -> Floats:
    """Coordinates of the cells in km. Shape [X, 2]."""
    return np.stack([world.x_km, world.y_km], axis=1)
