"""What an episode of sensing is given: plain data for the reference simulator, sharing nothing with the package."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class SensingReferenceInstance:
    """Everything that is fixed before the first step. Cells, cycles, attributes, participants count from 0."""

    places_km: tuple[tuple[float, float], ...]  # of each cell
    values: tuple[tuple[tuple[float | None, ...], ...], ...]  # [Y][X][A] RS; None where it is missing
    start: tuple[int, ...]  # the cell of each participant in cycle 0
    scale: tuple[float, ...]  # Gamma of each attribute
    participants_act: bool  # else the cells do
    inference: Literal["knn", "idw", "svr"]
    neighbours: int  # of knn and idw
    power: float  # of idw; knn's is 0 whatever this is
    svr_c: float
    svr_epsilon: float
    cost_weight: float  # lambda

    @property
    def num_cells(self) -> int:
        """X."""
        return len(self.places_km)

    @property
    def num_cycles(self) -> int:
        """Y."""
        return len(self.values)

    @property
    def num_attributes(self) -> int:
        """A."""
        return len(self.scale)

    @property
    def num_agents(self) -> int:
        """N."""
        return len(self.start) if self.participants_act else self.num_cells

    @property
    def num_actions(self) -> int:
        """Of every agent."""
        return self.num_cells if self.participants_act else len(self.start) + 1
