"""Input and output of the solution checker of CSC: the instance, the log, and the violations."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from crowdgym.common.errors import DataError
from crowdgym.verification.checked_roads import (
    BoolArray,
    FloatArray,
    IntArray,
    refuse_bad_roads,
    refuse_figures,
    refuse_outside,
)
from crowdgym.verification.violations import BrokenRule, at, sentence


@dataclass(frozen=True)
class CheckedInstance:
    """Everything that is fixed before the first step: the roads, the workers, the tasks and the constants.

    Raises:
        DataError: If shapes do not agree, a node or skill is not there, or a number is out of its bounds.
    """

    indptr: IntArray  # [N + 1] the roads out of node n are indptr[n] .. indptr[n + 1]
    indices: IntArray  # [A] where each leads; at most one from a node to another
    length: IntArray  # [A] in units of unit_m, at least 1
    unit_m: float
    worker_node: IntArray  # [W] where each worker starts
    worker_skills: BoolArray  # [W, S]
    task_node: IntArray  # [T]
    task_skill: IntArray  # [T]
    created_s: FloatArray  # [T]
    expected_s: FloatArray  # [T]
    deadline_s: FloatArray  # [T]
    workload_s: FloatArray  # [T] worker-seconds
    max_payment: FloatArray  # [T]
    horizon_s: float
    step_s: float
    speed_mps: float
    range_m: float
    penalty_per_s: float
    max_candidates: int

    @property
    def num_nodes(self) -> int:
        """N."""
        return len(self.indptr) - 1

    @property
    def num_workers(self) -> int:
        """W."""
        return len(self.worker_node)

    @property
    def num_tasks(self) -> int:
        """T."""
        return len(self.task_node)

    def __post_init__(self) -> None:
        """Refuse an invalid instance."""
        nodes, workers, tasks = self.num_nodes, self.num_workers, self.num_tasks
        if self.worker_skills.ndim != 2 or len(self.worker_skills) != workers:
            raise DataError(f"worker_skills has shape {self.worker_skills.shape}, expected ({workers}, skills)")
        for name in ("task_skill", "created_s", "expected_s", "deadline_s", "workload_s", "max_payment"):
            shape = getattr(self, name).shape
            if shape != (tasks,):
                raise DataError(f"{name} has shape {shape}, expected ({tasks},): one entry per task")
        refuse_bad_roads(self)
        for name, bound in (("worker_node", nodes), ("task_node", nodes)):
            refuse_outside(name, getattr(self, name), bound)
        refuse_outside("task_skill", self.task_skill, self.worker_skills.shape[1])
        for name in ("created_s", "expected_s", "deadline_s", "workload_s", "max_payment"):
            if not np.all(np.isfinite(getattr(self, name))):
                raise DataError(f"{name} holds a number that is not finite")
        refuse_figures(
            self,
            positive=("unit_m", "horizon_s", "step_s", "speed_mps", "max_candidates"),
            not_negative=("range_m", "penalty_per_s"),
        )


@dataclass(frozen=True)
class Assignment:
    """One task taken by one worker, as the environment reports it. NaN and -1: the event has not happened.

    Attributes:
        worker: Who.
        task: What.
        taken_s: The epoch at which the action was given.
        from_node: Where the worker stood.
        arrival_s: When it arrived; NaN if it had not by the end of the log or before the task ended.
        release_s: When the task ended; NaN if it had not by the end of the log.
        idle_node: Where the worker became idle (or will, if it walks on at the end of the log); -1 before the release.
        idle_s: When; may lie after the end of the log; NaN before the release.
    """

    worker: int
    task: int
    taken_s: float
    from_node: int
    arrival_s: float
    release_s: float
    idle_node: int
    idle_s: float


class TaskStatus(Enum):
    """The status of a task at the end of the log."""

    PENDING = "pending"
    OPEN = "open"
    FINISHED = "finished"
    EXPIRED = "expired"


@dataclass(frozen=True)
class TaskOutcome:
    """The outcome of a task: its status, the time it finished or expired (else NaN), and the payment."""

    status: TaskStatus
    end_s: float
    payment: float


@dataclass(frozen=True)
class Totals:
    """The environment's metrics at the end of the log."""

    revenue: float
    completed: int
    expired: int
    travel_m: float
    illegal: int


@dataclass(frozen=True)
class Schedule:
    """The log: what the environment claims to have happened up to ``until_s``."""

    until_s: float  # the epoch at which the log was closed; the horizon for a whole episode
    assignments: tuple[Assignment, ...]  # in any order
    tasks: tuple[TaskOutcome, ...]  # [T]
    totals: Totals


class ViolationKind(Enum):
    """The kinds of violations. The values are texts for users."""

    UNKNOWN_ID = "names a worker, task or node that is not there"
    NOT_AN_EPOCH = "happens at a time that is not an epoch"
    INCOMPLETE = "ends before the horizon"
    WRONG_SKILL = "takes a task without the skill"
    NOT_OPEN = "takes a task that is not open"
    OUT_OF_RANGE = "takes a task out of range"
    NOT_A_CANDIDATE = "takes a task that is not among the nearest K"
    NOT_IDLE = "takes a task while busy: is in two places at once"
    WRONG_ORIGIN = "sets out from elsewhere than where it last became idle"
    TOO_FAST = "arrives sooner than the roads allow"
    TOO_SLOW = "arrives later than it must"
    WRONG_PRESENCE = "is present where it cannot be, or absent where it must be present"
    WRONG_RELEASE_TIME = "is released at another time than its task ends"
    OFF_PATH = "becomes idle off every shortest path"
    WRONG_RELEASE_NODE = "becomes idle at another node than the first it reaches"
    WRONG_IDLE_TIME = "becomes idle at a time at which it cannot be there"
    WORK_MISMATCH = "was worked at for more or less than its workload"
    EXPIRED_THOUGH_DONE = "counts as expired although its work was done in time"
    AFTER_DEADLINE = "counts as finished although its deadline had passed"
    WRONG_STATUS = "has a status that does not go with its times"
    WRONG_END = "ends at a time at which it cannot end"
    WRONG_PAYMENT = "is paid otherwise than the formula says"
    REVENUE_TOTAL = "revenue is not the sum of the payments"
    COMPLETED_TOTAL = "completed is not the number of finished tasks"
    EXPIRED_TOTAL = "expired is not the number of expired tasks"
    TRAVEL_TOTAL = "travel is not the sum of the trips"
    WRONG_REWARD = "earns another reward than it is credited with"
    ILLEGAL_TOTAL = "illegal actions are fewer than none or more than there was room for"


@dataclass(frozen=True)
class Violation(BrokenRule):
    """One violation of a rule. ``worker``, ``task`` and ``time_s`` are None if they do not apply."""

    kind: ViolationKind
    worker: int | None
    task: int | None
    time_s: float | None

    @classmethod
    def of(
        cls,
        kind: ViolationKind,
        expected: float | str,
        found: float | str,
        *,
        worker: int | None = None,
        task: int | None = None,
        time_s: float | None = None,
    ) -> "Violation":
        """Make a violation with its sentence."""
        message = sentence(kind, expected, found, at(time_s), worker=worker, task=task)
        return cls(kind, expected, found, message, worker, task, time_s)
