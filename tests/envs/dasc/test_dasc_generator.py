"""Instances of DASC drawn around the orders of a dataset."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdgym.common.errors import ConfigError
from crowdgym.configs.dasc import DascSettings
from crowdgym.data.orders.stream import OrderStream
from crowdgym.data.registry import load_dataset
from crowdgym.data.roads.distances import Distances
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.dasc.generator import OrderStreamGenerator, base_time_s, precedence_arrays
from crowdgym.envs.dasc.instance import DascInstance


def drawn(seed: int = 0, **keywords: Any) -> DascInstance:
    settings = DascSettings.load(**{"scenario": "tiny", **keywords})
    generator = OrderStreamGenerator(load_dataset(settings.dataset), settings)
    return generator.generate(InstanceSeeds.of(np.random.SeedSequence(seed)))


def as_bytes(instance: DascInstance, *left_out: str) -> dict[str, bytes]:
    names = {field.name for field in fields(instance)} - {"network", *left_out}
    return {name: getattr(instance, name).tobytes() for name in sorted(names)}


def test_the_base_time_of_a_chain_is_its_critical_path_and_its_work() -> None:
    # 0 -(5)-> 1 -(7)-> 2 with durations 10, 20, 30: 10 + 5 + 20 + 7 + 30 = 72 either way
    travel_s = np.array([[0.0, 5.0, 9.0], [5.0, 0.0, 7.0], [9.0, 7.0, 0.0]])
    duration_s = np.array([10.0, 20.0, 30.0])
    for share in (0.0, 0.3, 1.0):
        assert base_time_s([(), (0,), (1,)], duration_s, travel_s, share) == pytest.approx(72.0)


def test_the_base_time_of_a_fork_lies_between_the_two() -> None:
    # 0 -> 1 and 0 -> 2: critical path 10 + 9 + 30 = 49; one worker needs 10 + 5 + 20 + 7 + 30 = 72
    travel_s = np.array([[0.0, 5.0, 9.0], [5.0, 0.0, 7.0], [9.0, 7.0, 0.0]])
    duration_s = np.array([10.0, 20.0, 30.0])
    assert base_time_s([(), (0,), (0,)], duration_s, travel_s, 0.0) == 49.0
    assert base_time_s([(), (0,), (0,)], duration_s, travel_s, 1.0) == 72.0
    assert base_time_s([(), (0,), (0,)], duration_s, travel_s, 0.5) == 60.5


def test_precedence_in_arrays_numbers_all_subtasks_through() -> None:
    found = precedence_arrays([[(), (0,)], [(), (0,), (0, 1)]])
    assert found["predecessor_start"].tolist() == [0, 0, 1, 1, 2, 4]
    assert found["predecessors"].tolist() == [0, 2, 2, 3]


def test_the_same_seed_gives_the_same_instance_and_another_seed_another() -> None:
    assert as_bytes(drawn(3)) == as_bytes(drawn(3))
    assert as_bytes(drawn(3))["duration_s"] != as_bytes(drawn(4))["duration_s"]


def test_tasks_do_not_depend_on_the_number_of_workers() -> None:
    workers = ("worker_node", "worker_skills")
    assert as_bytes(drawn(3, num_workers=2), *workers) == as_bytes(drawn(3, num_workers=20), *workers)


def test_the_order_in_which_shapes_are_named_does_not_matter() -> None:
    first, second = {"chain": 1.0, "diamond": 2.0}, {"diamond": 2.0, "chain": 1.0}
    assert as_bytes(drawn(3, shapes=first)) == as_bytes(drawn(3, shapes=second))


@given(
    num_tasks=st.integers(1, 12),
    subtasks_mean=st.floats(2, 15),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_slot_is_used_and_tasks_have_2_to_15_subtasks(num_tasks: int, subtasks_mean: float, seed: int) -> None:
    instance = drawn(seed, num_tasks=num_tasks, subtasks_mean=subtasks_mean)
    sizes = np.bincount(instance.subtask_task)
    assert len(sizes) == num_tasks
    assert sizes.sum() == instance.num_subtasks == round(num_tasks * subtasks_mean)
    assert sizes.min() >= 2
    assert sizes.max() <= 15


def test_windows_and_payment_are_in_the_published_ratio_of_the_base_time() -> None:
    instance, settings = drawn(5, work_share=0.5), DascSettings.load(scenario="tiny")
    to_node = Distances(instance.network).rows(instance.subtask_node) * instance.network.unit_m / settings.speed_mps
    for task in range(instance.num_tasks):
        mine = list(instance.subtasks_of(task))
        before = [tuple(int(j) - mine[0] for j in instance.predecessors_of(i)) for i in mine]
        travel_s = to_node[np.ix_(mine, instance.subtask_node[mine])].T
        base_s = base_time_s(before, instance.duration_s[mine], travel_s, 0.5)
        window_s = instance.expected_s[task] - instance.created_s[task]
        assert window_s == pytest.approx(1.3 * base_s)
        assert instance.deadline_s[task] - instance.created_s[task] == pytest.approx(2.5 * base_s)
        assert instance.payment[task] == pytest.approx(10 * base_s / 300)


def test_on_one_way_streets_the_base_time_is_that_of_the_way_forward() -> None:
    """On a one-way ring of 40 nodes, 100 m apart, a subtask k nodes ahead is 100 k m away; back it is the rest."""
    nodes, settings = 40, DascSettings.load(scenario="tiny", spread_m=400.0, work_share=1.0, num_tasks=6)
    angle = 2 * np.pi * np.arange(nodes) / nodes
    ring = replace(
        load_dataset("tiny").network,
        node_ids=np.arange(nodes),
        x_m=637.0 * np.cos(angle),
        y_m=637.0 * np.sin(angle),
        longitude_deg=np.linspace(104.0, 104.01, nodes),
        latitude_deg=np.linspace(30.6, 30.61, nodes),
        indptr=np.arange(nodes + 1, dtype=np.int32),
        indices=np.roll(np.arange(nodes, dtype=np.int32), -1),
        length=np.full(nodes, 100, np.int32),
        unit_m=1.0,
    )
    tiny = load_dataset("tiny")
    dataset = replace(tiny, network=ring, orders=replace(tiny.orders, origin=tiny.orders.origin % nodes))

    instance = OrderStreamGenerator(dataset, settings).generate(InstanceSeeds.of(np.random.SeedSequence(2)))

    for task in range(instance.num_tasks):
        mine = list(instance.subtasks_of(task))
        ahead = np.diff(instance.subtask_node[mine]) % nodes
        base_s = instance.duration_s[mine].sum() + 100.0 * ahead.sum() / settings.speed_mps
        assert instance.expected_s[task] - instance.created_s[task] == pytest.approx(1.3 * base_s)


def test_without_spread_a_task_is_where_an_order_was() -> None:
    instance = drawn(1, spread_m=0.0)
    origins = set(load_dataset("tiny").orders.origin.tolist())
    for task in range(instance.num_tasks):
        nodes = set(instance.subtask_node[list(instance.subtasks_of(task))].tolist())
        assert len(nodes) == 1
        assert nodes <= origins


def test_spread_is_how_far_subtasks_are_apart() -> None:
    def apart_m(spread_m: float) -> float:
        x = drawn(1, scenario="haikou-synth", spread_m=spread_m, num_workers=1)
        place_m = np.column_stack([x.network.x_m, x.network.y_m])[x.subtask_node]
        first_m = place_m[np.searchsorted(x.subtask_task, x.subtask_task)]
        moved = np.linalg.norm(place_m - first_m, axis=1)
        return float(np.median(moved[moved > 0]))

    # Two normal places are sqrt(2) spreads apart on each axis; the median of their distance is 1.18 times that.
    assert apart_m(1000.0) == pytest.approx(1665, rel=0.15)
    assert apart_m(500.0) == pytest.approx(833, rel=0.15)


def test_only_the_shapes_with_a_weight_are_drawn() -> None:
    instance = drawn(2, shapes={"chain": 1.0, "diamond": 0.0})
    counts = np.diff(instance.predecessor_start)
    assert set(counts.tolist()) == {0, 1}
    assert (counts == 0).sum() == instance.num_tasks


def test_subtasks_ask_for_no_more_skills_than_workers_can_have() -> None:
    instance = drawn(2, subtask_skills_mean=10.0, worker_skills_mean=3.0, worker_skills_sd=0.0)
    assert set(instance.subtask_skills.sum(axis=1).tolist()) == {3}
    assert set(instance.worker_skills.sum(axis=1).tolist()) == {3}


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"subtasks_mean": 1.5}, "subtasks_mean must be between 2 and 15 for tasks to be drawn, got 1.5"),
        ({"subtasks_mean": 15.5}, "subtasks_mean must be between 2 and 15 for tasks to be drawn, got 15.5"),
        ({"num_workers": 105}, "num_workers must be at most 104, the number of places in 'tiny', got 105"),
    ],
)
def test_what_cannot_be_drawn_is_refused(keywords: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        drawn(**keywords)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("scenario", ["haikou-synth", "chengdu-synth"])
def test_by_default_the_median_subtask_has_able_workers_in_range(scenario: str) -> None:
    settings = DascSettings.load(scenario=scenario)
    instance = drawn(0, scenario=scenario)
    able = (instance.subtask_skills[:, None, :] <= instance.worker_skills[None]).all(axis=2)
    to_node_m = Distances(instance.network).rows(instance.subtask_node) * instance.network.unit_m
    near = (able & (to_node_m[:, instance.worker_node] <= settings.range_m)).sum(axis=1)
    assert np.median(near) >= 5
    assert (near == 0).mean() < 0.1


def test_fares_deadlines_and_quantities_of_replayed_orders_are_those_of_their_tasks() -> None:
    """The mean quantity is 2: durations are half and one and a half of those drawn."""
    orders = OrderStream(
        time_s=np.array([64_800, 65_100]),
        origin=np.array([4, 5], np.int32),
        destination=np.full(2, -1, np.int32),
        payment=np.array([8.5, np.nan]),
        deadline_s=np.array([600.0, np.nan]),
        quantity=np.array([1.0, 3.0]),
    )
    dataset = replace(load_dataset("tiny"), orders=orders)
    sizes: dict[str, Any] = {"scenario": "tiny", "num_tasks": 2, "window_start_s": 64_800, "orders": "replay"}

    def tasks(**keywords: Any) -> DascInstance:
        settings = DascSettings.load(**sizes, **keywords)
        return OrderStreamGenerator(dataset, settings).generate(InstanceSeeds.of(np.random.SeedSequence(0)))

    usual, given = tasks(), tasks(from_data="all")

    assert given.created_s.tolist() == [0.0, 300.0]
    assert given.payment[0] == 8.5
    assert given.deadline_s[0] == 600.0
    assert given.expected_s[0] == pytest.approx(600 * 1.3 / 2.5)  # the factors of the defaults
    share = np.where(given.subtask_task == 0, 0.5, 1.5)
    np.testing.assert_allclose(given.duration_s, usual.duration_s * share)
    assert given.payment[1] > usual.payment[1]  # of a longer base time
