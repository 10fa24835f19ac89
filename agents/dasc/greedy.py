"""Greedy for DASC: the nearest able worker, the earliest latest-finish first."""

import numpy as np

from crowdgym.agents.dasc.observation_reader import Dispatcher, DispatchState


class DascGreedy(Dispatcher):
    """Dispatches every subtask at once, in the order of latest finish times, each to its nearest able idle worker.

    Subtasks are taken in order of the latest finish at which their task is paid in full, ties by slot. A subtask whose
    nearest worker has been taken by an earlier subtask holds for this epoch; at the next epoch another worker is its
    nearest. So subtasks that recommend themselves in the same epoch have different nearest workers, and the matching of
    stage 2 rarely assigns another worker (it may prefer one with fewer skills). With ``select``, each subtask asks for
    its first candidate, and no worker is contested.
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
