"""The trade-off between the agreement with one policy and with the other, over all candidates of a fit."""

import csv
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crowdgym.bench.published.cafe import UNLEARNED
from crowdgym.bench.report.plotting import new_figure, png_of
from crowdgym.calibration.fit import Evaluation
from crowdgym.calibration.objective import PLAYED, Floats
from crowdgym.calibration.parameters import rounded

INCHES, DPI = (6.4, 4.4), 110
SHOWN = 0.25  # mean errors beyond are outside the picture


def mean_errors(tried: Sequence[Evaluation], city: str) -> Floats:
    """Mean absolute errors over the points, as shares of what is published. Shape [candidates, agents]."""
    return np.array([np.abs(one.agreement(city).errors).mean(axis=1) for one in tried])


def front(errors: Floats) -> NDArray[np.intp]:
    """The candidates that no other is better than for one agent and no worse for the other, by the first agent's error.

    Args:
        errors: shape [candidates, 2].
    """
    order = np.lexsort((errors[:, 1], errors[:, 0]))
    lowest = np.minimum.accumulate(errors[order, 1])
    return np.asarray(order[np.concatenate([[True], lowest[1:] < lowest[:-1]])])


def table_file(tried: Sequence[Evaluation], city: str) -> bytes:
    """The front as CSV: errors, what chance earns beside Greedy, and the parameters."""
    errors = mean_errors(tried, city)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    figures = [f"{agent}_mean_error" for agent in UNLEARNED] + ["greedy_largest_error", "random_over_greedy"]
    writer.writerow(["candidate", *figures, *rounded(tried[0].keywords)])
    for number in front(errors).tolist():
        one = tried[number]
        largest = float(np.abs(one.agreement(city).errors[0]).max())
        revenue = dict(zip(PLAYED, np.array(one.revenue), strict=True))
        chance = float((revenue["random"] / revenue["greedy"]).mean())
        row = [*errors[number].tolist(), largest, chance]
        writer.writerow([number, *(f"{value:.4f}" for value in row), *rounded(one.keywords).values()])
    return lines.getvalue().encode()


def picture(tried: Sequence[Evaluation], city: str, chosen: Evaluation) -> bytes:
    """All candidates by their two errors as a PNG file, the front marked, and the chosen one as it is played again."""
    errors = 100 * mean_errors(tried, city)
    best = errors[front(errors)]
    figure = new_figure(*INCHES, DPI)
    axes = figure.subplots()
    axes.scatter(errors[:, 0], errors[:, 1], s=8, color="0.6", label="candidates")
    axes.plot(best[:, 0], best[:, 1], "o-", markersize=4, label="no other is better for both")
    axes.plot(*100 * mean_errors([chosen], city)[0], "r*", markersize=13, label="chosen, played again")
    axes.set_xlim(0, min(100 * SHOWN, 1.05 * errors[:, 0].max()))
    axes.set_ylim(0, min(100 * SHOWN, 1.05 * errors[:, 1].max()))
    axes.set_xlabel(f"mean absolute error of {UNLEARNED[0]}, %")
    axes.set_ylabel(f"mean absolute error of {UNLEARNED[1]}, %")
    axes.set_title(f"{city.capitalize()}: what a fit has tried", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return png_of(figure)
