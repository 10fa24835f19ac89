"""The set of cells from which a model of the field expects the least error, sought from random sets."""

from typing import Final

import numpy as np

from crowdgym.agents.sensing.expected_error import Field
from crowdgym.agents.sensing.inference_rule import Inference
from crowdgym.agents.sensing.scheme import Cells, Floats
from crowdgym.agents.sensing.swaps import Moving, best_swaps, work_of_trial

_SEED: Final = 20190601  # of the random sets
_AT_FIRST: Final = 10  # random sets in the first cycle of the search, then one in each cycle with a search
_LEAST_WAIT: Final = 3  # cycles from one search to the next
_WORK: Final = 300_000  # terms of covariances, per cycle of waiting, that trying all swaps of a set may take
_LONGEST_WAIT: Final = 30  # in regions that are larger still, no set is sought


class SetSearch:
    """Remembers the best set of cells so far, and looks for a better one.

    Single swaps end at a set that none of them improves. From another set they end elsewhere, often at a better one.
    What moves cost is left out here.

    Args:
        distance_km: between cells. Shape [X, X].
        participants: P.
    """

    def __init__(self, distance_km: Floats, participants: int) -> None:
        self._draws = np.random.default_rng(_SEED)
        cells = len(distance_km)
        self._free = Moving(distance_km, 0.0, np.zeros(cells), most_moves=4 * participants)
        self._participants = participants
        self._best: Cells | None = None
        self._cycles = 0

    def best(self, field: Field, inference: Inference) -> Cells | None:
        """The best set for what is now expected, shape [P]; None in cycles without a search."""
        cells, participants = len(self._free.distance_km), self._participants
        swaps = participants * (cells - participants)
        work = swaps * work_of_trial(inference, participants, cells, len(field.weight))
        wait = max(_LEAST_WAIT, -(-work // _WORK))
        self._cycles += 1
        if wait > _LONGEST_WAIT or (self._cycles - 1) % wait != 0:
            return None
        number = _AT_FIRST if self._best is None else 1
        starts = [self._draws.choice(cells, participants, replace=False) for _ in range(number)]
        starts += [] if self._best is None else [self._best]
        found = [best_swaps(field, inference, start, start, self._free) for start in starts]
        self._best = min(found, key=lambda one: one[1])[0]
        return self._best
