"""The small world that the tests of DASC by hand start from.

Unless a test says otherwise, everybody drives at 10 m/s, roads are 100 m long (10 s) and run both ways, everyone has
the one skill 0, epochs are 5 s apart, a task pays 90 and loses 0.02 a second from 1000 s on until 2000 s, and the world
is

    0 --100-- 1 --100-- 2 --100-- 3 --100-- 4
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from crowdgym.configs.dasc import DascSettings
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.dasc.instance import NUM_SKILLS, DascInstance
from crowdgym.envs.dasc.kernel.simulation import DascSimulation

Road = tuple[int, int, int]
LINE: tuple[Road, ...] = tuple((n, n + 1, 100) for n in range(4))


@dataclass(frozen=True)
class Part:
    """A subtask; ``after``: the numbers of its predecessors within its task."""

    node: int
    duration_s: float = 20.0
    after: tuple[int, ...] = ()
    skills: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Job:
    """A task."""

    parts: tuple[Part, ...]
    created_s: float = 0.0
    expected_s: float = 1000.0
    deadline_s: float = 2000.0
    payment: float = 90.0


@dataclass(frozen=True)
class Helper:
    """A worker."""

    node: int
    skills: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class World:
    """An instance with its settings."""

    instance: DascInstance
    settings: DascSettings

    def start(self, batch: int = 1, utility: tuple[float, float] | None = None) -> DascSimulation:
        """Every copy at time 0."""
        simulation = DascSimulation(self.instance.network, self.settings, batch)
        for b in range(batch):
            simulation.reset_copy(b, self.instance, utility)
        return simulation


def a_world(
    helpers: list[Helper], jobs: list[Job], *, roads: tuple[Road, ...] = LINE, empty_slots: int = 0, **settings: Any
) -> World:
    """The world of these workers, tasks and two-way roads; ``settings`` in place of the usual ones."""
    subtasks = [(q, part) for q, job in enumerate(jobs) for part in job.parts]
    first = np.cumsum([0, *(len(job.parts) for job in jobs)])
    before = [[first[q] + p for p in part.after] for q, part in subtasks]
    instance = DascInstance(
        network=a_network(roads),
        worker_node=np.array([helper.node for helper in helpers], np.int32),
        worker_skills=_flags([helper.skills for helper in helpers]),
        created_s=np.array([job.created_s for job in jobs]),
        expected_s=np.array([job.expected_s for job in jobs]),
        deadline_s=np.array([job.deadline_s for job in jobs]),
        payment=np.array([job.payment for job in jobs]),
        subtask_task=np.array([q for q, _ in subtasks], np.int32),
        subtask_node=np.array([part.node for _, part in subtasks], np.int32),
        subtask_skills=_flags([part.skills for _, part in subtasks]),
        duration_s=np.array([part.duration_s for _, part in subtasks]),
        predecessor_start=np.cumsum([0, *map(len, before)]).astype(np.int32),
        predecessors=np.array([p for some in before for p in some], np.int32),
    )
    slots = len(subtasks) + empty_slots
    usual: dict[str, Any] = {
        "scenario": "tiny",
        "num_workers": len(helpers),
        "num_tasks": len(jobs),
        "subtasks_mean": slots / len(jobs),
        "horizon_s": 3000.0,
        "step_s": 5.0,
        "speed_mps": 10.0,
        "range_m": 5000.0,
        "max_candidates": 3,
        "penalty_per_s": 0.02,
        "travel_cost_per_m": 1e-4,
        "unmatched_penalty": 0.25,
        "invalid_penalty": 0.5,
        "utility": (0.2, 0.2),
        "payment_unit_s": 60.0,
    }
    return World(instance, DascSettings.load(**{**usual, **settings}))


def a_network(roads: tuple[Road, ...]) -> RoadNetwork:
    """Two-way roads; nodes lie 100 m apart on a line."""
    arcs = np.array(sorted(arc for u, v, length in roads for arc in ((u, v, length), (v, u, length))), np.int32)
    count = int(arcs[:, :2].max()) + 1
    return RoadNetwork(
        node_ids=np.arange(count, dtype=np.int64),
        x_m=100.0 * np.arange(count),
        y_m=np.zeros(count),
        longitude_deg=np.zeros(count),
        latitude_deg=np.zeros(count),
        indptr=np.searchsorted(arcs[:, 0], np.arange(count + 1)).astype(np.int32),
        indices=arcs[:, 1].copy(),
        length=arcs[:, 2].copy(),
        unit_m=1.0,
        crs="EPSG:32649",
    )


def play(simulation: DascSimulation, until_s: float, first: list[int] | None = None) -> DascSimulation:
    """Give the first joint action at the present epoch, then hold until the time."""
    hold = np.zeros((len(simulation.epochs), simulation.sizes.slots), np.int64)
    joint = hold if first is None else np.tile(np.array(first, np.int64), (len(hold), 1))
    if simulation.now_s(0) < until_s:
        simulation.step(joint)
    while simulation.now_s(0) < until_s:
        simulation.step(hold)
    assert simulation.now_s(0) == until_s
    return simulation


def _flags(sets: list[tuple[int, ...]]) -> Any:
    return np.array([[k in some for k in range(NUM_SKILLS)] for some in sets], np.bool_)
