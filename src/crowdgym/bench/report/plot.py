"""The table of a suite as pictures: a panel for each sweep, with what has been published beside ours."""

from collections.abc import Sequence
from typing import Any

from crowdgym.bench.report.markdown import title_of, varying
from crowdgym.bench.report.plotting import new_figure, png_of
from crowdgym.bench.report.table import ResultTable
from crowdgym.configs.suites import Cell, Scalar

MOST_PANELS = 12  # of a picture; what is beyond is in the tables only
PANEL_INCHES = (6.0, 4.2)
DPI = 110


def plot(table: ResultTable, scenario: str) -> bytes:
    """One scenario as a PNG file: mean ± standard deviation; the published means hollow and dashed."""
    panels = [panel for cells in table.sweeps() for panel in _panels(cells)][:MOST_PANELS]
    columns = min(2, len(panels))
    lines = -(-len(panels) // columns)
    figure = new_figure(columns * PANEL_INCHES[0], lines * PANEL_INCHES[1], DPI)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for panel, at in zip(panels, axes, strict=False):
        _draw(at, table, scenario, panel)
    for unused in axes[len(panels) :]:
        unused.axis("off")
    return png_of(figure)


def _panels(cells: Sequence[Cell]) -> list[list[Cell]]:
    """The cells of a sweep, apart by all that varies but the parameter of the horizontal axis."""
    others = [name for name in varying(cells) if name != _horizontal(cells)]
    panels: dict[str, list[Cell]] = {}
    for cell in cells:
        panels.setdefault(repr([cell[name] for name in others]), []).append(cell)
    return list(panels.values())


def _horizontal(cells: Sequence[Cell]) -> str:
    """The parameter with the most values."""
    return max(varying(cells), key=lambda name: len({repr(cell[name]) for cell in cells}))


def _draw(axes: Any, table: ResultTable, scenario: str, cells: Sequence[Cell]) -> None:
    name = _horizontal(cells)
    values = [cell[name] for cell in cells]
    places = _places(values)
    for number, agent in enumerate(table.agents(scenario)):
        found = [table.find(scenario, agent, cell) for cell in cells]
        ours = [(x, row.figures) for x, row in zip(places, found, strict=True) if row is not None and row.figures]
        theirs = [(x, row.published) for x, row in zip(places, found, strict=True) if row is not None and row.published]
        colour = f"C{number}"
        if ours:
            means, deviations = [of.mean for _, of in ours], [of.sd for _, of in ours]
            axes.errorbar([x for x, _ in ours], means, deviations, fmt="o-", capsize=3, color=colour, label=agent)
        if theirs:
            means = [point.mean for _, point in theirs]
            style = {"color": colour, "linestyle": "--", "marker": "s", "fillstyle": "none"}
            axes.plot([x for x, _ in theirs], means, label=f"{agent}, published", **style)
    if places != values:
        axes.set_xticks(places, [str(value) for value in values])
    axes.set_xlabel(name)
    axes.set_ylabel(table.suite.metric)
    axes.set_title(title_of(scenario, cells), fontsize=10)
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8)


def _places(values: Sequence[Scalar]) -> list[Any]:
    """Where values are on the horizontal axis: numbers where they belong, anything else in a row."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return list(values) if numbers else list(range(len(values)))
