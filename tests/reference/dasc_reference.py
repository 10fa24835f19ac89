"""A slow, plain simulator of DASC, written from docs/dasc_dynamics.md alone: what the fast kernel is compared with.

One queue holds every arrival, start, finish and expiry of the world in order of time; shortest paths and matchings
come from networkx. Nothing is shared with the package, nothing is batched, and nothing is clever.
"""

import heapq
import math
from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

import networkx as nx
from reference.csc_reference import Position
from reference.dasc_instance import DascReferenceInstance
from reference.dasc_matching import chosen_workers, closed, largest_assignment, rounds, whole_utility
from reference.dasc_records import JobState, Metrics, Outcome, StepResult, SubtaskState, Trip, WorkerState


class EventKind(Enum):
    """Kinds of events; those of one task at one instant are played in the order of these values."""

    EXPIRY = 0
    ARRIVAL = 1
    START = 2
    FINISH = 3


class DascReferenceSimulator:
    """Plays an instance. ``step`` takes one action per slot; everything else can be read at every epoch."""

    def __init__(self, instance: DascReferenceInstance) -> None:
        self.instance = instance
        self.num_steps = 0  # L
        while self.num_steps * instance.step_s < instance.horizon_s:
            self.num_steps += 1
        self.epoch = 0
        self.trips: dict[int, Trip] = {}  # by subtask
        self.counts = {outcome: [0] * instance.num_slots for outcome in Outcome}
        self.job_of = [q for q, job in enumerate(instance.jobs) for _ in job.subtasks]
        self.latest_rounds: list[dict[tuple[int, int], int]] = []  # U of the pairs of every round of the latest step
        self._current: list[Trip | None] = [None] * len(instance.workers)  # the last trip of each worker
        self._finished: set[int] = set()  # subtasks
        self._end_s: dict[int, tuple[JobState, float]] = {}  # of tasks
        self._paid: dict[int, float] = {}
        self._graph = nx.DiGraph()
        self._graph.add_nodes_from(range(instance.num_nodes))
        for tail, head, units in instance.arcs:
            self._graph.add_edge(tail, head, length=units)
        self._distances: dict[int, dict[int, int]] = {}  # goal -> node -> units
        self._queue: list[tuple[float, int, int]] = []  # (time, kind, task of an expiry or subtask of the others)
        for q, job in enumerate(instance.jobs):
            heapq.heappush(self._queue, (job.deadline_s, EventKind.EXPIRY.value, q))

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

    def job_state(self, job: int) -> JobState:
        """Where the task stands at the present epoch."""
        if job in self._end_s:
            return self._end_s[job][0]
        return JobState.PENDING if self.time_s < self.instance.jobs[job].created_s else JobState.OPEN

    def end_s(self, job: int) -> float | None:
        """When the task finished or expired."""
        return self._end_s[job][1] if job in self._end_s else None

    def paid(self, job: int) -> float:
        """What was paid for the task so far."""
        return self._paid.get(job, 0.0)

    def live(self, slot: int) -> bool:
        """Whether the slot is live at the present epoch."""
        return slot < len(self.instance.subtasks) and self.job_state(self.job_of[slot]) is JobState.OPEN

    def subtask_state(self, subtask: int) -> SubtaskState:
        """Where the subtask stands at the present epoch."""
        job = self.job_state(self.job_of[subtask])
        if subtask in self._finished:
            return SubtaskState.FINISHED
        if job is JobState.EXPIRED:
            return SubtaskState.FAILED
        if job is JobState.PENDING:
            return SubtaskState.PENDING
        return SubtaskState.ASSIGNED if subtask in self.trips else SubtaskState.UNASSIGNED

    def worker_state(self, worker: int) -> WorkerState:
        """What the worker is doing at the present epoch."""
        trip = self._current[worker]
        if trip is None or (trip.idle_s is not None and trip.idle_s <= self.time_s):
            return WorkerState.IDLE
        return trip.state

    def worker_subtask(self, worker: int) -> int | None:
        """The subtask that the worker travels to, waits at or works at."""
        trip = self._current[worker]
        busy = self.worker_state(worker) not in (WorkerState.IDLE, WorkerState.RELEASED)
        return trip.subtask if trip is not None and busy else None

    def position(self, worker: int) -> Position:
        """Where the worker is at the present epoch."""
        trip, now_s = self._current[worker], self.time_s
        if trip is None:
            return Position(self.instance.workers[worker].start_node)
        state = self.worker_state(worker)
        if state is WorkerState.IDLE:
            assert trip.idle_node is not None
            return Position(trip.idle_node)
        if state in (WorkerState.WAITING, WorkerState.WORKING):
            return Position(trip.path[-1])
        speed = self.instance.speed_mps
        last = max(j for j, metres in enumerate(trip.path_m) if trip.set_out_s + metres / speed <= now_s)
        past_m = max(0.0, speed * (now_s - trip.set_out_s) - trip.path_m[last])
        return Position(trip.path[last], trip.path[last + 1], past_m)

    def set_out_s(self, worker: int) -> float | None:
        """When the worker last set out."""
        trip = self._current[worker]
        return None if trip is None else trip.set_out_s

    def distance_m(self, node: int, goal: int) -> float:
        """dist(u, g), infinite where there is no way."""
        units = self._distances_to(goal).get(node)
        return math.inf if units is None else units * self.instance.unit_m

    def able(self, subtask: int) -> list[tuple[float, int]]:
        """The workers able to serve the subtask, nearest first."""
        asked = self.instance.subtasks[subtask]
        found = []
        for number, worker in enumerate(self.instance.workers):
            if self.worker_state(number) is WorkerState.IDLE and asked.skills <= worker.skills:
                distance_m = self.distance_m(self.position(number).node, asked.node)
                if distance_m <= self.instance.range_m:
                    found.append((distance_m, number))
        return sorted(found)

    def assignable(self) -> set[int]:
        """The subtasks that are assignable at the present epoch."""
        found: set[int] = set()
        for i, subtask in enumerate(self.instance.subtasks):  # predecessors first
            if not self.live(i) or self.subtask_state(i) is not SubtaskState.UNASSIGNED or not self.able(i):
                continue
            if self.instance.after_finished:
                ready = all(j in self._finished for j in subtask.before)
            else:
                ready = all(self._served(j) or j in found for j in subtask.before)
            if ready:
                found.add(i)
        return found

    def candidates(self) -> list[list[int]]:
        """Of every slot: the workers behind the actions 1, 2, … of ``select``."""
        assignable, most = self.assignable(), self.instance.max_candidates
        return [
            [worker for _, worker in self.able(slot)[:most]] if slot in assignable else []
            for slot in range(self.instance.num_slots)
        ]

    def mask(self) -> list[list[int]]:
        """Of every slot: which actions are legal."""
        if not self.instance.selects:
            assignable = self.assignable()
            return [[1, int(slot in assignable)] for slot in range(self.instance.num_slots)]
        most = self.instance.max_candidates
        return [[1, *(int(j < len(some)) for j in range(most))] for some in self.candidates()]

    def terms(self, worker: int, subtask: int) -> tuple[float, float, float]:
        """u_skill, u_dist and u_time of the pair now."""
        asked, job = self.instance.subtasks[subtask], self.instance.jobs[self.job_of[subtask]]
        range_m = self.instance.range_m
        distance_m = self.distance_m(self.position(worker).node, asked.node)
        u_skill = len(asked.skills) / len(self.instance.workers[worker].skills)
        u_dist = (range_m - distance_m) / range_m if range_m else 1.0
        u_time = math.exp((self.time_s - job.expected_s) / (job.deadline_s - job.expected_s)) / math.e
        return u_skill, u_dist, u_time

    def utility(self, worker: int, subtask: int) -> int:
        """U of the pair now."""
        alpha, beta = self.instance.utility
        u_skill, u_dist, u_time = self.terms(worker, subtask)
        v1, v2, v3 = alpha * beta, alpha * (1 - beta), 1 - alpha
        return whole_utility(v1 * u_skill + v2 * u_dist + v3 * u_time)

    def latest_finish_s(self, subtask: int, end_s: float) -> float:
        """LFT_i(T)."""
        durations = [
            self.latest_finish_s(j, end_s) - other.duration_s
            for j, other in enumerate(self.instance.subtasks)
            if subtask in other.before
        ]
        return min(durations, default=end_s)

    def metrics(self) -> Metrics:
        """The metrics at the present epoch."""
        revenue = sum(self._paid.values())
        travel_m = sum(self._travelled_m(trip) for trip in self.trips.values())
        cost = self.instance.travel_cost_per_m * travel_m
        states = [state for state, _ in self._end_s.values()]
        return Metrics(
            revenue=revenue,
            travel_cost=cost,
            profit=revenue - cost,
            completed=states.count(JobState.FINISHED),
            expired=states.count(JobState.EXPIRED),
            assigned=len(self.trips),
            travel_m=travel_m,
            illegal=sum(self.counts[Outcome.ILLEGAL]),
            invalid=sum(self.counts[Outcome.INVALID]),
            unmatched=sum(self.counts[Outcome.UNMATCHED]),
        )

    # ---- one step ----

    def step(self, actions: Sequence[int]) -> StepResult:
        """Apply one action per slot at the present epoch and play on to the next."""
        assert not self.done
        assert len(actions) == self.instance.num_slots
        were_live = [self.live(slot) for slot in range(len(actions))]
        outcome, matched = self._judge(actions)
        terms = [(0.0, 0.0, 0.0)] * len(actions)
        for subtask, worker in matched.items():
            terms[subtask] = self.terms(worker, subtask)
        for subtask in sorted(matched):  # predecessors first: their finishes are then known
            self._set_out(matched[subtask], subtask)
        for slot, what in enumerate(outcome):
            self.counts[what][slot] += 1
        shaped = [self._shaped(slot, what) if were_live[slot] else 0.0 for slot, what in enumerate(outcome)]
        self.epoch += 1
        finished = self._play_until(self.time_s)
        sparse = [0.0] * len(actions)
        for q in finished:
            for i in self.instance.jobs[q].subtasks:
                assert were_live[i]
                sparse[i] = self._paid[q] / self.instance.jobs[q].count
        revenue = sum(self._paid[q] for q in finished)
        team = [revenue / sum(were_live) if live else 0.0 for live in were_live]
        return StepResult(sparse, shaped, team, outcome, terms, revenue)

    def _judge(self, actions: Sequence[int]) -> tuple[list[Outcome], dict[int, int]]:
        """What becomes of every slot's action, and the matches."""
        candidates, mask = self.candidates(), self.mask()
        legal = [bool(allowed[action]) for allowed, action in zip(mask, actions, strict=True)]
        requests = {slot for slot, action in enumerate(actions) if action and legal[slot]}
        admitted = requests if self.instance.after_finished else closed(requests, self._before, self._served)
        if self.instance.selects:
            asked = {i: candidates[i][actions[i] - 1] for i in admitted}
            pairs = {(i, w): self.utility(w, i) for i, w in asked.items()}
        else:
            asked, pairs = {}, {(i, w): self.utility(w, i) for i in admitted for _, w in self.able(i)}

        self.latest_rounds = []

        def match(some: set[int]) -> dict[int, int]:
            left = {pair: value for pair, value in pairs.items() if pair[0] in some}
            self.latest_rounds.append(left)
            if self.instance.selects:
                return chosen_workers({i: asked[i] for i in some}, left)
            return largest_assignment(left)

        matched = rounds(admitted, match, self._before, self._served)
        outcome = [Outcome.HELD] * len(actions)
        for slot, action in enumerate(actions):
            if slot in matched:
                outcome[slot] = Outcome.MATCHED
            elif slot in admitted:
                outcome[slot] = Outcome.UNMATCHED
            elif slot in requests:
                outcome[slot] = Outcome.INVALID
            elif action:
                outcome[slot] = Outcome.ILLEGAL
        return outcome, matched

    def _before(self, subtask: int) -> tuple[int, ...]:
        return self.instance.subtasks[subtask].before

    def _served(self, subtask: int) -> bool:
        """Assigned or finished."""
        return subtask in self.trips

    def _set_out(self, worker: int, subtask: int) -> None:
        now_s, node, asked = self.time_s, self.position(worker).node, self.instance.subtasks[subtask]
        path = self._path(node, asked.node)
        lengths = [self._graph.edges[a, b]["length"] for a, b in pairwise(path)]
        path_m = [sum(lengths[:j]) * self.instance.unit_m for j in range(len(path))]
        arrive_s = now_s + path_m[-1] / self.instance.speed_mps
        start_s = max([arrive_s, *(self.trips[j].finish_s for j in asked.before)])
        trip = Trip(worker, subtask, now_s, path, path_m, arrive_s, start_s, start_s + asked.duration_s)
        self._current[worker] = self.trips[subtask] = trip
        heapq.heappush(self._queue, (trip.arrive_s, EventKind.ARRIVAL.value, subtask))
        heapq.heappush(self._queue, (trip.start_s, EventKind.START.value, subtask))
        heapq.heappush(self._queue, (trip.finish_s, EventKind.FINISH.value, subtask))

    def _play_until(self, end_s: float) -> list[int]:
        """Play all events up to and including ``end_s``; return the tasks that finished, in order."""
        finished: list[int] = []
        while self._queue and self._queue[0][0] <= end_s:
            time_s, kind, number = heapq.heappop(self._queue)
            q = number if kind == EventKind.EXPIRY.value else self.job_of[number]
            if q in self._end_s:
                continue
            if kind == EventKind.EXPIRY.value:
                self._expire(q, time_s)
            elif kind == EventKind.ARRIVAL.value:
                self.trips[number].state = WorkerState.WAITING
            elif kind == EventKind.START.value:
                self.trips[number].state = WorkerState.WORKING
            elif self._finish(number, time_s):
                finished.append(q)
        return finished

    def _finish(self, subtask: int, time_s: float) -> bool:
        """Finish a subtask; say whether this finishes its task."""
        trip, q = self.trips[subtask], self.job_of[subtask]
        trip.idle_node, trip.idle_s = trip.path[-1], time_s
        self._finished.add(subtask)
        job = self.instance.jobs[q]
        if not self._finished.issuperset(job.subtasks):
            return False
        self._end_s[q] = JobState.FINISHED, time_s
        late_s = max(0.0, time_s - job.expected_s)
        self._paid[q] = max(0.0, job.max_payment - self.instance.penalty_per_s * late_s)
        return True

    def _expire(self, q: int, time_s: float) -> None:
        self._end_s[q] = JobState.EXPIRED, time_s
        for i in self.instance.jobs[q].subtasks:
            if i not in self.trips or i in self._finished:
                continue
            trip = self.trips[i]
            if trip.state is not WorkerState.TRAVELLING:
                trip.idle_node, trip.idle_s = trip.path[-1], time_s
                continue
            reached_s = [trip.set_out_s + metres / self.instance.speed_mps for metres in trip.path_m]
            first = next(j for j, reached in enumerate(reached_s) if reached >= time_s)
            trip.state = WorkerState.RELEASED
            trip.idle_node, trip.idle_s = trip.path[first], reached_s[first]

    def _shaped(self, slot: int, what: Outcome) -> float:
        if what is Outcome.UNMATCHED:
            return -self.instance.unmatched_penalty
        if what in (Outcome.INVALID, Outcome.ILLEGAL):
            return -self.instance.invalid_penalty
        if what is Outcome.HELD:
            return 0.0
        job, trip = self.instance.jobs[self.job_of[slot]], self.trips[slot]
        in_time_s = self.latest_finish_s(slot, job.expected_s)
        share = 0.0
        if trip.finish_s >= self.latest_finish_s(slot, job.deadline_s):
            pass
        elif trip.finish_s <= in_time_s:
            share = job.max_payment / job.count
        else:
            late_s = trip.finish_s - in_time_s
            share = max(0.0, job.max_payment - self.instance.penalty_per_s * late_s) / job.count
        return share - self.instance.travel_cost_per_m * trip.distance_m

    # ---- roads ----

    def _travelled_m(self, trip: Trip) -> float:
        length_m = trip.distance_m
        if trip.idle_node is not None:
            length_m = trip.path_m[trip.path.index(trip.idle_node)]
        return min(length_m, self.instance.speed_mps * (self.time_s - trip.set_out_s))

    def _distances_to(self, goal: int) -> dict[int, int]:
        """Units from every node that has a way to ``goal``."""
        if goal not in self._distances:
            backwards = self._graph.reverse(copy=False)
            self._distances[goal] = nx.single_source_dijkstra_path_length(backwards, goal, weight="length")
        return self._distances[goal]

    def _path(self, node: int, goal: int) -> list[int]:
        """Towards the neighbour with the shortest way on; ties by the smaller node number."""
        to_goal = self._distances_to(goal)
        path = [node]
        while path[-1] != goal:
            here = self._graph[path[-1]]
            path.append(min((road["length"] + to_goal[m], m) for m, road in here.items() if m in to_goal)[1])
        return path
