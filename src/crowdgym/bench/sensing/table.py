"""Episodes of ``sensing-paper`` as means per cell of the grid, beside the paper's figures."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from crowdgym.bench.published.qco_ta import published
from crowdgym.bench.run_folder import Row

Column = tuple[int, int]  # participants, attributes

_PARAMETERS = ("suite", "scenario", "period", "inference", "num_participants", "num_attributes", "agent")
_FIGURES = ("error", "error_sd", "error_range", "cost_km", "cost_km_sd")
_COLUMNS = (*_PARAMETERS, "episodes", *_FIGURES, "paper_error", "paper_cost_km")


@dataclass(frozen=True)
class Cell:
    """What a scheme came to in one column, over its episodes."""

    error: float
    error_sd: float
    error_range: float
    cost_km: float
    cost_km_sd: float
    episodes: int


@dataclass(frozen=True)
class ResultTable:
    """All cells, by (period, inference, agent), then by column."""

    cells: dict[tuple[str, str, str], dict[Column, Cell]]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "ResultTable":
        """The means of episodes."""
        grouped: dict[tuple[str, str, str], dict[Column, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            column = (row["num_participants"], row["num_attributes"])
            grouped[row["period"], row["inference"], row["agent"]][column].append(row)
        return cls({key: {column: _cell(of) for column, of in columns.items()} for key, columns in grouped.items()})

    def of_agent(self, agent: str, inference: str, period: str = "all") -> dict[Column, Cell]:
        """The cells of an agent, by column; empty where it did not play."""
        return self.cells.get((period, inference, agent), {})

    def agents(self, inference: str, period: str = "all") -> list[str]:
        """Who played, in the order of the episodes."""
        return [
            agent for (of_period, of_inference, agent) in self.cells if (of_period, of_inference) == (period, inference)
        ]

    def to_csv(self, scenario: str) -> str:
        """A line for each cell."""
        paper_error, paper_cost = published("error"), published("cost_km")
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for (period, inference, agent), columns in self.cells.items():
            for (participants, attributes), cell in columns.items():
                key = (agent, participants, attributes, inference)
                figures = [getattr(cell, name) for name in _FIGURES]
                writer.writerow(
                    ["sensing-paper", scenario, period, inference, participants, attributes, agent, cell.episodes]
                    + [f"{figure:.6f}" for figure in figures]
                    + [paper_error.get(key, ""), paper_cost.get(key, "")]
                )
        return text.getvalue()


def _cell(rows: list[Row]) -> Cell:
    error, cost = [row["error"] for row in rows], [row["cost_km"] for row in rows]
    return Cell(
        error=float(np.mean(error)),
        error_sd=float(np.std(error)),
        error_range=float(np.mean([row["error_range"] for row in rows])),
        cost_km=float(np.mean(cost)),
        cost_km_sd=float(np.std(cost)),
        episodes=len(rows),
    )
