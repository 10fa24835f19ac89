"""Check from first principles that a recorded episode of CSC follows the rules.

Written from docs/csc_dynamics.md. It shares no code with the kernel that plays the world, nor with the reference
simulator of the tests, and it simulates nothing: it reads the claims and holds each against the rules.
"""

import math
from collections import defaultdict

from crowdgym.common.errors import DataError
from crowdgym.verification.checked_roads import BoolArray, Roads
from crowdgym.verification.csc.records import (
    Assignment,
    CheckedInstance,
    Schedule,
    TaskOutcome,
    TaskStatus,
    Violation,
    ViolationKind,
)

TIME_TOLERANCE_S = 1e-6  # of a time that can be worked out from others
WORK_TOLERANCE = 1e-6  # of a workload
_ROUNDING = 1e-12  # relative: two roundings of one number


def check_schedule(instance: CheckedInstance, schedule: Schedule, *, partial: bool = False) -> list[Violation]:
    """Check every claim of a log.

    Confirmed: a worker that took a task was idle, stood where it last became idle, had the skill, and the task was
    open, in range and among the nearest K; workers travel along roads at the speed of the instance; a released
    worker continues to the first node of its path; work adds up to the workload at the finish, and to less if the
    task expired; payments follow the formula; totals are sums. Claims are compared with one another exactly where
    they order events, and to `TIME_TOLERANCE_S` and `WORK_TOLERANCE` where one is worked out from others.

    Not confirmed: the number of illegal actions. They leave no mark in the log, so only the bounds are checked.

    Args:
        instance: What was given.
        schedule: What is claimed.
        partial: Accept a log that was closed before the horizon.

    Returns:
        The violations, those of assignments first; empty if all is confirmed.

    Raises:
        DataError: If the log does not have one outcome per task, or its end is not a time of the episode.
    """
    return _Checker(instance, schedule).check(partial)


class _Checker:
    """One run of the checks, with their shared data."""

    def __init__(self, instance: CheckedInstance, schedule: Schedule) -> None:
        if len(schedule.tasks) != instance.num_tasks:
            raise DataError(f"the log has {len(schedule.tasks)} task outcomes, expected {instance.num_tasks}")
        if not 0 <= schedule.until_s <= instance.horizon_s:
            raise DataError(f"the log ends at {schedule.until_s} s, expected 0..{instance.horizon_s}")
        self.instance, self.schedule = instance, schedule
        self.until_s = schedule.until_s
        steps = math.floor(instance.horizon_s / instance.step_s)  # or one or two more
        epochs = (steps - 1, steps, steps + 1, steps + 2)
        self._last_epoch = next(k for k in epochs if k * instance.step_s >= instance.horizon_s)
        self._closing = self._epochs_at(schedule.until_s)
        self.roads = Roads(instance, instance.task_node)
        self.found: list[Violation] = []

    def check(self, partial: bool) -> list[Violation]:
        if not self._closing:
            self._report(ViolationKind.NOT_AN_EPOCH, "an epoch", self.until_s, time_s=self.until_s)
        if not partial and (not self._closing or self._closing[-1] < self._last_epoch):
            self._report(ViolationKind.INCOMPLETE, self.instance.horizon_s, self.until_s, time_s=self.until_s)
        known = [assignment for assignment in self.schedule.assignments if self._is_known(assignment)]
        known.sort(key=lambda assignment: assignment.taken_s)
        of_worker: dict[int, list[Assignment]] = defaultdict(list)
        of_task: dict[int, list[Assignment]] = defaultdict(list)
        for assignment in known:
            self._check_taking(assignment)
            self._check_trip(assignment)
            self._check_release(assignment)
            of_worker[assignment.worker].append(assignment)
            of_task[assignment.task].append(assignment)
        for worker, trips in sorted(of_worker.items()):
            self._check_sequence(worker, trips)
        for task, outcome in enumerate(self.schedule.tasks):
            self._check_times(task, outcome)
            self._check_work(task, outcome, of_task[task])
            self._check_payment(task, outcome)
        self._check_totals(known)
        return self.found

    def _report(
        self,
        kind: ViolationKind,
        expected: float | str,
        found: float | str,
        about: Assignment | None = None,
        *,
        task: int | None = None,
        time_s: float | None = None,
    ) -> None:
        if about is not None:
            time_s = about.taken_s if time_s is None else time_s
            violation = Violation.of(kind, expected, found, worker=about.worker, task=about.task, time_s=time_s)
        else:
            violation = Violation.of(kind, expected, found, task=task, time_s=time_s)
        self.found.append(violation)

    # ---- assignments ----

    def _epochs_at(self, time_s: float) -> list[int]:
        """The numbers of the epochs at this time: none or one, or two at a horizon that rounding reaches early."""
        step_s, horizon_s, last = self.instance.step_s, self.instance.horizon_s, self._last_epoch
        if not 0 <= time_s <= 2 * horizon_s:
            return []
        near = round(time_s / step_s)
        around = {min(max(epoch, 0), last) for epoch in (near - 1, near, near + 1)}
        return sorted(epoch for epoch in around if _same(min(epoch * step_s, horizon_s), time_s))

    def _is_known(self, assignment: Assignment) -> bool:
        """Whether everything that it names exists and its time is that of an epoch with actions."""
        nodes = self.instance.num_nodes
        numbers = {
            "worker": (assignment.worker, self.instance.num_workers),
            "task": (assignment.task, self.instance.num_tasks),
            "from_node": (assignment.from_node, nodes),
            "idle_node": (max(assignment.idle_node, 0) if assignment.idle_node == -1 else assignment.idle_node, nodes),
        }
        wrong = [(name, number, bound) for name, (number, bound) in numbers.items() if not 0 <= number < bound]
        for name, number, bound in wrong:
            self._report(ViolationKind.UNKNOWN_ID, f"{name} 0..{bound - 1}", number, assignment)
        if wrong:
            return False
        taken, closing = self._epochs_at(assignment.taken_s), self._closing
        if not taken or (closing and not taken[0] < closing[-1]) or not assignment.taken_s <= self.until_s:
            expected = f"an epoch before {self.until_s}"
            self._report(ViolationKind.NOT_AN_EPOCH, expected, assignment.taken_s, assignment)
        return math.isfinite(assignment.taken_s)

    def _is_open(self, task: int, time_s: float) -> bool:
        end_s = self.schedule.tasks[task].end_s
        return self.instance.created_s[task] <= time_s < self.instance.deadline_s[task] and not end_s <= time_s

    def _check_taking(self, assignment: Assignment) -> None:
        """Skill, open, in range, among the nearest K."""
        instance, task, taken_s = self.instance, assignment.task, assignment.taken_s
        skills = instance.worker_skills[assignment.worker]
        if not skills[instance.task_skill[task]]:
            self._report(ViolationKind.WRONG_SKILL, f"skill {instance.task_skill[task]}", _listed(skills), assignment)
        if not self._is_open(task, taken_s):
            end_s = self.schedule.tasks[task].end_s
            until_s = float(instance.deadline_s[task]) if math.isnan(end_s) else end_s
            expected = f"taken within {instance.created_s[task]:.10g}..{until_s:.10g} s"
            self._report(ViolationKind.NOT_OPEN, expected, taken_s, assignment)
        distance_m = self.roads.distance_m(assignment.from_node, task)
        if not distance_m <= instance.range_m * (1 + _ROUNDING):
            self._report(ViolationKind.OUT_OF_RANGE, instance.range_m, distance_m, assignment)
        units = self.roads.units_from(assignment.from_node)
        nearer = [
            other
            for other in range(instance.num_tasks)
            if skills[instance.task_skill[other]]
            and (units[other], other) < (units[task], task)
            and self._is_open(other, taken_s)
        ]
        if len(nearer) >= instance.max_candidates:
            expected = f"at most {instance.max_candidates - 1} nearer"
            self._report(ViolationKind.NOT_A_CANDIDATE, expected, len(nearer), assignment)

    def _check_trip(self, assignment: Assignment) -> None:
        """The arrival: at the time given by the roads, and only if the task and the log last until then."""
        due_s = assignment.taken_s + self._trip_m(assignment) / self.instance.speed_mps
        end_s = self.schedule.tasks[assignment.task].end_s
        last_s = self.until_s if math.isnan(end_s) else min(end_s, self.until_s)
        arrival_s = assignment.arrival_s
        if math.isnan(arrival_s):
            if due_s < last_s - TIME_TOLERANCE_S:
                self._report(ViolationKind.WRONG_PRESENCE, f"arrival at {due_s:.10g} s", "none", assignment)
            return
        if not arrival_s <= last_s + TIME_TOLERANCE_S:
            expected = f"no arrival after {last_s:.10g} s"
            self._report(ViolationKind.WRONG_PRESENCE, expected, arrival_s, assignment)
        if not _same(arrival_s, due_s):
            kind = ViolationKind.TOO_FAST if arrival_s < due_s else ViolationKind.TOO_SLOW
            self._report(kind, due_s, arrival_s, assignment)

    def _trip_m(self, assignment: Assignment) -> float:
        return self.roads.distance_m(assignment.from_node, assignment.task)

    def _check_release(self, assignment: Assignment) -> None:
        """Released when the task ends; idle at its node if present, else at the first node reached."""
        end_s = self.schedule.tasks[assignment.task].end_s
        if math.isnan(end_s) or math.isnan(assignment.release_s):
            if not (math.isnan(end_s) and math.isnan(assignment.release_s)):
                self._report(ViolationKind.WRONG_RELEASE_TIME, end_s, assignment.release_s, assignment)
            if assignment.idle_node != -1:
                self._report(ViolationKind.WRONG_RELEASE_NODE, -1, assignment.idle_node, assignment)
            if not math.isnan(assignment.idle_s):
                self._report(ViolationKind.WRONG_IDLE_TIME, math.nan, assignment.idle_s, assignment)
            return
        if not _same(assignment.release_s, end_s):
            self._report(ViolationKind.WRONG_RELEASE_TIME, end_s, assignment.release_s, assignment)
        if not math.isnan(assignment.arrival_s):
            goal = int(self.instance.task_node[assignment.task])
            if assignment.idle_node != goal:
                self._report(ViolationKind.WRONG_RELEASE_NODE, goal, assignment.idle_node, assignment)
            if not _same(assignment.idle_s, end_s):
                self._report(ViolationKind.WRONG_IDLE_TIME, end_s, assignment.idle_s, assignment)
        elif math.isfinite(self._trip_m(assignment)):
            self._check_release_under_way(assignment, end_s)

    def _check_release_under_way(self, assignment: Assignment, end_s: float) -> None:
        taken_s, idle_node = assignment.taken_s, assignment.idle_node
        nodes, metres = self.roads.path(assignment.from_node, assignment.task)
        reached_s = [taken_s + c / self.instance.speed_mps for c in metres]

        def first(time_s: float) -> int:
            return next((j for j, reached in enumerate(reached_s) if reached >= time_s), len(nodes) - 1)

        there = first(end_s)
        allowed = {there}
        if reached_s[there] != end_s:  # a node reached at the very instant but for rounding may be taken either way
            rounding_s = _ROUNDING * abs(end_s)
            allowed |= {first(end_s - rounding_s), first(end_s + rounding_s)}
        claimed = next((j for j in sorted(allowed) if nodes[j] == idle_node), None)
        if claimed is not None:
            if not _same(assignment.idle_s, reached_s[claimed]):
                self._report(ViolationKind.WRONG_IDLE_TIME, reached_s[claimed], assignment.idle_s, assignment)
            return
        on_path = self.roads.on_a_shortest_path(assignment.from_node, idle_node, assignment.task)
        kind = ViolationKind.OFF_PATH if idle_node != -1 and not on_path else ViolationKind.WRONG_RELEASE_NODE
        self._report(kind, nodes[there], idle_node, assignment, time_s=end_s)

    def _check_sequence(self, worker: int, trips: list[Assignment]) -> None:
        """One task at a time; each begins where the previous one ended."""
        node, free_s = int(self.instance.worker_node[worker]), 0.0
        for number, assignment in enumerate(trips):
            epochs = self._epochs_at(assignment.taken_s)
            repeated = number > 0 and bool(epochs) and epochs == self._epochs_at(trips[number - 1].taken_s)
            if repeated or not free_s <= assignment.taken_s:
                expected = "never idle again" if math.isnan(free_s) else f"idle from {free_s:.10g} s"
                self._report(ViolationKind.NOT_IDLE, expected, assignment.taken_s, assignment)
            if assignment.from_node != node:
                self._report(ViolationKind.WRONG_ORIGIN, node, assignment.from_node, assignment)
            node, free_s = assignment.idle_node, assignment.idle_s

    # ---- tasks ----

    def _check_times(self, task: int, outcome: TaskOutcome) -> None:
        """The status and the end time agree with creation, deadline and the end of the log."""
        created_s, deadline_s = float(self.instance.created_s[task]), float(self.instance.deadline_s[task])
        end_s, until_s = outcome.end_s, self.until_s
        if outcome.status is TaskStatus.FINISHED:
            if end_s >= deadline_s:
                self._report(ViolationKind.AFTER_DEADLINE, f"before {deadline_s}", end_s, task=task, time_s=end_s)
            if not created_s <= end_s <= until_s:
                self._report(ViolationKind.WRONG_END, f"{created_s:.10g}..{until_s:.10g} s", end_s, task=task)
        elif outcome.status is TaskStatus.EXPIRED:
            if not _same(end_s, deadline_s):
                self._report(ViolationKind.WRONG_END, deadline_s, end_s, task=task)
            if deadline_s > until_s:
                self._report(ViolationKind.WRONG_STATUS, "not expired yet", "expired", task=task, time_s=until_s)
        else:
            if not math.isnan(end_s):
                self._report(ViolationKind.WRONG_END, math.nan, end_s, task=task)
            expected = TaskStatus.PENDING if until_s < created_s else TaskStatus.OPEN
            if until_s >= deadline_s:
                self._report(ViolationKind.WRONG_STATUS, "ended", outcome.status.value, task=task, time_s=until_s)
            elif outcome.status is not expected:
                found = outcome.status.value
                self._report(ViolationKind.WRONG_STATUS, expected.value, found, task=task, time_s=until_s)

    def _check_work(self, task: int, outcome: TaskOutcome, trips: list[Assignment]) -> None:
        """A worker does one worker-second a second from its arrival to the end."""
        workload_s = float(self.instance.workload_s[task])
        last_s = self.until_s if math.isnan(outcome.end_s) else outcome.end_s
        arrivals_s = [trip.arrival_s for trip in trips if not math.isnan(trip.arrival_s)]
        done_s = math.fsum(max(0.0, last_s - arrival_s) for arrival_s in arrivals_s)
        # Times of 1e5 s are told apart to 1e-11 s: a workload of milliseconds needs more room than its own 1e-6.
        tolerance_s = WORK_TOLERANCE * workload_s + _ROUNDING * abs(last_s) * (1 + len(arrivals_s))
        if outcome.status is TaskStatus.FINISHED:
            if not abs(done_s - workload_s) <= tolerance_s:
                self._report(ViolationKind.WORK_MISMATCH, workload_s, done_s, task=task, time_s=last_s)
        elif not done_s <= workload_s + tolerance_s:
            expired = outcome.status is TaskStatus.EXPIRED
            kind = ViolationKind.EXPIRED_THOUGH_DONE if expired else ViolationKind.WORK_MISMATCH
            self._report(kind, f"at most {workload_s}", done_s, task=task, time_s=last_s)

    def _check_payment(self, task: int, outcome: TaskOutcome) -> None:
        expected = self._payment(task, outcome.end_s) if outcome.status is TaskStatus.FINISHED else 0.0
        if not abs(outcome.payment - expected) <= 1e-9 * max(1.0, abs(float(self.instance.max_payment[task]))):
            self._report(ViolationKind.WRONG_PAYMENT, expected, outcome.payment, task=task, time_s=outcome.end_s)

    def _payment(self, task: int, finish_s: float) -> float:
        """Section 3 of the paper."""
        late_s = finish_s - float(self.instance.expected_s[task])
        if not finish_s < self.instance.deadline_s[task]:
            return 0.0
        share = 1.0 if late_s <= 0 else max(0.0, 1.0 - self.instance.penalty_per_s * late_s)
        return share * float(self.instance.max_payment[task])

    # ---- totals ----

    def _check_totals(self, known: list[Assignment]) -> None:
        totals, outcomes = self.schedule.totals, self.schedule.tasks
        finished = [outcome for outcome in outcomes if outcome.status is TaskStatus.FINISHED]
        expired = sum(outcome.status is TaskStatus.EXPIRED for outcome in outcomes)
        revenue = math.fsum(outcome.payment for outcome in finished)
        travel_m = math.fsum(self._travelled_m(assignment) for assignment in known)
        if not abs(totals.revenue - revenue) <= 1e-9 * max(1.0, abs(revenue)):
            self._report(ViolationKind.REVENUE_TOTAL, revenue, totals.revenue)
        if totals.completed != len(finished):
            self._report(ViolationKind.COMPLETED_TOTAL, len(finished), totals.completed)
        if totals.expired != expired:
            self._report(ViolationKind.EXPIRED_TOTAL, expired, totals.expired)
        if not abs(totals.travel_m - travel_m) <= 1e-6 + 1e-9 * travel_m:
            self._report(ViolationKind.TRAVEL_TOTAL, travel_m, totals.travel_m)
        steps = self._closing[-1] if self._closing else math.inf
        room = self.instance.num_workers * steps - len(self.schedule.assignments)
        if not 0 <= totals.illegal <= room:
            self._report(ViolationKind.ILLEGAL_TOTAL, f"0..{room}", totals.illegal)

    def _travelled_m(self, assignment: Assignment) -> float:
        """Metres travelled until the end of the log; an unfinished trip counts the distance that the speed allows."""
        trip_m = self._trip_m(assignment)
        if math.isnan(assignment.arrival_s) and assignment.idle_node != -1:
            trip_m -= self.roads.distance_m(assignment.idle_node, assignment.task)
        return min(self.instance.speed_mps * (self.until_s - assignment.taken_s), trip_m)


def _same(a_s: float, b_s: float) -> bool:
    """Whether two times are equal; false if either is NaN."""
    return abs(a_s - b_s) <= TIME_TOLERANCE_S


def _listed(skills: BoolArray) -> str:
    """The indices of the given skills."""
    numbers = [str(number) for number, there in enumerate(skills) if there]
    return "skills " + ", ".join(numbers) if numbers else "no skill"
