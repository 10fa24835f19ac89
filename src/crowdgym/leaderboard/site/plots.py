"""Plots of a board as SVG, the same bytes for the same figures."""

import io
from collections.abc import Sequence
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from crowdgym.leaderboard.site.figures import Form
from crowdgym.leaderboard.site.views import heading_of
from crowdgym.leaderboard.standings import Standing, Table

_COLOURS: Final = {"rule": "#0b6e8f", "planner": "#c2571a", "learned": "#5a3fa0", "other": "#5b6b7b"}
_STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "crowdgym",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#5b6b7b",
}


def plot(table: Table) -> bytes:
    """The plot of a table: intervals by entry, or the front of score and cost."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(8.4, 4.8 if table.board.shows.cost else 1.1 + 0.32 * len(table.entries)))
        axes = figure.add_subplot()
        draw = _front if table.board.shows.cost else _intervals
        draw(axes, table)
        figure.tight_layout()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return buffer.getvalue()


def _intervals(axes: Any, table: Table) -> None:
    form = Form.of(table.board, table.board.shows.score)
    lines = list(reversed(table.standings))
    for at, line in enumerate(lines):
        low, value, high = (form.factor * x for x in (line.interval.low, line.interval.value, line.interval.high))
        colour = _COLOURS[line.played.folder.entry.policy.kind]
        axes.plot([low, high], [at, at], color=colour, linewidth=3, alpha=0.45, solid_capstyle="butt")
        axes.plot([value], [at], "o", color=colour, markersize=6)
    axes.set_yticks(range(len(lines)), [line.played.name for line in lines])
    axes.set_xlabel(f"{table.board.shows.score}{', % of what is offered' if form.unit else ''}")
    axes.grid(axis="x", color="#dde4ea", linewidth=0.8)
    axes.set_axisbelow(True)
    _legend(axes, lines)


def _front(axes: Any, table: Table) -> None:
    lines, cost = table.standings, table.board.shows.cost
    assert cost is not None
    for line in lines:
        assert line.cost is not None
        colour = _COLOURS[line.played.folder.entry.policy.kind]
        x, y = line.cost.value, line.interval.value
        axes.errorbar(
            [x], [y], [[y - line.interval.low], [line.interval.high - y]], [[x - line.cost.low], [line.cost.high - x]],
            fmt="o" if line.on_front else "x", color=colour, linewidth=1, markersize=6,
        )  # fmt: skip
        axes.annotate(line.played.name, (x, y), (6, 5), textcoords="offset points", fontsize=8)
    front = sorted((line.cost.value, line.interval.value) for line in lines if line.on_front and line.cost is not None)
    axes.plot(*zip(*front, strict=True), color="#5b6b7b", linewidth=1, linestyle="--", zorder=0)
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set_xlabel(f"{heading_of(table.board, cost)} (less is better)")
    axes.set_ylabel(f"{table.board.shows.score} (less is better)")
    axes.grid(color="#dde4ea", linewidth=0.8)
    axes.set_axisbelow(True)
    _legend(axes, lines)


def _legend(axes: Any, lines: Sequence[Standing]) -> None:
    kinds = sorted({line.played.folder.entry.policy.kind for line in lines})
    for kind in kinds:
        axes.plot([], [], "o", color=_COLOURS[kind], label=kind)
    if len(kinds) > 1:
        axes.legend(frameon=False, loc="best", fontsize=8)
