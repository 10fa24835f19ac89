"""How far simulated revenues are from published ones, and the mean payment that brings them nearest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.bench.csc_published import UNLEARNED, Point, points, published

Floats = NDArray[np.float64]

# What counts as one unit of error, by agent in the order of UNLEARNED: what is asked of the fit.
TOLERANCE = np.array([[0.03], [0.06]])
MOST_GREEDY = 0.07  # beyond, a point of Greedy costs extra; 8 % is the most that is asked for
_STEP = 0.01
_SCALES = np.exp(np.linspace(np.log(0.2), np.log(5.0), 1600))  # 0.2 % apart


@dataclass(frozen=True)
class Agreement:
    """How well simulated revenues agree with published ones.

    Attributes:
        loss: what is minimised.
        scale: what simulated revenues are best multiplied by.
        errors: then, as shares of what is published; positive where simulated is more. Shape [agents, points].
    """

    loss: float
    scale: float
    errors: Floats


def fitted_points(city: str) -> tuple[Point, ...]:
    """The points of both tables, each once."""
    return tuple(dict.fromkeys(points(city)))


def published_means(wanted: Sequence[Point]) -> Floats:
    """The paper's revenues of the agents that learn nothing. Shape [agents, points]."""
    figures = published()
    return np.array([[figures[agent, point].mean for point in wanted] for agent in UNLEARNED])


def agreement(simulated: Floats, wanted: Floats) -> Agreement:
    """Compare mean revenues, scaled as suits them best.

    A point counts with sqrt(1 + (error / tolerance)²) - 1: by the square if it is near, in proportion if it is far, so
    that a figure that nothing can reach does not decide the rest.

    Args:
        simulated: shape [agents, points].
        wanted: likewise.
    """
    errors = _SCALES[:, np.newaxis, np.newaxis] * simulated / wanted - 1.0  # [scales, agents, points]
    costs = (np.sqrt(1.0 + (errors / TOLERANCE) ** 2) - 1.0).mean(axis=2).sum(axis=1)
    costs += 0.1 * np.maximum(0.0, np.abs(errors[:, 0]).max(axis=1) - MOST_GREEDY) / _STEP
    best = int(np.argmin(costs))
    return Agreement(float(costs[best]), float(_SCALES[best]), errors[best])
