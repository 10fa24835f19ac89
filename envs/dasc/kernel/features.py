"""The features of DASC's observations and global state: their names, and by the same names the columns of a row.

`SELF.elapsed` is the column of "elapsed" in a row that describes the subtask itself, as a plain number that compiled
loops can read. The names are written once: what comes first in a class is column 0.
"""

from typing import NamedTuple

from crowdgym.envs.dasc.instance import NUM_SKILLS

SKILL_FLAGS = tuple(f"skill_{k}" for k in range(NUM_SKILLS))  # the last columns of a row that has them


class SelfColumns(NamedTuple):
    """The subtask itself; a flag for each skill comes behind.

    From ``unassigned`` on: no worker, or the status of its worker in the order of `WorkerStatus`.
    """

    x: int
    y: int
    unassigned: int
    travelling: int
    waiting: int
    working: int
    finished: int
    assignable: int
    elapsed: int
    duration: int
    critical_path: int
    slack_expected: int
    slack_deadline: int
    until_ready: int
    until_start: int
    until_finish: int
    predecessors: int
    predecessors_unassigned: int
    predecessors_unfinished: int
    successors: int


class TaskColumns(NamedTuple):
    """The task of a subtask: the same for all of its subtasks."""

    until_expected: int
    until_deadline: int
    payment_now: int
    share: int
    subtasks: int
    subtasks_unassigned: int
    subtasks_finished: int
    work_left: int


class CandidateColumns(NamedTuple):
    """A worker behind an action."""

    present: int
    dx: int
    dy: int
    distance_by_road: int
    u_skill: int
    u_dist: int
    utility: int


class WorkerColumns(NamedTuple):
    """An idle worker."""

    present: int
    dx: int
    dy: int
    distance: int
    able: int
    skills_met: int


class SubtaskColumns(NamedTuple):
    """Another subtask. Up to ``share`` it is the same for every observer, and worked out once an epoch."""

    present: int
    slack_expected: int
    slack_deadline: int
    duration: int
    share: int
    dx: int
    dy: int
    distance: int
    same_task: int
    shared_skills: int


SELF = SelfColumns._make(range(len(SelfColumns._fields)))
TASK = TaskColumns._make(range(len(TaskColumns._fields)))
CANDIDATE = CandidateColumns._make(range(len(CandidateColumns._fields)))
WORKER = WorkerColumns._make(range(len(WorkerColumns._fields)))
SUBTASK = SubtaskColumns._make(range(len(SubtaskColumns._fields)))

SELF_FEATURES = SelfColumns._fields + SKILL_FLAGS
TASK_FEATURES = TaskColumns._fields
CANDIDATE_FEATURES = CandidateColumns._fields
WORKER_FEATURES = WorkerColumns._fields
SUBTASK_FEATURES = SubtaskColumns._fields

FIRST_SKILL = len(SELF)  # column of the first flag of a skill
SUBTASK_TO_ALL = SUBTASK.dx  # how many numbers of a subtask are the same for every observer

WORKER_STATE = ("x", "y", "idle", "travelling", "waiting", "working", "released", "until_idle", *SKILL_FLAGS)
SUBTASK_STATE = (
    *("x", "y", "unassigned", "assigned", "finished", "failed", "live", "duration", "slack_expected", "slack_deadline"),
    *("until_expected", "until_deadline", "until_finish", "share"),
    *SKILL_FLAGS,
)
