"""Kinds of places: the published mix among the orders, in patches, the same from the same generator."""

import numpy as np
import pytest
from dataset_worlds import ring

from crowdgym.data.categories import assign_categories
from crowdgym.data.dataset import CATEGORIES
from crowdgym.data.orders.stream import OrderStream
from crowdgym.data.roads.network import RoadNetwork

SHARES = np.array(list(CATEGORIES.values())) / sum(CATEGORIES.values())


def scattered(num_nodes: int) -> RoadNetwork:
    """Nodes without roads in a square of 10 x 10 km."""
    place = np.random.default_rng(1).uniform(0, 10_000, (num_nodes, 2))
    none = np.zeros(0, np.int32)
    return RoadNetwork(
        node_ids=np.arange(num_nodes),
        x_m=place[:, 0],
        y_m=place[:, 1],
        longitude_deg=np.full(num_nodes, 104.0),
        latitude_deg=np.full(num_nodes, 30.0),
        indptr=np.zeros(num_nodes + 1, np.int32),
        indices=none,
        length=none,
        unit_m=1.0,
        crs="EPSG:32648",
    )


def orders_from(origin: np.ndarray) -> OrderStream:
    return OrderStream(np.arange(len(origin)), origin.astype(np.int32), np.full(len(origin), -1, np.int32))


def concentrated_orders(num_nodes: int, num_orders: int) -> OrderStream:
    """A few nodes have most orders, and half of the nodes none."""
    busy = num_nodes // 2
    weight = 1 / np.arange(1, busy + 1)
    origin = np.random.default_rng(2).choice(busy, num_orders, p=weight / weight.sum())
    return orders_from(origin)


def mix(category: np.ndarray) -> np.ndarray:
    return np.bincount(category, minlength=len(CATEGORIES)) / len(category)


def test_the_orders_have_the_published_mix() -> None:
    orders = concentrated_orders(2000, 50_000)

    category = assign_categories(scattered(2000), orders, np.random.default_rng(0))

    assert mix(category[orders.origin]) == pytest.approx(SHARES, abs=0.002)


def test_nodes_without_orders_have_the_published_mix_too() -> None:
    category = assign_categories(scattered(2000), concentrated_orders(2000, 50_000), np.random.default_rng(0))

    assert mix(category[1000:]) == pytest.approx(SHARES, abs=0.002)


def test_nearest_neighbours_are_alike_more_often_than_by_chance() -> None:
    from scipy.spatial import cKDTree

    network = scattered(2000)
    category = assign_categories(network, orders_from(np.arange(2000)), np.random.default_rng(0))
    place = np.column_stack([network.x_m, network.y_m])
    neighbour = cKDTree(place).query(place, k=2)[1][:, 1]

    by_chance = float((mix(category) ** 2).sum())
    assert (category == category[neighbour]).mean() > by_chance + 0.05


def test_the_same_generator_gives_the_same_categories_and_another_others() -> None:
    network, orders = scattered(500), concentrated_orders(500, 5000)

    first = assign_categories(network, orders, np.random.default_rng(0))

    assert np.array_equal(first, assign_categories(network, orders, np.random.default_rng(0)))
    assert not np.array_equal(first, assign_categories(network, orders, np.random.default_rng(1)))


def test_a_network_smaller_than_the_number_of_categories_is_no_trouble() -> None:
    category = assign_categories(ring(3), orders_from(np.array([0, 0, 1])), np.random.default_rng(0))

    assert category.shape == (3,)
    assert category.dtype == np.int8


def test_no_orders_at_all_are_no_trouble() -> None:
    category = assign_categories(scattered(2000), orders_from(np.zeros(0)), np.random.default_rng(0))

    assert mix(category) == pytest.approx(SHARES, abs=0.002)
