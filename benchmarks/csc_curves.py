"""The learning curves of figure 7 of Chen et al. (IJCAI 2025): what runs earn while they learn.

    python benchmarks/csc_curves.py docs/csc_curves.png --city "Chengdu:IPPO=runs/ippo-0,runs/ippo-1;CAFE=runs/cafe-0"

Reads ``curve.csv`` of the folders that ``crowdgym train`` wrote. A line is the mean revenue of the training episodes
over the runs of a learner, smoothed over the last ``WINDOW`` iterations; the band reaches from the lowest run to the
highest. The left picture of a city is against iterations, the right one against seconds of processor time.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from cafe_runs import rows_of
from numpy.typing import NDArray

from crowdgym.bench.report.plotting import new_figure, png_of
from crowdgym.common.files import write_bytes

WINDOW = 5  # iterations
WIDTH_INCHES, HEIGHT_INCHES, DPI = 6.0, 4.0, 110

Floats = NDArray[np.float64]
COLOURS = 10  # of Matplotlib; further learners have the same ones and dashed lines


def smoothed(values: Floats) -> Floats:
    """Means over the last `WINDOW` values, or over all so far. Shape [iterations]."""
    return np.array([values[max(0, at + 1 - WINDOW) : at + 1].mean() for at in range(len(values))])


def curves(folders: list[Path]) -> tuple[Floats, Floats]:
    """Seconds of processor time, and smoothed revenues, of the iterations that all runs have. Shapes [T], [runs, T]."""
    rows = [[row for row in rows_of(folder) if "training" in row] for folder in folders]
    length = min(len(of) for of in rows)
    seconds = np.array([[row["processor_s"] for row in of[:length]] for of in rows]).mean(axis=0)
    return seconds, np.array([smoothed(np.array([row["training"] for row in of[:length]])) for of in rows])


def draw(axes: Any, city: str, learners: dict[str, list[Path]], against_time: bool) -> None:
    """One picture."""
    for place, (name, folders) in enumerate(learners.items()):
        seconds, revenue = curves(folders)
        x = seconds if against_time else np.arange(1, revenue.shape[1] + 1)
        style = "--" if place >= COLOURS else "-"
        (line,) = axes.plot(x, revenue.mean(axis=0) / 1000, style, label=name)
        axes.fill_between(x, revenue.min(axis=0) / 1000, revenue.max(axis=0) / 1000, color=line.get_color(), alpha=0.15)
    axes.set_xlabel("processor time [s]" if against_time else "iteration")
    axes.set_ylabel("revenue of training episodes [thousand]")
    axes.set_title(city, fontsize=10)
    axes.grid(alpha=0.3)


def learners_of(text: str) -> tuple[str, dict[str, list[Path]]]:
    """``CITY:NAME=DIR,DIR;NAME=DIR``."""
    city, _, runs = text.partition(":")
    parts = (part.partition("=") for part in runs.split(";"))
    return city, {name: [Path(folder) for folder in folders.split(",")] for name, _, folders in parts}


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path, help="the PNG file to write")
    parser.add_argument("--city", action="append", required=True, metavar="CITY:NAME=DIR,DIR;NAME=DIR")
    options = parser.parse_args()
    cities = [learners_of(text) for text in options.city]
    figure = new_figure(2 * WIDTH_INCHES, len(cities) * HEIGHT_INCHES, DPI)
    for (city, learners), (left, right) in zip(cities, figure.subplots(len(cities), 2, squeeze=False), strict=True):
        draw(left, city, learners, against_time=False)
        draw(right, city, learners, against_time=True)
        left.legend(fontsize=8, loc="lower right", ncols=2)
    write_bytes(options.picture, png_of(figure))


if __name__ == "__main__":
    main()
