"""A scheme of our own: sense the cells from which a Gaussian model of the field predicts the best inference of all."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from crowdgym.agents.row_policy import Ints, Parameters, RowPolicy
from crowdgym.agents.sensing.expected_error import Field, cell_errors
from crowdgym.agents.sensing.field import FieldModel
from crowdgym.agents.sensing.inference_rule import InferenceRule
from crowdgym.agents.sensing.known_data import KnownData, SensingReader
from crowdgym.agents.sensing.scheme import Cells, Floats
from crowdgym.agents.sensing.set_search import SetSearch
from crowdgym.agents.sensing.swaps import Moving, best_swaps
from crowdgym.agents.sensing.tours import STAYS, first_stops
from crowdgym.common.errors import ConfigError

_CYCLES_TO_FIND_THE_RULE: Final = 5
_NOISE_SHARE: Final = 1.0
_PRIOR_CYCLES: Final = 5.0
_VISITING: Final = 10.0
_LEAST_LEFT: Final = 0.05  # is added to the share of the episode that is left

# What a search may change, each but the last two a factor as an exponent of e.
NAMES: Final = ("cost", "visiting", "noise_share", "prior_cycles", "spread", "time_left", "exploring")
_COST, _VISIT, _SHARE, _PRIOR, _SPREAD, _TIME, _EXPLORE = range(len(NAMES))
PARAMETERS: Final = Parameters(NAMES, start=np.zeros(len(NAMES)), scale=np.array([1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.1]))


class GaussianSwap(RowPolicy):
    """Visits cells that were never sensed, then moves participants while expected error and cost fall.

    A Gaussian model of the field (`FieldModel`) is learned from collected values only. It gives the expected error of
    every cell that is not sensed, for the inference that the environment uses (`InferenceRule`, `expected_error`). Γ is
    the range of the values collected so far. A cell that gave no value of an attribute when it was last sensed counts
    as giving none. Values of earlier cycles count only through the effects of cells: the environment infers from the
    values of one cycle.

    Participants move one by one, each time by the best single move. Every few cycles `SetSearch` says which set of
    cells has the least expected error at all; they go there, and on by single moves, where that promises more.

    It plays both sides, the cells and the participants. What it draws at random is the same in every episode. As long
    as cells are visited, no other participant moves.

    Parameters, as exponents of e but for the last two:

    - ``cost``: factor on λ,
    - ``visiting``: factor on what the first visit of a cell is worth,
    - ``noise_share``: factor on the variance of residuals that is assumed at first,
    - ``prior_cycles``: factor on the weight of that assumption,
    - ``spread``: factor on all variances, beside the differences of means,
    - ``time_left``: λ is divided by the share of the episode that is left, to this power,
    - ``exploring``: what sensing a cell is worth, in deviations of its effect over Γ.

    Args:
        cost_weight: λ, the weight of the mean km per participant, relative to the expected error of a cycle.
        most_swaps: largest number of single moves in a cycle, besides first visits.
    """

    reads = SensingReader.reads

    def __init__(self, cost_weight: float = 1.2e-3, *, most_swaps: int = 6) -> None:
        if not cost_weight >= 0:
            raise ConfigError(f"cost_weight must be at least 0, got {cost_weight!r}")
        self.parameters = PARAMETERS
        self._values = PARAMETERS.start
        self._cost_weight = cost_weight
        self._most_swaps = most_swaps

    def set_parameters(self, values: Floats) -> None:
        """See `crowdgym.agents.row_policy.RowPolicy`."""
        self._values = self.parameters.checked(values)

    def begin(self, copies: int, agents: int, width: int, metadata: Mapping[str, Any]) -> None:
        """See `crowdgym.agents.row_policy.RowPolicy`. Raises `ConfigError` if the environment is another one."""
        self._reader = SensingReader.of(metadata, agents, width)
        self._copies = [_Copy(self._reader, self._values) for _ in range(copies)]

    def choose(self, observations: NDArray[np.float32], infos: Mapping[str, NDArray[Any]]) -> Ints:
        """See `crowdgym.agents.row_policy.RowPolicy`."""
        actions = []
        for b, copy in enumerate(self._copies):
            known = self._reader.read(observations[b], {name: infos[name][b] for name in self.reads})
            left = max(0.0, 1.0 - known.elapsed) + _LEAST_LEFT
            cost_weight = self._cost_weight * float(np.exp(self._values[_COST]) * left ** -self._values[_TIME])
            actions.append(self._reader.actions(copy.choose(known, cost_weight, self._most_swaps)))
        return np.stack(actions)


class _Copy:
    """What is known of one episode."""

    def __init__(self, reader: SensingReader, values: Floats) -> None:
        attributes, cells = reader.num_attributes, len(reader.distance_km)
        factors = np.exp(values)
        self._distance_km = reader.distance_km
        self._worth = _VISITING * factors[_VISIT]
        self._spread = float(factors[_SPREAD])
        self._exploring = float(values[_EXPLORE])
        self._model = FieldModel(
            reader.distance_km,
            attributes,
            prior_cycles=_PRIOR_CYCLES * float(factors[_PRIOR]),
            noise_share=_NOISE_SHARE * float(factors[_SHARE]),
        )
        self._rule = InferenceRule(reader.places_km, reader.distance_km)
        self._search: SetSearch | None = None
        self._visited = np.zeros(cells, np.bool_)
        self._gives = np.ones((attributes, cells), np.bool_)
        self._lowest = np.full(attributes, np.inf)
        self._highest = np.full(attributes, -np.inf)
        self._cycles = 0

    def choose(self, known: KnownData, cost_weight: float, most_swaps: int) -> Cells:
        """The cell of each participant in the next cycle. Shape [P]."""
        self._observe(known)
        width = self._highest - self._lowest
        weight = np.where(width > 0, 1.0 / np.where(width > 0, width, 1.0), 0.0)  # what does not vary has no error
        covariance = self._model.covariance if self._spread == 1.0 else self._spread * self._model.covariance
        field = Field(self._model.mean, covariance, weight, self._gives, np.asarray(self._gives.all(axis=1)))
        goals = self._visits(known, field, cost_weight)
        if (goals != STAYS).any():
            return np.where(goals == STAYS, known.participant_cell, goals)
        bonus = np.zeros(len(self._visited))
        if self._exploring != 0.0:
            bonus = self._exploring * (weight @ self._model.effect_deviation()) / len(known.participant_cell)
        here, rule = known.participant_cell, self._rule.found
        moving = Moving(self._distance_km, cost_weight, bonus, most_swaps)
        goals, value = best_swaps(field, rule, here, here, moving)
        if self._search is None:
            self._search = SetSearch(self._distance_km, len(here))
        best = self._search.best(field, rule)
        if best is not None:
            _, nearest = linear_sum_assignment(self._distance_km[np.ix_(here, best)])
            others, value_there = best_swaps(field, rule, here, best[nearest], moving)
            goals = others if value_there < value else goals
        return goals

    def _observe(self, known: KnownData) -> None:
        self._visited[known.participant_cell] = True
        self._gives[:, known.participant_cell] = ~np.isnan(known.collected[known.participant_cell].T)
        self._model.observe(known.collected)
        if self._cycles < _CYCLES_TO_FIND_THE_RULE:
            self._rule.observe(known.collected, known.inferred)
        self._lowest = np.fmin(self._lowest, np.fmin.reduce(known.collected, axis=0))
        self._highest = np.fmax(self._highest, np.fmax.reduce(known.collected, axis=0))
        self._cycles += 1

    def _visits(self, known: KnownData, field: Field, cost_weight: float) -> Cells:
        """The next cell of participants that visit cells for the first time, `STAYS` of the others. Shape [P]."""
        new = np.flatnonzero(~self._visited)
        if not len(new):
            return np.full(len(known.participant_cell), STAYS)
        sensed = np.zeros(len(self._visited), np.bool_)
        sensed[known.participant_cell] = True
        errors = cell_errors(field, self._rule.found, sensed, ~self._visited)[new] / max((~sensed).sum(), 1)
        per_km = max(cost_weight, 1e-12) / len(known.participant_cell)
        return first_stops(self._distance_km, known.participant_cell, new, self._worth * errors / per_km)
