"""What an episode of CSC is given: plain data for the reference simulator, sharing nothing with the package."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Arc(NamedTuple):
    """A road in one direction; a road that may be driven both ways is two arcs."""

    tail: int
    head: int
    length_units: int


@dataclass(frozen=True)
class ReferenceWorker:
    """A worker of the instance."""

    start_node: int
    skills: frozenset[int]


@dataclass(frozen=True)
class ReferenceTask:
    """A task of the instance. Times in seconds, the workload in worker-seconds."""

    node: int
    skill: int
    created_s: float
    expected_s: float
    deadline_s: float
    workload_s: float
    max_payment: float


@dataclass(frozen=True)
class ReferenceInstance:
    """Everything that is fixed before the first step. Nodes are numbered 0..num_nodes - 1."""

    num_nodes: int
    unit_m: float
    arcs: tuple[Arc, ...]
    workers: tuple[ReferenceWorker, ...]
    tasks: tuple[ReferenceTask, ...]
    horizon_s: float
    step_s: float
    speed_mps: float
    range_m: float
    penalty_per_s: float
    max_candidates: int

    def __post_init__(self) -> None:
        """Refuse what the specification says nothing about."""
        if not self.workers or not self.tasks:
            raise ValueError("an instance has at least one worker and one task")
        if min(self.horizon_s, self.step_s, self.speed_mps, self.unit_m) <= 0 or self.max_candidates < 1:
            raise ValueError("horizon, step, speed, unit and the number of candidates are positive")
        if self.range_m < 0 or self.penalty_per_s < 0:
            raise ValueError("range and penalty are not negative")
        for arc in self.arcs:
            if arc.length_units < 1 or not {arc.tail, arc.head} <= set(range(self.num_nodes)):
                raise ValueError(f"a road is at least one unit long and joins nodes that are there, this is {arc}")
        if any(not worker.skills for worker in self.workers):
            raise ValueError("a worker has at least one skill")
        for task in self.tasks:
            if not 0 <= task.created_s < task.deadline_s or task.workload_s <= 0 or task.max_payment < 0:
                raise ValueError(f"a task has 0 <= created < deadline, workload > 0 and payment >= 0, this is {task}")


def payment(task: ReferenceTask, penalty_per_s: float, finish_s: float) -> float:
    """The payment of a task that finishes at ``finish_s``."""
    if finish_s >= task.deadline_s:
        return 0.0
    if finish_s <= task.expected_s:
        return task.max_payment
    return max(0.0, 1 - penalty_per_s * (finish_s - task.expected_s)) * task.max_payment


def foreseen_payment(instance: ReferenceInstance, number: int, arrivals_s: Iterable[float]) -> float:
    """P(C): what a task pays if its workers arrive at these times, and no other joins."""
    task = instance.tasks[number]
    in_time = sorted(arrival_s for arrival_s in arrivals_s if arrival_s < task.deadline_s)
    left_s, at_s, finish_s = task.workload_s, 0.0, math.inf
    for present, arrival_s in enumerate([*in_time, math.inf]):
        if present:
            finish_s = at_s + left_s / present
            if finish_s <= arrival_s:
                break
            left_s = max(0.0, left_s - present * (arrival_s - at_s))
        at_s = arrival_s
    return payment(task, instance.penalty_per_s, finish_s) if finish_s <= instance.horizon_s else 0.0


def both_ways(*roads: tuple[int, int, int]) -> tuple[Arc, ...]:
    """Arcs in both directions for every (node, node, length in units)."""
    return tuple(arc for a, b, length in roads for arc in (Arc(a, b, length), Arc(b, a, length)))
