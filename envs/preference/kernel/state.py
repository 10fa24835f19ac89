"""The state of `preference_v0`: structures of arrays, the leading axis of each the B copies of the environment.

Axes: B copies, W workers, T tasks, N centres, C categories, K candidates, M colleagues in a list. ``crew`` is the
number of workers of the largest centre.
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.arrays import allocate, zero
from crowdgym.envs.core.neighbours import Box, Grid
from crowdgym.envs.preference.instance import NUM_CATEGORIES

Ints = NDArray[np.int32]
Wholes = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.int8]

NEIGHBOURS = 5  # workers of the same centre in an observation
SPARE = 12  # tasks that an idle worker keeps beyond those it may be offered
UNLISTED = -1  # what a worker can reach is not known, or is more than there is room for


class WorkerStatus(IntEnum):
    """What a worker is doing."""

    IDLE = 0
    DRIVING = 1  # to a task
    SERVING = 2  # one
    PAUSED = 3  # after a decline


class TaskStatus(IntEnum):
    """What has become of a task."""

    PENDING = 0  # not created yet
    OPEN = 1
    ACCEPTED = 2
    CLOSED = 3  # declined too often
    EXPIRED = 4


class Outcome(IntEnum):
    """What came of a worker's action in the latest step."""

    NONE = 0  # no task was asked for
    ACCEPTED = 1
    DECLINED = 2
    CONTESTED = 3  # a nearer worker got the offer


class Workers(NamedTuple):
    """Workers."""

    centre: Annotated[Ints, "B, W"]
    history_share: Annotated[Floats, "B, W, C"]
    preference: Annotated[Floats, "B, W, C"]  # p_w; hidden truth
    status: Annotated[Bytes, "B, W"]  # WorkerStatus
    node: Annotated[Ints, "B, W"]  # where it is, or where it set out from while driving
    task: Annotated[Ints, "B, W"]  # the task it drives to or serves, or -1
    depart_s: Annotated[Floats, "B, W"]  # when it last set out for a task, or NaN
    arrive_s: Annotated[Floats, "B, W"]  # when it arrives (arrived) there, or NaN
    free_s: Annotated[Floats, "B, W"]  # when it became idle, or will be
    leg_units: Annotated[Ints, "B, W"]  # length of the way it is on
    goal: Annotated[Ints, "B, W"]  # the node where the way it is on ends
    trail_node: Annotated[Ints, "B, W"]  # last node passed by the latest epoch while driving
    trail_units: Annotated[Ints, "B, W"]  # length of the way up to there
    trail_arc: Annotated[Ints, "B, W"]  # the arc it goes on by from there, or -1 while that is not known
    driven_units: Annotated[Wholes, "B, W"]  # length of the ways that have ended
    accepted: Annotated[Ints, "B, W, C"]  # offers accepted so far, by category
    declined: Annotated[Ints, "B, W, C"]
    contested: Annotated[Ints, "B, W"]
    illegal: Annotated[Ints, "B, W"]  # actions that were not legal
    x_m: Annotated[Floats, "B, W"]  # position at the latest epoch
    y_m: Annotated[Floats, "B, W"]


class Tasks(NamedTuple):
    """Tasks: what they are, and what has become of them."""

    node: Annotated[Ints, "B, T"]
    category: Annotated[Bytes, "B, T"]
    created_s: Annotated[Floats, "B, T"]  # t_c
    expiry_s: Annotated[Floats, "B, T"]  # e
    x_m: Annotated[Floats, "B, T"]
    y_m: Annotated[Floats, "B, T"]
    status: Annotated[Bytes, "B, T"]  # TaskStatus
    declines: Annotated[Ints, "B, T"]
    worker: Annotated[Ints, "B, T"]  # who accepted it, or -1
    end_s: Annotated[Floats, "B, T"]  # when it was accepted, closed or expired; NaN before
    preference: Annotated[Floats, "B, T"]  # the true p_w(c_s) of who accepted it, else 0
    asker: Annotated[Ints, "B, T"]  # the nearest worker that asks for it in this step, or -1; room to work in
    rivals: Annotated[Ints, "B, T"]  # workers, of all centres, that can reach it


class Pairs(NamedTuple):
    """Workers with tasks."""

    position: Annotated[Ints, "nodes"]  # of each node in the next table
    # Distance along roads from every node, by its position, to each task, in units.
    to_tasks: Annotated[NDArray[np.uint16], "B, nodes, T"]
    willing: Annotated[Bytes, "B, W, T"]  # whether the worker would accept; hidden truth
    dead: Annotated[Bytes, "B, W, T"]  # whether it has declined


@inlined
def units_to_task(pairs: Pairs, b: int, node: int, task: int) -> int:
    """The units along roads from a node to a task of copy ``b``."""
    return int(pairs.to_tasks[b, pairs.position[node], task])


class NearTasks(NamedTuple):
    """The open tasks that each idle worker can reach, as `candidates.py` keeps them."""

    bound_units: Annotated[NDArray[np.uint16], "B, T"]  # how near a worker must be to each task; 0 where it is not open
    opened: Annotated[Ints, "B, T"]  # tasks that were not open before
    keys: Annotated[Wholes, "B, W, K + spare"]  # distance in units and id in one number, ascending; the smallest
    kept: Annotated[Ints, "B, W"]  # how many of them there are, or UNLISTED


class Colleagues(NamedTuple):
    """Workers of the same centre that are near each other by straight line, kept from epoch to epoch."""

    crews: Annotated[Ints, "B, N, crew"]  # the workers of each centre
    crew_sizes: Annotated[Ints, "B, N"]
    grids: Grid  # one for each copy and centre: row b * N + centre
    near: Annotated[Ints, "B, W, M"]
    near_m2: Annotated[Floats, "B, W, M"]  # squared distances
    moved: Annotated[Bytes, "B, W"]  # is elsewhere than at the epoch before
    busy: Annotated[Bytes, "B, W"]  # not idle at the epoch before
    stirred: Annotated[Bytes, "B, W"]  # has moved, or was or is busy: others see it change
    movers: Annotated[Ints, "B, N, crew"]  # those of each centre that have moved
    num_movers: Annotated[Ints, "B, N"]


class StepOutput(NamedTuple):
    """What one step made, and what the next decision is based on.

    Everything from ``outcome`` on is made by one step: `begin_step` writes zeros into it.
    """

    mask: Annotated[Bytes, "B, W, K + 1"]
    candidates: Annotated[Ints, "B, W, K"]  # task ids, or -1
    outcome: Annotated[Bytes, "B, W"]  # Outcome
    preference: Annotated[Floats, "B, W"]  # the true p_w(c_s) where a task was accepted, else 0


_MADE_BY_STEP = StepOutput._fields.index("outcome")


@kernel
def begin_step(output: StepOutput, b: int) -> None:
    """Clear what the step before made in copy ``b``."""
    zero(output[_MADE_BY_STEP:], b)


class PreferenceState(NamedTuple):
    """All of the above."""

    workers: Workers
    tasks: Tasks
    pairs: Pairs
    near_tasks: NearTasks
    colleagues: Colleagues
    output: StepOutput
    unseen: Annotated[Bytes, "B"]  # 1 until the first observation of an episode is written


class Sizes(NamedTuple):
    """How large the arrays are."""

    batch: int
    workers: int
    centres: int
    tasks: int
    nodes: int
    candidates: int


def empty_state(sizes: Sizes, box: Box) -> PreferenceState:
    """Arrays for ``sizes.batch`` copies in a city with these ends, nothing in them yet."""
    crew = -(-sizes.workers // sizes.centres)
    axes = {"B": sizes.batch, "W": sizes.workers, "T": sizes.tasks, "N": sizes.centres, "K": sizes.candidates}
    axes |= {"C": NUM_CATEGORIES, "M": NEIGHBOURS, "spare": SPARE, "crew": crew, "nodes": sizes.nodes}
    colleagues = allocate(Colleagues, axes, grids=Grid.empty(sizes.batch * sizes.centres, crew, box))
    return allocate(PreferenceState, axes, colleagues=colleagues)
