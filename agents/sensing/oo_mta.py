"""OO-MTA, online optimised multi-attribute task allocation (QCO-TA paper, section 5.3, baseline 1)."""

import numpy as np

from crowdgym.agents.sensing.attribute_weights import AttributeWeights
from crowdgym.agents.sensing.priority import InformationName, top_cells
from crowdgym.agents.sensing.ranking import RankingScheme
from crowdgym.agents.sensing.scheme import Cells, Cycle, Floats


class OoMta(RankingScheme):
    """Selects the P cells with the highest unified priority score, whatever the travel cost.

    Args:
        learning_rate: η of Eq. (7).
        confidence: δ of Eq. (8).
        alpha_te: α_TE of Eq. (5).
        alpha_smi: α_SMI of Eq. (5).
        information: how the mutual information of Eq. (4) is estimated.
    """

    def __init__(
        self,
        *,
        learning_rate: float = 0.1,
        confidence: float = 0.95,
        alpha_te: float = 1.0,
        alpha_smi: float = 0.2,
        information: InformationName = "gaussian",
    ) -> None:
        super().__init__(alpha_te=alpha_te, alpha_smi=alpha_smi, information=information)
        self._learning_rate = learning_rate
        self._confidence = confidence

    def begin(self, generator: np.random.Generator) -> None:
        """See `SensingScheme`."""
        super().begin(generator)
        self._weights = AttributeWeights(len(self.region.attributes), self._learning_rate, self._confidence)

    def observe(self, cycle: Cycle) -> None:
        """See `RankingScheme`."""
        super().observe(cycle)
        self._weights.observe(cycle)

    def unified(self, scores: Floats) -> Floats:
        """UPS of Eq. (6) of every cell, shape [X], from PS of shape [X, A]."""
        return np.asarray(scores @ self._weights.weights)

    def select(self, scores: Floats) -> Cells:
        """See `RankingScheme`."""
        return top_cells(self.unified(scores), self.region.num_participants)
