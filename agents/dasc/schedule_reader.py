"""The tasks that are open, their subtasks without a worker, and all workers, read from the global state."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.dasc.list_schedule import Integers, Problem
from crowdgym.agents.dasc.observation_reader import DispatchState, Floats, Rules
from crowdgym.agents.dasc.workforce import DETOUR
from crowdgym.agents.policy import Episode
from crowdgym.common.layout import ObservationLayout, ObservationSet

_FLAG: Final = 0.5
_SAME_S: Final = 0.5  # times that are read from 32-bit numbers


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


class ScheduleReader:
    """Reads ``state()``.

    Args:
        episode: the episode that begins; its ``metadata["state_layout"]`` describes the state.
    """

    def __init__(self, episode: Episode) -> None:
        self._state = episode.state
        layout = ObservationLayout.from_metadata(episode.metadata, 0, "state_layout")
        self._clock, self._workers, self._subtasks = layout["clock"], layout["workers"], layout["subtasks"]
        self._rules = Rules.of(episode.metadata)
        self._horizon_s = float(episode.metadata["rules"]["horizon_s"])
        self._range_m = float(episode.metadata["rules"]["range_m"])
        self._slot_of = {agent: slot for slot, agent in enumerate(episode.agents)}

    def read(self, now: DispatchState) -> OpenTasks:
        """The open tasks at this epoch; ``now`` has the exact ways of candidates and the finish of predecessors."""
        state = self._state()
        work = _Columns(self._subtasks, self._subtasks.take(state).astype(np.float64))
        crowd = _Columns(self._workers, self._workers.take(state).astype(np.float64))
        live = work.flag("live")
        task, lacking = self._tasks(work, live)
        left_s = self._horizon_s * (1.0 - float(self._clock.take(state)[0, 0]))
        deadline_s = np.minimum(work("until_deadline"), left_s)
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
        ready_s, known, row_of = self._readiness(now, slots)
        at = self._idle_at(crowd, work, assigned)
        able, way_s, between_s, surplus = self._ways(now, crowd, work, slots, at, row_of)
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
            known=known,
            free_s=np.where(crowd.flag("idle"), 0.0, crowd("until_idle")),
            from_worker_s=way_s,
            able=able,
            between_s=between_s,
            surplus=surplus,
            step_s=self._rules.step_s,
            penalty_per_s=self._rules.penalty_per_s,
        )
        return OpenTasks(problem, task[head].astype(np.int64), row_of)

    def _tasks(self, work: "_Columns", live: NDArray[np.bool_]) -> tuple[Integers, NDArray[np.bool_]]:
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

    def _readiness(self, now: DispatchState, slots: Integers) -> tuple[Floats, NDArray[np.bool_], Integers]:
        """When predecessors with a worker are finished, whether all have one, and the subtask of each row."""
        ready_s, known = np.zeros(len(slots)), np.zeros(len(slots), bool)
        number = {int(slot): i for i, slot in enumerate(slots)}
        row_of = np.array([number.get(self._slot_of[agent], -1) for agent in now.agents], np.int64)
        there = row_of >= 0
        ready_s[row_of[there]], known[row_of[there]] = now.ready_s[there], True
        return ready_s, known, row_of

    def _idle_at(self, crowd: "_Columns", work: "_Columns", assigned: NDArray[np.bool_]) -> Floats:
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
        self, now: DispatchState, crowd: "_Columns", work: "_Columns", slots: Integers, at: Floats, row_of: Integers
    ) -> tuple[NDArray[np.bool_], Floats, Floats, Floats]:
        """Who is able, ways from workers and between subtasks in seconds, and surplus skills."""
        place = np.stack([work("x"), work("y")], axis=1)[slots]
        way_m = DETOUR * np.hypot(*(at[:, np.newaxis] - place[np.newaxis]).transpose(2, 0, 1))  # [W, N]
        row, choice = np.nonzero(now.candidates >= 0)
        row, choice = row[row_of[row] >= 0], choice[row_of[row] >= 0]
        way_m[now.candidates[row, choice], row_of[row]] = now.distance_m[row, choice]
        between_m = DETOUR * np.hypot(*(place[:, np.newaxis] - place[np.newaxis]).transpose(2, 0, 1))
        needs, has = work.skills()[slots], crowd.skills()
        able: NDArray[np.bool_] = (1.0 - has) @ needs.T < _FLAG
        surplus = has.sum(axis=1)[:, np.newaxis] - needs.sum(axis=1)[np.newaxis]
        speed = self._rules.speed_mps
        far = np.where(able & (way_m <= self._range_m), way_m, np.inf) / speed
        between = np.where(between_m <= self._range_m, between_m, np.inf) / speed
        return able, far, between, surplus


class _Columns:
    """The features of a set of the state, in their units."""

    def __init__(self, part: ObservationSet, rows: Floats) -> None:
        self._part, self._rows = part, rows

    def __call__(self, name: str) -> Any:
        return self._rows[:, self._part.column(name)] * self._part.scale(name)

    def flag(self, name: str) -> NDArray[np.bool_]:
        flags: NDArray[np.bool_] = self._rows[:, self._part.column(name)] > _FLAG
        return flags

    def skills(self) -> Floats:
        return self._rows[:, [i for i, name in enumerate(self._part.features) if name.startswith("skill_")]]
