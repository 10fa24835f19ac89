"""Road networks from OpenStreetMap, by OSMnx: a place or a box over the network, OSM files, GraphML.

The network is that of cars, and one-way streets are one-way. ``two_way=True`` opens them: workers of crowdsourcing
platforms walk and cycle as well, and the papers' graphs are undirected.
"""

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from crowdgym.common.errors import DataError
from crowdgym.common.files import refuse_special
from crowdgym.data.roads.assemble import AssemblyReport
from crowdgym.data.roads.graphs import network_of_graph
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.roads.osm_extract import write_drivable_extract
from crowdgym.data.roads.overpass import DEFAULT_ENDPOINTS, Endpoints, RefusedError, osmnx_settings

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Endpoints", "fetch_bbox", "fetch_place", "read_graphml", "read_osm_file"]

Read = tuple[RoadNetwork, AssemblyReport]


def fetch_place(name: str, two_way: bool = False, endpoints: Endpoints = DEFAULT_ENDPOINTS) -> Read:
    """Fetch the road network within the boundary of a place that Nominatim knows, for example ``"Haikou, China"``.

    Args:
        name: what one would type into a map's search box; it must have a boundary.
        two_way: open one-way streets both ways.
        endpoints: the servers to ask.

    Returns:
        The network, and what was dropped and repaired on the way.

    Raises:
        DataError: no such place, a place without boundary or roads, a server that is down, busy or makes no sense, and
            what ``assemble`` does not accept.
    """
    if not name.strip():
        raise DataError(f"the place is {name!r}; expected a name, such as 'Haikou, China'")
    import osmnx

    graph = _fetch(
        lambda: osmnx.graph_from_place(name, network_type="drive", retain_all=True),
        what=f"the place {name!r}",
        two_way=two_way,
        endpoints=endpoints,
    )
    return network_of_graph(graph, two_way=two_way, source=f"OpenStreetMap, {name}")


def fetch_bbox(
    west: float,
    south: float,
    east: float,
    north: float,
    two_way: bool = False,
    endpoints: Endpoints = DEFAULT_ENDPOINTS,
) -> Read:
    """Fetch the road network within a box in degrees (WGS-84).

    Args:
        west: longitude of the western edge.
        south: latitude of the southern edge.
        east: longitude of the eastern edge.
        north: latitude of the northern edge.
        two_way: open one-way streets both ways.
        endpoints: the server to ask.

    Returns:
        The network, and what was dropped and repaired on the way.

    Raises:
        DataError: a box that is not one, a box without roads, a server that is down, busy or makes no sense, and what
            ``assemble`` does not accept.
    """
    box = (west, south, east, north)
    box_text = ", ".join(f"{value:g}" for value in box)
    if not (all(map(math.isfinite, box)) and -180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise DataError(f"the bounding box is {box_text}; expected degrees in the order west, south, east, north")
    import osmnx

    graph = _fetch(
        lambda: osmnx.graph_from_bbox(box, network_type="drive", retain_all=True),
        what=f"the bounding box {box_text}",
        two_way=two_way,
        endpoints=endpoints,
    )
    return network_of_graph(graph, two_way=two_way, source=f"OpenStreetMap, box {box_text}")


def read_osm_file(path: str | Path, two_way: bool = False) -> Read:
    """Read the drivable roads of an OpenStreetMap file: XML (``.osm``, perhaps compressed) or ``.osm.pbf``.

    Streets are joined across nodes that are no crossings, as OSMnx does.

    Args:
        path: the file.
        two_way: open one-way streets both ways.

    Returns:
        The network, and what was dropped and repaired on the way.

    Raises:
        DataError: a file that is missing or not OpenStreetMap, a way through a node that the file lacks, no drivable
            roads, and what ``assemble`` does not accept.
    """
    import osmnx

    with tempfile.TemporaryDirectory() as folder, osmnx_settings(DEFAULT_ENDPOINTS, bidirectional=two_way):
        extract = Path(folder) / "drivable.osm"
        write_drivable_extract(Path(path), extract)
        graph = osmnx.graph_from_xml(extract, bidirectional=two_way, retain_all=True)
    return network_of_graph(cast("nx.Graph[Any]", graph), two_way=two_way, source=str(path))


def read_graphml(path: str | Path, two_way: bool = False) -> Read:
    """Read a GraphML file: as ``osmnx.save_graphml`` writes it, or any with ``x``, ``y`` and perhaps ``length``.

    Args:
        path: the file.
        two_way: open the edges of a directed graph both ways.

    Returns:
        The network, and what was dropped and repaired on the way.

    Raises:
        DataError: a file that is missing or not GraphML, nodes without coordinates, and what ``assemble`` does not
            accept.
    """
    from xml.etree.ElementTree import ParseError

    import networkx as nx

    expected = "expected GraphML, as osmnx.save_graphml writes it"
    try:
        refuse_special(Path(path))
        graph = nx.read_graphml(path, force_multigraph=True)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; {expected}") from error
    except (nx.NetworkXError, ParseError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is not a graph ({error}); {expected}") from error
    return network_of_graph(graph, two_way=two_way, source=str(path))


def _fetch(fetch: Callable[[], Any], *, what: str, two_way: bool, endpoints: Endpoints) -> "nx.Graph[Any]":
    """Run one of OSMnx's downloads, and turn what can go wrong into one sentence."""
    import requests
    from osmnx._errors import InsufficientResponseError, ResponseStatusCodeError

    try:
        with osmnx_settings(endpoints, bidirectional=two_way) as servers:
            return cast("nx.Graph[Any]", fetch())
    except RefusedError as error:
        raise DataError(f"cannot fetch {what}: {error}") from error
    except requests.exceptions.Timeout as error:
        raise DataError(
            f"cannot fetch {what}: {servers} did not answer within {endpoints.timeout_s:g} s; "
            "try again later, or ask for a smaller area"
        ) from error
    except requests.exceptions.RequestException as error:
        raise DataError(
            f"cannot fetch {what}: {servers} cannot be reached; check the connection, or read an OSM XML file instead"
        ) from error
    except ResponseStatusCodeError as error:
        raise DataError(f"cannot fetch {what}: {servers} refused ({error})") from error
    except (InsufficientResponseError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"cannot fetch {what}: {_reason(str(error), servers)}") from error


def _reason(complaint: str, servers: str) -> str:
    """Say in our words what OSMnx complains about."""
    if "0 results" in complaint:
        return f"{servers} knows no such place; expected a name, such as 'Haikou, China'"
    if "(Multi)Polygon" in complaint:
        return "it has no boundary in OpenStreetMap; expected a place with one, or a bounding box"
    if "No data elements" in complaint or "no graph nodes" in complaint:
        return f"{servers} knows no drivable roads in it; expected some"
    return f"{servers} sent something that makes no sense ({complaint}); expected what Overpass and Nominatim send"
