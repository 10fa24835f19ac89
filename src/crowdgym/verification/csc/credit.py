"""Check the rewards that credit single workers, `marginal` and `difference`, against the log of an episode.

Written from docs/csc_dynamics.md. A coalition is done at the least, over n, of (workload + the first n arrivals) / n:
no step of a simulation is repeated here.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from crowdgym.verification.checked_roads import FloatArray, Roads
from crowdgym.verification.csc.records import (
    Assignment,
    CheckedInstance,
    Schedule,
    TaskStatus,
    Violation,
    ViolationKind,
)

TIME_TOLERANCE_S = 1e-6  # a deadline or horizon nearer than this may be met or missed
REWARD_TOLERANCE = 1e-9  # of a reward, relative to the highest payment


class Credit(NamedTuple):
    """What a worker is to be credited with: an amount of currency between two, in one of some steps."""

    worker: int
    steps: tuple[int, ...]
    low: float
    high: float


def check_rewards(
    instance: CheckedInstance, schedule: Schedule, reward: str, rewards: FloatArray
) -> Iterator[Violation]:
    """Check the rewards of every step and every worker.

    Args:
        instance: what was given.
        schedule: what is claimed to have happened; its assignments are taken to be right.
        reward: the name of the strategy. Only those in `CREDITS` are checked.
        rewards: what was claimed to be earned. Shape [steps, W].

    Yields:
        A violation for each reward that is not what the strategy says.
    """
    if reward not in CREDITS:
        return
    low, high = np.zeros(rewards.shape), np.zeros(rewards.shape)
    total = np.zeros((2, rewards.shape[1]))  # low and high
    for credit in CREDITS[reward](instance, schedule):
        for step in credit.steps:
            sure = len(credit.steps) == 1  # else it may as well be in the other step
            low[step, credit.worker] += credit.low if sure else min(0.0, credit.low)
            high[step, credit.worker] += credit.high if sure else max(0.0, credit.high)
        total[:, credit.worker] += credit.low, credit.high
    slack = REWARD_TOLERANCE * max(1.0, float(instance.max_payment.max()))
    for step, worker in np.argwhere((rewards < low - slack) | (rewards > high + slack)).tolist():
        expected, found = _between(low[step, worker], high[step, worker]), float(rewards[step, worker])
        time_s = step * instance.step_s
        yield Violation.of(ViolationKind.WRONG_REWARD, expected, found, worker=worker, time_s=time_s)
    earned, slack = rewards.sum(axis=0), slack * len(rewards)
    for worker in np.flatnonzero((earned < total[0] - slack) | (earned > total[1] + slack)).tolist():
        expected = f"{_between(*total[:, worker])} in all"
        yield Violation.of(ViolationKind.WRONG_REWARD, expected, float(earned[worker]), worker=worker)


def _marginal(instance: CheckedInstance, schedule: Schedule) -> Iterator[Credit]:
    """What each join adds to the projected payment, in the order of epochs and, at an epoch, of workers."""
    arrivals_s: dict[int, list[float]] = defaultdict(list)
    roads = Roads(instance, instance.task_node)
    for trip in sorted(schedule.assignments, key=lambda trip: (trip.taken_s, trip.worker)):
        before = _projected(instance, trip.task, arrivals_s[trip.task])
        arrivals_s[trip.task].append(_due_s(instance, roads, trip))
        after = _projected(instance, trip.task, arrivals_s[trip.task])
        step = round(trip.taken_s / instance.step_s)
        yield Credit(trip.worker, (step,), after[0] - before[1], after[1] - before[0])


def _difference(instance: CheckedInstance, schedule: Schedule) -> Iterator[Credit]:
    """What each finished task would have paid less without each worker that was at it."""
    roads, of_task = Roads(instance, instance.task_node), defaultdict(list)
    for trip in schedule.assignments:
        of_task[trip.task].append(trip)
    for task, outcome in enumerate(schedule.tasks):
        if outcome.status is not TaskStatus.FINISHED:
            continue
        due_s = [_due_s(instance, roads, trip) for trip in of_task[task]]
        for left_out, trip in enumerate(of_task[task]):
            if not math.isnan(trip.arrival_s):
                others = _projected(instance, task, [*due_s[:left_out], *due_s[left_out + 1 :]])
                steps = _steps_until(instance, outcome.end_s)
                yield Credit(trip.worker, steps, outcome.payment - others[1], outcome.payment - others[0])


CREDITS: dict[str, Callable[[CheckedInstance, Schedule], Iterable[Credit]]] = {
    "marginal": _marginal,
    "difference": _difference,
}


def _due_s(instance: CheckedInstance, roads: Roads, trip: Assignment) -> float:
    """When a worker arrives if its task lasts until then."""
    return trip.taken_s + roads.distance_m(trip.from_node, trip.task) / instance.speed_mps


def _projected(instance: CheckedInstance, task: int, arrivals_s: list[float]) -> tuple[float, float]:
    """What a task pays if these workers come and no other: the least and the most, but for rounding of its end."""
    arrivals = np.sort(np.array([arrival_s for arrival_s in arrivals_s if arrival_s < instance.deadline_s[task]]))
    if not len(arrivals):
        return 0.0, 0.0
    done_s = float(((instance.workload_s[task] + np.cumsum(arrivals)) / np.arange(1, len(arrivals) + 1)).min())
    return _paid(instance, task, done_s + TIME_TOLERANCE_S), _paid(instance, task, done_s - TIME_TOLERANCE_S)


def _paid(instance: CheckedInstance, task: int, end_s: float) -> float:
    if end_s >= instance.deadline_s[task] or end_s > instance.horizon_s:
        return 0.0
    late_s = max(0.0, end_s - float(instance.expected_s[task]))
    return max(0.0, 1.0 - instance.penalty_per_s * late_s) * float(instance.max_payment[task])


def _steps_until(instance: CheckedInstance, time_s: float) -> tuple[int, ...]:
    """The steps that an event at a time may belong to: two at an epoch, else one."""
    last = math.ceil(instance.horizon_s / instance.step_s - TIME_TOLERANCE_S) - 1
    around = {math.ceil((time_s + shift_s) / instance.step_s) - 1 for shift_s in (-TIME_TOLERANCE_S, TIME_TOLERANCE_S)}
    return tuple(sorted({min(max(step, 0), last) for step in around}))


def _between(low: float, high: float) -> str:
    return f"{low:.10g}" if math.isclose(low, high, rel_tol=1e-9, abs_tol=1e-9) else f"{low:.10g} to {high:.10g}"
