"""What kind of place each node is: patches of a few blocks, with the mix that the orders of a city show."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.dataset import CATEGORIES
from crowdgym.data.orders.stream import OrderStream
from crowdgym.data.roads.network import RoadNetwork

NODES_PER_PATCH = 30  # assumption: a patch is a few blocks
LEADING_FACTOR = 6.0  # assumption: how much likelier the leading category of a patch is there than elsewhere


def assign_categories(network: RoadNetwork, orders: OrderStream, generator: np.random.Generator) -> NDArray[np.int8]:
    """Give every node one of `CATEGORIES`, so that the orders' origins have the published mix.

    The city falls into patches of about ``NODES_PER_PATCH`` nodes, each led by one category that is likelier there
    than elsewhere, so that places of a kind lie together without a patch being of one kind only. Nodes choose one
    after another, those with most orders first, among the categories that still lack orders: the mix weighted by
    orders then meets the shares as closely as the orders of single nodes allow. Nodes without orders follow the same
    shares, each counting once.

    Args:
        network: the road network, N nodes.
        orders: orders whose origins weigh the nodes.
        generator: every draw comes from it; the same state gives the same categories.

    Returns:
        For each node an index into ``CATEGORIES``. Shape [N], int8.
    """
    shares = np.array(list(CATEGORIES.values()))
    shares /= shares.sum()
    weight = np.bincount(orders.origin, minlength=network.num_nodes).astype(np.float64)  # [N]
    liking = _liking(network, shares, generator)  # [N, C]
    category = np.zeros(network.num_nodes, dtype=np.int8)  # [N]
    busy, quiet = np.flatnonzero(weight > 0), np.flatnonzero(weight == 0)
    _fill(category, busy[np.argsort(-weight[busy], kind="stable")], weight, liking, shares)
    _fill(category, generator.permutation(quiet), np.ones_like(weight), liking, shares)
    return category


def _liking(network: RoadNetwork, shares: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    """How much each node likes each category: its patch's leader more, with noise. Shape [N, C]."""
    from scipy.spatial import cKDTree

    place_m = np.column_stack([network.x_m, network.y_m])  # [N, 2]
    num_patches = max(len(shares), network.num_nodes // NODES_PER_PATCH)
    centre = generator.choice(network.num_nodes, size=min(num_patches, network.num_nodes), replace=False)
    patch = cKDTree(place_m[centre]).query(place_m)[1]  # [N]
    leader = generator.choice(len(shares), size=len(centre), p=shares)  # [patches]
    # The largest of factor / exponential wins with a probability proportional to its factor.
    liking = 1.0 / generator.standard_exponential((network.num_nodes, len(shares)))
    liking[np.arange(network.num_nodes), leader[patch]] *= LEADING_FACTOR
    return liking


def _fill(
    category: NDArray[np.int8],
    nodes: NDArray[np.intp],
    weight: NDArray[np.float64],
    liking: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> None:
    """Let ``nodes`` choose in turn, each category in proportion to the weight it still lacks."""
    lacking = shares * weight[nodes].sum()  # [C]
    for node in nodes:
        room = lacking >= weight[node]
        chosen = int(np.argmax(np.where(room, lacking * liking[node], 0.0)) if room.any() else np.argmax(lacking))
        category[node] = chosen
        lacking[chosen] -= weight[node]
