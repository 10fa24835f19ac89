"""What a worker of CSC sees: the five sets of the CAFE paper, section 4.1, as one flat row of numbers in [-1, 1].

``w_self`` is the worker itself with the task it is at, ``T_optional`` its candidates in the order of its actions,
``T_near`` the open tasks around it, ``W_near`` the workers around it and ``W_idle`` the idle ones. The paper leaves
sizes and features open; these are ours. Every set has a fixed number of rows, each with a flag that says whether there
is something in it; an empty row is all zeros. Near means by straight line; the distance of a candidate is by road.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.jit import kernel
from crowdgym.envs.core.neighbours import fill_grid, nearest
from crowdgym.envs.core.payment import payment_at
from crowdgym.envs.core.roads import RoadArrays, next_arc, travel_time_s
from crowdgym.envs.csc.dynamics import IDLE, OPEN, RELEASED, TRAVELLING, WORKING, Rules, follow_trail, work_left_s
from crowdgym.envs.csc.instance import NUM_SKILLS
from crowdgym.envs.csc.state import NEIGHBOURS, CscState

SELF_FEATURES = (
    *("x", "y", "idle", "travelling", "working", "released", "elapsed", "until_idle"),
    *(f"skill_{k}" for k in range(NUM_SKILLS)),
)
TASK_FEATURES = (
    *("present", "dx", "dy", "distance", "work_left", "until_expected", "until_deadline", "payment_now"),
    *("workers_present", "workers_en_route", "able"),
)
WORKER_FEATURES = ("present", "dx", "dy", "distance", "idle", "working", "until_idle", "shared_skills")

NEAR_TASKS = NEAR_WORKERS = IDLE_WORKERS = NEIGHBOURS

_SELF = len(SELF_FEATURES)
_TASK = len(TASK_FEATURES)
_WORKER = len(WORKER_FEATURES)
_CREW_SCALE = 10.0  # workers at one task that count as many

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class ObservationSlice:
    """One set of the observation: ``observation[start:stop].reshape(shape)`` has a column for each feature."""

    name: str
    start: int
    shape: tuple[int, int]
    features: tuple[str, ...]

    @property
    def stop(self) -> int:
        """One past its last number."""
        return self.start + self.shape[0] * self.shape[1]

    def describe(self, units: dict[str, str]) -> dict[str, Any]:
        """The slice as plain data, for ``metadata["observation_layout"]``."""
        return {
            "start": self.start,
            "stop": self.stop,
            "shape": self.shape,
            "features": self.features,
            "units": tuple(units[feature] for feature in self.features),
        }


def observation_slices(max_candidates: int) -> tuple[ObservationSlice, ...]:
    """The sets of an observation, in order."""
    sets = (
        ("w_self", 1, SELF_FEATURES),
        ("own_task", 1, TASK_FEATURES),
        ("T_optional", max_candidates, TASK_FEATURES),
        ("T_near", NEAR_TASKS, TASK_FEATURES),
        ("W_near", NEAR_WORKERS, WORKER_FEATURES),
        ("W_idle", IDLE_WORKERS, WORKER_FEATURES),
    )
    slices: list[ObservationSlice] = []
    start = 0
    for name, rows, features in sets:
        slices.append(ObservationSlice(name, start, (rows, len(features)), features))
        start = slices[-1].stop
    return tuple(slices)


class Scales(NamedTuple):
    """What a 1 stands for; everything is clipped there."""

    centre_x_m: float
    centre_y_m: float
    extent_m: float  # half the width of the city
    reach_m: float  # of relative positions and distances: the range of a worker
    time_s: float  # the horizon
    work_s: float  # four mean workloads
    payment: float  # four mean payments

    def units(self) -> dict[str, str]:
        """What a 1 stands for, feature by feature."""
        metres, seconds = f"{self.reach_m:g} m", f"{self.time_s:g} s"
        units = dict.fromkeys((*SELF_FEATURES, *TASK_FEATURES, *WORKER_FEATURES), "flag")
        units |= dict.fromkeys(("x", "y"), f"{self.extent_m:g} m from the city's centre")
        units |= dict.fromkeys(("dx", "dy", "distance"), metres)
        units |= dict.fromkeys(("elapsed", "until_idle", "until_expected", "until_deadline"), seconds)
        units |= {"work_left": f"{self.work_s:g} worker-seconds", "payment_now": f"{self.payment:g}"}
        units |= dict.fromkeys(("workers_present", "workers_en_route"), f"{_CREW_SCALE:g} workers")
        return units | {"shared_skills": "share of the worker's own skills"}


@kernel
def _clip(value: float) -> float:
    return min(1.0, max(-1.0, value))


@kernel
def locate_workers(state: CscState, roads: RoadArrays, rules: Rules, b: int, now_s: float) -> None:
    """Work out where every worker of copy ``b`` is at an epoch; between two nodes by linear interpolation."""
    workers, distances = state.workers, state.distances
    for w in range(workers.status.shape[1]):
        if workers.status[b, w] in (IDLE, WORKING):
            node = distances.place_node[b, workers.place[b, w]]
            workers.x_m[b, w], workers.y_m[b, w] = roads.x_m[node], roads.y_m[node]
            continue
        to_goal = distances.rows[b, workers.task[b, w]]
        follow_trail(roads, rules.speed_mps, to_goal, workers, b, w, now_s)
        node, units = workers.trail_node[b, w], workers.trail_units[b, w]
        x, y = roads.x_m[node], roads.y_m[node]
        if units < workers.leg_units[b, w]:
            arc = next_arc(roads, to_goal, node)
            gone_s = now_s - workers.depart_s[b, w] - travel_time_s(units, roads.unit_m, rules.speed_mps)
            part = gone_s / travel_time_s(roads.length[arc], roads.unit_m, rules.speed_mps)
            part = min(1.0, max(0.0, part))
            x += part * (roads.x_m[roads.indices[arc]] - x)
            y += part * (roads.y_m[roads.indices[arc]] - y)
        workers.x_m[b, w], workers.y_m[b, w] = x, y


@kernel
def until_idle_s(state: CscState, b: int, w: int, now_s: float) -> float:
    """Seconds until a worker is idle, as far as the platform can tell; on its way to a task, until it arrives."""
    workers, tasks = state.workers, state.tasks
    status = workers.status[b, w]
    if status == TRAVELLING:
        return float(workers.arrive_s[b, w] - now_s)
    if status == RELEASED:
        return float(workers.free_s[b, w] - now_s)
    if status == WORKING:
        task = workers.task[b, w]
        return float(work_left_s(tasks, b, task, now_s) / tasks.present[b, task])
    return 0.0


@kernel
def _write_task(
    row: Rows, state: CscState, rules: Rules, scales: Scales, b: int, w: int, task: int, metres: float, now_s: float
) -> None:
    workers, tasks = state.workers, state.tasks
    row[0] = 1.0
    row[1] = _clip((tasks.x_m[b, task] - workers.x_m[b, w]) / scales.reach_m)
    row[2] = _clip((tasks.y_m[b, task] - workers.y_m[b, w]) / scales.reach_m)
    row[3] = _clip(metres / scales.reach_m)
    row[4] = _clip(work_left_s(tasks, b, task, now_s) / scales.work_s)
    row[5] = _clip((tasks.expected_s[b, task] - now_s) / scales.time_s)
    row[6] = _clip((tasks.deadline_s[b, task] - now_s) / scales.time_s)
    paid = payment_at(
        now_s, tasks.expected_s[b, task], tasks.deadline_s[b, task], tasks.payment[b, task], rules.penalty_per_s
    )
    row[7] = _clip(paid / scales.payment)
    row[8] = _clip(tasks.present[b, task] / _CREW_SCALE)
    row[9] = _clip(tasks.en_route[b, task] / _CREW_SCALE)
    row[10] = 1.0 if workers.skills[b, w, tasks.skill[b, task]] else 0.0


@kernel
def _write_worker(row: Rows, state: CscState, scales: Scales, b: int, w: int, other: int, now_s: float) -> None:
    workers = state.workers
    dx, dy = workers.x_m[b, other] - workers.x_m[b, w], workers.y_m[b, other] - workers.y_m[b, w]
    own = 0
    shared = 0
    for k in range(NUM_SKILLS):
        if workers.skills[b, w, k]:
            own += 1
            if workers.skills[b, other, k]:
                shared += 1
    row[0] = 1.0
    row[1] = _clip(dx / scales.reach_m)
    row[2] = _clip(dy / scales.reach_m)
    row[3] = _clip(np.sqrt(dx * dx + dy * dy) / scales.reach_m)
    row[4] = 1.0 if workers.status[b, other] == IDLE else 0.0
    row[5] = 1.0 if workers.status[b, other] == WORKING else 0.0
    row[6] = _clip(until_idle_s(state, b, other, now_s) / scales.time_s)
    row[7] = shared / max(1, own)


@kernel
def _write_self(row: Rows, state: CscState, rules: Rules, scales: Scales, b: int, w: int, now_s: float) -> None:
    workers = state.workers
    row[0] = _clip((workers.x_m[b, w] - scales.centre_x_m) / scales.extent_m)
    row[1] = _clip((workers.y_m[b, w] - scales.centre_y_m) / scales.extent_m)
    row[2 + workers.status[b, w]] = 1.0
    row[6] = _clip(now_s / scales.time_s)
    row[7] = _clip(until_idle_s(state, b, w, now_s) / scales.time_s)
    for k in range(NUM_SKILLS):
        if workers.skills[b, w, k]:
            row[8 + k] = 1.0
    if workers.status[b, w] in (TRAVELLING, WORKING):
        task = workers.task[b, w]
        metres = (workers.arrive_s[b, w] - now_s) * rules.speed_mps if workers.status[b, w] == TRAVELLING else 0.0
        _write_task(row[_SELF : _SELF + _TASK], state, rules, scales, b, w, task, metres, now_s)


@kernel
def _fill_grids(state: CscState, b: int) -> None:
    workers, tasks, scratch = state.workers, state.tasks, state.scratch
    ids = scratch.ids[b]
    num_workers = workers.status.shape[1]
    for w in range(num_workers):
        ids[w] = w
    fill_grid(scratch.everyone, b, ids, num_workers, workers.x_m[b], workers.y_m[b])
    count = 0
    for w in range(num_workers):
        if workers.status[b, w] == IDLE:
            ids[count] = w
            count += 1
    fill_grid(scratch.idle, b, ids, count, workers.x_m[b], workers.y_m[b])
    count = 0
    for i in range(tasks.status.shape[1]):
        if tasks.status[b, i] == OPEN:
            ids[count] = i
            count += 1
    fill_grid(scratch.open_tasks, b, ids, count, tasks.x_m[b], tasks.y_m[b])


@kernel
def observe(
    state: CscState, roads: RoadArrays, rules: Rules, scales: Scales, b: int, now_s: float, observations: Rows
) -> None:
    """Write what every worker of copy ``b`` sees at an epoch into ``observations``, shape [W, F].

    `locate_workers` and `list_candidates` have been called for this epoch.
    """
    workers, tasks, epoch, scratch = state.workers, state.tasks, state.epoch, state.scratch
    most = epoch.candidates.shape[2]
    _fill_grids(state, b)
    near, squared = scratch.near[b], scratch.squared[b]
    observations[:] = 0.0
    for w in range(workers.status.shape[1]):
        row = observations[w]
        x, y = workers.x_m[b, w], workers.y_m[b, w]
        _write_self(row, state, rules, scales, b, w, now_s)
        at = _SELF + _TASK
        for j in range(most):
            task = epoch.candidates[b, w, j]
            if task < 0:
                break
            metres = state.distances.places[b, workers.place[b, w], task] * roads.unit_m
            _write_task(row[at + j * _TASK : at + (j + 1) * _TASK], state, rules, scales, b, w, task, metres, now_s)
        at += most * _TASK
        found = nearest(scratch.open_tasks, b, tasks.x_m[b], tasks.y_m[b], x, y, -1, near, squared)
        for j in range(found):
            metres = np.sqrt(squared[j])
            _write_task(row[at + j * _TASK : at + (j + 1) * _TASK], state, rules, scales, b, w, near[j], metres, now_s)
        at += NEAR_TASKS * _TASK
        found = nearest(scratch.everyone, b, workers.x_m[b], workers.y_m[b], x, y, w, near, squared)
        for j in range(found):
            _write_worker(row[at + j * _WORKER : at + (j + 1) * _WORKER], state, scales, b, w, near[j], now_s)
        at += NEAR_WORKERS * _WORKER
        found = nearest(scratch.idle, b, workers.x_m[b], workers.y_m[b], x, y, w, near, squared)
        for j in range(found):
            _write_worker(row[at + j * _WORKER : at + (j + 1) * _WORKER], state, scales, b, w, near[j], now_s)
