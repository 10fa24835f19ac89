"""The nearest neighbours of many points, by a grid of cells, without an allocation.

Points are binned into square cells, about two to a cell; a query looks at its own cell, then at ring after ring around
it, until no closer point can be left. Ties of distance go to the smaller id, so that the answer does not depend on the
grid.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.jit import inlined, kernel

POINTS_PER_CELL = 2


class Grid(NamedTuple):
    """Room for the cells of up to P points, with a leading batch axis: one grid for each environment copy."""

    start: NDArray[np.int32]  # [B, C + 1] the points of cell c: order[start[c] .. start[c + 1]]
    order: NDArray[np.int32]  # [B, P] ids, by cell
    cell: NDArray[np.int32]  # [B, P] the cell of each listed point
    frame: NDArray[np.float64]  # [B, 3] west, south, cell width (metres)
    side: NDArray[np.int32]  # [B] cells along an edge

    @classmethod
    def empty(cls, batch: int, points: int) -> "Grid":
        """A grid with room for ``points`` points a copy."""
        cells = max(1, points // POINTS_PER_CELL) + 1
        return cls(
            np.zeros((batch, cells + 1), np.int32),
            np.zeros((batch, points), np.int32),
            np.zeros((batch, points), np.int32),
            np.zeros((batch, 3), np.float64),
            np.ones(batch, np.int32),
        )


@inlined
def _bin_of(value: float, low: float, width: float, side: int) -> int:
    return min(side - 1, max(0, int((value - low) / width)))


@kernel
def fill_grid(
    grid: Grid,
    b: int,
    ids: NDArray[np.int32],
    count: int,
    x_m: NDArray[np.float64],
    y_m: NDArray[np.float64],
) -> None:
    """Bin the points ``ids[:count]``, whose coordinates are ``x_m[id]``, ``y_m[id]``, into copy ``b`` of ``grid``."""
    start, order, cell = grid.start[b], grid.order[b], grid.cell[b]
    side = max(1, int(np.sqrt(count / POINTS_PER_CELL)))
    grid.side[b] = side
    start[: side * side + 1] = 0
    if count == 0:
        return
    west, south, east, north = x_m[ids[0]], y_m[ids[0]], x_m[ids[0]], y_m[ids[0]]
    for i in range(1, count):
        x, y = x_m[ids[i]], y_m[ids[i]]
        west, east = min(west, x), max(east, x)
        south, north = min(south, y), max(north, y)
    width = max(east - west, north - south, 1.0) / side * (1.0 + 1e-9)
    grid.frame[b, 0], grid.frame[b, 1], grid.frame[b, 2] = west, south, width
    for i in range(count):
        c = _bin_of(y_m[ids[i]], south, width, side) * side + _bin_of(x_m[ids[i]], west, width, side)
        cell[i] = c
        start[c + 1] += 1
    for c in range(side * side):
        start[c + 1] += start[c]
    for i in range(count - 1, -1, -1):  # backwards, so that ids ascend within a cell; start[c + 1] moves to its place
        start[cell[i] + 1] -= 1
        order[start[cell[i] + 1]] = ids[i]
    # The loop left start[c + 1] at the first point of cell c: shift it back by one cell.
    for c in range(side * side):
        start[c] = start[c + 1]
    start[side * side] = count


@inlined
def _offer(
    found: NDArray[np.int32], squared: NDArray[np.float64], filled: int, wanted: int, candidate: int, distance: float
) -> int:
    """Put a point among the nearest so far, kept sorted by (distance, id). Returns how many there are now."""
    if filled == wanted:
        last = wanted - 1
        if distance > squared[last] or (distance == squared[last] and candidate > found[last]):
            return filled
        slot = last
    else:
        slot = filled
        filled += 1
    while slot > 0 and (
        squared[slot - 1] > distance or (squared[slot - 1] == distance and found[slot - 1] > candidate)
    ):
        squared[slot] = squared[slot - 1]
        found[slot] = found[slot - 1]
        slot -= 1
    squared[slot] = distance
    found[slot] = candidate
    return filled


@kernel
def nearest(
    grid: Grid,
    b: int,
    x_m: NDArray[np.float64],
    y_m: NDArray[np.float64],
    x: float,
    y: float,
    exclude: int,
    found: NDArray[np.int32],
    squared: NDArray[np.float64],
) -> int:
    """Find the points of copy ``b`` nearest to (x, y) but for id ``exclude``, at most ``len(found)`` of them.

    Writes their ids into ``found`` and their squared distances (m²) into ``squared``, nearest first, ties by the
    smaller id, and returns how many there are.
    """
    wanted = len(found)
    start, order, side = grid.start[b], grid.order[b], grid.side[b]
    west, south, width = grid.frame[b, 0], grid.frame[b, 1], grid.frame[b, 2]
    filled = 0
    if start[side * side] == 0:
        return filled
    column, row = _bin_of(x, west, width, side), _bin_of(y, south, width, side)
    for ring in range(side):
        if filled == wanted:
            # What is left lies beyond the rings seen so far, on a side where the grid goes on.
            reach = np.inf
            if column - ring >= 0:
                reach = min(reach, x - (west + (column - ring + 1) * width))
            if column + ring < side:
                reach = min(reach, west + (column + ring) * width - x)
            if row - ring >= 0:
                reach = min(reach, y - (south + (row - ring + 1) * width))
            if row + ring < side:
                reach = min(reach, south + (row + ring) * width - y)
            if reach > 0.0 and reach * reach > squared[wanted - 1]:
                break
        for r in range(max(0, row - ring), min(side - 1, row + ring) + 1):
            stride = 1 if r in (row - ring, row + ring) else max(1, 2 * ring)
            for c in range(column - ring, column + ring + 1, stride):
                if c < 0 or c >= side:
                    continue
                for i in range(start[r * side + c], start[r * side + c + 1]):
                    candidate = order[i]
                    if candidate != exclude:
                        dx, dy = x_m[candidate] - x, y_m[candidate] - y
                        filled = _offer(found, squared, filled, wanted, candidate, dx * dx + dy * dy)
    return filled
