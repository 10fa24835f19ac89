"""The tasks that are open, their subtasks without a worker, and all workers, read from the global state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.dasc.list_schedule import Integers, Problem
from crowdgym.agents.dasc.observation_reader import DispatchState, Floats, Rules
from crowdgym.common.jit import jit
from crowdgym.common.layout import ObservationLayout, ObservationSet

_SETS: Final = ("clock", "workers", "subtasks")
_FLAG: Final = 0.5
_SAME_S: Final = 0.5  # times that are read from 32-bit numbers
_TOGETHER_S: Final = 1.0  # latest finishes that are read from such


@dataclass(frozen=True)
class OpenTasks:
    """Q tasks that can still be paid and lack a worker.

    Attributes:
        problem: tasks, subtasks and workers.
        first_slot: [Q] slot of the first subtask of each task.
        subtask_of_row: for each row of the dispatch state the number of its subtask in the problem; −1 for none.
    """

    problem: Problem
    first_slot: Integers
    subtask_of_row: Integers


@dataclass(frozen=True)
class Estimates:
    """What the model of the episode takes for granted.

    Attributes:
        detour: road distance over straight-line distance.
        margin_s: how long before its deadline a task is to be finished.
        scarcity_exponent: a skill that a worker has and a subtask does not need counts as this power of the work that
            asks for the skill for each worker that has it, over the mean of all skills; 0: every skill counts as one.
    """

    detour: float
    margin_s: float
    scarcity_exponent: float


class ScheduleReader:
    """Reads ``state()``.

    Args:
        metadata: metadata of the environment; its ``state_layout`` describes the state.
    """

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        layout = ObservationLayout.from_metadata(metadata, 0, "state_layout")
        self._clock, self._workers, self._subtasks = (_Columns(layout[name]) for name in _SETS)
        self._rules = Rules.of(metadata)
        self._horizon_s = float(metadata["rules"]["horizon_s"])
        self._range_m = float(metadata["rules"]["range_m"])

    def elapsed_s(self, state: NDArray[np.float32]) -> float:
        """The time since the beginning of the episode."""
        return float(self._clock.of(state)("elapsed")[0])

    def read(self, now: DispatchState, state: NDArray[np.float32], estimates: Estimates) -> OpenTasks:
        """The open tasks at this epoch.

        Args:
            now: has the exact ways of candidates and the finish of predecessors.
            state: the global state.
            estimates: see `Estimates`.
        """
        work, crowd = self._subtasks.of(state), self._workers.of(state)
        live = work.flag("live")
        task, lacking = self._tasks(work, live)
        left_s = self._horizon_s - self.elapsed_s(state)
        deadline_s = np.minimum(work("until_deadline"), left_s) - estimates.margin_s
        unassigned = live & work.flag("unassigned")
        after_s = np.maximum(work("until_deadline") - work("slack_deadline") - work("duration"), 0.0)
        payable = deadline_s > np.where(unassigned, work("duration") + after_s, 0.0)
        hopeless = np.zeros(len(live) + 1, bool)
        hopeless[task[unassigned & ~payable]] = True
        slots = np.flatnonzero(unassigned & ~hopeless[task] & lacking[task])
        first = np.flatnonzero(np.diff(task[slots], prepend=-1))
        sizes = np.bincount(task[live], minlength=len(live) + 1)
        head = slots[first]
        assigned = live & ~unassigned
        assigned_s = np.zeros(len(live) + 1)
        np.maximum.at(assigned_s, task[assigned], work("until_finish")[assigned])
        ready_s, known, row_of = self._readiness(now, slots, len(live))
        at = self._idle_at(crowd, work, assigned)
        able, way_s, between_s, surplus = self._ways(now, crowd, work, slots, at, row_of, estimates)
        problem = Problem(
            first=np.append(first, len(slots)).astype(np.int64),
            payment=work("share")[head] * sizes[task[head]],
            expected_s=work("until_expected")[head],
            deadline_s=deadline_s[head],
            assigned_s=assigned_s[task[head]],
            duration_s=work("duration")[slots],
            after_s=after_s[slots],
            open_s=np.zeros(len(slots)),
            ready_s=ready_s,
            before=_before(task[slots], work("duration")[slots], after_s[slots], known),
            free_s=np.where(crowd.flag("idle"), 0.0, crowd("until_idle")),
            from_worker_s=way_s,
            able=able,
            between_s=between_s,
            surplus=surplus,
            step_s=self._rules.step_s,
            penalty_per_s=self._rules.penalty_per_s,
        )
        return OpenTasks(problem, task[head].astype(np.int64), row_of)

    def _tasks(self, work: "_Rows", live: NDArray[np.bool_]) -> tuple[Integers, NDArray[np.bool_]]:
        """For each slot the first slot of its task, and for each first slot whether the task lacks a worker.

        Slots of one task follow each other and have the same deadline, expected time and payment.
        """
        same = np.stack([work("until_deadline"), work("until_expected"), work("share"), live.astype(np.float64)])
        begins = np.concatenate([[True], (same[:, 1:] != same[:, :-1]).any(axis=0)])
        starts = np.flatnonzero(begins)
        task = starts[np.cumsum(begins) - 1]
        lacking = np.zeros(len(live) + 1, bool)
        lacking[task[live & work.flag("unassigned")]] = True
        return task.astype(np.int64), lacking

    def _readiness(self, now: DispatchState, slots: Integers, count: int) -> tuple[Floats, NDArray[np.bool_], Integers]:
        """When predecessors with a worker are finished, whether all have one, and the subtask of each row."""
        ready_s, known = np.zeros(len(slots)), np.zeros(len(slots), bool)
        number = np.full(count, -1)
        number[slots] = np.arange(len(slots))
        row_of: Integers = number[now.slots]
        there = row_of >= 0
        ready_s[row_of[there]], known[row_of[there]] = now.ready_s[there], True
        return ready_s, known, row_of

    def _idle_at(self, crowd: "_Rows", work: "_Rows", assigned: NDArray[np.bool_]) -> Floats:
        """Where each worker will be idle: where it is, or the place of the subtask that it will have finished.

        Shape [W, 2].
        """
        at = np.stack([crowd("x"), crowd("y")], axis=1)
        going = crowd.flag("travelling")
        theirs = np.flatnonzero(assigned & (work("until_finish") > 0))
        if going.any() and len(theirs):
            until_s = crowd("until_idle")[going]
            gap_s = np.abs(work("until_finish")[theirs][np.newaxis] - until_s[:, np.newaxis])
            nearest = theirs[gap_s.argmin(axis=1)]
            place = np.stack([work("x")[nearest], work("y")[nearest]], axis=1)
            at[going] = np.where(gap_s.min(axis=1)[:, np.newaxis] < _SAME_S, place, at[going])
        return at

    def _ways(
        self,
        now: DispatchState,
        crowd: "_Rows",
        work: "_Rows",
        slots: Integers,
        at: Floats,
        row_of: Integers,
        estimates: Estimates,
    ) -> tuple[NDArray[np.bool_], Floats, Floats, Floats]:
        """Who is able, ways from workers and between subtasks in seconds, and surplus skills."""
        place = np.stack([work("x"), work("y")], axis=1)[slots]
        way_m = estimates.detour * straight_lines(at, place)  # [W, N]
        row, choice = np.nonzero(now.candidates >= 0)
        row, choice = row[row_of[row] >= 0], choice[row_of[row] >= 0]
        way_m[now.candidates[row, choice], row_of[row]] = now.distance_m[row, choice]
        between_m = estimates.detour * straight_lines(place, place)
        needs, has = work.skills()[slots], crowd.skills()
        able: NDArray[np.bool_] = (1.0 - has) @ needs.T < _FLAG
        counts = _scarcity(needs, has, work("duration")[slots]) ** estimates.scarcity_exponent
        surplus = (has @ counts)[:, np.newaxis] - (needs @ counts)[np.newaxis]
        speed = self._rules.speed_mps
        far = np.where(able & (way_m <= self._range_m), way_m, np.inf) / speed
        between = np.where(between_m <= self._range_m, between_m, np.inf) / speed
        return able, far, between, surplus


@jit
def _before(task: Integers, duration_s: Floats, after_s: Floats, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which subtasks are taken for predecessors of which others. Shape [N, N]; subtasks of a task follow each other.

    The state does not name predecessors that have no worker. All subtasks that leave time for another one after them
    are taken for its predecessors: the true ones are among them, and the longest path to the end of the task stays the
    same. One that is ``known`` has none without a worker.
    """
    before = np.zeros((len(task), len(task)), np.bool_)
    for i in range(len(task)):
        for j in range(i - 1, -1, -1):
            if known[i] or task[j] != task[i]:
                break
            before[j, i] = after_s[j] >= duration_s[i] + after_s[i] - _TOGETHER_S
    return before


def _scarcity(needs: Floats, has: Floats, duration_s: Floats) -> Floats:
    """For each skill the work that asks for it for each worker that has it, over the mean of all skills; at least 0.1.

    Args:
        needs: the skills of subtasks, as flags. Shape [N, skills].
        has: those of workers. Shape [W, skills].
        duration_s: of the subtasks. Shape [N].
    """
    asked = (duration_s @ needs) / np.maximum(has.sum(axis=0), 1.0)
    scarcity: Floats = np.maximum(asked / max(float(asked.mean()), 1e-9), 0.1)
    return scarcity


@jit
def straight_lines(one: Floats, other: Floats) -> Floats:
    """The distances between n and m places, [n, m], of their coordinates, [n, 2] and [m, 2]."""
    found = np.empty((len(one), len(other)))
    for i in range(len(one)):
        for j in range(len(other)):
            east, north = one[i, 0] - other[j, 0], one[i, 1] - other[j, 1]
            found[i, j] = np.sqrt(east * east + north * north)
    return found


class _Columns:
    """The features of a set of the state."""

    def __init__(self, part: ObservationSet) -> None:
        self._part = part
        self._scales = np.array(part.scales)
        self.number = {name: column for column, name in enumerate(part.features)}
        self.skills = [column for column, name in enumerate(part.features) if name.startswith("skill_")]

    def of(self, state: NDArray[np.float32]) -> "_Rows":
        """Its rows in a state."""
        return _Rows(self, self._part.take(state) * self._scales)


class _Rows:
    """The rows of a set, in their units."""

    def __init__(self, columns: _Columns, values: Floats) -> None:
        self._columns, self._values = columns, values

    def __call__(self, name: str) -> Floats:
        values: Floats = self._values[:, self._columns.number[name]]
        return values

    def flag(self, name: str) -> NDArray[np.bool_]:
        flags: NDArray[np.bool_] = self(name) > _FLAG
        return flags

    def skills(self) -> Floats:
        flags: Floats = self._values[:, self._columns.skills]
        return flags
