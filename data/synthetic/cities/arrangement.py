"""From the lines of a plan, which cross each other, to a planar drawing whose edges meet at their ends."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.synthetic.cities.mesh import OUTSIDE, Point, StreetMesh
from crowdgym.data.synthetic.cities.plan import CityPlan, Line, Place

FloatArray = NDArray[np.float64]

UNITS_PER_M = 10  # the mesh counts decimetres
TOUCHING_M = 8.0  # an end this near to another line meets it
MERGE_M = 40.0  # crossings of main roads this near to each other are one


def draw_plan(plan: CityPlan) -> StreetMesh:
    """Draw the main roads, banks and the edge of the map of a plan as one connected planar mesh."""
    points, pieces = _pieces(plan.lines)
    edges = _without_loose_ends(_merged(points, _without_wet_and_outside(plan, points, pieces)))
    used = sorted({end for edge in edges for end in edge})
    number = {vertex: position for position, vertex in enumerate(used)}
    order = sorted(edges)
    return StreetMesh(
        [points[vertex] for vertex in used],
        [(number[tail], number[head]) for tail, head in order],
        [edges[edge] for edge in order],
    )


def inside(outline: Sequence[Place], x: float, y: float) -> bool:
    """Whether a place lies within a polygon (even-odd rule)."""
    found = False
    before_x, before_y = outline[-1]
    for corner_x, corner_y in outline:
        if (corner_y > y) != (before_y > y) and x < corner_x + (y - corner_y) * (before_x - corner_x) / (
            before_y - corner_y
        ):
            found = not found
        before_x, before_y = corner_x, corner_y
    return found


Edges = dict[tuple[int, int], int]  # (lower vertex, higher vertex) -> level
Pieces = dict[tuple[int, int], tuple[int, bool]]  # the same, and whether it bridges water


def _rank(level: int) -> int:
    """Order levels so that a street replaces the edge of the map, and a wider street a narrower one."""
    return 99 if level == OUTSIDE else level


def _add(edges: Edges, tail: int, head: int, level: int) -> None:
    if tail != head:
        key = (min(tail, head), max(tail, head))
        edges[key] = min(edges.get(key, OUTSIDE), level, key=_rank)


def _pieces(lines: tuple[Line, ...]) -> tuple[list[Point], Pieces]:
    """Cut every segment where others cross or touch it. Returns the vertices and the pieces."""
    segments, owner = [], []
    for number, line in enumerate(lines):
        for start, end in zip(line.places[:-1], line.places[1:], strict=True):
            segments.append((*start, *end))
            owner.append(number)
    ends = np.array(segments, dtype=np.float64)  # [S, 4] metres
    index: dict[Point, int] = {}
    edges: Pieces = {}
    for cuts, line_number in zip(_cuts(ends[:, :2], ends[:, 2:]), owner, strict=True):
        line = lines[line_number]
        chain = [index.setdefault(point, len(index)) for _, point in sorted(cuts)]
        for tail, head in pairwise(chain):
            if tail != head:
                key = (min(tail, head), max(tail, head))
                level, bridges = edges.get(key, (OUTSIDE, False))
                edges[key] = (min(level, line.level, key=_rank), bridges or line.bridges)
    return list(index), edges


def _cuts(a: FloatArray, b: FloatArray) -> list[list[tuple[float, Point]]]:
    """The vertices along each segment, both ends among them, and how far along it (0..1) they are."""
    along = b - a  # [S, 2]
    offset = a[None, :] - a[:, None]  # [S, S, 2] from the start of the row's segment to that of the column's
    cross = along[:, None, 0] * along[None, :, 1] - along[:, None, 1] * along[None, :, 0]
    parallel = np.abs(cross) < 1e-9
    cross = np.where(parallel, 1.0, cross)
    share = (offset[..., 0] * along[None, :, 1] - offset[..., 1] * along[None, :, 0]) / cross
    other = (offset[..., 0] * along[:, None, 1] - offset[..., 1] * along[:, None, 0]) / cross
    slack = TOUCHING_M / np.sqrt((along**2).sum(1))  # [S]
    meets = ~parallel & (share > -slack[:, None]) & (share < 1 + slack[:, None])
    meets &= (other > -slack[None, :]) & (other < 1 + slack[None, :])
    found = [[(0.0, _point(a[row])), (1.0, _point(b[row]))] for row in range(len(a))]
    for row, column in np.argwhere(np.triu(meets, 1)).tolist():
        # An end that all but touches the other segment is the vertex, so that no gap or splinter remains.
        for one, position in ((row, share[row, column]), (column, other[row, column])):
            if position < slack[one] or position > 1 - slack[one]:
                point = _point(a[one] if position < 0.5 else b[one])
                break
        else:
            point = _point(a[row] + share[row, column] * along[row])
        found[row].append((min(max(float(share[row, column]), 0.0), 1.0), point))
        found[column].append((min(max(float(other[row, column]), 0.0), 1.0), point))
    return found


def _point(place: FloatArray) -> Point:
    return round(float(place[0]) * UNITS_PER_M), round(float(place[1]) * UNITS_PER_M)


def _without_wet_and_outside(plan: CityPlan, points: list[Point], pieces: Pieces) -> Edges:
    """Drop what lies in water and is no bridge, what lies within a green, and what lies beyond the edge of the map."""
    kept: Edges = {}
    for (tail, head), (level, bridges) in pieces.items():
        x = (points[tail][0] + points[head][0]) / 2 / UNITS_PER_M
        y = (points[tail][1] + points[head][1]) / 2 / UNITS_PER_M
        if not (_on_border(plan.outline, x, y) or inside(plan.outline, x, y)):
            continue
        closed = (area for area in plan.areas if not (area.water and bridges))
        if not any(inside(area.outline, x, y) and not _on_border(area.outline, x, y) for area in closed):
            _add(kept, tail, head, level)
    return kept


def _on_border(outline: tuple[Place, ...], x: float, y: float) -> bool:
    ax, ay = np.array(outline).T
    bx, by = np.roll(ax, -1), np.roll(ay, -1)
    ux, uy = bx - ax, by - ay
    share = np.clip(((x - ax) * ux + (y - ay) * uy) / (ux * ux + uy * uy), 0, 1)
    away = (ax + share * ux - x) ** 2 + (ay + share * uy - y) ** 2
    return bool(away.min() < (1.5 * TOUCHING_M) ** 2)


def _merged(points: list[Point], edges: Edges) -> Edges:
    """Make one vertex of those joined by an edge shorter than ``MERGE_M``, and keep the largest connected part."""
    into = list(range(len(points)))

    def root(vertex: int) -> int:
        while into[vertex] != vertex:
            vertex = into[vertex]
        return vertex

    ends = Counter(end for edge in edges for end in edge)
    for (tail, head), _ in sorted(edges.items()):
        dx, dy = points[tail][0] - points[head][0], points[tail][1] - points[head][1]
        if dx * dx + dy * dy < (MERGE_M * UNITS_PER_M) ** 2:
            keep, lose = sorted((root(tail), root(head)), key=lambda vertex: (-ends[vertex], vertex))
            into[lose] = keep
    merged: Edges = {}
    for (tail, head), level in edges.items():
        _add(merged, root(tail), root(head), level)
    return _largest_part(merged)


def _largest_part(edges: Edges) -> Edges:
    part = {end: end for edge in edges for end in edge}

    def root(vertex: int) -> int:
        while part[vertex] != vertex:
            part[vertex] = part[part[vertex]]
            vertex = part[vertex]
        return vertex

    for tail, head in edges:
        part[root(tail)] = root(head)
    sizes = Counter(root(tail) for tail, _ in edges)
    largest = max(sorted(sizes), key=lambda vertex: sizes[vertex])
    return {edge: level for edge, level in edges.items() if root(edge[0]) == largest}


def _without_loose_ends(edges: Edges) -> Edges:
    """Drop dead ends of the plan: they only hinder the splitting of blocks."""
    edges = dict(edges)
    while True:
        ends = Counter(end for edge in edges for end in edge)
        loose = [edge for edge in edges if ends[edge[0]] == 1 or ends[edge[1]] == 1]
        if not loose:
            return edges
        for edge in loose:
            del edges[edge]
