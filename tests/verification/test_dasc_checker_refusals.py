"""Tolerances of the solution checker of DASC, and what it refuses: changes of the minute of `test_dasc_checker`."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_dasc_checker import INSTANCE, KIND, MINUTE, NAN, given, tell

from crowdgym.common.errors import DataError
from crowdgym.verification.dasc.checker import check_schedule
from crowdgym.verification.dasc.records import ViolationKind


def test_a_log_without_all_outcomes_is_refused() -> None:
    with pytest.raises(DataError, match="4 task outcomes, expected 5"):
        check_schedule(INSTANCE, replace(MINUTE, tasks=MINUTE.tasks[:-1]))
    with pytest.raises(DataError, match="6 subtask statuses, expected 7"):
        check_schedule(INSTANCE, replace(MINUTE, subtasks=MINUTE.subtasks[:-1]))


@pytest.mark.parametrize("until_s", [NAN, -1.0, 60.5])
def test_a_log_that_ends_outside_the_episode_is_refused(until_s: float) -> None:
    with pytest.raises(DataError, match=r"expected 0\.\.60"):
        check_schedule(INSTANCE, replace(MINUTE, until_s=until_s))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"deadline_s": np.zeros(3)}, r"deadline_s has shape \(3,\)"),
        ({"worker_skills": np.ones((2, 2), dtype=bool)}, "worker_skills"),
        ({"subtask_skills": np.ones((7, 3), dtype=bool)}, "subtask_skills"),
        ({"subtask_node": (0, 6)}, r"subtask_node lies in 0\.\.6, expected 0\.\.5"),
        ({"worker_node": (0, -1)}, "worker_node"),
        ({"subtask_task": (6, 5)}, "subtask_task"),
        ({"predecessors": ((),) * 6}, "predecessors has 6 entries, expected 7"),
        ({"predecessors": ((), (2,), (), (), (), (), ())}, "subtask 1 has the predecessor 2"),
        ({"predecessors": ((), (9,), (), (), (), (), ())}, "subtask 1 has the predecessor 9"),
        ({"indices": (1, 2)}, "twice"),
        ({"length": (0, 0)}, "length"),
        ({"duration_s": (0, math.inf)}, "duration_s"),
        ({"speed_mps": 0.0}, "speed_mps is 0.0"),
        ({"range_m": NAN}, "range_m is nan"),
        ({"travel_cost_per_m": -1.0}, "travel_cost_per_m is -1.0"),
    ],
)
def test_an_instance_that_cannot_be_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        given(**change)


@pytest.mark.parametrize(
    ("off_s", "found"), [(0.9e-6, []), (-0.9e-6, []), (1.1e-6, [KIND.TOO_SLOW]), (-1.1e-6, [KIND.TOO_FAST])]
)
def test_an_arrival_may_be_off_by_a_microsecond(off_s: float, found: list[ViolationKind]) -> None:
    arrive_s = 65.0 + off_s
    log = tell(5, arrive_s=arrive_s, start_s=arrive_s, finish_s=arrive_s + 30.0)
    assert [violation.kind for violation in check_schedule(INSTANCE, log)] == found
