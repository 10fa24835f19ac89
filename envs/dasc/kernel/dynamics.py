"""The kernel of DASC: what happens between two epochs, exactly. ``docs/dasc_dynamics.md`` is the specification.

A subtask is only assigned once its predecessors are, so its finish is known at the match; what remains is to let
arrivals, starts, finishes and expiries happen in time. Tasks do not touch each other between two epochs. State changes
at events only, never at an epoch, so an epoch without an action changes no bit.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.motion import stop_at_next_node
from crowdgym.envs.core.payment import payment_less_penalty
from crowdgym.envs.core.road_graph import RoadArrays, travel_time_s
from crowdgym.envs.dasc.kernel.state import (
    DascState,
    Distances,
    Idle,
    Precedence,
    StepOutput,
    Subtasks,
    Tasks,
    Workers,
    clear_step,
)

# The statuses as plain numbers, which is what a kernel can read (state.py names them).
IDLE, TRAVELLING, WAITING, WORKING, RELEASED = 0, 1, 2, 3, 4
PENDING, OPEN, TASK_FINISHED, EXPIRED = 0, 1, 2, 3
ABSENT, UNASSIGNED, ASSIGNED, FINISHED, FAILED = 0, 1, 2, 3, 4


class Rules(NamedTuple):
    """The constants of an environment."""

    speed_mps: float
    range_m: float
    penalty_per_s: float  # zeta, currency
    travel_cost_per_m: float  # currency
    unmatched_penalty: float  # currency
    invalid_penalty: float  # currency
    selects: bool  # slots ask for a worker, else they recommend themselves
    after_finish: bool  # a subtask waits until its predecessors are finished, else until they are assigned


@kernel
def start_episode(state: DascState, roads: RoadArrays, b: int) -> None:
    """Put copy ``b`` at time 0. Its constants and ``distances.to_subtasks`` have been filled in before."""
    _start_tasks(state.tasks, state.subtasks, b)
    _find_latest_finishes(state.tasks, state.subtasks, state.precedence, b)
    _place_subtasks(state.subtasks, state.distances, roads, b)
    _start_workers(state.workers, state.distances, b)
    state.idle.version[b] = 1
    state.idle.listed[b, :] = 0
    state.kept.unseen[b] = 1
    output = state.output
    output.live[b, :] = output.was_live[b, :] = False
    clear_step(output, b)


@inlined
def _start_tasks(tasks: Tasks, subtasks: Subtasks, b: int) -> None:
    for q in range(tasks.status.shape[1]):
        tasks.status[b, q] = PENDING
        tasks.unassigned[b, q] = tasks.first[b, q + 1] - tasks.first[b, q]
        tasks.latest_s[b, q] = -np.inf
        tasks.end_s[b, q] = np.nan
        tasks.paid[b, q] = 0.0
    for s in range(subtasks.status.shape[1]):
        subtasks.status[b, s] = ABSENT
        subtasks.worker[b, s] = -1
        subtasks.arrive_s[b, s] = subtasks.start_s[b, s] = subtasks.finish_s[b, s] = np.nan
        subtasks.illegal[b, s] = subtasks.invalid[b, s] = subtasks.unmatched[b, s] = 0
    for q in range(tasks.status.shape[1]):
        _open_if_created(tasks, subtasks, b, q, 0.0)


@inlined
def _place_subtasks(subtasks: Subtasks, distances: Distances, roads: RoadArrays, b: int) -> None:
    for s in range(subtasks.status.shape[1]):
        node = subtasks.node[b, s]
        distances.place_node[b, s] = node
        subtasks.x_m[b, s], subtasks.y_m[b, s] = roads.x_m[node], roads.y_m[node]
    for place in range(distances.place_node.shape[1]):
        _measure_from(distances, b, place)


@inlined
def _measure_from(distances: Distances, b: int, place: int) -> None:
    """Look up the distances from a place to all subtasks."""
    to_subtasks = distances.to_subtasks[b, distances.position[distances.place_node[b, place]]]
    for s in range(len(to_subtasks)):
        distances.from_places[b, s, place] = to_subtasks[s]


@inlined
def _find_latest_finishes(tasks: Tasks, subtasks: Subtasks, precedence: Precedence, b: int) -> None:
    """Latest finish times (design, section 6): from the last subtask, which no other one waits for, to the first."""
    subtasks.successors[b, :] = 0
    for s in range(subtasks.status.shape[1]):
        task = max(0, subtasks.task[b, s])
        subtasks.latest_expected_s[b, s] = tasks.expected_s[b, task]
        subtasks.latest_deadline_s[b, s] = tasks.deadline_s[b, task]
    for s in range(subtasks.status.shape[1] - 1, -1, -1):
        expected_s = subtasks.latest_expected_s[b, s] - subtasks.duration_s[b, s]
        deadline_s = subtasks.latest_deadline_s[b, s] - subtasks.duration_s[b, s]
        for edge in range(precedence.start[b, s], precedence.start[b, s + 1]):
            p = precedence.predecessors[b, edge]
            subtasks.latest_expected_s[b, p] = min(subtasks.latest_expected_s[b, p], expected_s)
            subtasks.latest_deadline_s[b, p] = min(subtasks.latest_deadline_s[b, p], deadline_s)
            subtasks.successors[b, p] += 1


@inlined
def _start_workers(workers: Workers, distances: Distances, b: int) -> None:
    num_workers = workers.status.shape[1]
    slots = distances.place_node.shape[1] - num_workers
    for w in range(num_workers):
        workers.status[b, w] = IDLE
        workers.place[b, w] = slots + w
        workers.subtask[b, w] = -1
        workers.depart_s[b, w] = np.nan
        workers.free_s[b, w] = 0.0
        workers.leg_units[b, w] = workers.trail_units[b, w] = 0
        workers.trail_arc[b, w] = -1
        workers.goal[b, w] = workers.trail_node[b, w] = distances.place_node[b, slots + w]
        workers.driven_units[b, w] = 0


@kernel
def begin_step(output: StepOutput, b: int) -> None:
    """Clear what the step before made, and remember who is live as this one is decided."""
    clear_step(output, b)
    for s in range(output.live.shape[1]):
        output.was_live[b, s] = output.live[b, s]


@inlined
def assign(
    workers: Workers,
    tasks: Tasks,
    subtasks: Subtasks,
    precedence: Precedence,
    distances: Distances,
    unit_m: float,
    speed_mps: float,
    b: int,
    s: int,
    w: int,
    now_s: float,
) -> None:
    """Give subtask ``s`` the idle worker ``w``, which sets out. All predecessors of the subtask are assigned."""
    units = int(distances.from_places[b, s, workers.place[b, w]])
    arrive_s = now_s + travel_time_s(units, unit_m, speed_mps)
    start_s = arrive_s
    for edge in range(precedence.start[b, s], precedence.start[b, s + 1]):
        start_s = max(start_s, subtasks.finish_s[b, precedence.predecessors[b, edge]])
    finish_s = start_s + subtasks.duration_s[b, s]
    subtasks.status[b, s] = ASSIGNED
    subtasks.worker[b, s] = w
    subtasks.arrive_s[b, s] = arrive_s
    subtasks.start_s[b, s] = start_s
    subtasks.finish_s[b, s] = finish_s
    task = subtasks.task[b, s]
    tasks.unassigned[b, task] -= 1
    tasks.latest_s[b, task] = max(tasks.latest_s[b, task], finish_s)
    workers.status[b, w] = TRAVELLING
    workers.subtask[b, w] = s
    workers.depart_s[b, w] = now_s
    workers.free_s[b, w] = finish_s
    workers.leg_units[b, w] = units
    workers.goal[b, w] = subtasks.node[b, s]
    workers.trail_node[b, w] = distances.place_node[b, workers.place[b, w]]
    workers.trail_units[b, w] = 0
    workers.trail_arc[b, w] = -1


@kernel
def play(state: DascState, roads: RoadArrays, rules: Rules, b: int, until_s: float) -> None:
    """Play copy ``b`` forward through every event up to and including ``until_s``."""
    workers, tasks = state.workers, state.tasks
    for q in range(tasks.status.shape[1]):
        _open_if_created(tasks, state.subtasks, b, q, until_s)
        if tasks.status[b, q] == OPEN:
            _play_task(state, roads, rules, b, q, until_s)
    for w in range(workers.status.shape[1]):
        if workers.status[b, w] == RELEASED and workers.free_s[b, w] <= until_s:
            _become_idle_at_own_place(workers, state.distances, state.idle, b, w)


@inlined
def _open_if_created(tasks: Tasks, subtasks: Subtasks, b: int, q: int, until_s: float) -> None:
    if tasks.status[b, q] == PENDING and tasks.created_s[b, q] <= until_s:
        tasks.status[b, q] = OPEN
        for s in range(tasks.first[b, q], tasks.first[b, q + 1]):
            subtasks.status[b, s] = UNASSIGNED


@inlined
def _play_task(state: DascState, roads: RoadArrays, rules: Rules, b: int, q: int, until_s: float) -> None:
    tasks, subtasks, to_subtasks = state.tasks, state.subtasks, state.distances.to_subtasks[b]
    deadline_s = tasks.deadline_s[b, q]
    for s in range(tasks.first[b, q], tasks.first[b, q + 1]):
        if subtasks.status[b, s] == ASSIGNED:
            _play_subtask(state.workers, subtasks, state.idle, b, s, until_s, deadline_s)
    if tasks.unassigned[b, q] == 0 and tasks.latest_s[b, q] < deadline_s:
        if tasks.latest_s[b, q] <= until_s:
            _pay(tasks, state.output, rules, b, q)
    elif deadline_s <= until_s:
        _expire(state.workers, tasks, subtasks, to_subtasks, state.idle, roads, rules.speed_mps, b, q)


@inlined
def _play_subtask(
    workers: Workers, subtasks: Subtasks, idle: Idle, b: int, s: int, until_s: float, deadline_s: float
) -> None:
    """Let the worker of a subtask arrive, start and finish, as far as this is in time."""
    w = subtasks.worker[b, s]
    arrive_s, start_s, finish_s = subtasks.arrive_s[b, s], subtasks.start_s[b, s], subtasks.finish_s[b, s]
    if workers.status[b, w] == TRAVELLING and arrive_s <= until_s and arrive_s < deadline_s:
        workers.status[b, w] = WAITING
        workers.place[b, w] = s
        workers.driven_units[b, w] += workers.leg_units[b, w]
        workers.leg_units[b, w] = 0
    if workers.status[b, w] == WAITING and start_s <= until_s and start_s < deadline_s:
        workers.status[b, w] = WORKING
    if workers.status[b, w] == WORKING and finish_s <= until_s and finish_s < deadline_s:
        subtasks.status[b, s] = FINISHED
        _become_idle(workers, idle, b, w, s, finish_s)


@inlined
def _pay(tasks: Tasks, output: StepOutput, rules: Rules, b: int, q: int) -> None:
    """All subtasks of a task are finished."""
    finish_s = tasks.latest_s[b, q]
    paid = payment_less_penalty(
        finish_s, tasks.expected_s[b, q], tasks.deadline_s[b, q], tasks.payment[b, q], rules.penalty_per_s
    )
    tasks.status[b, q] = TASK_FINISHED
    tasks.end_s[b, q] = finish_s
    tasks.paid[b, q] = paid
    output.revenue[b] += paid
    first, after = tasks.first[b, q], tasks.first[b, q + 1]
    for s in range(first, after):
        output.sparse[b, s] = paid / (after - first)


@inlined
def _expire(
    workers: Workers,
    tasks: Tasks,
    subtasks: Subtasks,
    to_subtasks: NDArray[np.uint16],
    idle: Idle,
    roads: RoadArrays,
    speed_mps: float,
    b: int,
    q: int,
) -> None:
    """A task is at its deadline: its workers are free. ``to_subtasks``: shape [N, S]."""
    end_s = tasks.deadline_s[b, q]
    tasks.status[b, q] = EXPIRED
    tasks.end_s[b, q] = end_s
    for s in range(tasks.first[b, q], tasks.first[b, q + 1]):
        if subtasks.status[b, s] == ASSIGNED:
            w = subtasks.worker[b, s]
            if workers.status[b, w] == TRAVELLING:
                stop_at_next_node(roads, speed_mps, to_subtasks[:, s], workers, b, w, end_s)
                way_s = travel_time_s(workers.leg_units[b, w], roads.unit_m, speed_mps)
                workers.status[b, w] = RELEASED
                workers.free_s[b, w] = workers.depart_s[b, w] + way_s
            else:
                _become_idle(workers, idle, b, w, s, end_s)
        if subtasks.status[b, s] != FINISHED:
            subtasks.status[b, s] = FAILED


@inlined
def _become_idle(workers: Workers, idle: Idle, b: int, w: int, place: int, since_s: float) -> None:
    workers.status[b, w] = IDLE
    workers.place[b, w] = place
    workers.subtask[b, w] = -1
    workers.free_s[b, w] = since_s
    idle.version[b] += 1


@inlined
def _become_idle_at_own_place(workers: Workers, distances: Distances, idle: Idle, b: int, w: int) -> None:
    """A released worker has reached the end of its way: its own place is there from now on."""
    own = distances.to_subtasks.shape[2] + w
    distances.place_node[b, own] = workers.goal[b, w]
    _measure_from(distances, b, own)
    workers.driven_units[b, w] += workers.leg_units[b, w]
    workers.leg_units[b, w] = 0
    _become_idle(workers, idle, b, w, own, workers.free_s[b, w])
