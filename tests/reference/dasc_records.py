"""What the reference simulator of DASC writes down: states, metrics, the result of a step, trips."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class WorkerState(Enum):
    """What a worker is doing."""

    IDLE = "idle"
    TRAVELLING = "travelling"
    WAITING = "waiting"
    WORKING = "working"
    RELEASED = "released"


class JobState(Enum):
    """Where a task stands."""

    PENDING = "pending"
    OPEN = "open"
    FINISHED = "finished"
    EXPIRED = "expired"


class SubtaskState(Enum):
    """Where a subtask stands; one of a task that is not created yet is pending."""

    PENDING = "pending"
    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    FINISHED = "finished"
    FAILED = "failed"


class Outcome(Enum):
    """What became of a slot's action."""

    HELD = "held"
    ILLEGAL = "illegal"
    INVALID = "invalid"
    UNMATCHED = "unmatched"
    MATCHED = "matched"


class Metrics(NamedTuple):
    """The metrics of the specification at the present epoch."""

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


class StepResult(NamedTuple):
    """What one step gave: a number per slot and reward strategy, outcomes, and the revenue of the interval."""

    sparse: list[float]
    shaped: list[float]
    team: list[float]
    outcome: list[Outcome]
    terms: list[tuple[float, float, float]]  # u_skill, u_dist, u_time of the match, else zeros
    revenue: float


@dataclass
class Trip:
    """One match from the moment it is made until its worker is idle again."""

    worker: int
    subtask: int
    set_out_s: float
    path: list[int]  # u = n_0, n_1, ..., the subtask's node
    path_m: list[float]  # c_j
    arrive_s: float  # a
    start_s: float  # s_i
    finish_s: float  # f_i
    state: WorkerState = WorkerState.TRAVELLING
    idle_node: int | None = None
    idle_s: float | None = None

    @property
    def distance_m(self) -> float:
        """The length of the whole trip."""
        return self.path_m[-1]
