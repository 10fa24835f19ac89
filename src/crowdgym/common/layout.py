"""The sets that an observation is made of, and how it says so in ``metadata["observation_layout"]``."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ObservationSlice:
    """One set of the observation: ``observation[start:stop].reshape(shape)`` has a column for each feature."""

    name: str
    start: int
    shape: tuple[int, int]
    features: tuple[str, ...]

    @property
    def stop(self) -> int:
        """One past its last number."""
        return self.start + self.shape[0] * self.shape[1]

    def describe(self, units: dict[str, str]) -> dict[str, Any]:
        """The slice as plain data, for ``metadata["observation_layout"]``."""
        return {
            "start": self.start,
            "stop": self.stop,
            "shape": self.shape,
            "features": self.features,
            "units": tuple(units[feature] for feature in self.features),
        }


def slices_of(sets: Iterable[tuple[str, int, tuple[str, ...]]]) -> tuple[ObservationSlice, ...]:
    """Lay sets, each of a name, a number of rows and features, one behind the other."""
    slices: list[ObservationSlice] = []
    start = 0
    for name, rows, features in sets:
        slices.append(ObservationSlice(name, start, (rows, len(features)), features))
        start = slices[-1].stop
    return tuple(slices)
