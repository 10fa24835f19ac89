"""Road networks from one file of any known kind, told by its content."""

from pathlib import Path

from crowdgym.common.errors import DataError
from crowdgym.data.roads import lines, matsim, sumo
from crowdgym.data.roads.assemble import AssemblyReport
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.roads.osm import read_graphml, read_osm_file
from crowdgym.data.roads.xml_files import root_of

Read = tuple[RoadNetwork, AssemblyReport]


def read_road_file(path: str | Path, *, two_way: bool = False, crs: str | None = None) -> Read:
    """Read a road network from one file.

    Args:
        path: OpenStreetMap (.osm, .osm.pbf), GraphML, SUMO (.net.xml), MATSim (network.xml), GeoPackage, GeoJSON or
            shapefile; XML may be compressed.
        two_way: open one-way roads both ways.
        crs: of a network of MATSim that does not say it.

    Returns:
        The network, and what was dropped and repaired on the way.

    Raises:
        DataError: a file that is missing or of another kind, and whatever its reader does not accept.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"there is no file {path}; expected roads")
    if path.name.endswith(".pbf"):
        return read_osm_file(path, two_way=two_way)
    root = root_of(path)
    if root == sumo.ROOT:
        return sumo.read_sumo(path, two_way=two_way)
    if root == matsim.ROOT:
        return matsim.read_matsim(path, two_way=two_way, crs=crs)
    if root == "osm":
        return read_osm_file(path, two_way=two_way)
    if root == "graphml":
        return read_graphml(path, two_way=two_way)
    return lines.read_lines(path, two_way=two_way)
