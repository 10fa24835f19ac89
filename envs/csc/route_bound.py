"""A bound on the revenue of CSC by prices on work: what workers earn on their best routes, each by itself."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.csc import CscSettings
from crowdgym.envs.core.bounds.reach import TOLERANCE_S, Stops
from crowdgym.envs.core.bounds.relaxation import ROUNDING, FloatArray
from crowdgym.envs.core.bounds.routes import Cells, Timetable, best_values, follow_best
from crowdgym.envs.csc.instance import CscInstance

CELLS: Final = 600  # of the grid of time
WINDOWS: Final = 4  # of a task, with a price each
FIRST_PRICE: Final = 0.4  # of a worker-second, as a share of payment / workload
STEPS: Final = 150  # of the search for good prices, at the most
AMBITION: Final = 0.1  # by how much lower the search aims, at first, as a share of the bound
LEAST_AMBITION: Final = 0.001  # where it ends
HOPELESS: Final = AMBITION / 8  # where it ends if it is not below what is known by then
PATIENCE: Final = 5  # steps without progress until it aims half as low
PROGRESS: Final = 0.1  # as a share of what it aims at
MEMORY: Final = 0.6  # of earlier directions in the next step


def route_bound(
    instance: CscInstance, settings: CscSettings, stops: Stops, finish_s: FloatArray, known: float
) -> float:
    """A revenue that no policy can exceed: at most ``known``, a bound that is known already.

    *Proof.* Let a task's time from its creation to when it pays nothing any more be cut into windows k, and let μ_qk be
    any price, not negative, of a worker-second at task q in window k. In any episode all work of a paid task is done
    between its creation and its finish, and it is the workload q. So the revenue is

        Σ_q (ρ_q(t_f) − Σ_k μ_qk work_qk)  +  Σ_w Σ_q Σ_k μ_qk work_wqk,     the sums over paid tasks.

    A task that finishes in window m pays at most what it pays at the later of the beginning of m and its earliest
    finish; its work is done in windows up to m, at a price of at least the lowest of these: so its term is at most
    max(0, max_m (ρ_qm − q min_k≤m μ_qk)). The other sum is what workers earn if they are paid the prices for their
    time at paid tasks of their skills. A worker is at one task at a time, and between two tasks it travels at least the
    shortest way at its speed, whatever it does on the way. On a grid of cells of Δ seconds let it be, in each cell in
    which it works, at that one of the tasks it works at in the cell whose price is highest: it earns at most Δ times
    that price, the highest of all windows that meet the cell. From a task in cell i to the next in cell j > i it
    travels for less than (j + 1 − i) Δ, so j − i is at least the whole part of the way in cells. The best route under
    these rules (`crowdgym.envs.core.bounds.routes`) earns at least as much as the worker does.

    So every choice of prices gives a bound. The least is searched by subgradients; a search that ends early gives a
    larger bound, never a wrong one. Workers may wait where a task is going to appear: the bound is that of a
    clairvoyant, who knows all tasks from the start.

    Args:
        instance: the workers and tasks.
        settings: of the environment.
        stops: the places of the tasks, seen from the workers.
        finish_s: times before which no task is finished. Shape [T].
        known: a bound, in currency.
    """
    market = _Market.of(instance, settings, stops, finish_s)
    share = np.full((len(finish_s), WINDOWS), FIRST_PRICE)
    lowest, ambition, waited = np.inf, AMBITION, 0
    direction = np.zeros_like(share)
    for step in range(STEPS):
        bound, slope = market.bound_and_slope(share)
        waited = 0 if bound < lowest * (1.0 - PROGRESS * ambition) else waited + 1
        lowest = min(lowest, bound)
        if waited == PATIENCE:
            ambition, waited = ambition / 2, 0
        direction = slope if step == 0 else MEMORY * direction + (1.0 - MEMORY) * slope
        length = float((direction**2).sum())
        if length == 0.0 or ambition < (LEAST_AMBITION if lowest < known else HOPELESS):
            break
        share = np.clip(share - (bound - (1.0 - ambition) * lowest) / length * direction, 0.0, 1.0)
    return min(known, lowest)


@dataclass(frozen=True)
class _Market:
    """An instance, as prices are tried on it. T tasks, K windows, L cells."""

    workload_s: FloatArray  # [T]
    unit_price: FloatArray  # [T] payment / workload
    pay: FloatArray  # [T, K] what a task pays at most that finishes in a window
    meets: NDArray[np.bool_]  # [T, K, L] whether a window meets a cell
    cell_s: float
    groups: tuple[tuple[Cells, Timetable, Cells], ...]  # tasks of a set of skills, and who has it: begin [workers, J]

    @classmethod
    def of(cls, instance: CscInstance, settings: CscSettings, stops: Stops, finish_s: FloatArray) -> "_Market":
        begin_s, end_s = _windows(instance, settings)
        since_s = np.maximum(begin_s - TOLERANCE_S, finish_s[:, np.newaxis])
        late_s = np.maximum(since_s - instance.expected_s[:, np.newaxis], 0.0)
        pay = np.maximum(1.0 - settings.penalty_per_s * late_s, 0.0) * instance.payment[:, np.newaxis]
        last_s = np.minimum(instance.deadline_s, settings.horizon_s)[:, np.newaxis]
        pay[(since_s > end_s + TOLERANCE_S) | (since_s > last_s)] = 0.0
        cell_s = settings.horizon_s / CELLS
        cell_begin_s = cell_s * np.arange(CELLS)
        meets = begin_s[:, :, np.newaxis] <= cell_begin_s + cell_s + TOLERANCE_S
        meets &= end_s[:, :, np.newaxis] >= cell_begin_s - TOLERANCE_S
        return cls(
            instance.workload_s,
            instance.payment / instance.workload_s,
            pay,
            meets,
            cell_s,
            _groups(stops, meets.any(axis=1), cell_s * settings.speed_mps),
        )

    def bound_and_slope(self, share: FloatArray) -> tuple[float, FloatArray]:
        """The bound of prices, given as shares of payment / workload, and its subgradient. Shape [T, K] both."""
        price = share * self.unit_price[:, np.newaxis]
        at = np.where(self.meets, price[:, :, np.newaxis], -1.0)  # [T, K, L]
        window, rate = at.argmax(axis=1), np.maximum(at.max(axis=1), 0.0) * self.cell_s  # [T, L]
        earned, visits = 0.0, np.zeros(rate.shape)
        for tasks, timetable, begin in self.groups:
            value = best_values(timetable, rate[tasks])
            for one in begin:
                at_stop = np.zeros(value[:, :-1].shape, np.bool_)
                earned += follow_best(timetable, value, one, at_stop)
                visits[tasks] += at_stop
        slope = self.cell_s * np.stack([(visits * (window == k)).sum(axis=1) for k in range(WINDOWS)], axis=1)
        cheapest = np.minimum.accumulate(price, axis=1)
        left = self.pay - self.workload_s[:, np.newaxis] * cheapest  # [T, K]
        finish = left.argmax(axis=1)
        kept = np.take_along_axis(left, finish[:, np.newaxis], axis=1)[:, 0]
        bought = np.array([price[task, : last + 1].argmin() for task, last in enumerate(finish)])
        paid = kept > 0.0
        slope[np.flatnonzero(paid), bought[paid]] -= self.workload_s[paid]
        bound = (earned + float(kept[paid].sum())) * (1.0 + ROUNDING)
        return bound, slope * self.unit_price[:, np.newaxis]


def _windows(instance: CscInstance, settings: CscSettings) -> tuple[FloatArray, FloatArray]:
    """Begin and end of the windows of each task: up to its expected time, then equal ones. Shape [T, K] both."""
    end_s = np.minimum(instance.deadline_s, settings.horizon_s)
    if settings.penalty_per_s > 0.0:
        end_s = np.minimum(end_s, np.maximum(instance.expected_s, instance.created_s) + 1.0 / settings.penalty_per_s)
    full_s = np.clip(instance.expected_s, instance.created_s, np.maximum(end_s, instance.created_s))
    parts = np.arange(WINDOWS) / (WINDOWS - 1)
    ends_s = full_s[:, np.newaxis] + np.maximum(end_s - full_s, 0.0)[:, np.newaxis] * parts
    return np.concatenate([instance.created_s[:, np.newaxis], ends_s[:, :-1]], axis=1), ends_s


def _groups(stops: Stops, useful: NDArray[np.bool_], cell_m: float) -> tuple[tuple[Cells, Timetable, Cells], ...]:
    """Workers by the tasks that they can do. ``useful``: whether a task is in a window in a cell, shape [T, L]."""
    some = useful.any(axis=1)
    first, last = useful.argmax(axis=1), useful.shape[1] - 1 - useful[:, ::-1].argmax(axis=1)
    way, begin = (
        np.floor(np.maximum(metres / cell_m - TOLERANCE_S, 0.0)).astype(np.int64)
        for metres in (stops.way_m, stops.first_way_m)
    )
    able = stops.able & some
    sets, which = np.unique(able, axis=0, return_inverse=True)
    groups = []
    for number, mine in enumerate(sets):
        tasks = np.flatnonzero(mine)
        if len(tasks):
            timetable = Timetable(np.maximum(way[np.ix_(tasks, tasks)], 1), first[tasks], last[tasks])
            groups.append((tasks, timetable, begin[np.ix_(which.ravel() == number, mine)]))
    return tuple(groups)
