"""The state of DASC: structures of arrays, the leading axis of each the B copies of the environment.

Axes: B copies, W workers, Q tasks, S slots of subtasks, N nodes, E precedences, K candidates, A actions, M neighbours.
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined
from crowdgym.envs.core.arrays import allocate, zero
from crowdgym.envs.core.matching import Graph
from crowdgym.envs.core.neighbours import Box, Grid
from crowdgym.envs.dasc.kernel.features import SUBTASK_TO_ALL

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Bytes = NDArray[np.int8]
Flags = NDArray[np.bool_]

NEIGHBOURS = 5  # rows of each set of neighbours in an observation


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

    skill_bits: Annotated[NDArray[np.uint16], "B, W"]  # the set of its skills: bit k for skill k
    skill_count: Annotated[Bytes, "B, W"]  # |K_w|
    status: Annotated[Bytes, "B, W"]  # WorkerStatus
    place: Annotated[Ints, "B, W"]  # where it is, or where it set out from while under way
    subtask: Annotated[Ints, "B, W"]  # the one it has, or had when released; or -1
    depart_s: Annotated[Floats, "B, W"]  # when it last set out, or NaN
    free_s: Annotated[Floats, "B, W"]  # when it became idle, or will be as far as is known
    leg_units: Annotated[Ints, "B, W"]  # length of the way it is on
    goal: Annotated[Ints, "B, W"]  # the node where that way ends
    trail_node: Annotated[Ints, "B, W"]  # last node passed by the latest epoch while under way
    trail_units: Annotated[Ints, "B, W"]  # length of the way up to there
    trail_arc: Annotated[Ints, "B, W"]  # the arc it goes on by from there, or -1 while that is not known
    driven_units: Annotated[NDArray[np.int64], "B, W"]  # length of the ways that have ended
    x_m: Annotated[Floats, "B, W"]  # position at the latest epoch
    y_m: Annotated[Floats, "B, W"]


class Tasks(NamedTuple):
    """Tasks: what they are, and what has become of them."""

    created_s: Annotated[Floats, "B, Q"]  # t_c
    expected_s: Annotated[Floats, "B, Q"]  # t_e
    deadline_s: Annotated[Floats, "B, Q"]  # t_d
    payment: Annotated[Floats, "B, Q"]  # rho_max
    first: Annotated[Ints, "B, Q + 1"]  # subtasks of task q: first[q] .. first[q + 1]
    status: Annotated[Bytes, "B, Q"]  # TaskStatus
    unassigned: Annotated[Ints, "B, Q"]  # subtasks without a worker
    latest_s: Annotated[Floats, "B, Q"]  # the latest finish of the subtasks assigned so far; -inf before the first
    end_s: Annotated[Floats, "B, Q"]  # when it finished or expired; NaN before
    paid: Annotated[Floats, "B, Q"]  # rho; 0 before


class Subtasks(NamedTuple):
    """Subtasks, each in the slot of its number: what they are, and what has become of them."""

    task: Annotated[Ints, "B, S"]  # , or -1 of an empty slot
    node: Annotated[Ints, "B, S"]
    skill_bits: Annotated[NDArray[np.uint16], "B, S"]
    skill_count: Annotated[Bytes, "B, S"]  # |K_i|
    duration_s: Annotated[Floats, "B, S"]  # D
    latest_expected_s: Annotated[Floats, "B, S"]  # LFT for t_e
    latest_deadline_s: Annotated[Floats, "B, S"]  # LFT for t_d
    successors: Annotated[Ints, "B, S"]  # how many
    x_m: Annotated[Floats, "B, S"]
    y_m: Annotated[Floats, "B, S"]
    status: Annotated[Bytes, "B, S"]  # SubtaskStatus
    worker: Annotated[Ints, "B, S"]  # the one it ever got, or -1
    arrive_s: Annotated[Floats, "B, S"]  # a, of that worker; NaN before the match, as are the next two
    start_s: Annotated[Floats, "B, S"]  # max(a, f_j)
    finish_s: Annotated[Floats, "B, S"]  # f; what was planned, if the task expired before
    illegal: Annotated[Ints, "B, S"]  # actions that were not legal
    invalid: Annotated[Ints, "B, S"]  # requests that were not admitted
    unmatched: Annotated[Ints, "B, S"]  # admitted ones that got no worker


class Precedence(NamedTuple):
    """Who comes before whom."""

    start: Annotated[Ints, "B, S + 1"]  # predecessors of subtask i: predecessors[start[i] .. start[i + 1]]
    predecessors: Annotated[Ints, "B, E"]


class Distances(NamedTuple):
    """Distances along roads, in units."""

    position: Annotated[Ints, "N"]  # of each node in the next table
    to_subtasks: Annotated[NDArray[np.uint16], "B, N, S"]  # from every node, by its position, to each subtask
    from_places: Annotated[NDArray[np.uint16], "B, S, S + W"]  # to each subtask from each place
    place_node: Annotated[Ints, "B, S + W"]


class Idle(NamedTuple):
    """Who is near whom: for each subtask its candidates, renewed when the set of idle workers has changed."""

    version: Annotated[NDArray[np.int64], "B"]  # counts changes of the set of idle workers and of their places
    listed: Annotated[NDArray[np.int64], "B, S"]  # the version that a subtask's candidates are of
    nearest: Annotated[Ints, "B, S, K"]  # able workers, nearest first, or -1


class Kept(NamedTuple):
    """What of the observations is kept from epoch to epoch. Versions count from 1 on; 0 is none."""

    unseen: Annotated[Bytes, "B"]  # 1 until the first observation of the episode: nothing below is valid
    seen: Annotated[Bytes, "B, S"]  # whether something is written into the row of a slot
    workers_version: Annotated[NDArray[np.int64], "B"]  # `Idle.version` of the grid of idle workers
    workers_of: Annotated[NDArray[np.int64], "B, S"]  # the version that a slot's nearest idle workers are of
    available_version: Annotated[NDArray[np.int64], "B"]  # counts changes of the set of subtasks that may be assigned
    available_of: Annotated[NDArray[np.int64], "B, S"]  # the version that a slot's nearest of them are of
    near_available: Annotated[Ints, "B, S, M"]  # those, or NO_NEIGHBOUR


class StepOutput(NamedTuple):
    """What one step made, and what the next decision is based on.

    Everything from ``outcome`` on is made by one step: `clear_step` writes zeros into it. A new quantity, for a reward
    of your own, needs a line here and a line in dynamics.py or requests.py that writes it.
    """

    mask: Annotated[Bytes, "B, S, A"]
    candidates: Annotated[Ints, "B, S, K"]  # worker ids, or -1
    live: Annotated[Flags, "B, S"]
    was_live: Annotated[Flags, "B, S"]  # at the epoch of the latest action
    outcome: Annotated[Bytes, "B, S"]  # Outcome of the latest action
    match_utility: Annotated[Floats, "B, S, 3"]  # u_skill, u_dist, u_time of a match just made, else 0
    sparse: Annotated[Floats, "B, S"]  # rewards
    shaped: Annotated[Floats, "B, S"]
    revenue: Annotated[Floats, "B"]  # payments of the interval


_MADE_BY_STEP = StepOutput._fields.index("outcome")


@inlined
def clear_step(output: StepOutput, b: int) -> None:
    """Clear what the step before made in copy ``b``."""
    zero(output[_MADE_BY_STEP:], b)


class Scratch(NamedTuple):
    """Room for the kernels to work in."""

    graph: Graph
    admitted: Annotated[Flags, "B, S"]
    taken_out: Annotated[Flags, "B, S"]
    chosen: Annotated[Ints, "B, S"]  # the worker that a slot got in a round, or -1
    asked: Annotated[Ints, "B, S"]  # the worker that it asked for
    row_slot: Annotated[Ints, "B, S"]  # the slot of each row of the graph
    free_workers: Grid
    available: Grid
    free: Annotated[Ints, "B, W"]  # ids of those in the grid
    may_assign: Annotated[Ints, "B, S"]  # likewise
    to_assign: Annotated[Bytes, "B, S"]  # whether it is one of them
    subtask_rows: Annotated[NDArray[np.float32], "B, S, subtask columns"]  # what each is to every other one
    near: Annotated[Ints, "B, M"]
    squared: Annotated[Floats, "B, M"]  # m²
    best_key: Annotated[NDArray[np.int64], "B, K"]


class DascState(NamedTuple):
    """All of the above."""

    workers: Workers
    tasks: Tasks
    subtasks: Subtasks
    precedence: Precedence
    distances: Distances
    idle: Idle
    kept: Kept
    output: StepOutput
    scratch: Scratch
    weights: Annotated[Floats, "B, 3"]  # v1, v2, v3


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
    return allocate(Precedence, {"B": batch, "S": slots, "E": edges})


def empty_state(batch: int, sizes: Sizes, box: Box) -> DascState:
    """Arrays for ``batch`` copies in a city with these ends, nothing in them yet."""
    workers, slots = sizes.workers, sizes.slots
    axes = {"B": batch, "W": workers, "Q": sizes.tasks, "S": slots, "N": sizes.nodes, "E": 4 * slots}
    axes |= {"K": sizes.candidates, "A": sizes.actions, "M": NEIGHBOURS, "subtask columns": SUBTASK_TO_ALL}
    scratch = allocate(
        Scratch,
        axes,
        graph=Graph.empty(batch, slots, workers),
        free_workers=Grid.empty(batch, workers, box),
        available=Grid.empty(batch, slots, box),
    )
    return allocate(DascState, axes, scratch=scratch)
