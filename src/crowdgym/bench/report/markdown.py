"""The results of a suite for people: tables for the terminal, and Markdown with the published figures beside ours."""

from collections.abc import Callable, Sequence

from crowdgym.bench.benchmark import Table
from crowdgym.bench.report.statistics import Interval
from crowdgym.bench.report.table import ResultRow, ResultTable
from crowdgym.configs.suites import GridPoint


def terminal_tables(table: ResultTable, name: str) -> list[Table]:
    """A table for each metric, ordered by grid point, so that the rows of all agents at a point are adjacent."""
    return [_terminal_table(table, name, metric) for metric in table.suite.metrics]


def _terminal_table(table: ResultTable, name: str, metric: str) -> Table:
    names, shown = table.suite.parameters, Shown(table, metric)
    agents = {agent: at for at, agent in enumerate(table.suite.agent_names)}
    points = {repr(point): at for at, point in enumerate(table.suite.points())}
    scenarios = {scenario: at for at, scenario in enumerate(table.scenarios)}
    rows = sorted(
        (row for row in table.rows if row.metric == metric),
        key=lambda row: (scenarios[row.scenario], points[repr(row.at)], agents[row.agent]),
    )
    figures = [metric, "IQM [95 %]", "of bound", "episodes", "paper", "off"]
    headings = ["scenario", *names, "agent", "information", *figures]
    texts = [
        [
            row.scenario,
            *(str(row.at[name]) for name in names),
            row.agent,
            row.information,
            shown.spread(row),
            shown.interval(row.figures.interval if row.figures is not None else None),
            percent(row.share_of_bound),
            str(row.episodes),
            shown.published(row),
            signed_percent(row.deviation),
        ]
        for row in rows
    ]
    return Table(name if len(table.suite.metrics) == 1 else f"{name}: {metric}", headings, texts)


def failures_of(table: ResultTable) -> list[str]:
    """A sentence for every agent and grid point at which the policy failed."""
    sentences = []
    for row in table.rows:
        if row.failures and row.metric == table.suite.metrics[0]:
            seed, sentence = row.failures[0]
            of = row.episodes + len(row.failures)
            where = f"{row.agent} on {row.scenario}, {_listed(row.at)}"
            sentences.append(
                f"{where}: {len(row.failures)} of {of} episodes failed; the one of seed {seed}: {sentence}"
            )
    return sentences


def markdown(table: ResultTable, name: str) -> str:
    """All tables of a suite, as Markdown."""
    suite = table.suite
    numbers = sorted({row.episodes + len(row.failures) for row in table.rows})
    episodes = " to ".join(str(number) for number in dict.fromkeys((numbers[0], numbers[-1])))
    last = suite.first_seed + suite.episodes - 1
    parts = [
        f"`crowdgym bench {name}` on `{suite.environment}`: mean ± standard deviation; episodes at each grid point: "
        f"{episodes}, those of seeds {suite.first_seed} to {last}.",
        _information(table),
    ]
    for metric in suite.metrics:
        for scenario in table.scenarios:
            parts += [_sweep(table, scenario, metric, points) for points in table.sweeps()]
            parts += [_shares(table, scenario, metric, points) for points in table.sweeps()]
            parts += [_differences(table, scenario, metric, points) for points in table.sweeps()]
        parts.append(_summaries(table, metric))
    failures = failures_of(table)
    if failures:
        parts.append("### Failures\n\n" + "\n".join(f"- {sentence}" for sentence in failures))
    return "\n\n".join(part for part in parts if part) + "\n"


def _information(table: ResultTable) -> str:
    """What the agents were given, and where they played."""
    given: dict[str, list[str]] = {}
    for agent, information in dict.fromkeys((row.agent, row.information) for row in table.rows if row.information):
        given.setdefault(information, []).append(f"`{agent}`")
    listed = "; ".join(f"{information}: {', '.join(agents)}" for information, agents in given.items())
    return f"Information: {listed}." if listed else ""


def percent(share: float | None) -> str:
    """``12.3 %``."""
    return "" if share is None else f"{100 * share:.1f} %"


def signed_percent(share: float | None) -> str:
    """``+12.3 %``."""
    return "" if share is None else f"{100 * share:+.1f} %"


class Shown:
    """The figures of a metric as text, all with the same number of decimal places."""

    def __init__(self, table: ResultTable, metric: str) -> None:
        means = (row.figures.mean for row in table.rows if row.metric == metric and row.figures is not None)
        largest = max(map(abs, means), default=0.0)
        self._places = 0 if largest >= 1000 else 2 if largest >= 10 else 4

    def spread(self, row: ResultRow) -> str:
        """``mean ± sd``."""
        if row.figures is None:
            return f"{len(row.failures)} failed"
        return f"{self._number(row.figures.mean)} ± {self._number(row.figures.sd)}"

    def interval(self, interval: Interval | None) -> str:
        """``iqm [low, high]``."""
        if interval is None:
            return ""
        return f"{self._number(interval.value)} [{self._number(interval.low)}, {self._number(interval.high)}]"

    def published(self, row: ResultRow) -> str:
        """The published ``mean ± sd``."""
        if row.published is None:
            return ""
        sd = row.published.sd
        return self._number(row.published.mean) + ("" if sd is None else f" ± {self._number(sd)}")

    def _number(self, number: float) -> str:
        return f"{number:,.{self._places}f}"


def varying(points: Sequence[GridPoint]) -> list[str]:
    """The parameters that have several values in a sweep; the first parameter if none has."""
    names = [name for name in points[0] if len({repr(point[name]) for point in points}) > 1]
    return names or list(points[0])[:1]


def title_of(scenario: str, points: Sequence[GridPoint]) -> str:
    """The title of a sweep."""
    names = varying(points)
    fixed = {name: value for name, value in points[0].items() if name not in names}
    return f"{scenario} by {', '.join(names)}" + (f" ({_listed(fixed)})" if fixed else "")


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown; all columns but the first are aligned to the right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(texts) + " |" for texts in lines)


def _sweep(table: ResultTable, scenario: str, metric: str, points: Sequence[GridPoint]) -> str:
    """A line for each grid point, and a column for each agent, with the published figure beside it."""
    shown, names = Shown(table, metric), varying(points)
    headings, columns = list(names), [[str(point[name]) for point in points] for name in names]
    for agent in table.agents(scenario):
        found = [table.find(scenario, agent, metric, point) for point in points]
        headings.append(f"`{agent}`")
        columns.append(_texts(found, shown.spread))
        if any(row is not None and row.published is not None for row in found):
            headings += ["paper", "off"]
            columns.append(_texts(found, shown.published))
            columns.append(_texts(found, lambda row: signed_percent(row.deviation)))
    rows = [list(row) for row in zip(*columns, strict=True)]
    return f"### {metric}, {title_of(scenario, points)}\n\n{markdown_table(headings, rows)}"


def difference_text(interval: Interval | None) -> str:
    """``+1.2 % [-0.3, +2.7]``."""
    if interval is None:
        return ""
    return f"{signed_percent(interval.value)} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"


def _differences(table: ResultTable, scenario: str, metric: str, points: Sequence[GridPoint]) -> str:
    """The same table for the differences to one agent on the same instances; empty if the suite names none."""
    names, other = varying(points), table.suite.compared_with
    agents = [agent for agent in table.agents(scenario) if agent != other]
    columns = [[str(point[name]) for point in points] for name in names]
    for agent in agents:
        found = [table.find(scenario, agent, metric, point) for point in points]
        columns.append([difference_text(table.difference([row])) for row in found])
    rows = [list(row) for row in zip(*columns, strict=True)]
    if not any(any(row[len(names) :]) for row in rows):
        return ""
    title = f"### {metric}, difference to `{other}` on the same instances [95 %], {title_of(scenario, points)}"
    return f"{title}\n\n{markdown_table([*names, *(f'`{agent}`' for agent in agents)], rows)}"


def _shares(table: ResultTable, scenario: str, metric: str, points: Sequence[GridPoint]) -> str:
    """The same table for the shares of the bound; empty if there are no bounds."""
    names, agents = varying(points), table.agents(scenario)
    found = [[table.find(scenario, agent, metric, point) for point in points] for agent in agents]
    columns = [[str(point[name]) for point in points] for name in names]
    columns += [_texts(of_agent, _share) for of_agent in found]
    rows = [list(row) for row in zip(*columns, strict=True)]
    if not any(any(row[len(names) :]) for row in rows):
        return ""
    title = f"### {metric} as a share of the bound, {title_of(scenario, points)}"
    return f"{title}\n\n{markdown_table([*names, *(f'`{agent}`' for agent in agents)], rows)}"


def _share(row: ResultRow) -> str:
    """``mean ± sd``, in percent."""
    if row.figures is None or row.figures.shares is None:
        return ""
    return f"{100 * row.figures.shares.mean():.1f} ± {100 * row.figures.shares.std():.1f} %"


def _texts(rows: Sequence[ResultRow | None], text: Callable[[ResultRow], str]) -> list[str]:
    return ["" if row is None else text(row) for row in rows]


def _summaries(table: ResultTable, metric: str) -> str:
    rows = []
    for of in table.summaries(metric):
        deviations = [abs(deviation) for deviation in of.deviations]
        share = of.share
        rows.append(
            [
                of.scenario,
                f"`{of.agent}`",
                "" if share is None else f"{percent(share.value)} [{percent(share.low)}, {percent(share.high)}]",
                str(len(deviations) or ""),
                percent(sum(deviations) / len(deviations)) if deviations else "",
                percent(max(deviations)) if deviations else "",
                "" if of.agent == table.suite.compared_with else difference_text(of.difference),
            ]
        )
    headings = ["scenario", "agent", "share of the bound, IQM [95 %]", "points of the paper", "off, mean", "off, most"]
    headings.append(f"difference to `{table.suite.compared_with}` [95 %]")
    wanted = [at for at in range(len(headings)) if at < 2 or any(row[at] for row in rows)]
    if len(wanted) == 2:
        return ""
    picked = [[row[at] for at in wanted] for row in rows]
    return f"### {metric}, all grid points\n\n" + markdown_table([headings[at] for at in wanted], picked)


def _listed(point: GridPoint) -> str:
    return ", ".join(f"{name} = {value}" for name, value in point.items())
