"""From a table of nodes and a table of roads to a `RoadNetwork`, with a report of everything that was left out."""

import warnings
from dataclasses import asdict, dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError, DataWarning
from crowdgym.data.roads.extent import longest_path_bound
from crowdgym.data.roads.lengths import LengthCheck, compare_lengths
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.roads.projection import check_coordinates, great_circle_m, hilbert_order, project_utm

Int64Array = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LONGEST_ROAD_M = 20_037_508.0  # half the equator: no two places on earth are farther apart
LONGEST_PATH_UNITS = 65_534  # what uint16 holds, less the largest value, which stands for "cannot be reached"
PROJECTED_DECIMALS = 3  # millimetres: a new release of PROJ must not change a network's checksum


@dataclass(frozen=True)
class NodeTable:
    """Places of a road graph as a source gives them."""

    ids: Int64Array  # [n]
    longitude_deg: FloatArray  # [n] WGS-84
    latitude_deg: FloatArray  # [n] WGS-84


@dataclass(frozen=True)
class RoadTable:
    """Roads as a source gives them, by the ids of their ends."""

    tail: Int64Array  # [r] node id
    head: Int64Array  # [r] node id
    length_m: FloatArray  # [r] NaN where unknown
    oneway: BoolArray | None = None  # [r] True: from tail to head only; None: every road may be driven both ways


@dataclass(frozen=True)
class AssemblyReport:
    """What `assemble` read, dropped, repaired and kept.

    Attributes:
        source: what the tables came from.
        nodes_read: rows of the node table.
        roads_read: rows of the road table.
        self_loops_dropped: roads from a node to itself.
        parallel_roads_merged: roads of which no direction is kept, because another that is no longer joins the same
            nodes (also the second of two rows that give the two directions of one road).
        lengths_repaired: roads without a length, or with length zero, that got the great-circle distance of their ends.
        dropped_part_sizes: nodes of each part that is not (strongly) connected with the largest, descending.
        roads_dropped: roads (pairs of nodes) that led to, from or within those parts.
        nodes: nodes of the network.
        edges: roads of the network (pairs of nodes joined in either direction).
        unit_m: metres a unit of length.
        oneway_edges: roads of the network that lead in one direction only.
        lengths: how the given lengths compare with the straight lines between the ends of the roads.
        unit_named: the user has named the unit of lengths.
        notes: what else a reader has to say about the source, one fact each.
        left_out: the nodes of the dropped parts.
    """

    source: str
    nodes_read: int
    roads_read: int
    self_loops_dropped: int
    parallel_roads_merged: int
    lengths_repaired: int
    dropped_part_sizes: tuple[int, ...]
    roads_dropped: int
    nodes: int
    edges: int
    unit_m: float
    oneway_edges: int = 0
    lengths: LengthCheck = field(default_factory=lambda: LengthCheck(0, 0, 1.0, ""))
    unit_named: bool = False
    notes: tuple[str, ...] = ()
    left_out: NodeTable | None = field(default=None, repr=False, compare=False)

    @property
    def nodes_dropped(self) -> int:
        """Nodes that are not (strongly) connected with the largest part."""
        return sum(self.dropped_part_sizes)

    def facts(self) -> dict[str, object]:
        """All of the above as plain values, without the nodes that were left out."""
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name != "left_out"}
        return {**plain, "lengths": asdict(self.lengths)}

    def lines(self) -> list[str]:
        """The report in words, one fact a line; facts that did not occur are left out."""
        facts = [f"read {self.nodes_read:,} nodes and {self.roads_read:,} roads from {self.source}"]
        if self.self_loops_dropped:
            facts.append(f"dropped {self.self_loops_dropped:,} roads from a node to itself")
        if self.parallel_roads_merged:
            facts.append(
                f"merged {self.parallel_roads_merged:,} roads with another between the same nodes (the shortest stays)"
            )
        if self.lengths_repaired:
            facts.append(f"gave {self.lengths_repaired:,} roads without a length that of the great circle")
        if self.dropped_part_sizes:
            sizes = self.dropped_part_sizes
            shown = ", ".join(f"{size:,}" for size in sizes[:5]) + (", ..." if len(sizes) > 5 else "")
            facts.append(
                f"dropped {self.nodes_dropped:,} nodes and {self.roads_dropped:,} roads in {len(sizes):,} parts "
                f"not connected with the largest ({shown} nodes)"
            )
        facts.extend(self.notes)
        if self.lengths.shorter:
            facts.append(
                f"found {self.lengths.shorter:,} of {self.lengths.roads:,} roads shorter than the straight line "
                "between their ends"
            )
        oneway = f", {self.oneway_edges:,} of them one-way" if self.oneway_edges else ""
        unit = "" if self.unit_m == 1.0 else f", lengths in units of {self.unit_m:g} m"
        facts.append(f"kept {self.nodes:,} nodes and {self.edges:,} edges{oneway}{unit}")
        return facts


@dataclass(frozen=True)
class _Arcs:
    """Directed roads between rows of the node table; at most one for each ordered pair, sorted by tail, then head."""

    tail: Int64Array  # [a]
    head: Int64Array  # [a]
    length_m: FloatArray  # [a]


def assemble(
    nodes: NodeTable, roads: RoadTable, *, source: str, notes: tuple[str, ...] = ()
) -> tuple[RoadNetwork, AssemblyReport]:
    """Build a road network from tables.

    Roads from a node to itself are dropped, of parallel roads the shortest is kept, a missing or zero length is
    replaced by the great-circle distance of the road's ends (one `DataWarning` says how many), and of the (strongly)
    connected parts the largest is kept, if it holds more than half of the nodes. Coordinates are projected to the UTM
    zone of the centre of what is kept. Lengths are rounded to whole units, at least one; the unit is one metre, or
    the smallest whole number of metres with which the longest shortest path is sure to fit 16 bits. Nodes are
    renumbered along a Hilbert curve. The same tables give the same network, whatever the order of their rows.

    Args:
        nodes: n places.
        roads: r roads between them.
        source: the file or place the tables came from, for messages.
        notes: what else the reader has to say about the source.

    Returns:
        The network, and what was dropped and repaired on the way.

    Raises:
        DataError: coordinates that are not finite or not on earth, an id given twice, a road to a node that is not
            there, a length that is negative or longer than half the equator, no road at all, or a graph that falls
            apart into parts of which none holds more than half of the nodes.
    """
    _check_nodes(nodes, source)
    tail, head = _rows_of_ends(nodes, roads, source)
    loops = tail == head
    if np.all(loops):
        raise DataError(f"{source} has no road between two different nodes; expected at least one")
    degrees = np.stack([nodes.longitude_deg, nodes.latitude_deg], axis=1)
    lengths = compare_lengths(np.asarray(roads.length_m, np.float64), degrees[tail], degrees[head])
    length_m, repaired = _repaired_lengths(nodes, roads, tail, head, ~loops, source)
    arcs, merged = _merged_arcs(nodes, roads, tail, head, length_m, ~loops)

    parts = _parts(arcs, nodes, source)
    kept, kept_arcs = parts.kept, parts.kept[arcs.tail] & parts.kept[arcs.head]
    edges_before, edges = _num_edges(arcs, np.ones_like(kept_arcs)), _num_edges(arcs, kept_arcs)
    network = _number(nodes, kept, _Arcs(arcs.tail[kept_arcs], arcs.head[kept_arcs], arcs.length_m[kept_arcs]), source)
    report = AssemblyReport(
        source=source,
        nodes_read=len(nodes.ids),
        roads_read=len(roads.tail),
        self_loops_dropped=int(loops.sum()),
        parallel_roads_merged=merged,
        lengths_repaired=repaired,
        dropped_part_sizes=parts.dropped_sizes,
        roads_dropped=edges_before - edges,
        nodes=network.num_nodes,
        edges=edges,
        oneway_edges=2 * edges - network.num_arcs,
        unit_m=network.unit_m,
        lengths=lengths,
        notes=notes,
        left_out=NodeTable(nodes.ids[~kept], nodes.longitude_deg[~kept], nodes.latitude_deg[~kept]),
    )
    return network, report


def _check_nodes(nodes: NodeTable, source: str) -> None:
    if not len(nodes.ids) == len(nodes.longitude_deg) == len(nodes.latitude_deg):
        raise DataError(
            f"{source} has {len(nodes.ids)} node ids, {len(nodes.longitude_deg)} longitudes and "
            f"{len(nodes.latitude_deg)} latitudes; expected one of each a node"
        )
    if len(nodes.ids) == 0:
        raise DataError(f"{source} has no nodes; expected at least two")
    check_coordinates(nodes.ids, nodes.longitude_deg, nodes.latitude_deg, source)
    ids, counts = np.unique(nodes.ids, return_counts=True)
    if np.any(counts > 1):
        raise DataError(f"{source} has {counts.max()} nodes with id {ids[counts.argmax()]}; expected unique ids")


def _rows_of_ends(nodes: NodeTable, roads: RoadTable, source: str) -> tuple[Int64Array, Int64Array]:
    """Turn the ids of the roads' ends into rows of the node table. Shapes [r], [r]."""
    counts = {len(roads.tail), len(roads.head), len(roads.length_m)}
    if len(counts) > 1 or (roads.oneway is not None and len(roads.oneway) != len(roads.tail)):
        raise DataError(f"{source} has columns of different lengths in its road table; expected one value a road")
    if len(roads.tail) == 0:
        raise DataError(f"{source} has no roads; expected at least one")
    order = np.argsort(nodes.ids)
    rows = []
    for ends in (roads.tail, roads.head):
        place = np.minimum(np.searchsorted(nodes.ids, ends, sorter=order), len(order) - 1)
        row = order[place]
        missing = np.flatnonzero(nodes.ids[row] != ends)
        if len(missing):
            road = missing[0]
            raise DataError(
                f"{source} has a road from node {roads.tail[road]} to node {roads.head[road]}, but no node "
                f"{ends[road]}; expected both ends among its {len(nodes.ids)} nodes"
            )
        rows.append(row.astype(np.int64))
    return rows[0], rows[1]


def _repaired_lengths(
    nodes: NodeTable, roads: RoadTable, tail: Int64Array, head: Int64Array, used: BoolArray, source: str
) -> tuple[FloatArray, int]:
    """Check the lengths, and fill those that are missing or zero. Shape [r], and how many were filled."""
    length_m = np.array(roads.length_m, dtype=np.float64)
    wrong = np.flatnonzero((length_m < 0) | (length_m > LONGEST_ROAD_M))
    if len(wrong):
        road = wrong[0]
        raise DataError(
            f"{source} has a road of {length_m[road]:g} m from node {roads.tail[road]} to node {roads.head[road]}; "
            f"expected a length of 0 to {LONGEST_ROAD_M:.0f} m, or none"
        )
    repair = used & (np.isnan(length_m) | (length_m == 0))
    count = int(repair.sum())
    if count:
        start, end = tail[repair], head[repair]
        longitude, latitude = nodes.longitude_deg, nodes.latitude_deg
        length_m[repair] = great_circle_m(longitude[start], latitude[start], longitude[end], latitude[end])
        warnings.warn(
            f"{source}: {count} of {len(length_m)} roads have no length or length zero; "
            "the great-circle distance of their ends is used instead",
            DataWarning,
            stacklevel=3,
        )
    return length_m, count


def _merged_arcs(
    nodes: NodeTable, roads: RoadTable, tail: Int64Array, head: Int64Array, length_m: FloatArray, used: BoolArray
) -> tuple[_Arcs, int]:
    """Make one or two arcs of every used road, and keep the shortest of parallel ones."""
    road = np.flatnonzero(used)
    back = road if roads.oneway is None else road[~roads.oneway[road]]
    arc_road = np.concatenate([road, back])
    arc_tail = np.concatenate([tail[road], head[back]])
    arc_head = np.concatenate([head[road], tail[back]])
    order = np.lexsort((arc_road, length_m[arc_road], arc_head, arc_tail))
    key = (arc_tail * len(nodes.ids) + arc_head)[order]
    shortest = order[np.concatenate([[True], key[1:] != key[:-1]])]
    merged = len(road) - len(np.unique(arc_road[shortest]))
    return _Arcs(arc_tail[shortest], arc_head[shortest], length_m[arc_road[shortest]]), merged


@dataclass(frozen=True)
class _Parts:
    kept: BoolArray  # [n]
    dropped_sizes: tuple[int, ...]


def _parts(arcs: _Arcs, nodes: NodeTable, source: str) -> _Parts:
    """Find the largest strongly connected part."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    count = len(nodes.ids)
    graph = csr_array((np.ones(len(arcs.tail), np.int8), (arcs.tail, arcs.head)), shape=(count, count))
    _, label = connected_components(graph, directed=True, connection="strong")
    sizes = np.bincount(label)
    largest = int(sizes.argmax())
    if 2 * sizes[largest] <= count:
        raise DataError(
            f"{source} is a disconnected graph: of its {count} nodes the largest connected part holds only "
            f"{sizes[largest]}, the rest is in {len(sizes) - 1} other parts; expected one part with more than half"
        )
    dropped = sorted((int(size) for part, size in enumerate(sizes) if part != largest), reverse=True)
    return _Parts(label == largest, tuple(dropped))


def _num_edges(arcs: _Arcs, used: BoolArray) -> int:
    low = np.minimum(arcs.tail[used], arcs.head[used])
    high = np.maximum(arcs.tail[used], arcs.head[used])
    return len(np.unique(low * (high.max(initial=0) + 1) + high))


def _number(nodes: NodeTable, kept: BoolArray, arcs: _Arcs, source: str) -> RoadNetwork:
    """Project, renumber and round: everything is connected from here on."""
    row = np.flatnonzero(kept)
    row = row[np.argsort(nodes.ids[row])]  # so that the order of the table cannot matter
    x_m, y_m, crs = project_utm(nodes.longitude_deg[row], nodes.latitude_deg[row], source)
    x_m, y_m = np.round(x_m, PROJECTED_DECIMALS), np.round(y_m, PROJECTED_DECIMALS)
    curve = hilbert_order(x_m, y_m)
    row, x_m, y_m = row[curve], x_m[curve], y_m[curve]

    number = np.full(len(nodes.ids), -1, np.int64)
    number[row] = np.arange(len(row))
    tail, head = number[arcs.tail], number[arcs.head]
    order = np.lexsort((head, tail))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=len(row)))]).astype(np.int32)
    indices = head[order].astype(np.int32)
    unit_m, length = _whole_lengths(arcs.length_m[order], indptr, indices)
    return RoadNetwork(
        node_ids=np.asarray(nodes.ids, np.int64)[row],
        x_m=x_m,
        y_m=y_m,
        longitude_deg=np.asarray(nodes.longitude_deg, np.float64)[row],
        latitude_deg=np.asarray(nodes.latitude_deg, np.float64)[row],
        indptr=indptr,
        indices=indices,
        length=length,
        unit_m=unit_m,
        crs=crs,
    )


def _whole_lengths(
    length_m: FloatArray, indptr: NDArray[np.int32], indices: NDArray[np.int32]
) -> tuple[float, NDArray[np.int32]]:
    """Round to the smallest whole number of metres that keeps the longest shortest path within 16 bits."""
    unit_m = 1
    while True:
        length = np.maximum(np.rint(length_m / unit_m), 1).astype(np.int32)
        if longest_path_bound(indptr, indices, length, enough=LONGEST_PATH_UNITS) <= LONGEST_PATH_UNITS:
            return float(unit_m), length
        unit_m += 1
