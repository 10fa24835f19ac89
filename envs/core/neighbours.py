"""The nearest neighbours of many points, by a grid of cells, without an allocation.

A query is told a distance within which there are enough points. It measures all points of the cells that this distance
reaches, eight at once, picks those that are near enough, and ranks eight of these without a branch
(`crowdgym.envs.core.lanes`). The cells of a row lie one behind the other in memory, so a row is one stretch of points.
A few hundred points have one row of narrow cells: to measure more points takes less time than to look at more rows.
Ties of distance go to the smaller id, so that the answer depends on nothing else.
"""

import math
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.arrays import allocate
from crowdgym.envs.core.lanes import LANES, first_bit, near_lanes, rank_lanes

NO_NEIGHBOUR = 2**31 - 1  # an id greater than any
BLOCK = LANES  # points that are measured at once
_BITS = 64  # of a number that says which points are near
_MARGIN_M = 1e-6  # sums are rounded, so a query reads a little further than its bound


class Box(NamedTuple):
    """The ends of a city, in metres."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> "Box":
        """The smallest box with all these places in it."""
        return cls(float(x_m.min()), float(y_m.min()), float(x_m.max()), float(y_m.max()))


class Grid(NamedTuple):
    """Room for up to P points, cell by cell, with a leading batch axis: one grid for each environment copy."""

    corner_m: Annotated[NDArray[np.float64], "B, 2"]  # its west and south end
    per_m: Annotated[NDArray[np.float64], "B, 2"]  # columns and rows a metre
    sides: Annotated[NDArray[np.int32], "B, 2"]  # columns, rows
    starts: Annotated[NDArray[np.int32], "B, cells + 1"]  # where the points of each cell begin, row by row
    cells: Annotated[NDArray[np.int32], "B, P"]  # of each member, as it was filled last
    ids: Annotated[NDArray[np.int32], "B, P + block"]
    x_m: Annotated[NDArray[np.float64], "B, P + block"]
    y_m: Annotated[NDArray[np.float64], "B, P + block"]
    measured: Annotated[NDArray[np.float64], "B, P + block"]  # room for a query: squared distances
    picked: Annotated[NDArray[np.int32], "B, P + block"]  # likewise: ids of those that are near enough
    picked_m2: Annotated[NDArray[np.float64], "B, P + block"]  # likewise: their squared distances
    ranks: Annotated[NDArray[np.int32], "B, block"]  # likewise: of the first of them

    @classmethod
    def empty(cls, batch: int, points: int, box: Box) -> "Grid":
        """Grids over ``box`` with room for ``points`` points a copy; points outside count as at its edge."""
        columns, rows = _columns_and_rows(points)
        grids = allocate(cls, {"B": batch, "P": points, "block": BLOCK, "cells": columns * rows})
        grids.corner_m[:] = box.west, box.south
        grids.per_m[:] = columns / max(box.east - box.west, 1.0), rows / max(box.north - box.south, 1.0)
        grids.sides[:] = columns, rows
        return grids


def _columns_and_rows(points: int) -> tuple[int, int]:
    """Measured: one row of 128 for 200 points, 12 rows of 250 for 10,000; twice or half as many take as long."""
    root = math.sqrt(points)
    return max(min(points, 128), int(2.5 * root)), max(int(root / 8), 1)


@inlined
def grid_of(grids: Grid, b: int) -> Grid:
    """The grid of copy ``b``, without the batch axis."""
    return Grid(
        grids.corner_m[b],
        grids.per_m[b],
        grids.sides[b],
        grids.starts[b],
        grids.cells[b],
        grids.ids[b],
        grids.x_m[b],
        grids.y_m[b],
        grids.measured[b],
        grids.picked[b],
        grids.picked_m2[b],
        grids.ranks[b],
    )


@inlined
def _column_of(grid: Grid, x: float) -> int:
    """The column of a place; what is further west or east than all belongs to the first and the last one."""
    return int(min(max((x - grid.corner_m[0]) * grid.per_m[0], 0.0), grid.sides[0] - 1.0))


@inlined
def _row_of(grid: Grid, y: float) -> int:
    return int(min(max((y - grid.corner_m[1]) * grid.per_m[1], 0.0), grid.sides[1] - 1.0))


@kernel
def fill_grid(
    grids: Grid, b: int, members: NDArray[np.int32], count: int, x_m: NDArray[np.float64], y_m: NDArray[np.float64]
) -> None:
    """Fill the grid of copy ``b`` with the first ``count`` ids of ``members``, id i at ``x_m[i], y_m[i]``."""
    grid = grid_of(grids, b)
    starts, cells, columns = grid.starts, grid.cells, grid.sides[0]
    starts[:] = 0
    for j in range(count):
        i = np.uintp(members[np.uintp(j)])
        cell = _row_of(grid, y_m[i]) * columns + _column_of(grid, x_m[i])
        cells[np.uintp(j)] = cell
        starts[np.uintp(cell)] += 1
    total = 0
    for cell in range(len(starts)):  # where each cell ends; filled from its end on, where it begins
        total += starts[np.uintp(cell)]
        starts[np.uintp(cell)] = total
    for j in range(count - 1, -1, -1):
        i, cell = np.uintp(members[np.uintp(j)]), np.uintp(cells[np.uintp(j)])
        starts[cell] -= 1
        slot = np.uintp(starts[cell])
        grid.ids[slot], grid.x_m[slot], grid.y_m[slot] = i, x_m[i], y_m[i]


@inlined
def size_of(grid: Grid) -> int:
    """How many points are in the grid of one copy."""
    return int(grid.starts[len(grid.starts) - 1])


@inlined
def offer(found: NDArray[np.int32], squared: NDArray[np.float64], candidate: int, distance: float) -> bool:
    """Put a point among the nearest so far, which are sorted by (distance, id); says whether it is one of them."""
    slot = np.uintp(len(found) - 1)
    if distance > squared[slot] or (distance == squared[slot] and candidate >= found[slot]):
        return False
    while slot > np.uintp(0):
        before = slot - np.uintp(1)
        if squared[before] < distance or (squared[before] == distance and found[before] < candidate):
            break
        squared[slot], found[slot] = squared[before], found[before]
        slot = before
    squared[slot], found[slot] = distance, candidate
    return True


@inlined
def _pick(grid: Grid, x: float, y: float, exclude: int, bound: float) -> int:
    """Put the points within ``bound``, but for ``exclude``, at the front of ``grid.picked``. Returns how many."""
    reach = np.sqrt(bound) + _MARGIN_M
    left, right = _column_of(grid, x - reach), _column_of(grid, x + reach)
    lowest, highest = _row_of(grid, y - reach), _row_of(grid, y + reach)
    columns, count = grid.sides[0], np.uintp(0)
    for row in range(lowest, highest + 1):
        first, last = grid.starts[np.uintp(row * columns + left)], grid.starts[np.uintp(row * columns + right + 1)]
        for start in range(first, last, _BITS):
            near = np.uint64(0)
            for at in range(start, min(start + _BITS, last), BLOCK):
                near |= near_lanes(grid.x_m, grid.y_m, at, x, y, bound, grid.measured) << np.uint64(at - start)
            if last - start < _BITS:
                near &= (np.uint64(1) << np.uint64(last - start)) - np.uint64(1)
            while near != np.uint64(0):
                point = np.uintp(start) + np.uintp(first_bit(near))
                near &= near - np.uint64(1)
                grid.picked[count], grid.picked_m2[count] = grid.ids[point], grid.measured[point]
                count += np.uintp(grid.ids[point] != exclude)  # who asks is written over by the next
    return int(count)


@inlined
def nearest_within(
    grid: Grid,
    x: float,
    y: float,
    exclude: int,
    bound: float,
    found: NDArray[np.int32],
    squared: NDArray[np.float64],
) -> int:
    """Find the points of one copy nearest to (x, y) but for id ``exclude``, as many as ``found`` has room for.

    Writes their ids into ``found`` and their squared distances (m²) into ``squared``, nearest first, ties by the
    smaller id; ``NO_NEIGHBOUR`` where there are no more within ``bound``.

    Args:
        grid: of one copy, as `grid_of` gives it.
        x: where to look from.
        y: likewise.
        exclude: the id that asks.
        bound: squared distance at which the search ends.
        found: ids. Shape [n].
        squared: m². Shape [n].

    Returns:
        How many points there are within ``bound``, but for ``exclude``.
    """
    count = _pick(grid, x, y, exclude, bound)
    for i in range(count, LANES):
        grid.picked[np.uintp(i)], grid.picked_m2[np.uintp(i)] = NO_NEIGHBOUR, np.inf
    for i in range(count, len(found)):
        found[np.uintp(i)], squared[np.uintp(i)] = NO_NEIGHBOUR, np.inf
    rank_lanes(grid.picked_m2, grid.picked, grid.ranks)
    for i in range(min(count, LANES)):
        rank = np.uintp(grid.ranks[np.uintp(i)])
        if rank < np.uintp(len(found)):
            found[rank], squared[rank] = grid.picked[np.uintp(i)], grid.picked_m2[np.uintp(i)]
    for i in range(LANES, count):
        offer(found, squared, grid.picked[np.uintp(i)], grid.picked_m2[np.uintp(i)])
    return count


@inlined
def nearest(
    grid: Grid,
    x: float,
    y: float,
    exclude: int,
    guess: float,
    found: NDArray[np.int32],
    squared: NDArray[np.float64],
) -> int:
    """The same without a bound: it is widened from ``guess``, a positive squared distance, until there are enough.

    Returns:
        How many points there are within the bound that did, but for ``exclude``.
    """
    bound = guess if size_of(grid) > len(found) + 1 else np.inf
    count = nearest_within(grid, x, y, exclude, bound, found, squared)
    while count < len(found) and bound < np.inf:
        bound *= 4.0
        count = nearest_within(grid, x, y, exclude, bound, found, squared)
    return count
