"""A plain book of who took what, kept beside the kernel from the actions alone.

It takes from the kernel only which tasks have ended, and when; all else follows from the drawn world: distances by
Floyd and Warshall, arrivals, who was at work, and where a worker goes whose task has ended.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from reference.csc_instance import ReferenceInstance

from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.kernel.state import TaskStatus
from crowdgym.envs.csc.snapshot import CscSnapshot


@dataclass(frozen=True)
class Claim:
    """A task taken by a worker, from then until the worker is idle again."""

    worker: int
    task: int
    origin: int
    depart_s: float
    arrive_s: float
    work_left_s: float  # of the task, when it was taken


@dataclass
class Book:
    """What has happened so far in the episode of copy 0."""

    world: ReferenceInstance
    simulation: CscSimulation
    illegal: int = 0
    ended_trips_m: float = 0.0
    claims: dict[int, Claim] = field(default_factory=dict)  # by worker: of those that are not idle
    takers: dict[int, list[Claim]] = field(default_factory=dict)  # by task: all that ever took it
    joiners: list[Claim] = field(default_factory=list)  # who took something at the last step

    def __post_init__(self) -> None:
        self.units = shortest_ways(self.world)
        self.roads = {(arc.tail, arc.head): arc.length_units for arc in self.world.arcs}
        self.node = [worker.start_node for worker in self.world.workers]  # where it is idle, works, or set out from
        self.idle_since_s = [0.0 for _ in self.world.workers]
        self.trips = [(math.nan, math.nan) for _ in self.world.workers]  # last departure, and arrival if there was one
        self.now = self.before = CscSnapshot.of(self.simulation, 0)
        self.has_ended = [False] * len(self.world.tasks)
        self.just_ended: list[int] = []  # at the last step

    def trip_s(self, units: int) -> float:
        return units * self.world.unit_m / self.world.speed_mps

    def legal_tasks(self, worker: int) -> list[int]:
        """What the specification lets a worker take now, in order."""
        if worker in self.claims:
            return []
        here, world = self.node[worker], self.world
        reachable = [
            (self.units[here][task.node], i)
            for i, task in enumerate(world.tasks)
            if task.created_s <= self.now.time_s < task.deadline_s
            and not self.has_ended[i]
            and task.skill in world.workers[worker].skills
            and self.units[here][task.node] * world.unit_m <= world.range_m
        ]
        return [i for _, i in sorted(reachable)[: world.max_candidates]]

    def crew(self, task: int) -> list[Claim]:
        """Who works, or worked, at a task; a worker that arrives at the instant of its end is too late."""
        left_s, since_s, crew = self.world.tasks[task].workload_s, 0.0, list[Claim]()
        until_s = self.now.end_s[task] if self.has_ended[task] else self.now.time_s
        for claim in sorted(self.takers.get(task, []), key=lambda claim: (claim.arrive_s, claim.worker)):
            at_s = claim.arrive_s
            if at_s > until_s or at_s >= self.world.tasks[task].deadline_s:
                break
            if crew and since_s + left_s / len(crew) <= at_s:
                break
            left_s, since_s = left_s - len(crew) * (at_s - since_s), at_s
            crew.append(claim)
        return crew

    def play(self, actions: list[int]) -> None:
        """Let the kernel play the joint action of copy 0, and book it."""
        now_s, self.joiners = self.now.time_s, []
        for worker, action in enumerate(actions):
            offered = self.legal_tasks(worker)
            if action > len(offered):
                self.illegal += 1
            elif action > 0:
                task, origin = offered[action - 1], self.node[worker]
                arrive_s = now_s + self.trip_s(self.units[origin][self.world.tasks[task].node])
                left_s = float(self.now.work_left_s[task])
                self.joiners.append(Claim(worker, task, origin, now_s, arrive_s, left_s))
        for claim in self.joiners:
            self.trips[claim.worker] = claim.depart_s, claim.arrive_s
            self.claims[claim.worker] = claim
            self.takers.setdefault(claim.task, []).append(claim)
        self.simulation.step(np.array([actions], np.int64))
        self.before, self.now = self.now, CscSnapshot.of(self.simulation, 0)
        had_ended, self.has_ended = self.has_ended, (self.now.task_status >= TaskStatus.FINISHED).tolist()
        self.just_ended = [i for i, ended in enumerate(self.has_ended) if ended and not had_ended[i]]
        for claim in list(self.claims.values()):
            self._let_go(claim)

    def goes_on_to(self, claim: Claim) -> tuple[int, float, int]:
        """Where a worker is idle after its task has ended, from when on, and how many units it has driven."""
        end_s, goal = float(self.now.end_s[claim.task]), self.world.tasks[claim.task].node
        if claim in self.crew(claim.task):
            return goal, end_s, self.units[claim.origin][goal]
        node, driven = claim.origin, 0
        while claim.depart_s + self.trip_s(driven) < end_s:
            ways = [
                (length + self.units[head][goal], head) for (tail, head), length in self.roads.items() if tail == node
            ]
            following = min(ways)[1]
            node, driven = following, driven + self.roads[node, following]
        return node, claim.depart_s + self.trip_s(driven), driven

    def _let_go(self, claim: Claim) -> None:
        if self.has_ended[claim.task]:
            node, free_s, driven = self.goes_on_to(claim)
            if claim not in self.crew(claim.task):
                self.trips[claim.worker] = claim.depart_s, math.nan
            if free_s <= self.now.time_s:
                self.node[claim.worker], self.idle_since_s[claim.worker] = node, free_s
                self.ended_trips_m += driven * self.world.unit_m
                del self.claims[claim.worker]


def shortest_ways(world: ReferenceInstance) -> list[list[int]]:
    """Units from every node to every other (Floyd and Warshall)."""
    nodes = range(world.num_nodes)
    far = math.inf
    ways: list[list[float]] = [[0 if a == b else far for b in nodes] for a in nodes]
    for arc in world.arcs:
        ways[arc.tail][arc.head] = min(ways[arc.tail][arc.head], arc.length_units)
    for over in nodes:
        for a in nodes:
            for b in nodes:
                ways[a][b] = min(ways[a][b], ways[a][over] + ways[over][b])
    return [[int(way) for way in row] for row in ways]
