"""The best that one worker can make of prices on its time at J stops: optimistic routes on a grid of time."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import jit

FloatArray = NDArray[np.float64]
Cells = NDArray[np.int64]

_STILL: Final = -1


class Timetable(NamedTuple):
    """J stops on a grid of L cells of time. A stop is of use from cell ``first`` to cell ``last``, both included."""

    way: Cells  # [J, J] cells from stop to stop, at least 1
    first: Cells  # [J]
    last: Cells  # [J] less than L


@jit
def best_values(timetable: Timetable, rate: FloatArray) -> FloatArray:
    """The most that a worker earns from a cell on that begins at a stop. Shape [J, L + 1].

    Args:
        timetable: of the stops.
        rate: what a cell at a stop is worth. Shape [J, L].
    """
    stops, cells = rate.shape
    value = np.zeros((stops, cells + 1))
    for cell in range(cells - 1, -1, -1):
        for stop in range(stops):
            if timetable.first[stop] <= cell <= timetable.last[stop]:
                _, _, best = _next(timetable, value, stop, cell)
                value[stop, cell] = rate[stop, cell] + best
    return value


@jit
def _next(timetable: Timetable, value: FloatArray, stop: int, cell: int) -> tuple[int, int, float]:
    """Where to be after a cell at a stop, from which cell on, and what that is worth; staying is `_STILL`."""
    to, at, best = _STILL, cell + 1, value[stop, cell + 1]
    for other in range(len(value)):
        there = max(cell + timetable.way[stop, other], timetable.first[other])
        if other != stop and there <= timetable.last[other] and value[other, there] > best:
            to, at, best = other, there, value[other, there]
    return to, at, best


@jit
def follow_best(timetable: Timetable, value: FloatArray, begin: Cells, visits: NDArray[np.bool_]) -> float:
    """The value of the best route of a worker that is at no stop before ``begin``, shape [J].

    Writes into ``visits``, shape [J, L], in which cells it is at which stop.
    """
    stop, cell, most = _STILL, 0, 0.0
    for other in range(len(value)):
        there = max(begin[other], timetable.first[other])
        if there <= timetable.last[other] and value[other, there] > most:
            stop, cell, most = other, there, value[other, there]
    while stop != _STILL:
        visits[stop, cell] = True
        to, at, best = _next(timetable, value, stop, cell)
        if best <= 0.0:
            break
        if to != _STILL:
            stop = to
        cell = at
    return float(most)
