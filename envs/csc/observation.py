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

from crowdgym.data.jit import inlined, kernel
from crowdgym.envs.core.neighbours import fill_grid, nearest
from crowdgym.envs.core.payment import payment_at
from crowdgym.envs.core.roads import RoadArrays, next_arc, travel_time_s
from crowdgym.envs.csc.dynamics import IDLE, OPEN, RELEASED, TRAVELLING, WORKING, Rules, follow_trail, work_left_s
from crowdgym.envs.csc.instance import NUM_SKILLS
from crowdgym.envs.csc.state import NEIGHBOURS, Bytes, CscState, Floats

SELF_FEATURES = (
    *("x", "y", "idle", "travelling", "working", "released", "elapsed", "until_idle"),
    *(f"skill_{k}" for k in range(NUM_SKILLS)),
)
# What a task or worker is to everyone is worked out once an epoch; what it is to the observer comes behind it.
_TASK_TO_ALL = (
    *("present", "work_left", "until_expected", "until_deadline", "payment_now"),
    *("workers_present", "workers_en_route"),
)
_WORKER_TO_ALL = ("present", "idle", "working", "until_idle")
TASK_FEATURES = (*_TASK_TO_ALL, "dx", "dy", "distance", "able")
WORKER_FEATURES = (*_WORKER_TO_ALL, "dx", "dy", "distance", "shared_skills")

NEAR_TASKS = NEAR_WORKERS = IDLE_WORKERS = NEIGHBOURS

_SELF = len(SELF_FEATURES)
_TASK = len(TASK_FEATURES)
_WORKER = len(WORKER_FEATURES)
_COMMON_TASK = len(_TASK_TO_ALL)
_COMMON_WORKER = len(_WORKER_TO_ALL)
_BITS = np.array([number.bit_count() for number in range(256)])  # skills in a set of skills
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


@inlined
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


@inlined
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
def _describe_tasks(state: CscState, rules: Rules, scales: Scales, b: int, now_s: float) -> None:
    """Work out what every open task is to everyone."""
    tasks = state.tasks
    for i in range(tasks.status.shape[1]):
        if tasks.status[b, i] != OPEN:
            continue
        row = state.scratch.task_rows[b, i]
        paid = payment_at(
            now_s, tasks.expected_s[b, i], tasks.deadline_s[b, i], tasks.payment[b, i], rules.penalty_per_s
        )
        row[0] = 1.0
        row[1] = _clip(work_left_s(tasks, b, i, now_s) / scales.work_s)
        row[2] = _clip((tasks.expected_s[b, i] - now_s) / scales.time_s)
        row[3] = _clip((tasks.deadline_s[b, i] - now_s) / scales.time_s)
        row[4] = _clip(paid / scales.payment)
        row[5] = _clip(tasks.present[b, i] / _CREW_SCALE)
        row[6] = _clip(tasks.en_route[b, i] / _CREW_SCALE)


@kernel
def _describe_workers(state: CscState, scales: Scales, b: int, now_s: float) -> None:
    """Work out what every worker is to everyone."""
    workers = state.workers
    for w in range(workers.status.shape[1]):
        row = state.scratch.worker_rows[b, w]
        row[0] = 1.0
        row[1] = 1.0 if workers.status[b, w] == IDLE else 0.0
        row[2] = 1.0 if workers.status[b, w] == WORKING else 0.0
        row[3] = _clip(until_idle_s(state, b, w, now_s) / scales.time_s)


class _Sight(NamedTuple):
    """What the rows of one copy are made of: few enough arrays to be handed on at every row."""

    per_m: float  # 1 over what a 1 stands for
    task_x_m: Floats  # [T]
    task_y_m: Floats  # [T]
    task_skill: Bytes  # [T]
    task_rows: Rows  # [T, 7] what each open task is to everyone
    worker_x_m: Floats  # [W]
    worker_y_m: Floats  # [W]
    skill_bits: NDArray[np.uint8]  # [W]
    worker_rows: Rows  # [W, 4] what each worker is to everyone


@kernel
def _write_task(row: Rows, sight: _Sight, w: int, task: int, metres: float) -> None:
    """Write a task as worker ``w`` sees it, ``metres`` away."""
    for feature in range(_COMMON_TASK):
        row[feature] = sight.task_rows[task, feature]
    row[_COMMON_TASK] = _clip((sight.task_x_m[task] - sight.worker_x_m[w]) * sight.per_m)
    row[_COMMON_TASK + 1] = _clip((sight.task_y_m[task] - sight.worker_y_m[w]) * sight.per_m)
    row[_COMMON_TASK + 2] = _clip(metres * sight.per_m)
    row[_COMMON_TASK + 3] = (sight.skill_bits[w] >> sight.task_skill[task]) & 1


@kernel
def _write_worker(row: Rows, sight: _Sight, w: int, other: int, metres: float) -> None:
    """Write worker ``other`` as worker ``w`` sees it, ``metres`` away."""
    for feature in range(_COMMON_WORKER):
        row[feature] = sight.worker_rows[other, feature]
    row[_COMMON_WORKER] = _clip((sight.worker_x_m[other] - sight.worker_x_m[w]) * sight.per_m)
    row[_COMMON_WORKER + 1] = _clip((sight.worker_y_m[other] - sight.worker_y_m[w]) * sight.per_m)
    row[_COMMON_WORKER + 2] = _clip(metres * sight.per_m)
    own = sight.skill_bits[w]
    row[_COMMON_WORKER + 3] = _BITS[own & sight.skill_bits[other]] / max(1, _BITS[own])


@inlined
def _write_self(row: Rows, state: CscState, rules: Rules, scales: Scales, b: int, w: int, now_s: float) -> float:
    """Write the worker itself; returns the metres left to its own task."""
    workers = state.workers
    row[0] = _clip((workers.x_m[b, w] - scales.centre_x_m) / scales.extent_m)
    row[1] = _clip((workers.y_m[b, w] - scales.centre_y_m) / scales.extent_m)
    row[2 + workers.status[b, w]] = 1.0
    row[6] = _clip(now_s / scales.time_s)
    row[7] = state.scratch.worker_rows[b, w, 3]
    for k in range(NUM_SKILLS):
        row[8 + k] = (workers.skill_bits[b, w] >> k) & 1
    return (workers.arrive_s[b, w] - now_s) * rules.speed_mps if workers.status[b, w] == TRAVELLING else 0.0


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
    _describe_tasks(state, rules, scales, b, now_s)
    _describe_workers(state, scales, b, now_s)
    sight = _Sight(
        1.0 / scales.reach_m,
        tasks.x_m[b],
        tasks.y_m[b],
        tasks.skill[b],
        scratch.task_rows[b],
        workers.x_m[b],
        workers.y_m[b],
        workers.skill_bits[b],
        scratch.worker_rows[b],
    )
    near, squared = scratch.near[b], scratch.squared[b]
    observations[:] = 0.0
    for w in range(workers.status.shape[1]):
        row = observations[w]
        x, y = sight.worker_x_m[w], sight.worker_y_m[w]
        metres = _write_self(row, state, rules, scales, b, w, now_s)
        if workers.status[b, w] in (TRAVELLING, WORKING):
            _write_task(row[_SELF:], sight, w, workers.task[b, w], metres)
        at = _SELF + _TASK
        for j in range(most):
            task = epoch.candidates[b, w, j]
            if task < 0:
                break
            metres = state.distances.places[b, workers.place[b, w], task] * roads.unit_m
            _write_task(row[at + j * _TASK :], sight, w, task, metres)
        at += most * _TASK
        found = nearest(scratch.open_tasks, b, sight.task_x_m, sight.task_y_m, x, y, -1, near, squared)
        for j in range(found):
            _write_task(row[at + j * _TASK :], sight, w, near[j], np.sqrt(squared[j]))
        at += NEAR_TASKS * _TASK
        found = nearest(scratch.everyone, b, sight.worker_x_m, sight.worker_y_m, x, y, w, near, squared)
        for j in range(found):
            _write_worker(row[at + j * _WORKER :], sight, w, near[j], np.sqrt(squared[j]))
        at += NEAR_WORKERS * _WORKER
        found = nearest(scratch.idle, b, sight.worker_x_m, sight.worker_y_m, x, y, w, near, squared)
        for j in range(found):
            _write_worker(row[at + j * _WORKER :], sight, w, near[j], np.sqrt(squared[j]))
