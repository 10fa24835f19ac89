"""Blocks between main roads are split, the largest for its place first, until the city has enough streets."""

import heapq
from dataclasses import dataclass

import numpy as np

from crowdgym.data.synthetic.cities.arrangement import UNITS_PER_M, inside
from crowdgym.data.synthetic.cities.mesh import OUTSIDE, Point, StreetMesh
from crowdgym.data.synthetic.cities.plan import COLLECTOR, LOCAL, CityPlan

SQUARE_UNITS_PER_HA = 10_000 * UNITS_PER_M**2
COLLECTOR_FROM_HA = 40.0  # a street through a block of this size is a collector
TILT = 0.07  # how far a street leans from the perpendicular, at most, as a slope
SKEWED_SHARE = 0.15  # of the streets lean up to SKEWED times as far
SKEWED = 7.0
OFF_CENTRE = 0.13  # how far from the middle of a block a street is drawn, as a share of its length
SLANTED_COSINE = 0.80  # streets do not meet at a sharper angle than this cosine
UNEVEN = 0.8  # the natural logarithm of the size of blocks varies by this much either way
TRIES = 6


class Draws:
    """Uniform numbers in [0, 1) from a generator, drawn in bulk: a generator call each would take most of the time."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._numbers: list[float] = []

    def __call__(self) -> float:
        """Return the next one."""
        if not self._numbers:
            self._numbers = self._generator.random(4096).tolist()
        return self._numbers.pop()

    def between(self, low: float, high: float) -> float:
        """Return the next one, scaled."""
        return low + (high - low) * self()


@dataclass(frozen=True)
class _End:
    """Where a new street meets the border of a block."""

    position: int  # of the half-edge in the loop on which it lies
    share: float  # along that half-edge; 0 is its origin
    x: float
    y: float


@dataclass(frozen=True)
class _Loop:
    """The border of a block, anticlockwise."""

    half_edges: list[int]
    x: list[int]
    y: list[int]
    area: float  # square units
    centre: tuple[float, float]


def surplus(mesh: StreetMesh) -> int:
    """Streets less vertices, of those that have a street: with vertices added to streets and dead ends it stays."""
    streets = mesh.streets()
    return len(streets) - len({mesh.origin[2 * street + side] for street in streets for side in (0, 1)})


def closed_blocks(mesh: StreetMesh, plan: CityPlan) -> set[int]:
    """The blocks of a freshly drawn plan in which no streets are: water, greens and the edge of the map."""
    return {block for block in range(len(mesh.start)) if _is_closed(mesh, plan, block)}


def split_blocks(mesh: StreetMesh, plan: CityPlan, draws: Draws, closed: set[int], wanted: int) -> None:
    """Split blocks that are not ``closed`` until `surplus` reaches ``wanted``, or none is left that can be split."""
    queue: list[tuple[float, int, float]] = []

    def push(block: int, uneven: float) -> None:
        loop = _loop(mesh, block)
        x, y = loop.centre[0] / UNITS_PER_M, loop.centre[1] / UNITS_PER_M
        uneven *= 1 + UNEVEN * (draws() - 0.5)
        heapq.heappush(queue, (-loop.area / (plan.block_ha(x, y) * SQUARE_UNITS_PER_HA * uneven), block, uneven))

    for block in range(len(mesh.start)):
        if block not in closed:
            push(block, 1.0)
    missing = wanted - surplus(mesh)
    while missing > 0 and queue:
        _, block, uneven = heapq.heappop(queue)
        if _split(mesh, plan, block, draws):
            missing -= 1
            push(block, uneven)
            push(len(mesh.start) - 1, uneven)


def _is_closed(mesh: StreetMesh, plan: CityPlan, block: int) -> bool:
    """Whether a block of the plan is water, green or at the edge of the map."""
    loop = _loop(mesh, block)
    if loop.area <= 0 or any(mesh.level[half_edge >> 1] == OUTSIDE for half_edge in loop.half_edges):
        return True
    count = len(loop.x)
    longest = max(range(count), key=lambda i: (loop.x[i - 1] - loop.x[i]) ** 2 + (loop.y[i - 1] - loop.y[i]) ** 2)
    ax, ay, bx, by = loop.x[longest - 1], loop.y[longest - 1], loop.x[longest], loop.y[longest]
    reach = 30 / ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5  # a step of 3 m to the left
    x, y = (ax + bx) / 2 - (by - ay) * reach, (ay + by) / 2 + (bx - ax) * reach
    return any(inside(area.outline, x / UNITS_PER_M, y / UNITS_PER_M) for area in plan.areas)


def _loop(mesh: StreetMesh, block: int) -> _Loop:
    half_edges = list(mesh.around(mesh.start[block]))
    points = [mesh.points[mesh.origin[half_edge]] for half_edge in half_edges]
    x, y = [point[0] for point in points], [point[1] for point in points]
    twice = sum_x = sum_y = 0
    for i in range(len(x)):
        cross = x[i - 1] * y[i] - x[i] * y[i - 1]
        twice += cross
        sum_x += (x[i - 1] + x[i]) * cross
        sum_y += (y[i - 1] + y[i]) * cross
    centre = (sum_x / (3 * twice), sum_y / (3 * twice)) if twice else (float(x[0]), float(y[0]))
    return _Loop(half_edges, x, y, twice / 2, centre)


def _split(mesh: StreetMesh, plan: CityPlan, block: int, draws: Draws) -> bool:
    """Draw one street across a block, across its longer side if that is possible. Returns whether it was."""
    loop = _loop(mesh, block)
    axis, length, width = _long_axis(loop)
    if width > 0.85 * length and draws() < 0.5:
        axis = (-axis[1], axis[0])
    for attempt in range(TRIES):
        if attempt == TRIES - 2:
            axis = (-axis[1], axis[0])
        tilt, shift = draws.between(-TILT, TILT), draws.between(-OFF_CENTRE, OFF_CENTRE) * length
        if draws() < SKEWED_SHARE:
            tilt *= SKEWED
        direction = (-axis[1] + tilt * axis[0], axis[0] + tilt * axis[1])
        through = (loop.centre[0] + shift * axis[0], loop.centre[1] + shift * axis[1])
        if draws() < plan.streets.align:
            through = _junction_near(mesh, loop, through, axis, 2 * OFF_CENTRE * length) or through
        hits = _hits(loop, through, direction)
        if hits is None:
            continue
        span = ((hits[0].x - hits[1].x) ** 2 + (hits[0].y - hits[1].y) ** 2) ** 0.5
        shortest = plan.streets.shortest_m * UNITS_PER_M
        reach = max(plan.streets.align * span, shortest)
        ends = [_fitted(mesh, loop, hit, direction, min(reach, span / 2), shortest) for hit in hits]
        if ends[0] is not None and ends[1] is not None and _draw(mesh, loop, ends[0], ends[1], shortest):
            return True
    return False


def _long_axis(loop: _Loop) -> tuple[tuple[float, float], float, float]:
    """The direction of the longer side of the smallest rectangle round a block, and the rectangle's sides."""
    best: tuple[float, tuple[float, float], float, float] | None = None
    seen: list[tuple[float, float]] = []
    for i in range(len(loop.x)):
        dx, dy = loop.x[i] - loop.x[i - 1], loop.y[i] - loop.y[i - 1]
        norm = (dx * dx + dy * dy) ** 0.5
        ux, uy = dx / norm, dy / norm
        if any(abs(ux * sx + uy * sy) > 0.998 or abs(ux * sy - uy * sx) > 0.998 for sx, sy in seen):
            continue
        seen.append((ux, uy))
        along = [ux * x + uy * y for x, y in zip(loop.x, loop.y, strict=True)]
        across = [ux * y - uy * x for x, y in zip(loop.x, loop.y, strict=True)]
        length, width = max(along) - min(along), max(across) - min(across)
        if best is None or length * width < best[0]:
            best = (length * width, (ux, uy), length, width)
    assert best is not None
    _, axis, length, width = best
    return (axis, length, width) if length >= width else ((-axis[1], axis[0]), width, length)


def _junction_near(
    mesh: StreetMesh, loop: _Loop, through: tuple[float, float], axis: tuple[float, float], reach: float
) -> tuple[float, float] | None:
    """The junction on the border that a street from the other side ends at, and that is nearest along ``axis``."""
    nearest: tuple[float, int] | None = None
    for i, half_edge in enumerate(loop.half_edges):
        if mesh.degree[mesh.origin[half_edge]] != 3:
            continue
        away = abs((loop.x[i] - through[0]) * axis[0] + (loop.y[i] - through[1]) * axis[1])
        if away < (nearest[0] if nearest else reach) and _meets_well(mesh, loop, i, (-axis[1], axis[0])):
            nearest = (away, i)
    return (loop.x[nearest[1]] + 0.5, loop.y[nearest[1]] + 0.5) if nearest else None


def _hits(loop: _Loop, through: tuple[float, float], direction: tuple[float, float]) -> tuple[_End, _End] | None:
    """Where a line crosses the border: the two ends of its longest stretch within the block."""
    count = len(loop.x)
    side = [direction[0] * (loop.y[i] - through[1]) - direction[1] * (loop.x[i] - through[0]) for i in range(count)]
    found = []
    for i in range(count):
        after = (i + 1) % count
        if (side[i] > 0) != (side[after] > 0):
            share = side[i] / (side[i] - side[after])
            x = loop.x[i] + share * (loop.x[after] - loop.x[i])
            y = loop.y[i] + share * (loop.y[after] - loop.y[i])
            found.append((x * direction[0] + y * direction[1], i, share, x, y))
    found.sort()
    pairs = list(zip(found[::2], found[1::2], strict=False))
    if not pairs:
        return None
    first, second = max(pairs, key=lambda pair: pair[1][0] - pair[0][0])
    return _End(*first[1:]), _End(*second[1:])


def _fitted(
    mesh: StreetMesh, loop: _Loop, hit: _End, direction: tuple[float, float], reach: float, shortest: float
) -> _End | None:
    """Move an end to a corner or junction within ``reach``, or else away from those too near."""
    count = len(loop.x)
    after = (hit.position + 1) % count
    nearest: tuple[float, int] | None = None
    for i in (hit.position, after, hit.position - 1, (after + 1) % count):
        away = ((loop.x[i] - hit.x) ** 2 + (loop.y[i] - hit.y) ** 2) ** 0.5
        if away < reach and (nearest is None or away < nearest[0]) and _meets_well(mesh, loop, i % count, direction):
            nearest = (away, i % count)
    if nearest is not None:
        return _End(nearest[1], 0.0, loop.x[nearest[1]], loop.y[nearest[1]])
    dx, dy = loop.x[after] - loop.x[hit.position], loop.y[after] - loop.y[hit.position]
    length = (dx * dx + dy * dy) ** 0.5
    if length < 2 * shortest or abs(dx * direction[0] + dy * direction[1]) > SLANTED_COSINE * length:
        return None
    share = min(max(hit.share, shortest / length), 1 - shortest / length)
    return _End(hit.position, share, loop.x[hit.position] + share * dx, loop.y[hit.position] + share * dy)


def _meets_well(mesh: StreetMesh, loop: _Loop, i: int, direction: tuple[float, float]) -> bool:
    """Whether a street may end at a corner of the block: three or fewer streets there, none at a sharp angle."""
    vertex = mesh.origin[loop.half_edges[i]]
    if mesh.degree[vertex] > 3:
        return False
    for other in (i - 1, (i + 1) % len(loop.x)):
        dx, dy = loop.x[other] - loop.x[i], loop.y[other] - loop.y[i]
        if abs(dx * direction[0] + dy * direction[1]) > SLANTED_COSINE * (dx * dx + dy * dy) ** 0.5:
            return False
    return True


def _draw(mesh: StreetMesh, loop: _Loop, first: _End, second: _End, shortest: float) -> bool:
    """Draw the street if it is long enough, crosses no border and leaves two proper blocks."""
    dx, dy = second.x - first.x, second.y - first.y
    length = (dx * dx + dy * dy) ** 0.5
    if length < shortest or first.position == second.position:
        return False
    count = len(loop.x)
    side = [dx * (loop.y[i] - first.y) - dy * (loop.x[i] - first.x) for i in range(count)]
    for i in range(count):
        after = (i + 1) % count
        touching = {
            (end.position, end.position if end.share else (end.position - 1) % count) for end in (first, second)
        }
        if any(i in pair for pair in touching) or (side[i] > 0) == (side[after] > 0):
            continue
        share = side[i] / (side[i] - side[after])
        x = loop.x[i] + share * (loop.x[after] - loop.x[i])
        y = loop.y[i] + share * (loop.y[after] - loop.y[i])
        if 0 <= ((x - first.x) * dx + (y - first.y) * dy) / length**2 <= 1:
            return False
    if min(_part_area(loop, first, second), _part_area(loop, second, first)) < 0.12 * loop.area:
        return False
    level = COLLECTOR if loop.area > COLLECTOR_FROM_HA * SQUARE_UNITS_PER_HA else LOCAL
    starts = [_vertex_at(mesh, loop.half_edges[end.position], end) for end in (first, second)]
    mesh.split_block(starts[0], starts[1], level)
    return True


def _part_area(loop: _Loop, first: _End, second: _End) -> float:
    """The area of the part of a block that lies left of the way from ``second`` to ``first``."""
    count = len(loop.x)
    corners = [(first.x, first.y)]
    i = first.position
    while i != second.position:
        i = (i + 1) % count
        corners.append((loop.x[i], loop.y[i]))
    corners.append((second.x, second.y))
    twice = sum(
        before[0] * corner[1] - corner[0] * before[1]
        for before, corner in zip([corners[-1], *corners[:-1]], corners, strict=True)
    )
    return twice / 2


def _vertex_at(mesh: StreetMesh, half_edge: int, end: _End) -> int:
    """The half-edge round the block that begins where a new street is to end; a vertex is put there if need be."""
    if end.share == 0.0:
        return half_edge
    point: Point = (round(end.x), round(end.y))
    mesh.split_street(half_edge, point)
    return mesh.following[half_edge]
