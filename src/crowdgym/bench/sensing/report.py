"""Writes what ``sensing-paper`` came to: a table as CSV, a page and a plot."""

from collections.abc import Sequence
from pathlib import Path

from crowdgym.bench.published.qco_ta import ATTRIBUTES, INFERENCES, PARTICIPANTS, published
from crowdgym.bench.report.plotting import new_figure, png_of
from crowdgym.bench.run_folder import Row
from crowdgym.bench.sensing.claims import BASELINES, findings, mean_point
from crowdgym.bench.sensing.paper import FRONT, HINDSIGHT, OURS, SCENARIO
from crowdgym.bench.sensing.table import ResultTable
from crowdgym.common.files import write_bytes

CSV_NAME, PAGE_NAME, PLOT_NAME = "table.csv", "sensing_results.md", "sensing_front.png"
OUTPUT_NAMES = (CSV_NAME, PAGE_NAME, PLOT_NAME)

_ABOUT = """\
# Results of the sensing schemes

Written by `crowdgym bench sensing-paper`, all figures included; do not edit it by hand. The command needs the series
`piemonte` (`crowdgym data fetch piemonte`) and also writes every episode (`episodes.jsonl`) and every mean and
standard deviation (`table.csv`).

The paper is Zhang et al., "An online reinforcement learning approach to quality-cost-aware task allocation for
multi-attribute social sensing" (2019), tables 1 and 2; its figures are in brackets. Errors are Eq. (15), sums over the
attributes, with Γ the 99th percentile of each; costs are Eq. (16), km per participant and cycle. Attributes come in the
order EMI, PM10, TEMP, WS.
"""

_DIFFERS = """\
## What differs from the paper

- Uniform sampling comes out much as in the paper, errors and costs. It is the one scheme that leaves nothing open but
  the rules of the world, so these are probably the paper's. (With KNN its error rises a little with P; the paper's
  falls.)
- The schemes that rank cells have smaller errors than the paper's in most columns, the more so the more participants
  there are, and travel much less. EWA-TA, the worst of the paper, has the least error of its schemes on average with
  KNN. What makes the paper's scores change so much from day to day, it does not say.
- QCO-TA is the cheapest of the paper's schemes, as it says, and about as good as OO-MTA; it is not better than all
  baselines everywhere, and where participants are few its error is well above the paper's. Eqs. (9) to (14) only trade
  error for cost, so they cannot be where the paper's lead in error over OO-MTA comes from.
- Never moving at all costs nothing and errs hardly more than uniform sampling, so an error says little without its
  cost.
- `variogram-swap` predicts errors of weighted means of the nearest. With SVR it has to take the one that comes closest,
  and does not beat QCO-TA in error; with IDW it does, but is not always cheaper.
"""

_OPEN = """\
## What the paper leaves open

- **Γ** of Eq. (15). The 99th percentile comes closest to the row of uniform sampling. No constant Γ explains all rows:
  those of QCO-TA and UNS-TA grow by different factors with a third attribute.
- **Which attributes** make two and three. The order above fits uniform sampling best.
- **Where errors are taken.** Here in cells that are not sensed: over all cells they would fall much faster with P.
- **Who goes where.** Here the participants take the nearest selected cell left, one after the other, which gives the
  paper's cost of uniform sampling. An optimal matching would be cheaper by a fifth to a third.
- **k, n and the settings of SVR.** `configs/envs/sensing_v0.yaml` has ours.
- **IS in Eqs. (3) and (4).** Here what is inferred from the other cells, everywhere.
- **α, η, δ, β, γ, Θ**, and in what units. These were settled on the whole series, unlike the
  constants of ours: α_TE = 1, α_SMI = 0.2, η = 0.1, δ = 0.95, β = 0.9, γ = 1 km, Θ = 0.1.
- **The reward of staying** (Eq. 10), 1/0. Here it counts as 1 km; it decides how often anyone moves.
- **Eq. (11)** is a contraction, and its fixed point does not contain UPS, so read literally the scores of cells hardly
  count. `qco-ta` maximises β · UPS + R instead, as the text around it says; `qco-ta-literal` does what it says.
- **GPS-TA** where attributes want the same cell, or A does not divide P. Here they take turns.

`variogram-swap` is ours. Its two constants, λ and the weight of the prior, were chosen on the first 60 days of the
series. `random-static` never moves; `hindsight-best-static` stays in the best set of cells that a local search with the
truth at hand could find (`agents/sensing/`, `crowdgym.bench.sensing.hindsight`).
"""


def write_report(folder: Path, rows: Sequence[Row]) -> list[Path]:
    """Write the table, the page and the plot of a finished run, each whole or not at all.

    Args:
        folder: exists.
        rows: of all episodes.

    Returns:
        What was written.
    """
    table, scenario = ResultTable.of(rows), rows[0]["scenario"]
    contents = {
        CSV_NAME: table.to_csv(scenario).encode(),
        PAGE_NAME: page(table, scenario, len(rows)).encode(),
        PLOT_NAME: _plot(table, scenario),
    }
    for name, content in contents.items():
        write_bytes(folder / name, content)
    return [folder / name for name in contents]


def page(table: ResultTable, scenario: str, episodes: int) -> str:
    """The page, in Markdown."""
    parts = [
        _ABOUT,
        f"This run: {episodes:,} episodes on `{scenario}`; in each cell of a table: {_spread(table)}.\n",
        "## What holds and what does not\n",
        _markdown(
            ("claim", "found", "holds"),
            [(one.claim, one.found, "yes" if one.holds else "**no**") for one in findings(table)],
        ),
        f"## Error against cost\n\n![Error against cost of all schemes]({PLOT_NAME})\n",
        "Means over the columns with KNN:\n",
        _markdown(("scheme", "error", "paper", "cost, km", "paper"), _means(table, "all")),
    ]
    for metric, title in (("error", "Aggregated sensing error (table 1)"), ("cost_km", "Cost in km (table 2)")):
        parts += [f"## {title}\n", _beside_paper(table, metric)]
    if table.agents("knn", "rest"):
        parts += [
            "## The days after the first 60\n",
            "A run of its own, which begins with day 61 and knows nothing of those before. Means over the columns with "
            "KNN:\n",
            _markdown(("scheme", "error", "cost, km"), [(row[0], row[1], row[3]) for row in _means(table, "rest")]),
        ]
    return "\n".join([*parts, *([_DIFFERS] if scenario == SCENARIO else []), _OPEN])


def _spread(table: ResultTable) -> str:
    """How many episodes there are in a cell, inference by inference."""
    found = []
    for inference in INFERENCES:
        cells = [columns for (_, of, _), columns in table.cells.items() if of == inference]
        numbers = sorted({cell.episodes for columns in cells for cell in columns.values()})
        if numbers:
            ends = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
            found.append(f"{ends} with {inference.upper()}")
    return ", ".join(found)


def _means(table: ResultTable, period: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for agent in table.agents("knn", period):
        error, cost_km = mean_point(table.of_agent(agent, "knn", period))
        beside = _paper_point(table, agent, "knn") if period == "all" else None
        papers = ("", "") if beside is None else (f"{beside[0]:.4f}", f"{beside[1]:.3f}")
        rows.append((f"`{agent}`", f"{error:.4f}", papers[0], f"{cost_km:.3f}", papers[1]))
    return rows


def _beside_paper(table: ResultTable, metric: str) -> str:
    """A row for every agent and P, a column for every inference and number of attributes."""
    paper, places = published(metric), 3 if metric == "error" else 2
    agents = [
        agent for agent in table.agents("knn") or table.agents("idw") or table.agents("svr") if agent not in FRONT
    ]
    rows = []
    for agent in agents:
        for p in PARTICIPANTS:
            row = []
            for a in ATTRIBUTES:
                for inference in INFERENCES:
                    cell = table.of_agent(agent, inference).get((p, a))
                    beside = paper.get((agent, p, a, inference))
                    text = "" if cell is None else f"{getattr(cell, metric):.{places}f}"
                    row.append(text if beside is None or not text else f"{text} ({beside:.{places}f})")
            if any(row):
                rows.append((f"`{agent}`", str(p), *row))
    headings = [f"{inference.upper()}, A = {a}" for a in ATTRIBUTES for inference in INFERENCES]
    return _markdown(("scheme", "P", *headings), rows)


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (headings, ["---"] * len(headings), *rows)]
    return "\n".join(lines) + "\n"


def _plot(table: ResultTable, scenario: str) -> bytes:
    """Error against cost, means over the columns with the first inference that was played, as a PNG file."""
    inference = next(inference for inference in INFERENCES if table.agents(inference))
    points = {agent: mean_point(table.of_agent(agent, inference)) for agent in table.agents(inference)}
    figure = new_figure(7.5, 5, 120)
    axes = figure.subplots()
    front = sorted((cost, error) for agent, (error, cost) in points.items() if agent == OURS or agent in FRONT)
    if front:
        costs, errors = zip(*front, strict=True)
        axes.plot(costs, errors, "o-", color="tab:blue", label=f"{OURS}, several λ")
    names = ("qco-ta", "qco-ta-literal", *BASELINES)
    for number, agent in enumerate(name for name in names if name in points):
        error, cost_km = points[agent]
        colour = f"C{number + 1}"
        axes.plot(cost_km, error, "s", color=colour, label=agent)
        beside = _paper_point(table, agent, inference)
        if beside is not None:
            axes.plot(beside[1], beside[0], "s", color=colour, fillstyle="none")
    for agent, style in (("random-static", ":"), (HINDSIGHT, "--")):
        if agent in points:
            axes.axhline(points[agent][0], color="grey", linestyle=style, label=f"{agent} ({points[agent][1]:.2f} km)")
    axes.set_xscale("log")
    axes.set_xlabel("cost, km per participant and cycle")
    axes.set_ylabel("aggregated sensing error")
    axes.set_title(f"{scenario}, {inference.upper()}: means over the columns (hollow: the paper)", fontsize=10)
    axes.legend(fontsize=8)
    return png_of(figure)


def _paper_point(table: ResultTable, agent: str, inference: str) -> tuple[float, float] | None:
    """The paper's error and cost, means over the columns that were played."""
    columns = list(table.of_agent(agent, inference))
    error, cost = published("error"), published("cost_km")
    keys = [(agent, p, a, inference) for p, a in columns]
    if any(key not in error for key in keys):
        return None
    return sum(error[key] for key in keys) / len(keys), sum(cost[key] for key in keys) / len(keys)
