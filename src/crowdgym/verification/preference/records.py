"""What the solution checker of ``preference_v0`` reads and answers: the instance, the log, and the violations."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from crowdgym.common.errors import DataError
from crowdgym.verification.checked_roads import (
    FloatArray,
    IntArray,
    refuse_bad_roads,
    refuse_figures,
    refuse_outside,
)
from crowdgym.verification.violations import BrokenRule, at, sentence


@dataclass(frozen=True)
class CheckedInstance:
    """What was fixed before the first step: the roads, the workers, the tasks, the lots and the constants.

    Raises:
        DataError: If shapes do not agree, a node or category is not there, or a number is out of its bounds.
    """

    indptr: IntArray  # [N + 1] the roads out of node n are indptr[n] .. indptr[n + 1]
    indices: IntArray  # [A] where each leads; at most one from a node to another
    length: IntArray  # [A] in units of unit_m, at least 1
    unit_m: float
    worker_node: IntArray  # [W] where each worker starts
    preference: FloatArray  # [W, C] true distribution over categories
    lots: FloatArray  # [W, T]
    task_node: IntArray  # [T]
    task_category: IntArray  # [T]
    created_s: FloatArray  # [T]
    expiry_s: FloatArray  # [T]
    horizon_s: float
    step_s: float
    speed_mps: float
    range_m: float
    max_candidates: int
    service_s: float
    pause_s: float
    max_offers: int
    always_accepts: bool
    acceptance_min: float
    acceptance_max: float
    acceptance_exponent: float

    @property
    def num_workers(self) -> int:
        """W."""
        return len(self.worker_node)

    @property
    def num_tasks(self) -> int:
        """T."""
        return len(self.task_node)

    def __post_init__(self) -> None:
        """Refuse an instance against which nothing can be checked."""
        nodes, workers, tasks = len(self.indptr) - 1, self.num_workers, self.num_tasks
        if self.preference.ndim != 2 or len(self.preference) != workers:
            raise DataError(f"preference has shape {self.preference.shape}, expected ({workers}, categories)")
        if self.lots.shape != (workers, tasks):
            raise DataError(f"lots has shape {self.lots.shape}, expected ({workers}, {tasks})")
        for name in ("task_category", "created_s", "expiry_s"):
            shape = getattr(self, name).shape
            if shape != (tasks,):
                raise DataError(f"{name} has shape {shape}, expected ({tasks},): one entry per task")
        refuse_bad_roads(self)
        refuse_outside("worker_node", self.worker_node, nodes)
        refuse_outside("task_node", self.task_node, nodes)
        refuse_outside("task_category", self.task_category, self.preference.shape[1])
        for name in ("created_s", "expiry_s", "preference", "lots"):
            if not np.all(np.isfinite(getattr(self, name))):
                raise DataError(f"{name} holds a number that is not finite")
        refuse_figures(
            self,
            positive=("unit_m", "horizon_s", "step_s", "speed_mps", "max_candidates", "max_offers"),
            not_negative=("range_m", "service_s", "pause_s", "acceptance_exponent"),
        )


class Answer(Enum):
    """What the environment claims to have come of an ask."""

    NONE = "none"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CONTESTED = "contested"


@dataclass(frozen=True)
class Ask:
    """A task asked for one worker, as the environment tells it. NaN and -1 stand for what has not happened.

    Attributes:
        worker: For whom.
        task: What.
        asked_s: The epoch at which the action was given.
        from_node: Where the worker stood.
        answer: What came of it.
        arrival_s: When the worker arrives, if it accepted.
        idle_s: When it is idle again, if it accepted or declined.
        idle_node: Where.
    """

    worker: int
    task: int
    asked_s: float
    from_node: int
    answer: Answer
    arrival_s: float
    idle_s: float
    idle_node: int


class TaskStatus(Enum):
    """Where a task stands at the end of the log."""

    PENDING = "pending"
    OPEN = "open"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class TaskOutcome:
    """What became of a task: its status, when it ended (else NaN), who accepted it (else -1), and its declines."""

    status: TaskStatus
    end_s: float
    worker: int
    declines: int


@dataclass(frozen=True)
class Totals:
    """The environment's metrics at the end of the log."""

    offered: int
    accepted: int
    declined: int
    contested: int
    closed: int
    expired: int
    acceptance_rate: float
    preference: float
    travel_m: float
    illegal: int


@dataclass(frozen=True)
class Schedule:
    """The log: what the environment claims to have happened up to ``until_s``."""

    until_s: float  # the epoch at which the log was closed; the horizon for a whole episode
    asks: tuple[Ask, ...]  # in any order
    tasks: tuple[TaskOutcome, ...]  # [T]
    totals: Totals


class ViolationKind(Enum):
    """What can be wrong. The values are for people: they may be shown as they are."""

    UNKNOWN_ID = "names a worker, task or node that is not there"
    NOT_AN_EPOCH = "happens at a time that is not an epoch"
    INCOMPLETE = "ends before the horizon"
    NOT_OPEN = "asks for a task that is not open"
    OUT_OF_RANGE = "asks for a task out of range"
    TOO_LATE = "asks for a task that cannot be reached before its expiry"
    DECLINED_BEFORE = "asks for a task that the worker has declined"
    NOT_A_CANDIDATE = "asks for a task that is not among the nearest K"
    NOT_IDLE = "asks for a task while the worker is busy or paused"
    WRONG_ORIGIN = "asks from elsewhere than where the worker last became idle"
    WRONG_WINNER = "gets an offer although another asker is nearer, or none although it is the nearest"
    WRONG_ANSWER = "answers otherwise than its lot and its preference say"
    WRONG_ARRIVAL = "arrives at another time than the roads say"
    WRONG_IDLE_TIME = "is idle again at another time than service or pause say"
    WRONG_IDLE_NODE = "is idle again at another node than it can be"
    WRONG_STATUS = "has a status that does not go with its offers and times"
    WRONG_END = "ends at a time at which it cannot end"
    WRONG_WORKER = "counts as accepted by another worker than the one that accepted it"
    WRONG_DECLINES = "counts another number of declines than there were"
    WRONG_TOTAL = "a metric is not what the log adds up to"


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
