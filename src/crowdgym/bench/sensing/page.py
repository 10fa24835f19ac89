"""The tables and the picture of ``sensing-paper``. The paper's figures are shown on the paper's series only."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from crowdgym.bench.published.qco_ta import ATTRIBUTES, INFERENCES, PARTICIPANTS, published
from crowdgym.bench.report.plotting import new_figure, png_of
from crowdgym.bench.sensing.claims import findings
from crowdgym.bench.sensing.schemes import (
    BASELINES,
    CLAIRVOYANT_PREFIX,
    CLAIRVOYANT_WEIGHTS,
    FROM_DAY_1,
    FROM_DAY_61,
    FRONT_PREFIX,
    OURS,
    SchemeTable,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOT_NAME = "sensing_front.png"

_TITLES = {
    "error": ("Aggregated sensing error", "table 1"),
    "cost_km": ("Cost in km", "table 2"),
}
_PLACES = {"error": 3, "cost_km": 2}
_LEVELS = {"random-static": ":", "hindsight-best-static": "--"}  # drawn as lines: their cost does not matter


def page(table: SchemeTable) -> str:
    """The tables, in Markdown."""
    count = sum(means.episodes for columns in table.results.values() for means in columns.values())
    parts = [f"This run: {count:,} episodes on `{table.scenario}`; for each figure: {_episodes(table)}.\n"]
    if table.is_papers:
        claims = [(one.claim, one.found, "yes" if one.holds else "**no**") for one in findings(table)]
        parts += ["## What holds and what does not\n", _markdown(("claim", "found", "holds"), claims)]
    parts += [f"## Error against cost\n\n![Error against cost of all schemes]({PLOT_NAME})\n"]
    parts += _means(table, FROM_DAY_1, with_paper=table.is_papers)
    parts += _shares(table)
    for metric, (title, of_paper) in _TITLES.items():
        parts += [f"## {title} ({of_paper})\n" if table.is_papers else f"## {title}\n", _all_columns(table, metric)]
    if any(table.agents(inference, FROM_DAY_61) for inference in INFERENCES):
        parts += [
            "## The days after the first 60\n",
            "A run of its own, which begins with day 61 and knows nothing of those before.\n",
            *_means(table, FROM_DAY_61, with_paper=False),
        ]
    return "\n".join(parts)


def front_picture(table: SchemeTable) -> bytes:
    """Error against cost, means over the columns, a part for each inference that was played, as a PNG file."""
    played = [name for name in INFERENCES if table.agents(name)] or [INFERENCES[0]]
    figure = new_figure(6.5 * len(played), 5, 110)
    for number, inference in enumerate(played):
        _draw_front(figure.add_subplot(1, len(played), number + 1), table, inference)
    return png_of(figure)


def _draw_front(axes: "Axes", table: SchemeTable, inference: str) -> None:
    points = table.points(inference)
    for prefix, colour, marker, label in (
        (OURS, "tab:blue", "o-", f"{OURS}, several λ"),
        (CLAIRVOYANT_PREFIX, "grey", "^-", "clairvoyant, several λ"),
    ):
        line = sorted((points[agent][1], points[agent][0]) for agent in points if agent.startswith(prefix))
        if line:
            axes.plot(*zip(*line, strict=True), marker, color=colour, label=label)
    names = ("qco-ta", "qco-ta-literal", *BASELINES)
    for number, agent in enumerate(name for name in names if name in points):
        error, cost_km = points[agent]
        colour = f"C{number + 1}"
        axes.plot(cost_km, error, "s", color=colour, label=agent)
        beside = _paper_point(table, agent, inference)
        if beside is not None:
            axes.plot(beside[1], beside[0], "s", color=colour, fillstyle="none")
    for agent, style in _LEVELS.items():
        if agent in points:
            axes.axhline(points[agent][0], color="grey", linestyle=style, label=f"{agent} ({points[agent][1]:.2f} km)")
    if any(cost > 0 for _, cost in points.values()):
        axes.set_xscale("log")
    axes.set_xlabel("cost, km per participant and cycle")
    axes.set_ylabel("aggregated sensing error")
    hollow = " (hollow: the paper)" if table.is_papers else ""
    axes.set_title(f"{table.scenario}, {inference.upper()}: means over the columns{hollow}", fontsize=10)
    if points:
        axes.legend(fontsize=7)


def _episodes(table: SchemeTable) -> str:
    """The number of episodes of a figure, for each inference."""
    found = []
    for inference in INFERENCES:
        results = [columns for (_, of, _), columns in table.results.items() if of == inference]
        numbers = sorted({means.episodes for columns in results for means in columns.values()})
        if numbers:
            ends = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
            found.append(f"{ends} with {inference.upper()}")
    return ", ".join(found)


def _means(table: SchemeTable, start_s: float, *, with_paper: bool) -> Iterator[str]:
    """For each inference a table with a row for each scheme: means over the columns."""
    headings = ("scheme", "error", "paper", "cost, km", "paper") if with_paper else ("scheme", "error", "cost, km")
    for inference in INFERENCES:
        rows = []
        for agent, (error, cost_km) in table.points(inference, start_s).items():
            beside = _paper_point(table, agent, inference) if with_paper else None
            papers = ("", "") if beside is None else (f"{beside[0]:.4f}", f"{beside[1]:.3f}")
            row = (f"`{agent}`", f"{error:.4f}", papers[0], f"{cost_km:.3f}", papers[1])
            rows.append(row if with_paper else (row[0], row[1], row[3]))
        if rows:
            number = len(table.shared_columns(inference, start_s))
            some = "" if number == len(PARTICIPANTS) * len(ATTRIBUTES) else f"{number} "
            yield f"Means over the {some}columns with {inference.upper()} that all of these schemes played:\n"
            yield _markdown(headings, rows)


def _shares(table: SchemeTable) -> Iterator[str]:
    """What share of the possible is reached, at each weight of the cost that the bound was planned for."""
    rows = []
    for inference in INFERENCES:
        points = table.points(inference)
        for weight in CLAIRVOYANT_WEIGHTS:
            names = ("random-static", OURS, "hindsight-best-static", f"{CLAIRVOYANT_PREFIX}{weight:g}")
            if all(name in points for name in names):
                still, ours, fixed, moving = (
                    error + weight * cost_km for error, cost_km in (points[name] for name in names)
                )
                shares = [f"{100.0 * (still - of) / (still - moving):.0f} %" for of in (ours, fixed)]
                values = [f"{value:.4f}" for value in (still, ours, fixed, moving)]
                rows.append((inference.upper(), f"{weight:g}", *values, *shares))
    if rows:
        yield "## Shares of the possible\n"
        yield (
            "Error + λ · cost, means over the columns. The last two columns say how much of the way from never moving "
            f"to the clairvoyant plan of moves is gone: by `{OURS}` with its default settings, and by the best fixed "
            "cells in hindsight.\n"
        )
        headings = ("", "λ", "never moving", OURS, "best fixed cells", "clairvoyant", OURS, "best fixed cells")
        yield _markdown(headings, rows)


def _all_columns(table: SchemeTable, metric: str) -> str:
    """A row for each scheme and P, a column for each inference and number of attributes."""
    rows = []
    for agent in dict.fromkeys(agent for inference in INFERENCES for agent in table.agents(inference)):
        if agent.startswith((FRONT_PREFIX, CLAIRVOYANT_PREFIX)):
            continue
        for p in PARTICIPANTS:
            row = [_beside_paper(table, metric, (agent, p, a, of)) for a in ATTRIBUTES for of in INFERENCES]
            if any(row):
                rows.append((f"`{agent}`", str(p), *row))
    headings = [f"{inference.upper()}, A = {a}" for a in ATTRIBUTES for inference in INFERENCES]
    return _markdown(("scheme", "P", *headings), rows)


def _beside_paper(table: SchemeTable, metric: str, key: tuple[str, int, int, str]) -> str:
    """``OURS (PAPER)``, of (agent, participants, attributes, inference)."""
    agent, participants, attributes, inference = key
    means = table.of_agent(agent, inference).get((participants, attributes))
    if means is None:
        return ""
    text = f"{getattr(means, metric):.{_PLACES[metric]}f}"
    paper = published(metric).get(key) if table.is_papers else None
    return text if paper is None else f"{text} ({paper:.{_PLACES[metric]}f})"


def _paper_point(table: SchemeTable, agent: str, inference: str) -> tuple[float, float] | None:
    """The paper's error and cost, means over the columns that all schemes played."""
    error, cost = published("error"), published("cost_km")
    keys = [(agent, p, a, inference) for p, a in table.shared_columns(inference)]
    if not table.is_papers or any(key not in error for key in keys):
        return None
    return sum(error[key] for key in keys) / len(keys), sum(cost[key] for key in keys) / len(keys)


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(texts) + " |" for texts in (headings, ["---"] * len(headings), *rows)]
    return "\n".join(lines) + "\n"
