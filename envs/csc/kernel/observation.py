"""What a worker of CSC sees: the five sets of the CAFE paper, section 4.1, as one flat row of numbers in [-1, 1].

``w_self`` is the worker itself with the task it is at, ``T_optional`` its candidates in the order of its actions,
``T_near`` the open tasks around it, ``W_near`` the workers around it and ``W_idle`` the idle ones. The paper leaves
sizes and features open; these are ours. Every set has a fixed number of rows, each with a flag that says whether there
is something in it; an empty row is all zeros. Near means by straight line; the distance of a candidate is by road.

Observations are written over those of the epoch before: a number that cannot have changed is left as it is.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.common.layout import FLAG, ObservationLayout, Unit
from crowdgym.envs.core.lanes import copy_row
from crowdgym.envs.core.motion import Index, expect_node, pass_node, place_behind_node
from crowdgym.envs.core.neighbours import NO_NEIGHBOUR
from crowdgym.envs.core.payment import payment_at
from crowdgym.envs.core.road_graph import RoadArrays
from crowdgym.envs.csc.instance import NUM_SKILLS
from crowdgym.envs.csc.kernel.dynamics import IDLE, OPEN, RELEASED, TRAVELLING, WORKING, work_left_s
from crowdgym.envs.csc.kernel.features import (
    FIRST_SKILL,
    SELF,
    SELF_FEATURES,
    TASK,
    TASK_FEATURES,
    TASK_STATE,
    TASK_TO_ALL,
    WORKER,
    WORKER_FEATURES,
    WORKER_STATE,
    WORKER_TO_ALL,
)
from crowdgym.envs.csc.kernel.neighbour_lists import (
    Changes,
    near_idle_of,
    near_tasks_of,
    near_workers_of,
    notice_changes,
    update_near_idle,
    update_near_tasks,
    update_near_workers,
)
from crowdgym.envs.csc.kernel.state import (
    NEIGHBOURS,
    Bytes,
    CscState,
    Floats,
    Ints,
    Rules,
    WorkerStatus,
    units_to_candidate,
)

NEAR_TASKS = NEAR_WORKERS = IDLE_WORKERS = NEIGHBOURS

_SELF = len(SELF_FEATURES)
_TASK = len(TASK_FEATURES)
_WORKER = len(WORKER_FEATURES)
OPTIONAL = _SELF + _TASK  # where the candidates begin
_STATUSES = len(WorkerStatus)
_BITS = np.array([number.bit_count() for number in range(256)])  # skills in a set of skills
CREW_SCALE = 10.0  # workers at one task that count as many

Rows = NDArray[np.float32]


def observation_layout(max_candidates: int) -> ObservationLayout:
    """The sets of an observation, in order."""
    return ObservationLayout.of(
        (
            ("w_self", 1, SELF_FEATURES),
            ("own_task", 1, TASK_FEATURES),
            ("T_optional", max_candidates, TASK_FEATURES),
            ("T_near", NEAR_TASKS, TASK_FEATURES),
            ("W_near", NEAR_WORKERS, WORKER_FEATURES),
            ("W_idle", IDLE_WORKERS, WORKER_FEATURES),
        )
    )


class Scales(NamedTuple):
    """What a 1 stands for; everything is clipped there."""

    centre_x_m: float
    centre_y_m: float
    extent_m: float  # half the width of the city
    reach_m: float  # of relative positions and distances: the range of a worker
    time_s: float  # the horizon
    work_s: float  # four mean workloads
    payment: float  # four mean payments

    def units(self) -> dict[str, Unit]:
        """What a 1 stands for, feature by feature, of observations and of the global state."""
        metres, seconds, place = Unit.of(self.reach_m, "m"), Unit.of(self.time_s, "s"), "m from the city's centre"
        units = dict.fromkeys((*SELF_FEATURES, *TASK_FEATURES, *WORKER_FEATURES, *WORKER_STATE, *TASK_STATE), FLAG)
        units |= dict.fromkeys(("x", "y"), Unit.of(self.extent_m, place))
        units |= dict.fromkeys(("dx", "dy", "distance"), metres)
        units |= dict.fromkeys(("elapsed", "until_idle", "until_expected", "until_deadline"), seconds)
        units |= {"work_left": Unit.of(self.work_s, "worker-seconds")}
        units |= dict.fromkeys(("payment_now", "payment"), Unit.of(self.payment))
        units |= dict.fromkeys(("workers_present", "workers_en_route"), Unit.of(CREW_SCALE, "workers"))
        return units | {"shared_skills": Unit("share of the worker's own skills", 1.0)}


@inlined
def _clip(value: float) -> float:
    return min(1.0, max(-1.0, value))


@kernel
def locate_workers(state: CscState, roads: RoadArrays, rules: Rules, b: int, now_s: float) -> None:
    """Work out where every worker of copy ``b`` is at an epoch; between two nodes by linear interpolation."""
    workers, walking = state.workers, state.neighbour_lists.walking[b]
    _follow_trails(state, roads, rules, np.uintp(b), now_s)
    for w in range(len(walking)):
        if walking[np.uintp(w)] == 0:
            node = np.uintp(workers.node[b, w])
            _stand(state, b, w, roads.x_m[node], roads.y_m[node])
        else:
            x, y = place_behind_node(roads, rules.speed_mps, workers, np.uintp(b), np.uintp(w), now_s)
            _stand(state, b, w, x, y)


@inlined
def _stand(state: CscState, b: int, w: int, x: float, y: float) -> None:
    """Put worker ``w`` at (x, y), and note it if that is elsewhere."""
    workers = state.workers
    if x != workers.x_m[b, w] or y != workers.y_m[b, w]:
        workers.x_m[b, w], workers.y_m[b, w] = x, y
        state.neighbour_lists.moved[b, w] = 1


@kernel
def _follow_trails(state: CscState, roads: RoadArrays, rules: Rules, b: Index, now_s: float) -> None:
    """Move the trails of all workers on to the last nodes that they have passed, all workers node by node.

    Distances lie far apart in memory. What one worker reads next is on its way while the others have their turn.
    """
    workers, near, to_tasks = state.workers, state.neighbour_lists, state.distances.to_tasks[b]
    walkers, walking = near.walkers[b], near.walking[b]
    count = np.uintp(0)
    for i in range(len(walkers)):
        w = np.uintp(i)
        walking[w] = workers.status[b, w] == TRAVELLING or workers.status[b, w] == RELEASED
        walkers[count] = i
        count += np.uintp(walking[w])
    for i in range(count):
        w = np.uintp(walkers[np.uintp(i)])
        if workers.trail_arc[b, w] < 0:
            expect_node(roads, to_tasks[:, np.uintp(workers.task[b, w])], workers.trail_node[b, w])
    while count > np.uintp(0):
        before, count = count, np.uintp(0)
        for i in range(before):
            w = np.uintp(walkers[np.uintp(i)])
            to_goal = to_tasks[:, np.uintp(workers.task[b, w])]
            if pass_node(roads, rules.speed_mps, to_goal, workers, b, w, now_s):
                expect_node(roads, to_goal, workers.trail_node[b, w])
                walkers[count] = w
                count += np.uintp(1)


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
    """Compute the features of open tasks that are the same for every observer."""
    tasks = state.tasks
    for i in range(tasks.status.shape[1]):
        if tasks.status[b, i] != OPEN:
            continue
        row = state.neighbour_lists.task_rows[b, i]
        paid = payment_at(
            now_s, tasks.expected_s[b, i], tasks.deadline_s[b, i], tasks.payment[b, i], rules.penalty_per_s
        )
        row[TASK.present] = 1.0
        row[TASK.work_left] = _clip(work_left_s(tasks, b, i, now_s) / scales.work_s)
        row[TASK.until_expected] = _clip((tasks.expected_s[b, i] - now_s) / scales.time_s)
        row[TASK.until_deadline] = _clip((tasks.deadline_s[b, i] - now_s) / scales.time_s)
        row[TASK.payment_now] = _clip(paid / scales.payment)
        row[TASK.workers_present] = _clip(tasks.present[b, i] / CREW_SCALE)
        row[TASK.workers_en_route] = _clip(tasks.en_route[b, i] / CREW_SCALE)


@kernel
def _describe_workers(state: CscState, scales: Scales, b: int, now_s: float) -> None:
    """Compute the features of workers that are the same for every observer."""
    workers = state.workers
    for w in range(workers.status.shape[1]):
        row = state.neighbour_lists.worker_rows[b, w]
        row[WORKER.present] = 1.0
        row[WORKER.idle] = 1.0 if workers.status[b, w] == IDLE else 0.0
        row[WORKER.working] = 1.0 if workers.status[b, w] == WORKING else 0.0
        row[WORKER.until_idle] = _clip(until_idle_s(state, b, w, now_s) / scales.time_s)


class _Sight(NamedTuple):
    """What the rows of one copy are made of: few enough arrays to be handed on at every row."""

    per_m: float  # 1 over what a 1 stands for
    task_x_m: Floats  # [T]
    task_y_m: Floats  # [T]
    task_skill: Bytes  # [T]
    task_rows: Rows  # [T, TASK_TO_ALL] features that are the same for every observer
    worker_x_m: Floats  # [W]
    worker_y_m: Floats  # [W]
    skill_bits: NDArray[np.uint8]  # [W]
    worker_rows: Rows  # [W, WORKER_TO_ALL] likewise


@inlined
def _sight_of(state: CscState, scales: Scales, b: int) -> _Sight:
    workers, tasks, near = state.workers, state.tasks, state.neighbour_lists
    return _Sight(
        1.0 / scales.reach_m,
        tasks.x_m[b],
        tasks.y_m[b],
        tasks.skill[b],
        near.task_rows[b],
        workers.x_m[b],
        workers.y_m[b],
        workers.skill_bits[b],
        near.worker_rows[b],
    )


@inlined
def _empty_rows(row: Rows, at: int, end: int, width: int) -> None:
    """Clear what is from ``at`` on, row by row, as far as there is something; behind an empty row all are empty."""
    while at < end and row[at] != 0.0:
        for feature in range(at, at + width):
            row[feature] = 0.0
        at += width


@inlined
def _write_task_to_all(row: Rows, at: int, sight: _Sight, task: int) -> None:
    copy_row(sight.task_rows, task, row, at, TASK_TO_ALL)


@inlined
def _write_task_to_one(row: Rows, at: int, sight: _Sight, w: int, task: int, metres: float) -> None:
    """Write the features of a task ``metres`` away that depend on worker ``w``."""
    row[at + TASK.dx] = _clip((sight.task_x_m[task] - sight.worker_x_m[w]) * sight.per_m)
    row[at + TASK.dy] = _clip((sight.task_y_m[task] - sight.worker_y_m[w]) * sight.per_m)
    row[at + TASK.distance] = _clip(metres * sight.per_m)
    row[at + TASK.able] = (sight.skill_bits[w] >> sight.task_skill[task]) & 1


@inlined
def _write_near_tasks(row: Rows, at: int, sight: _Sight, w: int, found: Ints, squared: Floats, changed: bool) -> None:
    """Write a set of tasks; what depends on worker ``w`` only if that has ``changed``."""
    end = at + len(found) * _TASK
    for j in range(len(found)):
        if found[j] == NO_NEIGHBOUR:
            break
        _write_task_to_all(row, at, sight, found[j])
        if changed:
            _write_task_to_one(row, at, sight, w, found[j], np.sqrt(squared[j]))
        at += _TASK
    _empty_rows(row, at, end, _TASK)


@inlined
def _write_near_workers(row: Rows, at: int, sight: _Sight, w: int, found: Ints, squared: Floats, changed: bool) -> None:
    """Write a set of workers; what depends on worker ``w`` only if that has ``changed``."""
    own, end = sight.skill_bits[w], at + len(found) * _WORKER
    for j in range(len(found)):
        other = found[j]
        if other == NO_NEIGHBOUR:
            break
        copy_row(sight.worker_rows, other, row, at, WORKER_TO_ALL)
        if changed:
            row[at + WORKER.dx] = _clip((sight.worker_x_m[other] - sight.worker_x_m[w]) * sight.per_m)
            row[at + WORKER.dy] = _clip((sight.worker_y_m[other] - sight.worker_y_m[w]) * sight.per_m)
            row[at + WORKER.distance] = _clip(np.sqrt(squared[j]) * sight.per_m)
            row[at + WORKER.shared_skills] = _BITS[own & sight.skill_bits[other]] / max(1, _BITS[own])
        at += _WORKER
    _empty_rows(row, at, end, _WORKER)


@inlined
def _write_self(row: Rows, state: CscState, scales: Scales, b: int, w: int, now_s: float) -> None:
    workers = state.workers
    row[SELF.x] = _clip((workers.x_m[b, w] - scales.centre_x_m) / scales.extent_m)
    row[SELF.y] = _clip((workers.y_m[b, w] - scales.centre_y_m) / scales.extent_m)
    for status in range(_STATUSES):
        row[SELF.idle + status] = 1.0 if workers.status[b, w] == status else 0.0
    row[SELF.elapsed] = _clip(now_s / scales.time_s)
    row[SELF.until_idle] = state.neighbour_lists.worker_rows[b, w, WORKER.until_idle]
    for k in range(NUM_SKILLS):
        row[FIRST_SKILL + k] = (workers.skill_bits[b, w] >> k) & 1


@inlined
def _write_own_task(
    row: Rows, at: int, state: CscState, sight: _Sight, rules: Rules, b: int, w: int, now_s: float
) -> None:
    """Write the task that worker ``w`` travels to or works at into the one row of its set."""
    workers = state.workers
    status = workers.status[b, w]
    if status in (TRAVELLING, WORKING):
        metres = (workers.arrive_s[b, w] - now_s) * rules.speed_mps if status == TRAVELLING else 0.0
        _write_task_to_all(row, at, sight, workers.task[b, w])
        _write_task_to_one(row, at, sight, w, workers.task[b, w], metres)
    else:
        _empty_rows(row, at, at + _TASK, _TASK)


@inlined
def _write_candidates(row: Rows, at: int, state: CscState, sight: _Sight, unit_m: float, b: int, w: int) -> None:
    """Write the candidates of worker ``w``, in the order of its actions; their distances are by road."""
    candidates = state.output.candidates
    most = candidates.shape[2]
    end = at + most * _TASK
    for j in range(most):
        task = candidates[b, w, j]
        if task < 0:
            break
        _write_task_to_all(row, at, sight, task)
        _write_task_to_one(row, at, sight, w, task, units_to_candidate(state.choices, b, w, j) * unit_m)
        at += _TASK
    _empty_rows(row, at, end, _TASK)


# One set after the other, not one worker after the other: few arrays at a time fit into the processor's registers.


class _Columns(NamedTuple):
    """Where the sets of neighbours begin in a row."""

    near_tasks: int
    near_workers: int
    idle_workers: int


@inlined
def columns(max_candidates: int) -> _Columns:
    """Where the sets of neighbours begin; the candidates begin at `OPTIONAL`."""
    near_tasks = OPTIONAL + max_candidates * _TASK
    near_workers = near_tasks + NEAR_TASKS * _TASK
    return _Columns(near_tasks, near_workers, near_workers + NEAR_WORKERS * _WORKER)


@kernel
def _observe_own(
    state: CscState,
    sight: _Sight,
    unit_m: float,
    rules: Rules,
    scales: Scales,
    b: int,
    now_s: float,
    rows: Rows,
) -> None:
    """The worker itself, its task and its candidates."""
    for w in range(len(rows)):
        row = rows[w]
        _write_self(row, state, scales, b, w, now_s)
        _write_own_task(row, _SELF, state, sight, rules, b, w, now_s)
        _write_candidates(row, OPTIONAL, state, sight, unit_m, b, w)


@kernel
def _observe_tasks_near(state: CscState, sight: _Sight, b: int, changes: Changes, at: int, observations: Rows) -> None:
    near = state.neighbour_lists
    view, ended, opened = near_tasks_of(state, b, changes), near.ended[b], near.opened[b]
    for w in range(len(observations)):
        changed = update_near_tasks(view, w, ended, opened, near.num_opened[b])
        _write_near_tasks(observations[w], at, sight, w, view.found[w], view.squared[w], changed)


@kernel
def _observe_workers_near(
    state: CscState, sight: _Sight, b: int, changes: Changes, at: int, observations: Rows
) -> None:
    near, view, moved = state.neighbour_lists, near_workers_of(state, b, changes), changes.moved
    mover_x_m, mover_y_m = near.mover_x_m[b], near.mover_y_m[b]
    for w in range(len(observations)):
        changed = moved > 0 and update_near_workers(view, w, mover_x_m, mover_y_m, moved)
        _write_near_workers(observations[w], at, sight, w, view.found[w], view.squared[w], changed)


@kernel
def _observe_idle_near(state: CscState, sight: _Sight, b: int, changes: Changes, at: int, observations: Rows) -> None:
    near = state.neighbour_lists
    view, left, came = near_idle_of(state, b, changes), near.left_idle[b], near.became_idle[b]
    for w in range(len(observations)):
        # All there is to know of who stays idle stays the same.
        if update_near_idle(view, w, left, came, changes.became_idle):
            _write_near_workers(observations[w], at, sight, w, view.found[w], view.squared[w], True)


@kernel
def observe(
    state: CscState, roads: RoadArrays, rules: Rules, scales: Scales, b: int, now_s: float, observations: Rows
) -> None:
    """Write what every worker of copy ``b`` sees at an epoch into ``observations``, shape [W, F].

    `locate_workers`, `notice_tasks` and `list_candidates` have been called for this epoch, and ``observations`` holds
    what this wrote at the epoch before, if there was one.
    """
    changes = notice_changes(state, b)
    _describe_tasks(state, rules, scales, b, now_s)
    _describe_workers(state, scales, b, now_s)
    sight = _sight_of(state, scales, b)
    if changes.unseen:
        observations[:] = 0.0
    at = columns(state.output.candidates.shape[2])
    _observe_own(state, sight, roads.unit_m, rules, scales, b, now_s, observations)
    _observe_tasks_near(state, sight, b, changes, at.near_tasks, observations)
    _observe_workers_near(state, sight, b, changes, at.near_workers, observations)
    _observe_idle_near(state, sight, b, changes, at.idle_workers, observations)
    state.neighbour_lists.moved[b, :] = 0
