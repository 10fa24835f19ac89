"""The sets that an observation is made of, as ``metadata["observation_layout"]`` describes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PRESENT = "present"  # the feature, always the first, that says whether there is something in a row


@dataclass(frozen=True)
class ObservationSet:
    """One set: ``observation[start:stop].reshape(rows, len(features))``."""

    name: str
    start: int
    rows: int
    features: tuple[str, ...]

    @property
    def stop(self) -> int:
        """One past its last number."""
        return self.start + self.rows * len(self.features)

    @property
    def may_be_empty(self) -> bool:
        """Whether its rows say if there is something in them."""
        return self.features[0] == PRESENT


def observation_sets(metadata: Mapping[str, Any], width: int) -> tuple[ObservationSet, ...]:
    """The sets of an observation of ``width`` numbers; one nameless set of one row where nothing describes it."""
    layout = metadata.get("observation_layout")
    if not layout:
        return (ObservationSet("observation", 0, 1, tuple(f"number_{i}" for i in range(width))),)
    return tuple(
        ObservationSet(name, int(part["start"]), int(part["shape"][0]), tuple(part["features"]))
        for name, part in layout.items()
    )
