"""The state of CSC: structures of arrays, the leading axis of each the B copies of the environment.

Axes: B copies, W workers, T tasks, N nodes, K candidates, M members of a list of neighbours.
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.arrays import allocate, zero
from crowdgym.envs.core.lanes import prefetch
from crowdgym.envs.core.neighbours import Box, Grid
from crowdgym.envs.csc.instance import NUM_SKILLS
from crowdgym.envs.csc.kernel.features import TASK_TO_ALL, WORKER_TO_ALL

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Bytes = NDArray[np.int8]
Keys = NDArray[np.int64]

NEIGHBOURS = 5  # rows of each set of neighbours in an observation
SPARE = 6  # tasks that an idle worker keeps beyond those it is offered, so as not to search again as soon as one ends
_TASKS_A_LINE = 32  # distances in a line of a processor's cache
UNLISTED = -1  # a worker has become idle, and what it may take is not known yet
UNBOUNDED = 2**62  # a key greater than any


class Rules(NamedTuple):
    """The constants of an environment."""

    speed_mps: float
    range_m: float
    penalty_per_s: float  # zeta
    horizon_s: float
    tells_marginal: bool = True  # whether `StepOutput.marginal` is worked out
    tells_difference: bool = True  # likewise


class WorkerStatus(IntEnum):
    """What a worker is doing."""

    IDLE = 0
    TRAVELLING = 1  # to a task
    WORKING = 2  # at one
    RELEASED = 3  # to the next node, after its task ended on its way


class TaskStatus(IntEnum):
    """What has become of a task."""

    PENDING = 0  # not created yet
    OPEN = 1
    FINISHED = 2
    EXPIRED = 3


class Workers(NamedTuple):
    """Workers."""

    skill_bits: Annotated[NDArray[np.uint8], "B, W"]  # the set of its skills: bit k for skill k
    status: Annotated[Bytes, "B, W"]  # WorkerStatus
    node: Annotated[Ints, "B, W"]  # where it is, or where it set out from while under way
    task: Annotated[Ints, "B, W"]  # the task it travels to or works at, or -1
    depart_s: Annotated[Floats, "B, W"]  # when it last set out for a task, or NaN
    arrive_s: Annotated[Floats, "B, W"]  # when it arrives (arrived) there; NaN if it never will
    free_s: Annotated[Floats, "B, W"]  # when it became idle, or will be once released
    leg_units: Annotated[Ints, "B, W"]  # length of the way it is on
    goal: Annotated[Ints, "B, W"]  # the node where the way it is on ends
    trail_node: Annotated[Ints, "B, W"]  # last node passed by the latest epoch while under way
    trail_units: Annotated[Ints, "B, W"]  # length of the way up to there
    trail_arc: Annotated[Ints, "B, W"]  # the arc it goes on by from there, or -1 while that is not known
    driven_units: Annotated[NDArray[np.int64], "B, W"]  # length of the ways that have ended
    illegal: Annotated[Ints, "B, W"]  # actions that were not legal
    next_worker: Annotated[Ints, "B, W"]  # the next worker in a task's list, or -1
    x_m: Annotated[Floats, "B, W"]  # position at the latest epoch
    y_m: Annotated[Floats, "B, W"]


class Tasks(NamedTuple):
    """Tasks: what they are, and what has become of them."""

    node: Annotated[Ints, "B, T"]
    skill: Annotated[Bytes, "B, T"]
    created_s: Annotated[Floats, "B, T"]  # t_c
    expected_s: Annotated[Floats, "B, T"]  # t_e
    deadline_s: Annotated[Floats, "B, T"]  # t_d
    workload_s: Annotated[Floats, "B, T"]  # q
    payment: Annotated[Floats, "B, T"]  # rho_max
    x_m: Annotated[Floats, "B, T"]
    y_m: Annotated[Floats, "B, T"]
    status: Annotated[Bytes, "B, T"]  # TaskStatus
    work_left_s: Annotated[Floats, "B, T"]  # worker-seconds left at ``since_s``
    since_s: Annotated[Floats, "B, T"]  # the latest arrival
    present: Annotated[Ints, "B, T"]  # workers at it
    en_route: Annotated[Ints, "B, T"]  # workers on their way to it
    first_present: Annotated[Ints, "B, T"]  # list of those at it, latest arrival first
    first_en_route: Annotated[Ints, "B, T"]  # list of those on their way, by (arrival, worker)
    end_s: Annotated[Floats, "B, T"]  # when it finished or expired; NaN before
    paid: Annotated[Floats, "B, T"]  # rho; 0 before


class Distances(NamedTuple):
    """Distances along roads, in units."""

    position: Annotated[Ints, "N"]  # of each node in the table
    to_tasks: Annotated[NDArray[np.uint16], "B, N, T"]  # from every node, by its position, to each task


class Choices(NamedTuple):
    """The open tasks of its skills within range that are nearest to each idle worker, as `candidates.py` keeps them."""

    keys: Annotated[Keys, "B, W, K + spare"]  # distance in units and id in one number, ascending
    kept: Annotated[Ints, "B, W"]  # how many of them hold, or UNLISTED
    bound: Annotated[Keys, "B, W"]  # all with a smaller key are in the list; UNBOUNDED: all there are
    open_ids: Annotated[Ints, "B, T"]  # open tasks by (skill, id)
    open_ends: Annotated[Ints, "B, skills"]  # where those of a skill end therein


@inlined
def units_to_task(distances: Distances, b: int, node: int, task: int) -> int:
    """The units along roads from a node to a task of copy ``b``."""
    return int(distances.to_tasks[b, distances.position[node], task])


@inlined
def expect_distances(distances: Distances, b: int, node: int) -> None:
    """Ask for the memory that `units_to_task` reads for the tasks of copy ``b``."""
    row = distances.to_tasks[b, np.uintp(distances.position[np.uintp(node)])]
    for task in range(0, len(row), _TASKS_A_LINE):
        prefetch(row, task)


@inlined
def units_to_candidate(choices: Choices, b: int, w: int, slot: int) -> int:
    """The units along roads from an idle worker to its candidate in a slot; those are the tasks that it keeps."""
    return int(choices.keys[b, w, slot] >> 32)


class StepOutput(NamedTuple):
    """What one step made, and what the next decision is based on.

    Everything from ``share`` on is made by one step: `begin_step` writes zeros into it. A new quantity, for a reward of
    your own, needs a line here and a line in dynamics.py that writes it.
    """

    mask: Annotated[Bytes, "B, W, K + 1"]
    candidates: Annotated[Ints, "B, W, K"]  # task ids, or -1
    share: Annotated[Floats, "B, W"]  # payments of the interval by contribution
    revenue: Annotated[Floats, "B"]  # payments of the interval
    remaining_s: Annotated[Floats, "B, W"]  # remaining working time of the task just taken, else 0
    marginal: Annotated[Floats, "B, W"]  # what the join just made adds to the projected payment of its task, else 0
    difference: Annotated[Floats, "B, W"]  # payments of the interval less what they would have been without the worker


_MADE_BY_STEP = StepOutput._fields.index("share")


@kernel
def begin_step(output: StepOutput, b: int) -> None:
    """Clear what the step before made in copy ``b``."""
    zero(output[_MADE_BY_STEP:], b)


class NeighbourLists(NamedTuple):
    """Who is near whom at the latest epoch; at the next one only what has changed is worked out anew.

    Near means by straight line. Lists are sorted by (distance, id), with ``neighbours.NO_NEIGHBOUR`` in place of who is
    not there.
    """

    unseen: Annotated[Bytes, "B"]  # 1 until the first observation of the episode: nothing below is valid
    everyone: Grid
    idle: Grid
    open_tasks: Grid
    all_workers: Annotated[Ints, "B, W"]  # ids
    idle_workers: Annotated[Ints, "B, W"]  # likewise
    moved: Annotated[Bytes, "B, W"]  # is elsewhere than at the epoch before
    walkers: Annotated[Ints, "B, W"]  # ids of those on their way that are not followed as far as this epoch yet
    walking: Annotated[Bytes, "B, W"]  # is on its way
    mover_x_m: Annotated[Floats, "B, W"]  # where those that moved are now
    mover_y_m: Annotated[Floats, "B, W"]
    was_idle: Annotated[Bytes, "B, W"]
    was_open: Annotated[Bytes, "B, T"]
    ended: Annotated[Bytes, "B, T"]  # was open and is no longer
    left_idle: Annotated[Bytes, "B, W"]  # was idle where it is no longer
    became_idle: Annotated[Ints, "B, W"]  # ids of those idle where they were not before
    opened: Annotated[Ints, "B, T"]  # ids of tasks that were not open before
    num_opened: Annotated[Ints, "B"]
    num_ended: Annotated[Ints, "B"]
    near_tasks: Annotated[Ints, "B, W, M"]  # open ones
    near_tasks_m2: Annotated[Floats, "B, W, M"]  # squared distances
    near_workers: Annotated[Ints, "B, W, M"]
    near_workers_m2: Annotated[Floats, "B, W, M"]
    near_idle: Annotated[Ints, "B, W, M"]
    near_idle_m2: Annotated[Floats, "B, W, M"]
    task_rows: Annotated[NDArray[np.float32], "B, T, task columns"]  # features that are the same for every observer
    worker_rows: Annotated[NDArray[np.float32], "B, W, worker columns"]  # likewise


class CscState(NamedTuple):
    """All of the above."""

    workers: Workers
    tasks: Tasks
    distances: Distances
    choices: Choices
    output: StepOutput
    neighbour_lists: NeighbourLists


def empty_state(batch: int, workers: int, tasks: int, nodes: int, candidates: int, box: Box) -> CscState:
    """Arrays for ``batch`` copies in a city with these ends, nothing in them yet."""
    sizes = {"B": batch, "W": workers, "T": tasks, "N": nodes, "K": candidates, "M": NEIGHBOURS}
    sizes |= {"spare": SPARE, "skills": NUM_SKILLS, "task columns": TASK_TO_ALL, "worker columns": WORKER_TO_ALL}
    lists = allocate(
        NeighbourLists,
        sizes,
        everyone=Grid.empty(batch, workers, box),
        idle=Grid.empty(batch, workers, box),
        open_tasks=Grid.empty(batch, tasks, box),
    )
    lists.unseen[:] = 1
    lists.all_workers[:] = np.arange(workers)
    return allocate(CscState, sizes, neighbour_lists=lists)
