"""The solution checker on one day, worked out by hand: what has been tampered with is named.

How it fares with random worlds is in test_csc_checker_on_random_worlds.py.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from reference.csc_instance import ReferenceInstance, ReferenceTask, ReferenceWorker, both_ways
from reference.csc_reference import ReferenceSimulator
from reference.csc_schedule import checked_instance, schedule

from crowdgym.common.errors import DataError
from crowdgym.testing import (
    Assignment,
    CheckedInstance,
    Schedule,
    TaskStatus,
    Violation,
    ViolationKind,
    check_schedule,
)

KIND = ViolationKind
NAN = math.nan


# ---- a day with a bit of everything ----


def the_world() -> ReferenceInstance:
    """Five tasks and four workers on a line of roads of 100 m (10 s), epochs 5 s apart.

    0 ------- 1 ------- 2 ------- 3 ------- 4 ------- 5
    w1 w3     w0        .                             w2
    τ1                  τ0        τ2        τ3        τ4
    """
    numbers = [  # node, skill, created, expected, deadline, workload, payment
        (2, 0, 0.0, 20.0, 100.0, 30.0, 90.0),
        (0, 0, 0.0, 20.0, 23.0, 100.0, 50.0),
        (3, 0, 20.0, 60.0, 100.0, 8.0, 40.0),
        (4, 0, 70.0, 90.0, 100.0, 8.0, 40.0),
        (5, 1, 0.0, 90.0, 100.0, 50.0, 70.0),
    ]
    return ReferenceInstance(
        num_nodes=6,
        unit_m=1.0,
        arcs=both_ways(*((node, node + 1, 100) for node in range(5))),
        workers=tuple(
            ReferenceWorker(node, frozenset(skills)) for node, skills in [(1, {0, 1}), (0, {0}), (5, {0}), (0, {0})]
        ),
        tasks=tuple(ReferenceTask(*row) for row in numbers),
        horizon_s=60.0,
        step_s=5.0,
        speed_mps=10.0,
        range_m=300.0,
        penalty_per_s=0.01,
        max_candidates=10,
    )


def the_day(until_s: float = 60.0) -> ReferenceSimulator:
    """Play it. What happens, assignment by assignment:

    0. w0 takes τ0 at 0 s, arrives at 10 s. It finishes at 30 s, 10 s late: 0.9 of 90 is 81.
    1. w1 takes τ0 at 0 s, arrives at 20 s.
    2. w3 takes τ1 at 0 s, on the spot, and works until it expires at 23 s.
    3. w2 takes τ0 at 15 s from 5; at 30 s it is between 4 and 3, and idle at 3 from 35 s.
    4. w2 takes τ2 at 35 s, on the spot, and finishes at 43 s: 40.
    5. w0 takes τ4 at 40 s from 2, and is 200 m on its way at the end.
    """
    orders = {0.0: {0: 0, 1: 0, 3: 1}, 15.0: {2: 0}, 35.0: {2: 2}, 40.0: {0: 4}}
    simulator = ReferenceSimulator(the_world())
    while simulator.time_s < until_s:
        taken = orders.get(simulator.time_s, {})
        actions = [1 + simulator.candidates(w).index(taken[w]) if w in taken else 0 for w in range(4)]
        simulator.step(actions)
    return simulator


INSTANCE = checked_instance(the_world())
DAY = schedule(the_day())


def test_the_day_is_as_its_description_says() -> None:
    assert (DAY.totals.revenue, DAY.totals.completed, DAY.totals.expired, DAY.totals.travel_m) == (121.0, 2, 1, 700.0)
    assert replace(DAY.assignments[3], arrival_s=-1.0) == Assignment(2, 0, 15.0, 5, -1.0, 30.0, 3, 35.0)
    assert math.isnan(DAY.assignments[3].arrival_s)
    assert [task.status.value for task in DAY.tasks] == ["finished", "expired", "finished", "pending", "open"]
    assert check_schedule(INSTANCE, DAY) == []


# ---- what is not true is named ----


def tell(number: int, **changes: Any) -> Schedule:
    """The day, with something else claimed about an assignment."""
    changed = replace(DAY.assignments[number], **changes)
    return replace(DAY, assignments=(*DAY.assignments[:number], changed, *DAY.assignments[number + 1 :]))


def tell_task(number: int, **changes: Any) -> Schedule:
    """The day, with something else claimed about a task."""
    changed = replace(DAY.tasks[number], **changes)
    return replace(DAY, tasks=(*DAY.tasks[:number], changed, *DAY.tasks[number + 1 :]))


def tell_totals(**changes: Any) -> Schedule:
    """The day, with something else claimed in sum."""
    return replace(DAY, totals=replace(DAY.totals, **changes))


def add(assignment: Assignment, to: Schedule = DAY) -> Schedule:
    """The day, with one assignment more."""
    return replace(to, assignments=(*to.assignments, assignment))


def given(**changes: Any) -> CheckedInstance:
    """The instance with other numbers; a pair is (index, value) of an array: the rule that the log has broken."""
    for name, change in changes.items():
        if isinstance(change, tuple):
            array = getattr(INSTANCE, name).copy()
            array[change[0]] = change[1]
            changes[name] = array
    return replace(INSTANCE, **changes)


@dataclass(frozen=True)
class Fault:
    """A planted fault, and what must be reported of it."""

    name: str
    log: Schedule
    kind: ViolationKind
    worker: int | None = None
    task: int | None = None
    instance: CheckedInstance = INSTANCE


UNDER_WAY = DAY.assignments[5]
FAULTS = [
    Fault("no such skill", DAY, KIND.WRONG_SKILL, 0, 4, given(worker_skills=((0, 1), False))),
    Fault("out of range", DAY, KIND.OUT_OF_RANGE, 2, 0, given(range_m=299.0)),
    Fault("not among the nearest", DAY, KIND.NOT_A_CANDIDATE, 0, 4, given(max_candidates=1)),
    Fault("taken before creation", DAY, KIND.NOT_OPEN, 2, 2, given(created_s=(2, 36.0))),
    Fault("taken after the finish", add(Assignment(1, 0, 35.0, 2, NAN, 35.0, 2, 35.0)), KIND.NOT_OPEN, 1, 0),
    Fault(
        "taken at the instant of the finish", add(Assignment(1, 0, 30.0, 2, 30.0, 30.0, 2, 30.0)), KIND.NOT_OPEN, 1, 0
    ),
    Fault("taken after the deadline", add(Assignment(3, 1, 25.0, 0, 25.0, 23.0, 0, 25.0)), KIND.NOT_OPEN, 3, 1),
    Fault("taken at the deadline", DAY, KIND.NOT_OPEN, 0, 4, given(deadline_s=(4, 40.0))),
    Fault("taken between epochs", tell(3, taken_s=12.5), KIND.NOT_AN_EPOCH, 2, 0),
    Fault("taken at an unknown time", tell(3, taken_s=NAN), KIND.NOT_AN_EPOCH, 2, 0),
    Fault("taken at the end of time", tell(3, taken_s=math.inf), KIND.NOT_AN_EPOCH, 2, 0),
    Fault("taken at the horizon", tell(5, taken_s=60.0), KIND.NOT_AN_EPOCH, 0, 4),
    Fault("taken before the beginning", tell(0, taken_s=-5.0), KIND.NOT_AN_EPOCH, 0, 0),
    Fault("busy elsewhere", tell(5, taken_s=25.0), KIND.NOT_IDLE, 0, 4),
    Fault("two tasks at one epoch", add(replace(UNDER_WAY, task=2)), KIND.NOT_IDLE, 0, 2),
    Fault(
        "two tasks at one epoch, the first over at once",
        add(Assignment(3, 0, 0.0, 0, 20.0, 30.0, 2, 30.0), to=tell(2, idle_s=0.0)),
        KIND.NOT_IDLE,
        3,
        0,
    ),
    Fault("still walking on", tell(4, taken_s=30.0), KIND.NOT_IDLE, 2, 2),
    Fault("never released", add(Assignment(0, 4, 50.0, 2, NAN, NAN, -1, NAN)), KIND.NOT_IDLE, 0, 4),
    Fault("set out from elsewhere", tell(5, from_node=3), KIND.WRONG_ORIGIN, 0, 4),
    Fault("started elsewhere", tell(1, from_node=1, arrival_s=10.0), KIND.WRONG_ORIGIN, 1, 0),
    Fault("too fast", tell(1, arrival_s=18.0), KIND.TOO_FAST, 1, 0),
    Fault("a hair too fast", tell(1, arrival_s=19.9999), KIND.TOO_FAST, 1, 0),
    Fault("too slow", tell(1, arrival_s=22.0), KIND.TOO_SLOW, 1, 0),
    Fault("never arrived", tell(1, arrival_s=NAN), KIND.WRONG_PRESENCE, 1, 0),
    Fault("arrived after the end", tell(3, arrival_s=45.0), KIND.WRONG_PRESENCE, 2, 0),
    Fault("arrives after the log", tell(5, arrival_s=70.0), KIND.WRONG_PRESENCE, 0, 4),
    Fault("left early", tell(1, release_s=25.0, idle_s=25.0), KIND.WRONG_RELEASE_TIME, 1, 0),
    Fault("released from a living task", tell(5, release_s=50.0), KIND.WRONG_RELEASE_TIME, 0, 4),
    Fault("never told to stop", tell(3, release_s=NAN), KIND.WRONG_RELEASE_TIME, 2, 0),
    Fault("turned back", tell(3, idle_node=4), KIND.WRONG_RELEASE_NODE, 2, 0),
    Fault("walked on too far", tell(3, idle_node=2, idle_s=45.0), KIND.WRONG_RELEASE_NODE, 2, 0),
    Fault("idle nowhere", tell(3, idle_node=-1), KIND.WRONG_RELEASE_NODE, 2, 0),
    Fault("idle somewhere before the release", tell(5, idle_node=2), KIND.WRONG_RELEASE_NODE, 0, 4),
    Fault("idle beside the task", tell(0, idle_node=1), KIND.WRONG_RELEASE_NODE, 0, 0),
    Fault("off the path", tell(3, idle_node=0), KIND.OFF_PATH, 2, 0),
    Fault("jumped to the node", tell(3, idle_s=30.0), KIND.WRONG_IDLE_TIME, 2, 0),
    Fault("idle long after the finish", tell(1, idle_s=31.0), KIND.WRONG_IDLE_TIME, 1, 0),
    Fault("idle before the release", tell(5, idle_s=50.0), KIND.WRONG_IDLE_TIME, 0, 4),
    Fault("finished too soon", tell_task(0, end_s=29.0), KIND.WORK_MISMATCH, None, 0),
    Fault("finished too late", tell_task(0, end_s=31.0), KIND.WORK_MISMATCH, None, 0),
    Fault("finished by fewer", replace(DAY, assignments=DAY.assignments[1:]), KIND.WORK_MISMATCH, None, 0),
    Fault("finished by one worker twice", add(DAY.assignments[0]), KIND.WORK_MISMATCH, None, 0),
    Fault(
        "finished without a worker", tell_task(4, status=TaskStatus.FINISHED, end_s=50.0), KIND.WORK_MISMATCH, None, 4
    ),
    Fault("open though done", tell_task(2, status=TaskStatus.OPEN, end_s=NAN), KIND.WORK_MISMATCH, None, 2),
    Fault(
        "expired though done",
        tell_task(0, status=TaskStatus.EXPIRED, end_s=50.0, payment=0.0),
        KIND.EXPIRED_THOUGH_DONE,
        None,
        0,
        given(deadline_s=(0, 50.0)),
    ),
    Fault("finished after the deadline", DAY, KIND.AFTER_DEADLINE, None, 0, given(deadline_s=(0, 28.0))),
    Fault("finished at the deadline", DAY, KIND.AFTER_DEADLINE, None, 0, given(deadline_s=(0, 30.0))),
    Fault("paid after the deadline", DAY, KIND.WRONG_PAYMENT, None, 0, given(deadline_s=(0, 28.0))),
    Fault("paid without penalty", tell_task(0, payment=90.0), KIND.WRONG_PAYMENT, None, 0),
    Fault("penalised though in time", tell_task(2, payment=39.0), KIND.WRONG_PAYMENT, None, 2),
    Fault("paid a cent more", tell_task(0, payment=81.01), KIND.WRONG_PAYMENT, None, 0),
    Fault("paid though expired", tell_task(1, payment=50.0), KIND.WRONG_PAYMENT, None, 1),
    Fault("paid though open", tell_task(4, payment=70.0), KIND.WRONG_PAYMENT, None, 4),
    Fault("paid an unknown amount", tell_task(0, payment=NAN), KIND.WRONG_PAYMENT, None, 0),
    Fault("never paid less than nothing", DAY, KIND.WRONG_PAYMENT, None, 0, given(penalty_per_s=0.2)),
    Fault("open before creation", tell_task(3, status=TaskStatus.OPEN), KIND.WRONG_STATUS, None, 3),
    Fault("pending after creation", tell_task(4, status=TaskStatus.PENDING), KIND.WRONG_STATUS, None, 4),
    Fault("open at the deadline", DAY, KIND.WRONG_STATUS, None, 4, given(deadline_s=(4, 60.0))),
    Fault("open after the deadline", tell_task(1, status=TaskStatus.OPEN, end_s=NAN), KIND.WRONG_STATUS, None, 1),
    Fault("expired too soon", tell_task(4, status=TaskStatus.EXPIRED, end_s=100.0), KIND.WRONG_STATUS, None, 4),
    Fault("expired before the deadline", tell_task(1, end_s=22.0), KIND.WRONG_END, None, 1),
    Fault("finished after the log", tell_task(0, end_s=61.0), KIND.WRONG_END, None, 0),
    Fault("finished at an unknown time", tell_task(0, end_s=NAN), KIND.WRONG_END, None, 0),
    Fault("open, but with an end", tell_task(4, end_s=50.0), KIND.WRONG_END, None, 4),
    Fault("no such worker", add(replace(UNDER_WAY, worker=4)), KIND.UNKNOWN_ID, 4, 4),
    Fault("no such worker below", add(replace(UNDER_WAY, worker=-1)), KIND.UNKNOWN_ID, -1, 4),
    Fault("no such task", tell(5, task=5), KIND.UNKNOWN_ID, 0, 5),
    Fault("no such place", tell(5, from_node=6), KIND.UNKNOWN_ID, 0, 4),
    Fault("no such place to be idle", tell(3, idle_node=-2), KIND.UNKNOWN_ID, 2, 0),
    Fault("half the day", schedule(the_day(30.0)), KIND.INCOMPLETE),
    Fault("closed between epochs", replace(DAY, until_s=58.0), KIND.NOT_AN_EPOCH),
    Fault("more revenue", tell_totals(revenue=122.0), KIND.REVENUE_TOTAL),
    Fault("revenue unknown", tell_totals(revenue=NAN), KIND.REVENUE_TOTAL),
    Fault("more completed", tell_totals(completed=3), KIND.COMPLETED_TOTAL),
    Fault("fewer expired", tell_totals(expired=0), KIND.EXPIRED_TOTAL),
    Fault("less travel", tell_totals(travel_m=699.0), KIND.TRAVEL_TOTAL),
    Fault("travel without the way on", tell_totals(travel_m=650.0), KIND.TRAVEL_TOTAL),
    Fault("fewer illegal than none", tell_totals(illegal=-1), KIND.ILLEGAL_TOTAL),
    Fault("more illegal than actions", tell_totals(illegal=4 * 12 - 6 + 1), KIND.ILLEGAL_TOTAL),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_named(fault: Fault) -> None:
    found = check_schedule(fault.instance, fault.log)
    assert (fault.kind, fault.worker, fault.task) in [(v.kind, v.worker, v.task) for v in found], found


def test_every_kind_of_violation_is_planted_somewhere() -> None:
    of_rewards = {KIND.WRONG_REWARD}  # of the other checker
    assert {fault.kind for fault in FAULTS} == set(ViolationKind) - of_rewards


def test_a_violation_says_who_where_when_and_what_was_expected() -> None:
    (violation,) = check_schedule(INSTANCE, tell_totals(revenue=122.0))
    assert violation == Violation(KIND.REVENUE_TOTAL, 121.0, 122.0, violation.message, None, None, None)
    assert str(violation) == "the log: revenue is not the sum of the payments (expected 121.0, found 122.0)"
    [first, *_] = check_schedule(INSTANCE, tell(1, arrival_s=18.0))
    assert (first.time_s, first.expected, first.found) == (0.0, 20.0, 18.0)
    assert str(first) == "worker 1 and task 0 at 0 s: arrives sooner than the roads allow (expected 20.0, found 18.0)"


def test_one_fault_that_touches_nothing_else_is_reported_alone() -> None:
    assert [v.kind for v in check_schedule(INSTANCE, tell(3, idle_s=34.0))] == [KIND.WRONG_IDLE_TIME]
    assert [v.kind for v in check_schedule(given(range_m=299.0), DAY)] == [KIND.OUT_OF_RANGE] * 2
    farther = [(v.kind, v.worker, v.task) for v in check_schedule(given(max_candidates=1), DAY)]
    assert farther == [(KIND.NOT_A_CANDIDATE, 1, 0), (KIND.NOT_A_CANDIDATE, 0, 4)]


def test_the_order_of_the_log_does_not_matter() -> None:
    assert check_schedule(INSTANCE, replace(DAY, assignments=DAY.assignments[::-1])) == []


@pytest.mark.parametrize(
    ("end_s", "idle_node", "idle_s", "kinds"),
    [
        (25.0, 4, 25.0, []),
        (25.0, 3, 35.0, [KIND.WRONG_RELEASE_NODE]),
        (math.nextafter(25.0, 30.0), 4, 25.0, []),
        (math.nextafter(25.0, 30.0), 3, 35.0, []),
        (25.001, 4, 25.0, [KIND.WRONG_RELEASE_NODE]),
        (25.001, 3, 35.0, []),
    ],
)
def test_a_node_reached_as_the_task_ends_may_be_kept_or_passed_only_if_rounding_decides(
    end_s: float, idle_node: int, idle_s: float, kinds: list[ViolationKind]
) -> None:
    """w2 sets out from 5 to τ0 at 15 s and passes 4 at 25 s; what is claimed of it if τ0 ends then or hardly later."""
    log = tell_task(0, end_s=end_s)
    w2 = replace(DAY.assignments[3], release_s=end_s, idle_node=idle_node, idle_s=idle_s)
    found = check_schedule(INSTANCE, replace(log, assignments=(*DAY.assignments[:3], w2)))
    assert [violation.kind for violation in found if violation.worker == 2] == kinds


def test_work_of_a_microsecond_late_in_a_long_day_is_confirmed() -> None:
    """At 9e4 s the clock ticks in 1.5e-11 s: more than a millionth of the work."""
    task = ReferenceTask(0, 0, 0.0, 9e4, 1e5, 1e-6, 90.0)
    plain = replace(the_world(), workers=(ReferenceWorker(0, frozenset({0})),), tasks=(task,))
    simulator = ReferenceSimulator(replace(plain, horizon_s=1e5, step_s=9e4))
    simulator.step([0])
    simulator.step([1])
    assert simulator.metrics().completed == 1
    assert check_schedule(checked_instance(simulator.instance), schedule(simulator)) == []


def test_rounding_lengthens_no_horizon() -> None:
    """H = 74 * 7.7 is 569.8000000000001 s, and H / 7.7 a little more than 74: there are 74 steps all the same."""
    task = ReferenceTask(1, 0, 0.0, 900.0, 900.0, 30.0, 90.0)
    simulator = ReferenceSimulator(replace(the_world(), tasks=(task,), horizon_s=74 * 7.7, step_s=7.7))
    assert np.ceil(simulator.instance.horizon_s / simulator.instance.step_s) == 75
    for _ in range(74):
        simulator.step([0, 0, 0, 0])
    assert simulator.done
    assert check_schedule(checked_instance(simulator.instance), schedule(simulator)) == []


def test_illegal_actions_are_believed_within_their_bounds() -> None:
    assert check_schedule(INSTANCE, tell_totals(illegal=4 * 12 - 6)) == []


# ---- what cannot be checked is refused ----


def test_a_log_without_all_tasks_is_refused() -> None:
    with pytest.raises(DataError, match="4 task outcomes, expected 5"):
        check_schedule(INSTANCE, replace(DAY, tasks=DAY.tasks[:-1]))


@pytest.mark.parametrize("until_s", [NAN, -1.0, 60.5])
def test_a_log_that_ends_outside_the_episode_is_refused(until_s: float) -> None:
    with pytest.raises(DataError, match=r"expected 0\.\.60"):
        check_schedule(INSTANCE, replace(DAY, until_s=until_s))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"created_s": np.zeros(3)}, r"created_s has shape \(3,\)"),
        ({"worker_skills": np.ones((2, 2), dtype=bool)}, "worker_skills"),
        ({"task_node": (0, 6)}, "task_node lies in 0..6, expected 0..5"),
        ({"worker_node": (0, -1)}, "worker_node"),
        ({"task_skill": (0, 2)}, "task_skill"),
        ({"indices": (0, 17)}, "indices"),
        ({"indices": (1, 2)}, "twice"),
        ({"length": (0, 0)}, "length"),
        ({"indptr": (1, 9)}, "indptr"),
        ({"workload_s": (0, math.inf)}, "workload_s"),
        ({"speed_mps": 0.0}, "speed_mps is 0.0"),
        ({"range_m": NAN}, "range_m is nan"),
    ],
)
def test_an_instance_that_cannot_be_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        given(**change)
