"""Where the preferences behind a matching come from: one object for each way to know or to guess them."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.preference.observation_reader import OfferState

Floats = NDArray[np.float64]


class PreferenceSource(Protocol):
    """Estimates the preferences of all workers."""

    def preferences(self, state: OfferState) -> Floats:
        """The estimated distribution of each worker's next category. Shape [W, C]."""


class UniformSource:
    """Knows nothing: all categories alike."""

    def preferences(self, state: OfferState) -> Floats:
        """See `PreferenceSource`."""
        return np.full(state.history_share.shape, 1.0 / state.history_share.shape[1])


class HistoryShareSource:
    """The shares of the categories in the worker's history, which its own centre has on file."""

    def preferences(self, state: OfferState) -> Floats:
        """See `PreferenceSource`."""
        return state.history_share


class TableSource:
    """A table that was worked out before the episode: of a trained model, or the truth, which makes it the oracle.

    Args:
        table: a distribution for each worker. Shape [W, C].
    """

    def __init__(self, table: Floats) -> None:
        self._table = table

    def preferences(self, state: OfferState) -> Floats:
        """See `PreferenceSource`."""
        return self._table
