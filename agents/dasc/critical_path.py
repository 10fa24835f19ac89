"""Critical path for DASC: least slack first; a subtask with enough slack waits for a better moment."""

from typing import Final

import numpy as np

from crowdgym.agents.dasc.observation_reader import Dispatcher, DispatchState

LEAD_S: Final = 30.0  # a worker is sent only if it waits at most this long for the predecessors
FAR_S: Final = 150.0  # of travel; a subtask with enough slack waits for a worker nearer than this
PATIENCE: Final = 0.5  # slack is enough above this share of the longest path to the end of the task


class CriticalPath(Dispatcher):
    """Dispatches by slack.

    The slack of a subtask is the time from its finish, with the nearest able idle worker that is left, to the latest
    finish that lets its task be unpenalised: LFT − max(travel, predecessors' finish) − duration. Subtasks choose
    in order of slack, least first. Each takes the nearest candidate that is left, with these exceptions:

    * a subtask that finishes too late for its task to be paid is not dispatched: its worker is better used elsewhere;
    * a subtask whose predecessors finish much later than a worker would arrive holds, so that no worker waits there;
    * a subtask whose nearest worker is far holds while its slack is large.
    """

    def choose(self, now: DispatchState) -> dict[int, int]:
        """See `Dispatcher`."""
        travel_s = now.distance_m / self._rules.speed_mps  # [n, K]
        start_s = np.maximum(travel_s, now.ready_s[:, np.newaxis])
        slack_s = now.slack_expected_s[:, np.newaxis] - start_s
        payable = now.slack_deadline_s[:, np.newaxis] - start_s > 0
        early = now.ready_s[:, np.newaxis] > travel_s + LEAD_S
        patient = (travel_s > FAR_S) & (slack_s > PATIENCE * now.path_s[:, np.newaxis])
        sensible = (now.candidates >= 0) & payable & ~early & ~patient
        chosen: dict[int, int] = {}
        taken: set[int] = set()
        for row in np.argsort(slack_s[:, 0], kind="stable"):
            for choice in np.flatnonzero(sensible[row]):
                worker = int(now.candidates[row, choice])
                if worker not in taken:
                    taken.add(worker)
                    chosen[int(row)] = int(choice)
                    break
        return chosen
