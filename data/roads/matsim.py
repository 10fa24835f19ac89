"""Road networks of MATSim: ``network.xml``, version 1 or 2."""

from pathlib import Path

from crowdgym.common.errors import DataError
from crowdgym.data.roads.arcs import Arc, network_of_arcs
from crowdgym.data.roads.assemble import AssemblyReport
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.roads.xml_files import elements, number_of

ROOT = "network"
EXPECTED = "expected a network of MATSim (network.xml)"
_CRS = "coordinateReferenceSystem"


def read_matsim(path: str | Path, two_way: bool = False, crs: str | None = None) -> tuple[RoadNetwork, AssemblyReport]:
    """Read the links that cars may use. Every link of MATSim leads one way.

    Args:
        path: the file, perhaps compressed.
        two_way: open every road both ways.
        crs: what the coordinates are in, such as "EPSG:31468"; None takes what the file says.

    Returns:
        The network, and what was dropped and repaired on the way.

    Raises:
        DataError: a file that is missing or no network of MATSim, one that does not say its coordinate system, and what
            ``assemble`` does not accept.
    """
    path = Path(path)
    places: dict[str, tuple[float, float]] = {}
    arcs: list[Arc] = []
    for element in elements(path, ROOT, {"attribute", "node", "link"}, EXPECTED):
        if element.tag == "attribute" and element.get("name") == _CRS and crs is None:
            crs = (element.text or "").strip()
        elif element.tag == "node":
            places[element.get("id", "")] = (number_of(element, "x", path), number_of(element, "y", path))
        elif element.tag == "link" and "car" in element.get("modes", "car").split(","):
            arcs.append(Arc(element.get("from", ""), element.get("to", ""), number_of(element, "length", path)))
    if not crs or crs == "Atlantis":  # MATSim's word for a plane that is nowhere
        raise DataError(f"{path} does not say what its coordinates are in; expected --road-crs, such as EPSG:32632")
    used = {end for arc in arcs for end in (arc.tail, arc.head)}
    used_places = {name: place for name, place in places.items() if name in used}
    return network_of_arcs(used_places, arcs, crs, two_way=two_way, source=str(path))
