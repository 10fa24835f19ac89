"""Where tasks and workers of CSC are."""

import numpy as np
import pytest
from numpy.typing import NDArray

from crowdgym.configs.csc import CscSettings
from crowdgym.data.registry import load_dataset
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.csc.generator import OrderStreamGenerator
from crowdgym.envs.csc.instance import CscInstance

CITY = "haikou-synth"


def drawn(spread_m: float) -> CscInstance:
    settings = CscSettings.load(scenario=CITY, spread_m=spread_m, num_workers=300, num_tasks=300)
    return OrderStreamGenerator(load_dataset(CITY), settings).generate(InstanceSeeds.of(np.random.SeedSequence(1)))


def moved_m(spread_m: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far tasks and workers are from the places of their orders: nothing else is drawn before places are."""
    at_orders, around = drawn(0.0), drawn(spread_m)
    place_m = np.column_stack([around.network.x_m, around.network.y_m])
    tasks = np.linalg.norm(place_m[around.task_node] - place_m[at_orders.task_node], axis=1)
    workers = np.linalg.norm(place_m[around.worker_node] - place_m[at_orders.worker_node], axis=1)
    return tasks, workers


def test_without_spread_tasks_and_workers_are_where_orders_were() -> None:
    instance, origins = drawn(0.0), set(load_dataset(CITY).orders.origin.tolist())
    assert set(instance.task_node.tolist()) <= origins
    assert set(instance.worker_node.tolist()) <= origins


@pytest.mark.parametrize("spread_m", [500.0, 1000.0])
def test_spread_is_how_far_tasks_and_workers_are_from_orders(spread_m: float) -> None:
    # Half of all normal places in the plane are within sqrt(2 ln 2) = 1.177 spreads; nodes stand a street apart.
    for distance_m in moved_m(spread_m):
        assert np.median(distance_m) == pytest.approx(1.177 * spread_m, rel=0.15)


def test_a_task_needs_the_skill_of_the_place_where_it_is() -> None:
    instance = drawn(800.0)
    category = load_dataset(CITY).category
    assert instance.task_skill.tolist() == category[instance.task_node].tolist()


def test_creation_times_do_not_depend_on_spread() -> None:
    assert drawn(0.0).created_s.tolist() == drawn(700.0).created_s.tolist()
