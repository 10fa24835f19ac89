"""An upper bound on the revenue of an instance of CSC, drawn from ``docs/csc_dynamics.md``, its specification."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.csc import CscSettings
from crowdgym.envs.core.bounds.reach import TOLERANCE_S, Epochs, Service, Stops, earliest_arrivals_s
from crowdgym.envs.core.bounds.relaxation import FloatArray, Rows, certified_maximum
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.csc.route_bound import route_bound

ROUNDS: Final = 3  # of arrivals and finishes, each from the other
ENDS: Final = 40  # of the intervals in which the workers' time is counted
STARTS: Final = 6


def revenue_bound(instance: CscInstance, settings: CscSettings) -> float:
    """A revenue that no policy can exceed in this instance: the lower one of `time_bound` and `route_bound`.

    Takes a few seconds with 50 workers and 200 tasks, and up to a minute with 350 workers and 350 tasks.

    Args:
        instance: the workers and tasks.
        settings: of the environment; speed, clock and penalty matter, and range to `time_bound`.
    """
    stops = _stops(instance)
    known = time_bound(instance, settings, stops)
    if known == 0.0:
        return 0.0
    return route_bound(instance, settings, stops, earliest_finishes_s(instance, settings, stops)[1], known)


def time_bound(instance: CscInstance, settings: CscSettings, stops: Stops | None = None) -> float:
    """A revenue that no policy can exceed, from all workers' time together.

    *Each task alone.* `earliest_finishes_s` gives for every task a time before which it is finished in no episode. The
    payment never rises with time, so a task earns at most what it pays then, and nothing if that is at or after its
    deadline or after the horizon.

    *All tasks together.* Take any episode and times T_1 < .. < T_M, T_M not before any paid finish. Let C_qm = 1 if
    task q is finished by T_m: it rises with m, and a task finished in (T_m-1, T_m] pays at most what it pays at the
    later of T_m-1 and its earliest finish. Now take a set K of skills, a time s and an m. The tasks that need a skill
    of K, are open only from s on and are finished by T_m have all their work done between s and T_m, by workers with a
    skill of K. Each of these is present at one task at a time, never before its earliest arrival a_w at any of the
    set's tasks, so Σ_q workload_q C_qm <= Σ_w max(0, T_m − max(s, a_w)). With s = 0 the legs count as well: a task
    that is finished by T_m has at least as many workers as do its workload by then if they come as soon as can be, and
    a leg into it takes each no less than the shortest way from another task's place or a worker's start; a worker
    travels and works one after the other, not before the first epoch at which there is any task. The greatest payment
    with C rising and anywhere between 0 and 1 is at least what the episode earned. It never exceeds the sum of the
    sum over the tasks alone.

    Takes a few seconds with 350 workers and 350 tasks.

    Args:
        instance: the workers and tasks.
        settings: of the environment; speed, range, clock and penalty matter.
        stops: the places of the tasks, seen from the workers; worked out if not given.
    """
    stops = stops or _stops(instance)
    arrival_s, finish_s = earliest_finishes_s(instance, settings, stops)
    if not _payments_at(instance, settings, finish_s).any():
        return 0.0
    return _together(instance, settings, stops, arrival_s, finish_s)


def earliest_finishes_s(
    instance: CscInstance, settings: CscSettings, stops: Stops | None = None
) -> tuple[FloatArray, FloatArray]:
    """Times before which no worker arrives, and before which no task is finished, in any episode.

    Work is done by those present, a worker-second a second each. If no worker is there before its soonest arrival, then
    by the time t at most Σ_w max(0, t − arrival_w) is done; the task is not finished before that reaches the workload.
    A worker sent to a task is idle again no sooner than that, or than the deadline; nor is it called back sooner.
    Arrivals (`crowdgym.envs.core.bounds.reach.earliest_arrivals_s`) are worked out from finishes and finishes from
    arrivals, some rounds, beginning with finishes at creation: each round starts from values that are early enough.

    Returns:
        Arrivals, shape [W, T], and finishes, shape [T]; infinite where there are none.
    """
    stops = stops or _stops(instance)
    epochs = Epochs(settings.step_s, settings.horizon_s)
    finish_s = instance.created_s
    close_s = np.minimum(instance.deadline_s, settings.horizon_s + TOLERANCE_S)
    arrival_s = np.zeros(stops.able.shape)
    for _ in range(ROUNDS):
        end_s = np.minimum(finish_s, instance.deadline_s)
        service = Service(instance.created_s, close_s, end_s, np.zeros_like(end_s), end_s)
        arrival_s = earliest_arrivals_s(stops, service, epochs, settings.speed_mps, settings.range_m)
        finish_s = np.maximum(finish_s, _finishes_with_all_s(arrival_s, instance.workload_s))
    return arrival_s, finish_s


def _stops(instance: CscInstance) -> Stops:
    return Stops.of(
        instance.network, instance.task_node, instance.worker_node, instance.worker_skills[:, instance.task_skill]
    )


def _finishes_with_all_s(arrival_s: FloatArray, workload_s: FloatArray) -> FloatArray:
    """When the work is done if workers arrive as soon as possible: the least of what the first n reach. Shape [T]."""
    sums_s = np.cumsum(np.sort(arrival_s, axis=0), axis=0)  # [W, T]
    crew = np.arange(1, len(arrival_s) + 1)[:, np.newaxis]
    finish_s: FloatArray = ((sums_s + workload_s) / crew).min(axis=0) - TOLERANCE_S
    return finish_s


def _payments_at(instance: CscInstance, settings: CscSettings, finish_s: FloatArray) -> FloatArray:
    """What tasks pay if they finish then. ``finish_s``: shape [..., T]."""
    in_time = (finish_s < instance.deadline_s) & (finish_s <= settings.horizon_s)
    late_s = np.where(in_time, np.maximum(finish_s - instance.expected_s, 0.0), 0.0)
    paid = np.maximum(1.0 - settings.penalty_per_s * late_s, 0.0) * instance.payment
    return np.where(in_time, paid, 0.0)


def _together(
    instance: CscInstance, settings: CscSettings, stops: Stops, arrival_s: FloatArray, finish_s: FloatArray
) -> float:
    ends_s = _ends_s(instance, settings, finish_s)  # [M]
    since_s = np.maximum(np.concatenate([[0.0], ends_s[:-1]])[:, np.newaxis] - TOLERANCE_S, finish_s)  # [M, T]
    pay = np.where(finish_s <= ends_s[:, np.newaxis] + TOLERANCE_S, _payments_at(instance, settings, since_s), 0.0)
    num_ends = len(pay)
    column = np.arange(pay.size).reshape(pay.shape)  # of C_qm
    gain = pay.copy()  # Σ_m pay_m (C_m − C_m-1): what C_m adds less what it costs m + 1
    gain[:-1] -= pay[1:]
    gain = np.where(pay > 0, gain, 0.0)
    rows = Rows(pay.size)
    for m in range(1, num_ends):
        for task in np.flatnonzero((pay[m] > 0) & (pay[m - 1] > 0)):
            rows.add(column[[m - 1, m], task], np.array([1.0, -1.0]), 0.0)
    _count_time(rows, column, pay > 0, instance, settings, stops, arrival_s, ends_s)
    upper = np.where(finish_s <= ends_s[:, np.newaxis] + TOLERANCE_S, 1.0, 0.0)
    return certified_maximum(gain.ravel(), rows.matrix(), rows.limits(), upper.ravel())


def _ends_s(instance: CscInstance, settings: CscSettings, finish_s: FloatArray) -> FloatArray:
    """Times at which to look: evenly from the soonest finish to the last that is paid. Shape [M]."""
    first_s = float(finish_s.min())
    last_s = min(float(instance.deadline_s.max()), settings.horizon_s)
    return np.linspace(first_s, max(last_s, first_s), ENDS) + TOLERANCE_S


def _count_time(
    rows: Rows,
    column: NDArray[np.intp],
    payable: NDArray[np.bool_],
    instance: CscInstance,
    settings: CscSettings,
    stops: Stops,
    arrival_s: FloatArray,
    ends_s: FloatArray,
) -> None:
    """The rows for all sets of skills that are looked at, all starts and all ends."""
    legs_s = _shortest_legs_m(stops) / settings.speed_mps  # [T]
    crew = _smallest_crews(arrival_s, instance.workload_s, ends_s)  # [M, T]
    spared = np.where(payable[:-1] & payable[1:], crew[:-1] - crew[1:], 0.0)  # [M - 1, T] by finishing an end later
    last = np.where(payable, np.arange(len(ends_s))[:, np.newaxis], -1)
    last = np.maximum.accumulate(last, axis=0)  # [M, T] the last end so far by which finishing pays, -1 before
    starts_s = np.unique(np.quantile(instance.created_s, np.linspace(0, 1, STARTS), method="lower"))
    skills = np.unique(instance.task_skill)
    epochs = Epochs(settings.step_s, settings.horizon_s)
    sets: list[NDArray[np.int8]] = [skills, *np.split(skills, len(skills))]
    for chosen in sets:
        tasks = np.flatnonzero(np.isin(instance.task_skill, chosen))
        soonest_s = arrival_s[:, tasks].min(axis=1)  # [W]
        works = np.isfinite(soonest_s)
        leave_s = epochs.from_on(np.full(1, instance.created_s.min()))[0]
        for m, end_s in enumerate(ends_s):
            done = tasks[last[m, tasks] >= 0]
            for start_s in starts_s:
                inside = done[instance.created_s[done] >= start_s]
                room_s = np.maximum(end_s - np.maximum(start_s, soonest_s[works]), 0.0).sum()
                _add_if_tight(rows, column[last[m, inside], inside], instance.workload_s[inside], float(room_s))
            at = last[m, done]
            need_s = instance.workload_s[done] + legs_s[done] * crew[at, done]
            sooner, which = np.nonzero(spared[:, done] * (np.arange(len(spared))[:, np.newaxis] < at))
            columns = np.concatenate([column[at, done], column[sooner, done[which]]])
            more_s = legs_s[done[which]] * spared[sooner, done[which]]
            room_s = works.sum() * max(end_s - leave_s, 0.0)
            _add_if_tight(rows, columns, np.concatenate([need_s, more_s]), float(room_s))


def _smallest_crews(arrival_s: FloatArray, workload_s: FloatArray, ends_s: FloatArray) -> FloatArray:
    """How many workers it takes, at the least, to finish each task by each end; 0 where all are not enough.

    By an end, a worker does no more than the time since its soonest arrival. Shape [M, T].
    """
    arrival_s = np.sort(arrival_s, axis=0)
    crews = np.zeros((len(ends_s), len(workload_s)))
    for m, end_s in enumerate(ends_s):
        enough = np.cumsum(np.maximum(end_s - arrival_s, 0.0), axis=0) >= workload_s - TOLERANCE_S * (
            1 + len(arrival_s)
        )
        crews[m] = np.where(enough.any(axis=0), enough.argmax(axis=0) + 1, 0)
    return crews


def _add_if_tight(rows: Rows, columns: NDArray[np.intp], need_s: FloatArray, room_s: float) -> None:
    if need_s.sum() > room_s:  # else it says nothing
        rows.add(columns, need_s, room_s + TOLERANCE_S)


def _shortest_legs_m(stops: Stops) -> FloatArray:
    """The shortest way into each task, from another one or a worker's start, in metres. Shape [T]."""
    way_m = stops.way_m.copy()
    np.fill_diagonal(way_m, np.inf)
    first_m = np.where(stops.able, stops.first_way_m, np.inf).min(axis=0)
    shortest_m: FloatArray = np.minimum(way_m.min(axis=0), first_m)
    return shortest_m
