"""Weights of attributes that are learned from cycle to cycle (QCO-TA paper, section 4.2)."""

from statistics import NormalDist

import numpy as np

from crowdgym.agents.sensing.scheme import Cycle, Floats


class AttributeWeights:
    """w of Eq. (7), which falls with the estimated error of an attribute.

    Args:
        attributes: A of them, which begin with equal weights.
        learning_rate: η.
        confidence: δ of Eq. (8).
    """

    def __init__(self, attributes: int, learning_rate: float = 0.1, confidence: float = 0.95) -> None:
        self.weights: Floats = np.full(attributes, 1.0 / attributes)  # [A], their sum is 1
        self._learning_rate = learning_rate
        self._deviations = NormalDist().inv_cdf(confidence)
        self._lowest = np.full(attributes, np.inf)
        self._highest = np.full(attributes, -np.inf)

    def observe(self, cycle: Cycle) -> None:
        """Update the weights: w ← w · exp(−η ℓ) (Eq. 7), then divide by their sum."""
        self._lowest = np.fmin(self._lowest, np.fmin.reduce(cycle.collected, axis=0))
        self._highest = np.fmax(self._highest, np.fmax.reduce(cycle.collected, axis=0))
        weights = self.weights * np.exp(-self._learning_rate * self._losses(cycle))
        self.weights = weights / weights.sum()

    def _losses(self, cycle: Cycle) -> Floats:
        """ℓ of Eq. (8), the δ-quantile of N(mean, sd) of |CS − IS| at sensed cells, over the range of CS so far."""
        losses = np.zeros(len(self.weights))
        for a in range(len(losses)):
            errors = np.abs(cycle.collected[:, a] - cycle.inferred[:, a])
            errors = errors[~np.isnan(errors)]
            width = self._highest[a] - self._lowest[a]
            if len(errors) and width > 0:
                losses[a] = (errors.mean() + self._deviations * errors.std()) / width
        return losses
