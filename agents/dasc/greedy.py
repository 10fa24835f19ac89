"""Greedy for DASC: the nearest able worker, the earliest latest-finish first."""

import numpy as np

from crowdgym.agents.dasc.observation_reader import Dispatcher, DispatchState


class DascGreedy(Dispatcher):
    """Dispatches every subtask at once, in the order of latest finish times, each to its nearest able idle worker.

    Subtasks are taken by the latest finish that lets their task be unpenalised, ties by slot. One whose nearest worker
    has been taken by an earlier one holds for this epoch; at the next, that worker is gone and another is nearest. So
    the subtasks that recommend themselves together have different nearest workers, which leaves the matching of stage
    2 little reason to give any of them another (it may still prefer one with fewer skills). With ``select``, each asks
    for the first candidate, and no worker is contested.
    """

    def choose(self, now: DispatchState) -> dict[int, int]:
        """See `Dispatcher`."""
        chosen: dict[int, int] = {}
        taken: set[int] = set()
        for row in np.argsort(now.slack_expected_s + now.duration_s, kind="stable"):
            worker = int(now.candidates[row, 0])
            if worker not in taken:
                taken.add(worker)
                chosen[int(row)] = 0
        return chosen
