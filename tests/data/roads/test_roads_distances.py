"""Rows of distances: exact, for roads in both directions and for one-way streets."""

import hashlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from roads_worlds import both_ways, network_of_arcs, street_grid
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from crowdgym.common.errors import DataError
from crowdgym.data.roads import RoadNetwork
from crowdgym.data.roads.distances import UNREACHABLE, Distances
from crowdgym.data.roads.hierarchy import build_hierarchy
from crowdgym.data.roads.tables import read_road_tables


def reference_rows(network: RoadNetwork, targets: NDArray[np.integer]) -> NDArray[np.uint16]:
    """The same rows by scipy, which shares no code with ours. Shape [K, N]."""
    shape = (network.num_nodes, network.num_nodes)
    graph = csr_array((network.length.astype(float), network.indices, network.indptr), shape=shape)
    distance = dijkstra(graph.T.tocsr(), indices=np.asarray(targets))
    return np.where(np.isfinite(distance), distance, UNREACHABLE).astype(np.uint16)


def test_rows_hold_the_way_from_every_node_to_the_target() -> None:
    """Two ways from 0 to 3, and 4 in a cul-de-sac.

    0 --10-- 1 --10-- 3
    |                 |
    5 ------ 2 --20---+      5 is the length of 0 - 2;   3 --7-- 4
    """
    network = network_of_arcs(5, both_ways({(0, 1): 10, (1, 3): 10, (0, 2): 5, (2, 3): 20, (3, 4): 7}))
    rows = Distances(network).rows([3, 0])
    assert rows.dtype == np.uint16
    assert rows.tolist() == [[20, 10, 20, 0, 7], [0, 10, 5, 20, 27]]


def test_rows_follow_one_way_streets_towards_the_target() -> None:
    """A roundabout 0 -> 1 -> 2 -> 3 -> 0 of lengths 1, 2, 4, 8."""
    network = network_of_arcs(4, {(0, 1): 1, (1, 2): 2, (2, 3): 4, (3, 0): 8})
    assert Distances(network).rows([0, 2]).tolist() == [[0, 14, 12, 8], [3, 2, 0, 11]]


def test_a_target_may_occur_twice_and_order_is_kept() -> None:
    network = network_of_arcs(3, both_ways({(0, 1): 4, (1, 2): 5}))
    assert Distances(network).rows([2, 0, 2]).tolist() == [[9, 5, 0], [0, 4, 9], [9, 5, 0]]


def test_no_targets_give_no_rows() -> None:
    network = network_of_arcs(3, both_ways({(0, 1): 4, (1, 2): 5}))
    assert Distances(network).rows([]).shape == (0, 3)


def test_where_there_is_no_way_a_row_says_so() -> None:
    """0 -> 1 one way, and 2 on an island."""
    network = network_of_arcs(3, {(0, 1): 4})
    no = UNREACHABLE
    assert Distances(network).rows([0, 1, 2]).tolist() == [[0, no, no], [4, 0, no], [no, no, 0]]


def test_a_table_is_by_position_and_fills_what_it_is_given() -> None:
    network = street_grid(5, 4, seed=1)
    distances, targets = Distances(network), np.array([7, 0, 19])
    out = np.zeros((20, 3), np.uint16)
    distances.table_into(targets, out)
    np.testing.assert_array_equal(out[distances.position].T, reference_rows(network, targets))
    np.testing.assert_array_equal(distances.table(targets), out)
    assert sorted(distances.position) == list(range(20))


def test_between_is_from_each_node_to_each() -> None:
    """A roundabout 0 -> 1 -> 2 -> 3 -> 0 of lengths 1, 2, 4, 8."""
    network = network_of_arcs(4, {(0, 1): 1, (1, 2): 2, (2, 3): 4, (3, 0): 8})
    assert Distances(network).between([0, 2]).tolist() == [[0, 3], [12, 0]]


def test_ways_that_sixteen_bits_do_not_hold_end_at_unreachable() -> None:
    """Three roads of 30,000 in a row, and one of 70,000."""
    network = network_of_arcs(5, {(0, 1): 30_000, (1, 2): 30_000, (2, 3): 30_000, (3, 4): 70_000})
    no = UNREACHABLE
    assert Distances(network).rows([3]).tolist() == [[no, 60_000, 30_000, 0, no]]
    assert Distances(network).rows([4]).tolist() == [[no, no, no, no, 0]]


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans(), st.floats(0.5, 4.0))
def test_rows_equal_scipys_on_any_graph(count: int, seed: int, directed: bool, degree: float) -> None:
    """Connected or not, with ties and with detours shorter than the direct road."""
    draw = np.random.default_rng(seed)
    ends = draw.integers(0, count, (int(count * degree), 2))
    arcs = {(int(a), int(b)): int(draw.integers(1, draw.choice([3, 1000]))) for a, b in ends if a != b}
    network = network_of_arcs(count, arcs if directed else both_ways(arcs))
    everyone = np.arange(count)
    np.testing.assert_array_equal(Distances(network).rows(everyone), reference_rows(network, everyone))


@pytest.mark.parametrize("targets", [1, 7, 64, 65, 150])
def test_any_number_of_targets_is_shared_among_the_lanes(targets: int) -> None:
    network = street_grid(23, 19, seed=5)
    chosen = np.random.default_rng(targets).integers(0, network.num_nodes, targets)
    np.testing.assert_array_equal(Distances(network).rows(chosen), reference_rows(network, chosen))


def test_of_the_roads_little_more_is_kept_than_what_a_sweep_needs() -> None:
    """Pruning works: a 40 x 40 grid keeps fewer than six arcs a node of the 16 that its elimination makes."""
    network = street_grid(40, 40, seed=2)
    assert len(build_hierarchy(network).up_head) < 6 * network.num_nodes


def test_upper_nodes_come_first() -> None:
    hierarchy = build_hierarchy(street_grid(12, 12, seed=3))
    below = np.repeat(np.arange(144), np.diff(hierarchy.up_indptr))
    assert np.all(hierarchy.up_head < below)
    assert np.all(hierarchy.parent[1:] < np.arange(1, 144))
    assert hierarchy.parent[0] == -1


@pytest.mark.real_data
def test_rows_equal_scipys_on_the_roads_of_haikou(shared_data: Callable[[str], Path]) -> None:
    network, _ = read_road_tables(shared_data("haikou/node.csv"), shared_data("haikou/link.csv"))
    targets = np.random.default_rng(0).integers(0, network.num_nodes, 100)
    np.testing.assert_array_equal(Distances(network).rows(targets), reference_rows(network, targets))


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        ([3], "target 3 is not a node; expected 0 to 2"),
        ([0, -1], "target -1 is not a node; expected 0 to 2"),
        ([0.5], "targets are float64 of shape"),
        ([[0, 1]], r"targets are int64 of shape \(1, 2\); expected node numbers of shape \(K,\)"),
    ],
)
def test_what_is_not_a_node_is_refused(targets: list[object], sentence: str) -> None:
    distances = Distances(network_of_arcs(3, both_ways({(0, 1): 4, (1, 2): 5})))
    with pytest.raises(DataError, match=sentence):
        distances.rows(targets)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "out", [np.zeros((3, 2), np.uint16), np.zeros((3, 1), np.int32), np.zeros((6, 1), np.uint16)[::2]]
)
def test_an_array_that_does_not_fit_is_refused(out: NDArray[np.uint16]) -> None:
    distances = Distances(network_of_arcs(3, both_ways({(0, 1): 4, (1, 2): 5})))
    with pytest.raises(DataError, match=r"expected C-contiguous uint16 of shape \(3, 1\)"):
        distances.table_into([0], out)


def test_interpreted_and_compiled_loops_agree(tmp_path: Path) -> None:
    network = street_grid(9, 8, seed=4)
    compiled = hashlib.sha256(Distances(network).rows(np.arange(72)).tobytes()).hexdigest()
    program = """
        import hashlib, numpy as np
        from roads_worlds import street_grid
        from crowdgym.data.roads.distances import Distances
        print(hashlib.sha256(Distances(street_grid(9, 8, seed=4)).rows(np.arange(72)).tobytes()).hexdigest())
    """
    environment = {
        **os.environ,
        "NUMBA_DISABLE_JIT": "1",
        "CROWDGYM_DATA": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parent),
    }
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == compiled
