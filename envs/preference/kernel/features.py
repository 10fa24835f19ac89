"""The features of the observations and the global state of `preference_v0`: their names, and the columns of a row.

`SELF.elapsed` is the column of "elapsed" in a row that describes the worker itself, as a plain number that compiled
loops can read. The names are written once: what comes first in a class is column 0.
"""

from typing import NamedTuple

from crowdgym.envs.preference.instance import NUM_CATEGORIES


def by_category(name: str) -> tuple[str, ...]:
    """The names of a feature that a row has once for each category."""
    return tuple(f"{name}_{c}" for c in range(NUM_CATEGORIES))


class SelfColumns(NamedTuple):
    """The worker itself: what may differ from step to step. The statuses are in the order of `WorkerStatus`."""

    x: int
    y: int
    idle: int
    driving: int
    serving: int
    paused: int
    elapsed: int
    until_idle: int


class CandidateColumns(NamedTuple):
    """A task that the worker may be offered; a flag for each category comes behind."""

    present: int
    dx: int
    dy: int
    distance: int
    until_expiry: int
    slack: int
    history_share: int
    rivals: int


class ColleagueColumns(NamedTuple):
    """Another worker of the same centre."""

    present: int
    idle: int
    until_idle: int
    dx: int
    dy: int
    distance: int


SELF = SelfColumns._make(range(len(SelfColumns._fields)))
CANDIDATE = CandidateColumns._make(range(len(CandidateColumns._fields)))
COLLEAGUE = ColleagueColumns._make(range(len(ColleagueColumns._fields)))

ACCEPTED_FEATURES, DECLINED_FEATURES = by_category("accepted"), by_category("declined")
SHARE_FEATURES, CATEGORY_FLAGS = by_category("share"), by_category("category")

# What only an episode or an answer changes comes last.
SELF_FEATURES = SelfColumns._fields + ACCEPTED_FEATURES + DECLINED_FEATURES + SHARE_FEATURES
CANDIDATE_FEATURES = CandidateColumns._fields + CATEGORY_FLAGS
COLLEAGUE_FEATURES = ColleagueColumns._fields

FIRST_ACCEPTED = len(SELF)  # column of the first number of accepted offers
FIRST_DECLINED = FIRST_ACCEPTED + NUM_CATEGORIES
FIRST_SHARE = FIRST_DECLINED + NUM_CATEGORIES
FIRST_CATEGORY = len(CANDIDATE)  # column of the first flag of a category

WORKER_STATE = ("x", "y", "idle", "driving", "serving", "paused", "until_idle")
TASK_STATE = ("x", "y", "open", "accepted", "closed", "expired", "until_expiry", "declines", *CATEGORY_FLAGS)
