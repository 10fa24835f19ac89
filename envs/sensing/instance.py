"""One instance of sensing: what will be true, and where the participants are at first."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError


@dataclass(frozen=True)
class SensingInstance:
    """One episode. Y cycles, X cells, A attributes, P participants.

    Raises:
        ConfigError: arrays that do not fit each other, or a value that the dynamics cannot take: says which.
    """

    values: NDArray[np.float64]  # [Y, X, A] RS; NaN where it is missing
    cell: NDArray[np.int32]  # [P] where each participant is in cycle 0

    @property
    def checksum(self) -> str:
        """SHA-256 over what is true, in hexadecimal."""
        return hashlib.sha256(f"{self.values.shape};".encode() + self.values.tobytes()).hexdigest()

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or len(self.values) < 2:
            raise ConfigError(f"values must have shape (Y, X, A) with at least 2 cycles, got {self.values.shape}")
        if np.isinf(self.values).any():
            cycle, cell, attribute = np.argwhere(np.isinf(self.values))[0]
            raise ConfigError(f"values[{cycle}, {cell}, {attribute}] must be finite or NaN, got an infinite one")
        if self.cell.ndim != 1 or not len(self.cell):
            raise ConfigError(f"cell must hold the cell of each participant, got an array of shape {self.cell.shape}")
        outside = (self.cell < 0) | (self.cell >= self.values.shape[1])
        if outside.any():
            p = int(np.argmax(outside))
            raise ConfigError(f"cell[{p}] must be from 0 to {self.values.shape[1] - 1}, got {self.cell[p]}")
