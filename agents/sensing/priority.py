"""The priority of cells for each attribute (QCO-TA paper, section 4.1): temporal entropy, spatial mutual information.

Both are computed from the inferred values IS, which are leave-one-out predictions at sensed cells.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from crowdgym.agents.sensing.scheme import Floats

SMALLEST_VARIANCE = 1e-6  # of inferred values; a series that does not vary would have an entropy of minus infinity
LARGEST_CORRELATION = 1.0 - 1e-6  # squared; two series that are the same would share infinite information

InformationName = Literal["gaussian", "ksg"]


def temporal_entropy(history: Floats) -> Floats:
    """TE, the differential entropy of a normal distribution (Eq. 3): ½ ln(2πe · variance).

    Args:
        history: the inferred values of all cycles so far. Shape [Y, X, A].

    Returns:
        In nats. Shape [X, A].
    """
    return np.asarray(0.5 * np.log(2.0 * np.pi * np.e * np.maximum(history.var(axis=0), SMALLEST_VARIANCE)))


def gaussian_information(history: Floats) -> Floats:
    """I of Eq. (4) between all cells, for normal distributions: −½ ln(1 − ρ²).

    Args:
        history: as for `temporal_entropy`. Shape [Y, X, A].

    Returns:
        In nats, 0 of a cell with itself. Shape [A, X, X].
    """
    series = np.moveaxis(history - history.mean(axis=0), 2, 0)  # [A, Y, X]
    covariance = series.transpose(0, 2, 1) @ series / len(history)  # [A, X, X]
    variance = np.maximum(np.einsum("axx->ax", covariance), SMALLEST_VARIANCE)
    squared = covariance**2 / (variance[:, :, np.newaxis] * variance[:, np.newaxis])
    information = -0.5 * np.log1p(-np.minimum(squared, LARGEST_CORRELATION))
    information[:, np.arange(history.shape[1]), np.arange(history.shape[1])] = 0.0
    return np.asarray(information)


def ksg_information(history: Floats, neighbours: int = 3) -> Floats:
    """I of Eq. (4) between all cells by nearest neighbours, which assumes no distribution.

    The first estimator of Kraskov, Stögbauer and Grassberger (2004), on series divided by their standard deviations, as
    in scikit-learn's ``mutual_info_regression``, but made for many short series. It takes a thousand times as long as
    `gaussian_information`.

    Args:
        history: as for `temporal_entropy`. Shape [Y, X, A].
        neighbours: number of neighbours of the estimator; smaller if there are fewer cycles.

    Returns:
        In nats, never negative, 0 of a cell with itself, and 0 for fewer than three cycles. Shape [A, X, X].
    """
    cycles, cells, attributes = history.shape
    information = np.zeros((attributes, cells, cells))
    if cycles < 3:
        return information
    deviation = history.std(axis=0)
    series = history / np.where(deviation > 0.0, deviation, 1.0)
    for a in range(attributes):
        apart = np.abs(series[:, np.newaxis, :, a] - series[:, :, a])  # [Y, Y, X]
        for x in range(cells):
            for z in range(x):
                shared = _nearest_neighbour_information(apart[:, :, x], apart[:, :, z], min(neighbours, cycles - 2))
                information[a, x, z] = information[a, z, x] = shared
    return information


def _nearest_neighbour_information(one: Floats, other: Floats, neighbours: int) -> float:
    """Mutual information of two series, from the distances between their values in all cycles, both of shape [Y, Y]."""
    from scipy.special import digamma

    together = np.maximum(one, other)
    radius = np.partition(together, neighbours, axis=1)[:, neighbours, np.newaxis]  # the nearest of all is itself
    counts = [np.maximum((apart < radius).sum(axis=1), 1) for apart in (one, other)]  # itself included
    marginal = digamma(counts[0]).mean() + digamma(counts[1]).mean()
    return max(0.0, float(digamma(neighbours) + digamma(len(one)) - marginal))


_INFORMATION: dict[InformationName, Callable[[Floats], Floats]] = {
    "gaussian": gaussian_information,
    "ksg": ksg_information,
}


class PriorityScores:
    """PS of Eq. (5), from the inferred values of all cycles so far.

    Args:
        alpha_te: α_TE, the weight of temporal entropy.
        alpha_smi: α_SMI, the weight of spatial mutual information.
        information: how I of Eq. (4) is estimated.
    """

    def __init__(
        self, alpha_te: float = 1.0, alpha_smi: float = 0.2, information: InformationName = "gaussian"
    ) -> None:
        self._alpha_te = alpha_te
        self._alpha_smi = alpha_smi
        self._information = _INFORMATION[information]
        self._cycles: list[Floats] = []

    def observe(self, inferred: Floats) -> None:
        """Add the inferred values of another cycle. Shape [X, A]; NaN where there is none."""
        self._cycles.append(inferred)

    @property
    def num_cycles(self) -> int:
        """The number of observed cycles."""
        return len(self._cycles)

    def scores(self) -> Floats:
        """PS of every cell for every attribute, shape [X, A]."""
        history = filled(np.array(self._cycles))
        shared = self._information(history).sum(axis=2).T  # [X, A] SMI
        return np.asarray(self._alpha_te * temporal_entropy(history) + self._alpha_smi * shared)


def filled(history: Floats) -> Floats:
    """Replace missing values by the mean of the cell's inferred values; by 0 if the cell has none.

    Shape [Y, X, A], as given.
    """
    missing = np.isnan(history)
    if not missing.any():
        return history
    number = (~missing).sum(axis=0)
    mean = np.where(missing, 0.0, history).sum(axis=0) / np.maximum(number, 1)
    return np.where(missing, mean, history)


def top_cells(scores: Floats, number: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The cells with the highest scores; ties go to the smaller cell."""
    return np.argsort(-scores, kind="stable")[:number].astype(np.int64)
