"""What the platform knows at an epoch of `preference_v0`, read from observations and infos alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.layout import ObservationLayout

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class OfferState:
    """The offers that can be made at one epoch. W workers, K candidates each, C categories.

    Attributes:
        candidates: task ids, -1 for none. Shape [W, K].
        category: of each candidate, -1 for none. Shape [W, K].
        distance_m: by road. Shape [W, K].
        until_expiry_s: of each candidate. Shape [W, K].
        rivals: idle workers of all centres, this one included, that can reach the candidate. Shape [W, K].
        idle: which workers are idle. Shape [W].
        elapsed_s: time since the episode began.
        history_share: of the categories in each worker's history. Shape [W, C].
        accepted: offers that each worker accepted in this episode, by category. Shape [W, C].
        declined: likewise. Shape [W, C].
    """

    candidates: Ints
    category: Ints
    distance_m: Floats
    until_expiry_s: Floats
    rivals: Floats
    idle: NDArray[np.bool_]
    elapsed_s: float
    history_share: Floats
    accepted: Floats
    declined: Floats


class Reader:
    """Reads offer states of one environment.

    Args:
        metadata: of the environment.
        width: numbers in an observation.
    """

    def __init__(self, metadata: Mapping[str, Any], width: int) -> None:
        layout = ObservationLayout.from_metadata(metadata, width)
        self._own = layout["w_self"]
        self._candidates = layout["T_candidates"]
        self._flags = [i for i, name in enumerate(self._candidates.features) if name.startswith("category_")]

    def read(self, seen: NDArray[np.float32], candidates: Ints) -> OfferState:
        """The offers that can be made now.

        Args:
            seen: the observations of all workers. Shape [W, F].
            candidates: of all workers, from the infos. Shape [W, K].
        """
        rows = self._candidates.take(seen)  # [W, K, features]
        own = self._own.take(seen)[:, 0]  # [W, features]
        elapsed = self._own.column("elapsed")
        return OfferState(
            candidates=candidates,
            category=np.where(candidates >= 0, rows[:, :, self._flags].argmax(axis=2), -1),
            distance_m=self._of_candidates(rows, "distance"),
            until_expiry_s=self._of_candidates(rows, "until_expiry"),
            rivals=self._of_candidates(rows, "rivals"),
            idle=own[:, self._own.column("idle")] > 0,
            elapsed_s=float(own[0, elapsed]) * self._own.scale("elapsed"),
            history_share=self._by_category(own, "share"),
            accepted=self._by_category(own, "accepted"),
            declined=self._by_category(own, "declined"),
        )

    def _of_candidates(self, rows: NDArray[np.float32], name: str) -> Floats:
        """A feature of the candidates, in its unit. Shape [W, K]."""
        values: Floats = rows[:, :, self._candidates.column(name)].astype(np.float64) * self._candidates.scale(name)
        return values

    def _by_category(self, own: NDArray[np.float32], name: str) -> Floats:
        """A group of features of the workers themselves, in its unit. Shape [W, C]."""
        features = [f"{name}_{c}" for c in range(len(self._flags))]
        columns = [self._own.column(feature) for feature in features]
        scales = np.array([self._own.scale(feature) for feature in features])
        values: Floats = own[:, columns] * scales
        return values
