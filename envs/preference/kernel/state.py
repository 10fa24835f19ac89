"""The state of `preference_v0`: a structure of arrays, the leading axis of each the B copies of the environment."""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.core.neighbours import Line
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

    centre: Ints  # [B, W]
    history_share: Floats  # [B, W, C]
    preference: Floats  # [B, W, C] p_w; hidden truth
    status: Bytes  # [B, W] WorkerStatus
    node: Ints  # [B, W] where it is, or where it set out from while driving
    task: Ints  # [B, W] the task it drives to or serves, or -1
    depart_s: Floats  # [B, W] when it last set out for a task, or NaN
    arrive_s: Floats  # [B, W] when it arrives (arrived) there, or NaN
    free_s: Floats  # [B, W] when it became idle, or will be
    leg_units: Ints  # [B, W] length of the way it is on
    goal: Ints  # [B, W] the node where the way it is on ends
    trail_node: Ints  # [B, W] last node passed by the latest epoch while driving
    trail_units: Ints  # [B, W] length of the way up to there
    trail_arc: Ints  # [B, W] the arc it goes on by from there, or -1 while that is not known
    driven_units: Wholes  # [B, W] length of the ways that have ended
    accepted: Ints  # [B, W, C] offers accepted so far, by category
    declined: Ints  # [B, W, C]
    contested: Ints  # [B, W]
    illegal: Ints  # [B, W] actions that were not legal
    x_m: Floats  # [B, W] position at the latest epoch
    y_m: Floats  # [B, W]


class Tasks(NamedTuple):
    """Tasks: what they are, and what has become of them."""

    node: Ints  # [B, T]
    category: Bytes  # [B, T]
    created_s: Floats  # [B, T] t_c
    expiry_s: Floats  # [B, T] e
    x_m: Floats  # [B, T]
    y_m: Floats  # [B, T]
    status: Bytes  # [B, T] TaskStatus
    declines: Ints  # [B, T]
    worker: Ints  # [B, T] who accepted it, or -1
    end_s: Floats  # [B, T] when it was accepted, closed or expired; NaN before
    preference: Floats  # [B, T] the true p_w(c_s) of who accepted it, else 0
    asker: Ints  # [B, T] the nearest worker that asks for it in this step, or -1; room to work in
    rivals: Ints  # [B, T] workers, of all centres, that can reach it


class Pairs(NamedTuple):
    """Workers with tasks."""

    to_tasks: NDArray[np.uint16]  # [B, nodes, T] distance along roads from every node to each task, in units
    willing: Bytes  # [B, W, T] whether the worker would accept; hidden truth
    dead: Bytes  # [B, W, T] whether it has declined


class NearTasks(NamedTuple):
    """The open tasks that each idle worker can reach, as `candidates.py` keeps them."""

    bound_units: NDArray[np.uint16]  # [B, T] how near a worker must be to each task; 0 where it is not open
    opened: Ints  # [B, T] tasks that were not open before
    keys: Wholes  # [B, W, K + SPARE] distance in units and id in one number, ascending; the smallest
    kept: Ints  # [B, W] how many of them there are, or UNLISTED


class Colleagues(NamedTuple):
    """Workers of the same centre that are near each other by straight line, kept from epoch to epoch."""

    by_x: Ints  # [B, W] ids, by place from west to east
    lines: Line  # one for each copy and centre: row b * N + centre
    near: Ints  # [B, W, NEIGHBOURS]
    near_m2: Floats  # [B, W, NEIGHBOURS] squared distances
    moved: Bytes  # [B, W] is elsewhere than at the epoch before
    busy: Bytes  # [B, W] not idle at the epoch before
    stirred: Bytes  # [B, W] has moved, or was or is busy: others see it change
    movers: Ints  # [B, N, crew] those of each centre that have moved
    num_movers: Ints  # [B, N]


class StepOutput(NamedTuple):
    """What one step made, and what the next decision is based on."""

    mask: Bytes  # [B, W, K + 1]
    candidates: Ints  # [B, W, K] task ids, or -1
    outcome: Bytes  # [B, W] Outcome
    preference: Floats  # [B, W] the true p_w(c_s) where a task was accepted, else 0


class PreferenceState(NamedTuple):
    """All of the above."""

    workers: Workers
    tasks: Tasks
    pairs: Pairs
    near_tasks: NearTasks
    colleagues: Colleagues
    output: StepOutput
    unseen: Bytes  # [B] 1 until the first observation of an episode is written


class Sizes(NamedTuple):
    """How large the arrays are."""

    batch: int
    workers: int
    centres: int
    tasks: int
    nodes: int
    candidates: int


def empty_state(sizes: Sizes) -> PreferenceState:
    """Arrays for ``sizes.batch`` copies, nothing in them yet."""
    batch, crew = sizes.batch, -(-sizes.workers // sizes.centres)
    bw, bt = (batch, sizes.workers), (batch, sizes.tasks)
    bwc, bwt, bwn = (*bw, NUM_CATEGORIES), (*bw, sizes.tasks), (*bw, NEIGHBOURS)
    of_workers: dict[str, tuple[int, ...]] = dict.fromkeys(("history_share", "preference", "accepted", "declined"), bwc)
    return PreferenceState(
        Workers(**{name: _zeros(Workers, name, of_workers.get(name, bw)) for name in Workers._fields}),
        Tasks(**{name: _zeros(Tasks, name, bt) for name in Tasks._fields}),
        Pairs(np.zeros((batch, sizes.nodes, sizes.tasks), np.uint16), np.zeros(bwt, np.int8), np.zeros(bwt, np.int8)),
        NearTasks(
            bound_units=np.zeros(bt, np.uint16),
            opened=np.zeros(bt, np.int32),
            keys=np.zeros((*bw, sizes.candidates + SPARE), np.int64),
            kept=np.zeros(bw, np.int32),
        ),
        Colleagues(
            by_x=np.zeros(bw, np.int32),
            lines=Line.empty(batch * sizes.centres, crew),
            near=np.zeros(bwn, np.int32),
            near_m2=np.zeros(bwn),
            moved=np.zeros(bw, np.int8),
            busy=np.zeros(bw, np.int8),
            stirred=np.zeros(bw, np.int8),
            movers=np.zeros((batch, sizes.centres, crew), np.int32),
            num_movers=np.zeros((batch, sizes.centres), np.int32),
        ),
        StepOutput(
            mask=np.zeros((*bw, sizes.candidates + 1), np.int8),
            candidates=np.zeros((*bw, sizes.candidates), np.int32),
            outcome=np.zeros(bw, np.int8),
            preference=np.zeros(bw),
        ),
        np.zeros(batch, np.int8),
    )


_TYPES = {Ints: np.int32, Wholes: np.int64, Floats: np.float64, Bytes: np.int8}


def _zeros(owner: type, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Zeros of the type that a field is declared with."""
    return np.zeros(shape, _TYPES[owner.__annotations__[name]])
