"""What the paper claims, and what we claim, held against a table of results: each in a sentence with its figures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from crowdgym.bench.published.qco_ta import PARTICIPANTS, published
from crowdgym.bench.sensing.paper import FRONT, OURS
from crowdgym.bench.sensing.table import Cell, Column, ResultTable

BASELINES = ("oo-mta", "gps-ta", "ewa-ta", "uns-ta")
PAPERS = ("qco-ta", *BASELINES)
OTHERS = (*PAPERS, "qco-ta-literal")


@dataclass(frozen=True)
class Finding:
    """A claim, what was found, and whether it holds."""

    claim: str
    found: str
    holds: bool


def findings(table: ResultTable) -> Iterator[Finding]:
    """Everything that the episodes there are suffice to judge."""
    yield from _uniform(table)
    for inference in ("knn", "idw", "svr"):
        yield from _qco(table, inference)
    for period, inference in (("all", "knn"), ("rest", "knn"), ("all", "idw"), ("all", "svr")):
        yield from _ours(table, period, inference)
    yield from _front(table)


def _uniform(table: ResultTable) -> Iterator[Finding]:
    cells = table.of_agent("uns-ta", "knn")
    paper_cost, paper_error = published("cost_km"), published("error")
    rows = {p: [cell.cost_km for (of, _), cell in cells.items() if of == p] for p in PARTICIPANTS}
    if all(rows.values()):
        off = {}
        for p, costs in rows.items():
            row = [cost for (agent, of, _, _), cost in paper_cost.items() if (agent, of) == ("uns-ta", p)]
            off[p] = np.mean(costs) / np.mean(row) - 1.0
        found = ", ".join(f"{100 * deviation:+.1f} % (P = {p})" for p, deviation in off.items())
        yield Finding(
            "UNS-TA's cost is within 6 % of the mean of the paper's row at each P",
            found,
            bool(max(map(abs, off.values())) <= 0.06),
        )
    if len(cells) == 12:
        squared = [(cell.error - paper_error["uns-ta", p, a, "knn"]) ** 2 for (p, a), cell in cells.items()]
        rmse = float(np.sqrt(np.mean(squared)))
        yield Finding("UNS-TA's error is within RMSE 0.02 of the paper's twelve (KNN)", f"{rmse:.4f}", rmse <= 0.02)


def _qco(table: ResultTable, inference: str) -> Iterator[Finding]:
    ours = table.of_agent("qco-ta", inference)
    others = [table.of_agent(agent, inference) for agent in BASELINES]
    if not ours or not all(set(ours) <= set(other) for other in others):
        return
    columns, name = len(ours), inference.upper()
    cheapest = _count(ours, lambda column, cell: all(cell.cost_km < other[column].cost_km for other in others))
    share = np.mean([cell.cost_km / min(other[column].cost_km for other in others) for column, cell in ours.items()])
    yield Finding(
        f"QCO-TA costs less than every baseline, {name}",
        f"in {cheapest} of {columns} columns; {share:.2f} of the cheapest baseline's cost on average",
        cheapest == columns,
    )
    ratio = float(np.mean([cell.error / others[0][column].error for column, cell in ours.items()]))
    yield Finding(
        f"QCO-TA's error is at most 1.05 times OO-MTA's on average, {name}", f"{ratio:.3f} times", ratio <= 1.05
    )
    smallest = _count(ours, lambda column, cell: all(cell.error < other[column].error for other in others))
    yield Finding(
        f"QCO-TA's error is below every baseline's in all columns (the paper's claim), {name}",
        f"in {smallest} of {columns}",
        smallest == columns,
    )


def _ours(table: ResultTable, period: str, inference: str) -> Iterator[Finding]:
    ours, qco = table.of_agent(OURS, inference, period), table.of_agent("qco-ta", inference, period)
    if not ours or not set(ours) <= set(qco):
        return
    columns = len(ours)
    better = _count(ours, lambda column, cell: cell.error < qco[column].error)
    cheaper = _count(ours, lambda column, cell: cell.cost_km < qco[column].cost_km)
    error = np.mean([cell.error / qco[column].error for column, cell in ours.items()])
    cost = np.mean([cell.cost_km / qco[column].cost_km for column, cell in ours.items()])
    days = "all days" if period == "all" else "the days after the first 60"
    yield Finding(
        f"{OURS} has less error than QCO-TA in 11 of 12 columns and less cost in 11, {inference.upper()}, {days}",
        f"error in {better} of {columns} ({error:.2f} times on average), cost in {cheaper} ({cost:.2f} times)",
        min(better, cheaper) * 12 >= 11 * columns,
    )


def _front(table: ResultTable) -> Iterator[Finding]:
    front = [table.of_agent(agent, "knn") for agent in (OURS, *FRONT)]
    others = {agent: table.of_agent(agent, "knn") for agent in OTHERS}
    if not all(front) or not all(others.values()):
        return
    for name, agents in (("the paper's schemes", PAPERS), ("the literal reading of QCO-TA", ("qco-ta-literal",))):
        left = {
            agent: _count(cells, lambda column, cell: not any(_dominates(points[column], cell) for points in front))
            for agent, cells in others.items()
            if agent in agents
        }
        total = sum(len(others[agent]) for agent in agents)
        missed = ", ".join(f"{agent} {number}" for agent, number in left.items() if number)
        yield Finding(
            f"The front of {len(front)} λ dominates every point of {name}, column by column, KNN",
            f"{total - sum(left.values())} of {total} points" + (f"; not dominated: {missed}" if missed else ""),
            not missed,
        )
    means = {agent: mean_point(cells) for agent, cells in others.items()}
    points = [mean_point(cells) for cells in front]
    ahead = [agent for agent, (error, cost) in means.items() if not any(e <= error and c <= cost for e, c in points)]
    yield Finding(
        "The same of the means over the columns, of all of them, KNN",
        f"{len(means) - len(ahead)} of {len(means)} schemes" + (f"; not: {', '.join(ahead)}" if ahead else ""),
        not ahead,
    )


def mean_point(cells: dict[Column, Cell]) -> tuple[float, float]:
    """Error and cost in km, means over the columns."""
    return (
        float(np.mean([cell.error for cell in cells.values()])),
        float(np.mean([cell.cost_km for cell in cells.values()])),
    )


def _dominates(one: Cell, other: Cell) -> bool:
    no_worse = one.error <= other.error and one.cost_km <= other.cost_km
    return no_worse and (one.error < other.error or one.cost_km < other.cost_km)


def _count(cells: dict[Column, Cell], holds: Callable[[Column, Cell], bool]) -> int:
    return sum(holds(column, cell) for column, cell in cells.items())
