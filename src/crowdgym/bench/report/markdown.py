"""The table of a suite for people: on the terminal, and as Markdown beside what has been published."""

from collections.abc import Sequence

from crowdgym.bench.report.statistics import Interval
from crowdgym.bench.report.table import CellResult, ResultTable
from crowdgym.configs.suites import Cell

Cells = list[list[str]]


def terminal_table(table: ResultTable) -> tuple[list[str], Cells]:
    """Headings and rows; cell by cell, so that agents are beside each other."""
    names, shown = table.suite.parameters, Shown(table)
    order = {agent: at for at, agent in enumerate(table.suite.agents)}
    cells = {repr(cell): at for at, cell in enumerate(table.suite.cells())}
    scenarios = {scenario: at for at, scenario in enumerate(table.scenarios)}
    rows = sorted(table.rows, key=lambda row: (scenarios[row.scenario], cells[repr(row.at)], order[row.agent]))
    headings = ["scenario", *names, "agent", table.suite.metric, "IQM [95 %]", "of bound", "episodes", "paper", "off"]
    return headings, [
        [
            row.scenario,
            *(str(row.at[name]) for name in names),
            row.agent,
            shown.spread(row),
            shown.interval(row.figures.interval if row.figures is not None else None),
            percent(row.share_of_bound),
            str(row.episodes),
            shown.published(row),
            signed_percent(row.deviation),
        ]
        for row in rows
    ]


def failures_of(table: ResultTable) -> list[str]:
    """A sentence for every cell in which a policy failed."""
    sentences = []
    for row in table.rows:
        if row.failures:
            seed, sentence = row.failures[0]
            of = row.episodes + len(row.failures)
            where = f"{row.agent} on {row.scenario}, {_said(row.at)}"
            sentences.append(
                f"{where}: {len(row.failures)} of {of} episodes failed; in that of seed {seed}, {sentence}"
            )
    return sentences


def markdown(table: ResultTable, name: str) -> str:
    """All tables of a suite, as Markdown."""
    suite = table.suite
    numbers = sorted({row.episodes + len(row.failures) for row in table.rows})
    episodes = " to ".join(str(number) for number in dict.fromkeys((numbers[0], numbers[-1])))
    last = suite.first_seed + suite.episodes - 1
    about = (
        f"`crowdgym bench {name}` on `{suite.environment}`: {suite.metric}, mean ± standard deviation; episodes a "
        f"cell: {episodes}, those of seeds {suite.first_seed} to {last}."
    )
    parts = [about]
    for scenario in table.scenarios:
        parts += [_sweep(table, scenario, cells) for cells in table.sweeps()]
    parts += [_summaries(table)]
    failures = failures_of(table)
    if failures:
        parts.append("### Failures\n\n" + "\n".join(f"- {sentence}" for sentence in failures))
    return "\n\n".join(part for part in parts if part) + "\n"


def percent(share: float | None) -> str:
    """``12.3 %``."""
    return "" if share is None else f"{100 * share:.1f} %"


def signed_percent(share: float | None) -> str:
    """``+12.3 %``."""
    return "" if share is None else f"{100 * share:+.1f} %"


class Shown:
    """Figures of a table as text, with the same number of places everywhere."""

    def __init__(self, table: ResultTable) -> None:
        largest = max((abs(row.figures.mean) for row in table.rows if row.figures is not None), default=0.0)
        self._places = 0 if largest >= 1000 else 2 if largest >= 10 else 4

    def spread(self, row: CellResult) -> str:
        """``mean ± sd``."""
        if row.figures is None:
            return f"{len(row.failures)} failed"
        return f"{self._number(row.figures.mean)} ± {self._number(row.figures.sd)}"

    def interval(self, interval: Interval | None) -> str:
        """``iqm [low, high]``."""
        if interval is None:
            return ""
        return f"{self._number(interval.iqm)} [{self._number(interval.low)}, {self._number(interval.high)}]"

    def published(self, row: CellResult) -> str:
        """The published ``mean ± sd``."""
        if row.published is None:
            return ""
        sd = row.published.sd
        return self._number(row.published.mean) + ("" if sd is None else f" ± {self._number(sd)}")

    def _number(self, number: float) -> str:
        return f"{number:,.{self._places}f}"


def varying(cells: Sequence[Cell]) -> list[str]:
    """The parameters that have several values in a sweep; the first parameter if none has."""
    names = [name for name in cells[0] if len({repr(cell[name]) for cell in cells}) > 1]
    return names or list(cells[0])[:1]


def title_of(scenario: str, cells: Sequence[Cell]) -> str:
    """What a sweep is about."""
    names = varying(cells)
    fixed = {name: value for name, value in cells[0].items() if name not in names}
    return f"{scenario} by {', '.join(names)}" + (f" ({_said(fixed)})" if fixed else "")


def _sweep(table: ResultTable, scenario: str, cells: Sequence[Cell]) -> str:
    """A row for each cell, and for each agent a column, beside it what is published of it."""
    shown, names = Shown(table), varying(cells)
    headings, columns = list(names), [[str(cell[name]) for cell in cells] for name in names]
    for agent in table.agents(scenario):
        found = [table.find(scenario, agent, cell) for cell in cells]
        headings.append(f"`{agent}`")
        columns.append(["" if row is None else shown.spread(row) for row in found])
        if any(row is not None and row.published is not None for row in found):
            headings += ["paper", "off"]
            columns.append(["" if row is None else shown.published(row) for row in found])
            columns.append(["" if row is None else signed_percent(row.deviation) for row in found])
    rows = [list(row) for row in zip(*columns, strict=True)]
    return f"### {title_of(scenario, cells)}\n\n{_markdown_table(headings, rows)}"


def _summaries(table: ResultTable) -> str:
    rows = []
    for of in table.summaries():
        deviations = [abs(deviation) for deviation in of.deviations]
        share = of.share
        rows.append(
            [
                of.scenario,
                f"`{of.agent}`",
                "" if share is None else f"{percent(share.iqm)} [{percent(share.low)}, {percent(share.high)}]",
                str(len(deviations) or ""),
                percent(sum(deviations) / len(deviations)) if deviations else "",
                percent(max(deviations)) if deviations else "",
            ]
        )
    headings = ["scenario", "agent", "share of the bound, IQM [95 %]", "points of the paper", "off, mean", "off, most"]
    wanted = [at for at in range(len(headings)) if at < 2 or any(row[at] for row in rows)]
    if len(wanted) == 2:
        return ""
    picked = [[row[at] for at in wanted] for row in rows]
    return "### All cells\n\n" + _markdown_table([headings[at] for at in wanted], picked)


def _markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _said(cell: Cell) -> str:
    return ", ".join(f"{name} = {value}" for name, value in cell.items())
