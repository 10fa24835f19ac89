"""Square roads and small files on them, for inputs that were once misread.

4 --------- 3        214.8 m from west to east, 222.4 m from south to north; corners at 10.000 and 10.003 degrees east,
|           |        50.000 and 50.002 degrees north
1 --------- 2
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from crowdgym.data.orders.read import OrderOptions
from crowdgym.data.orders.report import StreamReport
from crowdgym.data.orders.snap import order_stream
from crowdgym.data.orders.stream import OrderStream
from crowdgym.data.roads.assemble import AssemblyReport
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.roads.tables import RoadTableOptions, read_road_tables

Stream = tuple[OrderStream, StreamReport]

CORNERS = {1: (10.0, 50.0), 2: (10.003, 50.0), 3: (10.003, 50.002), 4: (10.0, 50.002)}
SIDES = {(1, 2): 214.8, (2, 3): 222.4, (3, 4): 214.8, (4, 1): 222.4}


def write_nodes(folder: Path, places: dict[int, tuple[float, float]] = CORNERS, header: str = "") -> Path:
    """A node file."""
    rows = "".join(f"{node},{x:.5f},{y:.5f}\n" for node, (x, y) in places.items())
    path = folder / "nodes.csv"
    path.write_text((header or "node_id,x_coord,y_coord") + "\n" + rows)
    return path


def write_links(folder: Path, rows: Iterable[tuple[object, ...]], header: str = "") -> Path:
    """A link file."""
    path = folder / "links.csv"
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    path.write_text((header or "from_node_id,to_node_id,length") + "\n" + text)
    return path


def sides(factor: float = 1.0) -> list[tuple[int, int, float]]:
    """The sides of the square, with lengths of metres times ``factor``."""
    return [(tail, head, round(length * factor, 6)) for (tail, head), length in SIDES.items()]


def roads(
    folder: Path,
    rows: Iterable[tuple[object, ...]] | None = None,
    header: str = "",
    places: dict[int, tuple[float, float]] = CORNERS,
    options: RoadTableOptions | None = None,
) -> tuple[RoadNetwork, AssemblyReport]:
    """Read roads that are written for it."""
    nodes, links = write_nodes(folder, places), write_links(folder, sides() if rows is None else rows, header)
    return read_road_tables(nodes, links, options)


def stream_of(folder: Path, *rows: str, header: str, options: OrderOptions | None = None) -> Stream:
    """Orders on the square, read from a file of these rows."""
    path = folder / "orders.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return order_stream(roads(folder)[0], [path], options)


def lengths_by_id(network: RoadNetwork) -> dict[tuple[int, int], int]:
    """All arcs of a network: (tail id, head id) to length in units."""
    tail = network.node_ids[np.repeat(np.arange(network.num_nodes), np.diff(network.indptr))]
    arcs = zip(tail.tolist(), network.node_ids[network.indices].tolist(), strict=True)
    return dict(zip(arcs, network.length.tolist(), strict=True))
