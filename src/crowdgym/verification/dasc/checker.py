"""Check from first principles that a recorded episode of DASC follows the rules.

Written from docs/dasc_dynamics.md. It shares no code with the kernel that plays the world, nor with the reference
simulator of the tests, and it simulates nothing: it reads the claims and holds each against the rules.
"""

import math
from collections import defaultdict

import numpy as np

from crowdgym.common.errors import DataError
from crowdgym.verification.checked_roads import BoolArray, Roads
from crowdgym.verification.dasc.outcomes import TIME_TOLERANCE_S, OutcomeChecker
from crowdgym.verification.dasc.records import Assignment, CheckedInstance, Schedule, Violation, ViolationKind

_ROUNDING = 1e-12  # relative: two roundings of one number


def check_schedule(instance: CheckedInstance, schedule: Schedule, *, partial: bool = False) -> list[Violation]:
    """Check every claim of a log.

    Confirmed: a worker that got a subtask was idle, stood where it last became idle, had all the skills, and was in
    range (in ``select`` mode among the nearest K able workers); the task was open, the predecessors had workers or were
    finished as the mode asks, and no worker had the subtask before; workers travel along roads at the speed of the
    instance; work starts with the arrival or the last predecessor's finish, and lasts its duration; workers become idle
    where and when they must; tasks finish with their last subtask or expire; each is paid once, as it finishes, and
    what the penalty leaves; totals are sums. Claims are compared with one another exactly where they order events, and
    to `crowdgym.verification.dasc.outcomes.TIME_TOLERANCE_S` where one is worked out from others.

    Not confirmed: whether a matching is the best one, and the counts of illegal, invalid and unmatched actions. These
    leave no mark in the log, so only their bounds are checked.

    Args:
        instance: What was given.
        schedule: What is claimed.
        partial: Accept a log that was closed before the horizon.

    Returns:
        The violations, those of assignments first; empty if all is confirmed.

    Raises:
        DataError: If the log does not have one outcome per task and subtask, or its end is not a time of the episode.
    """
    for name, claims, number in (
        ("task outcomes", schedule.tasks, instance.num_tasks),
        ("subtask statuses", schedule.subtasks, instance.num_subtasks),
    ):
        if len(claims) != number:
            raise DataError(f"the log has {len(claims)} {name}, expected {number}")
    if not 0 <= schedule.until_s <= instance.horizon_s:
        raise DataError(f"the log ends at {schedule.until_s} s, expected 0..{instance.horizon_s}")
    checker = _AssignmentChecker(instance, schedule)
    known = checker.check(partial)
    outcomes = OutcomeChecker(instance, schedule, known, checker.roads)
    return checker.found + outcomes.check()


class _AssignmentChecker:
    """The checks of assignments, with their shared data."""

    def __init__(self, instance: CheckedInstance, schedule: Schedule) -> None:
        self.instance, self.schedule = instance, schedule
        self.until_s = schedule.until_s
        self.roads = Roads(instance, instance.subtask_node)
        self.found: list[Violation] = []
        self._of_worker: dict[int, list[Assignment]] = defaultdict(list)
        self._of_subtask: dict[int, list[Assignment]] = defaultdict(list)

    def check(self, partial: bool) -> list[Assignment]:
        """Check all assignments; returns the valid ones that further checks can use, in the order of time."""
        if not self._is_epoch(self.until_s):
            self._report(ViolationKind.NOT_AN_EPOCH, "an epoch", self.until_s)
        if not partial and not self.until_s >= self.instance.horizon_s:
            self._report(ViolationKind.INCOMPLETE, self.instance.horizon_s, self.until_s)
        known = [assignment for assignment in self.schedule.assignments if self._is_known(assignment)]
        known.sort(key=lambda assignment: (assignment.taken_s, assignment.subtask))
        for assignment in known:
            self._of_worker[assignment.worker].append(assignment)
            self._of_subtask[assignment.subtask].append(assignment)
        for assignment in known:
            self._check_match(assignment)
            self._check_precedence(assignment)
            self._check_times(assignment)
            self._check_release(assignment)
        for worker, trips in sorted(self._of_worker.items()):
            self._check_sequence(worker, trips)
        return known

    def _report(
        self, kind: ViolationKind, expected: float | str, found: float | str, about: Assignment | None = None
    ) -> None:
        if about is None:
            violation = Violation.of(kind, expected, found, time_s=self.until_s)
        else:
            violation = Violation.of(
                kind, expected, found, subtask=about.subtask, worker=about.worker, time_s=about.taken_s
            )
        self.found.append(violation)

    def _is_epoch(self, time_s: float) -> bool:
        """Whether this is the time of an epoch with actions, or of an end of the log."""
        step_s, horizon_s = self.instance.step_s, self.instance.horizon_s
        if not 0 <= time_s <= horizon_s:
            return False
        return same(min(round(time_s / step_s) * step_s, horizon_s), time_s) or time_s == horizon_s

    def _is_known(self, assignment: Assignment) -> bool:
        """Whether everything that it names exists and its time is that of an epoch with actions."""
        nodes = self.instance.num_nodes
        numbers = {
            "worker": (assignment.worker, self.instance.num_workers),
            "subtask": (assignment.subtask, self.instance.num_subtasks),
            "from_node": (assignment.from_node, nodes),
            "idle_node": (0 if assignment.idle_node == -1 else assignment.idle_node, nodes),
        }
        wrong = [(name, number, bound) for name, (number, bound) in numbers.items() if not 0 <= number < bound]
        for name, number, bound in wrong:
            self._report(ViolationKind.UNKNOWN_ID, f"{name} 0..{bound - 1}", number, assignment)
        if wrong:
            return False
        if not self._is_epoch(assignment.taken_s) or not assignment.taken_s < self.until_s:
            expected = f"an epoch before {self.until_s}"
            self._report(ViolationKind.NOT_AN_EPOCH, expected, assignment.taken_s, assignment)
        return math.isfinite(assignment.taken_s)

    # ---- who may get what ----

    def _check_match(self, assignment: Assignment) -> None:
        """All skills, in range, open, no other worker's, and in ``select`` mode among the nearest K able workers."""
        instance, subtask, taken_s = self.instance, assignment.subtask, assignment.taken_s
        task = int(instance.subtask_task[subtask])
        required, there = instance.subtask_skills[subtask], instance.worker_skills[assignment.worker]
        if np.any(required & ~there):
            self._report(ViolationKind.MISSING_SKILL, _listed(required), _listed(there), assignment)
        distance_m = self.roads.distance_m(assignment.from_node, subtask)
        if not distance_m <= instance.range_m * (1 + _ROUNDING):
            self._report(ViolationKind.OUT_OF_RANGE, instance.range_m, distance_m, assignment)
        if not instance.created_s[task] <= taken_s < instance.deadline_s[task]:
            expected = f"{instance.created_s[task]:.10g} <= t < {instance.deadline_s[task]:.10g}"
            self._report(ViolationKind.NOT_OPEN, expected, taken_s, assignment)
        if self._of_subtask[subtask][0] is not assignment:
            first = self._of_subtask[subtask][0]
            expected = f"worker {first.worker} alone, since {first.taken_s:.10g} s"
            self._report(ViolationKind.SERVED_TWICE, expected, f"worker {assignment.worker}", assignment)
        if instance.selects:
            self._check_candidate(assignment)

    def _check_candidate(self, assignment: Assignment) -> None:
        instance, units = self.instance, self.roads.units_to(assignment.subtask)
        required = instance.subtask_skills[assignment.subtask]
        own = (units[assignment.from_node], assignment.worker)
        nearer = 0
        for worker in range(instance.num_workers):
            node = self._idle_at(worker, assignment.taken_s)
            able = node >= 0 and not np.any(required & ~instance.worker_skills[worker])
            nearer += worker != assignment.worker and able and (units[node], worker) < own
        if nearer >= instance.max_candidates:
            expected = f"at most {instance.max_candidates - 1} nearer"
            self._report(ViolationKind.NOT_A_CANDIDATE, expected, nearer, assignment)

    def _idle_at(self, worker: int, time_s: float) -> int:
        """Where a worker was idle as an epoch was decided, or -1 if it was busy."""
        before = [trip for trip in self._of_worker[worker] if trip.taken_s < time_s]
        if not before:
            return int(self.instance.worker_node[worker])
        return before[-1].idle_node if before[-1].idle_s <= time_s else -1

    def _check_precedence(self, assignment: Assignment) -> None:
        """Predecessors have workers by then, or are finished, as the mode asks."""
        for other in self.instance.predecessors[assignment.subtask]:
            first = self._of_subtask[other][0] if self._of_subtask[other] else None
            if first is None or first.taken_s > assignment.taken_s:
                found = "no worker" if first is None else f"a worker from {first.taken_s:.10g} s on"
                self._report(ViolationKind.PREDECESSOR_UNASSIGNED, f"subtask {other} with a worker", found, assignment)
            elif self.instance.after_finish and not first.finish_s <= assignment.taken_s:
                expected = f"subtask {other} finished by {assignment.taken_s:.10g} s"
                self._report(ViolationKind.PREDECESSOR_UNFINISHED, expected, first.finish_s, assignment)

    def _check_sequence(self, worker: int, trips: list[Assignment]) -> None:
        """One subtask at a time; each begins where the previous one ended."""
        node, free_s, last_s = int(self.instance.worker_node[worker]), 0.0, -math.inf
        for assignment in trips:
            if not free_s <= assignment.taken_s or same(last_s, assignment.taken_s):
                expected = "never idle again" if math.isnan(free_s) else f"idle from {free_s:.10g} s"
                self._report(ViolationKind.NOT_IDLE, expected, assignment.taken_s, assignment)
            if assignment.from_node != node:
                self._report(ViolationKind.WRONG_ORIGIN, node, assignment.from_node, assignment)
            node, free_s, last_s = assignment.idle_node, assignment.idle_s, assignment.taken_s

    # ---- travel, waiting, work ----

    def _check_times(self, assignment: Assignment) -> None:
        """Arrival by the roads; start with it and the predecessors; finish after the duration."""
        instance, subtask = self.instance, assignment.subtask
        way_s = self.roads.distance_m(assignment.from_node, subtask) / instance.speed_mps
        due_s = assignment.taken_s + way_s
        self._compare(ViolationKind.TOO_FAST, ViolationKind.TOO_SLOW, due_s, assignment.arrive_s, assignment)
        finishes_s = [
            (self._of_subtask[other][0].finish_s, other)
            for other in instance.predecessors[subtask]
            if self._of_subtask[other]
        ]
        earliest_s = max([assignment.arrive_s, *(finish_s for finish_s, _ in finishes_s)])
        if assignment.start_s < assignment.arrive_s - TIME_TOLERANCE_S:
            self._report(ViolationKind.BEFORE_ARRIVAL, assignment.arrive_s, assignment.start_s, assignment)
        for finish_s, other in finishes_s:
            if assignment.start_s < finish_s - TIME_TOLERANCE_S:
                expected = f"after subtask {other} at {finish_s:.10g} s"
                self._report(ViolationKind.BEFORE_PREDECESSOR, expected, assignment.start_s, assignment)
        if not assignment.start_s <= earliest_s + TIME_TOLERANCE_S:
            self._report(ViolationKind.STARTS_LATE, earliest_s, assignment.start_s, assignment)
        done_s = assignment.start_s + float(instance.duration_s[subtask])
        early, late = ViolationKind.FINISHES_EARLY, ViolationKind.FINISHES_LATE
        self._compare(early, late, done_s, assignment.finish_s, assignment)

    def _compare(
        self, early: ViolationKind, late: ViolationKind, expected_s: float, found_s: float, about: Assignment
    ) -> None:
        if not same(expected_s, found_s):
            self._report(early if found_s < expected_s else late, expected_s, found_s, about)

    def _check_release(self, assignment: Assignment) -> None:
        """The worker is idle at the place from the finish or the deadline on, or goes on to the first node reached."""
        instance, subtask = self.instance, assignment.subtask
        deadline_s = float(instance.deadline_s[instance.subtask_task[subtask]])
        done = assignment.finish_s < deadline_s
        release_s = assignment.finish_s if done else deadline_s
        told = assignment.idle_node != -1 and not math.isnan(assignment.idle_s)
        if told != (release_s <= self.until_s) or (assignment.idle_node == -1) != math.isnan(assignment.idle_s):
            expected = "idle" if release_s <= self.until_s else "busy"
            found = f"idle at node {assignment.idle_node} from {assignment.idle_s:.10g} s" if told else "busy"
            self._report(ViolationKind.WRONG_RELEASE, f"{expected} (free at {release_s:.10g} s)", found, assignment)
        elif told and (done or assignment.arrive_s < deadline_s):
            goal = int(instance.subtask_node[subtask])
            if assignment.idle_node != goal:
                self._report(ViolationKind.WRONG_IDLE_NODE, goal, assignment.idle_node, assignment)
            if not same(assignment.idle_s, release_s):
                self._report(ViolationKind.WRONG_IDLE_TIME, release_s, assignment.idle_s, assignment)
        elif told and math.isfinite(self.roads.distance_m(assignment.from_node, subtask)):
            self._check_release_on_the_way(assignment, deadline_s)

    def _check_release_on_the_way(self, assignment: Assignment, end_s: float) -> None:
        nodes, metres = self.roads.path(assignment.from_node, assignment.subtask)
        reached_s = [assignment.taken_s + c / self.instance.speed_mps for c in metres]

        def first(time_s: float) -> int:
            return next((j for j, reached in enumerate(reached_s) if reached >= time_s), len(nodes) - 1)

        there = first(end_s)
        # A node reached at the very instant but for rounding may be taken either way.
        rounding_s = 0.0 if reached_s[there] == end_s else _ROUNDING * abs(end_s)
        allowed = sorted({there, first(end_s - rounding_s), first(end_s + rounding_s)})
        claimed = next((j for j in allowed if nodes[j] == assignment.idle_node), None)
        if claimed is not None:
            if not same(assignment.idle_s, reached_s[claimed]):
                self._report(ViolationKind.WRONG_IDLE_TIME, reached_s[claimed], assignment.idle_s, assignment)
            return
        on_path = self.roads.on_a_shortest_path(assignment.from_node, assignment.idle_node, assignment.subtask)
        kind = ViolationKind.WRONG_IDLE_NODE if on_path else ViolationKind.OFF_PATH
        self._report(kind, nodes[there], assignment.idle_node, assignment)


def same(a_s: float, b_s: float) -> bool:
    """Whether two times are equal; false if either is NaN."""
    return abs(a_s - b_s) <= TIME_TOLERANCE_S


def _listed(skills: BoolArray) -> str:
    """The indices of the given skills."""
    numbers = [str(number) for number, there in enumerate(skills) if there]
    return "skills " + ", ".join(numbers) if numbers else "no skill"
