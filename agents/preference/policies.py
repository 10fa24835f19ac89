"""Policies of `preference_v0`: a matching of workers with tasks at every epoch, by estimated acceptance."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.policy import Actions, Episode, Infos, Observations
from crowdgym.agents.preference.matching import greedy, lexicographic, max_cardinality, max_weight
from crowdgym.agents.preference.observation_reader import OfferState, Reader
from crowdgym.agents.preference.sources import HistoryShareSource, PreferenceSource

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class MatchingPolicy(ABC):
    """Makes offers by a matching, all centres together.

    Args:
        source: of the preferences; the shares of histories by default.
    """

    def __init__(self, source: PreferenceSource | None = None) -> None:
        self.source: PreferenceSource = source or HistoryShareSource()

    def reset(self, episode: Episode) -> None:
        """Get ready for an episode."""
        self._agents = episode.agents
        self._reader = Reader(episode)
        self._rules: Mapping[str, Any] = episode.metadata["rules"]

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        if not infos:
            return {}
        state = self._reader.read(observations, infos)
        chosen = self.match(self._weights(state), state.candidates)
        return dict(zip(self._agents, chosen.tolist(), strict=True))

    @abstractmethod
    def match(self, weight: Floats, candidates: Ints) -> Ints:
        """Choose an action for each worker. ``weight`` and ``candidates`` have shape [W, K]. Returns shape [W]."""

    def _weights(self, state: OfferState) -> Floats:
        """The estimated probability that each offer is accepted. Shape [W, K]."""
        preferences = self.source.preferences(state)  # [W, C]
        relative = preferences / np.maximum(preferences.max(axis=1, keepdims=True), 1e-12)
        if self._rules["acceptance"] == "always":
            accepts = relative  # all offers are accepted: what is left to maximise is preference
        else:
            low, high = self._rules["acceptance_min"], self._rules["acceptance_max"]
            accepts = low + (high - low) * relative ** self._rules["acceptance_exponent"]
        weight: Floats = np.take_along_axis(accepts, np.maximum(state.category, 0), axis=1)
        return np.where(state.category >= 0, weight, 0.0)


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


class LexicographicKmPolicy(MatchingPolicy):
    """Makes as many offers as possible at each epoch, and of these the most expected acceptances."""

    def match(self, weight: Floats, candidates: Ints) -> Ints:
        """See `MatchingPolicy`."""
        return lexicographic(weight, candidates)
