"""A schedule of whole tasks on workers, built task by task and improved by moving tasks in the list: compiled loops.

Serial schedule generation (Kolisch 1996): the tasks of a list are placed one after the other. Each subtask goes to the
worker and into the gap of its timetable where it costs least. A task that cannot be paid any more is left out, so its
workers stay free for the tasks behind it. The order of the list decides which tasks are done.

Times are seconds from now. Q tasks, N subtasks without a worker, W workers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import jit
from crowdgym.common.sums import total

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NONE = -1


class Problem(NamedTuple):
    """The tasks, the subtasks that have no worker yet, and the workers."""

    first: Integers  # [Q + 1] subtasks of task q are first[q] .. first[q + 1] − 1, predecessors before successors
    payment: Floats  # [Q]
    expected_s: Floats  # [Q]
    deadline_s: Floats  # [Q]
    assigned_s: Floats  # [Q] finish of the last subtask that has a worker
    duration_s: Floats  # [N]
    after_s: Floats  # [N] the longest path from the finish of a subtask to the end of its task
    open_s: Floats  # [N] no worker leaves for it before
    ready_s: Floats  # [N] finish of the predecessors that have a worker
    before: NDArray[np.bool_]  # [N, N] whether the first has to be finished before the second, of its task, begins
    free_s: Floats  # [W] when a worker is idle
    from_worker_s: Floats  # [W, N] way from where a worker is idle; infinite if it lacks a skill or it is out of range
    able: NDArray[np.bool_]  # [W, N] has the skills
    between_s: Floats  # [N, N] way from a subtask to another; infinite out of range
    surplus: Floats  # [W, N] skills of the worker that the subtask does not need
    step_s: float
    penalty_per_s: float


class Prices(NamedTuple):
    """What a place in a timetable costs besides the finish time of the subtask, in seconds; and a task, in currency."""

    travel: float  # of a second of additional way
    idle: float  # of a second in which the worker waits
    surplus: float  # of a skill that is not needed
    time: float = 0.0  # currency, of a second of a worker's work, way and waiting; a task has to be worth more


class Schedule(NamedTuple):
    """The timetables."""

    worker: Integers  # [N] or NONE
    begin_s: Floats  # [N]
    end_s: Floats  # [N]
    spent_s: Floats  # [N] work, additional way and waiting of the worker
    line: Integers  # [W, N] the subtasks of a worker in order
    length: Integers  # [W] how many there are


def empty_schedule(problem: Problem) -> Schedule:
    """Room for a schedule."""
    subtasks, workers = len(problem.duration_s), len(problem.free_s)
    return Schedule(
        np.full(subtasks, NONE),
        np.zeros(subtasks),
        np.zeros(subtasks),
        np.zeros(subtasks),
        np.zeros((workers, subtasks), np.int64),
        np.zeros(workers, np.int64),
    )


def improved_schedule(
    problem: Problem, order: Integers, moves: Integers, rescues: Integers, prices: Prices
) -> tuple[Schedule, Integers]:
    """The schedule of a list of tasks after trying moves in the list.

    Args:
        problem: what is to be scheduled.
        order: [Q] the tasks in order.
        moves: [M, 2] the task at the first place of the list is put at the second place. A move that lowers the value
            of the schedule is taken back: the planned payments, less the price of the workers' time.
        rescues: [M, 2] numbers of any size. A rescue takes the task that the first number falls on, counted round and
            round, of those that are left out, and puts it at a place before its own, counted by the second number. One
            is tried after each move.
        prices: see `Prices`.

    Returns:
        The schedule and the order that it is made from.
    """
    schedule, best = empty_schedule(problem), order.copy()
    _improve(problem, best, moves, rescues, prices, schedule)
    return schedule, best


@jit
def _improve(
    problem: Problem, order: Integers, moves: Integers, rescues: Integers, prices: Prices, schedule: Schedule
) -> None:
    tasks = len(order)
    done, tried, left_out = _empty_like(schedule), order.copy(), np.empty(tasks, np.int64)
    value, value_tried = np.zeros(tasks), np.zeros(tasks)  # of the tasks in the list
    _fill(problem, order, 0, prices, schedule, value)
    _keep(problem, order, tasks, schedule, done)
    missing = _list_left_out(problem, order, schedule, left_out)
    for number in range(len(moves) + len(rescues)):
        if number % 2 == 0 and number // 2 < len(moves):
            source, target = moves[number // 2]
        elif missing == 0 or left_out[rescues[number // 2, 0] % missing] == 0:
            continue
        else:
            source = left_out[rescues[number // 2, 0] % missing]
            target = rescues[number // 2, 1] % source
        if source == target:
            continue
        _move(order, tried, source, target)
        begin = min(source, target)
        _keep(problem, order, begin, done, schedule)
        _fill(problem, tried, begin, prices, schedule, value_tried)
        if total(value_tried[begin:]) >= total(value[begin:]):
            order[:] = tried
            value[begin:] = value_tried[begin:]
            _keep(problem, order, tasks, schedule, done)
            missing = _list_left_out(problem, order, schedule, left_out)
    _keep(problem, order, tasks, done, schedule)


@jit
def _empty_like(schedule: Schedule) -> Schedule:
    return Schedule(
        np.empty_like(schedule.worker),
        np.empty_like(schedule.begin_s),
        np.empty_like(schedule.end_s),
        np.empty_like(schedule.spent_s),
        np.empty_like(schedule.line),
        np.empty_like(schedule.length),
    )


@jit
def _keep(problem: Problem, order: Integers, count: int, full: Schedule, schedule: Schedule) -> None:
    """Write the schedule of the first tasks of a list: what is placed later does not change what is there."""
    kept = np.zeros(len(problem.duration_s), np.bool_)
    for task in order[:count]:
        kept[problem.first[task] : problem.first[task + 1]] = True
    schedule.worker[:] = NONE
    for w in range(len(full.length)):
        length = 0
        for i in full.line[w, : full.length[w]]:
            if kept[i]:
                schedule.line[w, length] = i
                schedule.worker[i], schedule.begin_s[i] = w, full.begin_s[i]
                schedule.end_s[i], schedule.spent_s[i] = full.end_s[i], full.spent_s[i]
                length += 1
        schedule.length[w] = length


@jit
def _move(order: Integers, tried: Integers, source: int, target: int) -> None:
    """Write the list into ``tried`` with the task at ``source`` put at ``target``."""
    tried[:] = order
    task = tried[source]
    if source < target:
        tried[source:target] = order[source + 1 : target + 1]
    else:
        tried[target + 1 : source + 1] = order[target:source]
    tried[target] = task


@jit
def _list_left_out(problem: Problem, order: Integers, schedule: Schedule, left_out: Integers) -> int:
    """Write the places of the tasks that are left out; returns how many there are."""
    count = 0
    for place in range(len(order)):
        if schedule.worker[problem.first[order[place]]] == NONE:
            left_out[count] = place
            count += 1
    return count


@jit
def _fill(problem: Problem, order: Integers, begin: int, prices: Prices, schedule: Schedule, value: Floats) -> None:
    """Place the tasks of a list from a place on, and write the value of each; 0 for one that is left out."""
    for place in range(begin, len(order)):
        task = order[place]
        value[place] = max(_add_task(problem, task, prices, schedule), 0.0)
        if value[place] == 0.0:
            for i in range(problem.first[task], problem.first[task + 1]):
                _take_out(i, schedule)


@jit
def _add_task(problem: Problem, task: int, prices: Prices, schedule: Schedule) -> float:
    """Place the subtasks of a task; returns its payment less the price of the workers' time, −1 if it does not fit."""
    end_s, spent_s = problem.assigned_s[task], 0.0
    for i in range(problem.first[task], problem.first[task + 1]):
        if not _place(problem, task, i, prices, schedule):
            return -1.0
        end_s = max(end_s, schedule.end_s[i])
        spent_s += schedule.spent_s[i]
    late_s = max(0.0, end_s - problem.expected_s[task])
    return float(problem.payment[task] - problem.penalty_per_s * late_s - prices.time * spent_s)


@jit
def _place(problem: Problem, task: int, i: int, prices: Prices, schedule: Schedule) -> bool:
    """Put subtask i where it costs least; False if it is too late everywhere."""
    ready_s = _ready_s(problem, task, i, schedule)
    latest_s = problem.deadline_s[task] - problem.after_s[i] - problem.duration_s[i]
    cheapest, best_worker, best_gap, best_s, best_spent_s = np.inf, NONE, 0, 0.0, 0.0
    for w in range(len(problem.free_s)):
        if not problem.able[w, i] or problem.free_s[w] >= latest_s:
            continue
        idle_s, last = problem.free_s[w], NONE
        for gap in range(schedule.length[w] + 1):
            way_s = _way_s(problem, w, last, i)
            leave_s = np.ceil(max(idle_s, problem.open_s[i]) / problem.step_s) * problem.step_s
            begin_s = max(leave_s + way_s, ready_s)
            following = schedule.line[w, gap] if gap < schedule.length[w] else NONE
            if leave_s >= latest_s:
                break
            if begin_s < latest_s and _fits(problem, schedule, i, begin_s, following):
                more_s = way_s
                if following != NONE:
                    more_s += problem.between_s[i, following] - _way_s(problem, w, last, following)
                waits_s = begin_s - leave_s - way_s
                cost = begin_s + prices.travel * more_s + prices.idle * waits_s + prices.surplus * problem.surplus[w, i]
                if cost < cheapest:
                    cheapest, best_worker, best_gap, best_s = cost, w, gap, begin_s
                    best_spent_s = more_s + waits_s
            if following != NONE:
                idle_s, last = schedule.end_s[following], following
    if best_worker == NONE:
        return False
    for place in range(schedule.length[best_worker], best_gap, -1):
        schedule.line[best_worker, place] = schedule.line[best_worker, place - 1]
    schedule.line[best_worker, best_gap] = i
    schedule.length[best_worker] += 1
    schedule.worker[i], schedule.begin_s[i] = best_worker, best_s
    schedule.end_s[i] = best_s + problem.duration_s[i]
    schedule.spent_s[i] = best_spent_s + problem.duration_s[i]
    return True


@jit
def _way_s(problem: Problem, w: int, last: int, i: int) -> float:
    """The way of worker w to subtask i from the subtask before it, or from where the worker is idle."""
    return float(problem.from_worker_s[w, i] if last == NONE else problem.between_s[last, i])


@jit
def _ready_s(problem: Problem, task: int, i: int, schedule: Schedule) -> float:
    """When the predecessors are finished."""
    ready_s: float = problem.ready_s[i]
    for j in range(problem.first[task], i):
        if problem.before[j, i]:
            ready_s = max(ready_s, schedule.end_s[j])
    return ready_s


@jit
def _fits(problem: Problem, schedule: Schedule, i: int, begin_s: float, following: int) -> bool:
    """Whether subtask i, begun at ``begin_s``, leaves time for the next one in the timetable."""
    if following == NONE:
        return True
    idle_s = max(begin_s + problem.duration_s[i], problem.open_s[following])
    leave_s = np.ceil(idle_s / problem.step_s) * problem.step_s
    return bool(leave_s + problem.between_s[i, following] <= schedule.begin_s[following])


@jit
def _take_out(i: int, schedule: Schedule) -> None:
    """Remove subtask i from the timetable of its worker, if it has one."""
    w = schedule.worker[i]
    if w == NONE:
        return
    schedule.worker[i] = NONE
    schedule.length[w] -= 1
    place = 0
    while schedule.line[w, place] != i:
        place += 1
    for later in range(place, schedule.length[w]):
        schedule.line[w, later] = schedule.line[w, later + 1]
