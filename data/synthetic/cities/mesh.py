"""A planar mesh of streets that can be split, thinned and grown: a doubly connected edge list on whole decimetres.

Half-edge ``h`` runs from ``origin[h]`` to ``origin[h ^ 1]`` with its block on the left; ``h ^ 1`` runs back along the
same street. ``following[h]`` is the next half-edge round the block. Coordinates are Python integers, so what decides
the shape of a city is exact on every machine.
"""

from collections.abc import Iterator

Point = tuple[int, int]

OUTSIDE = -1  # `level` of an edge that is no street: the edge of the map


class StreetMesh:
    """Vertices, half-edges and blocks. Streets are numbered ``h >> 1``; removed ones keep their number."""

    def __init__(self, points: list[Point], edges: list[tuple[int, int]], levels: list[int]) -> None:
        """Build the mesh of a connected planar drawing: ``edges`` join ``points`` and touch only at their ends."""
        self.points = list(points)
        self.level = list(levels)  # [streets]
        self.alive = [True] * len(edges)  # [streets]
        self.origin = [end for edge in edges for end in edge]  # [half-edges]
        self.following = [-1] * len(self.origin)
        self.previous = [-1] * len(self.origin)
        self.block = [-1] * len(self.origin)  # [half-edges] the block on the left, before merging
        self.degree = [0] * len(points)
        self.start: list[int] = []  # [blocks] a half-edge of each
        self._merged_into: list[int] = []
        for end in self.origin:
            self.degree[end] += 1
        self._link()
        for half_edge in range(len(self.origin)):
            if self.block[half_edge] < 0:
                number = self._new_block(half_edge)
                for member in self.around(half_edge):
                    self.block[member] = number

    def _link(self) -> None:
        """Set what follows what: at every vertex, turn as far left as possible."""
        leaving: list[list[int]] = [[] for _ in self.points]
        for half_edge, vertex in enumerate(self.origin):
            leaving[vertex].append(half_edge)
        for vertex, fan in enumerate(leaving):
            fan.sort(key=lambda half_edge: _pseudo_angle(self.points[vertex], self.points[self.head(half_edge)]))
            for position, half_edge in enumerate(fan):
                self._join(half_edge ^ 1, fan[position - 1])

    def _join(self, first: int, second: int) -> None:
        self.following[first] = second
        self.previous[second] = first

    def _new_block(self, half_edge: int) -> int:
        self.start.append(half_edge)
        self._merged_into.append(len(self._merged_into))
        return len(self.start) - 1

    def head(self, half_edge: int) -> int:
        """The vertex to which it leads."""
        return self.origin[half_edge ^ 1]

    def around(self, half_edge: int) -> Iterator[int]:
        """All half-edges round its block, beginning with itself."""
        yield half_edge
        member = self.following[half_edge]
        while member != half_edge:
            yield member
            member = self.following[member]

    def block_of(self, half_edge: int) -> int:
        """The block on its left, after merging."""
        block = self.block[half_edge]
        while self._merged_into[block] != block:
            self._merged_into[block] = self._merged_into[self._merged_into[block]]
            block = self._merged_into[block]
        return block

    def streets(self) -> list[int]:
        """The numbers of all streets that were not removed, the edge of the map left out."""
        return [street for street, alive in enumerate(self.alive) if alive and self.level[street] != OUTSIDE]

    def _new_street(self, tail: int, head: int, level: int) -> int:
        self.origin += [tail, head]
        self.following += [-1, -1]
        self.previous += [-1, -1]
        self.block += [-1, -1]
        self.alive.append(True)
        self.level.append(level)
        return len(self.origin) - 2

    def split_street(self, half_edge: int, point: Point) -> int:
        """Put a vertex into a street. ``half_edge`` then ends there, and ``following[half_edge]`` begins there."""
        back, vertex = half_edge ^ 1, len(self.points)
        end, after, before_back = self.origin[back], self.following[half_edge], self.previous[back]
        self.points.append(point)
        self.degree.append(2)
        new = self._new_street(vertex, end, self.level[half_edge >> 1])
        self.origin[back] = vertex
        self.block[new], self.block[new ^ 1] = self.block[half_edge], self.block[back]
        self._join(half_edge, new)
        self._join(new ^ 1, back)
        if after == back:  # the end was a dead end
            self._join(new, new ^ 1)
        else:
            self._join(new, after)
            self._join(before_back, new ^ 1)
        return vertex

    def split_block(self, first: int, second: int, level: int) -> tuple[int, int]:
        """Draw a street from the origin of ``first`` to that of ``second``, both round one block.

        Returns:
            A half-edge of each of the two blocks; the first one's block keeps its number.
        """
        tail, head = self.origin[first], self.origin[second]
        new = self._new_street(tail, head, level)
        before_first, before_second = self.previous[first], self.previous[second]
        self._join(before_first, new)
        self._join(new, second)
        self._join(before_second, new ^ 1)
        self._join(new ^ 1, first)
        self.degree[tail] += 1
        self.degree[head] += 1
        old = self.block[first]
        self.block[new], self.start[old] = old, new
        number = self._new_block(new ^ 1)
        for member in self.around(new ^ 1):
            self.block[member] = number
        return new, new ^ 1

    def add_dead_end(self, half_edge: int, point: Point, level: int) -> int:
        """Draw a street from the origin of ``half_edge`` to a new vertex in its block, and return that vertex."""
        tail, vertex = self.origin[half_edge], len(self.points)
        self.points.append(point)
        self.degree.append(1)
        self.degree[tail] += 1
        new = self._new_street(tail, vertex, level)
        self.block[new] = self.block[new ^ 1] = self.block[half_edge]
        self._join(self.previous[half_edge], new)
        self._join(new, new ^ 1)
        self._join(new ^ 1, half_edge)
        return vertex

    def remove_street(self, street: int) -> None:
        """Take a street away between two different blocks, which become one. What was connected stays connected."""
        half_edge = 2 * street
        back = half_edge ^ 1
        self._join(self.previous[half_edge], self.following[back])
        self._join(self.previous[back], self.following[half_edge])
        kept, lost = self.block_of(half_edge), self.block_of(back)
        self._merged_into[lost] = kept
        self.start[kept] = self.following[half_edge]
        self.degree[self.origin[half_edge]] -= 1
        self.degree[self.origin[back]] -= 1
        self.alive[street] = False

    def leaving(self, half_edge: int) -> Iterator[int]:
        """All half-edges that leave the vertex that it leaves, beginning with itself, clockwise."""
        yield half_edge
        member = self.following[half_edge ^ 1]
        while member != half_edge:
            yield member
            member = self.following[member ^ 1]

    def merge_ends(self, half_edge: int, point: Point) -> None:
        """Make one vertex at ``point`` of both ends of a street, which goes. Neither may be a dead end."""
        back = half_edge ^ 1
        kept, lost = self.origin[half_edge], self.origin[back]
        for member in list(self.leaving(back)):
            self.origin[member] = kept
        self._join(self.previous[half_edge], self.following[half_edge])
        self._join(self.previous[back], self.following[back])
        self.points[kept] = point
        self.degree[kept] += self.degree[lost] - 2
        self.degree[lost] = 0
        self.alive[half_edge >> 1] = False


def _pseudo_angle(centre: Point, point: Point) -> tuple[int, float]:
    """Sort key that grows counter-clockwise, without trigonometry."""
    x, y = point[0] - centre[0], point[1] - centre[1]
    if y >= 0:
        return (0, -x / (abs(x) + y)) if x >= 0 else (1, -x / (abs(x) + y))
    return (2, x / (abs(x) - y)) if x < 0 else (3, x / (abs(x) - y))
