"""What the platform knows at an epoch of `preference_v0`, read from observations and infos alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.policy import Episode, Infos, Observations

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
        layout: Mapping[str, Any] = episode.metadata["observation_layout"]
        self._agents = episode.agents
        self._own = layout["w_self"]
        self._candidates = layout["T_candidates"]
        self._categories = [f for f in self._own["features"] if f.startswith("share_")]

    def read(self, observations: Observations, infos: Infos) -> OfferState:
        """The offers that can be made now."""
        seen = np.stack([observations[agent] for agent in self._agents])  # [W, F]
        candidates = np.array([infos[agent]["candidates"] for agent in self._agents], np.int64)  # [W, K]
        rows = seen[:, self._candidates["start"] : self._candidates["stop"]]
        rows = rows.reshape(len(seen), *self._candidates["shape"])  # [W, K, features]
        column = {name: i for i, name in enumerate(self._candidates["features"])}
        kinds = rows[:, :, [column[name.replace("share", "category")] for name in self._categories]]
        return OfferState(
            candidates=candidates,
            category=np.where(candidates >= 0, kinds.argmax(axis=2), -1),
            distance=rows[:, :, column["distance"]].astype(np.float64),
            history_share=self._by_category(seen, "share"),
            accepted=self._by_category(seen, "accepted"),
            declined=self._by_category(seen, "declined"),
        )

    def _by_category(self, seen: NDArray[np.float32], name: str) -> Floats:
        """A group of features of the worker itself, in its unit. Shape [W, C]."""
        features = self._own["features"]
        columns = [features.index(category.replace("share", name)) for category in self._categories]
        units = np.array([_amount(self._own["units"][column]) for column in columns])
        values: Floats = seen[:, [self._own["start"] + column for column in columns]] * units
        return values


def _amount(unit: str) -> float:
    """The number that the text of a unit begins with: what a 1 stands for; 1 if there is none."""
    try:
        return float(unit.split()[0])
    except ValueError:
        return 1.0
