"""The solution checker of DASC on one minute, worked out by hand: what has been tampered with is named."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from crowdgym.verification.dasc.checker import check_schedule
from crowdgym.verification.dasc.records import (
    Assignment,
    CheckedInstance,
    Payment,
    Schedule,
    SubtaskStatus,
    TaskOutcome,
    TaskStatus,
    Totals,
    Violation,
    ViolationKind,
)

KIND = ViolationKind
NAN = math.nan


# ---- a minute with a bit of everything ----


def the_world() -> CheckedInstance:
    """Five tasks with seven subtasks, and four workers, on a line of roads of 100 m (10 s); epochs 5 s apart.

    0 ------- 1 ------- 2 ------- 3 ------- 4 ------- 5
    w2        w0        w1 w3     .         .         .
    s2                  s0 -----> s1        s4 s5     s3 s6

    Task 0 is s0 before s1, task 1 is s2 and s3, and tasks 2, 3 and 4 are s4, s5 and s6. All ask for skill 0, s1 for
    skill 1 as well, and s6 for skill 1 alone, which only w1 has. A task pays half a unit less for every second that it
    is late, and a metre costs a hundredth.
    """
    heads = np.array([1, 0, 2, 1, 3, 2, 4, 3, 5, 4])
    zero, both, one = (True, False), (True, True), (False, True)
    return CheckedInstance(
        indptr=np.array([0, 1, 3, 5, 7, 9, 10]),
        indices=heads,
        length=np.full(10, 100),
        unit_m=1.0,
        worker_node=np.array([1, 2, 0, 2]),
        worker_skills=np.array([zero, both, zero, zero]),
        created_s=np.array([0.0, 0.0, 20.0, 70.0, 0.0]),
        expected_s=np.array([25.0, 12.0, 45.0, 80.0, 90.0]),
        deadline_s=np.array([100.0, 15.0, 60.0, 100.0, 100.0]),
        max_payment=np.array([90.0, 50.0, 40.0, 40.0, 70.0]),
        subtask_task=np.array([0, 0, 1, 1, 2, 3, 4]),
        subtask_node=np.array([2, 3, 0, 5, 4, 4, 5]),
        subtask_skills=np.array([zero, both, zero, zero, zero, zero, one]),
        duration_s=np.array([10.0, 10.0, 30.0, 5.0, 8.0, 8.0, 30.0]),
        predecessors=((), (0,), (), (), (), (), ()),
        horizon_s=60.0,
        step_s=5.0,
        speed_mps=10.0,
        range_m=300.0,
        penalty_per_s=0.5,
        travel_cost_per_m=0.01,
        max_candidates=3,
        num_slots=8,
        selects=False,
        after_finish=False,
    )


INSTANCE = the_world()

# w0 and w1 drive 100 m each. w1 waits from 10 s to 20 s for s0; task 0 is 5 s late: 90 - 2.5. At 15 s task 1 expires:
# w2 is at work and idle on the spot, w3 has driven 150 m of 300 and goes on to 4, where it is from 20 s. There it
# serves s4 on the spot. w1 sets out for s6 at 45 s from 3, and has driven 150 m at the end.
MINUTE = Schedule(
    until_s=60.0,
    assignments=(
        Assignment(0, 0, 0.0, 1, 10.0, 10.0, 20.0, 2, 20.0),
        Assignment(1, 1, 0.0, 2, 10.0, 20.0, 30.0, 3, 30.0),
        Assignment(2, 2, 0.0, 0, 0.0, 0.0, 30.0, 0, 15.0),
        Assignment(3, 3, 0.0, 2, 30.0, 30.0, 35.0, 4, 20.0),
        Assignment(3, 4, 20.0, 4, 20.0, 20.0, 28.0, 4, 28.0),
        Assignment(1, 6, 45.0, 3, 65.0, 65.0, 95.0, -1, NAN),
    ),
    subtasks=(
        SubtaskStatus.FINISHED,
        SubtaskStatus.FINISHED,
        SubtaskStatus.FAILED,
        SubtaskStatus.FAILED,
        SubtaskStatus.FINISHED,
        SubtaskStatus.ABSENT,
        SubtaskStatus.ASSIGNED,
    ),
    tasks=(
        TaskOutcome(TaskStatus.FINISHED, 30.0),
        TaskOutcome(TaskStatus.EXPIRED, 15.0),
        TaskOutcome(TaskStatus.FINISHED, 28.0),
        TaskOutcome(TaskStatus.PENDING, NAN),
        TaskOutcome(TaskStatus.OPEN, NAN),
    ),
    payments=(Payment(0, 30.0, 87.5), Payment(2, 30.0, 40.0)),
    totals=Totals(
        revenue=127.5,
        travel_cost=5.5,
        profit=122.0,
        completed=2,
        expired=1,
        assigned=6,
        travel_m=550.0,
        illegal=4,
        invalid=1,
        unmatched=2,
    ),
)
S0, S1, S2, S3, S4, S6 = MINUTE.assignments


def test_the_minute_is_confirmed() -> None:
    assert check_schedule(INSTANCE, MINUTE) == []


def test_the_order_of_the_log_does_not_matter() -> None:
    turned = replace(MINUTE, assignments=MINUTE.assignments[::-1], payments=MINUTE.payments[::-1])
    assert check_schedule(INSTANCE, turned) == []


# ---- what is not true is named ----


def tell(number: int, **changes: Any) -> Schedule:
    """The minute, with something else claimed about an assignment."""
    changed = replace(MINUTE.assignments[number], **changes)
    return replace(MINUTE, assignments=(*MINUTE.assignments[:number], changed, *MINUTE.assignments[number + 1 :]))


def without(number: int) -> Schedule:
    """The minute, with one assignment less."""
    return replace(MINUTE, assignments=(*MINUTE.assignments[:number], *MINUTE.assignments[number + 1 :]))


def add(assignment: Assignment) -> Schedule:
    """The minute, with one assignment more."""
    return replace(MINUTE, assignments=(*MINUTE.assignments, assignment))


def tell_task(number: int, status: TaskStatus, end_s: float) -> Schedule:
    """The minute, with something else claimed about a task."""
    outcome = TaskOutcome(status, end_s)
    return replace(MINUTE, tasks=(*MINUTE.tasks[:number], outcome, *MINUTE.tasks[number + 1 :]))


def tell_subtask(number: int, status: SubtaskStatus) -> Schedule:
    """The minute, with something else claimed about a subtask."""
    return replace(MINUTE, subtasks=(*MINUTE.subtasks[:number], status, *MINUTE.subtasks[number + 1 :]))


def pay(*payments: Payment) -> Schedule:
    """The minute, with other payments."""
    return replace(MINUTE, payments=payments)


def tell_totals(**changes: Any) -> Schedule:
    """The minute, with something else claimed in sum."""
    return replace(MINUTE, totals=replace(MINUTE.totals, **changes))


def given(**changes: Any) -> CheckedInstance:
    """The instance with other numbers; a pair is (index, value) of an array: the rule that the log has broken."""
    for name, change in changes.items():
        if isinstance(change, tuple) and name != "predecessors":
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
    subtask: int | None = None
    worker: int | None = None
    task: int | None = None
    instance: CheckedInstance = INSTANCE


P0, P2 = MINUTE.payments
FAULTS = [
    Fault("lacks one of two skills", MINUTE, KIND.MISSING_SKILL, 1, 1, None, given(worker_skills=((1, 0), False))),
    Fault("lacks the only skill", tell(5, worker=0), KIND.MISSING_SKILL, 6, 0),
    Fault("out of range", MINUTE, KIND.OUT_OF_RANGE, 3, 3, None, given(range_m=299.0)),
    Fault("not among the nearest", MINUTE, KIND.NOT_A_CANDIDATE, 0, 0, None, given(selects=True, max_candidates=2)),
    Fault("nearer by its number", MINUTE, KIND.NOT_A_CANDIDATE, 3, 3, None, given(selects=True, max_candidates=1)),
    Fault("before creation", MINUTE, KIND.NOT_OPEN, 4, 3, None, given(created_s=(2, 21.0))),
    Fault("at the deadline", MINUTE, KIND.NOT_OPEN, 6, 1, None, given(deadline_s=(4, 45.0))),
    Fault("predecessor without a worker", without(0), KIND.PREDECESSOR_UNASSIGNED, 1, 1),
    Fault(
        "predecessor with a worker only later",
        tell(0, taken_s=5.0, arrive_s=15.0, start_s=15.0, finish_s=25.0, idle_s=25.0),
        KIND.PREDECESSOR_UNASSIGNED,
        1,
        1,
    ),
    Fault("predecessor under way", MINUTE, KIND.PREDECESSOR_UNFINISHED, 1, 1, None, given(after_finish=True)),
    Fault("two workers", add(Assignment(0, 1, 25.0, 2, 35.0, 35.0, 45.0, 3, 45.0)), KIND.SERVED_TWICE, 1, 0),
    Fault("double booking at work", tell(5, taken_s=25.0), KIND.NOT_IDLE, 6, 1),
    Fault("double booking at one epoch", add(Assignment(0, 6, 0.0, 1, 40.0, 40.0, 70.0, -1, NAN)), KIND.NOT_IDLE, 6, 0),
    Fault("double booking on the way on", tell(4, taken_s=15.0), KIND.NOT_IDLE, 4, 3),
    Fault("never idle again", add(Assignment(1, 5, 50.0, 3, 60.0, 60.0, 68.0, -1, NAN)), KIND.NOT_IDLE, 5, 1),
    Fault("teleported", tell(5, from_node=4, arrive_s=55.0), KIND.WRONG_ORIGIN, 6, 1),
    Fault("started elsewhere", tell(0, from_node=2, arrive_s=0.0), KIND.WRONG_ORIGIN, 0, 0),
    Fault("teleported on the road", tell(0, arrive_s=0.0), KIND.TOO_FAST, 0, 0),
    Fault("a hair too fast", tell(5, arrive_s=64.9999), KIND.TOO_FAST, 6, 1),
    Fault("too slow", tell(5, arrive_s=66.0), KIND.TOO_SLOW, 6, 1),
    Fault("arrives at an unknown time", tell(5, arrive_s=NAN), KIND.TOO_SLOW, 6, 1),
    Fault("starts before arrival", tell(0, start_s=9.0), KIND.BEFORE_ARRIVAL, 0, 0),
    Fault("starts before the predecessor", tell(1, start_s=10.0), KIND.BEFORE_PREDECESSOR, 1, 1),
    Fault("starts late", tell(4, start_s=21.0), KIND.STARTS_LATE, 4, 3),
    Fault("starts at an unknown time", tell(4, start_s=NAN), KIND.STARTS_LATE, 4, 3),
    Fault("finishes early", tell(1, finish_s=29.0), KIND.FINISHES_EARLY, 1, 1),
    Fault("finishes late", tell(1, finish_s=31.0), KIND.FINISHES_LATE, 1, 1),
    Fault("idle though busy", tell(5, idle_node=5, idle_s=60.0), KIND.WRONG_RELEASE, 6, 1),
    Fault("busy though free", tell(4, idle_node=-1, idle_s=NAN), KIND.WRONG_RELEASE, 4, 3),
    Fault("idle nowhere", tell(3, idle_node=-1), KIND.WRONG_RELEASE, 3, 3),
    Fault("idle elsewhere", tell(0, idle_node=3), KIND.WRONG_IDLE_NODE, 0, 0),
    Fault("stopped between nodes", tell(3, idle_node=3), KIND.WRONG_IDLE_NODE, 3, 3),
    Fault("drove to the end", tell(3, idle_node=5, idle_s=30.0), KIND.WRONG_IDLE_NODE, 3, 3),
    Fault("turned back", tell(3, idle_node=1), KIND.OFF_PATH, 3, 3),
    Fault("idle before the finish", tell(0, idle_s=15.0), KIND.WRONG_IDLE_TIME, 0, 0),
    Fault("idle before the deadline", tell(2, idle_s=10.0), KIND.WRONG_IDLE_TIME, 2, 2),
    Fault("jumped to the node", tell(3, idle_s=15.0), KIND.WRONG_IDLE_TIME, 3, 3),
    Fault("failed though finished", tell_subtask(1, SubtaskStatus.FAILED), KIND.WRONG_SUBTASK_STATUS, 1, None, 0),
    Fault("finished though failed", tell_subtask(2, SubtaskStatus.FINISHED), KIND.WRONG_SUBTASK_STATUS, 2, None, 1),
    Fault("open before creation", tell_subtask(5, SubtaskStatus.UNASSIGNED), KIND.WRONG_SUBTASK_STATUS, 5, None, 3),
    Fault("no worker", tell_subtask(6, SubtaskStatus.UNASSIGNED), KIND.WRONG_SUBTASK_STATUS, 6, None, 4),
    Fault("done too soon", tell_task(4, TaskStatus.FINISHED, 60.0), KIND.UNFINISHED, None, None, 4),
    Fault("done without a worker", tell_task(3, TaskStatus.FINISHED, 60.0), KIND.UNFINISHED, None, None, 3),
    Fault("done too late", tell_task(1, TaskStatus.FINISHED, 15.0), KIND.AFTER_DEADLINE, None, None, 1),
    Fault("done at the deadline", MINUTE, KIND.AFTER_DEADLINE, None, None, 2, given(deadline_s=(2, 28.0))),
    Fault("expired though done", tell_task(2, TaskStatus.EXPIRED, 60.0), KIND.EXPIRED_THOUGH_DONE, None, None, 2),
    Fault("open though expired", tell_task(1, TaskStatus.OPEN, NAN), KIND.WRONG_STATUS, None, None, 1),
    Fault("pending though open", tell_task(4, TaskStatus.PENDING, NAN), KIND.WRONG_STATUS, None, None, 4),
    Fault("finished too soon", tell_task(0, TaskStatus.FINISHED, 20.0), KIND.WRONG_END, None, None, 0),
    Fault("finished at an unknown time", tell_task(0, TaskStatus.FINISHED, NAN), KIND.WRONG_END, None, None, 0),
    Fault("expired too soon", tell_task(1, TaskStatus.EXPIRED, 14.0), KIND.WRONG_END, None, None, 1),
    Fault("open, but with an end", tell_task(4, TaskStatus.OPEN, 50.0), KIND.WRONG_END, None, None, 4),
    Fault("penalised though in time", pay(P0, replace(P2, amount=39.0)), KIND.WRONG_PAYMENT, None, None, 2),
    Fault("never paid", pay(P0), KIND.WRONG_PAYMENT, None, None, 2),
    Fault("late, paid in full", pay(replace(P0, amount=90.0), P2), KIND.LATE_PAYMENT, None, None, 0),
    Fault("late, not paid", pay(P2), KIND.LATE_PAYMENT, None, None, 0),
    Fault("a cent more", pay(replace(P0, amount=87.51), P2), KIND.LATE_PAYMENT, None, None, 0),
    Fault("paid less than nothing", MINUTE, KIND.LATE_PAYMENT, None, None, 0, given(penalty_per_s=20.0)),
    Fault("paid though expired", pay(P0, P2, Payment(1, 15.0, 50.0)), KIND.PAID_UNFINISHED, None, None, 1),
    Fault("paid though open", pay(P0, P2, Payment(4, 60.0, 70.0)), KIND.PAID_UNFINISHED, None, None, 4),
    Fault("paid though a subtask failed", MINUTE, KIND.PAID_UNFINISHED, None, None, 0, given(deadline_s=(0, 29.0))),
    Fault("paid twice", pay(P0, P2, replace(P0, seen_s=45.0)), KIND.PAID_TWICE, None, None, 0),
    Fault(
        "paid in two parts", pay(replace(P0, amount=43.75), replace(P0, amount=43.75)), KIND.PAID_TWICE, None, None, 0
    ),
    Fault("paid afterwards", pay(P0, replace(P2, seen_s=35.0)), KIND.PAID_AT_WRONG_TIME, None, None, 2),
    Fault("paid in advance", pay(P0, replace(P2, seen_s=25.0)), KIND.PAID_AT_WRONG_TIME, None, None, 2),
    Fault("paid for no task", pay(P0, P2, Payment(5, 30.0, 1.0)), KIND.UNKNOWN_ID, None, None, 5),
    Fault("no such worker", add(replace(S6, worker=4)), KIND.UNKNOWN_ID, 6, 4),
    Fault("no such subtask", add(replace(S6, subtask=7)), KIND.UNKNOWN_ID, 7, 1),
    Fault("no such place", tell(5, from_node=6), KIND.UNKNOWN_ID, 6, 1),
    Fault("no such place to be idle", tell(3, idle_node=-2), KIND.UNKNOWN_ID, 3, 3),
    Fault("between epochs", tell(5, taken_s=47.5), KIND.NOT_AN_EPOCH, 6, 1),
    Fault("at the horizon", tell(5, taken_s=60.0), KIND.NOT_AN_EPOCH, 6, 1),
    Fault("before the beginning", tell(0, taken_s=-5.0), KIND.NOT_AN_EPOCH, 0, 0),
    Fault("taken at an unknown time", tell(0, taken_s=NAN), KIND.NOT_AN_EPOCH, 0, 0),
    Fault("closed between epochs", replace(MINUTE, until_s=58.0), KIND.NOT_AN_EPOCH),
    Fault("closed early", replace(MINUTE, until_s=55.0), KIND.INCOMPLETE),
    Fault("more revenue", tell_totals(revenue=128.0), KIND.REVENUE_TOTAL),
    Fault("revenue unknown", tell_totals(revenue=NAN), KIND.REVENUE_TOTAL),
    Fault("less travel", tell_totals(travel_m=549.0), KIND.TRAVEL_TOTAL),
    Fault("travel without the way on", tell_totals(travel_m=500.0), KIND.TRAVEL_TOTAL),
    Fault("cheaper travel", tell_totals(travel_cost=5.4), KIND.TRAVEL_COST_TOTAL),
    Fault("dearer travel", MINUTE, KIND.TRAVEL_COST_TOTAL, instance=given(travel_cost_per_m=0.02)),
    Fault("profit without travel", tell_totals(profit=127.5), KIND.PROFIT_TOTAL),
    Fault("more completed", tell_totals(completed=3), KIND.COMPLETED_TOTAL),
    Fault("fewer expired", tell_totals(expired=0), KIND.EXPIRED_TOTAL),
    Fault("fewer assigned", tell_totals(assigned=5), KIND.ASSIGNED_TOTAL),
    Fault("fewer illegal than none", tell_totals(illegal=-1), KIND.ACTIONS_TOTAL),
    Fault("more unmatched than actions", tell_totals(unmatched=8 * 12 - 6 + 1), KIND.ACTIONS_TOTAL),
    Fault("more than actions in sum", tell_totals(illegal=45, unmatched=45), KIND.ACTIONS_TOTAL),
    Fault("invalid where nothing can be", MINUTE, KIND.ACTIONS_TOTAL, instance=given(after_finish=True)),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_named(fault: Fault) -> None:
    found = check_schedule(fault.instance, fault.log)
    named = [(v.kind, v.subtask, v.worker, v.task) for v in found]
    assert (fault.kind, fault.subtask, fault.worker, fault.task) in named, [str(violation) for violation in found]


def test_every_kind_of_violation_is_planted_somewhere() -> None:
    assert {fault.kind for fault in FAULTS} == set(ViolationKind)


@pytest.mark.parametrize(
    ("log", "kinds"),
    [
        (tell(3, idle_s=15.0), [KIND.WRONG_IDLE_TIME]),
        (tell(0, arrive_s=9.0), [KIND.TOO_FAST, KIND.STARTS_LATE]),
        (tell_totals(travel_m=549.0), [KIND.TRAVEL_TOTAL]),
        (tell(5, taken_s=40.0), [KIND.TOO_SLOW, KIND.TRAVEL_TOTAL, KIND.TRAVEL_COST_TOTAL, KIND.PROFIT_TOTAL]),
        (pay(replace(P0, amount=90.0), P2), [KIND.LATE_PAYMENT, KIND.REVENUE_TOTAL, KIND.PROFIT_TOTAL]),
        (pay(P0, replace(P2, seen_s=35.0)), [KIND.PAID_AT_WRONG_TIME]),
    ],
)
def test_a_fault_is_reported_with_what_follows_from_it_and_nothing_else(
    log: Schedule, kinds: list[ViolationKind]
) -> None:
    assert [violation.kind for violation in check_schedule(INSTANCE, log)] == kinds


def test_what_select_allows_is_confirmed() -> None:
    """w1 and w3 are nearer to s0 than w0, the third of three candidates; all other matches have fewer before them."""
    assert check_schedule(given(selects=True), MINUTE) == []


def test_a_violation_says_what_where_when_and_what_was_expected() -> None:
    (violation,) = check_schedule(INSTANCE, tell_totals(travel_m=549.0))
    assert violation == Violation(KIND.TRAVEL_TOTAL, 550.0, 549.0, violation.message, None, None, None, None)
    assert str(violation) == "the log: travel is not the sum of the trips (expected 550.0, found 549.0)"
    first, *_ = check_schedule(INSTANCE, tell(1, start_s=10.0))
    assert str(first) == (
        "subtask 1 and worker 1 at 0 s: starts before a predecessor is finished "
        "(expected after subtask 0 at 20 s, found 10.0)"
    )


def test_half_the_minute_is_confirmed_if_that_is_all_there_is() -> None:
    """At 25 s s1 is being worked at, s4 has been taken at 20 s, and no task was paid; 400 m have been driven."""
    half = Schedule(
        until_s=25.0,
        assignments=(
            S0,
            replace(S1, idle_node=-1, idle_s=NAN),
            S2,
            S3,
            replace(S4, idle_node=-1, idle_s=NAN),
        ),
        subtasks=(
            SubtaskStatus.FINISHED,
            SubtaskStatus.ASSIGNED,
            SubtaskStatus.FAILED,
            SubtaskStatus.FAILED,
            SubtaskStatus.ASSIGNED,
            SubtaskStatus.ABSENT,
            SubtaskStatus.UNASSIGNED,
        ),
        tasks=(
            TaskOutcome(TaskStatus.OPEN, NAN),
            MINUTE.tasks[1],
            TaskOutcome(TaskStatus.OPEN, NAN),
            MINUTE.tasks[3],
            MINUTE.tasks[4],
        ),
        payments=(),
        totals=Totals(0.0, 4.0, -4.0, 0, 1, 5, 400.0, 0, 0, 0),
    )
    assert check_schedule(INSTANCE, half, partial=True) == []
    assert [violation.kind for violation in check_schedule(INSTANCE, half)] == [KIND.INCOMPLETE]


@pytest.mark.parametrize(
    ("deadline_s", "idle_node", "idle_s", "kinds"),
    [
        (20.0, 4, 20.0, []),
        (20.0, 5, 30.0, [KIND.WRONG_IDLE_NODE]),
        (math.nextafter(20.0, 30.0), 4, 20.0, []),
        (math.nextafter(20.0, 30.0), 5, 30.0, []),
        (20.001, 4, 20.0, [KIND.WRONG_IDLE_NODE]),
        (20.001, 5, 30.0, []),
        (30.0, 5, 30.0, []),
        (30.001, 5, 30.001, []),
        (30.001, 5, 30.0, [KIND.WRONG_IDLE_TIME]),
    ],
)
def test_where_who_is_released_on_the_way_stops(
    deadline_s: float, idle_node: int, idle_s: float, kinds: list[ViolationKind]
) -> None:
    """w3 sets out from 2 at 0 s and passes 3, 4 and 5 at 10, 20 and 30 s; task 1 expires about then.

    A node reached at the very instant is kept; only rounding may decide otherwise. Who arrives before is there already.
    """
    log = replace(MINUTE, assignments=(S0, S1, S2, replace(S3, idle_node=idle_node, idle_s=idle_s)))
    found = check_schedule(given(deadline_s=(1, deadline_s)), log)
    assert [violation.kind for violation in found if violation.subtask == 3 and violation.worker == 3] == kinds
