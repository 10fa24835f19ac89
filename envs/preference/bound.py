"""An upper bound on the accepted tasks of an instance of `preference_v0`, from ``docs/preference_dynamics.md``."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.preference import PreferenceSettings
from crowdgym.envs.core.bounds.reach import TOLERANCE_S, Epochs, Service, Stops, earliest_arrivals_s
from crowdgym.envs.core.bounds.relaxation import FloatArray, Rows, certified_maximum
from crowdgym.envs.preference.acceptance import willing
from crowdgym.envs.preference.instance import PreferenceInstance

WINDOWS: Final = 12  # starts and ends of the spans in which a worker's time is counted


def accepted_bound(instance: PreferenceInstance, settings: PreferenceSettings) -> float:
    """A number of accepted tasks that no policy can exceed in this instance, even one that knows who is willing.

    *Pairs.* A worker can accept a task only if it is willing, and if it can be there by the expiry: at its earliest
    arrival (`crowdgym.envs.core.bounds.reach.earliest_arrivals_s`) it has served other tasks on its way, or none. A
    task is accepted once.

    *Time.* Take a span from s to e and the tasks that are created at s or later and expire by e. A worker that accepts
    some of them spends the way to each and the service of all but the last between s and e. The way is no shorter than
    the shortest way into that task, from another task's place or the worker's start. So the sum of way and service
    over these tasks is at most e - s plus one service.

    The greatest number with every pair anywhere between 0 and 1 is at least what an episode reaches, rounded down.

    Args:
        instance: the workers and tasks.
        settings: of the environment; speed, range, clock, service and acceptance matter.
    """
    able = willing(instance, settings)
    stops = Stops.of(instance.network, instance.task_node, instance.worker_node, able)
    arrival_s = _earliest_arrivals_s(instance, settings, stops)
    worker, task = np.nonzero(able & (arrival_s <= instance.expiry_s + TOLERANCE_S))
    if len(worker) == 0:
        return 0.0
    rows = Rows(len(worker))
    for number in np.unique(task):
        rows.add(np.flatnonzero(task == number), np.ones(1), 1.0)
    need_s = settings.service_s + _shortest_ways_m(stops)[worker, task] / settings.speed_mps  # [pairs]
    _count_time(rows, instance, settings, worker, task, need_s)
    most = certified_maximum(np.ones(len(worker)), rows.matrix(), rows.limits(), np.ones(len(worker)))
    return float(np.floor(most + 1e-6))


def _earliest_arrivals_s(instance: PreferenceInstance, settings: PreferenceSettings, stops: Stops) -> FloatArray:
    """A time before which a worker is at no task that it accepts. Shape [W, T]; infinite where it can never be."""
    tasks = len(instance.created_s)
    service = Service(
        open_s=instance.created_s,
        close_s=instance.expiry_s + TOLERANCE_S,
        ready_s=np.zeros(tasks),
        serve_s=np.full(tasks, settings.service_s),
        released_s=np.full(tasks, np.inf),  # a worker on its way is never called back
    )
    epochs = Epochs(settings.step_s, settings.horizon_s)
    return earliest_arrivals_s(stops, service, epochs, settings.speed_mps, settings.range_m)


def _shortest_ways_m(stops: Stops) -> FloatArray:
    """The shortest way of each worker into each task, from its start or from another task. Shape [W, T]."""
    way_m = stops.way_m.copy()
    np.fill_diagonal(way_m, np.inf)
    shortest_m: FloatArray = np.minimum(stops.first_way_m, way_m.min(axis=0))
    return shortest_m


def _count_time(
    rows: Rows,
    instance: PreferenceInstance,
    settings: PreferenceSettings,
    worker: NDArray[np.intp],
    task: NDArray[np.intp],
    need_s: FloatArray,
) -> None:
    """The rows for all workers and spans that say something."""
    marks = np.linspace(0.0, 1.0, WINDOWS)
    starts_s = np.unique(np.quantile(instance.created_s, marks, method="lower"))
    ends_s = np.unique(np.quantile(instance.expiry_s, marks, method="higher"))
    created_s, expiry_s = instance.created_s[task], instance.expiry_s[task]
    for number in np.unique(worker):
        own = np.flatnonzero(worker == number)
        for start_s in starts_s:
            for end_s in ends_s:
                inside = own[(created_s[own] >= start_s) & (expiry_s[own] <= end_s)]
                room_s = end_s - start_s + settings.service_s
                if len(inside) and need_s[inside].sum() > room_s:  # else the row says nothing
                    rows.add(inside, need_s[inside], room_s + TOLERANCE_S)
