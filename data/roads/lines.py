"""Road networks from lines on a map: GeoPackage, GeoJSON, shapefiles and whatever else GDAL reads."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.roads.assemble import AssemblyReport, NodeTable, RoadTable, assemble
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.roads.osm_extract import NOT_DRIVABLE

SAME_PLACE_DECIMALS = 7  # of a degree: a centimetre
EXPECTED = "expected lines of roads in a GeoPackage, GeoJSON or shapefile"
_ROADS_LAYER = "edges"  # of a GeoPackage that OSMnx saved
_CLASS_COLUMNS = ("highway", "fclass")  # OpenStreetMap's own, and Geofabrik's
# As OpenStreetMap, Geofabrik and programs write whether a road leads one way: along its line, or against it.
_ALONG, _AGAINST = {"yes", "true", "1", "t.", "f", "ft", "along"}, {"-1", "reverse", "t", "tf", "against"}
_ONEWAY_COLUMNS = ("oneway", "one_way")


def read_lines(path: str | Path, two_way: bool = False) -> tuple[RoadNetwork, AssemblyReport]:
    """Read roads from lines. Lines that share a vertex meet there; lengths are those of the lines on the ellipsoid.

    Args:
        path: the file; of a GeoPackage the layer ``edges`` if there is one, else the first.
        two_way: open every road both ways; else a column ``oneway`` says which lead one way.

    Returns:
        The network, and what was dropped and repaired on the way.

    Raises:
        DataError: a file that is missing or has no lines or no coordinate system, and what ``assemble`` does not
            accept.
    """
    path = Path(path)
    frame = _frame(path)
    notes: tuple[str, ...] = ()
    for column in _CLASS_COLUMNS:
        if column in frame:
            drivable = ~frame[column].astype(str).str.contains(NOT_DRIVABLE["highway"])
            notes = (f"left out {int((~drivable).sum()):,} lines that are not for cars ({column})",)
            frame = frame[drivable]
            break
    frame = frame.explode(index_parts=False).reset_index(drop=True)
    direction = np.zeros(len(frame), np.int8)
    oneway = next((name for name in _ONEWAY_COLUMNS if name in frame), None)
    if oneway is not None and not two_way:
        direction = _directions(frame[oneway])
        notes = (*notes, f"took one-way roads from {oneway}")
    nodes, roads = _at_shared_vertices(frame.geometry, direction)
    return assemble(nodes, roads, source=str(path), notes=notes)


def _frame(path: Path) -> Any:
    import geopandas
    import pyogrio

    if not path.exists():
        raise DataError(f"there is no file {path}; {EXPECTED}")
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
        frame = geopandas.read_file(path, layer=_ROADS_LAYER if _ROADS_LAYER in layers else layers[0])
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, IndexError) as error:
        raise DataError(f"{path} cannot be read: {error}; {EXPECTED}") from error
    if not isinstance(frame, geopandas.GeoDataFrame):
        raise DataError(f"{path} has no geometry; {EXPECTED}")
    frame = frame[frame.geometry.notna()]
    frame = frame[frame.geometry.geom_type.isin(["LineString", "MultiLineString"])]
    if not len(frame):
        raise DataError(f"{path} has no lines; {EXPECTED}")
    if frame.crs is None:
        raise DataError(
            f"{path} does not say what its coordinates are in (a shapefile has a .prj beside it); {EXPECTED}"
        )
    return frame.to_crs("EPSG:4326")


def _directions(column: Any) -> NDArray[np.int8]:
    """1: along the line only, -1: against it only, 0: both. Geofabrik writes F, T and B. Shape [n]."""
    if column.dtype == bool:
        return np.asarray(column, np.int8)
    text = column.fillna("").astype(str).str.strip()
    lower = text.str.lower()
    along = lower.isin(_ALONG - {"f"}) | (text == "F")
    against = lower.isin(_AGAINST - {"t"}) | (text == "T")
    return np.asarray(along, np.int8) - np.asarray(against, np.int8)


def _at_shared_vertices(lines: Any, direction: NDArray[np.int8]) -> tuple[NodeTable, RoadTable]:
    """Cut lines at their ends and wherever a vertex is shared."""
    import pyproj
    import shapely

    degrees, line = shapely.get_coordinates(lines.to_numpy(), return_index=True)  # [v, 2], [v]
    degrees = degrees.round(SAME_PLACE_DECIMALS)
    places, place = np.unique(degrees, axis=0, return_inverse=True)
    place = place.reshape(-1)
    begins = np.concatenate([[True], line[1:] != line[:-1]])
    ends = np.concatenate([begins[1:], [True]])
    is_node = begins | ends | (np.bincount(place)[place] > 1)  # [v]
    stop = np.flatnonzero(is_node)
    same_line = line[stop[1:]] == line[stop[:-1]]
    first, last = stop[:-1][same_line], stop[1:][same_line]  # [r] vertices at which a road begins and ends
    step_m = pyproj.Geod(ellps="WGS84").inv(*degrees[:-1].T, *degrees[1:].T)[2]
    along_m = np.concatenate([[0.0], np.cumsum(step_m)])  # also over the gaps between lines, which no road spans
    heading = direction[line[first]]
    turned = heading < 0
    nodes = NodeTable(np.arange(len(places)), places[:, 0], places[:, 1])
    used = np.unique(place[np.concatenate([first, last])])
    nodes = NodeTable(nodes.ids[used], nodes.longitude_deg[used], nodes.latitude_deg[used])
    return nodes, RoadTable(
        tail=np.where(turned, place[last], place[first]).astype(np.int64),
        head=np.where(turned, place[first], place[last]).astype(np.int64),
        length_m=along_m[last] - along_m[first],
        oneway=heading != 0,
    )
