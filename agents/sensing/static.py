"""The two extremes: participants that never move, and participants that move once, to given cells."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from crowdgym.agents.sensing.scheme import Cells, Cycle, SensingScheme
from crowdgym.common.errors import ConfigError


class RandomStatic(SensingScheme):
    """Every participant stays in its random start cell. The cost is 0."""

    def begin(self, generator: np.random.Generator) -> None:
        """See `SensingScheme`."""

    def choose(self, cycle: Cycle) -> Cells:
        """See `SensingScheme`."""
        return cycle.participant_cell


class GivenStatic(SensingScheme):
    """Every participant goes to one of the given cells, with the smallest total travel, and stays.

    With the best cells in hindsight this is a bound for fixed choices of cells, not a scheme.

    Args:
        cells: different cells, one for each participant.
    """

    def __init__(self, cells: Sequence[int]) -> None:
        self._cells = np.array(cells, np.int64)

    def begin(self, generator: np.random.Generator) -> None:
        """See `SensingScheme`. Raises `ConfigError` if the cells do not fit the participants."""
        wanted, given = self.region.num_participants, len(set(self._cells.tolist()))
        if given != wanted or len(self._cells) != wanted:
            raise ConfigError(f"cells must be as many different ones as there are participants, {wanted}, got {given}")

    def choose(self, cycle: Cycle) -> Cells:
        """See `SensingScheme`."""
        _, nearest = linear_sum_assignment(self.region.distance_km[np.ix_(cycle.participant_cell, self._cells)])
        return self._cells[nearest]
