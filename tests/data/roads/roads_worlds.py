"""Small road worlds for the tests of roads: tables by hand, and networks by their arcs."""

import numpy as np

from crowdgym.data.roads import RoadNetwork
from crowdgym.data.roads.assemble import NodeTable, RoadTable

Places = dict[int, tuple[float, float]]
Roads = list[tuple[int, int, float]]


def node_table(places: Places) -> NodeTable:
    """Places by id: longitude and latitude."""
    degrees = np.array(list(places.values()), float).reshape(-1, 2)
    return NodeTable(np.array(list(places), np.int64), degrees[:, 0], degrees[:, 1])


def line_of_places(count: int, step_deg: float = 0.001) -> Places:
    """Nodes 1..count on the equator, from longitude 0 eastwards."""
    return {number + 1: (number * step_deg, 0.0) for number in range(count)}


def road_table(roads: Roads, oneway: list[bool] | None = None) -> RoadTable:
    """Roads as (tail, head, length in metres)."""
    return RoadTable(
        tail=np.array([tail for tail, _, _ in roads], np.int64),
        head=np.array([head for _, head, _ in roads], np.int64),
        length_m=np.array([length for _, _, length in roads], float),
        oneway=None if oneway is None else np.array(oneway),
    )


def lengths_by_id(network: RoadNetwork) -> dict[tuple[int, int], int]:
    """All arcs of a network: (tail id, head id) to length in units."""
    tail = np.repeat(np.arange(network.num_nodes), np.diff(network.indptr))
    ids = network.node_ids.tolist()
    arcs = zip(tail.tolist(), network.indices.tolist(), network.length.tolist(), strict=True)
    return {(ids[start], ids[end]): length for start, end, length in arcs}


def network_of_arcs(count: int, arcs: dict[tuple[int, int], int]) -> RoadNetwork:
    """A network of nodes 0..count-1 with exactly these arcs, connected or not; the coordinates mean nothing."""
    ordered = sorted(arcs)
    degree = np.bincount(np.array([tail for tail, _ in ordered], np.int64), minlength=count)
    return RoadNetwork(
        node_ids=np.arange(count, dtype=np.int64),
        x_m=np.arange(count, dtype=float),
        y_m=np.zeros(count),
        longitude_deg=np.zeros(count),
        latitude_deg=np.zeros(count),
        indptr=np.concatenate([[0], np.cumsum(degree)]).astype(np.int32),
        indices=np.array([head for _, head in ordered], np.int32),
        length=np.array([arcs[arc] for arc in ordered], np.int32),
        unit_m=1.0,
        crs="EPSG:32650",
    )


def both_ways(roads: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    """Every road and its way back."""
    return roads | {(head, tail): length for (tail, head), length in roads.items()}


def street_grid(columns: int, rows: int, seed: int) -> RoadNetwork:
    """A grid of two-way streets of random length; column 0 and row 0 whole, so that it is connected."""
    draw = np.random.default_rng(seed)
    roads = {}
    for row in range(rows):
        for column in range(columns):
            node = row * columns + column
            if column + 1 < columns and (row == 0 or draw.random() < 0.8):
                roads[node, node + 1] = int(draw.integers(20, 200))
            if row + 1 < rows and (column == 0 or draw.random() < 0.8):
                roads[node, node + columns] = int(draw.integers(20, 200))
            if column and row and (node - 1, node) not in roads and (node - columns, node) not in roads:
                roads[node - 1, node] = int(draw.integers(20, 200))
    return network_of_arcs(columns * rows, both_ways(roads))
