"""The best that one worker can make of prices on its time at J stops: optimistic routes on a grid of time."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import jit

FloatArray = NDArray[np.float64]
Cells = NDArray[np.int64]

_NOWHERE: Final = -1


class Timetable(NamedTuple):
    """J stops with K offers each, of which a worker takes one, on a grid of cells of time."""

    way: Cells  # [J, J] cells from stop to stop, at least 1
    first: Cells  # [J] the first cell in which a worker may be at a stop
    release: Cells  # [J, K] the first cell after which it may leave an offer; until then it stays
    last: Cells  # [J, K] the last cell of an offer; before `first` where there is no such offer


@jit
def best_values(timetable: Timetable, rate: FloatArray, cells: int) -> tuple[FloatArray, FloatArray]:
    """The most that a worker earns from a cell on that begins at a stop with an offer, or with any.

    Args:
        timetable: of the stops.
        rate: what a cell is worth in an offer. Shape [J, K].
        cells: L, of the grid.

    Returns:
        Shapes [J, K, L + 1] and [J, L + 1]; 0 where a worker is of no use.
    """
    stops, offers = rate.shape
    value, best = np.zeros((stops, offers, cells + 1)), np.zeros((stops, cells + 1))
    for cell in range(cells - 1, -1, -1):
        for stop in range(stops):
            if cell < timetable.first[stop] or cell > timetable.last[stop].max():
                continue
            left = _next_stop(timetable, best, stop, cell)[2]
            for offer in range(offers):
                if cell <= timetable.last[stop, offer]:
                    on = value[stop, offer, cell + 1] if cell < timetable.last[stop, offer] else 0.0
                    if cell >= timetable.release[stop, offer]:
                        on = max(on, left)
                    value[stop, offer, cell] = rate[stop, offer] + on
                    best[stop, cell] = max(best[stop, cell], value[stop, offer, cell])
    return value, best


@jit
def _next_stop(timetable: Timetable, best: FloatArray, stop: int, cell: int) -> tuple[int, int, float]:
    """The best stop to go to after a cell, when a worker is there, and what that is worth."""
    to, at, most = _NOWHERE, 0, 0.0
    for other in range(len(best)):
        there = max(cell + timetable.way[stop, other], timetable.first[other])
        if other != stop and there < best.shape[1] and best[other, there] > most:
            to, at, most = other, there, best[other, there]
    return to, at, most


@jit
def follow_best(
    timetable: Timetable, value: FloatArray, best: FloatArray, begin: Cells, spent: NDArray[np.int64]
) -> float:
    """The value of the best route of a worker that is at no stop before ``begin``, shape [J].

    Adds the cells that it spends on each offer to ``spent``, shape [J, K].
    """
    stop, cell, most = _NOWHERE, 0, 0.0
    for other in range(len(best)):
        there = max(begin[other], timetable.first[other])
        if there < best.shape[1] and best[other, there] > most:
            stop, cell, most = other, there, best[other, there]
    while stop != _NOWHERE:
        offer = int(value[stop, :, cell].argmax())
        last, release = timetable.last[stop, offer], timetable.release[stop, offer]
        while True:
            spent[stop, offer] += 1
            on = value[stop, offer, cell + 1] if cell < last else 0.0
            to, at, left = _next_stop(timetable, best, stop, cell)
            if cell == last or (cell >= release and left >= on):
                break
            cell += 1
        stop, cell = to, at
    return float(most)
