"""What the platform knows at an epoch of `preference_v0`, read from observations and infos alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.policy import Episode, Infos, Observations
from crowdgym.common.layout import ObservationLayout

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class OfferState:
    """The offers that can be made at one epoch. W workers, K candidates each, C categories.

    Attributes:
        candidates: task ids, -1 for none. Shape [W, K].
        category: of each candidate, -1 for none. Shape [W, K].
        distance: by road, as a share of the range. Shape [W, K].
        history_share: of the categories in each worker's history. Shape [W, C].
        accepted: offers that each worker accepted in this episode, by category. Shape [W, C].
        declined: likewise. Shape [W, C].
    """

    candidates: Ints
    category: Ints
    distance: Floats
    history_share: Floats
    accepted: Floats
    declined: Floats


class Reader:
    """Reads offer states of one episode.

    Args:
        episode: whose layout and agents.
    """

    def __init__(self, episode: Episode) -> None:
        width = int(np.prod(episode.observation_space.shape or (0,)))
        layout = ObservationLayout.from_metadata(episode.metadata, width)
        self._agents = episode.agents
        self._own = layout["w_self"]
        self._candidates = layout["T_candidates"]
        self._flags = [i for i, name in enumerate(self._candidates.features) if name.startswith("category_")]

    def read(self, observations: Observations, infos: Infos) -> OfferState:
        """The offers that can be made now."""
        seen = np.stack([observations[agent] for agent in self._agents])  # [W, F]
        candidates = np.array([infos[agent]["candidates"] for agent in self._agents], np.int64)  # [W, K]
        rows = self._candidates.take(seen)  # [W, K, features]
        return OfferState(
            candidates=candidates,
            category=np.where(candidates >= 0, rows[:, :, self._flags].argmax(axis=2), -1),
            distance=rows[:, :, self._candidates.column("distance")].astype(np.float64),
            history_share=self._by_category(seen, "share"),
            accepted=self._by_category(seen, "accepted"),
            declined=self._by_category(seen, "declined"),
        )

    def _by_category(self, seen: NDArray[np.float32], name: str) -> Floats:
        """A group of features of the worker itself, in its unit. Shape [W, C]."""
        features = [f"{name}_{c}" for c in range(len(self._flags))]
        columns = [self._own.column(feature) for feature in features]
        scales = np.array([self._own.scale(feature) for feature in features])
        values: Floats = self._own.take(seen)[:, 0, columns] * scales
        return values
