"""What the observations of all workers say together at an epoch, and what is remembered of earlier ones; compiled.

The rows of an epoch show every task that is a candidate of an idle worker, or that a worker is at. What was seen once
is remembered: a task without workers keeps its work and its deadline. A task ends when those at it are released.

The skill of a task is not in an observation. Every worker that has the task as a candidate has its skill, so it is one
of those that all of them share.
"""

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.csc.observation_reader import SEEN_SHARE
from crowdgym.agents.csc.pau_game import Floats, Ints
from crowdgym.common.jit import jit
from crowdgym.common.layout import ObservationLayout

DEMAND_S: Final = 600.0  # the memory of demand fades by a factor of e over it; assumption
_NEVER: Final = -1.0

Flags = NDArray[np.bool_]
Rows = NDArray[np.float32]


class Columns(NamedTuple):
    """Where things are in a row, what a 1 stands for, and the rules of the platform."""

    x: int
    y: int
    idle: int
    travelling: int
    working: int
    elapsed: int
    until_idle: int
    skills: int  # the first of them
    own_task: int  # where the task that a worker is at begins
    candidates: int  # where the first candidate begins
    task_width: int
    work_left: int  # from here on, columns in the row of a task
    until_expected: int
    until_deadline: int
    payment_now: int
    workers_present: int
    dx: int
    dy: int
    distance: int
    num_skills: int
    place_m: float  # of a 1
    reach_m: float
    time_s: float
    work_s: float
    payment: float
    crew: float
    speed_mps: float
    penalty_per_s: float
    range_m: float
    end_s: float

    @classmethod
    def of(cls, metadata: Mapping[str, Any], width: int) -> "Columns":
        """Those of an environment whose observations have ``width`` numbers."""
        layout, rules = ObservationLayout.from_metadata(metadata, width), metadata["rules"]
        own, task = layout["w_self"], layout["T_optional"]
        skills = [name for name in own.features if name.startswith("skill_")]

        def of_worker(name: str) -> int:
            return own.start + own.column(name)

        return cls(
            x=of_worker("x"),
            y=of_worker("y"),
            idle=of_worker("idle"),
            travelling=of_worker("travelling"),
            working=of_worker("working"),
            elapsed=of_worker("elapsed"),
            until_idle=of_worker("until_idle"),
            skills=of_worker(skills[0]),
            own_task=layout["own_task"].start,
            candidates=task.start,
            task_width=len(task.features),
            work_left=task.column("work_left"),
            until_expected=task.column("until_expected"),
            until_deadline=task.column("until_deadline"),
            payment_now=task.column("payment_now"),
            workers_present=task.column("workers_present"),
            dx=task.column("dx"),
            dy=task.column("dy"),
            distance=task.column("distance"),
            num_skills=len(skills),
            place_m=own.scale("x"),
            reach_m=task.scale("dx"),
            time_s=own.scale("elapsed"),
            work_s=task.scale("work_left"),
            payment=task.scale("payment_now"),
            crew=task.scale("workers_present"),
            speed_mps=float(rules["speed_mps"]),
            penalty_per_s=float(rules["penalty_per_s"]),
            range_m=float(rules["range_m"]),
            end_s=float(rules["horizon_s"]),
        )


class Memory(NamedTuple):
    """What is remembered of an episode with W workers. Tasks are known by their ids, from 0 to T - 1.

    Times are seconds since the episode began.
    """

    sent_to: Ints  # [W] the task of the latest action until that ends, or -1
    idle_since_s: Floats  # [W] negative while not idle
    task_open: Flags  # [T] seen, and not ended as far as is known
    payment: Floats  # [T] ρ_max; negative while never seen
    skills: Ints  # [T] a bit for each skill that the task may need
    work_left_s: Floats  # [T] when last seen
    expected_s: Floats  # [T]
    deadline_s: Floats  # [T]
    x_m: Floats  # [T]
    y_m: Floats  # [T]
    lengths: Floats  # [2] of all candidates so far: straight lines, roads; never 0
    demand_s: Floats  # [skills] work of tasks seen first, fading; see `DEMAND_S`
    clock_s: Floats  # [1] the last epoch
    payments: Floats  # [2] number and sum of the payments of all tasks seen


def empty_memory(workers: int, tasks: int, num_skills: int) -> Memory:
    """The memory at the beginning of an episode, with room for ``tasks`` tasks."""
    return Memory(
        sent_to=np.full(workers, -1),
        idle_since_s=np.full(workers, _NEVER),
        task_open=np.zeros(tasks, np.bool_),
        payment=np.full(tasks, _NEVER),
        skills=np.full(tasks, 2**num_skills - 1),
        work_left_s=np.zeros(tasks),
        expected_s=np.zeros(tasks),
        deadline_s=np.zeros(tasks),
        x_m=np.zeros(tasks),
        y_m=np.zeros(tasks),
        lengths=np.full(2, 1e-9),
        demand_s=np.zeros(num_skills),
        clock_s=np.zeros(1),
        payments=np.zeros(2),
    )


def with_room(memory: Memory, tasks: int) -> Memory:
    """The same memory, with room for ``tasks`` tasks or more."""
    workers, had, num_skills = len(memory.sent_to), len(memory.payment), len(memory.demand_s)
    if tasks <= had:
        return memory
    more = empty_memory(workers, max(tasks, 2 * had) - had, num_skills)._asdict()
    kept = memory._asdict()
    of_tasks = ("task_open", "payment", "skills", "work_left_s", "expected_s", "deadline_s", "x_m", "y_m")
    return Memory(**kept | {name: np.concatenate([kept[name], more[name]]) for name in of_tasks})


class Crowd(NamedTuple):
    """The W workers at an epoch."""

    idle: Flags
    travelling: Flags
    busy: Flags  # travelling or working
    until_idle_s: Floats  # until the arrival, while travelling
    x_m: Floats
    y_m: Floats
    skills: Ints  # a bit for each
    num_skills: Ints


@jit
def count_bits(number: int) -> int:
    """The number of ones among the bits of a number."""
    count = 0
    while number:
        count += number & 1
        number >>= 1
    return count


@jit
def read_crowd(columns: Columns, rows: Rows) -> Crowd:
    """The workers, from the rows of all of them, [W, F]."""
    count = len(rows)
    crowd = Crowd(
        np.zeros(count, np.bool_),
        np.zeros(count, np.bool_),
        np.zeros(count, np.bool_),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
    )
    for w in range(count):
        row = rows[w]
        crowd.idle[w] = row[columns.idle] > 0.5
        crowd.travelling[w] = row[columns.travelling] > 0.5
        crowd.busy[w] = crowd.travelling[w] or row[columns.working] > 0.5
        crowd.until_idle_s[w] = float(row[columns.until_idle]) * columns.time_s
        crowd.x_m[w] = float(row[columns.x]) * columns.place_m
        crowd.y_m[w] = float(row[columns.y]) * columns.place_m
        for skill in range(columns.num_skills):
            if row[columns.skills + skill] > 0.5:
                crowd.skills[w] |= 1 << skill
                crowd.num_skills[w] += 1
    return crowd


@jit
def _note_task(columns: Columns, memory: Memory, crowd: Crowd, w: int, row: Rows, task: int, now_s: float) -> bool:
    """Remember what worker ``w`` sees of a task; returns whether it is seen for the first time."""
    memory.work_left_s[task] = float(row[columns.work_left]) * columns.work_s
    memory.task_open[task] = True
    if memory.payment[task] >= 0.0:
        return False
    until_expected_s = float(row[columns.until_expected]) * columns.time_s
    paid_now = float(row[columns.payment_now]) * columns.payment
    kept = 1.0 - columns.penalty_per_s * max(0.0, -until_expected_s)
    memory.payment[task] = paid_now / kept if kept > SEEN_SHARE else paid_now
    memory.expected_s[task] = now_s + until_expected_s
    memory.deadline_s[task] = now_s + float(row[columns.until_deadline]) * columns.time_s
    memory.x_m[task] = crowd.x_m[w] + float(row[columns.dx]) * columns.reach_m
    memory.y_m[task] = crowd.y_m[w] + float(row[columns.dy]) * columns.reach_m
    memory.payments[0] += 1.0
    memory.payments[1] += memory.payment[task]
    return True


@jit
def _note_own_task(columns: Columns, memory: Memory, crowd: Crowd, w: int, rows: Rows, now_s: float) -> None:
    """Remember what a worker sees of the task that it is at, or that this task has ended."""
    task = memory.sent_to[w]
    if not crowd.busy[w]:
        if task >= 0:
            memory.task_open[task] = False
            memory.sent_to[w] = -1
        return
    row = rows[w, columns.own_task : columns.own_task + columns.task_width]
    _note_task(columns, memory, crowd, w, row, task, now_s)
    if not crowd.travelling[w] and row[columns.work_left] >= 1.0:  # more than an observation can show
        present = np.rint(float(row[columns.workers_present]) * columns.crew)
        memory.work_left_s[task] = crowd.until_idle_s[w] * present


@jit
def _note_demand(memory: Memory, fresh: Ints, now_s: float) -> None:
    """Let the demand fade, and add tasks that are seen first; unclear skills share the work evenly."""
    memory.demand_s[:] *= math.exp((memory.clock_s[0] - now_s) / DEMAND_S)
    memory.clock_s[0] = now_s
    for task in fresh:
        share_s = memory.work_left_s[task] / max(1, count_bits(memory.skills[task]))
        for skill in range(len(memory.demand_s)):
            if (memory.skills[task] >> skill) & 1:
                memory.demand_s[skill] += share_s


@jit
def note_epoch(columns: Columns, memory: Memory, crowd: Crowd, rows: Rows, candidates: Ints) -> float:
    """Remember what the workers see at this epoch; call it once an epoch. Returns the time, in seconds.

    Args:
        columns: where things are in a row.
        memory: changed; there is room for all candidates.
        crowd: what `read_crowd` returned.
        rows: the observations of all workers. Shape [W, F].
        candidates: ids of their candidates, -1 for none. Shape [W, K].
    """
    now_s = float(rows[0, columns.elapsed]) * columns.time_s
    fresh, count = np.zeros(len(memory.payment), np.int64), 0
    memory.task_open[memory.deadline_s <= now_s] = False  # what is seen below is open
    for w in range(len(rows)):
        _note_own_task(columns, memory, crowd, w, rows, now_s)
    for w in range(len(rows)):
        if not crowd.idle[w]:
            memory.idle_since_s[w] = _NEVER
            continue
        if memory.idle_since_s[w] < 0.0:
            memory.idle_since_s[w] = now_s
        for option in range(candidates.shape[1]):
            task = candidates[w, option]
            if task < 0:
                break
            begin = columns.candidates + option * columns.task_width
            row = rows[w, begin : begin + columns.task_width]
            if _note_task(columns, memory, crowd, w, row, task, now_s):
                fresh[count] = task
                count += 1
            memory.skills[task] &= crowd.skills[w]
            memory.lengths[0] += np.hypot(row[columns.dx], row[columns.dy])
            memory.lengths[1] += row[columns.distance]
    _note_demand(memory, fresh[:count], now_s)
    return now_s
