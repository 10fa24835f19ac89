"""The nearest neighbours of many points, by a line of points sorted by x, without an allocation.

A query is told a distance within which there are enough points. It measures all that are no further in x alone, with
vector instructions, picks without a branch those that are near enough, and sorts these few. That is faster than a grid,
which crowded places defeat, and than strips or trees, whose branches a processor does not predict. Ties of distance go
to the smaller id, so that the answer depends on nothing else.
"""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.arrays import allocate

NO_NEIGHBOUR = 2**31 - 1  # an id greater than any
BLOCK = 8  # points by which a query widens


class Line(NamedTuple):
    """Room for up to P points sorted by (x, id), with a leading batch axis: one line for each environment copy.

    Behind the last point lie others infinitely far away, so that every block is full.
    """

    ids: Annotated[NDArray[np.int32], "B, P + block"]
    x_m: Annotated[NDArray[np.float64], "B, P + block"]
    y_m: Annotated[NDArray[np.float64], "B, P + block"]
    size: Annotated[NDArray[np.int32], "B, 1"]  # points
    measured: Annotated[NDArray[np.float64], "B, P + block"]  # room for a query: squared distances
    picked: Annotated[NDArray[np.int32], "B, P + block"]  # likewise: which of them are near enough

    @classmethod
    def empty(cls, batch: int, points: int) -> "Line":
        """Lines with room for ``points`` points a copy."""
        return allocate(cls, {"B": batch, "P": points, "block": BLOCK})


@inlined
def line_of(lines: Line, b: int) -> Line:
    """The line of copy ``b``, without the batch axis."""
    return Line(lines.ids[b], lines.x_m[b], lines.y_m[b], lines.size[b], lines.measured[b], lines.picked[b])


@kernel
def sort_by_x(ids: NDArray[np.int32], x_m: NDArray[np.float64]) -> None:
    """Sort ``ids`` by (x, id), ``x_m[i]`` being that of id i; quick where little has changed since the last time."""
    for i in range(1, len(ids)):
        moving = ids[i]
        x = x_m[moving]
        slot = i
        while slot > 0 and (x_m[ids[slot - 1]] > x or (x_m[ids[slot - 1]] == x and ids[slot - 1] > moving)):
            ids[slot] = ids[slot - 1]
            slot -= 1
        ids[slot] = moving


@kernel
def fill_line(
    lines: Line,
    b: int,
    by_x: NDArray[np.int32],
    chosen: NDArray[np.int8],
    x_m: NDArray[np.float64],
    y_m: NDArray[np.float64],
) -> None:
    """Make the line of copy ``b``: those ids of ``by_x``, which is sorted, that are chosen, at ``x_m[i], y_m[i]``."""
    ids, line_x, line_y = lines.ids[b], lines.x_m[b], lines.y_m[b]
    count = 0
    for i in by_x:
        if chosen[i] == 1:
            ids[count], line_x[count], line_y[count] = i, x_m[i], y_m[i]
            count += 1
    for slot in range(count, count + BLOCK):
        ids[slot], line_x[slot], line_y[slot] = NO_NEIGHBOUR, np.inf, np.inf
    lines.size[b, 0] = count


@kernel
def find_slots(
    lines: Line, b: int, by_x: NDArray[np.int32], x_m: NDArray[np.float64], slots: NDArray[np.int32]
) -> None:
    """Find where those who ask, sorted by x, belong in the line of copy ``b``: ``slots[i]`` points lie west of id i."""
    line_x, count = lines.x_m[b], lines.size[b, 0]
    slot = 0
    for i in by_x:
        while slot < count and line_x[slot] < x_m[i]:
            slot += 1
        slots[i] = slot


@inlined
def slot_of(line: Line, x: float) -> int:
    """Where one who asks belongs in the line of one copy: how many points lie west of ``x``."""
    low, high = 0, line.size[0]
    while low < high:
        middle = (low + high) // 2
        if line.x_m[np.uintp(middle)] < x:
            low = middle + 1
        else:
            high = middle
    return low


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
def _window(line: Line, slot: int, x: float, bound: float) -> tuple[int, int]:
    """The part of a line, by whole blocks, outside of which every point is further than ``bound`` in x alone."""
    first = last = slot // BLOCK * BLOCK
    while last < line.size[0]:
        dx = line.x_m[np.uintp(last)] - x
        if dx > 0.0 and dx * dx > bound:
            break
        last += BLOCK
    while first > 0:
        dx = x - line.x_m[np.uintp(first - 1)]
        if dx > 0.0 and dx * dx > bound:
            break
        first -= BLOCK
    return first, min(last, line.size[0])


@inlined
def nearest_within(
    line: Line,
    slot: int,
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
        line: of one copy, as `line_of` gives it.
        slot: where x belongs in it, as `find_slots` gives it.
        x: where to look from.
        y: likewise.
        exclude: the id that asks.
        bound: squared distance at which the search ends.
        found: ids. Shape [n].
        squared: m². Shape [n].

    Returns:
        How many points there are within ``bound``, but for ``exclude``.
    """
    first, last = _window(line, slot, x, bound)
    ids, x_m, y_m, measured = line.ids[first:last], line.x_m[first:last], line.y_m[first:last], line.measured
    for i in range(len(x_m)):  # becomes vector instructions
        dx, dy = x_m[i] - x, y_m[i] - y
        measured[np.uintp(i)] = dx * dx + dy * dy
    count = np.uintp(0)
    for i in range(len(x_m)):  # who is too far is written over by the next
        line.picked[count] = i
        count += np.uintp(measured[np.uintp(i)] <= bound)
    for i in range(len(found)):
        found[np.uintp(i)], squared[np.uintp(i)] = NO_NEIGHBOUR, np.inf
    others = 0
    for i in range(count):
        at = np.uintp(line.picked[np.uintp(i)])
        if ids[at] != exclude:
            offer(found, squared, ids[at], measured[at])
            others += 1
    return others


@inlined
def nearest(
    line: Line,
    slot: int,
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
    bound = guess if line.size[0] > len(found) + 1 else np.inf
    count = nearest_within(line, slot, x, y, exclude, bound, found, squared)
    while count < len(found) and bound < np.inf:
        bound *= 4.0
        count = nearest_within(line, slot, x, y, exclude, bound, found, squared)
    return count
