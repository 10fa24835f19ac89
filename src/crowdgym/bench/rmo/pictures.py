"""The figures 5, 6 and 7 of the RMO poster as pictures."""

from typing import Any, Final

import numpy as np

from crowdgym.bench.report.plotting import new_figure, png_of
from crowdgym.bench.rmo.results import MAP_AGENT, SIZES, RmoResults

FIGURES: Final = ("curves", "eta", "sizes")
_DPI: Final = 110


def curves_picture(results: RmoResults) -> bytes:
    """Figure 5: profit on the instances of evaluation against steps of the environment."""
    figure = new_figure(8.0, 5.0, _DPI)
    axes = figure.subplots()
    for variant in results.variants:
        curve = results.curve(variant)
        (line,) = axes.plot(curve.steps, [of.value for of in curve.profit], "o-", label=variant)
        low, high = [of.low for of in curve.profit], [of.high for of in curve.profit]
        axes.fill_between(curve.steps, low, high, color=line.get_color(), alpha=0.12, linewidth=0.0)
    _finish(axes, "steps of the environment", "profit", f"{results.scenario}: profit on the instances of evaluation")
    return png_of(figure)


def map_picture(results: RmoResults) -> bytes:
    """Figure 6: the paths of the weights of the utility over the revenue of the agent of the map."""
    figure = new_figure(7.0, 5.5, _DPI)
    axes = figure.subplots()
    found = results.eta_map()
    if found:
        alphas, betas = np.array(list(found)).T
        means = [float(revenue.mean()) for revenue in found.values()]
        dots = axes.scatter(alphas, betas, c=means, s=260, cmap="viridis", alpha=0.8)
        figure.colorbar(dots, ax=axes, label=f"revenue of {MAP_AGENT}")
    drawn: dict[str, str] = {}  # colour by variant without its start
    for variant, path in results.paths.items():
        name = variant.removesuffix(f" from {results.start_of(variant)}")
        label = None if name in drawn else name
        colour = drawn.setdefault(name, f"C{len(drawn) + 1}")
        axes.plot(*zip(*path, strict=True), "-", color=colour, label=label)
        axes.plot(*path[-1], "o", color=colour, markersize=4)
    axes.set_xlim(-0.05, 1.05)
    axes.set_ylim(-0.05, 1.05)
    _finish(axes, "α", "β", f"{results.scenario}: paths of (α, β); dots: where they end")
    return png_of(figure)


def sizes_picture(results: RmoResults) -> bytes:
    """Figure 7: revenue against the number of workers and of tasks."""
    figure = new_figure(11.0, 4.5, _DPI)
    for axes, size in zip(figure.subplots(1, len(SIZES)), results.sizes, strict=False):
        points = results.sweep_of(size)
        for name in dict.fromkeys(name for point in points for name in results.agents(point)):
            of_name = [(point[size], results.revenue(name, point)) for point in points]
            line = [(x, revenue.mean()) for x, revenue in of_name if revenue is not None]
            axes.plot(*zip(*line, strict=True), "--o" if name in results.variants else "-o", label=name, markersize=3)
        _finish(axes, size, "revenue", results.scenario)
    return png_of(figure)


def _labels(axes: Any) -> list[str]:
    return list(axes.get_legend_handles_labels()[1])


def _finish(axes: Any, horizontal: str, vertical: str, title: str) -> None:
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical)
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    if _labels(axes):
        axes.legend(fontsize=7)
