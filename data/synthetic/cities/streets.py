"""The streets of a city: blocks are split, then streets go missing, end blind and bend, until the counts are met."""

import heapq

import numpy as np

from crowdgym.data.roads.assemble import NodeTable, RoadTable
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.synthetic.cities.arrangement import UNITS_PER_M, draw_plan
from crowdgym.data.synthetic.cities.blocks import Draws, closed_blocks, split_blocks
from crowdgym.data.synthetic.cities.mesh import OUTSIDE, Point, StreetMesh
from crowdgym.data.synthetic.cities.plan import ARTERIAL, COLLECTOR, LOCAL, CityPlan

CUT_SHARE = 0.5  # of the dead ends are what a missing piece of street leaves; the others lead into a block
LANE_M = (35.0, 130.0)  # the length of a dead end that leads into a block
LARGEST_BORDER = 60  # blocks with more sides than this get no dead ends: the outside, mostly
BEND = 0.09  # how far a local street bends sideways, at most, as a share of its length
MERGE_M = 110.0  # junctions up to this far apart may become one
SHARP_COSINE = 0.87  # no two streets leave a merged junction at a sharper angle than this cosine
SHORTEST_LEG_M = 25.0  # and none that is shorter


def build_streets(plan: CityPlan, generator: np.random.Generator) -> StreetMesh:
    """Draw all streets of a city: exactly ``plan.streets.nodes`` nodes and ``plan.streets.edges`` edges.

    Raises:
        RuntimeError: the plan has no room for them, which is a mistake in the plan.
    """
    draws, figures = Draws(generator), plan.streets
    mesh = draw_plan(plan)
    closed = closed_blocks(mesh, plan)
    wanted = figures.edges - figures.nodes
    five_way, dead_ends = round(figures.five_way_share * figures.nodes), round(figures.dead_end_share * figures.nodes)
    cut = round(CUT_SHARE * dead_ends)
    removed = round(figures.removed_share * (wanted + cut))
    split_blocks(mesh, plan, draws, closed, wanted + removed + cut)
    for street in range(len(mesh.level)):
        if mesh.level[street] == OUTSIDE:
            mesh.remove_street(street)
    closed = {mesh.block_of(mesh.start[block]) for block in closed}
    _thin(mesh, closed, draws, generator, removed, cut)
    _add_lanes(mesh, closed, draws, generator, max(0, dead_ends - mesh.degree.count(1)))
    # What is missing to the wanted count of nodes is put into streets: T junctions are merged until that is enough.
    bends = round(figures.bend_share * figures.nodes) - mesh.degree.count(2)
    _merge_junctions(mesh, closed, draws, _num_nodes(mesh) + bends - figures.nodes, five_way)
    _add_bends(mesh, closed, draws, figures.shortest_m, figures.nodes - _num_nodes(mesh))
    nodes, edges = _num_nodes(mesh), len(mesh.streets())
    if (nodes, edges) != (figures.nodes, figures.edges):
        raise RuntimeError(f"the plan of {plan.name!r} gave {nodes} nodes and {edges} edges, not those it asks for")
    return mesh


def to_network(mesh: StreetMesh, plan: CityPlan, generator: np.random.Generator) -> RoadNetwork:
    """Place the streets on earth and assemble them. Lengths are whole metres."""
    import pyproj

    from crowdgym.data.roads.assemble import assemble

    streets = mesh.streets()
    ends = np.array([(mesh.origin[2 * street], mesh.origin[2 * street + 1]) for street in streets])  # [E, 2]
    points = np.array(mesh.points, dtype=np.float64) / UNITS_PER_M  # [V, 2]
    dx, dy = (points[ends[:, 0]] - points[ends[:, 1]]).T
    length_m = np.sqrt(dx * dx + dy * dy) * (1 + plan.streets.winding * generator.random(len(streets)))
    used = np.unique(ends)
    east, north = centre_m(plan)
    back = pyproj.Transformer.from_crs(f"EPSG:{plan.epsg}", "EPSG:4326", always_xy=True)
    longitude, latitude = back.transform(points[used, 0] + east, points[used, 1] + north)
    # Seven decimals (a centimetre), as OpenStreetMap has them: a new release of PROJ must not change the city.
    nodes = NodeTable(used.astype(np.int64), np.round(longitude, 7), np.round(latitude, 7))
    roads = RoadTable(ends[:, 0].astype(np.int64), ends[:, 1].astype(np.int64), np.ceil(length_m))
    return assemble(nodes, roads, source=f"the synthetic city {plan.name!r}")[0]


def _num_nodes(mesh: StreetMesh) -> int:
    return len(mesh.degree) - mesh.degree.count(0)


def centre_m(plan: CityPlan) -> tuple[float, float]:
    """Where the origin of a plan lies in its UTM zone, in whole metres east and north."""
    import pyproj

    forth = pyproj.Transformer.from_crs("EPSG:4326", f"EPSG:{plan.epsg}", always_xy=True)
    east, north = forth.transform(*plan.centre)
    return float(round(east)), float(round(north))


def _shuffled(mesh: StreetMesh, generator: np.random.Generator) -> list[int]:
    streets = np.array(mesh.streets())
    return [int(street) for street in streets[generator.permutation(len(streets))]]


def _length(mesh: StreetMesh, street: int) -> float:
    (ax, ay), (bx, by) = mesh.points[mesh.origin[2 * street]], mesh.points[mesh.origin[2 * street + 1]]
    return float(((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5)


def _thin(
    mesh: StreetMesh, closed: set[int], draws: Draws, generator: np.random.Generator, removed: int, cut: int
) -> None:
    """Remove ``removed`` local streets, and of ``cut`` others one end, so that they become dead ends."""
    for street in _shuffled(mesh, generator):
        if removed + cut == 0:
            return
        sides = [mesh.block_of(2 * street), mesh.block_of(2 * street + 1)]
        ends = [mesh.origin[2 * street], mesh.origin[2 * street + 1]]
        if mesh.level[street] < COLLECTOR or sides[0] == sides[1] or closed.intersection(sides):
            continue
        if min(mesh.degree[end] for end in ends) < 3:
            continue
        if draws() * (removed + cut) < cut:
            if _length(mesh, street) < 80 * UNITS_PER_M:
                continue
            half_edge = 2 * street + (0 if draws() < 0.5 else 1)
            mesh.split_street(half_edge, _between(mesh, half_edge, draws.between(0.45, 0.85), 0.0))
            mesh.remove_street(mesh.following[half_edge] >> 1)
            cut -= 1
        elif mesh.level[street] == LOCAL and removed:
            mesh.remove_street(street)
            removed -= 1


def _between(mesh: StreetMesh, half_edge: int, share: float, aside: float) -> Point:
    """A place along a street, and to the left of it by a share of its length."""
    (ax, ay), (bx, by) = mesh.points[mesh.origin[half_edge]], mesh.points[mesh.head(half_edge)]
    dx, dy = bx - ax, by - ay
    return round(ax + share * dx - aside * dy), round(ay + share * dy + aside * dx)


def _add_lanes(mesh: StreetMesh, closed: set[int], draws: Draws, generator: np.random.Generator, wanted: int) -> None:
    """Draw dead ends from streets into blocks, at about a right angle."""
    for street in _shuffled(mesh, generator):
        if wanted == 0:
            return
        half_edge = 2 * street + (0 if draws() < 0.5 else 1)
        length = _length(mesh, street)
        if mesh.level[street] < ARTERIAL or mesh.block_of(half_edge) in closed or length < 70 * UNITS_PER_M:
            continue
        base = _between(mesh, half_edge, draws.between(0.35, 0.65), 0.0)
        room = _room(mesh, half_edge, base, length)
        lane = draws.between(*LANE_M) * UNITS_PER_M
        if room < 2.2 * LANE_M[0] * UNITS_PER_M:
            continue
        lane = min(lane, 0.5 * room)
        (ax, ay), (bx, by) = mesh.points[mesh.origin[half_edge]], mesh.points[mesh.head(half_edge)]
        lean = draws.between(-0.2, 0.2)
        dx, dy = (bx - ax) / length, (by - ay) / length
        tip = (round(base[0] + lane * (-dy + lean * dx)), round(base[1] + lane * (dx + lean * dy)))
        mesh.split_street(half_edge, base)
        mesh.add_dead_end(mesh.following[half_edge], tip, LOCAL)
        wanted -= 1


def _room(mesh: StreetMesh, half_edge: int, base: Point, length: float) -> float:
    """How far it is from a place on a street, straight to the left, to the next street; 0 in an unwieldy block."""
    (ax, ay), (bx, by) = mesh.points[mesh.origin[half_edge]], mesh.points[mesh.head(half_edge)]
    dx, dy = (bx - ax) / length, (by - ay) / length
    nearest = 0.0
    for count, member in enumerate(mesh.around(half_edge)):
        if count > LARGEST_BORDER:
            return 0.0
        if count == 0:
            continue
        (px, py), (qx, qy) = mesh.points[mesh.origin[member]], mesh.points[mesh.head(member)]
        p, q = (px - base[0]) * dx + (py - base[1]) * dy, (qx - base[0]) * dx + (qy - base[1]) * dy
        if (p > 0) != (q > 0):
            share = p / (p - q)
            x, y = px + share * (qx - px) - base[0], py + share * (qy - py) - base[1]
            away = -x * dy + y * dx
            if away > 0 and (nearest == 0 or away < nearest):
                nearest = away
    return nearest


def _merge_junctions(mesh: StreetMesh, closed: set[int], draws: Draws, wanted: int, five_way: int) -> None:
    """Make crossings of T junctions a short way apart, ``five_way`` of them of a crossing and a T junction."""
    queue = sorted((_length(mesh, street) * draws.between(0.5, 1.5), street) for street in mesh.streets())
    for _, street in queue:
        if wanted <= 0:
            return
        half_edge = 2 * street
        if closed.issuperset((mesh.block_of(half_edge), mesh.block_of(half_edge + 1))):
            continue
        degrees = sorted((mesh.degree[mesh.origin[half_edge]], mesh.degree[mesh.head(half_edge)]))
        if degrees != [3, 3] and not (degrees == [3, 4] and five_way > 0):
            continue
        point = _merged_place(mesh, half_edge)
        if point is None or _length(mesh, street) > MERGE_M * UNITS_PER_M or not _is_neat(mesh, half_edge, point):
            continue
        mesh.merge_ends(half_edge, point)
        wanted -= 1
        five_way -= degrees == [3, 4]


def _merged_place(mesh: StreetMesh, half_edge: int) -> Point | None:
    """Where the ends of a street would merge: on the wider street there; nowhere if it joins two wider ones."""
    own, back = mesh.level[half_edge >> 1], half_edge ^ 1
    tail_rank, head_rank = (
        min(mesh.level[other >> 1] for other in mesh.leaving(end) if other != end) for end in (half_edge, back)
    )
    if max(tail_rank, head_rank) < own:
        return None
    if tail_rank == head_rank:
        return _between(mesh, half_edge, 0.5, 0.0)
    return mesh.points[mesh.origin[half_edge if tail_rank < head_rank else back]]


def _is_neat(mesh: StreetMesh, half_edge: int, point: Point) -> bool:
    """Whether merging the ends of a street joins no two streets into one, and leaves no sharp angle."""
    x0, y0 = point
    away = [e for end in (half_edge, half_edge ^ 1) for e in mesh.leaving(end) if e >> 1 != half_edge >> 1]
    if len({mesh.head(e) for e in away}) < len(away):
        return False
    directions = []
    for other in away:
        x, y = mesh.points[mesh.head(other)][0] - x0, mesh.points[mesh.head(other)][1] - y0
        norm = (x * x + y * y) ** 0.5
        if norm < SHORTEST_LEG_M * UNITS_PER_M:
            return False
        directions.append((x / norm, y / norm))
    pairs = ((first, second) for i, first in enumerate(directions) for second in directions[:i])
    return all(ux * vx + uy * vy < SHARP_COSINE for (ux, uy), (vx, vy) in pairs)


def _add_bends(mesh: StreetMesh, closed: set[int], draws: Draws, shortest_m: float, wanted: int) -> None:
    """Put vertices of degree two into streets, the longest first; local streets bend there."""
    queue = [
        (-_length(mesh, street) * draws.between(0.6, 1.4), street)
        for street in mesh.streets()
        if not closed.issuperset((mesh.block_of(2 * street), mesh.block_of(2 * street + 1)))
    ]
    heapq.heapify(queue)
    while wanted > 0 and queue:
        _, street = heapq.heappop(queue)
        if _length(mesh, street) < 2.5 * shortest_m * UNITS_PER_M:
            continue
        half_edge = 2 * street
        aside = draws.between(-BEND, BEND) if mesh.level[street] == LOCAL else 0.0
        mesh.split_street(half_edge, _between(mesh, half_edge, draws.between(0.38, 0.62), aside))
        wanted -= 1
        for part in (street, len(mesh.level) - 1):
            heapq.heappush(queue, (-_length(mesh, part) * draws.between(0.6, 1.4), part))
