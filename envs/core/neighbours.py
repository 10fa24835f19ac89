"""The nearest neighbours of many points, by a line of points sorted by x, without an allocation.

A query is told a distance within which there are enough points. It measures all that are no further in x alone, eight
at once, picks those that are near enough, and ranks these few without a branch (`crowdgym.envs.core.lanes`). That is
faster than a grid, which crowded places defeat, and than strips or trees, whose branches a processor does not predict.
Ties of distance go to the smaller id, so that the answer depends on nothing else.
"""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.arrays import allocate
from crowdgym.envs.core.lanes import LANES, first_bit, near_lanes, rank_lanes

NO_NEIGHBOUR = 2**31 - 1  # an id greater than any
BLOCK = LANES  # points by which a query widens
_BITS = 64  # of a number that says which points are near
_FARTHEST_M2 = 1e300  # nearer than the points behind the last


class Line(NamedTuple):
    """Room for up to P points sorted by (x, id), with a leading batch axis: one line for each environment copy.

    Behind the last point lie others infinitely far away, so that every block is full.
    """

    ids: Annotated[NDArray[np.int32], "B, P + block"]
    x_m: Annotated[NDArray[np.float64], "B, P + block"]
    y_m: Annotated[NDArray[np.float64], "B, P + block"]
    size: Annotated[NDArray[np.int32], "B, 1"]  # points
    measured: Annotated[NDArray[np.float64], "B, P + block"]  # room for a query: squared distances
    picked: Annotated[NDArray[np.int32], "B, P + block"]  # likewise: ids of those that are near enough
    picked_m2: Annotated[NDArray[np.float64], "B, P + block"]  # likewise: their squared distances
    ranks: Annotated[NDArray[np.int32], "B, block"]  # likewise: of the first of them

    @classmethod
    def empty(cls, batch: int, points: int) -> "Line":
        """Lines with room for ``points`` points a copy."""
        return allocate(cls, {"B": batch, "P": points, "block": BLOCK})


@inlined
def line_of(lines: Line, b: int) -> Line:
    """The line of copy ``b``, without the batch axis."""
    return Line(
        lines.ids[b],
        lines.x_m[b],
        lines.y_m[b],
        lines.size[b],
        lines.measured[b],
        lines.picked[b],
        lines.picked_m2[b],
        lines.ranks[b],
    )


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
    return first, last


@inlined
def _pick(line: Line, slot: int, x: float, y: float, exclude: int, bound: float) -> int:
    """Put the points within ``bound``, but for ``exclude``, at the front of ``line.picked``. Returns how many."""
    first, last = _window(line, slot, x, bound)
    limit, count = min(bound, _FARTHEST_M2), np.uintp(0)
    for start in range(first, last, _BITS):
        near = np.uint64(0)
        for at in range(start, min(start + _BITS, last), BLOCK):
            near |= near_lanes(line.x_m, line.y_m, at, x, y, limit, line.measured) << np.uint64(at - start)
        while near != np.uint64(0):
            point = np.uintp(start) + np.uintp(first_bit(near))
            near &= near - np.uint64(1)
            line.picked[count], line.picked_m2[count] = line.ids[point], line.measured[point]
            count += np.uintp(line.ids[point] != exclude)  # who asks is written over by the next
    return int(count)


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
    count = _pick(line, slot, x, y, exclude, bound)
    if count > LANES:
        for i in range(len(found)):
            found[np.uintp(i)], squared[np.uintp(i)] = NO_NEIGHBOUR, np.inf
        for i in range(count):
            offer(found, squared, line.picked[np.uintp(i)], line.picked_m2[np.uintp(i)])
        return count
    for i in range(count, LANES):
        line.picked[np.uintp(i)], line.picked_m2[np.uintp(i)] = NO_NEIGHBOUR, np.inf
    rank_lanes(line.picked_m2, line.picked, line.ranks)
    for i in range(count):
        rank = np.uintp(line.ranks[np.uintp(i)])
        if rank < np.uintp(len(found)):
            found[rank], squared[rank] = line.picked[np.uintp(i)], line.picked_m2[np.uintp(i)]
    for i in range(count, len(found)):
        found[np.uintp(i)], squared[np.uintp(i)] = NO_NEIGHBOUR, np.inf
    return count


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
