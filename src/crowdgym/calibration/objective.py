"""How far simulated revenues are from published ones, and the mean payment that brings them nearest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crowdgym.bench.published.cafe import UNLEARNED, Point, points, published

Floats = NDArray[np.float64]

PLAYED = (*UNLEARNED, "random")  # the agents of a fit; the first ones have figures that are published

# What counts as one unit of error, by agent in the order of UNLEARNED: what is asked of the fit.
TOLERANCE = np.array([[0.03], [0.06]])
MOST_GREEDY = 0.04  # beyond, a point of Greedy costs extra; 8 % is the most that is asked for, and means of ten vary
COST_BEYOND = 20.0  # times the share that it is beyond: a fifth of a unit for each percent
CHANCE_TOLERANCE = 0.1  # what chance may earn more than Greedy, likewise
_SCALES = np.exp(np.linspace(-0.25, 0.25, 251))  # around the median ratio, 0.2 % apart


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
    that a figure that no candidate can match does not decide the rest.

    Args:
        simulated: shape [agents, points].
        wanted: likewise.
    """
    ratios = simulated / wanted
    scales = _SCALES / np.median(ratios)
    errors = scales[:, np.newaxis, np.newaxis] * ratios - 1.0  # [scales, agents, points]
    costs = (np.sqrt(1.0 + (errors / TOLERANCE) ** 2) - 1.0).mean(axis=2).sum(axis=1)
    costs += COST_BEYOND * np.maximum(0.0, np.abs(errors[:, 0]).max(axis=1) - MOST_GREEDY)
    best = int(np.argmin(costs))
    return Agreement(float(costs[best]), float(scales[best]), errors[best])


def cost_of_chance(greedy: Floats, chance: Floats) -> float:
    """The loss if random choices earn more than Greedy, a baseline that should be better than chance.

    Args:
        greedy: mean revenues. Shape [points].
        chance: those of random choices, likewise.
    """
    return float(np.maximum(0.0, chance / greedy - 1.0).mean() / CHANCE_TOLERANCE)


def judged(revenue: Floats, wanted: Floats) -> Agreement:
    """How good a scenario is: agreement, and the cost of chance in the loss.

    Args:
        revenue: of all of `PLAYED`. Shape [agents, points].
        wanted: what is published of the first ones.
    """
    found = agreement(revenue[: len(UNLEARNED)], wanted)
    cost = cost_of_chance(revenue[PLAYED.index("greedy")], revenue[PLAYED.index("random")])
    return replace(found, loss=found.loss + cost)
