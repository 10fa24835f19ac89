"""Roads from SUMO, MATSim, GMNS, GeoPackage, GeoJSON, shapefiles and OpenStreetMap files: one town in each.

4 <-> 3         100 m from west to east, 200 m from south to north; the road 1 -> 2 is one-way
|     |
1 --> 2 -- 5    no car may use the road to 5
"""

import gzip
from pathlib import Path
from typing import Any

import pyproj
import pytest
from roads_worlds import lengths_by_id

from crowdgym.common.errors import DataError
from crowdgym.data.roads.files import read_road_file
from crowdgym.data.roads.network import RoadNetwork

EAST_M, NORTH_M = 571_000.0, 5_539_000.0
METRES = {1: (0, 0), 2: (100, 0), 3: (100, 200), 4: (0, 200), 5: (200, 0)}
ROADS = {(1, 2): 100, (2, 3): 200, (3, 2): 200, (3, 4): 100, (4, 3): 100, (4, 1): 200, (1, 4): 200}
TO_DEGREES = pyproj.Transformer.from_crs("EPSG:32632", "EPSG:4326", always_xy=True).transform
DEGREES = {node: TO_DEGREES(EAST_M + x, NORTH_M + y) for node, (x, y) in METRES.items()}
TWO_WAY = ROADS | {(2, 1): 100}


def lengths_by_corner(network: RoadNetwork) -> dict[tuple[int, int], int]:
    """All arcs by the nearest corners of the town, whatever the ids; lengths in tens of metres."""

    def corner(node: int) -> int:
        place = network.x_m[node] - EAST_M, network.y_m[node] - NORTH_M
        return min(METRES, key=lambda name: (METRES[name][0] - place[0]) ** 2 + (METRES[name][1] - place[1]) ** 2)

    corners = {int(node_id): corner(node) for node, node_id in enumerate(network.node_ids)}
    arcs = lengths_by_id(network).items()
    return {(corners[tail], corners[head]): round(length / 10) * 10 for (tail, head), length in arcs}


def sumo(folder: Path) -> Path:
    junctions = "".join(f'<junction id="j{n}" type="priority" x="{x}" y="{y}"/>' for n, (x, y) in METRES.items())
    edges = "".join(
        f'<edge id="{tail}{head}" from="j{tail}" to="j{head}"><lane id="{tail}{head}_0" index="0" length="{length}" '
        f'disallow="pedestrian"/></edge>'
        for (tail, head), length in ROADS.items()
    )
    path = folder / "town.net.xml"
    path.write_text(
        f'<net version="1.9"><location netOffset="{-EAST_M},{-NORTH_M}" convBoundary="0,0,200,200" '
        'projParameter="+proj=utm +zone=32 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"/>'
        '<edge id=":j1_0" function="internal"><lane id=":j1_0_0" index="0" length="1"/></edge>'
        f'{edges}<edge id="25" from="j2" to="j5"><lane id="25_0" index="0" length="100" allow="pedestrian"/></edge>'
        f'{junctions}<junction id=":j1" type="internal" x="0" y="0"/></net>'
    )
    return path


def matsim(folder: Path) -> Path:
    nodes = "".join(f'<node id="{n}" x="{EAST_M + x}" y="{NORTH_M + y}"/>' for n, (x, y) in METRES.items())
    links = "".join(
        f'<link id="{tail}_{head}" from="{tail}" to="{head}" length="{length}.0" modes="car,bike"/>'
        for (tail, head), length in ROADS.items()
    )
    path = folder / "network.xml.gz"
    text = (
        '<?xml version="1.0"?><network><attributes>'
        '<attribute name="coordinateReferenceSystem" class="java.lang.String">EPSG:32632</attribute></attributes>'
        f'<nodes>{nodes}</nodes><links>{links}<link id="x" from="2" to="5" length="100" modes="bike"/></links>'
        "</network>"
    )
    path.write_bytes(gzip.compress(text.encode()))
    return path


def frame(oneway: dict[bool, Any]) -> Any:
    """Lines: the south one-way, the other three sides as a single line, and a footway."""
    import geopandas
    from shapely import LineString

    lines = [[DEGREES[1], DEGREES[2]], [DEGREES[2], DEGREES[3], DEGREES[4], DEGREES[1]], [DEGREES[2], DEGREES[5]]]
    return geopandas.GeoDataFrame(
        {"highway": ["primary", "residential", "footway"], "oneway": [oneway[True], oneway[False], oneway[False]]},
        geometry=[LineString(line) for line in lines],
        crs="EPSG:4326",
    )


def geopackage(folder: Path) -> Path:
    frame({True: True, False: False}).to_crs("EPSG:32632").to_file(folder / "town.gpkg", layer="edges")
    return folder / "town.gpkg"


def geojson(folder: Path) -> Path:
    frame({True: "yes", False: None}).to_file(folder / "town.geojson")
    return folder / "town.geojson"


def shapefile(folder: Path) -> Path:
    """As Geofabrik writes it: fclass, F for along the line, B for both ways."""
    frame({True: "F", False: "B"}).rename(columns={"highway": "fclass"}).to_file(folder / "town.shp")
    return folder / "town.shp"


def osm_pbf(folder: Path) -> Path:
    osmium = pytest.importorskip("osmium")
    path = folder / "town.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for node, place in DEGREES.items():
            writer.add_node(osmium.osm.mutable.Node(id=node, location=place))
        ways = [([1, 2], {"highway": "primary", "oneway": "yes"}), ([2, 3], {"highway": "residential"})]
        ways += [([3, 4], ways[1][1]), ([4, 1], ways[1][1]), ([2, 5], {"highway": "footway"})]
        # Streets of two ends at every corner, or OSMnx joins the sides to one street.
        for number, (nodes, tags) in enumerate(ways):
            writer.add_way(osmium.osm.mutable.Way(id=number + 1, nodes=nodes, tags=tags))
    return path


WRITERS = [sumo, matsim, geopackage, geojson, shapefile]


@pytest.mark.parametrize("write", WRITERS)
def test_one_way_roads_are_one_way_and_ways_without_cars_are_left_out(tmp_path: Path, write: Any) -> None:
    network, report = read_road_file(write(tmp_path))

    joined = write in (
        geopackage,
        geojson,
        shapefile,
    )  # three sides in one line, whose corners 3 and 4 are no crossings
    expected = {(1, 2): 100, (2, 1): 500} if joined else ROADS
    assert lengths_by_corner(network) == expected
    assert report.oneway_edges == (0 if joined else 1)


@pytest.mark.parametrize("write", WRITERS)
def test_one_way_roads_are_opened_if_asked_for(tmp_path: Path, write: Any) -> None:
    network, report = read_road_file(write(tmp_path), two_way=True)

    joined = write in (geopackage, geojson, shapefile)
    assert lengths_by_corner(network) == ({(1, 2): 100, (2, 1): 100} if joined else TWO_WAY)
    assert report.oneway_edges == 0


def test_lines_that_share_a_vertex_meet_there(tmp_path: Path) -> None:
    """A road from the middle of another: 1 - 2 - 3 in one line, 2 - 5 from its middle."""
    import geopandas
    from shapely import LineString

    lines = [LineString([DEGREES[1], DEGREES[2], DEGREES[3]]), LineString([DEGREES[2], DEGREES[5]])]
    geopandas.GeoSeries(lines, crs="EPSG:4326").to_file(tmp_path / "tee.geojson")

    network, report = read_road_file(tmp_path / "tee.geojson")

    assert lengths_by_corner(network) == {
        (1, 2): 100, (2, 1): 100, (2, 3): 200, (3, 2): 200, (2, 5): 100, (5, 2): 100,
    }  # fmt: skip
    assert report.lengths.shorter == 0


@pytest.mark.parametrize(("mark", "arc"), [("-1", (2, 1)), ("T", (2, 1)), ("F", (1, 2)), ("true", (1, 2))])
def test_roads_against_their_line_are_told(tmp_path: Path, mark: str, arc: tuple[int, int]) -> None:
    import geopandas
    from shapely import LineString

    sides = [(1, 2, mark), (2, 3, "no"), (3, 1, "no")]
    lines = [LineString([DEGREES[tail], DEGREES[head]]) for tail, head, _ in sides]
    columns = {"oneway": [text for *_, text in sides]}
    geopandas.GeoDataFrame(columns, geometry=lines, crs="EPSG:4326").to_file(tmp_path / "triangle.geojson")

    arcs = lengths_by_corner(read_road_file(tmp_path / "triangle.geojson")[0])

    assert ({(1, 2), (2, 1)} & set(arcs)) == {arc}


def test_an_openstreetmap_file_in_protocol_buffers_is_read_like_one_in_xml(tmp_path: Path) -> None:
    """OSMnx joins the two-way sides across 3 and 4 to one street, which is longer than the way back on the south."""
    network, report = read_road_file(osm_pbf(tmp_path))

    assert lengths_by_corner(network) == {(1, 2): 100, (2, 1): 500}
    assert report.nodes == 2


def test_the_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "osmium", None)
    (tmp_path / "town.osm.pbf").write_bytes(b"")

    with pytest.raises(DataError, match=r"needs the package osmium, which is not installed: pip .*'crowdgym\[osm\]'"):
        read_road_file(tmp_path / "town.osm.pbf")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.net.xml", None, "there is no file"),
        ("text.geojson", b"no roads", "cannot be read"),
        ("points.geojson", b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},'
         b'"geometry":{"type":"Point","coordinates":[1,2]}}]}', "has no lines"),
        ("plane.net.xml", b'<net><location netOffset="0,0" projParameter="!"/></net>', "says no projection"),
        ("plane.xml", b"<network><nodes/><links/></network>", "expected --road-crs, such as EPSG:32632"),
        ("cut.net.xml", b"<net><location", "is not well-formed XML"),
        ("lost.xml", b"<network><nodes><node id='1' x='1' y='1'/></nodes><links>"
         b"<link id='1' from='1' to='9' length='3'/></links></network>", "has a road from '1' to '9', but no node '9'"),
        ("odd.xml", b"<network><nodes><node id='1' x='east' y='1'/></nodes></network>", "x of <node id='1'> is 'east'"),
        ("broken.osm.pbf", b"no such thing", "cannot be read"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used_are_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    crs = "EPSG:32632" if name == "lost.xml" else None
    with pytest.raises(DataError, match=sentence) as refusal:
        read_road_file(tmp_path / name, crs=crs)
    assert "\n" not in str(refusal.value)
