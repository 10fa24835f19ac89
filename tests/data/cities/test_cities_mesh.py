"""What can be done to a mesh of streets, on a square of 100 m (1,000 decimetres):

3 --- 2
|     |      streets: 0-1, 1-2, 2-3, 3-0
0 --- 1
"""

import pytest

from crowdgym.data.synthetic.cities.mesh import StreetMesh

SQUARE = [(0, 0), (1000, 0), (1000, 1000), (0, 1000)]


@pytest.fixture
def mesh() -> StreetMesh:
    return StreetMesh(SQUARE, [(0, 1), (1, 2), (2, 3), (3, 0)], [3, 3, 3, 3])


def corners(mesh: StreetMesh, half_edge: int) -> list[int]:
    return [mesh.origin[member] for member in mesh.around(half_edge)]


def test_the_block_lies_left_of_a_half_edge_and_the_outside_left_of_its_twin(mesh: StreetMesh) -> None:
    assert corners(mesh, 0) == [0, 1, 2, 3]
    assert corners(mesh, 1) == [1, 0, 3, 2]
    assert len(mesh.start) == 2


def test_a_split_street_has_a_vertex_on_both_its_sides(mesh: StreetMesh) -> None:
    vertex = mesh.split_street(0, (500, 0))
    assert vertex == 4
    assert corners(mesh, 0) == [0, 4, 1, 2, 3]
    assert corners(mesh, 1) == [4, 0, 3, 2, 1]
    assert mesh.degree[4] == 2


def test_a_street_across_a_block_makes_two_blocks_of_it(mesh: StreetMesh) -> None:
    """
    3 --- 2
    |  /  |
    0 --- 1
    """
    left, right = mesh.split_block(0, 4, level=3)  # half-edges 0 and 4 begin at the corners 0 and 2
    assert sorted(corners(mesh, left)) == [0, 2, 3]
    assert sorted(corners(mesh, right)) == [0, 1, 2]
    assert mesh.block_of(left) != mesh.block_of(right)
    assert mesh.degree == [3, 2, 3, 2]


def test_a_removed_street_leaves_one_block_where_two_were(mesh: StreetMesh) -> None:
    left, right = mesh.split_block(0, 4, level=3)
    mesh.remove_street(left >> 1)
    assert corners(mesh, 0) == [0, 1, 2, 3]
    assert mesh.block_of(0) == mesh.block_of(4) == mesh.block_of(right)
    assert mesh.degree == [2, 2, 2, 2]
    assert mesh.streets() == [0, 1, 2, 3]


def test_a_dead_end_lies_in_one_block_and_is_passed_on_both_sides(mesh: StreetMesh) -> None:
    tip = mesh.add_dead_end(0, (300, 300), level=3)
    assert corners(mesh, 0) == [0, 1, 2, 3, 0, tip]
    assert mesh.degree[tip] == 1
    assert mesh.degree[0] == 3


def test_a_dead_end_can_be_split_like_any_street(mesh: StreetMesh) -> None:
    tip = mesh.add_dead_end(0, (300, 300), level=3)
    middle = mesh.split_street(8, (150, 150))
    assert corners(mesh, 0) == [0, 1, 2, 3, 0, middle, tip, middle]


def test_merged_ends_of_a_street_are_one_vertex_with_the_streets_of_both(mesh: StreetMesh) -> None:
    """
    3 - 5 - 2         3 - 5 - 2
    |   |   |   =>    |    \\ /      4 and 1 merge at (750, 0)
    0 - 4 - 1         0 --- 4
    """
    bottom = mesh.split_street(0, (500, 0))
    mesh.split_street(4, (500, 1000))
    right_half = mesh.following[0]
    street, _ = mesh.split_block(right_half, mesh.following[4], level=3)
    mesh.merge_ends(right_half, (750, 0))
    assert mesh.points[bottom] == (750, 0)
    assert mesh.degree == [2, 0, 2, 2, 3, 3]
    assert sorted(mesh.head(half_edge) for half_edge in mesh.leaving(street)) == [0, 2, 5]
    assert len(mesh.streets()) == 6


def test_the_edge_of_the_map_is_no_street() -> None:
    mesh = StreetMesh(SQUARE, [(0, 1), (1, 2), (2, 3), (3, 0)], [3, -1, 3, 3])
    assert mesh.streets() == [0, 2, 3]
