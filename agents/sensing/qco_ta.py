"""QCO-TA, quality-cost-aware online task allocation (Zhang et al. 2019, section 4.3).

The fixed point of the paper's Eq. (11) does not depend on the initial values. The iteration begins with UPS, so UPS has
no effect except for the error that remains when the iteration stops. Two readings are implemented: one follows the text
around the equation, the other the equation itself.
"""

from typing import Literal, get_args

import numpy as np

from crowdgym.agents.sensing.oo_mta import OoMta
from crowdgym.agents.sensing.scheme import Cells, Cycle, Floats
from crowdgym.common.errors import ConfigError

Reading = Literal["action-value", "literal"]

STAYING_KM = 1.0  # least distance in Eq. (10), which has no value at 0; smaller distances count as this


class QcoTa(OoMta):
    """Weighs the unified priority score of a cell against the distance to it.

    Args:
        reading: ``action-value``: one after the other, each participant takes the free cell x'' with the largest
            β · UPS(x'') + R(x', x''), what Eq. (11) maximises before any iteration. ``literal``: values are iterated by
            Eq. (11), staying excluded, until none changes by Θ or more (Eq. 12), and one after the other each
            participant takes the free cell with the largest value (Eq. 14), wherever it is.
        discount: β of Eq. (11), below 1.
        reward_scale: γ of Eq. (10), in km.
        threshold: Θ of Eq. (12).
        scores: α_TE, α_SMI, η, δ and the estimator of information, as in `OoMta`.
    """

    def __init__(
        self,
        reading: Reading = "action-value",
        *,
        discount: float = 0.9,
        reward_scale: float = 1.0,
        threshold: float = 0.1,
        **scores: float,
    ) -> None:
        super().__init__(**scores)  # type: ignore[arg-type]
        if reading not in get_args(Reading):
            raise ConfigError(f"reading must be one of {', '.join(get_args(Reading))}, got {reading!r}")
        if not 0 <= discount < 1:
            raise ConfigError(f"discount must be at least 0 and below 1, got {discount!r}")
        self._reading: Reading = reading
        self._discount = discount
        self._reward_scale = reward_scale
        self._threshold = threshold

    def allocate(self, cycle: Cycle, scores: Floats) -> Cells:
        """See `RankingScheme`."""
        unified = self.unified(scores)
        reward = self._reward_scale / np.maximum(self.region.distance_km, STAYING_KM)  # [X, X] R of Eq. (10)
        if self._reading == "literal":
            values = iterated_values(unified, reward, self._discount, self._threshold)
            gains = np.broadcast_to(values, reward.shape)
        else:
            gains = self._discount * unified + reward
        return best_in_sequence(cycle.participant_cell, gains)


class LiteralQcoTa(QcoTa):
    """`QcoTa` with the interpretation ``literal``, as a class that has a name of its own."""

    def __init__(self) -> None:
        super().__init__("literal")


def iterated_values(unified: Floats, reward: Floats, discount: float, threshold: float) -> Floats:
    """V* of Eqs. (11) and (12): V(x') ← max over x'' ≠ x' of β V(x'') + R(x', x''), all cells at once.

    Args:
        unified: UPS, where the values begin. Shape [X].
        reward: R. Shape [X, X].
        discount: β, below 1: the changes shrink by it at least, so the iteration ends.
        threshold: Θ; the iteration stops once no value changes by as much.

    Returns:
        Shape [X].
    """
    if len(unified) == 1:
        return unified
    leaving = reward.copy()
    np.fill_diagonal(leaving, -np.inf)
    values = unified
    while True:
        updated: Floats = (discount * values + leaving).max(axis=1)
        if np.abs(updated - values).max() < threshold:
            return updated
        values = updated


def best_in_sequence(participant_cell: Cells, gains: Floats) -> Cells:
    """Eq. (14): one after the other, each participant takes the free cell with the largest gain from where it is.

    Args:
        participant_cell: where they are. Shape [P].
        gains: of going from a cell to another. Shape [X, X]. Ties go to the smaller cell.

    Returns:
        The cell of each participant. Shape [P].
    """
    taken = np.zeros(len(gains), np.bool_)  # S_y
    chosen = np.empty_like(participant_cell)
    for p, cell in enumerate(participant_cell):
        chosen[p] = np.where(taken, -np.inf, gains[cell]).argmax()
        taken[chosen[p]] = True
    return chosen
