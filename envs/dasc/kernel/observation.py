"""What a subtask of DASC sees, as one flat row of numbers in [-1, 1]; a slot that is not live sees zeros.

RMO's published experiments give the five nearest idle workers and the five nearest available subtasks; what is known of
each is ours. ``t_self`` is the subtask with its place in the task's graph, ``own_task`` its task, ``W_candidates`` the
workers behind the actions (nearest able ones, by road), ``W_idle`` the nearest idle workers whatever their skills,
``T_near`` the nearest other subtasks that may be assigned now. The rows of the last three begin with a flag that says
whether there is something in it; an empty row is all zeros. Near means by straight line unless it says by road.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.common.layout import FLAG, ObservationLayout, Unit
from crowdgym.envs.core.lanes import copy_row
from crowdgym.envs.core.motion import place_on_trail
from crowdgym.envs.core.neighbours import NO_NEIGHBOUR, fill_grid, grid_of, nearest
from crowdgym.envs.core.payment import payment_less_penalty
from crowdgym.envs.core.road_graph import RoadArrays
from crowdgym.envs.dasc.instance import NUM_SKILLS
from crowdgym.envs.dasc.kernel.dynamics import ASSIGNED, FINISHED, IDLE, OPEN, RELEASED, TRAVELLING, UNASSIGNED, Rules
from crowdgym.envs.dasc.kernel.features import (
    CANDIDATE,
    CANDIDATE_FEATURES,
    FIRST_SKILL,
    SELF,
    SELF_FEATURES,
    SUBTASK,
    SUBTASK_FEATURES,
    SUBTASK_STATE,
    SUBTASK_TO_ALL,
    TASK,
    TASK_FEATURES,
    WORKER,
    WORKER_FEATURES,
    WORKER_STATE,
)
from crowdgym.envs.dasc.kernel.requests import distance_utility, skill_utility, time_utility
from crowdgym.envs.dasc.kernel.state import (
    NEIGHBOURS,
    Bytes,
    DascState,
    Distances,
    Floats,
    Ints,
    Precedence,
    Subtasks,
    Tasks,
    Workers,
)

_SELF = len(SELF_FEATURES)
_TASK = len(TASK_FEATURES)
_CANDIDATE = len(CANDIDATE_FEATURES)
_WORKER = len(WORKER_FEATURES)
_SUBTASK = len(SUBTASK_FEATURES)
_BITS = np.array([number.bit_count() for number in range(1 << NUM_SKILLS)], np.int64)  # skills in a set of skills
_COUNT_SCALE = 15.0  # subtasks of a task, neighbours in its graph
_GUESS_M2 = 1000.0**2  # how far five neighbours are; a search widens where that is wrong

Rows = NDArray[np.float32]


def observation_layout(max_candidates: int) -> ObservationLayout:
    """The sets of an observation, in order."""
    return ObservationLayout.of(
        (
            ("t_self", 1, SELF_FEATURES),
            ("own_task", 1, TASK_FEATURES),
            ("W_candidates", max_candidates, CANDIDATE_FEATURES),
            ("W_idle", NEIGHBOURS, WORKER_FEATURES),
            ("T_near", NEIGHBOURS, SUBTASK_FEATURES),
        )
    )


class Scales(NamedTuple):
    """What a 1 stands for; everything is clipped there."""

    centre_x_m: float
    centre_y_m: float
    extent_m: float  # half the width of the city
    reach_m: float  # of relative positions and distances: the range of a worker
    horizon_s: float
    window_s: float  # of times until something, and slacks
    duration_s: float  # of durations, and of sums of them
    payment: float

    def units(self) -> dict[str, Unit]:
        """What a 1 stands for, feature by feature, of observations and of the global state."""
        every = (*SELF_FEATURES, *TASK_FEATURES, *CANDIDATE_FEATURES, *WORKER_FEATURES, *SUBTASK_FEATURES)
        units = dict.fromkeys((*every, *WORKER_STATE, *SUBTASK_STATE), FLAG)
        units |= dict.fromkeys(("x", "y"), Unit.of(self.extent_m, "m from the city's centre"))
        units |= dict.fromkeys(("dx", "dy", "distance", "distance_by_road"), Unit.of(self.reach_m, "m"))
        times = (name for name in units if name.startswith(("slack_", "until_")))
        units |= dict.fromkeys(times, Unit.of(self.window_s, "s"))
        units |= dict.fromkeys(("duration", "critical_path", "work_left"), Unit.of(self.duration_s, "s"))
        units |= dict.fromkeys(("payment_now", "share"), Unit.of(self.payment))
        counts = (name for name in units if name.startswith(("predecessors", "successors", "subtasks")))
        units |= dict.fromkeys(counts, Unit.of(_COUNT_SCALE, "subtasks"))
        units |= dict.fromkeys(("u_skill", "u_dist", "utility"), Unit("utility of 1", 1.0))
        units |= {"elapsed": Unit.of(self.horizon_s, "s")}
        return units | dict.fromkeys(("skills_met", "shared_skills"), Unit("share of the subtask's own skills", 1.0))


@inlined
def _clip(value: float) -> float:
    return min(1.0, max(-1.0, value))


@kernel
def locate_workers(
    workers: Workers, distances: Distances, roads: RoadArrays, speed_mps: float, b: int, now_s: float
) -> None:
    """Work out where every worker of copy ``b`` is at an epoch; between two nodes by linear interpolation."""
    for w in range(workers.status.shape[1]):
        if workers.status[b, w] != TRAVELLING and workers.status[b, w] != RELEASED:
            node = distances.place_node[b, workers.place[b, w]]
            workers.x_m[b, w], workers.y_m[b, w] = roads.x_m[node], roads.y_m[node]
            continue
        to_goal = distances.to_subtasks[b, :, workers.subtask[b, w]]
        x, y = place_on_trail(roads, speed_mps, to_goal, workers, b, w, now_s)
        workers.x_m[b, w], workers.y_m[b, w] = x, y


@kernel
def _notice_changes(state: DascState, b: int) -> None:
    """Bring the grids of idle workers and of subtasks that may be assigned up to date."""
    workers, subtasks, scratch, kept = state.workers, state.subtasks, state.scratch, state.kept
    if kept.workers_version[b] != state.idle.version[b]:
        count = 0
        for w in range(workers.status.shape[1]):
            scratch.free[b, count] = w
            count += workers.status[b, w] == IDLE
        fill_grid(scratch.free_workers, b, scratch.free[b], count, workers.x_m[b], workers.y_m[b])
        kept.workers_version[b] = state.idle.version[b]
    differ = kept.available_version[b] == 0
    count = 0
    for s in range(subtasks.status.shape[1]):
        differ |= scratch.to_assign[b, s] != state.output.mask[b, s, 1]
        scratch.to_assign[b, s] = state.output.mask[b, s, 1]
        scratch.may_assign[b, count] = s
        count += scratch.to_assign[b, s]
    if differ:
        fill_grid(scratch.available, b, scratch.may_assign[b], count, subtasks.x_m[b], subtasks.y_m[b])
        kept.available_version[b] += 1


@inlined
def _share_of(tasks: Tasks, b: int, q: int) -> float:
    return float(tasks.payment[b, q] / (tasks.first[b, q + 1] - tasks.first[b, q]))


@kernel
def _describe_available(
    tasks: Tasks, subtasks: Subtasks, mask: Bytes, rows: Rows, scales: Scales, b: int, now_s: float
) -> None:
    """Compute the features of available subtasks that are the same for every observer."""
    for s in range(subtasks.status.shape[1]):
        if mask[s, 1] == 1:
            row = rows[s]
            done_s = now_s + subtasks.duration_s[b, s]
            row[SUBTASK.present] = 1.0
            row[SUBTASK.slack_expected] = _clip((subtasks.latest_expected_s[b, s] - done_s) / scales.window_s)
            row[SUBTASK.slack_deadline] = _clip((subtasks.latest_deadline_s[b, s] - done_s) / scales.window_s)
            row[SUBTASK.duration] = _clip(subtasks.duration_s[b, s] / scales.duration_s)
            row[SUBTASK.share] = _clip(_share_of(tasks, b, subtasks.task[b, s]) / scales.payment)


@inlined
def _write_self(
    row: Rows,
    subtasks: Subtasks,
    precedence: Precedence,
    worker_status: Bytes,
    assignable: int,
    task_deadline_s: float,
    scales: Scales,
    b: int,
    s: int,
    now_s: float,
) -> None:
    status = subtasks.status[b, s]
    row[SELF.x] = _clip((subtasks.x_m[b, s] - scales.centre_x_m) / scales.extent_m)
    row[SELF.y] = _clip((subtasks.y_m[b, s] - scales.centre_y_m) / scales.extent_m)
    row[SELF.unassigned] = 1.0 if status == UNASSIGNED else 0.0
    row[SELF.travelling] = row[SELF.waiting] = row[SELF.working] = 0.0
    if status == ASSIGNED:
        row[SELF.unassigned + worker_status[subtasks.worker[b, s]]] = 1.0
    row[SELF.finished] = 1.0 if status == FINISHED else 0.0
    row[SELF.assignable] = assignable
    row[SELF.elapsed] = _clip(now_s / scales.horizon_s)
    duration_s = subtasks.duration_s[b, s]
    after_s = task_deadline_s - subtasks.latest_deadline_s[b, s]
    done_s = now_s + duration_s if status == UNASSIGNED else subtasks.finish_s[b, s]
    row[SELF.duration] = _clip(duration_s / scales.duration_s)
    row[SELF.critical_path] = _clip((duration_s + after_s) / scales.duration_s)
    row[SELF.slack_expected] = _clip((subtasks.latest_expected_s[b, s] - done_s) / scales.window_s)
    row[SELF.slack_deadline] = _clip((subtasks.latest_deadline_s[b, s] - done_s) / scales.window_s)
    ready_s = now_s
    unassigned = unfinished = 0
    first, after = precedence.start[b, s], precedence.start[b, s + 1]
    for edge in range(first, after):
        p = precedence.predecessors[b, edge]
        if subtasks.status[b, p] == UNASSIGNED:
            unassigned += 1
        else:
            ready_s = max(ready_s, subtasks.finish_s[b, p])
        if subtasks.status[b, p] != FINISHED:
            unfinished += 1
    row[SELF.until_ready] = _clip((ready_s - now_s) / scales.window_s)
    row[SELF.until_start] = row[SELF.until_finish] = 0.0
    if status != UNASSIGNED:
        row[SELF.until_start] = _clip(max(0.0, subtasks.start_s[b, s] - now_s) / scales.window_s)
        row[SELF.until_finish] = _clip(max(0.0, subtasks.finish_s[b, s] - now_s) / scales.window_s)
    row[SELF.predecessors] = _clip((after - first) / _COUNT_SCALE)
    row[SELF.predecessors_unassigned] = _clip(unassigned / _COUNT_SCALE)
    row[SELF.predecessors_unfinished] = _clip(unfinished / _COUNT_SCALE)
    row[SELF.successors] = _clip(subtasks.successors[b, s] / _COUNT_SCALE)
    for k in range(NUM_SKILLS):
        row[FIRST_SKILL + k] = (subtasks.skill_bits[b, s] >> k) & 1


@kernel
def _write_task(
    row: Rows, tasks: Tasks, subtasks: Subtasks, penalty_per_s: float, scales: Scales, b: int, q: int, now_s: float
) -> None:
    """Write a task as all of its subtasks see it."""
    first, after = tasks.first[b, q], tasks.first[b, q + 1]
    finished, work_left_s = 0, 0.0
    for s in range(first, after):
        if subtasks.status[b, s] == FINISHED:
            finished += 1
        else:
            work_left_s += subtasks.duration_s[b, s]
    expected_s, deadline_s, payment = tasks.expected_s[b, q], tasks.deadline_s[b, q], tasks.payment[b, q]
    now_paid = payment_less_penalty(now_s, expected_s, deadline_s, payment, penalty_per_s)
    row[TASK.until_expected] = _clip((expected_s - now_s) / scales.window_s)
    row[TASK.until_deadline] = _clip((deadline_s - now_s) / scales.window_s)
    row[TASK.payment_now] = _clip(now_paid / scales.payment)
    row[TASK.share] = _clip(_share_of(tasks, b, q) / scales.payment)
    row[TASK.subtasks] = _clip((after - first) / _COUNT_SCALE)
    row[TASK.subtasks_unassigned] = _clip(tasks.unassigned[b, q] / _COUNT_SCALE)
    row[TASK.subtasks_finished] = _clip(finished / _COUNT_SCALE)
    row[TASK.work_left] = _clip(work_left_s / scales.duration_s)


class _Sight(NamedTuple):
    """What the rows of one copy are made of: few enough arrays to be handed on at every row."""

    per_m: float  # 1 over what a 1 stands for
    worker_x_m: Floats  # [W]
    worker_y_m: Floats  # [W]
    worker_skills: NDArray[np.uint16]  # [W]
    subtask_x_m: Floats  # [S]
    subtask_y_m: Floats  # [S]
    subtask_skills: NDArray[np.uint16]  # [S]
    subtask_task: NDArray[np.int32]  # [S]
    subtask_rows: Rows  # [S, SUBTASK_TO_ALL] features that are the same for every observer
    weights: Floats  # [3]
    unit_m: float
    range_m: float


@kernel
def _write_worker(row: Rows, sight: _Sight, s: int, w: int, metres: float) -> None:
    """Write an idle worker as subtask ``s`` sees it, ``metres`` away."""
    needed = sight.subtask_skills[s]
    met = _BITS[needed & sight.worker_skills[w]]
    row[WORKER.present] = 1.0
    row[WORKER.dx] = _clip((sight.worker_x_m[w] - sight.subtask_x_m[s]) * sight.per_m)
    row[WORKER.dy] = _clip((sight.worker_y_m[w] - sight.subtask_y_m[s]) * sight.per_m)
    row[WORKER.distance] = _clip(metres * sight.per_m)
    row[WORKER.able] = 1.0 if met == _BITS[needed] else 0.0
    row[WORKER.skills_met] = met / max(1, _BITS[needed])


@kernel
def _write_subtask(row: Rows, sight: _Sight, s: int, other: int, metres: float) -> None:
    """Write an available subtask as subtask ``s`` sees it, ``metres`` away."""
    copy_row(sight.subtask_rows, other, row, 0, SUBTASK_TO_ALL)
    row[SUBTASK.dx] = _clip((sight.subtask_x_m[other] - sight.subtask_x_m[s]) * sight.per_m)
    row[SUBTASK.dy] = _clip((sight.subtask_y_m[other] - sight.subtask_y_m[s]) * sight.per_m)
    row[SUBTASK.distance] = _clip(metres * sight.per_m)
    row[SUBTASK.same_task] = 1.0 if sight.subtask_task[other] == sight.subtask_task[s] else 0.0
    own = sight.subtask_skills[s]
    row[SUBTASK.shared_skills] = _BITS[own & sight.subtask_skills[other]] / max(1, _BITS[own])


@inlined
def _empty_rows(rows: Rows, width: int, first: int, end: int) -> None:
    """Clear the rows of a set from number ``first`` on, as far as there is something; behind an empty row all are."""
    while first < end and rows[first * width] != 0.0:
        rows[first * width : (first + 1) * width] = 0.0
        first += 1


@kernel
def _write_candidates(
    rows: Rows, candidates: Ints, from_place: NDArray[np.uint16], place: Ints, sight: _Sight, s: int, time: float
) -> None:
    """Write the candidates of subtask ``s`` one behind the other."""
    count = 0
    for j in range(len(candidates)):
        w = candidates[j]
        if w < 0:
            break
        row = rows[j * _CANDIDATE :]
        metres = from_place[place[w]] * sight.unit_m
        skill = skill_utility(_BITS[sight.subtask_skills[s]], _BITS[sight.worker_skills[w]])
        near = distance_utility(metres, sight.range_m)
        row[CANDIDATE.present] = 1.0
        row[CANDIDATE.dx] = _clip((sight.worker_x_m[w] - sight.subtask_x_m[s]) * sight.per_m)
        row[CANDIDATE.dy] = _clip((sight.worker_y_m[w] - sight.subtask_y_m[s]) * sight.per_m)
        row[CANDIDATE.distance_by_road] = _clip(metres * sight.per_m)
        row[CANDIDATE.u_skill] = skill
        row[CANDIDATE.u_dist] = near
        row[CANDIDATE.utility] = _clip(sight.weights[0] * skill + sight.weights[1] * near + sight.weights[2] * time)
        count += 1
    _empty_rows(rows, _CANDIDATE, count, len(candidates))


@kernel
def _write_idle(rows: Rows, state: DascState, sight: _Sight, b: int, s: int) -> None:
    """Write the idle workers nearest to subtask ``s``, if other workers are idle than when they were written last."""
    kept, scratch = state.kept, state.scratch
    if kept.workers_of[b, s] == kept.workers_version[b]:
        return  # neither they nor the subtask have moved
    kept.workers_of[b, s] = kept.workers_version[b]
    free, near, squared = grid_of(scratch.free_workers, b), scratch.near[b], scratch.squared[b]
    x, y = sight.subtask_x_m[s], sight.subtask_y_m[s]
    nearest(free, x, y, -1, _GUESS_M2, near, squared)
    count = 0
    while count < NEIGHBOURS and near[count] != NO_NEIGHBOUR:
        _write_worker(rows[count * _WORKER :], sight, s, near[count], np.sqrt(squared[count]))
        count += 1
    _empty_rows(rows, _WORKER, count, NEIGHBOURS)


@kernel
def _write_available(rows: Rows, state: DascState, sight: _Sight, b: int, s: int) -> None:
    """Write the available subtasks nearest to subtask ``s``; if they are the same ones, only what time changes."""
    kept, scratch = state.kept, state.scratch
    near, squared = kept.near_available[b, s], scratch.squared[b]
    changed: bool = kept.available_of[b, s] != kept.available_version[b]
    if changed:
        kept.available_of[b, s] = kept.available_version[b]
        available = grid_of(scratch.available, b)
        x, y = sight.subtask_x_m[s], sight.subtask_y_m[s]
        nearest(available, x, y, s, _GUESS_M2, near, squared)
    count = 0
    while count < NEIGHBOURS and near[count] != NO_NEIGHBOUR:
        if changed:
            _write_subtask(rows[count * _SUBTASK :], sight, s, near[count], np.sqrt(squared[count]))
        else:
            copy_row(sight.subtask_rows, near[count], rows, count * _SUBTASK, SUBTASK_TO_ALL)
        count += 1
    if changed:
        _empty_rows(rows, _SUBTASK, count, NEIGHBOURS)


@inlined
def _count_open(task_status: Bytes) -> int:
    count = 0
    for status in task_status:
        count += 1 if status == OPEN else 0
    return count


@kernel
def _clear_rows(state: DascState, b: int, observations: Rows) -> None:
    """Clear the rows of slots whose task has ended, and all of them as an episode begins."""
    kept = state.kept
    if kept.unseen[b] == 1:
        kept.unseen[b] = 0
        kept.seen[b, :] = kept.workers_of[b, :] = kept.available_of[b, :] = 0
        kept.workers_version[b] = kept.available_version[b] = 0
        observations[:] = 0.0
    for s in range(len(observations)):
        if not state.output.live[b, s]:
            if kept.seen[b, s] == 1:
                observations[s] = 0.0
            kept.seen[b, s] = kept.workers_of[b, s] = kept.available_of[b, s] = 0


@kernel
def observe(
    state: DascState, roads: RoadArrays, rules: Rules, scales: Scales, b: int, now_s: float, observations: Rows
) -> None:
    """Write what every slot of copy ``b`` sees at an epoch into ``observations``, shape [S, F].

    `locate_workers` and `list_candidates` have been called for this epoch, and ``observations`` holds what this wrote
    at the epoch before, if there was one: what cannot have changed is left as it is.
    """
    tasks, subtasks, scratch = state.tasks, state.subtasks, state.scratch
    most = state.output.candidates.shape[2]
    _clear_rows(state, b, observations)
    if _count_open(tasks.status[b]) == 0:
        return
    _notice_changes(state, b)
    _describe_available(tasks, state.subtasks, state.output.mask[b], scratch.subtask_rows[b], scales, b, now_s)
    sight = _Sight(
        1.0 / scales.reach_m,
        state.workers.x_m[b],
        state.workers.y_m[b],
        state.workers.skill_bits[b],
        state.subtasks.x_m[b],
        state.subtasks.y_m[b],
        state.subtasks.skill_bits[b],
        state.subtasks.task[b],
        scratch.subtask_rows[b],
        state.weights[b],
        roads.unit_m,
        rules.range_m,
    )
    for q in range(tasks.status.shape[1]):
        if tasks.status[b, q] != OPEN:
            continue
        first = tasks.first[b, q]
        expected_s, deadline_s = tasks.expected_s[b, q], tasks.deadline_s[b, q]
        time = time_utility(now_s, expected_s, deadline_s)
        _write_task(observations[first, _SELF:], tasks, subtasks, rules.penalty_per_s, scales, b, q, now_s)
        for s in range(first, tasks.first[b, q + 1]):
            row = observations[s]
            state.kept.seen[b, s] = 1
            assignable = state.output.mask[b, s, 1]
            status = state.workers.status[b]
            _write_self(row, subtasks, state.precedence, status, assignable, deadline_s, scales, b, s, now_s)
            for feature in range(_SELF, _SELF + _TASK):
                row[feature] = observations[first, feature]
            at = _SELF + _TASK
            from_place, place = state.distances.from_places[b, s], state.workers.place[b]
            _write_candidates(row[at:], state.output.candidates[b, s], from_place, place, sight, s, time)
            at += most * _CANDIDATE
            _write_idle(row[at:], state, sight, b, s)
            _write_available(row[at + NEIGHBOURS * _WORKER :], state, sight, b, s)
