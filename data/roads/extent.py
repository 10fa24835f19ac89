"""How long the longest shortest path of a graph can be, from a few rows of distances instead of all of them."""

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int32]

MOST_ROOTS = 60


def longest_path_bound(indptr: IntArray, indices: IntArray, length: IntArray, *, enough: int) -> int:
    """Bound the longest shortest path of a strongly connected graph from above.

    The farthest a node can go is at most the way to any root plus the farthest that root can go, so every root whose
    distances are known lowers the bound of every node. Roots are taken in turn from the node with the largest bound
    and from the one that is least far from what is known (a centre), until the answer is on one side of ``enough``.
    (The idea is that of Takes and Kosters, "Determining the diameter of small world networks", 2011.)

    Args:
        indptr: arcs of node n: indptr[n] .. indptr[n + 1]. Shape [N + 1].
        indices: where each arc leads. Shape [A].
        length: of each arc, at least 1. Shape [A].
        enough: whether the bound exceeds this is all that the caller wants to know.

    Returns:
        An upper bound, exact if it had to be; it exceeds ``enough`` only if the true value does, or if that could not
        be told with ``MOST_ROOTS`` roots.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    count = len(indptr) - 1
    graph = csr_array((length.astype(np.float64), indices, indptr), shape=(count, count))
    reverse = graph.T.tocsr()
    upper = np.full(count, np.inf)  # of how far a node can go
    lower = np.zeros(count)
    root = count // 2  # the middle of the Hilbert curve: as good as any
    for turn in range(min(MOST_ROOTS, count)):
        to_all = dijkstra(graph, indices=np.array([root]))[0]
        from_all = dijkstra(reverse, indices=np.array([root]))[0]
        farthest = to_all.max()
        upper = np.minimum(upper, from_all + farthest)
        upper[root] = farthest
        lower = np.maximum(lower, np.maximum(from_all, farthest - to_all))
        lower[root] = farthest
        if upper.max() <= enough or lower.max() > enough:
            break
        open_nodes = np.flatnonzero(lower < upper)
        if len(open_nodes) == 0:
            break
        values = -upper[open_nodes] if turn % 2 else lower[open_nodes]
        root = int(open_nodes[values.argmin()])
    return int(upper.max())
