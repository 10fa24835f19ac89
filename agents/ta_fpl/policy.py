"""The policies of TA-FPL's second phase: its matching, with any source of preferences."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.preference.policies import MatchingPolicy
from crowdgym.agents.preference.sources import PreferenceSource
from crowdgym.agents.ta_fpl.matching import top_k_exact, top_k_literal

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

USUAL_K = 3


class TopKPolicy(MatchingPolicy):
    """The exact intersecting top-k matching with reassignment.

    Args:
        source: of the preferences; the shares of histories by default.
        k: how many of the best tasks of a worker, and workers of a task, count.
    """

    def __init__(self, source: PreferenceSource | None = None, k: int = USUAL_K) -> None:
        super().__init__(source)
        self.k = k

    def match(self, weight: Floats, candidates: Ints) -> Ints:
        """See `MatchingPolicy`."""
        return top_k_exact(weight, candidates, self.k)


class LiteralTopKPolicy(TopKPolicy):
    """The same by the algorithms as they are stated."""

    def match(self, weight: Floats, candidates: Ints) -> Ints:
        """See `MatchingPolicy`."""
        return top_k_literal(weight, candidates, self.k)
