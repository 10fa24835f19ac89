"""The kernel of CSC: what happens between two epochs, exactly. ``docs/csc_dynamics.md`` is the specification.

There are no decisions between two epochs, so what happens at one task does not affect another: each task plays its own
arrivals, finish and expiry in order of time, whatever the others do. State changes at events only, never at an epoch,
so an epoch without an action changes no bit.
"""

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.motion import stop_at_next_node
from crowdgym.envs.core.payment import payment_at
from crowdgym.envs.core.road_graph import RoadArrays, travel_time_s
from crowdgym.envs.csc.kernel.projection import NO_ARRIVAL, payment_without, projected_payment
from crowdgym.envs.csc.kernel.state import (
    UNLISTED,
    CscState,
    Rules,
    StepOutput,
    Tasks,
    Workers,
    begin_step,
    expect_distances,
    units_to_candidate,
)

# The statuses as plain numbers, which is what a kernel can read (state.py names them).
IDLE, TRAVELLING, WORKING, RELEASED = 0, 1, 2, 3
PENDING, OPEN, FINISHED, EXPIRED = 0, 1, 2, 3


@kernel
def start_episode(state: CscState, roads: RoadArrays, b: int) -> None:
    """Put copy ``b`` at time 0.

    Constants of tasks and workers, ``workers.node`` and ``distances.to_tasks`` have been filled in before.
    """
    workers, tasks = state.workers, state.tasks
    num_workers, num_tasks = workers.status.shape[1], tasks.status.shape[1]
    for i in range(num_tasks):
        tasks.status[b, i] = OPEN if tasks.created_s[b, i] <= 0.0 else PENDING
        tasks.work_left_s[b, i] = tasks.workload_s[b, i]
        tasks.since_s[b, i] = 0.0
        tasks.present[b, i] = tasks.en_route[b, i] = 0
        tasks.first_present[b, i] = tasks.first_en_route[b, i] = -1
        tasks.end_s[b, i] = np.nan
        tasks.paid[b, i] = 0.0
        tasks.x_m[b, i], tasks.y_m[b, i] = roads.x_m[tasks.node[b, i]], roads.y_m[tasks.node[b, i]]
    for w in range(num_workers):
        workers.status[b, w] = IDLE
        workers.task[b, w] = -1
        workers.depart_s[b, w] = workers.arrive_s[b, w] = np.nan
        workers.free_s[b, w] = 0.0
        workers.leg_units[b, w] = workers.trail_units[b, w] = 0
        workers.trail_arc[b, w] = -1
        workers.goal[b, w] = workers.trail_node[b, w] = workers.node[b, w]
        workers.driven_units[b, w] = 0
        workers.illegal[b, w] = 0
        workers.next_worker[b, w] = -1
        state.choices.kept[b, w] = UNLISTED
    begin_step(state.output, b)
    state.neighbour_lists.unseen[b] = 1
    state.neighbour_lists.was_open[b, :] = 0
    state.choices.open_ends[b, :] = 0


@kernel
def take_actions(
    state: CscState, roads: RoadArrays, rules: Rules, b: int, actions: NDArray[np.int64], now_s: float
) -> None:
    """Apply the joint action of copy ``b`` at an epoch. ``actions``: shape [W], 0 holds, i takes the i-th candidate."""
    workers, tasks, output = state.workers, state.tasks, state.output
    begin_step(output, b)
    for w in range(len(actions)):
        action = actions[w]
        if action == 0:
            continue
        if output.mask[b, w, action] == 0:
            workers.illegal[b, w] += 1
            continue
        task = output.candidates[b, w, action - 1]
        units = units_to_candidate(state.choices, b, w, action - 1)
        workers.status[b, w] = TRAVELLING
        workers.task[b, w] = task
        workers.depart_s[b, w] = now_s
        arrival_s = now_s + travel_time_s(units, roads.unit_m, rules.speed_mps)
        if rules.tells_marginal:
            output.marginal[b, w] = gain_of_joining(state, rules, b, task, arrival_s)
        workers.arrive_s[b, w] = arrival_s
        workers.leg_units[b, w] = units
        workers.goal[b, w] = tasks.node[b, task]
        workers.trail_node[b, w] = workers.node[b, w]
        workers.trail_units[b, w] = 0
        workers.trail_arc[b, w] = -1
        tasks.en_route[b, task] += 1
        _insert_en_route(workers, tasks, b, w, task)
        output.remaining_s[b, w] = -1.0  # filled in below, when all workers have chosen
    for w in range(len(actions)):
        if output.remaining_s[b, w] < 0.0:
            task = workers.task[b, w]
            crew = tasks.present[b, task] + tasks.en_route[b, task]
            output.remaining_s[b, w] = work_left_s(tasks, b, task, now_s) / crew


@kernel
def gain_of_joining(state: CscState, rules: Rules, b: int, task: int, arrival_s: float) -> float:
    """P(C ∪ w) − P(C): what a worker adds to the projected payment of an open task that it is at from ``arrival_s``."""
    workers, tasks = state.workers, state.tasks
    arrive_s, next_worker, first = workers.arrive_s[b], workers.next_worker[b], tasks.first_en_route[b, task]
    with_it = projected_payment(tasks, rules, b, task, arrive_s, next_worker, first, arrival_s, NO_ARRIVAL)
    without = projected_payment(tasks, rules, b, task, arrive_s, next_worker, first, NO_ARRIVAL, NO_ARRIVAL)
    return with_it - without


@inlined
def work_left_s(tasks: Tasks, b: int, task: int, now_s: float) -> float:
    """Worker-seconds left of an open task at ``now_s``, no event having happened there since ``since_s``."""
    done_s = tasks.present[b, task] * (now_s - tasks.since_s[b, task])
    return float(max(0.0, tasks.work_left_s[b, task] - done_s))


@kernel
def _insert_en_route(workers: Workers, tasks: Tasks, b: int, w: int, task: int) -> None:
    """Put ``w`` into the task's list of those on their way, which is sorted by (arrival, worker)."""
    before, after = -1, tasks.first_en_route[b, task]
    while after >= 0 and (
        workers.arrive_s[b, after] < workers.arrive_s[b, w]
        or (workers.arrive_s[b, after] == workers.arrive_s[b, w] and after < w)
    ):
        before, after = after, workers.next_worker[b, after]
    workers.next_worker[b, w] = after
    if before < 0:
        tasks.first_en_route[b, task] = w
    else:
        workers.next_worker[b, before] = w


@kernel
def play(state: CscState, roads: RoadArrays, rules: Rules, b: int, until_s: float) -> None:
    """Play copy ``b`` forward through every event up to and including ``until_s``."""
    workers, tasks = state.workers, state.tasks
    for i in range(tasks.status.shape[1]):
        if tasks.status[b, i] == PENDING and tasks.created_s[b, i] <= until_s:
            tasks.status[b, i] = OPEN
        if tasks.status[b, i] == OPEN:
            _play_task(state, roads, rules, b, i, until_s)
    for w in range(workers.status.shape[1]):
        if workers.status[b, w] == RELEASED and workers.free_s[b, w] <= until_s:
            workers.driven_units[b, w] += workers.leg_units[b, w]
            workers.leg_units[b, w] = 0
            _become_idle(state, b, w, workers.goal[b, w], workers.free_s[b, w])


@inlined
def _play_task(state: CscState, roads: RoadArrays, rules: Rules, b: int, task: int, until_s: float) -> None:
    workers, tasks = state.workers, state.tasks
    deadline_s = tasks.deadline_s[b, task]
    while True:
        finish_s = np.inf
        if tasks.present[b, task] > 0:
            finish_s = tasks.since_s[b, task] + tasks.work_left_s[b, task] / tasks.present[b, task]
        first = tasks.first_en_route[b, task]
        arrival_s = workers.arrive_s[b, first] if first >= 0 else np.inf
        if finish_s < deadline_s and finish_s <= arrival_s:
            if finish_s <= until_s:
                _end_task(state, roads, rules, b, task, FINISHED, finish_s)
            return
        if deadline_s <= arrival_s:
            if deadline_s <= until_s:
                _end_task(state, roads, rules, b, task, EXPIRED, deadline_s)
            return
        if arrival_s > until_s:
            return
        _arrive(workers, tasks, b, first, task)


@inlined
def _arrive(workers: Workers, tasks: Tasks, b: int, w: int, task: int) -> None:
    """Worker ``w``, first on the list of those on their way, starts to work."""
    now_s = workers.arrive_s[b, w]
    if tasks.present[b, task] > 0:
        tasks.work_left_s[b, task] = work_left_s(tasks, b, task, now_s)
    tasks.since_s[b, task] = now_s
    tasks.present[b, task] += 1
    tasks.en_route[b, task] -= 1
    tasks.first_en_route[b, task] = workers.next_worker[b, w]
    workers.next_worker[b, w] = tasks.first_present[b, task]
    tasks.first_present[b, task] = w
    workers.status[b, w] = WORKING
    workers.node[b, w] = tasks.node[b, task]
    workers.driven_units[b, w] += workers.leg_units[b, w]
    workers.leg_units[b, w] = 0


@kernel
def _end_task(state: CscState, roads: RoadArrays, rules: Rules, b: int, task: int, status: int, end_s: float) -> None:
    """A task finishes or expires: pay for it, and free its workers."""
    workers, tasks, output = state.workers, state.tasks, state.output
    tasks.work_left_s[b, task] = 0.0 if status == FINISHED else work_left_s(tasks, b, task, end_s)
    tasks.since_s[b, task] = tasks.end_s[b, task] = end_s
    tasks.status[b, task] = status
    if status == FINISHED:
        paid = payment_at(
            end_s, tasks.expected_s[b, task], tasks.deadline_s[b, task], tasks.payment[b, task], rules.penalty_per_s
        )
        tasks.paid[b, task] = paid
        output.revenue[b] += paid
        _share_payment(workers, tasks, output, b, task, end_s, paid)
    first = _line_up(workers, tasks, b, task)
    if status == FINISHED and rules.tells_difference:
        _note_differences(state, rules, b, task, first)
    w = first
    while w >= 0:
        following = workers.next_worker[b, w]
        if workers.status[b, w] == WORKING:
            _become_idle(state, b, w, tasks.node[b, task], end_s)
        else:
            _release(state, roads, rules, b, w, end_s)
        w = following
    tasks.first_present[b, task] = tasks.first_en_route[b, task] = -1
    tasks.present[b, task] = tasks.en_route[b, task] = 0


@kernel
def _share_payment(
    workers: Workers, tasks: Tasks, output: StepOutput, b: int, task: int, end_s: float, paid: float
) -> None:
    """Split a payment among those present by the worker-seconds they gave."""
    total_s = 0.0
    w = tasks.first_present[b, task]
    while w >= 0:
        total_s += end_s - workers.arrive_s[b, w]
        w = workers.next_worker[b, w]
    w = tasks.first_present[b, task]
    while w >= 0:
        # A workload too small to move the clock leaves nothing to weigh by: then equal parts.
        weight = (end_s - workers.arrive_s[b, w]) / total_s if total_s > 0.0 else 1.0 / tasks.present[b, task]
        output.share[b, w] += paid * weight
        w = workers.next_worker[b, w]


@kernel
def _line_up(workers: Workers, tasks: Tasks, b: int, task: int) -> int:
    """Link those at a task and those on their way into one list by arrival. Returns its first worker."""
    w, following = tasks.first_present[b, task], tasks.first_en_route[b, task]  # the latest arrival is listed first
    while w >= 0:
        before = workers.next_worker[b, w]
        workers.next_worker[b, w] = following
        following, w = w, before
    return int(following)


@kernel
def _note_differences(state: CscState, rules: Rules, b: int, task: int, first: int) -> None:
    """For each who worked at a task that is paid now: the payment less that without the worker, all else kept."""
    workers, tasks = state.workers, state.tasks
    w = first
    while w >= 0 and workers.status[b, w] == WORKING:
        otherwise = payment_without(tasks, rules, b, task, workers.arrive_s[b], workers.next_worker[b], first, w)
        state.output.difference[b, w] += tasks.paid[b, task] - otherwise
        w = workers.next_worker[b, w]


@kernel
def _become_idle(state: CscState, b: int, w: int, node: int, since_s: float) -> None:
    workers = state.workers
    workers.status[b, w] = IDLE
    workers.node[b, w] = node
    workers.task[b, w] = -1
    workers.next_worker[b, w] = -1
    workers.free_s[b, w] = since_s
    workers.goal[b, w] = workers.trail_node[b, w] = node
    state.choices.kept[b, w] = UNLISTED
    expect_distances(state.distances, b, node)  # the candidates are listed by them


@kernel
def _release(state: CscState, roads: RoadArrays, rules: Rules, b: int, w: int, end_s: float) -> None:
    """The task of a worker on its way has ended: it goes on to the next node, where its way ends."""
    workers = state.workers
    to_goal = state.distances.to_tasks[b, :, workers.task[b, w]]
    stop_at_next_node(roads, rules.speed_mps, to_goal, workers, b, w, end_s)
    workers.status[b, w] = RELEASED
    workers.next_worker[b, w] = -1
    workers.arrive_s[b, w] = np.nan
    leg_s = travel_time_s(workers.leg_units[b, w], roads.unit_m, rules.speed_mps)
    workers.free_s[b, w] = workers.depart_s[b, w] + leg_s
