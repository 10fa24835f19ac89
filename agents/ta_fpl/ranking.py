"""How good predictions of the next place and category are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HIT_DEPTHS = (1, 5, 10)
GAIN_DEPTH = 10


@dataclass(frozen=True)
class Predictions:
    """What a model said of n events, and what happened.

    Attributes:
        worker: shape [n].
        event: number of the event in the worker's history. Shape [n].
        rank: of the true place among all, 1 for the first. Shape [n].
        category: the true one. Shape [n].
        category_table: P(c). Shape [n, C].
    """

    worker: Ints
    event: Ints
    rank: Ints
    category: Ints
    category_table: Floats

    def figures(self) -> dict[str, Floats]:
        """HR@1, HR@5, HR@10, NDCG@10 and reciprocal rank of places; accuracy and log loss of categories. Each [n]."""
        true = self.category_table[np.arange(len(self.category)), self.category]
        return {
            **{f"hr_{depth}": (self.rank <= depth).astype(np.float64) for depth in HIT_DEPTHS},
            f"ndcg_{GAIN_DEPTH}": np.where(self.rank <= GAIN_DEPTH, 1.0 / np.log2(self.rank + 1.0), 0.0),
            "mrr": 1.0 / self.rank,
            "category_accuracy": (self.category_table.argmax(axis=1) == self.category).astype(np.float64),
            "category_log_loss": -np.log(np.maximum(true, 1e-12)),
        }


def ranks(table: Floats, place: Ints) -> Ints:
    """The rank of each row's true place by probability, the largest first, ties by the smaller number.

    Args:
        table: shape [n, L].
        place: shape [n].

    Returns:
        From 1 to L. Shape [n].
    """
    own = np.take_along_axis(table, place[:, np.newaxis], axis=1)
    before = np.arange(table.shape[1]) < place[:, np.newaxis]
    found: Ints = 1 + ((table > own) | ((table == own) & before)).sum(axis=1)
    return found
