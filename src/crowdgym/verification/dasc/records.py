"""Input and output of the solution checker of DASC: the instance, the log, and the violations."""

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
    """All that is fixed before the first step: the roads, the workers, the tasks, their subtasks and the constants.

    Raises:
        DataError: If shapes do not agree, a node or subtask is not there, or a number is out of its bounds.
    """

    indptr: IntArray  # [N + 1] the roads out of node n are indptr[n] .. indptr[n + 1]
    indices: IntArray  # [A] where each leads; at most one from a node to another
    length: IntArray  # [A] in units of unit_m, at least 1
    unit_m: float
    worker_node: IntArray  # [W] where each worker starts
    worker_skills: BoolArray  # [W, K]
    created_s: FloatArray  # [Q]
    expected_s: FloatArray  # [Q]
    deadline_s: FloatArray  # [Q]
    max_payment: FloatArray  # [Q]
    subtask_task: IntArray  # [S]
    subtask_node: IntArray  # [S]
    subtask_skills: BoolArray  # [S, K] all of which its worker must have
    duration_s: FloatArray  # [S]
    predecessors: tuple[tuple[int, ...], ...]  # [S]
    horizon_s: float
    step_s: float
    speed_mps: float
    range_m: float
    penalty_per_s: float  # currency
    travel_cost_per_m: float  # currency
    max_candidates: int
    num_slots: int  # agents: subtasks and empty slots
    selects: bool  # subtasks ask for one of their candidates, else any able worker may be matched
    after_finish: bool  # predecessors must be finished before a subtask gets a worker, else they must have one

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
        """Q."""
        return len(self.created_s)

    @property
    def num_subtasks(self) -> int:
        """S."""
        return len(self.subtask_task)

    def subtasks_of(self, task: int) -> list[int]:
        """The numbers of a task's subtasks."""
        return [int(i) for i in np.flatnonzero(self.subtask_task == task)]

    def __post_init__(self) -> None:
        """Refuse an invalid instance."""
        self._refuse_shapes()
        refuse_bad_roads(self)
        bounds = {"worker_node": self.num_nodes, "subtask_node": self.num_nodes, "subtask_task": self.num_tasks}
        for name, bound in bounds.items():
            refuse_outside(name, getattr(self, name), bound)
        for name in ("created_s", "expected_s", "deadline_s", "max_payment", "duration_s"):
            if not np.all(np.isfinite(getattr(self, name))):
                raise DataError(f"{name} holds a number that is not finite")
        for subtask, before in enumerate(self.predecessors):
            for other in before:
                if not 0 <= other < self.num_subtasks or self.subtask_task[other] != self.subtask_task[subtask]:
                    raise DataError(f"subtask {subtask} has the predecessor {other}, expected one of its own task")
        refuse_figures(
            self,
            positive=("unit_m", "horizon_s", "step_s", "speed_mps", "max_candidates"),
            not_negative=("range_m", "penalty_per_s", "travel_cost_per_m"),
        )

    def _refuse_shapes(self) -> None:
        workers, tasks, subtasks = self.num_workers, self.num_tasks, self.num_subtasks
        skills = self.worker_skills.shape[-1]
        shapes: dict[str, tuple[int, ...]] = {
            "worker_skills": (workers, skills),
            "subtask_skills": (subtasks, skills),
            **dict.fromkeys(("expected_s", "deadline_s", "max_payment"), (tasks,)),
            **dict.fromkeys(("subtask_node", "duration_s"), (subtasks,)),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise DataError(f"{name} has shape {getattr(self, name).shape}, expected {shape}")
        if len(self.predecessors) != subtasks:
            raise DataError(f"predecessors has {len(self.predecessors)} entries, expected {subtasks}: one a subtask")


@dataclass(frozen=True)
class Assignment:
    """One subtask given to one worker, as the environment reports it. NaN and -1: the event has not happened.

    Attributes:
        worker: Who.
        subtask: What.
        taken_s: The epoch at which they were matched.
        from_node: Where the worker stood.
        arrive_s: When it arrives; as planned at the match, as are the next two, whatever happened later.
        start_s: When the work starts.
        finish_s: When it is finished.
        idle_node: Where the worker became idle (or will, if it walks on at the end of the log); -1 while it is busy.
        idle_s: When; may lie after the end of the log; NaN while it is busy.
    """

    worker: int
    subtask: int
    taken_s: float
    from_node: int
    arrive_s: float
    start_s: float
    finish_s: float
    idle_node: int
    idle_s: float


class SubtaskStatus(Enum):
    """The status of a subtask at the end of the log."""

    ABSENT = "absent"
    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    FINISHED = "finished"
    FAILED = "failed"


class TaskStatus(Enum):
    """The status of a task at the end of the log."""

    PENDING = "pending"
    OPEN = "open"
    FINISHED = "finished"
    EXPIRED = "expired"


@dataclass(frozen=True)
class TaskOutcome:
    """The outcome of a task: its status, and the time it finished or expired (else NaN)."""

    status: TaskStatus
    end_s: float


@dataclass(frozen=True)
class Payment:
    """An amount paid for a task, and the epoch at which it was first seen to be."""

    task: int
    seen_s: float
    amount: float


@dataclass(frozen=True)
class Totals:
    """The environment's metrics at the end of the log."""

    revenue: float
    travel_cost: float
    profit: float
    completed: int
    expired: int
    assigned: int
    travel_m: float
    illegal: int
    invalid: int
    unmatched: int


@dataclass(frozen=True)
class Schedule:
    """The log: what the environment claims to have happened up to ``until_s``."""

    until_s: float  # the epoch at which the log was closed; the horizon for a whole episode
    assignments: tuple[Assignment, ...]  # in any order
    subtasks: tuple[SubtaskStatus, ...]  # [S]
    tasks: tuple[TaskOutcome, ...]  # [Q]
    payments: tuple[Payment, ...]  # in any order
    totals: Totals


class ViolationKind(Enum):
    """The kinds of violations. The values are texts for users."""

    UNKNOWN_ID = "names a worker, subtask, task or node that is not there"
    NOT_AN_EPOCH = "happens at a time that is not an epoch"
    INCOMPLETE = "ends before the horizon"
    MISSING_SKILL = "is given to a worker who lacks a skill that it requires"
    OUT_OF_RANGE = "is given to a worker out of range"
    NOT_A_CANDIDATE = "is given to a worker who is not among the K nearest able ones"
    NOT_OPEN = "is given away while its task is not open"
    PREDECESSOR_UNASSIGNED = "is given away before a predecessor has a worker"
    PREDECESSOR_UNFINISHED = "is given away before a predecessor is finished"
    SERVED_TWICE = "is given away though it has a worker"
    NOT_IDLE = "is given to a busy worker, who would be in two places at once"
    WRONG_ORIGIN = "is given to a worker who sets out from elsewhere than where it last became idle"
    TOO_FAST = "is reached sooner than the roads allow"
    TOO_SLOW = "is reached later than it must"
    BEFORE_ARRIVAL = "starts before its worker is there"
    BEFORE_PREDECESSOR = "starts before a predecessor is finished"
    STARTS_LATE = "starts later than it must"
    FINISHES_EARLY = "finishes before its duration is over"
    FINISHES_LATE = "finishes after its duration is over"
    WRONG_RELEASE = "has a worker who is idle though busy, or busy though free"
    WRONG_IDLE_NODE = "leaves its worker idle at another node than it must"
    OFF_PATH = "leaves its worker idle off every shortest path"
    WRONG_IDLE_TIME = "leaves its worker idle at a time at which it cannot be"
    WRONG_SUBTASK_STATUS = "has a status that does not go with its times"
    UNFINISHED = "counts as finished although a subtask is not"
    AFTER_DEADLINE = "counts as finished although its deadline had passed"
    EXPIRED_THOUGH_DONE = "counts as expired although all was finished in time"
    WRONG_STATUS = "has a status that does not go with its times"
    WRONG_END = "ends at a time at which it cannot end"
    WRONG_PAYMENT = "is paid otherwise than in full although it is in time"
    LATE_PAYMENT = "is late and is paid otherwise than the penalty leaves"
    PAID_UNFINISHED = "is paid although it is not finished"
    PAID_TWICE = "is paid more than once"
    PAID_AT_WRONG_TIME = "is paid at another time than it finishes"
    REVENUE_TOTAL = "revenue is not the sum of the payments"
    TRAVEL_TOTAL = "travel is not the sum of the trips"
    TRAVEL_COST_TOTAL = "travel cost is not that of the trips"
    PROFIT_TOTAL = "profit is not revenue less travel cost"
    COMPLETED_TOTAL = "completed is not the number of finished tasks"
    EXPIRED_TOTAL = "expired is not the number of expired tasks"
    ASSIGNED_TOTAL = "assigned is not the number of subtasks that got a worker"
    ACTIONS_TOTAL = "illegal, invalid and unmatched actions are fewer than none or more than there was room for"


@dataclass(frozen=True)
class Violation(BrokenRule):
    """One violation of a rule; fields that do not apply are None."""

    kind: ViolationKind
    subtask: int | None
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
        subtask: int | None = None,
        worker: int | None = None,
        task: int | None = None,
        time_s: float | None = None,
    ) -> "Violation":
        """Make a violation with its sentence."""
        message = sentence(kind, expected, found, at(time_s), subtask=subtask, worker=worker, task=task)
        return cls(kind, expected, found, message, subtask, worker, task, time_s)
