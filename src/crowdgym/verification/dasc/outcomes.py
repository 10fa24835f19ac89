"""The second half of DASC's solution checker: outcomes of subtasks and tasks, payments and totals.

See `crowdgym.verification.dasc.checker.check_schedule`, which calls it.
"""

import math
from dataclasses import dataclass

from crowdgym.verification.checked_roads import Roads
from crowdgym.verification.dasc.records import (
    Assignment,
    CheckedInstance,
    Payment,
    Schedule,
    SubtaskStatus,
    TaskStatus,
    Violation,
    ViolationKind,
)

TIME_TOLERANCE_S = 1e-6  # of a time that can be worked out from others
_MONEY_TOLERANCE = 1e-9  # of the most that may be paid, and of sums


@dataclass(frozen=True)
class _Due:
    """The outcome that a task must have, by the times of its subtasks."""

    status: TaskStatus
    end_s: float
    last_finish_s: float  # of all subtasks; infinite if one has no worker


class OutcomeChecker:
    """One run of these checks, with their shared data."""

    def __init__(
        self, instance: CheckedInstance, schedule: Schedule, assignments: list[Assignment], roads: Roads
    ) -> None:
        """``assignments``: those of the log that name what is there, in the order of time."""
        self._instance, self._schedule = instance, schedule
        self._until_s = schedule.until_s
        self._assignments = assignments
        self._roads = roads
        self._first: dict[int, Assignment] = {}  # by subtask
        for assignment in assignments:
            self._first.setdefault(assignment.subtask, assignment)
        self._found: list[Violation] = []

    def check(self) -> list[Violation]:
        """Check them all; returns the violations."""
        dues = [self._due(task) for task in range(self._instance.num_tasks)]
        for subtask in range(self._instance.num_subtasks):
            self._check_subtask(subtask)
        payments: dict[int, list[Payment]] = {task: [] for task in range(len(dues))}
        for payment in sorted(self._schedule.payments, key=lambda payment: payment.seen_s):
            if payment.task not in payments:
                expected = f"task 0..{len(dues) - 1}"
                self._report(ViolationKind.UNKNOWN_ID, expected, payment.task, task=payment.task, time_s=payment.seen_s)
                continue
            payments[payment.task].append(payment)
        for task, due in enumerate(dues):
            self._check_task(task, due)
            self._check_payments(task, due, payments[task])
        self._check_totals()
        return self._found

    def _report(
        self,
        kind: ViolationKind,
        expected: float | str,
        found: float | str,
        *,
        subtask: int | None = None,
        task: int | None = None,
        time_s: float | None = None,
    ) -> None:
        self._found.append(Violation.of(kind, expected, found, subtask=subtask, task=task, time_s=time_s))

    def _due(self, task: int) -> _Due:
        instance = self._instance
        deadline_s = float(instance.deadline_s[task])
        finishes_s = [
            self._first[subtask].finish_s if subtask in self._first else math.inf
            for subtask in instance.subtasks_of(task)
        ]
        last_s = max(finishes_s)
        if last_s < deadline_s and last_s <= self._until_s:
            return _Due(TaskStatus.FINISHED, last_s, last_s)
        if deadline_s <= self._until_s:
            return _Due(TaskStatus.EXPIRED, deadline_s, last_s)
        created = instance.created_s[task] <= self._until_s
        return _Due(TaskStatus.OPEN if created else TaskStatus.PENDING, math.nan, last_s)

    def _check_subtask(self, subtask: int) -> None:
        """The status agrees with the times of its worker and of its task."""
        instance, until_s = self._instance, self._until_s
        task = int(instance.subtask_task[subtask])
        finish_s = self._first[subtask].finish_s if subtask in self._first else math.inf
        if instance.created_s[task] > until_s:
            expected = SubtaskStatus.ABSENT
        elif finish_s < instance.deadline_s[task] and finish_s <= until_s:
            expected = SubtaskStatus.FINISHED
        elif instance.deadline_s[task] <= until_s:
            expected = SubtaskStatus.FAILED
        else:
            expected = SubtaskStatus.ASSIGNED if subtask in self._first else SubtaskStatus.UNASSIGNED
        found = self._schedule.subtasks[subtask]
        if found is not expected:
            kind = ViolationKind.WRONG_SUBTASK_STATUS
            self._report(kind, expected.value, found.value, subtask=subtask, task=task, time_s=until_s)

    def _check_task(self, task: int, due: _Due) -> None:
        claimed = self._schedule.tasks[task]
        if claimed.status is not due.status:
            kind = ViolationKind.WRONG_STATUS
            if claimed.status is TaskStatus.FINISHED:
                too_late = self._instance.deadline_s[task] <= due.last_finish_s < math.inf
                kind = ViolationKind.AFTER_DEADLINE if too_late else ViolationKind.UNFINISHED
            elif claimed.status is TaskStatus.EXPIRED and due.status is TaskStatus.FINISHED:
                kind = ViolationKind.EXPIRED_THOUGH_DONE
            self._report(kind, due.status.value, claimed.status.value, task=task, time_s=self._until_s)
        elif not _same_or_nan(claimed.end_s, due.end_s):
            self._report(ViolationKind.WRONG_END, due.end_s, claimed.end_s, task=task)

    def _check_payments(self, task: int, due: _Due, payments: list[Payment]) -> None:
        """Once, as the task finishes, what the penalty leaves."""
        if due.status is not TaskStatus.FINISHED:
            for payment in payments:
                kind = ViolationKind.PAID_UNFINISHED
                self._report(kind, 0.0, payment.amount, task=task, time_s=payment.seen_s)
            return
        for payment in payments[1:]:
            self._report(ViolationKind.PAID_TWICE, 0.0, payment.amount, task=task, time_s=payment.seen_s)
        late_s = due.end_s - float(self._instance.expected_s[task])
        most = float(self._instance.max_payment[task])
        owed = most if late_s <= 0 else max(0.0, most - self._instance.penalty_per_s * late_s)
        paid = payments[0].amount if payments else 0.0
        if not abs(paid - owed) <= _MONEY_TOLERANCE * max(1.0, most):
            kind = ViolationKind.WRONG_PAYMENT if late_s <= 0 else ViolationKind.LATE_PAYMENT
            self._report(kind, owed, paid, task=task, time_s=due.end_s)
        for payment in payments[:1]:
            epoch_before_s = payment.seen_s - self._instance.step_s
            if not epoch_before_s - TIME_TOLERANCE_S <= due.end_s <= payment.seen_s + TIME_TOLERANCE_S:
                kind = ViolationKind.PAID_AT_WRONG_TIME
                self._report(kind, f"as it finishes, at {due.end_s:.10g} s", payment.seen_s, task=task)

    # ---- totals ----

    def _check_totals(self) -> None:
        totals, statuses = self._schedule.totals, [outcome.status for outcome in self._schedule.tasks]
        revenue = math.fsum(payment.amount for payment in self._schedule.payments)
        travel_m = math.fsum(map(self._travelled_m, self._assignments))
        travel_cost = self._instance.travel_cost_per_m * travel_m
        sums = (
            (ViolationKind.REVENUE_TOTAL, revenue, totals.revenue, abs(revenue)),
            (ViolationKind.TRAVEL_TOTAL, travel_m, totals.travel_m, travel_m),
            (ViolationKind.TRAVEL_COST_TOTAL, travel_cost, totals.travel_cost, travel_cost),
            (ViolationKind.PROFIT_TOTAL, revenue - travel_cost, totals.profit, abs(revenue) + travel_cost),
        )
        for kind, expected, found, size in sums:
            if not abs(found - expected) <= _MONEY_TOLERANCE * max(1.0, size):
                self._report(kind, expected, found)
        counts = (
            (ViolationKind.COMPLETED_TOTAL, statuses.count(TaskStatus.FINISHED), totals.completed),
            (ViolationKind.EXPIRED_TOTAL, statuses.count(TaskStatus.EXPIRED), totals.expired),
            (ViolationKind.ASSIGNED_TOTAL, len({a.subtask for a in self._schedule.assignments}), totals.assigned),
        )
        for kind, number, claimed in counts:
            if number != claimed:
                self._report(kind, number, claimed)
        self._check_actions()

    def _check_actions(self) -> None:
        """Every slot acts once an epoch; its action is a match, is counted in one of these three, or is a hold."""
        totals = self._schedule.totals
        epochs = math.ceil(self._until_s / self._instance.step_s - 1e-9)
        slots = max(self._instance.num_slots, self._instance.num_subtasks)
        room = slots * epochs - len(self._schedule.assignments)
        refused = {"illegal": totals.illegal, "invalid": totals.invalid, "unmatched": totals.unmatched}
        most = {"invalid": 0} if self._instance.after_finish else {}
        for name, number in refused.items():
            if not 0 <= number <= most.get(name, room):
                self._report(ViolationKind.ACTIONS_TOTAL, f"{name} 0..{most.get(name, room)}", number)
        if not sum(refused.values()) <= room:
            self._report(ViolationKind.ACTIONS_TOTAL, f"all three 0..{room}", sum(refused.values()))

    def _travelled_m(self, assignment: Assignment) -> float:
        """Metres travelled until the end of the log; an unfinished trip counts the distance that the speed allows."""
        trip_m = self._roads.distance_m(assignment.from_node, assignment.subtask)
        if assignment.idle_node != -1:  # it may have stopped on the way
            trip_m -= self._roads.distance_m(assignment.idle_node, assignment.subtask)
        return min(self._instance.speed_mps * (self._until_s - assignment.taken_s), trip_m)


def _same_or_nan(a_s: float, b_s: float) -> bool:
    return (math.isnan(a_s) and math.isnan(b_s)) or abs(a_s - b_s) <= TIME_TOLERANCE_S
