"""The small world that the tests by hand start from.

Unless a test says otherwise, everybody drives at 10 m/s, roads are 100 m long (10 s) and run both ways, workers and
tasks have one and the same skill, epochs are 5 s apart, a task pays 90, and the world is

    0 --100-- 1 --100-- 2 --100-- 3
"""

from dataclasses import replace
from typing import Any

from reference.csc_instance import ReferenceInstance, ReferenceTask, ReferenceWorker, both_ways
from reference.csc_reference import ReferenceSimulator

LINE = both_ways((0, 1, 100), (1, 2, 100), (2, 3, 100))


def a_task(node: int, workload_s: float = 30.0, **others: Any) -> ReferenceTask:
    plain = ReferenceTask(
        node=node,
        skill=0,
        created_s=0.0,
        expected_s=1000.0,
        deadline_s=2000.0,
        workload_s=workload_s,
        max_payment=90.0,
    )
    return replace(plain, **others)


def a_world(starts: list[int], tasks: list[ReferenceTask], **others: Any) -> ReferenceInstance:
    plain = ReferenceInstance(
        num_nodes=4,
        unit_m=1.0,
        arcs=LINE,
        workers=tuple(ReferenceWorker(start, frozenset({0})) for start in starts),
        tasks=tuple(tasks),
        horizon_s=100.0,
        step_s=5.0,
        speed_mps=10.0,
        range_m=1e6,
        penalty_per_s=0.01,
        max_candidates=10,
    )
    return replace(plain, **others)


def everyone_first(simulator: ReferenceSimulator) -> list[int]:
    return [1 if simulator.candidates(worker) else 0 for worker in range(len(simulator.instance.workers))]


def play(simulator: ReferenceSimulator, until_s: float, first: list[int] | None = None) -> ReferenceSimulator:
    """Give the first joint action at the present epoch, then hold until the time."""
    hold = [0] * len(simulator.instance.workers)
    simulator.step(everyone_first(simulator) if first is None else first)
    while simulator.time_s < until_s:
        simulator.step(hold)
    assert simulator.time_s == until_s
    return simulator
