"""Shared by EWA-TA, GPS-TA, OO-MTA and QCO-TA: they rank cells by the priority scores of Eq. (5)."""

from abc import abstractmethod

import numpy as np

from crowdgym.agents.sensing.priority import InformationName, PriorityScores
from crowdgym.agents.sensing.scheme import Cells, Cycle, Floats, SensingScheme, nearest_in_sequence


class RankingScheme(SensingScheme):
    """Selects P cells by their priority scores. A score needs two known cycles; until then all participants stay.

    Args:
        alpha_te: α_TE of Eq. (5).
        alpha_smi: α_SMI of Eq. (5).
        information: how the mutual information of Eq. (4) is estimated.
    """

    def __init__(
        self, *, alpha_te: float = 1.0, alpha_smi: float = 0.2, information: InformationName = "gaussian"
    ) -> None:
        self._alphas = (alpha_te, alpha_smi)
        self._information: InformationName = information

    def begin(self, generator: np.random.Generator) -> None:
        """See `SensingScheme`."""
        self._priority = PriorityScores(*self._alphas, self._information)

    def choose(self, cycle: Cycle) -> Cells:
        """See `SensingScheme`."""
        self.observe(cycle)
        if self._priority.num_cycles < 2:
            return cycle.participant_cell
        return self.allocate(cycle, self._priority.scores())

    def observe(self, cycle: Cycle) -> None:
        """Learn from the known data of a cycle."""
        self._priority.observe(cycle.inferred)

    def allocate(self, cycle: Cycle, scores: Floats) -> Cells:
        """The next cells, given PS of shape [X, A]. Unless overridden, the nearest free participant goes to each."""
        return nearest_in_sequence(cycle.participant_cell, self.select(scores), self.region.distance_km)

    @abstractmethod
    def select(self, scores: Floats) -> Cells:
        """The P selected cells, all different, given PS of shape [X, A]."""
