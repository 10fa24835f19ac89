"""CMA-ES by the package ``cma``, with explicit randomness and a state that is plain numbers."""

from typing import Any

import cma
import numpy as np

from crowdgym.agents.row_policy import Floats, Parameters

# The run decides when a search ends, so nothing of the package does.
_NO_LIMITS = {"tolfun": 0.0, "tolx": 0.0, "tolfunhist": 0.0, "tolstagnation": 10**9, "maxiter": 10**9}


class Search:
    """Maximises a score over parameters.

    The package keeps its state in objects that only pickle could store. So the state that is stored is the history of
    all scores: the draws are fixed by the seed, and `replay` tells the scores again.

    Args:
        parameters: where the search begins, and the scale of each of the D parameters.
        population: λ, candidates of a generation.
        step_size: deviation of the first candidates, in scales.
        seed: seed of all draws.
    """

    def __init__(self, parameters: Parameters, population: int, step_size: float, seed: int) -> None:
        generator = np.random.default_rng(seed)
        options = {
            "popsize": population,
            "CMA_stds": parameters.scale,
            "seed": np.nan,  # leaves NumPy's global generator alone
            "randn": lambda *shape: generator.standard_normal(shape),
            "verbose": -9,
            "verb_log": 0,
            **_NO_LIMITS,
        }
        self._strategy: Any = cma.CMAEvolutionStrategy(parameters.start, step_size, options)
        self._asked: list[Floats] = []
        self.scores = np.zeros((0, population))  # [generations, λ]

    @property
    def mean(self) -> Floats:
        """The mean of the distribution: the parameters that the search has reached. Shape [D]."""
        mean: Floats = np.array(self._strategy.mean, np.float64)
        return mean

    @property
    def step_size(self) -> float:
        """The deviation of the next candidates, in scales."""
        return float(self._strategy.sigma)

    def ask(self) -> Floats:
        """The candidates of the next generation, [λ, D]."""
        self._asked = self._strategy.ask()
        return np.stack(self._asked)

    def tell(self, scores: Floats) -> None:
        """Take in the score of each candidate, [λ]; more is better."""
        self._strategy.tell(self._asked, (-scores).tolist())
        self.scores = np.concatenate([self.scores, scores[np.newaxis]])

    def replay(self, scores: Floats) -> None:
        """Repeat the generations of a search with the same arguments from their scores, [generations, λ]."""
        for generation in scores:
            self.ask()
            self.tell(generation)
