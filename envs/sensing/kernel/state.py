"""The state of sensing: structures of arrays, the leading axis of those that change the B copies of the environment.

Axes: B copies, Y cycles, X cells, A attributes, P participants, N agents (cells or participants).
"""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined
from crowdgym.envs.core.arrays import allocate, zero

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Rows = NDArray[np.float32]


class World(NamedTuple):
    """What all copies share and nothing changes. X cells, A attributes."""

    x_km: Annotated[Floats, "X"]
    y_km: Annotated[Floats, "X"]
    distance_km: Annotated[Floats, "X, X"]
    nearest: Annotated[Ints, "X, X - 1"]  # the other cells by distance, ties by the smaller cell
    scale: Annotated[Floats, "A"]  # Gamma

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

    cell: Annotated[Ints, "B, P"]  # where each is
    came_from: Annotated[Ints, "B, P"]  # where it was in the last cycle
    travel_km: Annotated[Floats, "B, P"]  # C_p of this cycle


class Cells(NamedTuple):
    """X cells."""

    crowd: Annotated[Ints, "B, X"]  # participants in it
    collected: Annotated[Floats, "B, X, A"]  # CS of this cycle; NaN where there is none
    inferred: Annotated[Floats, "B, X, A"]  # IS of this cycle, from other cells; NaN where there has never been any
    inferred_before: Annotated[Floats, "B, X, A"]  # the same of the last cycle
    latest: Annotated[Floats, "B, X, A"]  # the value collected last, or NaN
    sensed_at: Annotated[Ints, "B, X"]  # the cycle in which it was sensed last, or -1
    missed: Annotated[Floats, "B, X, A"]  # sum of |CS - IS| over the cycles so far that had both
    compared: Annotated[Floats, "B, X, A"]  # the number of these cycles


class Outcome(NamedTuple):
    """What a cycle made. `clear_outcome` writes zeros into all of it as a cycle begins.

    A new quantity, for a reward of your own, needs a line here and a line in dynamics.py that writes it.
    """

    error: Annotated[Floats, "B"]  # epsilon_y, normalised
    attribute_error: Annotated[Floats, "B, A"]  # SE, in the attribute's unit
    cell_error: Annotated[Floats, "B, X"]  # over attributes, normalised; NaN where nothing is counted
    cost_km: Annotated[Floats, "B"]  # C
    caused_km: Annotated[Floats, "B, N"]  # share of C that an agent caused
    gain: Annotated[Floats, "B, N"]  # by how much the error would be larger without what it sensed, if anyone needs it
    error_without: Annotated[Floats, "B, X"]  # epsilon_y without what a sensed cell gave, if anyone needs it


@inlined
def clear_outcome(outcome: Outcome, b: int) -> None:
    """Clear what the cycle before made in copy ``b``."""
    zero(outcome[:], b)


class Totals(NamedTuple):
    """Sums over the cycles so far."""

    attribute_error: Annotated[Floats, "B, A"]  # of SE
    cost_km: Annotated[Floats, "B"]  # of C
    number: Annotated[Floats, "B, A"]  # of values collected
    mean: Annotated[Floats, "B, A"]  # their mean
    squares: Annotated[Floats, "B, A"]  # sum of their squared differences from it


class History(NamedTuple):
    """Every cycle so far."""

    error: Annotated[Floats, "B, Y"]  # epsilon_y
    cost_km: Annotated[Floats, "B, Y"]  # C


class Scratch(NamedTuple):
    """Room for the kernels to work in."""

    asked_by: Annotated[Ints, "B, P"]  # the nearest cell that asks for each participant, or -1
    guess: Annotated[Floats, "B, A"]  # sums of weighted values, then inferred values
    weight: Annotated[Floats, "B, A"]  # sums of weights
    used: Annotated[Ints, "B, A"]  # neighbours used
    total: Annotated[Floats, "B, A"]  # sums of errors
    counted: Annotated[Ints, "B, A"]  # cells counted
    cell_rows: Annotated[Rows, "B, X, cell columns"]  # features that are the same for every observer
    unseen: Annotated[
        NDArray[np.int8], "B"
    ]  # 1 until the first observation of the episode: there is none to write over


class SensingState(NamedTuple):
    """All of the above, but for the world."""

    truth: Annotated[Floats, "B, Y, X, A"]  # RS; NaN where it is missing
    cycle: Annotated[NDArray[np.int64], "B"]  # y
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
    axes = dict(zip(("B", "Y", "X", "A", "P", "N", "cell columns"), sizes, strict=True))
    return allocate(SensingState, axes)
