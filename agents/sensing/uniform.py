"""UNS-TA, uniform sampling (QCO-TA paper, section 5.3, baseline 4)."""

import numpy as np

from crowdgym.agents.sensing.scheme import Cells, Cycle, SensingScheme, nearest_in_sequence


class UnsTa(SensingScheme):
    """Draws P cells in every cycle, with equal probability."""

    def begin(self, generator: np.random.Generator) -> None:
        """See `SensingScheme`."""
        self._generator = generator

    def choose(self, cycle: Cycle) -> Cells:
        """See `SensingScheme`."""
        selected = self._generator.choice(self.region.num_cells, self.region.num_participants, replace=False)
        return nearest_in_sequence(cycle.participant_cell, selected, self.region.distance_km)
