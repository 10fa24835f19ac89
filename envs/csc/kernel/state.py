"""The state of CSC: a structure of arrays, the leading axis of each the B copies of the environment."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.core.neighbours import Line
from crowdgym.envs.csc.instance import NUM_SKILLS

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Bytes = NDArray[np.int8]
Keys = NDArray[np.int64]

NEIGHBOURS = 5  # rows of each set of neighbours in an observation
SPARE = 6  # tasks that an idle worker keeps beyond those it is offered, so as not to search again as soon as one ends
UNLISTED = -1  # a worker has become idle, and what it may take is not known yet
UNBOUNDED = 2**62  # a key greater than any


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

    skill_bits: NDArray[np.uint8]  # [B, W] the set of its skills: bit k for skill k
    status: Bytes  # [B, W] WorkerStatus
    node: Ints  # [B, W] where it is, or where it set out from while under way
    task: Ints  # [B, W] the task it travels to or works at, or -1
    depart_s: Floats  # [B, W] when it last set out for a task, or NaN
    arrive_s: Floats  # [B, W] when it arrives (arrived) there; NaN if it never will
    free_s: Floats  # [B, W] when it became idle, or will be once released
    leg_units: Ints  # [B, W] length of the way it is on
    goal: Ints  # [B, W] the node where the way it is on ends
    trail_node: Ints  # [B, W] last node passed by the latest epoch while under way
    trail_units: Ints  # [B, W] length of the way up to there
    trail_arc: Ints  # [B, W] the arc it goes on by from there, or -1 while that is not known
    driven_units: NDArray[np.int64]  # [B, W] length of the ways that have ended
    illegal: Ints  # [B, W] actions that were not legal
    next_worker: Ints  # [B, W] the next worker in a task's list, or -1
    x_m: Floats  # [B, W] position at the latest epoch
    y_m: Floats  # [B, W]


class Tasks(NamedTuple):
    """Tasks: what they are, and what has become of them."""

    node: Ints  # [B, T]
    skill: Bytes  # [B, T]
    created_s: Floats  # [B, T] t_c
    expected_s: Floats  # [B, T] t_e
    deadline_s: Floats  # [B, T] t_d
    workload_s: Floats  # [B, T] q
    payment: Floats  # [B, T] rho_max
    x_m: Floats  # [B, T]
    y_m: Floats  # [B, T]
    status: Bytes  # [B, T] TaskStatus
    work_left_s: Floats  # [B, T] worker-seconds left at ``since_s``
    since_s: Floats  # [B, T] the latest arrival
    present: Ints  # [B, T] workers at it
    en_route: Ints  # [B, T] workers on their way to it
    first_present: Ints  # [B, T] list of those at it, latest arrival first
    first_en_route: Ints  # [B, T] list of those on their way, by (arrival, worker)
    end_s: Floats  # [B, T] when it finished or expired; NaN before
    paid: Floats  # [B, T] rho; 0 before


class Distances(NamedTuple):
    """Distances along roads, in units."""

    to_tasks: NDArray[np.uint16]  # [B, N, T] from every node to each task


class Choices(NamedTuple):
    """The open tasks of its skills within range that are nearest to each idle worker, as `candidates.py` keeps them."""

    keys: Keys  # [B, W, K + SPARE] distance in units and id in one number, ascending
    kept: Ints  # [B, W] how many of them hold, or UNLISTED
    bound: Keys  # [B, W] all with a smaller key are in the list; UNBOUNDED: all there are
    open_ids: Ints  # [B, T] open tasks by (skill, id)
    open_ends: Ints  # [B, skills] where those of a skill end therein


class StepOutput(NamedTuple):
    """What one step made, and what the next decision is based on."""

    mask: Bytes  # [B, W, K + 1]
    candidates: Ints  # [B, W, K] task ids, or -1
    share: Floats  # [B, W] payments of the interval by contribution
    revenue: Floats  # [B] payments of the interval
    remaining_s: Floats  # [B, W] remaining working time of the task just taken, else 0


class NeighbourLists(NamedTuple):
    """Who is near whom at the latest epoch; at the next one only what has changed is worked out anew.

    Near means by straight line. Lists are sorted by (distance, id), with ``neighbours.NOBODY`` in place of who is not
    there.
    """

    unseen: Bytes  # [B] 1 as long as nobody has looked at the episode: nothing below holds
    everyone: Line
    idle: Line
    open_tasks: Line
    workers_by_x: Ints  # [B, W] ids, by place from west to east
    tasks_by_x: Ints  # [B, T]
    all_workers: Bytes  # [B, W] ones
    slot_everyone: Ints  # [B, W] where each worker belongs in the lines
    slot_idle: Ints  # [B, W]
    slot_open: Ints  # [B, W]
    moved: Bytes  # [B, W] is elsewhere than at the epoch before
    was_idle: Bytes  # [B, W]
    was_open: Bytes  # [B, T]
    ended: Bytes  # [B, T] was open and is no longer
    left_idle: Bytes  # [B, W] was idle where it is no longer
    became_idle: Ints  # [B, W] ids of who is idle where it was not before
    opened: Ints  # [B, T] ids of tasks that were not open before
    num_opened: Ints  # [B]
    num_ended: Ints  # [B]
    near_tasks: Ints  # [B, W, NEIGHBOURS] open ones
    near_tasks_m2: Floats  # [B, W, NEIGHBOURS] squared distances
    near_workers: Ints  # [B, W, NEIGHBOURS]
    near_workers_m2: Floats  # [B, W, NEIGHBOURS]
    near_idle: Ints  # [B, W, NEIGHBOURS]
    near_idle_m2: Floats  # [B, W, NEIGHBOURS]
    task_rows: NDArray[np.float32]  # [B, T, 7] what each open task is to everyone; see observation.py
    worker_rows: NDArray[np.float32]  # [B, W, 4] the same of each worker

    @classmethod
    def empty(cls, batch: int, workers: int, tasks: int) -> "NeighbourLists":
        """Room for ``batch`` copies that nobody has looked at."""
        bw, bt, bn = (batch, workers), (batch, tasks), (batch, workers, NEIGHBOURS)
        return cls(
            unseen=np.ones(batch, np.int8),
            everyone=Line.empty(batch, workers),
            idle=Line.empty(batch, workers),
            open_tasks=Line.empty(batch, tasks),
            workers_by_x=np.zeros(bw, np.int32),
            tasks_by_x=np.zeros(bt, np.int32),
            all_workers=np.ones(bw, np.int8),
            slot_everyone=np.zeros(bw, np.int32),
            slot_idle=np.zeros(bw, np.int32),
            slot_open=np.zeros(bw, np.int32),
            moved=np.zeros(bw, np.int8),
            was_idle=np.zeros(bw, np.int8),
            was_open=np.zeros(bt, np.int8),
            ended=np.zeros(bt, np.int8),
            left_idle=np.zeros(bw, np.int8),
            became_idle=np.zeros(bw, np.int32),
            opened=np.zeros(bt, np.int32),
            num_opened=np.zeros(batch, np.int32),
            num_ended=np.zeros(batch, np.int32),
            near_tasks=np.zeros(bn, np.int32),
            near_tasks_m2=np.zeros(bn),
            near_workers=np.zeros(bn, np.int32),
            near_workers_m2=np.zeros(bn),
            near_idle=np.zeros(bn, np.int32),
            near_idle_m2=np.zeros(bn),
            task_rows=np.zeros((*bt, 7), np.float32),
            worker_rows=np.zeros((*bw, 4), np.float32),
        )


class CscState(NamedTuple):
    """All of the above."""

    workers: Workers
    tasks: Tasks
    distances: Distances
    choices: Choices
    output: StepOutput
    neighbour_lists: NeighbourLists


def empty_state(batch: int, workers: int, tasks: int, nodes: int, candidates: int) -> CscState:
    """Arrays for ``batch`` copies, nothing in them yet."""
    bw, bt = (batch, workers), (batch, tasks)

    def ints(*shape: int) -> Ints:
        return np.zeros(shape, np.int32)

    def floats(*shape: int) -> Floats:
        return np.zeros(shape, np.float64)

    def octets(*shape: int) -> Bytes:
        return np.zeros(shape, np.int8)

    return CscState(
        Workers(
            skill_bits=np.zeros(bw, np.uint8),
            status=octets(*bw),
            node=ints(*bw),
            task=ints(*bw),
            depart_s=floats(*bw),
            arrive_s=floats(*bw),
            free_s=floats(*bw),
            leg_units=ints(*bw),
            goal=ints(*bw),
            trail_node=ints(*bw),
            trail_units=ints(*bw),
            trail_arc=ints(*bw),
            driven_units=np.zeros(bw, np.int64),
            illegal=ints(*bw),
            next_worker=ints(*bw),
            x_m=floats(*bw),
            y_m=floats(*bw),
        ),
        Tasks(
            node=ints(*bt),
            skill=octets(*bt),
            created_s=floats(*bt),
            expected_s=floats(*bt),
            deadline_s=floats(*bt),
            workload_s=floats(*bt),
            payment=floats(*bt),
            x_m=floats(*bt),
            y_m=floats(*bt),
            status=octets(*bt),
            work_left_s=floats(*bt),
            since_s=floats(*bt),
            present=ints(*bt),
            en_route=ints(*bt),
            first_present=ints(*bt),
            first_en_route=ints(*bt),
            end_s=floats(*bt),
            paid=floats(*bt),
        ),
        Distances(to_tasks=np.zeros((batch, nodes, tasks), np.uint16)),
        Choices(
            keys=np.zeros((*bw, candidates + SPARE), np.int64),
            kept=ints(*bw),
            bound=np.zeros(bw, np.int64),
            open_ids=ints(*bt),
            open_ends=ints(batch, NUM_SKILLS),
        ),
        StepOutput(
            mask=octets(*bw, candidates + 1),
            candidates=ints(*bw, candidates),
            share=floats(*bw),
            revenue=floats(batch),
            remaining_s=floats(*bw),
        ),
        NeighbourLists.empty(batch, workers, tasks),
    )
