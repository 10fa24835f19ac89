"""An upper bound on the revenue of an instance of DASC, drawn from ``docs/dasc_dynamics.md``, its specification."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.dasc import DascSettings
from crowdgym.envs.core.bounds.reach import TOLERANCE_S, Epochs, Service, Stops, earliest_arrivals_s
from crowdgym.envs.core.bounds.relaxation import ROUNDING, FloatArray, Rows, certified_maximum
from crowdgym.envs.dasc.instance import DascInstance

ROUNDS = 3  # of arrivals and finishes, each from the other
ENDS = 6  # of the intervals in which a worker's time is counted


def revenue_bound(instance: DascInstance, settings: DascSettings) -> float:
    """A revenue (payments, travel costs not taken off) that no policy can exceed in this instance.

    *Each task alone.* `earliest_finishes_s` gives for every subtask a time before which it is finished in no episode.
    The payment never rises with time, so a task earns at most what it pays at the last of these, and nothing if that is
    at or after its deadline or after the horizon.

    *All tasks together.* Take any episode. Let x_q = 1 if task q is paid and z_wi = 1 if worker w serves subtask i of a
    paid task. Then x_q <= Σ_w z_wi for every subtask i of q. Worker w serves i between r_wi, the later of its
    earliest arrival and the earliest finish of all predecessors, and l_i, the latest finish that leaves time for all
    successors before deadline and horizon; a pair whose time between is shorter than the duration D_i has z_wi = 0.
    Services of one worker do not overlap, and between two of them it travels at least from place to place; a leg into
    i takes no less than t_wi, the shortest from its other places or its start. So of the services that must lie
    between two times a < b, all but the first bring duration and leg into that time:
    Σ (D_i + t_wi) z_wi <= b − a + max t_wi. The greatest Σ x_q (payment of q alone), with x and z anywhere between 0
    and 1, is at least what the episode earned. It never exceeds the sum of the first bound, as x_q <= 1.

    Takes about a second with 300 workers and 60 tasks. Where every subtask can have a worker of its own, workers do
    not limit the revenue and the bound is that of each task alone: the second one is not worked out then.

    Args:
        instance: the workers and tasks.
        settings: of the environment; speed, range, clock, penalty and dependency matter.
    """
    stops = _stops(instance)
    arrival_s, finish_s = earliest_finishes_s(instance, settings, stops)
    best = _best_payments(instance, settings, finish_s)
    if not best.any():
        return 0.0
    return _together(instance, settings, stops, arrival_s, finish_s, best)


def earliest_finishes_s(
    instance: DascInstance, settings: DascSettings, stops: Stops | None = None
) -> tuple[FloatArray, FloatArray]:
    """Times before which no worker arrives, and before which no subtask is finished, in any episode.

    A subtask is started by one able worker, when it has arrived and all predecessors are finished, so its finish is at
    least the later of the soonest arrival and those finishes, plus its duration. Arrivals are those of
    `crowdgym.envs.core.bounds.reach.earliest_arrivals_s`; no worker is sent to a subtask before the first epoch at
    which its task is open and, with ``dependency="finished"``, its predecessors are finished. Arrivals are worked out
    from times before which no predecessor is finished and those times from the arrivals, some rounds, beginning with no
    travel at all: each round starts from values that are early enough, so it ends with such.

    Returns:
        Arrivals, shape [W, S], and finishes, shape [S]; infinite where there are none.
    """
    stops = stops or _stops(instance)
    epochs = Epochs(settings.step_s, settings.horizon_s)
    task = instance.subtask_task
    finish_s = _finishes_s(instance, instance.created_s[task])
    close_s = np.minimum(instance.deadline_s, settings.horizon_s + TOLERANCE_S)[task]
    arrival_s = np.zeros((instance.num_workers, instance.num_subtasks))
    for _ in range(ROUNDS):
        ready_s = _after_predecessors_s(instance, finish_s)
        open_s = np.maximum(instance.created_s[task], ready_s if settings.dependency == "finished" else 0.0)
        service = Service(open_s, close_s, ready_s, instance.duration_s, instance.deadline_s[task])
        arrival_s = earliest_arrivals_s(stops, service, epochs, settings.speed_mps, settings.range_m)
        finish_s = np.maximum(finish_s, _finishes_s(instance, arrival_s.min(axis=0)))
    return arrival_s, finish_s


def _stops(instance: DascInstance) -> Stops:
    able: NDArray[np.bool_] = np.all(
        instance.subtask_skills[np.newaxis] <= instance.worker_skills[:, np.newaxis], axis=2
    )  # [W, S]
    return Stops.of(instance.network, instance.subtask_node, instance.worker_node, able)


def _finishes_s(instance: DascInstance, begin_s: FloatArray) -> FloatArray:
    """The soonest finish of each subtask if none begins before ``begin_s``. Shape [S]."""
    finish_s = np.zeros(instance.num_subtasks)
    for i in range(instance.num_subtasks):
        before_s = finish_s[instance.predecessors_of(i)].max(initial=begin_s[i])
        finish_s[i] = before_s + instance.duration_s[i] - TOLERANCE_S
    return finish_s


def _after_predecessors_s(instance: DascInstance, finish_s: FloatArray) -> FloatArray:
    """The last finish of all predecessors, or the creation. Shape [S]."""
    created_s = instance.created_s[instance.subtask_task]
    return np.array(
        [finish_s[instance.predecessors_of(i)].max(initial=created_s[i]) for i in range(instance.num_subtasks)]
    )


def _best_payments(instance: DascInstance, settings: DascSettings, finish_s: FloatArray) -> FloatArray:
    """What each task pays if it is finished as soon as can be. Shape [Q]."""
    last_s = np.zeros(instance.num_tasks)
    np.maximum.at(last_s, instance.subtask_task, finish_s)
    late_s = np.maximum(last_s - instance.expected_s, 0.0)
    in_time = (last_s < instance.deadline_s) & (last_s <= settings.horizon_s)
    paid = instance.payment - settings.penalty_per_s * np.where(in_time, late_s, 0.0)
    return np.where(in_time, np.maximum(paid, 0.0), 0.0)


def _latest_finishes_s(instance: DascInstance, settings: DascSettings) -> FloatArray:
    """When each subtask of a task that is paid is finished at the latest. Shape [S]."""
    latest_s = np.minimum(instance.deadline_s, settings.horizon_s)[instance.subtask_task] + TOLERANCE_S
    for i in reversed(range(instance.num_subtasks)):
        before = instance.predecessors_of(i)
        latest_s[before] = np.minimum(latest_s[before], latest_s[i] - instance.duration_s[i])
    return latest_s


def _together(
    instance: DascInstance,
    settings: DascSettings,
    stops: Stops,
    arrival_s: FloatArray,
    finish_s: FloatArray,
    best: FloatArray,
) -> float:
    num_tasks, num_subtasks = instance.num_tasks, instance.num_subtasks
    begin_s = np.maximum(arrival_s, _after_predecessors_s(instance, finish_s))  # [W, S] r
    latest_s = _latest_finishes_s(instance, settings)  # [S] l
    paid = best[instance.subtask_task] > 0
    pair = (begin_s + instance.duration_s <= latest_s + TOLERANCE_S) & paid
    if _one_worker_each(pair[:, paid]):
        return float(best.sum()) * (1.0 + ROUNDING)
    worker, subtask = np.nonzero(pair)
    rows = Rows(num_tasks + len(worker))
    served_by: list[list[int]] = [[] for _ in range(num_subtasks)]
    for column, i in enumerate(subtask, start=num_tasks):
        served_by[i].append(column)
    for i in np.flatnonzero(paid):
        columns = np.array([instance.subtask_task[i], *served_by[i]], np.intp)
        rows.add(columns, np.where(np.arange(len(columns)) == 0, 1.0, -1.0), 0.0)
    first = np.searchsorted(worker, np.arange(instance.num_workers + 1))
    for w in range(instance.num_workers):
        mine = subtask[first[w] : first[w + 1]]
        if len(mine) > 1:
            columns = num_tasks + np.arange(first[w], first[w + 1])
            legs_s = _shortest_legs_s(stops, w, mine) / settings.speed_mps
            _count_time(rows, columns, begin_s[w, mine], latest_s[mine], instance.duration_s[mine], legs_s)
    gain = np.concatenate([best, np.zeros(len(worker))])
    return certified_maximum(gain, rows.matrix(), rows.limits(), np.ones(len(gain)))


def _one_worker_each(pair: NDArray[np.bool_]) -> bool:
    """Whether every subtask can have a worker of its own: then no worker's time is short, and the sum is the bound.

    ``pair``: who can serve what, shape [W, S]. A single service always fits into its interval.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    matched = maximum_bipartite_matching(csr_array(pair.T), perm_type="column")
    return bool((matched >= 0).all())


def _shortest_legs_s(stops: Stops, worker: int, mine: NDArray[np.intp]) -> FloatArray:
    """The shortest way into each of a worker's stops, from its start or another of them, in metres. Shape [n]."""
    way_m = stops.way_m[np.ix_(mine, mine)].copy()
    np.fill_diagonal(way_m, np.inf)
    shortest_m: FloatArray = np.minimum(way_m.min(axis=0), stops.first_way_m[worker, mine])
    return shortest_m


def _count_time(
    rows: Rows,
    columns: NDArray[np.intp],
    begin_s: FloatArray,
    latest_s: FloatArray,
    duration_s: FloatArray,
    legs_s: FloatArray,
) -> None:
    """A worker's services that must lie within an interval fit into it; for intervals between some of their ends."""
    starts_s = np.unique(np.quantile(begin_s, np.linspace(0, 1, ENDS), method="lower"))
    ends_s = np.unique(np.quantile(latest_s, np.linspace(0, 1, ENDS), method="higher"))
    for start_s in starts_s:
        for end_s in ends_s[ends_s > start_s]:
            inside = (begin_s >= start_s) & (latest_s <= end_s)
            need_s = duration_s[inside] + legs_s[inside]
            room_s = end_s - start_s + legs_s[inside].max(initial=0.0)
            if need_s.sum() > room_s:  # else it says nothing
                rows.add(columns[inside], need_s, room_s + TOLERANCE_S)
