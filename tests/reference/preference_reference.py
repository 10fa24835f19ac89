"""A slow, plain simulator of ``preference_v0``, written from docs/preference_dynamics.md alone.

One queue holds every creation, expiry, arrival and return to idleness of the world in order of time; shortest paths
come from networkx. Nothing is shared with the package: the fast kernel is compared with this.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

import networkx as nx
from reference.preference_instance import PreferenceReferenceInstance


class WorkerState(Enum):
    """What a worker is doing."""

    IDLE = "idle"
    DRIVING = "driving"
    SERVING = "serving"
    PAUSED = "paused"


class TaskState(Enum):
    """Where a task stands."""

    PENDING = "pending"
    OPEN = "open"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    EXPIRED = "expired"


class Outcome(Enum):
    """What came of an action."""

    NONE = "none"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CONTESTED = "contested"


class EventKind(Enum):
    """Kinds of events; at one instant they are played in the order of these values."""

    CREATION = 0
    EXPIRY = 1
    ARRIVAL = 2
    IDLE_AGAIN = 3


class Position(NamedTuple):
    """At ``node``, or ``past_m`` metres past it on the road to ``next_node``."""

    node: int
    next_node: int | None = None
    past_m: float = 0.0


class StepResult(NamedTuple):
    """What one step gave: an outcome per worker, and a number per worker and reward strategy."""

    outcomes: list[Outcome]
    accepted: list[float]
    team: list[float]
    preference: list[float]


@dataclass
class Trip:
    """The way of a worker to a task that it accepted."""

    worker: int
    task: int
    left_s: float
    path: list[int]
    path_m: list[float]
    arrival_s: float


class Ask(NamedTuple):
    """A task asked for a worker."""

    worker: int
    task: int
    asked_s: float
    from_node: int
    outcome: Outcome


@dataclass
class WorkerRecord:
    """What a worker is doing now."""

    node: int
    state: WorkerState = WorkerState.IDLE
    task: int | None = None
    trip: Trip | None = None
    free_s: float = 0.0
    refused: set[int] = field(default_factory=set)


@dataclass
class TaskRecord:
    """What has become of a task so far."""

    state: TaskState = TaskState.PENDING
    declines: int = 0
    worker: int | None = None
    end_s: float | None = None


class PreferenceReferenceSimulator:
    """Plays an instance. ``step`` takes one action per worker; everything else can be read at every epoch."""

    def __init__(self, instance: PreferenceReferenceInstance) -> None:
        self.instance = instance
        self.num_steps = 0  # L
        while self.num_steps * instance.step_s < instance.horizon_s:
            self.num_steps += 1
        self.epoch = 0
        self.trips: list[Trip] = []
        self.asks: list[Ask] = []
        self.contested = self.illegal = 0
        self.workers = [WorkerRecord(worker.start_node) for worker in instance.workers]
        self.tasks = [TaskRecord() for _ in instance.tasks]
        self._graph = _graph(instance)
        self._units: dict[int, dict[int, int]] = {}  # goal -> node -> units
        self._queue: list[tuple[float, int, int]] = []  # time, kind, task or worker
        for number, task in enumerate(instance.tasks):
            heapq.heappush(self._queue, (task.created_s, EventKind.CREATION.value, number))
            heapq.heappush(self._queue, (task.expiry_s, EventKind.EXPIRY.value, number))
        self._play_until(0.0)

    # ---- what can be read at an epoch ----

    @property
    def time_s(self) -> float:
        """The time of the present epoch, t_k."""
        return min(self.epoch * self.instance.step_s, self.instance.horizon_s)

    @property
    def done(self) -> bool:
        """Whether the last step has been played."""
        return self.epoch >= self.num_steps

    def units(self, node: int, goal: int) -> float:
        """The length of the shortest path in units of length, infinite where there is no way."""
        if goal not in self._units:
            self._units[goal] = dict(nx.shortest_path_length(self._graph, target=goal, weight="length"))
        return self._units[goal].get(node, math.inf)

    def distance_m(self, node: int, goal: int) -> float:
        """dist(u, g)."""
        return self.units(node, goal) * self.instance.unit_m

    def is_reachable(self, worker: int, task: int) -> bool:
        """Whether the pair is reachable."""
        world, record = self.instance, self.workers[worker]
        if record.state is not WorkerState.IDLE or self.tasks[task].state is not TaskState.OPEN:
            return False
        if task in record.refused:
            return False
        metres = self.distance_m(record.node, world.tasks[task].node)
        return metres <= world.range_m and self.time_s + metres / world.speed_mps <= world.tasks[task].expiry_s

    def candidates(self, worker: int) -> list[int]:
        """The tasks behind the actions 1, 2, ... of the worker."""
        record = self.workers[worker]
        reachable = [
            (self.distance_m(record.node, task.node), number)
            for number, task in enumerate(self.instance.tasks)
            if self.is_reachable(worker, number)
        ]
        return [number for _, number in sorted(reachable)[: self.instance.max_candidates]]

    def position(self, worker: int) -> Position:
        """Where the worker is at the present epoch."""
        record, trip = self.workers[worker], self.workers[worker].trip
        if record.state is not WorkerState.DRIVING or trip is None:
            return Position(record.node)
        speed = self.instance.speed_mps
        passed = [j for j, metres in enumerate(trip.path_m) if trip.left_s + metres / speed <= self.time_s]
        last = passed[-1]
        past_m = max(0.0, speed * (self.time_s - trip.left_s) - trip.path_m[last])
        return Position(trip.path[last], trip.path[last + 1], past_m)

    def metrics(self) -> dict[str, float]:
        """The metrics of the specification at the present epoch."""
        states = [record.state for record in self.tasks]
        liked = [self._preference(record.worker, number) for number, record in enumerate(self.tasks)]
        accepted = states.count(TaskState.ACCEPTED)
        declined = sum(record.declines for record in self.tasks)
        return {
            "offered": accepted + declined,
            "accepted": accepted,
            "declined": declined,
            "contested": self.contested,
            "closed": states.count(TaskState.CLOSED),
            "expired": states.count(TaskState.EXPIRED),
            "acceptance_rate": accepted / (accepted + declined) if accepted + declined else 0.0,
            "preference": sum(liked) / accepted if accepted else 0.0,
            "travel_m": sum(self._travelled_m(trip) for trip in self.trips),
            "illegal": self.illegal,
        }

    # ---- one step ----

    def step(self, actions: Sequence[int]) -> StepResult:
        """Apply one action per worker at the present epoch and play on to the next."""
        if self.done:
            raise RuntimeError("the episode is over")
        offered = [self.candidates(worker) for worker in range(len(self.workers))]  # before any answer
        askers: dict[int, list[int]] = defaultdict(list)
        outcomes = [Outcome.NONE] * len(self.workers)
        for worker, action in enumerate(actions):
            if 1 <= action <= len(offered[worker]):
                askers[offered[worker][action - 1]].append(worker)
            elif action != 0:
                self.illegal += 1
        for task, crowd in askers.items():
            goal = self.instance.tasks[task].node
            winner = min(crowd, key=lambda worker: (self.distance_m(self.workers[worker].node, goal), worker))
            self.contested += len(crowd) - 1
            for worker in crowd:
                node = self.workers[worker].node
                outcomes[worker] = self._answer(worker, task) if worker == winner else Outcome.CONTESTED
                self.asks.append(Ask(worker, task, self.time_s, node, outcomes[worker]))
        accepted = [float(outcome is Outcome.ACCEPTED) for outcome in outcomes]
        liked = [
            self._preference(worker, record.task if accepted[worker] else None)
            for worker, record in enumerate(self.workers)
        ]
        self.epoch += 1
        self._play_until(self.time_s)
        return StepResult(outcomes, accepted, [sum(accepted) / len(accepted)] * len(accepted), liked)

    def _answer(self, worker: int, task: int) -> Outcome:
        record, offer, now_s = self.workers[worker], self.tasks[task], self.time_s
        if self.instance.accepts(worker, task):
            trip = self._trip(worker, task)
            self.trips.append(trip)
            record.state, record.task, record.trip = WorkerState.DRIVING, task, trip
            record.free_s = trip.arrival_s + self.instance.service_s
            offer.state, offer.worker, offer.end_s = TaskState.ACCEPTED, worker, now_s
            heapq.heappush(self._queue, (trip.arrival_s, EventKind.ARRIVAL.value, worker))
            heapq.heappush(self._queue, (record.free_s, EventKind.IDLE_AGAIN.value, worker))
            return Outcome.ACCEPTED
        record.state, record.free_s = WorkerState.PAUSED, now_s + self.instance.pause_s
        record.refused.add(task)
        heapq.heappush(self._queue, (record.free_s, EventKind.IDLE_AGAIN.value, worker))
        offer.declines += 1
        if offer.declines == self.instance.max_offers:
            offer.state, offer.end_s = TaskState.CLOSED, now_s
        return Outcome.DECLINED

    def _play_until(self, end_s: float) -> None:
        """Play all events up to and including ``end_s``."""
        while self._queue and self._queue[0][0] <= end_s:
            time_s, kind, number = heapq.heappop(self._queue)
            if kind == EventKind.CREATION.value:
                self.tasks[number].state = TaskState.OPEN
            elif kind == EventKind.EXPIRY.value:
                if self.tasks[number].state is TaskState.OPEN:
                    self.tasks[number].state, self.tasks[number].end_s = TaskState.EXPIRED, time_s
            elif kind == EventKind.ARRIVAL.value:
                trip = self.workers[number].trip
                assert trip is not None
                self.workers[number].state, self.workers[number].node = WorkerState.SERVING, trip.path[-1]
            else:
                self.workers[number].state, self.workers[number].task = WorkerState.IDLE, None

    # ---- roads ----

    def _trip(self, worker: int, task: int) -> Trip:
        """The shortest path of the specification, with its rule for ties."""
        start, goal = self.workers[worker].node, self.instance.tasks[task].node
        path = [start]
        while path[-1] != goal:
            here = path[-1]
            ways = [(self._graph.edges[here, m]["length"] + self.units(m, goal), m) for m in self._graph[here]]
            path.append(min(ways)[1])
        lengths = [self._graph.edges[a, b]["length"] for a, b in pairwise(path)]
        path_m = [sum(lengths[:j]) * self.instance.unit_m for j in range(len(path))]
        arrival_s = self.time_s + self.distance_m(start, goal) / self.instance.speed_mps
        return Trip(worker, task, self.time_s, path, path_m, arrival_s)

    def _travelled_m(self, trip: Trip) -> float:
        if trip.arrival_s <= self.time_s:
            return trip.path_m[-1]
        return min(self.instance.speed_mps * (self.time_s - trip.left_s), trip.path_m[-1])

    def _preference(self, worker: int | None, task: int | None) -> float:
        if worker is None or task is None:
            return 0.0
        return self.instance.workers[worker].preference[self.instance.tasks[task].category]


def _graph(instance: PreferenceReferenceInstance) -> "nx.DiGraph[int]":
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(instance.num_nodes))
    for arc in sorted(instance.arcs, key=lambda arc: -arc.length_units):  # of two between the same nodes, the shorter
        graph.add_edge(arc.tail, arc.head, length=arc.length_units)
    return graph
