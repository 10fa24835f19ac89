"""Rolling horizon for DASC: at every epoch the best assignment of workers, idle or soon idle, to the next subtasks."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.dasc.observation_reader import Dispatcher, DispatchState, Floats
from crowdgym.agents.dasc.workforce import Workforce
from crowdgym.agents.policy import Episode

LOOK_AHEAD_S: Final = 300.0  # subtasks that can begin, and workers that are idle, within this time take part
LEAD_S: Final = 60.0  # a worker is sent only if it waits at most this long for the predecessors
TIME_PRICE: Final = (
    0.1  # price of a worker's second without work, as a share of the payment per second of a task's path
)
NEVER: Final = -1e12  # in place of minus infinity, which the solver does not take


class RollingHorizon(Dispatcher):
    """Solves an assignment at every epoch and dispatches the part of it that is due; the rest is solved again later.

    Rows are the subtasks whose predecessors have workers and are finished within the look-ahead. Columns are their
    candidates, the workers that will be idle within the look-ahead (distances estimated from straight lines), and for
    each row a column for no worker. A subtask that starts at s lets its task finish no sooner than s + the longest path
    from the subtask to the end of the task. The value of a pair is the payment at that time (0 from the deadline on),
    divided by the number of the task's subtasks without a worker, so tasks that are nearly done come first; less the
    travel cost and a price of the worker's time without work. So a subtask that loses nothing waits for a nearer worker
    that is idle soon, a worker is kept for the subtask where it is worth most, and a task that can no longer be paid
    gets no worker. Of the pairs found, those of idle workers that would not arrive much before the predecessors are
    finished are dispatched now.
    """

    _workforce: Workforce

    def reset(self, episode: Episode) -> None:
        """See `Dispatcher`."""
        super().reset(episode)
        self._workforce = Workforce(episode)

    def choose(self, now: DispatchState) -> dict[int, int]:
        """See `Dispatcher`."""
        from scipy.optimize import linear_sum_assignment

        rows = np.flatnonzero(now.ready_s <= LOOK_AHEAD_S)
        if not len(rows):
            return {}
        workers, table = self._table(now, rows)
        chosen: dict[int, int] = {}
        solved: Any = linear_sum_assignment(table, maximize=True)
        for i, j in zip(*solved, strict=True):
            row = int(rows[i])
            if j >= len(workers):  # a worker who is not idle yet, or none
                continue
            choice = int(np.flatnonzero(now.candidates[row] == workers[j])[0])
            if now.ready_s[row] <= now.distance_m[row, choice] / self._rules.speed_mps + LEAD_S:
                chosen[row] = choice
        return chosen

    def _table(self, now: DispatchState, rows: NDArray[np.intp]) -> tuple[NDArray[np.int64], Floats]:
        """The n idle workers, and the values of pairs: [rows, n idle + m soon idle workers + one for each row]."""
        count = len(rows)
        candidates = now.candidates[rows]  # [rows, K]
        workers = np.unique(candidates[candidates >= 0])
        travel_s = np.full((count, len(workers)), np.inf)
        at = np.nonzero(candidates >= 0)
        travel_s[at[0], np.searchsorted(workers, candidates[at])] = now.distance_m[rows][at] / self._rules.speed_mps
        idle = self._values(now, rows, travel_s, travel_s)
        until_s, way_m = self._workforce.soon_idle(now.x_m[rows], now.y_m[rows], now.skills[rows], LOOK_AHEAD_S)
        way_s = way_m / self._rules.speed_mps
        soon = self._values(now, rows, until_s + way_s, way_s)
        nothing = np.where(np.eye(count, dtype=bool), 0.0, NEVER)
        return workers, np.concatenate([idle, soon, nothing], axis=1)

    def _values(self, now: DispatchState, rows: NDArray[np.intp], arrival_s: Floats, travel_s: Floats) -> Floats:
        """The value of each pair; `NEVER` where it earns nothing. Arguments and result: shape [rows, columns]."""
        known = np.isfinite(arrival_s)
        path_s = now.path_s[rows, np.newaxis]
        finish_s = np.maximum(np.where(known, arrival_s, 0.0), now.ready_s[rows, np.newaxis]) + path_s
        late_s = np.maximum(finish_s - now.expected_s[rows, np.newaxis], 0.0)
        payment = now.payment[rows, np.newaxis]
        paid = np.maximum(payment - self._rules.penalty_per_s * late_s, 0.0)
        share = paid / now.unassigned[rows, np.newaxis]
        price = TIME_PRICE * payment / path_s + self._rules.travel_cost_per_m * self._rules.speed_mps  # a second
        value = share - price * np.where(known, travel_s, 0.0)
        earns = known & (finish_s < now.deadline_s[rows, np.newaxis]) & (paid > 0)
        return np.where(earns, value, NEVER)
