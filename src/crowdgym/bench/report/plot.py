"""The results of a suite as pictures: a panel for each sweep, with the published figures beside ours."""

from collections.abc import Sequence
from typing import Any

from crowdgym.bench.report.markdown import title_of, varying
from crowdgym.bench.report.plotting import new_figure, png_of
from crowdgym.bench.report.table import ResultTable
from crowdgym.configs.suites import GridPoint, Scalar

MOST_PANELS = 12  # of a picture; the other sweeps are in the tables only
PANEL_INCHES = (6.0, 4.2)
DPI = 110


def picture_name(scenario: str, metric: str) -> str:
    """The file of the picture of a metric on a scenario."""
    return f"plot-{scenario}-{metric}.png".replace("/", "_")


def plot(table: ResultTable, scenario: str, metric: str) -> bytes:
    """A PNG file of one scenario: mean ± standard deviation; the published means hollow and dashed."""
    panels = [panel for points in table.sweeps() for panel in _panels(points)][:MOST_PANELS]
    columns = min(2, len(panels))
    lines = -(-len(panels) // columns)
    figure = new_figure(columns * PANEL_INCHES[0], lines * PANEL_INCHES[1], DPI)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for panel, at in zip(panels, axes, strict=False):
        _draw(at, table, scenario, metric, panel)
    for unused in axes[len(panels) :]:
        unused.axis("off")
    return png_of(figure)


def _panels(points: Sequence[GridPoint]) -> list[list[GridPoint]]:
    """The grid points of a sweep, grouped by all that varies except the parameter of the horizontal axis."""
    others = [name for name in varying(points) if name != _horizontal(points)]
    panels: dict[str, list[GridPoint]] = {}
    for point in points:
        panels.setdefault(repr([point[name] for name in others]), []).append(point)
    return list(panels.values())


def _horizontal(points: Sequence[GridPoint]) -> str:
    """The parameter with the most values."""
    return max(varying(points), key=lambda name: len({repr(point[name]) for point in points}))


def _draw(axes: Any, table: ResultTable, scenario: str, metric: str, points: Sequence[GridPoint]) -> None:
    name = _horizontal(points)
    values = [point[name] for point in points]
    places = _places(values)
    for number, agent in enumerate(table.agents(scenario)):
        found = [table.find(scenario, agent, metric, point) for point in points]
        ours = [(x, row.figures) for x, row in zip(places, found, strict=True) if row is not None and row.figures]
        theirs = [(x, row.published) for x, row in zip(places, found, strict=True) if row is not None and row.published]
        colour = f"C{number}"
        if ours:
            means, deviations = [of.mean for _, of in ours], [of.sd for _, of in ours]
            axes.errorbar([x for x, _ in ours], means, deviations, fmt="o-", capsize=3, color=colour, label=agent)
        if theirs:
            means = [figure.mean for _, figure in theirs]
            style = {"color": colour, "linestyle": "--", "marker": "s", "fillstyle": "none"}
            axes.plot([x for x, _ in theirs], means, label=f"{agent}, published", **style)
    if places != values:
        axes.set_xticks(places, [str(value) for value in values])
    axes.set_xlabel(name)
    axes.set_ylabel(metric)
    axes.set_title(title_of(scenario, points), fontsize=10)
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8)


def _places(values: Sequence[Scalar]) -> list[Any]:
    """The positions of values on the horizontal axis: numbers at their value, all others evenly spaced."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return list(values) if numbers else list(range(len(values)))
