"""How far the solution checker lets a claim be off, and what it says was expected: what mutation testing found untold.

The day is that of test_csc_checker.py.
"""

import math
from dataclasses import replace

import pytest
from reference.csc_instance import ReferenceTask, ReferenceWorker
from reference.csc_reference import ReferenceSimulator
from reference.csc_schedule import checked_instance, schedule
from test_csc_checker import DAY, INSTANCE, KIND, NAN, UNDER_WAY, add, given, tell, tell_task, tell_totals, the_world

from crowdgym.testing import CheckedInstance, Schedule, ViolationKind, check_schedule


def kinds(log: Schedule, instance: CheckedInstance = INSTANCE) -> list[ViolationKind]:
    return [violation.kind for violation in check_schedule(instance, log)]


def work_of_task_2_ends(end_s: float) -> Schedule:
    """w2 takes τ2 on the spot at 35 s; its 8 s of work end at 43 s."""
    w2 = replace(DAY.assignments[4], release_s=end_s, idle_s=end_s)
    outcome = replace(DAY.tasks[2], end_s=end_s)
    tasks = (*DAY.tasks[:2], outcome, *DAY.tasks[3:])
    return replace(DAY, tasks=tasks, assignments=(*DAY.assignments[:4], w2, *DAY.assignments[5:]))


@pytest.mark.parametrize(
    ("end_s", "found"),
    [
        (43.0 + 7e-6, []),
        (43.0 + 9e-6, [KIND.WORK_MISMATCH]),
        (43.0 - 7e-6, []),
        (43.0 - 9e-6, [KIND.WORK_MISMATCH]),
    ],
)
def test_work_may_be_off_by_a_millionth_of_the_workload(end_s: float, found: list[ViolationKind]) -> None:
    assert kinds(work_of_task_2_ends(end_s)) == found


@pytest.mark.parametrize(
    ("late_s", "found"), [(1.5e-7, []), (2.0e-7, [KIND.WORK_MISMATCH]), (-1.5e-7, []), (-2.0e-7, [KIND.WORK_MISMATCH])]
)
def test_late_in_a_long_day_work_may_be_off_by_two_roundings_of_the_clock_more(
    late_s: float, found: list[ViolationKind]
) -> None:
    """A millisecond of work on the spot at 9e4 s: 1e-6 of it, and twice (1 worker, 1 end) 1e-12 of 9e4 s."""
    task = ReferenceTask(0, 0, 0.0, 9.5e4, 1e5, 1e-3, 90.0)
    plain = replace(the_world(), workers=(ReferenceWorker(0, frozenset({0})),), tasks=(task,))
    simulator = ReferenceSimulator(replace(plain, horizon_s=1e5, step_s=9e4))
    simulator.step([0])
    simulator.step([1])
    end_s = 9e4 + 1e-3 + late_s
    log = schedule(simulator)
    (assignment,), (outcome,) = log.assignments, log.tasks
    assignment = replace(assignment, release_s=end_s, idle_s=end_s)
    log = replace(log, assignments=(assignment,), tasks=(replace(outcome, end_s=end_s),))
    assert kinds(log, checked_instance(simulator.instance)) == found


@pytest.mark.parametrize(
    ("end_s", "found"),
    [
        (math.nextafter(25.0, 20.0), []),
        (25.0, [KIND.WRONG_RELEASE_NODE]),
        (24.999, [KIND.WRONG_RELEASE_NODE]),
    ],
)
def test_a_node_not_quite_reached_may_be_passed_only_if_rounding_decides(
    end_s: float, found: list[ViolationKind]
) -> None:
    """w2 sets out from 5 to τ0 at 15 s and passes 4 at 25 s; it says that it went on to 3 as τ0 ended before."""
    w2 = replace(DAY.assignments[3], release_s=end_s, idle_node=3, idle_s=35.0)
    log = replace(tell_task(0, end_s=end_s), assignments=(*DAY.assignments[:3], w2))
    named = [violation.kind for violation in check_schedule(INSTANCE, log) if violation.worker == 2]
    assert named == found


def test_who_has_reached_the_end_of_its_way_stays_there() -> None:
    """w1 is at τ0 from 20 s on, but is said not to have come: only when it was idle there can be wrong, not where."""
    found = check_schedule(INSTANCE, tell(1, arrival_s=NAN))
    named = [(v.kind, v.expected) for v in found if v.worker == 1]
    assert named == [(KIND.WRONG_PRESENCE, "arrival at 20 s"), (KIND.WRONG_IDLE_TIME, 20.0)]


@pytest.mark.parametrize(
    ("late_s", "found"), [(0.9e-6, []), (-0.9e-6, []), (1.1e-6, [KIND.TOO_SLOW]), (-1.1e-6, [KIND.TOO_FAST])]
)
def test_an_arrival_may_be_off_by_a_microsecond(late_s: float, found: list[ViolationKind]) -> None:
    """w1 arrives at τ0 at 20 s; what that does to 30 s of work is within its own tolerance."""
    assert kinds(tell(1, arrival_s=20.0 + late_s)) == found


@pytest.mark.parametrize("sign", [1, -1])
def test_revenue_may_be_off_by_a_billionth(sign: int) -> None:
    assert kinds(tell_totals(revenue=121.0 + sign * 1.1e-7)) == []
    assert kinds(tell_totals(revenue=121.0 + sign * 1.3e-7)) == [KIND.REVENUE_TOTAL]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_payment_may_be_off_by_a_billionth_of_the_most_that_may_be_paid(sign: int) -> None:
    """τ0 pays 81 of 90."""
    assert kinds(tell_task(0, payment=81.0 + sign * 8e-8)) == []
    found = check_schedule(INSTANCE, tell_task(0, payment=81.0 + sign * 1.1e-7))
    assert [violation.kind for violation in found] == [KIND.WRONG_PAYMENT]


def test_cents_may_be_off_by_a_billionth_of_one() -> None:
    """Of tasks that pay at most 0.5 and 0.25, 0.45 and 0.25 are paid."""
    instance = given(max_payment=(slice(0, 3, 2), (0.5, 0.25)))
    paid = replace(
        DAY, tasks=tuple(replace(t, payment={0: 0.45, 2: 0.25}.get(i, 0.0)) for i, t in enumerate(DAY.tasks))
    )
    for off, found in ((0.9e-9, []), (1.2e-9, [KIND.REVENUE_TOTAL])):
        assert kinds(replace(paid, totals=replace(paid.totals, revenue=0.7 + off)), instance) == found


@pytest.mark.parametrize("sign", [1, -1])
def test_travel_may_be_off_by_a_micrometre_and_a_billionth(sign: int) -> None:
    assert kinds(tell_totals(travel_m=700.0 + sign * 1.6e-6)) == []
    assert kinds(tell_totals(travel_m=700.0 + sign * 1.8e-6)) == [KIND.TRAVEL_TOTAL]


def test_a_task_said_to_finish_too_late_is_owed_nothing() -> None:
    """τ2 done at 43 s, were its deadline then or before; it is paid 40, and expected to be paid nothing."""
    for deadline_s in (43.0, 41.0):
        found = check_schedule(given(deadline_s=(2, deadline_s)), DAY)
        assert [(v.expected, v.found) for v in found if v.kind is KIND.WRONG_PAYMENT] == [(0.0, 40.0)]


def test_a_task_is_paid_by_how_late_it_is() -> None:
    """τ0 ends at 30 s, expected at 20 s: 10 s late at 2 % a second leaves 72 of 90."""
    found = check_schedule(given(penalty_per_s=0.02), DAY)
    assert [(v.kind, v.task, v.expected, v.found) for v in found] == [(KIND.WRONG_PAYMENT, 0, 72.0, 81.0)]


@pytest.mark.parametrize(
    ("log", "instance", "kind", "expected"),
    [
        (add(replace(UNDER_WAY, worker=4)), INSTANCE, KIND.UNKNOWN_ID, "worker 0..3"),
        (tell(5, task=5), INSTANCE, KIND.UNKNOWN_ID, "task 0..4"),
        (tell(5, from_node=6), INSTANCE, KIND.UNKNOWN_ID, "from_node 0..5"),
        (tell(5, idle_node=6), INSTANCE, KIND.UNKNOWN_ID, "idle_node 0..5"),
        (DAY, given(max_candidates=1), KIND.NOT_A_CANDIDATE, "at most 0 nearer"),
        (DAY, given(worker_skills=((0, 1), False)), KIND.WRONG_SKILL, "skill 1"),
        (DAY, given(created_s=(2, 36.0)), KIND.NOT_OPEN, "taken within 36..43 s"),
        (tell(1, arrival_s=31.0), INSTANCE, KIND.WRONG_PRESENCE, "no arrival after 30 s"),
        (tell(1, arrival_s=NAN), INSTANCE, KIND.WRONG_PRESENCE, "arrival at 20 s"),
        (tell(5, taken_s=25.0), INSTANCE, KIND.NOT_IDLE, "idle from 30 s"),
        (add(replace(UNDER_WAY, taken_s=50.0)), INSTANCE, KIND.NOT_IDLE, "never idle again"),
        (tell_totals(illegal=43), INSTANCE, KIND.ILLEGAL_TOTAL, "0..42"),
        (tell_task(0, end_s=61.0), INSTANCE, KIND.WRONG_END, "0..60 s"),
    ],
)
def test_what_was_expected_is_said(
    log: Schedule, instance: CheckedInstance, kind: ViolationKind, expected: str
) -> None:
    assert expected in [violation.expected for violation in check_schedule(instance, log) if violation.kind is kind]
