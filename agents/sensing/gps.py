"""GPS-TA, greedy priority selection (QCO-TA paper, section 5.3, baseline 2)."""

import numpy as np

from crowdgym.agents.sensing.ranking import RankingScheme
from crowdgym.agents.sensing.scheme import Cells, Floats


class GpsTa(RankingScheme):
    """Selects the d = P / A cells with the highest priority for each attribute.

    The paper does not say what happens when two attributes want the same cell, or when A does not divide P. Here the
    attributes take turns, each taking its best cell that is left, until there are P.
    """

    def select(self, scores: Floats) -> Cells:
        """See `RankingScheme`."""
        left = scores.copy()  # [X, A]
        selected = np.empty(self.region.num_participants, np.int64)
        for turn in range(len(selected)):
            selected[turn] = left[:, turn % left.shape[1]].argmax()
            left[selected[turn]] = -np.inf
        return selected
