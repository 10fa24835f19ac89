"""From a graph of networkx to road tables: nodes with x and y, edges with length."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.roads.assemble import AssemblyReport, NodeTable, RoadTable, assemble
from crowdgym.data.roads.network import RoadNetwork

if TYPE_CHECKING:
    import networkx as nx

Arc = tuple[int, int, float]  # tail, head (as rows of the node table), length in metres or NaN

LENGTH_DECIMALS = 3  # the two directions of a road are summed in different orders: equal to the millimetre is equal
WGS84 = {"epsg:4326", "wgs84", "ogc:crs84", ""}


def network_of_graph(graph: "nx.Graph[Any]", *, two_way: bool, source: str) -> tuple[RoadNetwork, AssemblyReport]:
    """Build a road network from a graph whose nodes have ``x`` and ``y`` and whose edges may have ``length`` in metres.

    Coordinates are degrees unless the graph's attribute ``crs`` names another system; nodes' ``lon`` and ``lat`` come
    first, if there are any. Ids that are not all whole numbers are replaced by 0, 1, ... in the order of the graph.

    Args:
        graph: any networkx graph.
        two_way: open the edges of a directed graph both ways.
        source: the file or place, for messages.

    Raises:
        DataError: a node without coordinates, a value that is not a number, and what ``assemble`` does not accept.
    """
    longitude, latitude = _coordinates(graph, source)
    nodes = NodeTable(_ids(list(graph.nodes)), longitude, latitude)
    roads = _fold(_arcs(graph, source), nodes.ids, keep_directions=graph.is_directed() and not two_way)
    return assemble(nodes, roads, source=source)


def _arcs(graph: "nx.Graph[Any]", source: str) -> Iterator[Arc]:
    row = {node: number for number, node in enumerate(graph.nodes)}
    for tail, head, data in graph.edges(data=True):
        where = f"the edge from {tail} to {head}"
        yield row[tail], row[head], _number(data.get("length"), "length", where, source, missing=np.nan)


def _ids(names: list[Any]) -> NDArray[np.int64]:
    """The ids as whole numbers where all of them are, else new ones."""
    try:
        numbers = np.array([int(name) for name in names], np.int64)
    except (ValueError, TypeError, OverflowError):
        return np.arange(len(names), dtype=np.int64)
    return numbers if len(np.unique(numbers)) == len(numbers) else np.arange(len(names), dtype=np.int64)


def _coordinates(graph: "nx.Graph[Any]", source: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude of every node. Shapes [n], [n]."""
    has_degrees = all("lon" in data and "lat" in data for _, data in graph.nodes(data=True))
    names = ("lon", "lat") if has_degrees else ("x", "y")
    columns = []
    for name in names:
        for node, data in graph.nodes(data=True):
            if data.get(name) is None:
                found = ", ".join(map(str, data)) or "none"
                raise DataError(f"{source}: node {node} has no {name}; expected attributes x and y, found {found}")
        values = [_number(data[name], name, f"node {node}", source) for node, data in graph.nodes(data=True)]
        columns.append(np.array(values, np.float64))
    x, y = columns
    crs = str(graph.graph.get("crs", "")).strip()
    if has_degrees or crs.lower() in WGS84:
        return x, y
    return _to_degrees(x, y, crs, source)


def _to_degrees(
    x: NDArray[np.float64], y: NDArray[np.float64], crs: str, source: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import pyproj

    try:
        transformer = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise DataError(f"{source} has the coordinate system {crs!r}; expected one that PROJ knows") from error
    longitude, latitude = transformer.transform(x, y)
    return np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)


def _number(value: Any, name: str, where: str, source: str, *, missing: float | None = None) -> float:
    if missing is not None and (value is None or value == ""):
        return missing
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DataError(f"{source}: {name} of {where} is {value!r}; expected a number") from None


def _fold(arcs: Iterable[Arc], ids: NDArray[np.int64], *, keep_directions: bool) -> RoadTable:
    """Make one road of two opposite arcs of one length; what has no counterpart is one-way, or two-way if asked."""
    forward: Counter[tuple[int, int, float | None]] = Counter()
    backward: Counter[tuple[int, int, float | None]] = Counter()
    for tail, head, length_m in arcs:
        length = None if np.isnan(length_m) else round(length_m, LENGTH_DECIMALS)  # NaN is no key: it equals nothing
        (forward if tail <= head else backward)[min(tail, head), max(tail, head), length] += 1
    rows: list[tuple[int, int, float, bool]] = []
    for key in sorted(forward | backward, key=lambda key: (key[0], key[1], -1.0 if key[2] is None else key[2])):
        low, high, length = key
        there, back = forward[key], backward[key]
        if low == high:
            there, back = (there + 1) // 2, there // 2  # a loop leads both ways at its only end
        length_m = np.nan if length is None else length
        rows += [(low, high, length_m, False)] * min(there, back)
        rows += [(low, high, length_m, True)] * (there - min(there, back))
        rows += [(high, low, length_m, True)] * (back - min(there, back))
    tails, heads, lengths, single = zip(*rows, strict=True) if rows else ((), (), (), ())
    return RoadTable(
        tail=ids[np.array(tails, np.int64)],
        head=ids[np.array(heads, np.int64)],
        length_m=np.array(lengths, np.float64),
        oneway=np.array(single, np.bool_) if keep_directions else None,
    )
