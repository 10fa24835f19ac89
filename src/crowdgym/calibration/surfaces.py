"""Response surfaces: the expected revenue at every point of the tables, as functions of the parameters.

Revenues of a few episodes vary, and the best of many candidates is mostly a lucky one. The logarithm of each revenue is
therefore taken for a quadratic function of the parameters, by least squares over all that has been tried: a candidate
is judged by what its neighbours have earned, too, and on other episodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crowdgym.calibration.objective import Agreement, Floats, judged

FUNCTION_VALUES = 1_200  # of a search on surfaces
SPREAD = 0.15  # of the first step of one, as a share of the bounds
KEPT = (0.5, 0.25)  # of the candidates, the better ones: what is far from any use need not be met
LEAST_KEPT = 3  # times as many as there are coefficients
RIDGE = 0.05  # so that candidates close together do not decide what is far from them


@dataclass(frozen=True)
class Surfaces:
    """Quadratic functions of the parameters, d of them.

    Attributes:
        coefficients: of the logarithms of all revenues. Shape [1 + d + d (d + 1) / 2, agents * points].
        wanted: what is published. Shape [agents that learn nothing, points].
    """

    coefficients: Floats
    wanted: Floats

    @classmethod
    def of(cls, shares: Floats, revenue: Floats, wanted: Floats) -> "Surfaces":
        """Fit them to all candidates, then to the better half, then to the better half of these.

        Args:
            shares: shape [candidates, d].
            revenue: shape [candidates, agents, points].
            wanted: see the class.
        """
        values = np.log(revenue.reshape(len(revenue), -1))
        terms = _terms(shares)
        surfaces = cls(_least_squares(terms, values), wanted)
        for kept in KEPT:
            better = np.argsort([surfaces.judge(one).loss for one in shares], kind="stable")
            better = better[: max(round(kept * len(shares)), LEAST_KEPT * terms.shape[1])]
            surfaces = cls(_least_squares(terms[better], values[better]), wanted)
        return surfaces

    def judge(self, shares: Floats) -> Agreement:
        """The expected agreement of a candidate. ``shares``: shape [d]."""
        values = np.exp(_terms(shares[np.newaxis]) @ self.coefficients)
        return judged(values.reshape(-1, self.wanted.shape[1]), self.wanted)

    def lowest(self, start: Floats, seed: Sequence[int]) -> Floats:
        """Where the loss is least, by CMA-ES from ``start``. Shape [d]."""
        import cma

        generator = np.random.default_rng(seed)
        options = {
            "bounds": [0, 1],
            "maxfevals": FUNCTION_VALUES,
            "seed": 1,  # of draws that there are none of; 0 would stand for the time
            "randn": lambda *shape: generator.standard_normal(shape),
            "verbose": -9,
        }
        search = cma.CMAEvolutionStrategy(start, SPREAD, options)
        while not search.stop():
            asked = [np.clip(candidate, 0.0, 1.0) for candidate in search.ask()]
            search.tell(asked, [self.judge(one).loss for one in asked])
        found: Floats = np.clip(search.best.x, 0.0, 1.0)
        return found


def _terms(shares: Floats) -> Floats:
    """1, the parameters, and their products. Shape [candidates, terms]."""
    centred = shares - 0.5
    first, second = np.triu_indices(shares.shape[1])
    return np.hstack([np.ones((len(shares), 1)), centred, centred[:, first] * centred[:, second]])


def _least_squares(terms: Floats, values: Floats) -> Floats:
    ridge = RIDGE * np.eye(terms.shape[1])
    return np.asarray(np.linalg.solve(terms.T @ terms + ridge, terms.T @ values), np.float64)
