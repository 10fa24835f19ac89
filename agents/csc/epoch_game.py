"""The game of an epoch: the open tasks, the workers at them, and who may join what, now or soon; compiled.

Times are seconds from the epoch on.
"""

from typing import NamedTuple

import numpy as np

from crowdgym.agents.csc.epoch_reader import Columns, Crowd, Memory, Rows, count_bits
from crowdgym.agents.csc.pau_game import Floats, Game, Ints, finish_s
from crowdgym.agents.csc.priced_coalitions import PricedCoalitions
from crowdgym.common.jit import jit


class OpenTasks(NamedTuple):
    """The m tasks that are open as far as is known."""

    ids: Ints  # [m] ascending
    place: Ints  # [T] which of the m tasks an id is, or -1
    work_left_s: Floats  # [m]
    expected_s: Floats  # [m]
    deadline_s: Floats  # [m] or the end of the episode, if that is earlier: what is finished later is not paid
    payment: Floats  # [m]
    penalty_per_s: Floats  # [m]


class Crews(NamedTuple):
    """The c workers that are at a task or on their way to it."""

    worker: Ints  # [c]
    task: Ints  # [c] which of the m tasks
    arrival_s: Floats  # [c] 0 for those at work


class Players(NamedTuple):
    """The n players with K candidates each."""

    worker: Ints  # [n] the idle ones first, longest idle first
    num_idle: int
    ready_s: Floats  # [n] when each is idle; 0 for the idle ones
    task: Ints  # [n, K] which of the m tasks, nearest first, or -1
    arrival_s: Floats  # [n, K]


@jit
def open_tasks(columns: Columns, memory: Memory, now_s: float) -> OpenTasks:
    """The tasks that have been seen and have not ended."""
    ids = np.flatnonzero(memory.task_open)
    place = np.full(len(memory.task_open), -1)
    place[ids] = np.arange(len(ids))
    return OpenTasks(
        ids,
        place,
        memory.work_left_s[ids],
        memory.expected_s[ids] - now_s,
        np.minimum(memory.deadline_s[ids], columns.end_s) - now_s,
        memory.payment[ids],
        np.full(len(ids), columns.penalty_per_s),
    )


@jit
def read_crews(memory: Memory, crowd: Crowd, tasks: OpenTasks) -> Crews:
    """Who is at a task or on the way to it."""
    worker = np.flatnonzero(crowd.busy)
    arrival_s = np.where(crowd.travelling[worker], crowd.until_idle_s[worker], 0.0)
    return Crews(worker, tasks.place[memory.sent_to[worker]], arrival_s)


@jit
def waiting_work_s(columns: Columns, memory: Memory, tasks: OpenTasks, crews: Crews) -> Floats:
    """Work of the tasks that have no worker, by skill, [skills]; unclear skills share it evenly."""
    waits = np.ones(len(tasks.ids), np.bool_)
    waits[crews.task] = False
    waiting_s = np.zeros(columns.num_skills)
    for task in np.flatnonzero(waits):
        skills = memory.skills[tasks.ids[task]]
        for skill in range(columns.num_skills):
            if (skills >> skill) & 1:
                waiting_s[skill] += tasks.work_left_s[task] / count_bits(skills)
    return waiting_s


@jit
def game_without_players(tasks: OpenTasks, candidates: int) -> Game:
    """The game before anyone may join; with room for ``candidates`` a player."""
    nothing = Players(np.zeros(0, np.int64), 0, np.zeros(0), np.zeros((0, candidates), np.int64), np.zeros((0, 1)))
    return game_with_players(tasks, nothing)


@jit
def game_with_players(tasks: OpenTasks, players: Players) -> Game:
    """The game of these players."""
    return Game(
        players.task,
        players.arrival_s,
        tasks.work_left_s,
        tasks.expected_s,
        tasks.deadline_s,
        tasks.payment,
        tasks.penalty_per_s,
    )


@jit
def when_and_where_idle(
    memory: Memory, crowd: Crowd, tasks: OpenTasks, crews: Crews, coalitions: PricedCoalitions
) -> tuple[Floats, Floats, Floats]:
    """When each worker becomes idle if no other worker joins, and where: seconds and metres, each of shape [W].

    Exact for who is at its task when that ends: it is idle then and there. Who is still on its way walks on to the next
    node; observations show no roads, so the time is that of the end, and the place the one on the straight line.
    """
    ready_s, x_m, y_m = crowd.until_idle_s.copy(), crowd.x_m.copy(), crowd.y_m.copy()
    end_s = np.zeros(len(tasks.ids))
    for task in range(len(end_s)):
        finished_s = finish_s(coalitions.arrival_s[task], coalitions.members[task], tasks.work_left_s[task])
        end_s[task] = min(finished_s, tasks.deadline_s[task])
    for member in range(len(crews.worker)):
        worker, task = crews.worker[member], crews.task[member]
        ready_s[worker] = end_s[task]
        share = 1.0  # of the way to the task
        if crews.arrival_s[member] > end_s[task]:
            share = end_s[task] / crews.arrival_s[member]
        x_m[worker] += share * (memory.x_m[tasks.ids[task]] - x_m[worker])
        y_m[worker] += share * (memory.y_m[tasks.ids[task]] - y_m[worker])
    return ready_s, x_m, y_m


@jit
def list_players(
    columns: Columns,
    memory: Memory,
    crowd: Crowd,
    tasks: OpenTasks,
    idle: tuple[Floats, Floats, Floats],
    horizon_s: float,
    rows: Rows,
    candidates: Ints,
) -> Players:
    """The idle workers with their candidates, and those idle within the horizon with the nearest tasks they may take.

    Args:
        columns: where things are in a row.
        memory: of the episode.
        crowd: the workers.
        tasks: the open tasks.
        idle: what `when_and_where_idle` returned.
        horizon_s: who becomes idle within it is a player.
        rows: the observations of all workers. Shape [W, F].
        candidates: ids of their candidates. Shape [W, K].
    """
    ready_s = idle[0]
    now = np.flatnonzero(crowd.idle & (candidates[:, 0] >= 0))
    now = now[np.argsort(memory.idle_since_s[now], kind="mergesort")]
    soon = np.flatnonzero(~crowd.idle & (ready_s <= horizon_s))
    worker = np.concatenate((now, soon))
    task = np.full((len(worker), candidates.shape[1]), -1)
    arrival_s = np.full(task.shape, np.inf)
    for player in range(len(now)):
        for option in range(task.shape[1]):
            if candidates[worker[player], option] < 0:
                break
            task[player, option] = tasks.place[candidates[worker[player], option]]
            distance = columns.candidates + option * columns.task_width + columns.distance
            arrival_s[player, option] = float(rows[worker[player], distance]) * columns.reach_m / columns.speed_mps
    start_s = np.where(crowd.idle, 0.0, ready_s)[worker]
    for player in range(len(now), len(worker)):
        _list_nearest(columns, memory, crowd, tasks, worker[player], idle, task[player], arrival_s[player])
    return Players(worker, len(now), start_s, task, arrival_s)


@jit
def _list_nearest(
    columns: Columns,
    memory: Memory,
    crowd: Crowd,
    tasks: OpenTasks,
    worker: int,
    idle: tuple[Floats, Floats, Floats],
    task: Ints,
    arrival_s: Floats,
) -> None:
    """Write the nearest tasks that a worker may take once it is idle and that still pay something when it arrives."""
    ready_s, x_m, y_m = idle
    longer = memory.lengths[1] / memory.lengths[0]
    found = 0
    for place in range(len(tasks.ids)):
        number = tasks.ids[place]
        own = crowd.busy[worker] and memory.sent_to[worker] == number
        if own or memory.skills[number] & ~crowd.skills[worker]:
            continue
        road_m = longer * np.hypot(x_m[worker] - memory.x_m[number], y_m[worker] - memory.y_m[number])
        there_s = ready_s[worker] + road_m / columns.speed_mps
        paid_until_s = tasks.deadline_s[place]
        if columns.penalty_per_s > 0.0:
            paid_until_s = min(paid_until_s, tasks.expected_s[place] + 1.0 / columns.penalty_per_s)
        if road_m > columns.range_m or there_s >= paid_until_s:
            continue
        at = found  # before those that are farther
        while at > 0 and arrival_s[at - 1] > there_s:
            if at < len(task):
                task[at], arrival_s[at] = task[at - 1], arrival_s[at - 1]
            at -= 1
        if at < len(task):
            task[at], arrival_s[at] = place, there_s
        found = min(len(task), found + 1)
