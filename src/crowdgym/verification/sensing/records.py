"""Input and output of the solution checker of sensing: the instance, the log, and the violations."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.verification.violations import BrokenRule, sentence

Floats = NDArray[np.float64]
Whole = NDArray[np.integer]


@dataclass(frozen=True)
class CheckedInstance:
    """Everything that is fixed before the first step. Y cycles, X cells, A attributes, P participants, N agents.

    Raises:
        DataError: If shapes do not agree, or a number is out of its bounds.
    """

    x_km: Floats  # [X]
    y_km: Floats  # [X]
    values: Floats  # [Y, X, A] what is true; NaN where it is missing
    start: Whole  # [P] where each participant was drawn to be in cycle 0
    scale: Floats  # [A] Γ
    participants_act: bool  # each chooses a cell; else each cell asks for a participant
    inference: Literal["knn", "idw", "svr"]
    neighbours: int  # of knn and idw
    power: float  # of idw
    svr_c: float
    svr_epsilon: float
    reward: Literal["shared", "marginal"]
    cost_weight: float  # λ, per km

    @property
    def num_cycles(self) -> int:
        """Y."""
        return len(self.values)

    @property
    def num_cells(self) -> int:
        """X."""
        return len(self.x_km)

    @property
    def num_participants(self) -> int:
        """P."""
        return len(self.start)

    @property
    def num_agents(self) -> int:
        """N."""
        return self.num_participants if self.participants_act else self.num_cells

    @property
    def num_actions(self) -> int:
        """Of every agent."""
        return self.num_cells if self.participants_act else self.num_participants + 1

    def __post_init__(self) -> None:
        """Refuse an invalid instance."""
        cells, attributes = len(self.x_km), len(self.scale)
        if self.values.ndim != 3 or self.values.shape[1:] != (cells, attributes) or not len(self.values):
            raise DataError(f"values has shape {self.values.shape}, expected (cycles, {cells}, {attributes})")
        if self.y_km.shape != (cells,):
            raise DataError(f"y_km has shape {self.y_km.shape}, expected ({cells},)")
        if not len(self.start) or np.any(self.start < 0) or np.any(self.start >= cells):
            raise DataError(f"start must hold cells 0..{cells - 1}, got {self.start.tolist()}")
        if not np.all(self.scale > 0):
            raise DataError(f"scale must be positive for every attribute, got {self.scale.tolist()}")
        if self.neighbours < 1:
            raise DataError(f"neighbours must be at least 1, got {self.neighbours}")


@dataclass(frozen=True)
class SensingLog:
    """What the environment claims to have happened: a row for every cycle from 0 to L, which may be the last or not.

    Raises:
        DataError: If shapes do not agree.
    """

    actions: Whole  # [L, N] of the steps that led to cycles 1 to L
    chosen: Whole  # [L + 1, N] what they asked for: a participant or a cell; -1 for nothing
    cell: Whole  # [L + 1, P] where each participant is
    travel_km: Floats  # [L + 1, P] how far it came
    crowd: Whole  # [L + 1, X] participants in each cell
    cell_error: Floats  # [L + 1, X] sum over attributes, normalised; NaN where nothing is counted
    reward: Floats  # [L + 1, N]
    error: Floats  # [L + 1] metrics so far
    cost_km: Floats  # [L + 1]
    error_per_attribute: Floats  # [L + 1, A]
    totals: "Totals"

    def __post_init__(self) -> None:
        """Refuse a log that does not fit itself."""
        rows = len(self.actions) + 1
        for name in ("chosen", "cell", "travel_km", "crowd", "cell_error", "reward", "error", "cost_km"):
            if len(getattr(self, name)) != rows:
                raise DataError(f"{name} has {len(getattr(self, name))} rows, expected {rows}: one for every cycle")


@dataclass(frozen=True)
class Totals:
    """The environment's metrics at the end of the log."""

    error: float
    cost_km: float
    error_per_attribute: tuple[float, ...]


class ViolationKind(Enum):
    """The kinds of violations. The values are texts for users."""

    INCOMPLETE = "ends before the last cycle"
    TOO_LONG = "goes on after the last cycle"
    UNKNOWN_CELL = "is in a cell that is not there"
    UNKNOWN_ACTION = "takes an action that there is not"
    WRONG_CHOICE = "is said to have asked for something else than its action does"
    WRONG_START = "begins in another cell than it was drawn into"
    SHARED_START = "begins in a cell in which another one begins"
    NOT_ASKED = "moves although no cell asked for it"
    NOT_GONE = "stays although cells asked for it"
    WRONG_ASKER = "goes to a cell that did not ask for it, or not to the nearest that did"
    NOT_CHOSEN = "is in another cell than it chose"
    WRONG_TRAVEL = "travels more or less than the distance between its cells"
    WRONG_CROWD = "is said to hold more or fewer participants than are in it"
    WRONGLY_COUNTED = "has an error although it is sensed, or nothing is known of it"
    NOT_COUNTED = "has no error although it is not sensed, and something is known of it"
    WRONG_CELL_ERROR = "has another error than inference from what was collected gives"
    WRONG_REWARD = "is rewarded otherwise than the formula says"
    ATTRIBUTE_TOTAL = "error of an attribute so far is not the mean over the cycles"
    ERROR_TOTAL = "error so far is not the sum over the attributes"
    COST_TOTAL = "cost so far is not the mean over the cycles and participants"
    FINAL_TOTAL = "metrics at the end are not those of the last cycle"


@dataclass(frozen=True)
class Violation(BrokenRule):
    """One violation of a rule; fields that do not apply are None."""

    kind: ViolationKind
    cycle: int | None
    participant: int | None
    cell: int | None

    @classmethod
    def of(
        cls,
        kind: ViolationKind,
        expected: float | str,
        found: float | str,
        *,
        cycle: int | None = None,
        participant: int | None = None,
        cell: int | None = None,
    ) -> "Violation":
        """Make a violation with its sentence."""
        message = sentence(
            kind, expected, found, "" if cycle is None else f" in cycle {cycle}", participant=participant, cell=cell
        )
        return cls(kind, expected, found, message, cycle, participant, cell)
