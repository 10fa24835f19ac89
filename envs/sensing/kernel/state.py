"""The state of sensing: structures of arrays, the leading axis of those that change the B copies of the environment."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Rows = NDArray[np.float32]


class World(NamedTuple):
    """What all copies share and nothing changes. X cells, A attributes."""

    x_km: Floats  # [X]
    y_km: Floats  # [X]
    distance_km: Floats  # [X, X]
    nearest: Ints  # [X, X - 1] the other cells by distance, ties by the smaller cell
    scale: Floats  # [A] Gamma

    @classmethod
    def of(cls, x_km: Floats, y_km: Floats, scale: Floats) -> "World":
        """The world of these cells."""
        distance_km = np.hypot(x_km[:, np.newaxis] - x_km, y_km[:, np.newaxis] - y_km)
        apart = distance_km.copy()
        np.fill_diagonal(apart, -1.0)  # a cell is first in its own row, also where another one is at the same place
        nearest = np.argsort(apart, axis=1, kind="stable")[:, 1:].astype(np.int32)
        return cls(x_km.copy(), y_km.copy(), distance_km, np.ascontiguousarray(nearest), scale.copy())


class Participants(NamedTuple):
    """P participants."""

    cell: Ints  # [B, P] where each is
    came_from: Ints  # [B, P] where it was in the last cycle
    travel_km: Floats  # [B, P] C_p of this cycle


class Cells(NamedTuple):
    """X cells."""

    crowd: Ints  # [B, X] participants in it
    collected: Floats  # [B, X, A] CS of this cycle; NaN where there is none
    inferred: Floats  # [B, X, A] IS of this cycle, from other cells; NaN where there has never been any
    inferred_before: Floats  # [B, X, A] the same of the last cycle
    latest: Floats  # [B, X, A] the value collected last, or NaN
    sensed_at: Ints  # [B, X] the cycle in which it was sensed last, or -1


class Outcome(NamedTuple):
    """What a cycle came to. N agents: cells or participants."""

    error: Floats  # [B] epsilon_y, normalised
    attribute_error: Floats  # [B, A] SE, in the attribute's unit
    cell_error: Floats  # [B, X] over attributes, normalised; NaN where nothing is counted
    cost_km: Floats  # [B] C
    caused_km: Floats  # [B, N] share of C that an agent caused
    gain: Floats  # [B, N] by how much the error would be larger without what it sensed, if anyone needs it
    error_without: Floats  # [B, X] epsilon_y without what a sensed cell gave, if anyone needs it


class Totals(NamedTuple):
    """Sums over the cycles so far."""

    attribute_error: Floats  # [B, A] of SE
    cost_km: Floats  # [B] of C
    number: Floats  # [B, A] of values collected
    mean: Floats  # [B, A] their mean
    squares: Floats  # [B, A] sum of their squared differences from it


class History(NamedTuple):
    """Every cycle so far."""

    error: Floats  # [B, Y] epsilon_y
    cost_km: Floats  # [B, Y] C


class Scratch(NamedTuple):
    """Room for the kernels to work in."""

    asked_by: Ints  # [B, P] the nearest cell that asks for each participant, or -1
    guess: Floats  # [B, A] sums of weighted values, then inferred values
    weight: Floats  # [B, A] sums of weights
    used: Ints  # [B, A] neighbours used
    total: Floats  # [B, A] sums of errors
    counted: Ints  # [B, A] cells counted
    cell_rows: Rows  # [B, X, C] what each cell is to everyone; see observation.py


class SensingState(NamedTuple):
    """All of the above, but for the world."""

    truth: Floats  # [B, Y, X, A] RS; NaN where it is missing
    cycle: NDArray[np.int64]  # [B] y
    participants: Participants
    cells: Cells
    outcome: Outcome
    totals: Totals
    history: History
    scratch: Scratch


class Sizes(NamedTuple):
    """How much there is of everything."""

    batch: int
    cycles: int
    cells: int
    attributes: int
    participants: int
    agents: int
    cell_features: int


def empty_state(sizes: Sizes) -> SensingState:
    """Arrays for ``sizes.batch`` copies, nothing in them yet."""
    b, x, a, p, n = sizes.batch, sizes.cells, sizes.attributes, sizes.participants, sizes.agents

    def ints(*shape: int) -> Ints:
        return np.zeros(shape, np.int32)

    def floats(*shape: int) -> Floats:
        return np.zeros(shape, np.float64)

    return SensingState(
        truth=floats(b, sizes.cycles, x, a),
        cycle=np.zeros(b, np.int64),
        participants=Participants(cell=ints(b, p), came_from=ints(b, p), travel_km=floats(b, p)),
        cells=Cells(
            crowd=ints(b, x),
            collected=floats(b, x, a),
            inferred=floats(b, x, a),
            inferred_before=floats(b, x, a),
            latest=floats(b, x, a),
            sensed_at=ints(b, x),
        ),
        outcome=Outcome(
            error=floats(b),
            attribute_error=floats(b, a),
            cell_error=floats(b, x),
            cost_km=floats(b),
            caused_km=floats(b, n),
            gain=floats(b, n),
            error_without=floats(b, x),
        ),
        totals=Totals(floats(b, a), floats(b), floats(b, a), floats(b, a), floats(b, a)),
        history=History(floats(b, sizes.cycles), floats(b, sizes.cycles)),
        scratch=Scratch(
            asked_by=ints(b, p),
            guess=floats(b, a),
            weight=floats(b, a),
            used=ints(b, a),
            total=floats(b, a),
            counted=ints(b, a),
            cell_rows=np.zeros((b, x, sizes.cell_features), np.float32),
        ),
    )
