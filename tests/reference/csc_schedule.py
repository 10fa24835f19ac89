"""From the reference simulator to what the solution checker reads."""

import math
from itertools import accumulate

import numpy as np
from reference.csc_instance import ReferenceInstance
from reference.csc_reference import ReferenceSimulator, TaskState, Trip

from crowdgym.testing import Assignment, CheckedInstance, Schedule, TaskOutcome, TaskStatus, Totals


def checked_instance(instance: ReferenceInstance) -> CheckedInstance:
    """The same instance as arrays."""
    shortest: dict[tuple[int, int], int] = {}
    for tail, head, units in instance.arcs:
        shortest[tail, head] = min(units, shortest.get((tail, head), units))
    roads = sorted(shortest.items())
    degree = [sum(tail == node for (tail, _), _ in roads) for node in range(instance.num_nodes)]
    num_skills = 1 + max([task.skill for task in instance.tasks] + [max(w.skills) for w in instance.workers])
    tasks = instance.tasks
    return CheckedInstance(
        indptr=np.array([0, *accumulate(degree)], dtype=np.int32),
        indices=np.array([head for (_, head), _ in roads], dtype=np.int32),
        length=np.array([units for _, units in roads], dtype=np.int32),
        unit_m=instance.unit_m,
        worker_node=np.array([worker.start_node for worker in instance.workers], dtype=np.int32),
        worker_skills=np.array([[s in worker.skills for s in range(num_skills)] for worker in instance.workers]),
        task_node=np.array([task.node for task in tasks], dtype=np.int32),
        task_skill=np.array([task.skill for task in tasks], dtype=np.int32),
        created_s=np.array([task.created_s for task in tasks]),
        expected_s=np.array([task.expected_s for task in tasks]),
        deadline_s=np.array([task.deadline_s for task in tasks]),
        workload_s=np.array([task.workload_s for task in tasks]),
        max_payment=np.array([task.max_payment for task in tasks]),
        horizon_s=instance.horizon_s,
        step_s=instance.step_s,
        speed_mps=instance.speed_mps,
        range_m=instance.range_m,
        penalty_per_s=instance.penalty_per_s,
        max_candidates=instance.max_candidates,
    )


def schedule(simulator: ReferenceSimulator) -> Schedule:
    """The log of all that has happened up to the present epoch."""
    metrics = simulator.metrics()
    return Schedule(
        until_s=simulator.time_s,
        assignments=tuple(_assignment(trip) for trip in simulator.trips),
        tasks=tuple(_outcome(simulator, task) for task in range(len(simulator.instance.tasks))),
        totals=Totals(metrics.revenue, metrics.completed, metrics.expired, metrics.travel_m, metrics.illegal),
    )


def _assignment(trip: Trip) -> Assignment:
    return Assignment(
        worker=trip.worker,
        task=trip.task,
        taken_s=trip.taken_s,
        from_node=trip.path[0],
        arrival_s=math.nan if trip.arrived_s is None else trip.arrived_s,
        release_s=math.nan if trip.released_s is None else trip.released_s,
        idle_node=-1 if trip.idle_node is None else trip.idle_node,
        idle_s=math.nan if trip.idle_s is None else trip.idle_s,
    )


def _outcome(simulator: ReferenceSimulator, task: int) -> TaskOutcome:
    state, end_s = simulator.task_state(task), math.nan
    finish_s = simulator.finish_s(task)
    if finish_s is not None:
        end_s = finish_s
    elif state is TaskState.EXPIRED:
        end_s = simulator.instance.tasks[task].deadline_s
    return TaskOutcome(TaskStatus(state.value), end_s, simulator.payment(task))
