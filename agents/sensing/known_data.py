"""What the platform knows after a cycle, read from the rows and infos of either side of ``sensing_v0``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.row_policy import Ints
from crowdgym.agents.sensing.scheme import Cells, Floats
from crowdgym.common.errors import ConfigError
from crowdgym.common.layout import ObservationLayout


@dataclass(frozen=True)
class KnownData:
    """The known data after one cycle. X cells, A attributes, P participants."""

    participant_cell: Cells  # [P] where the participants are
    collected: Floats  # [X, A] NaN where there is none
    inferred: Floats  # [X, A] from other cells; NaN where there is none, or where the agents are not told
    elapsed: float  # share of the episode


@dataclass(frozen=True)
class SensingReader:
    """Reads rows and infos of all agents, and writes their actions.

    Attributes:
        places_km: coordinates of the cells. Shape [X, 2].
        distance_km: between cells. Shape [X, X].
        num_attributes: A.
        elapsed_column: of an observation.
        here_columns: of an observation of a cell: whether each participant is there. Shape [P]; None if the agents are
            the participants.
    """

    reads: ClassVar[tuple[str, ...]] = ("cell", "collected", "is_collected", "inferred", "is_inferred")

    places_km: Floats
    distance_km: Floats
    num_attributes: int
    elapsed_column: int
    here_columns: NDArray[np.int64] | None

    @classmethod
    def of(cls, metadata: Mapping[str, Any], agents: int, width: int) -> "SensingReader":
        """Read the region and the columns from the metadata. Raises `ConfigError` if the environment is another one."""
        if "coordinates" not in metadata:
            raise ConfigError(f"a sensing scheme plays sensing_v0, got {metadata.get('name', 'another environment')}")
        places_km = np.asarray(metadata["coordinates"], np.float64)
        apart = places_km[:, np.newaxis] - places_km
        sets = {part.name: part for part in ObservationLayout.from_metadata(metadata, width)}
        itself = sets["self"]
        here = None
        if "participants" in sets:
            part = sets["participants"]
            here = part.start + part.features.index("here") + len(part.features) * np.arange(part.rows)
        return cls(
            places_km,
            np.hypot(apart[..., 0], apart[..., 1]),
            len(metadata["attributes"]),
            itself.start + itself.features.index("elapsed"),
            here,
        )

    def read(self, rows: NDArray[np.float32], infos: Mapping[str, NDArray[Any]]) -> KnownData:
        """What all agents of one copy know together. ``rows`` has shape [N, F], each info [N, ...]."""
        own = infos["cell"].reshape(-1).astype(np.int64) if self.here_columns is None else np.arange(len(rows))
        return KnownData(
            participant_cell=own if self.here_columns is None else rows[:, self.here_columns].argmax(axis=0),
            collected=self._by_cell(own, infos, "collected"),
            inferred=self._by_cell(own, infos, "inferred"),
            elapsed=float(rows[0, self.elapsed_column]),
        )

    def actions(self, goals: Cells) -> Ints:
        """The actions of all agents, [N], that bring each participant to its goal, [P]."""
        if self.here_columns is None:
            return goals
        asks = np.zeros(len(self.places_km), np.int64)  # 0 holds, p + 1 asks for participant p
        asks[goals] = np.arange(1, len(goals) + 1)
        return asks

    def _by_cell(self, own: Cells, infos: Mapping[str, NDArray[Any]], name: str) -> Floats:
        values = np.full((len(self.places_km), self.num_attributes), np.nan)  # [X, A]
        values[own] = np.where(infos[f"is_{name}"].astype(np.bool_), infos[name], np.nan)
        return values
