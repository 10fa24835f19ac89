"""The bound on the revenue of DASC, against instances solved by hand, dispatchers and exhaustive search."""

from typing import Any

import numpy as np
import pytest
from reference.csc_arrays import to_network
from reference.hand_worlds import a_task, a_world

from crowdgym.configs.dasc import DascSettings
from crowdgym.data.registry import load_dataset
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.dasc.bound import earliest_finishes_s, revenue_bound
from crowdgym.envs.dasc.generator import OrderStreamGenerator, precedence_arrays
from crowdgym.envs.dasc.instance import NUM_SKILLS, DascInstance

# The line 0 --100-- 1 --100-- 2 --100-- 3; everybody drives at 10 m/s.
LINE = to_network(a_world([0], [a_task(0)]))


def sets(*rows: tuple[int, ...]) -> np.ndarray:
    return np.array([[k in row for k in range(NUM_SKILLS)] for row in rows])


def a_subtask(node: int, duration_s: float, *after: int, skills: tuple[int, ...] = (0,)) -> tuple[Any, ...]:
    return node, duration_s, after, skills


def an_instance(workers: list[tuple[int, tuple[int, ...]]], *tasks: tuple[dict[str, float], list[Any]]) -> DascInstance:
    """Workers as (node, skills), tasks as (what is not as usual, subtasks)."""
    usual = {"created_s": 0.0, "expected_s": 1000.0, "deadline_s": 2000.0, "payment": 10.0}
    subtasks = [entry for _, entries in tasks for entry in entries]
    return DascInstance(
        network=LINE,
        worker_node=np.array([node for node, _ in workers], np.int32),
        worker_skills=sets(*(skills for _, skills in workers)),
        **{name: np.array([{**usual, **task}[name] for task, _ in tasks], np.float64) for name in usual},
        subtask_task=np.repeat(np.arange(len(tasks), dtype=np.int32), [len(entries) for _, entries in tasks]),
        subtask_node=np.array([node for node, *_ in subtasks], np.int32),
        subtask_skills=sets(*(skills for *_, skills in subtasks)),
        duration_s=np.array([duration_s for _, duration_s, *_ in subtasks], np.float64),
        **precedence_arrays([[after for _, _, after, _ in entries] for _, entries in tasks]),
    )


def some_settings(**keywords: Any) -> DascSettings:
    usual: dict[str, Any] = {"scenario": "tiny", "range_m": 1e4, "horizon_s": 1000.0, "step_s": 5.0}
    return DascSettings.load(**usual | keywords)


def finishes(instance: DascInstance, **keywords: Any) -> list[float]:
    return [float(time_s) for time_s in earliest_finishes_s(instance, some_settings(**keywords))[1]]


def bound(instance: DascInstance, **keywords: Any) -> float:
    return revenue_bound(instance, some_settings(**keywords))


def test_a_chain_of_two_with_a_worker_each() -> None:
    # 0 at node 1: there at 10, done at 40; 1 at node 3: the other is there already, 40 to 80, 10 s late
    chain = [a_subtask(1, 30.0), a_subtask(3, 40.0, 0)]
    instance = an_instance([(0, (0,)), (3, (0,))], ({"expected_s": 70.0}, chain))
    assert finishes(instance) == pytest.approx([40.0, 80.0], abs=1e-4)
    assert bound(instance) == pytest.approx(10.0 - 0.02 * 10.0, rel=1e-5)


def test_payment_falls_by_the_second_and_not_below_nothing() -> None:
    instance = an_instance([(0, (0,))], ({"expected_s": 0.0}, [a_subtask(0, 100.0)]))
    assert bound(instance, penalty_per_s=0.05) == pytest.approx(5.0, rel=1e-5)
    assert bound(instance, penalty_per_s=0.2) == 0.0


def test_who_may_only_be_sent_when_predecessors_are_finished_comes_later() -> None:
    # The second worker, at 2, needs 10 s to node 3: with "assigned" it is there at 30, with "finished" it leaves then.
    chain = [a_subtask(0, 30.0), a_subtask(3, 40.0, 0, skills=(1,))]
    instance = an_instance([(0, (0,)), (2, (1,))], ({}, chain))
    assert finishes(instance) == pytest.approx([30.0, 70.0], abs=1e-4)
    assert finishes(instance, dependency="finished") == pytest.approx([30.0, 80.0], abs=1e-4)


def test_a_fork_waits_for_the_slowest() -> None:
    fork = [a_subtask(0, 10.0), a_subtask(0, 20.0, 0), a_subtask(3, 15.0, 0), a_subtask(0, 5.0, 1, 2)]
    instance = an_instance([(0, (0,)), (0, (0,))], ({}, fork))
    # 2 begins when a worker is there, at 30, not at 10: 45; the last one 45 to 50
    assert finishes(instance) == pytest.approx([10.0, 30.0, 45.0, 50.0], abs=1e-4)


def test_no_worker_is_sent_before_the_epoch_after_creation() -> None:
    instance = an_instance([(1, (0,))], ({"created_s": 7.0}, [a_subtask(0, 10.0)]))
    assert finishes(instance) == pytest.approx([30.0], abs=1e-4)  # sent at 10, there at 20


def test_a_task_that_no_worker_can_do_earns_nothing() -> None:
    far = an_instance([(0, (0,))], ({}, [a_subtask(3, 10.0)]))
    assert bound(far, range_m=299.0) == 0.0
    assert bound(far, range_m=300.0) == pytest.approx(10.0)
    assert bound(an_instance([(0, (1,))], ({}, [a_subtask(0, 10.0)]))) == 0.0
    late = an_instance([(0, (0,))], ({"expected_s": 5.0, "deadline_s": 39.9}, [a_subtask(3, 10.0)]))
    assert bound(late) == 0.0  # finished at 40
    assert bound(far, horizon_s=39.0) == 0.0
    assert bound(far, horizon_s=40.0) == pytest.approx(10.0)  # what finishes at the horizon is paid


def test_one_subtask_that_no_worker_can_do_fails_the_task() -> None:
    both = [a_subtask(0, 10.0), a_subtask(0, 10.0, skills=(1, 2))]
    assert bound(an_instance([(0, (0, 1))], ({}, both))) == 0.0


def test_a_subtask_brings_a_worker_nearer_to_another() -> None:
    # Node 3 is out of range of node 0. Via node 1: there from 10 to 40, then 20 s of way, 60 to 70.
    tasks = (({}, [a_subtask(1, 30.0)]), ({}, [a_subtask(3, 10.0)]))
    assert finishes(an_instance([(0, (0,))], *tasks), range_m=200.0) == pytest.approx([40.0, 70.0], abs=1e-4)


def test_an_expired_task_sets_its_worker_down_on_the_way() -> None:
    # On its way to node 2 the worker is called back at 15, at node 2 by 20; node 3 is in range of there, not of 0.
    lost = ({"expected_s": 1.0, "deadline_s": 15.0}, [a_subtask(2, 30.0)])
    instance = an_instance([(0, (0,))], lost, ({}, [a_subtask(3, 10.0)]))
    assert finishes(instance, range_m=200.0)[1] <= 40.0
    assert bound(instance, range_m=200.0) == pytest.approx(10.0)


def test_a_worker_cannot_do_everything() -> None:
    # 30 s each within 50 s, at one place: 30 (a + b) <= 50. It can in fact do one.
    window = {"expected_s": 49.0, "deadline_s": 50.0}
    instance = an_instance([(0, (0,))], (window, [a_subtask(0, 30.0)]), (window, [a_subtask(0, 30.0)]))
    assert bound(instance) == pytest.approx(10 * 50 / 30, rel=1e-5)
    two = an_instance([(0, (0,)), (0, (0,))], (window, [a_subtask(0, 30.0)]), (window, [a_subtask(0, 30.0)]))
    assert bound(two) == pytest.approx(20.0)


@pytest.mark.parametrize("dependency", ["assigned", "finished"])
def test_of_drawn_instances_it_is_a_large_part_of_all_payments(dependency: str) -> None:
    settings = DascSettings.load(scenario="tiny", dependency=dependency)
    generator = OrderStreamGenerator(load_dataset("tiny"), settings)
    for seed in range(5):
        instance = generator.generate(InstanceSeeds.of(np.random.SeedSequence(seed)))
        assert 0.3 * instance.payment.sum() < revenue_bound(instance, settings) <= instance.payment.sum() * 1.001


def test_more_workers_and_looser_rules_never_lower_it() -> None:
    few = DascSettings.load(scenario="tiny", num_workers=4)
    bounds = []
    for settings in (few, few.model_copy(update={"num_workers": 8}), few.model_copy(update={"range_m": 3000.0})):
        generator = OrderStreamGenerator(load_dataset("tiny"), settings)
        instance = generator.generate(InstanceSeeds.of(np.random.SeedSequence(1)))
        bounds.append(revenue_bound(instance, settings))
    finished = few.model_copy(update={"dependency": "finished"})
    instance = OrderStreamGenerator(load_dataset("tiny"), few).generate(InstanceSeeds.of(np.random.SeedSequence(1)))
    assert revenue_bound(instance, finished) <= bounds[0] * (1 + 1e-6)
    assert bounds[0] <= bounds[2] * (1 + 1e-6)
