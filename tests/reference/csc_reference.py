"""A slow, plain simulator of CSC, written from docs/csc_dynamics.md alone: what the fast kernel is compared with.

One queue holds every arrival, finish and expiry of the world in order of time; shortest paths come from networkx.
Nothing is shared with the package, nothing is batched, and nothing is clever: that is what it is for.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

import networkx as nx
from reference.csc_instance import ReferenceInstance, foreseen_payment, payment


class WorkerState(Enum):
    """What a worker is doing."""

    IDLE = "idle"
    TRAVELLING = "travelling"
    WORKING = "working"
    RELEASED = "released"


class TaskState(Enum):
    """Where a task stands."""

    PENDING = "pending"
    OPEN = "open"
    FINISHED = "finished"
    EXPIRED = "expired"


class Position(NamedTuple):
    """At ``node``, or ``past_m`` metres past it on the road to ``next_node``."""

    node: int
    next_node: int | None = None
    past_m: float = 0.0


class Metrics(NamedTuple):
    """The metrics of the specification at the present epoch."""

    revenue: float
    completed: int
    expired: int
    travel_m: float
    illegal: int


class StepResult(NamedTuple):
    """What one step gave: a number per worker and reward strategy, and the revenue of the interval."""

    contribution: list[float]
    team: list[float]
    individual: list[float]
    marginal: list[float]
    difference: list[float]
    revenue: float


@dataclass
class Trip:
    """One assignment from the moment it is taken until its worker is idle again."""

    worker: int
    task: int
    taken_s: float
    path: list[int]  # u = n_0, n_1, ..., the task's node
    path_m: list[float]  # c_j
    due_s: float  # when it arrives if nothing ends the task before
    arrived_s: float | None = None
    released_s: float | None = None  # when the task ended
    idle_node: int | None = None
    idle_s: float | None = None


@dataclass
class TaskRecord:
    """What has become of a task so far."""

    present: list[Trip] = field(default_factory=list)  # in order of arrival
    under_way: list[Trip] = field(default_factory=list)
    work_left_s: float = 0.0  # at the last arrival
    last_arrival_s: float = 0.0
    finish_s: float | None = None
    expired_s: float | None = None
    payment: float = 0.0

    @property
    def ended(self) -> bool:
        """Whether it is finished or expired."""
        return self.finish_s is not None or self.expired_s is not None


class EventKind(Enum):
    """Kinds of events; at one instant they are played in the order of these values."""

    FINISH = 0
    EXPIRY = 1
    ARRIVAL = 2


class ReferenceSimulator:
    """Plays an instance. ``step`` takes one action per worker; everything else can be read at every epoch."""

    def __init__(self, instance: ReferenceInstance) -> None:
        self.instance = instance
        self.num_steps = 0  # L
        while self.num_steps * instance.step_s < instance.horizon_s:
            self.num_steps += 1
        self.epoch = 0
        self.trips: list[Trip] = []  # every assignment, in the order in which they were taken
        self.illegal = 0
        self._current: list[Trip | None] = [None] * len(instance.workers)  # the last trip of each worker
        self._records = [TaskRecord(work_left_s=task.workload_s) for task in instance.tasks]
        self._graph = _graph(instance)
        self._distances: dict[int, dict[int, int]] = {}  # goal -> node -> units
        # (time, kind, task, trip or -1, number of arrivals when a finish was foreseen)
        self._queue: list[tuple[float, int, int, int, int]] = []
        for number, task in enumerate(instance.tasks):
            heapq.heappush(self._queue, (task.deadline_s, EventKind.EXPIRY.value, number, -1, 0))

    # ---- what can be read at an epoch ----

    def epoch_s(self, epoch: int) -> float:
        """t_k."""
        return min(epoch * self.instance.step_s, self.instance.horizon_s)

    @property
    def time_s(self) -> float:
        """The time of the present epoch."""
        return self.epoch_s(self.epoch)

    @property
    def done(self) -> bool:
        """Whether the last step has been played."""
        return self.epoch >= self.num_steps

    def distance_m(self, node: int, goal: int) -> float:
        """dist(u, g), infinite where there is no way."""
        units = self._distances_to(goal).get(node)
        return math.inf if units is None else units * self.instance.unit_m

    def candidates(self, worker: int) -> list[int]:
        """The tasks behind the actions 1, 2, ... of the worker; none unless it is idle."""
        if self.worker_state(worker) is not WorkerState.IDLE:
            return []
        node = self.position(worker).node
        able = [
            (self.distance_m(node, task.node), number)
            for number, task in enumerate(self.instance.tasks)
            if self.task_state(number) is TaskState.OPEN and task.skill in self.instance.workers[worker].skills
        ]
        near = sorted((distance, number) for distance, number in able if distance <= self.instance.range_m)
        return [number for _, number in near[: self.instance.max_candidates]]

    def worker_state(self, worker: int) -> WorkerState:
        """What the worker is doing at the present epoch."""
        trip = self._current[worker]
        if trip is None or (trip.idle_s is not None and trip.idle_s <= self.time_s):
            return WorkerState.IDLE
        if trip.released_s is not None:
            return WorkerState.RELEASED
        return WorkerState.TRAVELLING if trip.arrived_s is None else WorkerState.WORKING

    def worker_task(self, worker: int) -> int | None:
        """The task the worker travels to or works at."""
        trip = self._current[worker]
        return None if trip is None or trip.released_s is not None else trip.task

    def position(self, worker: int) -> Position:
        """Where the worker is at the present epoch."""
        trip, now_s = self._current[worker], self.time_s
        if trip is None:
            return Position(self.instance.workers[worker].start_node)
        if trip.idle_s is not None and trip.idle_s <= now_s:
            assert trip.idle_node is not None
            return Position(trip.idle_node)
        if trip.arrived_s is not None:
            return Position(trip.path[-1])
        speed = self.instance.speed_mps
        passed = [j for j, metres in enumerate(trip.path_m) if trip.taken_s + metres / speed <= now_s]
        last = passed[-1]
        past_m = max(0.0, speed * (now_s - trip.taken_s) - trip.path_m[last])
        return Position(trip.path[last], trip.path[last + 1], past_m)

    def task_state(self, task: int) -> TaskState:
        """Where the task stands at the present epoch."""
        record = self._records[task]
        if record.finish_s is not None:
            return TaskState.FINISHED
        if record.expired_s is not None:
            return TaskState.EXPIRED
        return TaskState.PENDING if self.time_s < self.instance.tasks[task].created_s else TaskState.OPEN

    def finish_s(self, task: int) -> float | None:
        """t_f, or None if the task is not finished."""
        return self._records[task].finish_s

    def payment(self, task: int) -> float:
        """What was paid for the task; 0 unless it is finished."""
        return self._records[task].payment

    def present(self, task: int) -> list[int]:
        """The workers that work at the task now, in order of arrival."""
        return [] if self._records[task].ended else [trip.worker for trip in self._records[task].present]

    def under_way(self, task: int) -> list[int]:
        """The workers that travel to the task now."""
        return [trip.worker for trip in self._records[task].under_way]

    def work_left_s(self, task: int) -> float:
        """The work left at the present epoch."""
        record = self._records[task]
        if record.finish_s is not None:
            return 0.0
        until_s = self.time_s if record.expired_s is None else record.expired_s
        workers = len(record.present)
        return record.work_left_s - workers * (until_s - record.last_arrival_s) if workers else record.work_left_s

    def metrics(self) -> Metrics:
        """Revenue, completed, expired, travel and illegal actions up to the present epoch."""
        return Metrics(
            revenue=sum(record.payment for record in self._records),
            completed=sum(record.finish_s is not None for record in self._records),
            expired=sum(record.expired_s is not None for record in self._records),
            travel_m=sum(self._travelled_m(trip) for trip in self.trips),
            illegal=self.illegal,
        )

    # ---- one step ----

    def step(self, actions: Sequence[int]) -> StepResult:
        """Apply one action per worker at the present epoch and play on to the next."""
        if self.done:
            raise RuntimeError("the episode is over")
        if len(actions) != len(self.instance.workers):
            raise ValueError(f"expected {len(self.instance.workers)} actions, got {len(actions)}")
        offered = [self.candidates(worker) for worker in range(len(actions))]  # before anyone has moved
        joined: list[Trip] = []
        marginal = [0.0] * len(actions)
        for worker, action in enumerate(actions):
            if action == 0:
                continue
            if 1 <= action <= len(offered[worker]):
                before = self._projected_payment(offered[worker][action - 1])
                joined.append(self._set_out(worker, offered[worker][action - 1]))
                marginal[worker] = self._projected_payment(offered[worker][action - 1]) - before
            else:
                self.illegal += 1
        individual = self._individual(joined)
        self.epoch += 1
        finished = self._play_until(self.time_s)
        revenue = sum(self._records[task].payment for task in finished)
        workers = len(actions)
        return StepResult(
            contribution=self._contribution(finished),
            team=[revenue / workers] * workers,
            individual=individual,
            marginal=marginal,
            difference=self._difference(finished),
            revenue=revenue,
        )

    def _set_out(self, worker: int, task: int) -> Trip:
        now_s, node = self.time_s, self.position(worker).node
        goal = self.instance.tasks[task].node
        path = self._path(node, goal)
        lengths = [self._graph.edges[a, b]["length"] for a, b in pairwise(path)]
        path_m = [sum(lengths[:j]) * self.instance.unit_m for j in range(len(path))]
        due_s = now_s + self.distance_m(node, goal) / self.instance.speed_mps
        trip = Trip(worker, task, now_s, path, path_m, due_s)
        self._current[worker] = trip
        self._records[task].under_way.append(trip)
        heapq.heappush(self._queue, (due_s, EventKind.ARRIVAL.value, task, len(self.trips), 0))
        self.trips.append(trip)
        return trip

    def _play_until(self, end_s: float) -> list[int]:
        """Play all events up to and including ``end_s``; return the tasks that finished, in order."""
        finished: list[int] = []
        while self._queue and self._queue[0][0] <= end_s:
            time_s, kind, task, trip, arrivals = heapq.heappop(self._queue)
            record = self._records[task]
            if record.ended:
                continue
            if kind == EventKind.ARRIVAL.value:
                self._arrive(self.trips[trip], time_s)
            elif kind == EventKind.EXPIRY.value:
                record.expired_s = time_s
                self._release_everyone(record, time_s)
            elif arrivals == len(
                record.present
            ):  # else another worker has arrived since, and a new finish was computed then
                record.finish_s = time_s
                record.payment = payment(self.instance.tasks[task], self.instance.penalty_per_s, time_s)
                self._release_everyone(record, time_s)
                finished.append(task)
        return finished

    def _arrive(self, trip: Trip, time_s: float) -> None:
        record = self._records[trip.task]
        before = len(record.present)
        if before:
            left_s = record.work_left_s - before * (time_s - record.last_arrival_s)
            record.work_left_s = max(0.0, left_s)  # rounding may leave -1e-17
        record.last_arrival_s = time_s
        record.under_way.remove(trip)
        record.present.append(trip)
        trip.arrived_s = time_s
        workers = before + 1
        finish_s = time_s + record.work_left_s / workers
        if finish_s < self.instance.tasks[trip.task].deadline_s:
            heapq.heappush(self._queue, (finish_s, EventKind.FINISH.value, trip.task, -1, workers))

    def _release_everyone(self, record: TaskRecord, time_s: float) -> None:
        for trip in record.present:
            trip.released_s, trip.idle_node, trip.idle_s = time_s, trip.path[-1], time_s
        for trip in record.under_way:
            reached_s = [trip.taken_s + metres / self.instance.speed_mps for metres in trip.path_m]
            first = next(j for j, reached in enumerate(reached_s) if reached >= time_s)
            trip.released_s, trip.idle_node, trip.idle_s = time_s, trip.path[first], reached_s[first]
        record.under_way = []

    # ---- rewards ----

    def _contribution(self, finished: list[int]) -> list[float]:
        rewards = [0.0] * len(self.instance.workers)
        for task in finished:
            record = self._records[task]
            seconds = [record.finish_s - trip.arrived_s for trip in record.present]  # type: ignore[operator]
            for trip, second in zip(record.present, seconds, strict=True):
                # Work too small to move the clock leaves nothing to weigh by: equal shares.
                share = record.payment * second / sum(seconds) if sum(seconds) else record.payment / len(seconds)
                rewards[trip.worker] += share
        return rewards

    def _individual(self, joined: list[Trip]) -> list[float]:
        rewards = [0.0] * len(self.instance.workers)
        for trip in joined:
            record = self._records[trip.task]
            rewards[trip.worker] = self.work_left_s(trip.task) / (len(record.present) + len(record.under_way))
        return rewards

    def _difference(self, finished: list[int]) -> list[float]:
        rewards = [0.0] * len(self.instance.workers)
        for task in finished:
            for trip in self._records[task].present:
                rewards[trip.worker] += self.payment(task) - self._projected_payment(task, without=trip)
        return rewards

    def _projected_payment(self, task: int, without: Trip | None = None) -> float:
        due_s = (trip.due_s for trip in self.trips if trip.task == task and trip is not without)
        return foreseen_payment(self.instance, task, due_s)

    # ---- roads ----

    def _distances_to(self, goal: int) -> dict[int, int]:
        if goal not in self._distances:
            self._distances[goal] = _units_to(self._graph, goal)
        return self._distances[goal]

    def _path(self, node: int, goal: int) -> list[int]:
        """The shortest path of the specification, with its rule for ties."""
        to_goal = self._distances_to(goal)
        path = [node]
        while path[-1] != goal:
            here = path[-1]
            ways = [(self._graph.edges[here, m]["length"] + to_goal[m], m) for m in self._graph[here] if m in to_goal]
            path.append(min(ways)[1])
        return path

    def _travelled_m(self, trip: Trip) -> float:
        """What the trip has driven by the present epoch."""
        length_m = trip.path_m[-1]
        if trip.arrived_s is not None:
            return length_m
        if trip.idle_node is not None:
            length_m = trip.path_m[trip.path.index(trip.idle_node)]
        return min(self.instance.speed_mps * (self.time_s - trip.taken_s), length_m)


def _graph(instance: ReferenceInstance) -> "nx.DiGraph[int]":
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(instance.num_nodes))
    for arc in sorted(instance.arcs, key=lambda arc: -arc.length_units):  # of two between the same nodes, the shorter
        graph.add_edge(arc.tail, arc.head, length=arc.length_units)
    return graph


def _units_to(graph: "nx.DiGraph[int]", goal: int) -> dict[int, int]:
    """The length of the shortest path from every node from which there is one; lengths are whole, so sums are."""
    lengths = nx.shortest_path_length(graph, target=goal, weight="length")
    return {node: int(units) for node, units in lengths.items()}
