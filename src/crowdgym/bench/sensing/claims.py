"""The claims of the paper and our own, each checked against the results on the paper's series, with its figures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crowdgym.bench.published.qco_ta import INFERENCES, PARTICIPANTS, published
from crowdgym.bench.sensing.schemes import (
    BASELINES,
    FROM_DAY_1,
    FROM_DAY_61,
    OURS,
    PAPERS,
    Column,
    Means,
    SchemeTable,
    mean_point,
)

OTHERS = (*PAPERS, "qco-ta-literal")
_ALL_COLUMNS, _MOST_COLUMNS = 36, 33


@dataclass(frozen=True)
class Finding:
    """A claim, the figures that were measured, and whether it holds."""

    claim: str
    found: str
    holds: bool


def findings(table: SchemeTable) -> Iterator[Finding]:
    """All claims that the episodes suffice to check."""
    yield from _uniform(table)
    for inference in INFERENCES:
        yield from _qco(table, inference)
    for start_s in (FROM_DAY_1, FROM_DAY_61):
        for inference in INFERENCES:
            yield from _ours(table, start_s, inference)
        yield from _ours_everywhere(table, start_s)
    for inference in INFERENCES:
        yield from _front(table, inference)
    yield from _front_everywhere(table)


def _uniform(table: SchemeTable) -> Iterator[Finding]:
    results = table.of_agent("uns-ta", "knn")
    paper_cost, paper_error = published("cost_km"), published("error")
    rows = {p: [means.cost_km for (of, _), means in results.items() if of == p] for p in PARTICIPANTS}
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
    if len(results) == 12:
        squared = [(means.error - paper_error["uns-ta", p, a, "knn"]) ** 2 for (p, a), means in results.items()]
        rmse = float(np.sqrt(np.mean(squared)))
        yield Finding("UNS-TA's error is within RMSE 0.02 of the paper's twelve (KNN)", f"{rmse:.4f}", rmse <= 0.02)


def _qco(table: SchemeTable, inference: str) -> Iterator[Finding]:
    ours = table.of_agent("qco-ta", inference)
    others = [table.of_agent(agent, inference) for agent in BASELINES]
    if not ours or not all(set(ours) <= set(other) for other in others):
        return
    columns, name = len(ours), inference.upper()
    cheapest = _count(ours, lambda column, means: all(means.cost_km < other[column].cost_km for other in others))
    share = np.mean([means.cost_km / min(other[column].cost_km for other in others) for column, means in ours.items()])
    yield Finding(
        f"QCO-TA costs less than every baseline, {name}",
        f"in {cheapest} of {columns} columns; {share:.2f} of the cheapest baseline's cost on average",
        cheapest == columns,
    )
    ratio = float(np.mean([means.error / others[0][column].error for column, means in ours.items()]))
    yield Finding(
        f"QCO-TA's error is at most 1.05 times OO-MTA's on average, {name}", f"{ratio:.3f} times", ratio <= 1.05
    )
    smallest = _count(ours, lambda column, means: all(means.error < other[column].error for other in others))
    yield Finding(
        f"QCO-TA's error is below every baseline's in all columns (the paper's claim), {name}",
        f"in {smallest} of {columns}",
        smallest == columns,
    )


def _ours(table: SchemeTable, start_s: float, inference: str) -> Iterator[Finding]:
    ours, qco = table.of_agent(OURS, inference, start_s), table.of_agent("qco-ta", inference, start_s)
    if not ours or not set(ours) <= set(qco):
        return
    columns = len(ours)
    better = _count(ours, lambda column, means: means.error < qco[column].error)
    cheaper = _count(ours, lambda column, means: means.cost_km < qco[column].cost_km)
    error = np.mean([means.error / qco[column].error for column, means in ours.items()])
    cost = np.mean([means.cost_km / qco[column].cost_km for column, means in ours.items()])
    yield Finding(
        f"{OURS} has less error than QCO-TA in 11 of 12 columns and less cost in 11, {inference.upper()}, "
        f"{_days(start_s)}",
        f"error in {better} of {columns} ({error:.2f} times on average), cost in {cheaper} ({cost:.2f} times)",
        min(better, cheaper) * 12 >= 11 * columns,
    )


def _ours_everywhere(table: SchemeTable, start_s: float) -> Iterator[Finding]:
    pairs = []
    for inference in INFERENCES:
        qco = table.of_agent("qco-ta", inference, start_s)
        ours = table.of_agent(OURS, inference, start_s)
        pairs += [(means, qco[column]) for column, means in ours.items() if column in qco]
    if len(pairs) == _ALL_COLUMNS:
        better = sum(one.error < other.error for one, other in pairs)
        cheaper = sum(one.cost_km < other.cost_km for one, other in pairs)
        both = sum(one.error < other.error and one.cost_km < other.cost_km for one, other in pairs)
        yield Finding(
            f"{OURS} has less error and less cost than QCO-TA in 33 of all 36 columns, {_days(start_s)}",
            f"error in {better}, cost in {cheaper}, both in {both}",
            both >= _MOST_COLUMNS,
        )


def _front(table: SchemeTable, inference: str) -> Iterator[Finding]:
    front = [table.of_agent(agent, inference) for agent in table.front(inference)]
    if len(front) < 2:
        return
    columns = set.intersection(*map(set, front))  # that all of the front has played
    played = {agent: table.of_agent(agent, inference) for agent in OTHERS}
    others = {agent: {at: means for at, means in of.items() if at in columns} for agent, of in played.items()}
    if not all(others.values()):
        return
    for name, agents in (("the paper's schemes", PAPERS), ("the literal reading of QCO-TA", ("qco-ta-literal",))):
        left = {
            agent: _count(results, lambda column, means: not _is_behind(front, column, means))
            for agent, results in others.items()
            if agent in agents
        }
        total = sum(len(others[agent]) for agent in agents)
        missed = ", ".join(f"{agent} {number}" for agent, number in left.items() if number)
        yield Finding(
            f"The front of {len(front)} λ dominates every point of {name}, column by column, {inference.upper()}",
            f"{total - sum(left.values())} of {total} points" + (f"; not dominated: {missed}" if missed else ""),
            not missed,
        )
    averages = {agent: mean_point(results) for agent, results in others.items()}
    points = [mean_point({at: results[at] for at in columns}) for results in front]
    ahead = [agent for agent, (error, cost) in averages.items() if not any(e <= error and c <= cost for e, c in points)]
    yield Finding(
        f"The same of the means over the columns, of all of them, {inference.upper()}",
        f"{len(averages) - len(ahead)} of {len(averages)} schemes" + (f"; not: {', '.join(ahead)}" if ahead else ""),
        not ahead,
    )


def _front_everywhere(table: SchemeTable) -> Iterator[Finding]:
    played = dominated = 0
    for inference in INFERENCES:
        front = [table.of_agent(agent, inference) for agent in table.front(inference)]
        others = [table.of_agent(agent, inference) for agent in OTHERS]
        for column in front[0] if len(front) > 1 else ():
            if all(column in results for results in (*front, *others)):
                played += 1
                dominated += all(_is_behind(front, column, results[column]) for results in others)
    if played == _ALL_COLUMNS:
        yield Finding(
            "The front dominates every point of the paper's schemes and of the literal reading in 33 of all 36 columns",
            f"in {dominated} of {played}",
            dominated >= _MOST_COLUMNS,
        )


def _days(start_s: float) -> str:
    return "all days" if start_s == FROM_DAY_1 else "the days after the first 60"


def _is_behind(front: Sequence[dict[Column, Means]], column: Column, means: Means) -> bool:
    return any(_dominates(points[column], means) for points in front)


def _dominates(one: Means, other: Means) -> bool:
    no_worse = one.error <= other.error and one.cost_km <= other.cost_km
    return no_worse and (one.error < other.error or one.cost_km < other.cost_km)


def _count(results: dict[Column, Means], holds: Callable[[Column, Means], bool]) -> int:
    return sum(holds(column, means) for column, means in results.items())
