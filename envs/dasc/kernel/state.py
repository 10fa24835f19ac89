"""The state of DASC: a structure of arrays, the leading axis of each the B copies of the environment."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.core.matching import Graph
from crowdgym.envs.core.neighbours import Line

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Bytes = NDArray[np.int8]
Flags = NDArray[np.bool_]

NEIGHBOURS = 5  # rows of each set of neighbours in an observation
SUBTASK_TO_ALL = 5  # numbers of what a subtask is to every other one; see observation.py


class WorkerStatus(IntEnum):
    """What a worker is doing."""

    IDLE = 0
    TRAVELLING = 1  # to its subtask
    WAITING = 2  # there, for the predecessors
    WORKING = 3
    RELEASED = 4  # to the next node, after its task expired on its way


class TaskStatus(IntEnum):
    """What has become of a task."""

    PENDING = 0  # not created yet
    OPEN = 1
    FINISHED = 2
    EXPIRED = 3


class SubtaskStatus(IntEnum):
    """What has become of a subtask."""

    ABSENT = 0  # its task is not created yet, or there is no such subtask
    UNASSIGNED = 1
    ASSIGNED = 2
    FINISHED = 3
    FAILED = 4  # unfinished as its task expired


class Outcome(IntEnum):
    """What became of a slot's action."""

    HELD = 0
    MATCHED = 1
    UNMATCHED = 2  # admitted, but without a worker in the end
    INVALID = 3  # not admitted, because of a predecessor
    ILLEGAL = 4  # masked


class Workers(NamedTuple):
    """Workers. A *place* is where a worker can be idle: place i < S is subtask i's node, place S + w is w's own."""

    skill_bits: NDArray[np.uint16]  # [B, W] the set of its skills: bit k for skill k
    skill_count: Bytes  # [B, W] |K_w|
    status: Bytes  # [B, W] WorkerStatus
    place: Ints  # [B, W] where it is, or where it set out from while under way
    subtask: Ints  # [B, W] the one it has, or had when released; or -1
    depart_s: Floats  # [B, W] when it last set out, or NaN
    free_s: Floats  # [B, W] when it became idle, or will be as far as is known
    leg_units: Ints  # [B, W] length of the way it is on
    goal: Ints  # [B, W] the node where that way ends
    trail_node: Ints  # [B, W] last node passed by the latest epoch while under way
    trail_units: Ints  # [B, W] length of the way up to there
    trail_arc: Ints  # [B, W] the arc it goes on by from there, or -1 while that is not known
    driven_units: NDArray[np.int64]  # [B, W] length of the ways that have ended
    x_m: Floats  # [B, W] position at the latest epoch
    y_m: Floats  # [B, W]


class Tasks(NamedTuple):
    """Tasks: what they are, and what has become of them."""

    created_s: Floats  # [B, Q] t_c
    expected_s: Floats  # [B, Q] t_e
    deadline_s: Floats  # [B, Q] t_d
    payment: Floats  # [B, Q] rho_max
    first: Ints  # [B, Q + 1] subtasks of task q: first[q] .. first[q + 1]
    status: Bytes  # [B, Q] TaskStatus
    unassigned: Ints  # [B, Q] subtasks without a worker
    latest_s: Floats  # [B, Q] the latest finish of the subtasks assigned so far; -inf before the first
    end_s: Floats  # [B, Q] when it finished or expired; NaN before
    paid: Floats  # [B, Q] rho; 0 before


class Subtasks(NamedTuple):
    """Subtasks, each in the slot of its number: what they are, and what has become of them."""

    task: Ints  # [B, S], or -1 of an empty slot
    node: Ints  # [B, S]
    skill_bits: NDArray[np.uint16]  # [B, S]
    skill_count: Bytes  # [B, S] |K_i|
    duration_s: Floats  # [B, S] D
    latest_expected_s: Floats  # [B, S] LFT for t_e
    latest_deadline_s: Floats  # [B, S] LFT for t_d
    successors: Ints  # [B, S] how many
    x_m: Floats  # [B, S]
    y_m: Floats  # [B, S]
    status: Bytes  # [B, S] SubtaskStatus
    worker: Ints  # [B, S] the one it ever got, or -1
    arrive_s: Floats  # [B, S] a, of that worker; NaN before the match, as are the next two
    start_s: Floats  # [B, S] max(a, f_j)
    finish_s: Floats  # [B, S] f; what was planned, if the task expired before
    illegal: Ints  # [B, S] actions that were not legal
    invalid: Ints  # [B, S] requests that were not admitted
    unmatched: Ints  # [B, S] admitted ones that got no worker


class Precedence(NamedTuple):
    """Who comes before whom."""

    start: Ints  # [B, S + 1] predecessors of subtask i: predecessors[start[i] .. start[i + 1]]
    predecessors: Ints  # [B, E]


class Distances(NamedTuple):
    """Distances along roads, in units."""

    rows: NDArray[np.uint16]  # [B, S, N] from every node to each subtask
    from_places: NDArray[np.uint16]  # [B, S, S + W] to each subtask from each place
    place_node: Ints  # [B, S + W]


class Idle(NamedTuple):
    """Who is near whom: for each subtask its candidates, renewed when the set of idle workers has changed."""

    version: NDArray[np.int64]  # [B] counts changes of the set of idle workers and of their places
    listed: NDArray[np.int64]  # [B, S] the version that a subtask's candidates are of
    nearest: Ints  # [B, S, K] able workers, nearest first, or -1


class StepOutput(NamedTuple):
    """What one step made, and what the next decision is based on."""

    mask: Bytes  # [B, S, A]
    candidates: Ints  # [B, S, K] worker ids, or -1
    live: Flags  # [B, S]
    was_live: Flags  # [B, S] at the epoch of the latest action
    outcome: Bytes  # [B, S] Outcome of the latest action
    match_utility: Floats  # [B, S, 3] u_skill, u_dist, u_time of a match just made, else 0
    sparse: Floats  # [B, S] rewards
    shaped: Floats  # [B, S]
    revenue: Floats  # [B] payments of the interval


class Scratch(NamedTuple):
    """Room for the kernels to work in."""

    graph: Graph
    admitted: Flags  # [B, S]
    taken_out: Flags  # [B, S]
    chosen: Ints  # [B, S] the worker that a slot got in a round, or -1
    asked: Ints  # [B, S] the worker that it asked for
    row_slot: Ints  # [B, S] the slot of each row of the graph
    free_workers: Line
    available: Line
    workers_by_x: Ints  # [B, W] ids
    subtasks_by_x: Ints  # [B, S] ids
    free: Bytes  # [B, W] whether in the line
    to_assign: Bytes  # [B, S] likewise
    subtask_rows: NDArray[np.float32]  # [B, S, SUBTASK_TO_ALL]
    near: Ints  # [B, NEIGHBOURS]
    squared: Floats  # [B, NEIGHBOURS] m²
    best_key: NDArray[np.int64]  # [B, K]


class DascState(NamedTuple):
    """All of the above."""

    workers: Workers
    tasks: Tasks
    subtasks: Subtasks
    precedence: Precedence
    distances: Distances
    idle: Idle
    output: StepOutput
    scratch: Scratch
    weights: Floats  # [B, 3] v1, v2, v3


class Sizes(NamedTuple):
    """How many there are of everything."""

    workers: int  # W
    tasks: int  # Q
    slots: int  # S
    nodes: int  # N
    candidates: int  # K
    actions: int  # A


def empty_precedence(batch: int, slots: int, edges: int) -> Precedence:
    """Room for ``edges`` precedences a copy."""
    return Precedence(np.zeros((batch, slots + 1), np.int32), np.zeros((batch, edges), np.int32))


def empty_state(batch: int, sizes: Sizes) -> DascState:
    """Arrays for ``batch`` copies, nothing in them yet."""
    slots, workers, most = sizes.slots, sizes.workers, sizes.candidates

    def ints(*shape: int) -> Ints:
        return np.zeros((batch, *shape), np.int32)

    return DascState(
        _empty_workers(batch, workers),
        _empty_tasks(batch, sizes.tasks),
        _empty_subtasks(batch, slots),
        empty_precedence(batch, slots, 4 * slots),
        Distances(
            rows=np.zeros((batch, slots, sizes.nodes), np.uint16),
            from_places=np.zeros((batch, slots, slots + workers), np.uint16),
            place_node=ints(slots + workers),
        ),
        Idle(np.zeros(batch, np.int64), np.zeros((batch, slots), np.int64), ints(slots, most)),
        StepOutput(
            mask=np.zeros((batch, slots, sizes.actions), np.int8),
            candidates=ints(slots, most),
            live=np.zeros((batch, slots), np.bool_),
            was_live=np.zeros((batch, slots), np.bool_),
            outcome=np.zeros((batch, slots), np.int8),
            match_utility=np.zeros((batch, slots, 3)),
            sparse=np.zeros((batch, slots)),
            shaped=np.zeros((batch, slots)),
            revenue=np.zeros(batch),
        ),
        Scratch(
            graph=Graph.empty(batch, slots, workers),
            admitted=np.zeros((batch, slots), np.bool_),
            taken_out=np.zeros((batch, slots), np.bool_),
            chosen=ints(slots),
            asked=ints(slots),
            row_slot=ints(slots),
            free_workers=Line.empty(batch, workers),
            available=Line.empty(batch, slots),
            workers_by_x=np.tile(np.arange(workers, dtype=np.int32), (batch, 1)),
            subtasks_by_x=np.tile(np.arange(slots, dtype=np.int32), (batch, 1)),
            free=np.zeros((batch, workers), np.int8),
            to_assign=np.zeros((batch, slots), np.int8),
            subtask_rows=np.zeros((batch, slots, SUBTASK_TO_ALL), np.float32),
            near=ints(NEIGHBOURS),
            squared=np.zeros((batch, NEIGHBOURS)),
            best_key=np.zeros((batch, most), np.int64),
        ),
        np.zeros((batch, 3)),
    )


def _empty_workers(batch: int, workers: int) -> Workers:
    shape = (batch, workers)
    return Workers(
        skill_bits=np.zeros(shape, np.uint16),
        skill_count=np.zeros(shape, np.int8),
        status=np.zeros(shape, np.int8),
        place=np.zeros(shape, np.int32),
        subtask=np.zeros(shape, np.int32),
        depart_s=np.zeros(shape),
        free_s=np.zeros(shape),
        leg_units=np.zeros(shape, np.int32),
        goal=np.zeros(shape, np.int32),
        trail_node=np.zeros(shape, np.int32),
        trail_units=np.zeros(shape, np.int32),
        trail_arc=np.zeros(shape, np.int32),
        driven_units=np.zeros(shape, np.int64),
        x_m=np.zeros(shape),
        y_m=np.zeros(shape),
    )


def _empty_tasks(batch: int, tasks: int) -> Tasks:
    shape = (batch, tasks)
    return Tasks(
        created_s=np.zeros(shape),
        expected_s=np.zeros(shape),
        deadline_s=np.zeros(shape),
        payment=np.zeros(shape),
        first=np.zeros((batch, tasks + 1), np.int32),
        status=np.zeros(shape, np.int8),
        unassigned=np.zeros(shape, np.int32),
        latest_s=np.zeros(shape),
        end_s=np.zeros(shape),
        paid=np.zeros(shape),
    )


def _empty_subtasks(batch: int, slots: int) -> Subtasks:
    shape = (batch, slots)
    return Subtasks(
        task=np.zeros(shape, np.int32),
        node=np.zeros(shape, np.int32),
        skill_bits=np.zeros(shape, np.uint16),
        skill_count=np.zeros(shape, np.int8),
        duration_s=np.zeros(shape),
        latest_expected_s=np.zeros(shape),
        latest_deadline_s=np.zeros(shape),
        successors=np.zeros(shape, np.int32),
        x_m=np.zeros(shape),
        y_m=np.zeros(shape),
        status=np.zeros(shape, np.int8),
        worker=np.zeros(shape, np.int32),
        arrive_s=np.zeros(shape),
        start_s=np.zeros(shape),
        finish_s=np.zeros(shape),
        illegal=np.zeros(shape, np.int32),
        invalid=np.zeros(shape, np.int32),
        unmatched=np.zeros(shape, np.int32),
    )
