"""Road networks of SUMO: ``.net.xml``, as netconvert writes it."""

from pathlib import Path
from xml.etree import ElementTree as Xml

from crowdgym.common.errors import DataError
from crowdgym.data.roads.arcs import Arc, network_of_arcs
from crowdgym.data.roads.assemble import AssemblyReport
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.roads.xml_files import elements, number_of

ROOT = "net"
EXPECTED = "expected a network of SUMO (.net.xml)"
_CAR = "passenger"


def read_sumo(path: str | Path, two_way: bool = False) -> tuple[RoadNetwork, AssemblyReport]:
    """Read the roads that passenger cars may use. Every edge of SUMO leads one way.

    Args:
        path: the file, perhaps compressed.
        two_way: open every road both ways.

    Returns:
        The network, and what was dropped and repaired on the way.

    Raises:
        DataError: a file that is missing or no network of SUMO, a network without geographic reference, and what
            ``assemble`` does not accept.
    """
    path = Path(path)
    crs, offset = "", (0.0, 0.0)
    places: dict[str, tuple[float, float]] = {}
    arcs: list[Arc] = []
    for element in elements(path, ROOT, {"location", "junction", "edge"}, EXPECTED):
        if element.tag == "location":
            crs = element.get("projParameter", "")
            east, north = element.get("netOffset", "0,0").split(",")
            offset = (float(east), float(north))
        elif element.tag == "junction" and element.get("type") != "internal":
            places[element.get("id", "")] = (number_of(element, "x", path), number_of(element, "y", path))
        elif element.tag == "edge" and element.get("function", "normal") == "normal":
            lanes = [lane for lane in element.iter("lane") if _takes_cars(lane)]
            if lanes:
                length_m = min(number_of(lane, "length", path) for lane in lanes)
                arcs.append(Arc(element.get("from", ""), element.get("to", ""), length_m))
    if crs in ("", "!", "-"):
        raise DataError(f"{path} says no projection (projParameter); expected a network with geographic reference")
    used = {end for arc in arcs for end in (arc.tail, arc.head)}
    moved = {name: (x - offset[0], y - offset[1]) for name, (x, y) in places.items() if name in used}
    return network_of_arcs(moved, arcs, crs, two_way=two_way, source=str(path))


def _takes_cars(lane: Xml.Element) -> bool:
    allowed, refused = lane.get("allow"), lane.get("disallow")
    if allowed is not None:
        return allowed == "all" or _CAR in allowed.split()
    return refused is None or (refused != "all" and _CAR not in refused.split())
