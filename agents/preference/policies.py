"""Policies of `preference_v0`: a matching of workers with tasks at every epoch, by estimated acceptance."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.preference.matching import greedy, lexicographic, max_cardinality, max_weight
from crowdgym.agents.preference.observation_reader import OfferState, Reader
from crowdgym.agents.preference.sources import HistoryShareSource, PreferenceSource
from crowdgym.agents.row_policy import RowPolicy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# An answer counts as much as the estimate. Chosen among 0.1, 0.3, 1, 2 and 4 on populations 5,000,000 to 5,000,003.
ANSWER_WEIGHT: Final = 1.0


class MatchingPolicy(RowPolicy):
    """Makes offers by a matching, all centres together.

    Args:
        source: of the preferences; the shares of histories by default.
        answer_weight: see `estimated_acceptance`.
    """

    reads = ("candidates",)

    def __init__(self, source: PreferenceSource | None = None, answer_weight: float = 0.0) -> None:
        self.source: PreferenceSource = source or HistoryShareSource()
        self.answer_weight = answer_weight

    def begin(self, copies: int, agents: int, width: int, metadata: Mapping[str, Any]) -> None:
        """See `crowdgym.agents.row_policy.RowPolicy`."""
        self._reader = Reader(metadata, width)
        self._rules: Mapping[str, Any] = metadata["rules"]

    def choose(self, observations: NDArray[np.float32], infos: Mapping[str, NDArray[Any]]) -> Ints:
        """See `crowdgym.agents.row_policy.RowPolicy`."""
        candidates = infos["candidates"].astype(np.int64, copy=False)  # [B, N, K]
        states = [self._reader.read(*of_copy) for of_copy in zip(observations, candidates, strict=True)]
        return np.stack([self.match(self._weights(state), state.candidates) for state in states])

    @abstractmethod
    def match(self, weight: Floats, candidates: Ints) -> Ints:
        """Choose an action for each worker. ``weight`` and ``candidates`` have shape [W, K]. Returns shape [W]."""

    def _weights(self, state: OfferState) -> Floats:
        """The estimated probability that each offer is accepted. Shape [W, K]."""
        return estimated_acceptance(self.source.preferences(state), state, self._rules, self.answer_weight)


class GreedyPolicy(MatchingPolicy):
    """Takes pairs in order of estimated acceptance."""

    def match(self, weight: Floats, candidates: Ints) -> Ints:
        """See `MatchingPolicy`."""
        return greedy(weight, candidates)


class MaxFlowPolicy(MatchingPolicy):
    """Makes as many offers as possible at each epoch, whatever the preferences."""

    def match(self, weight: Floats, candidates: Ints) -> Ints:
        """See `MatchingPolicy`."""
        return max_cardinality(candidates)


class KmPolicy(MatchingPolicy):
    """Maximises the expected number of acceptances of each epoch."""

    def match(self, weight: Floats, candidates: Ints) -> Ints:
        """See `MatchingPolicy`."""
        return max_weight(weight, candidates)


class AnswersKmPolicy(KmPolicy):
    """Maximises the expected number of acceptances of each epoch, and learns from the answers of the episode.

    Args:
        source: of the preferences before the first answer; the shares of histories by default.
    """

    def __init__(self, source: PreferenceSource | None = None) -> None:
        super().__init__(source, ANSWER_WEIGHT)


class LexicographicKmPolicy(MatchingPolicy):
    """Makes as many offers as possible at each epoch, and of these the most expected acceptances."""

    def match(self, weight: Floats, candidates: Ints) -> Ints:
        """See `MatchingPolicy`."""
        return lexicographic(weight, candidates)


def estimated_acceptance(
    preferences: Floats, state: OfferState, rules: Mapping[str, Any], answer_weight: float = 0.0
) -> Floats:
    """The probability that each offer is accepted, if the preferences are right. 0 where there is no candidate.

    The answers of the episode may count, too. With n offers of a category accepted or declined by a worker, m of them
    accepted, a becomes (a + t m) / (1 + t n): the mean of a Beta distribution, before which 1 / t answers were known.

    Where every offer is accepted, what is left to maximise is preference: the relative preference is returned.

    Args:
        preferences: the distribution of each worker's next category. Shape [W, C].
        state: the offers that can be made.
        rules: of the environment's metadata.
        answer_weight: t, from 0 on.

    Returns:
        Shape [W, K].
    """
    relative = preferences / np.maximum(preferences.max(axis=1, keepdims=True), 1e-12)
    if rules["acceptance"] == "always":
        accepts = relative
    else:
        low, high = rules["acceptance_min"], rules["acceptance_max"]
        accepts = low + (high - low) * relative ** rules["acceptance_exponent"]
        answered = state.accepted + state.declined
        accepts = (accepts + answer_weight * state.accepted) / (1.0 + answer_weight * answered)
    weight: Floats = np.take_along_axis(accepts, np.maximum(state.category, 0), axis=1)
    return np.where(state.category >= 0, weight, 0.0)
