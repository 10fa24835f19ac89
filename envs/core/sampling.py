"""How instances are drawn from a dataset, whatever the setting: places, skills, sizes."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.data.dataset import Dataset
from crowdgym.data.roads import RoadNetwork


def check_num_workers(dataset: Dataset, num_workers: int) -> None:
    """Refuse more workers than there are places.

    Raises:
        ConfigError: more workers than the network has nodes.
    """
    if num_workers > dataset.network.num_nodes:
        raise ConfigError(
            f"num_workers must be at most {dataset.network.num_nodes}, the number of places in {dataset.name!r}, "
            f"got {num_workers}"
        )


def draw_places(generator: np.random.Generator, dataset: Dataset, count: int) -> NDArray[np.int32]:
    """Nodes at which orders of any time began. Shape [count]."""
    return dataset.orders.origin[generator.integers(len(dataset.orders), size=count)]


class NearbyNodes:
    """Draws nodes near others.

    Args:
        network: whose nodes.
    """

    def __init__(self, network: RoadNetwork) -> None:
        self._place_m = np.column_stack([network.x_m, network.y_m])  # [N, 2]

    @cached_property
    def _tree(self) -> Any:
        """Built at first use: instances without spread never need it."""
        from scipy.spatial import cKDTree

        return cKDTree(self._place_m)

    def draw(self, generator: np.random.Generator, node: NDArray[np.int32], spread_m: float) -> NDArray[np.int32]:
        """For each node the one nearest to a place at a normal distance from it, ``spread_m`` east and north."""
        place_m = self._place_m[node] + spread_m * generator.standard_normal((len(node), 2))
        return np.asarray(self._tree.query(place_m)[1], np.int32)


def later(time_s: NDArray[np.float64], than_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """``time_s``, a moment later where it is not later than ``than_s``: a span may be less than a number can tell."""
    return np.maximum(time_s, np.nextafter(than_s, np.inf))


def draw_lognormal(generator: np.random.Generator, mean: float, log_sd: float, count: int) -> NDArray[np.float64]:
    """Lognormal numbers of the given mean. Shape [count]."""
    return generator.lognormal(np.log(mean) - log_sd**2 / 2, log_sd, count)


def draw_counts(generator: np.random.Generator, mean: float, sd: float, most: int, count: int) -> NDArray[np.float64]:
    """Normal numbers, rounded and clipped to 1..most. Shape [count]."""
    return np.rint(generator.normal(mean, sd, count)).clip(1, most)


def draw_subsets(generator: np.random.Generator, sizes: NDArray[np.float64], num_skills: int) -> NDArray[np.bool_]:
    """For each size a set of that many skills, all sets of it equally likely. Shape [len(sizes), num_skills]."""
    order = np.argsort(generator.random((len(sizes), num_skills)), axis=1, kind="stable")
    rank = np.argsort(order, axis=1)
    return rank < sizes[:, np.newaxis]
