"""The bound of the longest shortest path."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from roads_worlds import both_ways, network_of_arcs
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from crowdgym.data.roads.extent import longest_path_bound


def test_of_a_line_it_is_the_whole_line_whichever_node_is_asked_first() -> None:
    """0 --5-- 1 --6-- 2 --7-- 3 is 18 long; asked about 18 it is exact, asked about less it says no less."""
    line = network_of_arcs(4, both_ways({(0, 1): 5, (1, 2): 6, (2, 3): 7}))
    assert longest_path_bound(line.indptr, line.indices, line.length, enough=18) == 18
    assert longest_path_bound(line.indptr, line.indices, line.length, enough=17) >= 18


@given(st.integers(2, 25), st.integers(0, 2**32 - 1), st.booleans())
def test_it_is_on_the_same_side_of_a_limit_as_the_true_longest_path(count: int, seed: int, directed: bool) -> None:
    draw = np.random.default_rng(seed)
    arcs = {(node, (node + 1) % count): int(draw.integers(1, 30)) for node in range(count)}
    arcs |= {(int(a), int(b)): int(draw.integers(1, 30)) for a, b in draw.integers(0, count, (count, 2)) if a != b}
    network = network_of_arcs(count, arcs if directed else both_ways(arcs))
    graph = csr_array((network.length, network.indices, network.indptr), shape=(count, count))
    longest = int(dijkstra(graph).max())
    for limit in (longest - 1, longest, longest + 1, 2 * longest):
        bound = longest_path_bound(network.indptr, network.indices, network.length, enough=limit)
        assert (bound <= limit) == (longest <= limit)
        assert bound >= longest
