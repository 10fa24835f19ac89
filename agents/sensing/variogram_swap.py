"""A scheme of our own: sense the cells from which a variogram model predicts the best inference of all others."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from crowdgym.agents.sensing.scheme import Cells, Cycle, SensingScheme
from crowdgym.agents.sensing.swaps import Prediction, best_swaps
from crowdgym.agents.sensing.variogram import InferenceRule, VariogramModel
from crowdgym.common.errors import ConfigError

_CYCLES_TO_FIND_THE_RULE = 5


class VariogramSwap(SensingScheme):
    """Visits every cell once, then moves participants one by one while predicted error and cost fall.

    Each pair of cells has a semivariance (`VariogramModel`), learned from collected values only. The semivariances and
    the weights of the inference (`InferenceRule`, estimated from inferred values; for support vector regression, the
    closest weighted mean) give the expected squared error of every cell that is not sensed. Γ is the range of the
    values collected so far.

    Trying all moves takes P · (X − P)² steps, times attributes and squared neighbours: the scheme is made for tens of
    cells, not for thousands.

    The defaults of λ and the prior's weight were chosen on the first 60 days of the Piemonte series (seeds 100 to 102,
    the columns of the paper with KNN) and checked on ``piemonte-synth``; nothing was fitted to the rest.

    Args:
        cost_weight: λ, the weight of the mean km per participant, relative to the predicted error. A smaller weight
            gives smaller errors at higher costs.
        prior_weight: weight of the variogram, as a number of cycles in which two cells were sensed together.
        most_swaps: largest number of moves in a cycle.
    """

    def __init__(self, cost_weight: float = 1.2e-3, *, prior_weight: float = 15.0, most_swaps: int = 6) -> None:
        if not cost_weight >= 0:
            raise ConfigError(f"cost_weight must be at least 0, got {cost_weight!r}")
        if not prior_weight > 0:
            raise ConfigError(f"prior_weight must be above 0, got {prior_weight!r}")
        self._cost_weight = cost_weight
        self._prior_weight = prior_weight
        self._most_swaps = most_swaps

    def begin(self, generator: np.random.Generator) -> None:
        """See `SensingScheme`."""
        region = self.region
        attributes = len(region.attributes)
        self._model = VariogramModel(region.distance_km, attributes, self._prior_weight)
        self._rule = InferenceRule(region.distance_km, most_neighbours=8, powers=(0.0, 1.0, 2.0))
        self._visited = np.zeros(region.num_cells, np.bool_)
        self._lowest = np.full(attributes, np.inf)
        self._highest = np.full(attributes, -np.inf)
        self._cycles = 0

    def choose(self, cycle: Cycle) -> Cells:
        """See `SensingScheme`."""
        self._observe(cycle)
        new = np.flatnonzero(~self._visited)
        if len(new):
            return self._visit(cycle, new)
        width = self._highest - self._lowest
        prediction = Prediction(
            self._model.semivariances(),
            np.where(width > 0, width, np.inf),  # an attribute that does not vary, or was never collected, has no error
            self._rule.nearest,
            self._rule.weight,
            self._rule.neighbours,
        )
        return best_swaps(
            prediction,
            cycle.participant_cell,
            self.region.distance_km,
            cost_weight=self._cost_weight,
            most_swaps=self._most_swaps,
        )

    def _observe(self, cycle: Cycle) -> None:
        self._visited[cycle.participant_cell] = True
        self._model.observe(cycle.collected)
        if self._cycles < _CYCLES_TO_FIND_THE_RULE:
            self._rule.observe(cycle.collected, cycle.inferred)
        self._lowest = np.fmin(self._lowest, np.fmin.reduce(cycle.collected, axis=0))
        self._highest = np.fmax(self._highest, np.fmax.reduce(cycle.collected, axis=0))
        self._cycles += 1

    def _visit(self, cycle: Cycle, new: Cells) -> Cells:
        """Send as many participants as possible to cells that were never visited, with the smallest total travel."""
        chosen = cycle.participant_cell.copy()
        goers, reached = linear_sum_assignment(self.region.distance_km[np.ix_(chosen, new)])
        chosen[goers] = new[reached]
        return chosen
