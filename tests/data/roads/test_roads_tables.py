"""Node and link files: the known headers by themselves, others by the names of their columns."""

from collections.abc import Callable
from pathlib import Path

import pytest
from roads_worlds import lengths_by_id

from crowdgym.common.errors import DataError, DataWarning
from crowdgym.data.roads.tables import RoadColumns, RoadTableOptions, read_road_tables

NODES = "node_id,name,x_coord,y_coord\n1,a,110.0,20.0\n2,,110.001,20.0\n3,c,110.001,20.001\n"
LINKS = 'link_id,from_node_id,to_node_id,geometry,length\n0,1,2,"LINESTRING (0 0, 1 1)",120.4\n1,3,2,,110.6\n'
TRIANGLE = {(1, 2): 120, (2, 1): 120, (2, 3): 111, (3, 2): 111}

Write = Callable[[str, str], tuple[Path, Path]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a node file and a link file."""

    def both(nodes: str, links: str) -> tuple[Path, Path]:
        paths = tmp_path / "nodes.csv", tmp_path / "links.csv"
        for path, text in zip(paths, (nodes, links), strict=True):
            path.write_text(text, encoding="utf-8")
        return paths

    return both


def test_the_headers_of_the_haikou_files_are_recognised(write: Write) -> None:
    network, report = read_road_tables(*write(NODES, LINKS))
    assert lengths_by_id(network) == TRIANGLE
    assert (report.nodes_read, report.roads_read) == (3, 2)


def test_the_headers_of_the_chengdu_files_are_recognised_and_their_zero_lengths_repaired(write: Write) -> None:
    """0.001 degrees of longitude at 60 degrees north are 55.6 m."""
    nodes = "0,NodeID,WayID,Longitude,Latitude\n7040,4548141057,1,104.0,60.0\n7041,4548141062,1,104.001,60.0\n"
    links = "u,v,length_m,haversine_m\n4548141057,4548141062,0,55.6\n"
    with pytest.warns(DataWarning, match=r"links\.csv: 1 of 1 roads have no length"):
        network, _ = read_road_tables(*write(nodes, links))
    assert lengths_by_id(network)[4548141057, 4548141062] == 56


def test_ids_keep_all_their_digits(write: Write) -> None:
    """9007199254740993 is the first whole number that floating point cannot hold."""
    first, second = 9007199254740993, 9007199254740994
    nodes = f"node_id,x_coord,y_coord\n{first},1,1\n{second},1.001,1\n"
    network, _ = read_road_tables(*write(nodes, f"from_node_id,to_node_id,length\n{first},{second},5\n"))
    assert sorted(network.node_ids.tolist()) == [first, second]


def test_columns_of_other_names_are_read_when_named(write: Write) -> None:
    nodes = "lat,lon,id\n20,110,1\n20,110.001,2\n20.001,110.001,3\n"
    links = "a;b,a,b,metres\nx,1,2,120.4\nx,3,2,110.6\n"
    columns = RoadColumns(node_id="id", longitude="lon", latitude="lat", tail="a", head="b", length="metres")
    network, _ = read_road_tables(*write(nodes, links), RoadTableOptions(columns))
    assert lengths_by_id(network) == TRIANGLE


def test_a_one_way_column_is_honoured_when_named(write: Write) -> None:
    """1 -> 2 -> 3 -> 1 one way, in four spellings of yes and no."""
    links = "from_node_id,to_node_id,length,one\n1,2,10,yes\n2,3,10,TRUE\n3,1,10,1\n1,3,50,no\n"
    columns = RoadColumns("node_id", "x_coord", "y_coord", "from_node_id", "to_node_id", "length", "one")
    network, _ = read_road_tables(*write(NODES, links), RoadTableOptions(columns))
    assert lengths_by_id(network) == {(1, 2): 10, (2, 3): 10, (3, 1): 10, (1, 3): 50}


def test_without_a_length_column_or_value_lengths_come_from_coordinates(write: Write) -> None:
    columns = RoadColumns("node_id", "x_coord", "y_coord", "from_node_id", "to_node_id")
    with pytest.warns(DataWarning, match="2 of 2 roads"):
        network, _ = read_road_tables(*write(NODES, LINKS), RoadTableOptions(columns))
    assert lengths_by_id(network) == {(1, 2): 104, (2, 1): 104, (2, 3): 111, (3, 2): 111}
    empty = "from_node_id,to_node_id,length\n1,2,\n2,3,7\n"
    with pytest.warns(DataWarning, match="1 of 2 roads"):
        network, _ = read_road_tables(*write(NODES, empty))
    assert lengths_by_id(network)[1, 2] == 104


def test_windows_line_ends_and_a_byte_order_mark_are_fine(write: Write, tmp_path: Path) -> None:
    paths = write(NODES, LINKS)
    (tmp_path / "nodes.csv").write_bytes(b"\xef\xbb\xbf" + NODES.replace("\n", "\r\n").encode())
    network, _ = read_road_tables(*paths)
    assert lengths_by_id(network) == TRIANGLE


@pytest.mark.parametrize(
    ("nodes", "links", "sentence"),
    [
        (
            "a,b\n1,2\n",
            LINKS,
            r"nodes\.csv has the columns a, b; expected node_id, x_coord, y_coord or NodeID, Longitude",
        ),
        (NODES, "a,b\n1,2\n", r"links\.csv has the columns a, b; expected from_node_id, to_node_id, length or u, v"),
        ("", LINKS, r"nodes\.csv is empty; expected a comma-separated table with a header"),
        (NODES, LINKS.splitlines()[0] + "\n", "has no roads; expected at least one"),
        (NODES.replace("20.001", "north"), LINKS, r"nodes\.csv, line 4: y_coord is 'north'; expected a number"),
        (NODES.replace("20.001", ""), LINKS, r"nodes\.csv, line 4: y_coord is ''; expected a number"),
        (NODES.replace("20.001", "nan"), LINKS, r"node 3 has latitude nan; expected degrees"),
        (NODES.replace("\n3,", "\n3.5,"), LINKS, r"nodes\.csv, line 4: node_id is '3.5'; expected a whole number"),
        (NODES.replace("\n3,", "\n2,"), LINKS, r"has 2 nodes with id 2; expected unique ids"),
        (NODES, LINKS.replace("110.6", "far"), r"links\.csv, line 3: length is 'far'; expected a number"),
        (NODES, LINKS.replace("110.6", "-1"), r"links\.csv has a road of -1 m from node 3 to node 2"),
        (NODES, LINKS.replace("1,3,2", "1,4,2"), r"has a road from node 4 to node 2, but no node 4"),
        (NODES, LINKS + "2,1\n", r"links\.csv, line 4 has 2 fields; expected 5, as its header has"),
        (NODES + "4,d,5,6,7,8\n", LINKS, r"nodes\.csv, line 5 has 6 fields; expected 4, as its header has"),
        (
            NODES,
            LINKS + '"2,1\n',
            r"links\.csv cannot be read as a table \(unexpected end of data\); expected a comma-",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(nodes: str, links: str, sentence: str, write: Write) -> None:
    with pytest.raises(DataError, match=sentence):
        read_road_tables(*write(nodes, links))


def test_a_column_that_is_named_but_not_there_is_refused_with_those_that_are(write: Write) -> None:
    columns = RoadColumns("node_id", "lon", "y_coord", "from_node_id", "to_node_id")
    with pytest.raises(DataError, match=r"nodes\.csv has no column 'lon'; it has node_id, name, x_coord, y_coord"):
        read_road_tables(*write(NODES, LINKS), RoadTableOptions(columns))


def test_a_value_that_is_neither_yes_nor_no_is_refused(write: Write) -> None:
    columns = RoadColumns("node_id", "x_coord", "y_coord", "from_node_id", "to_node_id", None, "length")
    with pytest.raises(DataError, match=r"links\.csv, line 2: length is '120.4'; expected 1, true, yes, 0, false"):
        read_road_tables(*write(NODES, LINKS), RoadTableOptions(columns))


def test_a_file_that_is_missing_or_not_text_is_refused(write: Write, tmp_path: Path) -> None:
    nodes, links = write(NODES, LINKS)
    with pytest.raises(DataError, match=r"there is no file .*nowhere\.csv; expected a comma-sep"):
        read_road_tables(tmp_path / "nowhere.csv", links)
    with pytest.raises(DataError, match=r" is a folder; expected a comma-separated table"):
        read_road_tables(tmp_path, links)
    nodes.write_bytes(b"node_id\0,x_coord,y_coord\n")
    with pytest.raises(DataError, match=r"nodes\.csv is not a text file in UTF-8 or another encoding"):
        read_road_tables(nodes, links)


@pytest.mark.real_data
def test_the_haikou_files_read_as_they_are(shared_data: Callable[[str], Path]) -> None:
    """3,901 nodes and 5,458 links, connected; 111 km across by road, so its unit is two metres."""
    network, report = read_road_tables(shared_data("haikou/node.csv"), shared_data("haikou/link.csv"))
    assert (network.num_nodes, network.num_edges, network.crs) == (3_901, 5_458, "EPSG:32649")
    assert (report.nodes_dropped, report.lengths_repaired, network.unit_m) == (0, 0, 2.0)


@pytest.mark.real_data
def test_the_chengdu_files_read_as_they_are(shared_data: Callable[[str], Path]) -> None:
    """4,139 nodes and 6,068 undirected edges, each given in both directions; two rows have length zero."""
    paths = shared_data("chengdu/Node.csv"), shared_data("chengdu/edges_derived.csv")
    with pytest.warns(DataWarning, match="2 of 12136 roads have no length or length zero"):
        network, report = read_road_tables(*paths)
    assert (network.num_nodes, network.num_edges, network.crs) == (4_139, 6_068, "EPSG:32648")
    assert (report.parallel_roads_merged, report.nodes_dropped, network.unit_m) == (6_068, 0, 1.0)
