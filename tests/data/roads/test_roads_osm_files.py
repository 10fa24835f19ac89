"""OSM XML and GraphML files."""

import bz2
import gzip
import os
from pathlib import Path

import networkx as nx
import osmnx
import pytest
from roads_worlds import lengths_by_id

from crowdgym.common.errors import DataError, DataWarning
from crowdgym.data.roads.osm import read_graphml, read_osm_file

# OSMnx takes the earth for a sphere of radius 6,371,009 m: 0.001 degrees on the equator are 111.195 m.
PLACES = {1: (0.0, 0.0), 2: (0.001, 0.0), 3: (0.002, 0.0), 4: (0.002, 0.001), 5: (0.0, 0.001), 6: (0.003, 0.0)}


def osm_xml(ways: list[tuple[list[int], dict[str, str]]], places: dict[int, tuple[float, float]] = PLACES) -> str:
    nodes = "".join(f'<node id="{node}" lon="{lon}" lat="{lat}"/>' for node, (lon, lat) in places.items())
    text = ""
    for number, (refs, tags) in enumerate(ways):
        nds = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        text += (
            f'<way id="{number + 100}">{nds}' + "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items()) + "</way>"
        )
    return f'<?xml version="1.0" encoding="UTF-8"?><osm version="0.6" generator="by hand">{nodes}{text}</osm>'


STREET = {"highway": "residential"}
ONE_WAY = {"highway": "primary", "oneway": "yes"}

SQUARE = [([1, 2, 3], ONE_WAY), ([3, 4], STREET), ([4, 5], STREET), ([5, 1], STREET), ([3, 6], STREET)]
"""A block, a one-way street along its south, a cul-de-sac in the east.

    5 ------------ 4
    |              |
    1 --> 2 -----> 3 -- 6
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_streets_are_opened_both_ways_if_asked_for_and_joined_across_nodes_that_are_no_crossings(
    tmp_path: Path,
) -> None:
    """With a cul-de-sac 7 - 1 in the west, 1 and 3 are crossings; 2, 4 and 5 are none."""
    crossings = [*SQUARE, ([1, 7], STREET)]
    places = {**PLACES, 7: (-0.001, 0.0)}
    network, report = read_osm_file(write(tmp_path / "town.osm", osm_xml(crossings, places)), two_way=True)
    assert lengths_by_id(network) == {
        (1, 3): 222, (3, 1): 222, (3, 6): 111, (6, 3): 111, (1, 7): 111, (7, 1): 111,
    }  # fmt: skip
    assert report.parallel_roads_merged == 1  # the long way from 1 over 5 and 4 to 3
    assert (report.nodes_read, report.roads_read) == (4, 4)


def test_one_way_streets_are_one_way(tmp_path: Path) -> None:
    places = {**PLACES, 7: (-0.001, 0.0)}
    network, _ = read_osm_file(write(tmp_path / "town.osm", osm_xml([*SQUARE, ([1, 7], STREET)], places)))
    arcs = lengths_by_id(network)
    assert arcs[1, 3] == 222
    assert arcs[3, 1] == 445  # round the block
    assert (arcs[1, 7], arcs[7, 1]) == (111, 111)


def test_what_cars_may_not_use_is_left_out(tmp_path: Path) -> None:
    """A street 1 - 2, and between its ends a footpath, a private road, a driveway, a building and an area."""
    others = [
        {"highway": "footway"},
        {"highway": "residential", "access": "private"},
        {"highway": "service", "service": "driveway"},
        {"building": "yes"},
        {"highway": "residential", "area": "yes"},
        {"highway": "tertiary", "motor_vehicle": "no"},
        {"highway": "construction"},
    ]
    ways = [([1, 2], STREET), *(([2, 3], tags) for tags in others)]
    network, _ = read_osm_file(write(tmp_path / "town.osm", osm_xml(ways)))
    assert sorted(network.node_ids.tolist()) == [1, 2]


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed_files_are_read_as_well(suffix: str, compress: object, tmp_path: Path) -> None:
    path = tmp_path / f"town.osm{suffix}"
    path.write_bytes(compress(osm_xml([([1, 2], STREET)]).encode()))  # type: ignore[operator]
    assert lengths_by_id(read_osm_file(path)[0]) == {(1, 2): 111, (2, 1): 111}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"town\.osm is not well-formed XML \(no element found.*\); expected OSM XML with nodes and ways"),
        ("u,v,length\n", r"town\.osm is not well-formed XML"),
        (osm_xml(SQUARE)[:300], r"town\.osm is not well-formed XML"),
        ("<html><body/></html>", r"town\.osm begins with <html>; expected OSM XML with nodes and ways"),
        (osm_xml([]), r"town\.osm has no drivable roads; expected ways with a highway tag for cars"),
        (osm_xml([([1, 2], {"highway": "footway"})]), r"town\.osm has no drivable roads"),
        (
            osm_xml([([1, 99], STREET)]),
            r"town\.osm: way 100 leads through node 99, which is not in the file; expected a",
        ),
        (
            osm_xml([([1, 2], STREET)]).replace('lon="0.001"', 'lon="east"'),
            r"lon of <node id='2'> is 'east'; expected deg",
        ),
        (osm_xml([([1, 2], STREET)]).replace('ref="2"', ""), r"ref of <nd id=None> is None; expected a whole number"),
    ],
)
def test_an_osm_file_that_cannot_be_used_is_refused_in_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=sentence):
        read_osm_file(write(tmp_path / "town.osm", text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*town\.osm: No such file or directory; expected OSM XML"):
        read_osm_file(tmp_path / "town.osm")
    with pytest.raises(DataError, match=r"cannot read .*town\.graphml: No such file or directory; expected GraphML"):
        read_graphml(tmp_path / "town.graphml")


def test_reading_leaves_nothing_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "town.osm", osm_xml([([1, 2], STREET)]))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    read_osm_file(path)
    assert os.listdir(elsewhere) == []


def town_graph() -> nx.MultiDiGraph:
    """1 -> 2 one way, 2 - 3 - 1 both ways, as OSMnx makes it."""
    graph = nx.MultiDiGraph(crs="epsg:4326", simplified=True)
    for node, (lon, lat) in list(PLACES.items())[:3]:
        graph.add_node(node, x=lon, y=lat, street_count=2)
    graph.add_edge(1, 2, osmid=7, length=111.2, oneway=True, highway=["primary", "trunk"])
    for tail, head, length in ((2, 3, 120.0), (3, 1, 240.0)):
        graph.add_edge(tail, head, osmid=8, length=length, oneway=False)
        graph.add_edge(head, tail, osmid=8, length=length, oneway=False)
    return graph


def test_a_file_that_osmnx_saved_is_read_two_way_or_with_its_directions(tmp_path: Path) -> None:
    path = tmp_path / "town.graphml"
    osmnx.save_graphml(town_graph(), path)
    both = {(2, 3): 120, (3, 2): 120, (3, 1): 240, (1, 3): 240}
    network, report = read_graphml(path, two_way=True)
    assert lengths_by_id(network) == {(1, 2): 111, (2, 1): 111, **both}
    assert (report.roads_read, report.parallel_roads_merged) == (3, 0)
    assert lengths_by_id(read_graphml(path)[0]) == {(1, 2): 111, **both}


def test_a_projected_graph_is_turned_back_into_degrees(tmp_path: Path) -> None:
    """x and y in metres of UTM; osmnx keeps no degrees beside them."""
    path = tmp_path / "town.graphml"
    osmnx.save_graphml(osmnx.project_graph(town_graph()), path)
    network, _ = read_graphml(path)
    for node, longitude, latitude in zip(
        network.node_ids.tolist(), network.longitude_deg, network.latitude_deg, strict=True
    ):
        assert (longitude, latitude) == pytest.approx(PLACES[node], abs=1e-7)


def test_plain_graphml_is_read_with_names_for_ids_and_lengths_from_coordinates(tmp_path: Path) -> None:
    graph = nx.Graph()
    graph.add_node("north", x=0.0, y=0.001)
    graph.add_node("south", x=0.0, y=0.0)
    graph.add_node("east", x=0.001, y=0.0)
    graph.add_edge("north", "south", length=130)
    graph.add_edge("south", "east")
    path = tmp_path / "plain.graphml"
    nx.write_graphml(graph, path)
    with pytest.warns(DataWarning, match="1 of 2 roads have no length"):
        network, _ = read_graphml(path)
    assert lengths_by_id(network) == {(0, 1): 130, (1, 0): 130, (1, 2): 111, (2, 1): 111}


def plain_graphml(**node: str) -> str:
    keys = "".join(f'<key id="{name}" for="node" attr.name="{name}" attr.type="string"/>' for name in node)
    data = "".join(f'<data key="{name}">{value}</data>' for name, value in node.items())
    edge = '<key id="length" for="edge" attr.name="length" attr.type="string"/>'
    return (
        f'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">{keys}{edge}<graph edgedefault="undirected">'
        f'<node id="1">{data}</node><node id="2">{data}</node>'
        '<edge source="1" target="2"><data key="length">LENGTH</data></edge></graph></graphml>'
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"town\.graphml is not a graph \(.*\); expected GraphML, as osmnx.save_graphml writes it"),
        ("<html/>", r"town\.graphml is not a graph \(.*\); expected GraphML"),
        (plain_graphml(x="1"), r"town\.graphml: node 1 has no y; expected attributes x and y, found x"),
        (plain_graphml(), r"town\.graphml: node 1 has no x; expected attributes x and y, found none"),
        (plain_graphml(x="far", y="1"), r"town\.graphml: x of node 1 is 'far'; expected a number"),
        (
            plain_graphml(x="1", y="nan").replace("LENGTH", "3"),
            r"town\.graphml: node 1 has latitude nan; expected degrees",
        ),
        (plain_graphml(x="1", y="1"), r"length of the edge from 1 to 2 is 'LENGTH'; expected a number"),
        (
            plain_graphml(x="1", y="1").replace("LENGTH", "-3"),
            r"town\.graphml has a road of -3 m from node 1 to node 2",
        ),
        (osm_xml(SQUARE), r"town\.graphml is not a graph"),
    ],
)
def test_a_graphml_file_that_cannot_be_used_is_refused_in_one_sentence(
    text: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=sentence):
        read_graphml(write(tmp_path / "town.graphml", text))


def test_a_tag_that_would_fill_the_memory_is_refused_with_its_size(tmp_path: Path) -> None:
    """A few kilobytes that unpack to an attribute of 3 MB; it is refused after 1 MB, however long it is."""
    text = osm_xml(SQUARE).replace("by hand", "x" * 3_000_000)
    (tmp_path / "town.osm.gz").write_bytes(gzip.compress(text.encode()))
    with pytest.raises(DataError, match=r"town\.osm\.gz holds a tag or a text of more than 1,048,576 bytes"):
        read_osm_file(tmp_path / "town.osm.gz")


def test_a_pipe_or_a_device_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.osm")
    for file in (tmp_path / "pipe.osm", Path("/dev/zero")):
        with pytest.raises(DataError, match="cannot be read: it is a device or a pipe, not a plain file"):
            read_osm_file(file)
