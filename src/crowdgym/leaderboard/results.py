"""The results of an entry on the instances of its board, from its packs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdgym.bench.report.statistics import middle_half_mean
from crowdgym.common.errors import TraceError
from crowdgym.leaderboard.boards import Board
from crowdgym.leaderboard.pack import PackedEpisode, read_pack

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """What an entry earned. E episodes of each of C cells, in the order of the board.

    Attributes:
        seeds: of the instances. [E, C]
        metrics: by name. Each [E, C]
    """

    seeds: NDArray[np.int64]
    metrics: Mapping[str, Scores]

    @classmethod
    def of(cls, board: Board, packs: Mapping[str, Path]) -> "Result":
        """The result that packs claim, which `crowdgym.leaderboard.verify` confirms.

        Raises:
            TraceError: a pack is missing or cannot be read.
        """
        missing = next((name for name in board.cells if name not in packs), None)
        if missing is not None:
            raise TraceError(f"there is no pack of the cell {missing} of {board.name}")
        columns = [read_pack(packs[name]).header.episodes for name in board.cells]
        for name, column in zip(board.cells, columns, strict=True):
            _check(board, packs[name], column)
        seeds = np.array([[episode.seed for episode in column] for column in columns], np.int64).T
        metrics = {
            name: np.array([[episode.metrics[name] for episode in column] for column in columns], np.float64).T
            for name in board.suite.metrics
        }
        return cls(seeds, metrics)

    def scores(self, board: Board, metric: str) -> Scores:
        """A metric as the board shows it: the score as a share of its ceiling, shape [E, C]."""
        values = self.metrics[metric]
        if metric != board.shows.score:
            return values
        cells = list(board.cells.values())
        ceilings = [
            [board.ceiling(cell, int(seed)) for cell, seed in zip(cells, row, strict=True)] for row in self.seeds
        ]
        return np.asarray(values / np.array(ceilings), np.float64)


def _check(board: Board, file: Path, episodes: Sequence[PackedEpisode]) -> None:
    if len(episodes) != board.suite.episodes:
        raise TraceError(f"{file} holds {len(episodes)} episodes, expected the {board.suite.episodes} of the board")
    for metric in board.suite.metrics:
        if any(metric not in episode.metrics for episode in episodes):
            raise TraceError(f"{file} lacks the metric {metric} of an episode")


def interquartile_means_of(result: Result) -> dict[str, float]:
    """The interquartile mean of each metric over all instances."""
    return {name: float(middle_half_mean(values.ravel(), -1)) for name, values in result.metrics.items()}
