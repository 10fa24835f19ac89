"""Where tasks and workers of CSC are, and what of them is data."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from crowdgym.configs.csc import CscSettings
from crowdgym.data.orders.stream import OrderStream
from crowdgym.data.registry import load_dataset
from crowdgym.envs import csc_v0
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


def of_the_data(**keywords: object) -> CscInstance:
    """Three orders of one evening with a fare, a deadline and a quantity each, as far as they have one."""
    nan = np.nan
    orders = OrderStream(
        time_s=np.array([64_800, 65_100, 66_000]),
        origin=np.array([4, 5, 6], np.int32),
        destination=np.full(3, -1, np.int32),
        payment=np.array([8.5, nan, 4.0]),
        deadline_s=np.array([600.0, 900.0, nan]),
        quantity=np.array([1.0, nan, 3.0]),
    )
    sizes = {"scenario": "tiny", "num_tasks": 3, "num_workers": 2, "window_start_s": 64_800, "orders": "replay"}
    settings = CscSettings.load(**{**sizes, **keywords})
    generator = OrderStreamGenerator(replace(load_dataset("tiny"), orders=orders), settings)
    return generator.generate(InstanceSeeds.of(np.random.SeedSequence(0)))


def test_a_replayed_evening_has_its_orders_at_their_own_times_and_places() -> None:
    instance = of_the_data()

    assert instance.created_s.tolist() == [0.0, 300.0, 1200.0]
    assert instance.task_node.tolist() == [4, 5, 6]
    assert instance.task_skill.tolist() == load_dataset("tiny").category[[4, 5, 6]].tolist()


def test_parts_of_the_data_replace_what_is_drawn_where_an_order_has_them() -> None:
    drawn, given = of_the_data(), of_the_data(from_data="payments,deadlines,quantities", workload_mean_s=100.0)

    assert given.payment[[0, 2]].tolist() == [8.5, 4.0]
    assert given.payment[1] == drawn.payment[1]
    assert given.workload_s[[0, 2]].tolist() == [50.0, 150.0]
    assert given.deadline_s[[0, 1]].tolist() == [600.0, 1200.0]
    assert (given.expected_s <= given.deadline_s).all()
    factors = CscSettings.load(scenario="tiny")
    assert given.deadline_s[2] == pytest.approx(1200 + 150 * (factors.expected_factor + factors.deadline_factor))


def test_an_environment_that_replays_can_be_played_from_a_file() -> None:
    env = csc_v0.parallel_env(scenario="tiny", orders="replay", days="3", num_tasks=5)
    env.reset(seed=0)
    first = env.instance.created_s.tolist()
    env.reset(seed=1)

    assert env.is_reproducible
    assert env.instance.created_s.tolist() == first
