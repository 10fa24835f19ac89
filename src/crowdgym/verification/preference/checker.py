"""Confirm from first principles that what an environment says happened in ``preference_v0`` can have happened.

Written from docs/preference_dynamics.md. It shares no code with the kernel that plays the world, nor with the reference
simulator of the tests, and it simulates nothing: it reads the claims and holds each against the rules.
"""

import math
from collections import defaultdict

from crowdgym.common.errors import DataError
from crowdgym.verification.checked_roads import Roads
from crowdgym.verification.preference.records import (
    Answer,
    Ask,
    CheckedInstance,
    Schedule,
    TaskOutcome,
    TaskStatus,
    Violation,
    ViolationKind,
)

TIME_TOLERANCE_S = 1e-6  # of a time that can be worked out from others
_ROUNDING = 1e-12  # relative: two roundings of one number


def check_schedule(instance: CheckedInstance, schedule: Schedule, *, partial: bool = False) -> list[Violation]:
    """Check everything that a log claims.

    What is confirmed: a worker for which a task was asked was idle, stood where it last became idle, had not declined
    the task, could reach it in range and in time, and had it among its nearest K; of all askers the nearest got the
    offer; it answered as its lot and its preference say; times of arrivals, services and pauses follow from roads and
    constants; tasks end as their offers and times say; totals are sums.

    What cannot be: the number of illegal actions, which leave no mark in the log, is only held against its bounds.

    Args:
        instance: What was given.
        schedule: What is claimed.
        partial: Accept a log that was closed before the horizon.

    Returns:
        The violations, those of asks first; empty if all is confirmed.

    Raises:
        DataError: If the log does not have one outcome per task, or its end is not a time of the episode.
    """
    return _Checker(instance, schedule).check(partial)


class _Checker:
    """One run of the checks, with what they share."""

    def __init__(self, instance: CheckedInstance, schedule: Schedule) -> None:
        if len(schedule.tasks) != instance.num_tasks:
            raise DataError(f"the log has {len(schedule.tasks)} task outcomes, expected {instance.num_tasks}")
        if not 0 <= schedule.until_s <= instance.horizon_s:
            raise DataError(f"the log ends at {schedule.until_s} s, expected 0..{instance.horizon_s}")
        self.instance, self.schedule, self.until_s = instance, schedule, schedule.until_s
        steps = math.floor(instance.horizon_s / instance.step_s)  # or one or two more
        epochs = (steps - 1, steps, steps + 1, steps + 2)
        self._last_epoch = next(k for k in epochs if k * instance.step_s >= instance.horizon_s)
        self.roads = Roads(instance, instance.task_node)
        self.found: list[Violation] = []
        self._declined_s: dict[tuple[int, int], float] = {}  # when a worker declined a task

    def check(self, partial: bool) -> list[Violation]:
        closing = self._epochs_at(self.until_s)
        if not closing:
            self._report(ViolationKind.NOT_AN_EPOCH, "an epoch", self.until_s, time_s=self.until_s)
        elif not partial and closing[-1] < self._last_epoch:
            self._report(ViolationKind.INCOMPLETE, self.instance.horizon_s, self.until_s, time_s=self.until_s)
        known = [ask for ask in self.schedule.asks if self._is_known(ask)]
        known.sort(key=lambda ask: ask.asked_s)
        of_worker: dict[int, list[Ask]] = defaultdict(list)
        of_task: dict[int, list[Ask]] = defaultdict(list)
        for ask in known:
            of_worker[ask.worker].append(ask)
            of_task[ask.task].append(ask)
        for worker, asks in sorted(of_worker.items()):
            self._check_sequence(worker, asks)
        for ask in known:
            self._check_reach(ask)
            self._check_answer(ask)
        for task, outcome in enumerate(self.schedule.tasks):
            self._check_contests(of_task[task])
            self._check_task(task, outcome, of_task[task])
        self._check_totals(known)
        return self.found

    def _report(
        self,
        kind: ViolationKind,
        expected: float | str,
        found: float | str,
        about: Ask | None = None,
        *,
        task: int | None = None,
        time_s: float | None = None,
    ) -> None:
        if about is not None:
            violation = Violation.of(kind, expected, found, worker=about.worker, task=about.task, time_s=about.asked_s)
        else:
            violation = Violation.of(kind, expected, found, task=task, time_s=time_s)
        self.found.append(violation)

    def _epochs_at(self, time_s: float) -> list[int]:
        """The numbers of the epochs at this time: none or one, or two at a horizon that rounding reaches early."""
        step_s, horizon_s, last = self.instance.step_s, self.instance.horizon_s, self._last_epoch
        if not 0 <= time_s <= 2 * horizon_s:
            return []
        near = round(time_s / step_s)
        around = {min(max(epoch, 0), last) for epoch in (near - 1, near, near + 1)}
        return sorted(epoch for epoch in around if _same(min(epoch * step_s, horizon_s), time_s))

    # ---- asks ----

    def _is_known(self, ask: Ask) -> bool:
        """Whether all that it names is there and its time is one at which actions are given."""
        nodes = len(self.instance.indptr) - 1
        numbers = {
            "worker": (ask.worker, self.instance.num_workers),
            "task": (ask.task, self.instance.num_tasks),
            "from_node": (ask.from_node, nodes),
            "idle_node": (ask.idle_node, nodes),
        }
        wrong = [(name, number, bound) for name, (number, bound) in numbers.items() if not 0 <= number < bound]
        for name, number, bound in wrong:
            self._report(ViolationKind.UNKNOWN_ID, f"{name} 0..{bound - 1}", number, ask)
        if wrong:
            return False
        if not self._epochs_at(ask.asked_s) or not ask.asked_s < self.until_s:
            self._report(ViolationKind.NOT_AN_EPOCH, f"an epoch before {self.until_s}", ask.asked_s, ask)
        return math.isfinite(ask.asked_s)

    def _check_sequence(self, worker: int, asks: list[Ask]) -> None:
        """One thing at a time, each from where the last one ended; a task that was declined never again."""
        node, free_s, last_epochs = int(self.instance.worker_node[worker]), 0.0, [-1]
        for ask in asks:
            epochs = self._epochs_at(ask.asked_s)
            if not free_s <= ask.asked_s or epochs == last_epochs:
                self._report(ViolationKind.NOT_IDLE, f"idle from {free_s:.10g} s", ask.asked_s, ask)
            if ask.from_node != node:
                self._report(ViolationKind.WRONG_ORIGIN, node, ask.from_node, ask)
            if (ask.worker, ask.task) in self._declined_s:
                self._report(ViolationKind.DECLINED_BEFORE, "another task", f"task {ask.task}", ask)
            last_epochs = epochs
            if ask.answer in (Answer.ACCEPTED, Answer.DECLINED):
                node, free_s = ask.idle_node, ask.idle_s
            if ask.answer is Answer.DECLINED:
                self._declined_s[ask.worker, ask.task] = ask.asked_s

    def _is_open(self, task: int, time_s: float) -> bool:
        """Whether a task is open when the candidates of an epoch are listed."""
        instance = self.instance
        ended = self.schedule.tasks[task].end_s < time_s - TIME_TOLERANCE_S
        return bool(instance.created_s[task] <= time_s < instance.expiry_s[task]) and not ended

    def _check_reach(self, ask: Ask) -> None:
        """Open, in range, in time, among the nearest K."""
        instance, task, asked_s = self.instance, ask.task, ask.asked_s
        if not self._is_open(task, asked_s):
            until_s = min(float(instance.expiry_s[task]), _or_infinite(self.schedule.tasks[task].end_s))
            expected = f"asked within {instance.created_s[task]:.10g}..{until_s:.10g} s"
            self._report(ViolationKind.NOT_OPEN, expected, asked_s, ask)
        metres = self.roads.distance_m(ask.from_node, task)
        if not metres <= instance.range_m * (1 + _ROUNDING):
            self._report(ViolationKind.OUT_OF_RANGE, instance.range_m, metres, ask)
        arrival_s, expiry_s = asked_s + metres / instance.speed_mps, float(instance.expiry_s[task])
        if not arrival_s <= expiry_s + _ROUNDING * expiry_s:
            self._report(ViolationKind.TOO_LATE, f"at most {expiry_s:.10g} s", arrival_s, ask)
        nearer = self._nearer_tasks(ask)
        if nearer >= instance.max_candidates:
            expected = f"at most {instance.max_candidates - 1} nearer"
            self._report(ViolationKind.NOT_A_CANDIDATE, expected, nearer, ask)

    def _nearer_tasks(self, ask: Ask) -> int:
        """How many tasks the worker can reach, without doubt, that are nearer."""
        instance, units = self.instance, self.roads.units_from(ask.from_node)
        count = 0
        for other in range(instance.num_tasks):
            if not (units[other], other) < (units[ask.task], ask.task) or not self._is_open(other, ask.asked_s):
                continue
            metres, expiry_s = float(units[other]) * instance.unit_m, float(instance.expiry_s[other])
            arrival_s = ask.asked_s + metres / instance.speed_mps
            in_reach = metres <= instance.range_m * (1 - _ROUNDING) and arrival_s <= expiry_s * (1 - _ROUNDING)
            declined_s = self._declined_s.get((ask.worker, other), math.inf)
            count += in_reach and not declined_s < ask.asked_s
        return count

    def _check_answer(self, ask: Ask) -> None:
        """As the lot and the preference say; times and places that follow."""
        instance = self.instance
        arrival_s = ask.asked_s + self.roads.distance_m(ask.from_node, ask.task) / instance.speed_mps
        due_s, idle_s, node = math.nan, math.nan, ask.from_node
        if ask.answer is Answer.ACCEPTED:
            due_s, idle_s, node = arrival_s, arrival_s + instance.service_s, int(instance.task_node[ask.task])
        elif ask.answer is Answer.DECLINED:
            idle_s = ask.asked_s + instance.pause_s
        if ask.answer in (Answer.ACCEPTED, Answer.DECLINED):
            probability, lot = self._acceptance(ask), float(instance.lots[ask.worker, ask.task])
            claimed = ask.answer is Answer.ACCEPTED
            if (lot < probability) != claimed and abs(lot - probability) > _ROUNDING:
                expected = f"accepted where {lot:.10g} < {probability:.10g}"
                self._report(ViolationKind.WRONG_ANSWER, expected, ask.answer.value, ask)
        elif ask.answer is Answer.NONE:
            self._report(ViolationKind.WRONG_ANSWER, "accepted, declined or contested", ask.answer.value, ask)
        if not (_same(ask.arrival_s, due_s) or (math.isnan(ask.arrival_s) and math.isnan(due_s))):
            self._report(ViolationKind.WRONG_ARRIVAL, due_s, ask.arrival_s, ask)
        if not (_same(ask.idle_s, idle_s) or (math.isnan(ask.idle_s) and math.isnan(idle_s))):
            self._report(ViolationKind.WRONG_IDLE_TIME, idle_s, ask.idle_s, ask)
        if ask.idle_node != node:
            self._report(ViolationKind.WRONG_IDLE_NODE, node, ask.idle_node, ask)

    def _acceptance(self, ask: Ask) -> float:
        """a(w, s)."""
        instance = self.instance
        if instance.always_accepts:
            return 1.0
        preference = instance.preference[ask.worker]
        relative = float(preference[instance.task_category[ask.task]]) / float(preference.max())
        span = instance.acceptance_max - instance.acceptance_min
        return float(instance.acceptance_min + span * relative**instance.acceptance_exponent)

    # ---- tasks ----

    def _check_contests(self, asks: list[Ask]) -> None:
        """Of those who ask for one task at one epoch, the nearest gets the offer, ties by number."""
        rounds: dict[tuple[int, ...], list[Ask]] = defaultdict(list)
        for ask in asks:
            rounds[tuple(self._epochs_at(ask.asked_s))].append(ask)
        for crowd in rounds.values():
            nearest = min(crowd, key=lambda ask: (self.roads.units_to(ask.task)[ask.from_node], ask.worker))
            for ask in crowd:
                if (ask.answer is Answer.CONTESTED) == (ask is nearest):
                    self._report(ViolationKind.WRONG_WINNER, f"worker {nearest.worker}", ask.answer.value, ask)

    def _check_task(self, task: int, outcome: TaskOutcome, asks: list[Ask]) -> None:
        """The status, the end, the worker and the declines go with the offers and the times."""
        accepted = [ask for ask in asks if ask.answer is Answer.ACCEPTED]
        declined = [ask for ask in asks if ask.answer is Answer.DECLINED]
        status, end_s = self._expected_end(task, accepted, declined)
        if outcome.status is not status:
            self._report(ViolationKind.WRONG_STATUS, status.value, outcome.status.value, task=task)
        if not (_same(outcome.end_s, end_s) or (math.isnan(outcome.end_s) and math.isnan(end_s))):
            self._report(ViolationKind.WRONG_END, end_s, outcome.end_s, task=task)
        worker = accepted[0].worker if accepted else -1
        if outcome.worker != worker:
            self._report(ViolationKind.WRONG_WORKER, worker, outcome.worker, task=task)
        if outcome.declines != len(declined):
            self._report(ViolationKind.WRONG_DECLINES, len(declined), outcome.declines, task=task)
        if math.isnan(end_s):
            return
        for ask in asks:
            if ask.asked_s > end_s + TIME_TOLERANCE_S:
                self._report(ViolationKind.NOT_OPEN, f"before {end_s:.10g} s", ask.asked_s, ask)

    def _expected_end(self, task: int, accepted: list[Ask], declined: list[Ask]) -> tuple[TaskStatus, float]:
        created_s, expiry_s = float(self.instance.created_s[task]), float(self.instance.expiry_s[task])
        if accepted:
            return TaskStatus.ACCEPTED, accepted[0].asked_s
        if len(declined) >= self.instance.max_offers:
            return TaskStatus.CLOSED, declined[self.instance.max_offers - 1].asked_s
        if expiry_s <= self.until_s:
            return TaskStatus.EXPIRED, expiry_s
        return (TaskStatus.OPEN if created_s <= self.until_s else TaskStatus.PENDING), math.nan

    # ---- totals ----

    def _check_totals(self, known: list[Ask]) -> None:
        instance, outcomes = self.instance, self.schedule.tasks
        accepted = [ask for ask in known if ask.answer is Answer.ACCEPTED]
        declined = sum(ask.answer is Answer.DECLINED for ask in known)
        liked = [float(instance.preference[ask.worker, instance.task_category[ask.task]]) for ask in accepted]
        expected = {
            "offered": len(accepted) + declined,
            "accepted": len(accepted),
            "declined": declined,
            "contested": sum(ask.answer is Answer.CONTESTED for ask in known),
            "closed": sum(outcome.status is TaskStatus.CLOSED for outcome in outcomes),
            "expired": sum(outcome.status is TaskStatus.EXPIRED for outcome in outcomes),
            "acceptance_rate": len(accepted) / max(len(accepted) + declined, 1),
            "preference": math.fsum(liked) / max(len(accepted), 1),
            "travel_m": math.fsum(self._travelled_m(ask) for ask in accepted),
        }
        for name, value in expected.items():
            claimed = getattr(self.schedule.totals, name)
            if not abs(claimed - value) <= 1e-6 + 1e-9 * abs(value):
                self._report(ViolationKind.WRONG_TOTAL, f"{name} {value:.10g}", claimed)
        closing = self._epochs_at(self.until_s)
        room = instance.num_workers * (closing[-1] if closing else math.inf) - len(self.schedule.asks)
        if not 0 <= self.schedule.totals.illegal <= room:
            self._report(ViolationKind.WRONG_TOTAL, f"illegal 0..{room}", self.schedule.totals.illegal)

    def _travelled_m(self, ask: Ask) -> float:
        """Metres driven by the end of the log."""
        trip_m = self.roads.distance_m(ask.from_node, ask.task)
        return min(self.instance.speed_mps * max(self.until_s - ask.asked_s, 0.0), trip_m)


def _same(a_s: float, b_s: float) -> bool:
    """Whether two times are one; false if either is NaN."""
    return abs(a_s - b_s) <= TIME_TOLERANCE_S


def _or_infinite(time_s: float) -> float:
    return math.inf if math.isnan(time_s) else time_s
