"""What an agent of sensing sees, as one flat row of numbers in [-1, 1].

All of it is known to the platform: where participants are, what was collected, and what is inferred from it. What a
cell is to everyone is worked out once a cycle; what it is to the observer is in tables made once. Sizes are fixed, and
a number that is not known is 0.
"""

from typing import NamedTuple

import numpy as np

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.sensing.kernel.dynamics import Copies, take_error
from crowdgym.envs.sensing.kernel.state import Floats, Ints, Rows, SensingState, World

NEAR_CELLS = 8  # at most, around a cell
OLD_CYCLES = 30.0  # a value that is so old, or older, is of age 1
DEVIATIONS = 3.0  # of a value from the mean that count as 1

SELF_FEATURES = ("x", "y", "elapsed")
RELATION = ("dx", "dy", "distance")
PARTICIPANT_FEATURES = ("here", *RELATION, "crowd")
_CELL_FLAGS = ("sensed", "crowd", "ever_sensed", "age")
_FLAGS = len(_CELL_FLAGS)
_PER_ATTRIBUTE = 3


def cell_features(attributes: tuple[str, ...]) -> tuple[str, ...]:
    """What a cell is to everyone."""
    of_attributes = ((f"known_{name}", f"latest_{name}", f"inferred_{name}") for name in attributes)
    return (*_CELL_FLAGS, *(feature for features in of_attributes for feature in features))


def units_of(attributes: tuple[str, ...], sight: "Sight") -> dict[str, str]:
    """What a 1 stands for, feature by feature."""
    flags = ("here", "sensed", "ever_sensed", *(f"known_{name}" for name in attributes))
    units = dict.fromkeys(flags, "flag")
    units |= dict.fromkeys(("x", "y"), f"{sight.extent_km:g} km from the region's centre")
    units |= dict.fromkeys(RELATION, f"{sight.reach_km:g} km")
    units |= {"elapsed": "the episode", "crowd": "all participants", "age": f"{OLD_CYCLES:g} cycles or never"}
    for name in attributes:
        wide = f"{DEVIATIONS:g} standard deviations from the mean of {name} collected so far"
        units |= {f"latest_{name}": wide, f"inferred_{name}": wide}
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
    """Work out what each cell of a copy is to everyone, in the order of `cell_features`."""
    cells, totals, rows = state.cells, state.totals, state.scratch.cell_rows[b]
    participants = state.participants.cell.shape[1]
    for x in range(rows.shape[0]):
        sensed_at = cells.sensed_at[b, x]
        rows[x, 0] = 1.0 if cells.crowd[b, x] > 0 else 0.0
        rows[x, 1] = cells.crowd[b, x] / participants
        rows[x, 2] = 1.0 if sensed_at >= 0 else 0.0
        rows[x, 3] = min(1.0, (state.cycle[b] - sensed_at) / OLD_CYCLES) if sensed_at >= 0 else 1.0
    for a in range(state.truth.shape[3]):
        count = totals.number[b, a]
        deviation = np.sqrt(totals.squares[b, a] / count) if count > 0 else 0.0
        mean, first = totals.mean[b, a], _FLAGS + _PER_ATTRIBUTE * a
        for x in range(rows.shape[0]):
            latest = cells.latest[b, x, a]
            rows[x, first] = 0.0 if np.isnan(latest) else 1.0
            rows[x, first + 1] = _scaled(latest, mean, deviation)
            rows[x, first + 2] = _scaled(cells.inferred[b, x, a], mean, deviation)


@inlined
def _write_self(sight: Sight, state: SensingState, b: int, x: int, row: Rows) -> int:
    """Where the observer is and what its cell is. Returns how many numbers were written."""
    cell_rows = state.scratch.cell_rows
    row[0], row[1] = sight.place[x, 0], sight.place[x, 1]
    row[2] = state.cycle[b] / (state.truth.shape[1] - 1)
    for feature in range(cell_rows.shape[2]):
        row[3 + feature] = cell_rows[b, x, feature]
    return 3 + int(cell_rows.shape[2])


@kernel
def finish_for_cells(world: World, sight: Sight, state: SensingState, copies: Copies, observations: Rows) -> None:
    """Take the error of a cycle, and work out what every cell sees. Observations have shape [B, X, F]."""
    for b in copies:
        take_error(world, state, b)
        describe_cells(state, b)
        _see_as_cells(sight, state, b, observations[b])


@kernel
def _see_as_cells(sight: Sight, state: SensingState, b: int, rows: Rows) -> None:
    cell, crowd, cell_rows = state.participants.cell[b], state.cells.crowd[b], state.scratch.cell_rows[b]
    participants = len(cell)
    for x in range(rows.shape[0]):
        row = rows[x]
        at = _write_self(sight, state, b, x, row)
        for p in range(participants):
            u = cell[p]
            row[at] = 1.0 if u == x else 0.0
            row[at + 1], row[at + 2], row[at + 3] = (
                sight.relation[x, u, 0],
                sight.relation[x, u, 1],
                sight.relation[x, u, 2],
            )
            row[at + 4] = crowd[u] / participants
            at += 5
        for rank in range(sight.near.shape[1]):
            z = sight.near[x, rank]
            row[at], row[at + 1], row[at + 2] = (
                sight.relation[x, z, 0],
                sight.relation[x, z, 1],
                sight.relation[x, z, 2],
            )
            for feature in range(cell_rows.shape[1]):
                row[at + 3 + feature] = cell_rows[z, feature]
            at += 3 + cell_rows.shape[1]


@kernel
def finish_for_participants(
    world: World, sight: Sight, state: SensingState, copies: Copies, observations: Rows
) -> None:
    """Take the error of a cycle, and work out what every participant sees. Observations have shape [B, P, F]."""
    for b in copies:
        take_error(world, state, b)
        describe_cells(state, b)
        _see_as_participants(sight, state, b, observations[b])


@kernel
def _see_as_participants(sight: Sight, state: SensingState, b: int, rows: Rows) -> None:
    cell_rows = state.scratch.cell_rows[b]
    for p in range(rows.shape[0]):
        row, u = rows[p], state.participants.cell[b, p]
        at = _write_self(sight, state, b, u, row)
        for z in range(cell_rows.shape[0]):
            row[at] = 1.0 if z == u else 0.0
            row[at + 1], row[at + 2], row[at + 3] = (
                sight.relation[u, z, 0],
                sight.relation[u, z, 1],
                sight.relation[u, z, 2],
            )
            for feature in range(cell_rows.shape[1]):
                row[at + 4 + feature] = cell_rows[z, feature]
            at += 4 + cell_rows.shape[1]


def state_width(cells: int, participants: int, features: int) -> int:
    """Numbers in a global state: elapsed time, then a row for each cell, then x and y of each participant."""
    return 1 + cells * features + 2 * participants


def global_state(sight: Sight, state: SensingState, b: int) -> Rows:
    """Copy ``b`` as one row in [-1, 1], for centralised critics. Shape [state_width]."""
    elapsed = np.array([state.cycle[b] / (state.truth.shape[1] - 1)], np.float32)
    places = sight.place[state.participants.cell[b]]
    return np.concatenate([elapsed, state.scratch.cell_rows[b].ravel(), places.ravel()])


def as_places(world: World) -> Floats:
    """Coordinates of the cells in km. Shape [X, 2]."""
    return np.stack([world.x_km, world.y_km], axis=1)
