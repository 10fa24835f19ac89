"""Episodes of a grid as a table: a row for each scenario, agent and cell, beside what has been published."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crowdgym.bench.published.points import published_points
from crowdgym.bench.report.statistics import Interval, Scores, interquartile_mean, interquartile_means
from crowdgym.bench.run_folder import Row
from crowdgym.configs.suites import Cell, PublishedPoint, SuiteSettings, key_of

FIGURES = ("mean", "sd", "iqm", "iqm_low", "iqm_high", "share_of_bound", "episodes", "paper")


@dataclass(frozen=True)
class Figures:
    """What an agent's episodes in a cell came to.

    Attributes:
        mean: of the metric.
        sd: standard deviation over the episodes (their number is divided by, as in ``crowdgym run``).
        interval: interquartile mean, and where it may lie.
        shares: of the bound, episode by episode. Shape [episodes]; None if bounds are not known.
    """

    mean: float
    sd: float
    interval: Interval
    shares: Scores | None


@dataclass(frozen=True)
class CellResult:
    """A row of the table.

    Attributes:
        scenario: that was played.
        agent: who played.
        at: the cell.
        episodes: how many were finished.
        failures: seed and sentence of those that were not.
        figures: None if any failed: a mean over the rest would be over other instances than the other agents' means.
        published: what somebody else's figure is, if there is one.
    """

    scenario: str
    agent: str
    at: Cell
    episodes: int
    failures: tuple[tuple[int, str], ...]
    figures: Figures | None
    published: PublishedPoint | None

    @property
    def deviation(self) -> float | None:
        """Of the mean from the published one, as a share of that."""
        if self.figures is None or self.published is None or self.published.mean == 0:
            return None
        return self.figures.mean / self.published.mean - 1.0

    @property
    def share_of_bound(self) -> float | None:
        """Mean over the episodes."""
        if self.figures is None or self.figures.shares is None:
            return None
        return float(self.figures.shares.mean())


@dataclass(frozen=True)
class Summary:
    """What an agent came to in all cells of a scenario.

    Attributes:
        scenario: that was played.
        agent: who played.
        share: interquartile mean of the share of the bound over all episodes, drawn anew cell by cell for its interval.
        deviations: from the published means, at all points of all sweeps: a cell of two sweeps counts twice.
    """

    scenario: str
    agent: str
    share: Interval | None
    deviations: tuple[float, ...]


@dataclass(frozen=True)
class ResultTable:
    """All rows, by scenario, then agent, then cell."""

    suite: SuiteSettings
    rows: tuple[CellResult, ...]

    @classmethod
    def of(cls, suite: SuiteSettings, episodes: Sequence[Row], bounds: Sequence[Row]) -> "ResultTable":
        """Work everything out.

        Args:
            suite: whose episodes they are.
            episodes: the lines of ``episodes.jsonl``.
            bounds: the lines of ``bounds.jsonl``.
        """
        names = suite.parameters
        bound = {_instance(row, names): float(row["bound"]) for row in bounds}
        published = {(p.scenario, p.agent, key_of(p.at)): p for p in published_points(suite)}
        grouped: dict[tuple[str, str], dict[str, list[Row]]] = {}
        for row in episodes:
            cells = grouped.setdefault((row["scenario"], row["agent"]), {})
            cells.setdefault(repr([row[name] for name in names]), []).append(row)
        rows: list[CellResult] = []
        for scenario, agent in sorted(
            grouped, key=lambda of: (suite.scenarios.index(of[0]), suite.agents.index(of[1]))
        ):
            played = list(grouped[scenario, agent].values())
            for of_cell, interval in zip(played, _intervals(played, suite.metric), strict=True):
                at = {name: of_cell[0][name] for name in names}
                point = published.get((scenario, agent, key_of(at)))
                figures = None if interval is None else _figures(of_cell, suite, bound, interval)
                rows.append(CellResult(scenario, agent, at, *_counted(of_cell), figures, point))
        return cls(suite, tuple(rows))

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Those that were played."""
        return tuple(dict.fromkeys(row.scenario for row in self.rows))

    def agents(self, scenario: str) -> tuple[str, ...]:
        """Who played a scenario."""
        return tuple(dict.fromkeys(row.agent for row in self.rows if row.scenario == scenario))

    def find(self, scenario: str, agent: str, cell: Cell) -> CellResult | None:
        """A row, if there is one."""
        key = key_of(cell)
        found = (r for r in self.rows if (r.scenario, r.agent) == (scenario, agent) and key_of(r.at) == key)
        return next(found, None)

    def sweeps(self) -> list[list[Cell]]:
        """The cells of every sweep of the grid that were played."""
        played = {key_of(row.at) for row in self.rows}
        sweeps = ([cell for cell in self.suite.cells_of(sweep) if key_of(cell) in played] for sweep in self.suite.grid)
        return [cells for cells in sweeps if cells]

    def summaries(self) -> list[Summary]:
        """One for each scenario and agent."""
        return [self._summary(scenario, agent) for scenario in self.scenarios for agent in self.agents(scenario)]

    def to_csv(self) -> str:
        """A line for each row."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = self.suite.parameters
        writer.writerow(["scenario", "agent", *names, *FIGURES])
        for row in self.rows:
            writer.writerow([row.scenario, row.agent, *(row.at[name] for name in names), *_csv_figures(row)])
        return text.getvalue()

    def _summary(self, scenario: str, agent: str) -> Summary:
        rows = [row for row in self.rows if (row.scenario, row.agent) == (scenario, agent)]
        shares = [row.figures.shares for row in rows if row.figures is not None and row.figures.shares is not None]
        whole = len(shares) == len(rows) and len({len(of) for of in shares}) == 1
        points = [self.find(scenario, agent, cell) for cells in self.sweeps() for cell in cells]
        deviations = [point.deviation for point in points if point is not None]
        share = interquartile_mean(np.stack(shares, axis=1)) if whole else None
        return Summary(scenario, agent, share, tuple(of for of in deviations if of is not None))


def _intervals(cells: Sequence[Sequence[Row]], metric: str) -> list[Interval | None]:
    """The interquartile mean of each cell; None where a policy failed. Cells of as many episodes go together."""
    intervals: list[Interval | None] = [None] * len(cells)
    together: dict[int, list[int]] = {}
    for number, rows in enumerate(cells):
        if all(row["failure"] is None for row in rows):
            together.setdefault(len(rows), []).append(number)
    for numbers in together.values():
        scores = np.stack([_scores(cells[number], metric) for number in numbers], axis=1)  # [episodes, cells]
        for number, interval in zip(numbers, interquartile_means(scores), strict=True):
            intervals[number] = interval
    return intervals


def _figures(rows: Sequence[Row], suite: SuiteSettings, bound: Mapping[str, float], interval: Interval) -> Figures:
    scores = _scores(rows, suite.metric)
    bounds = np.array([bound.get(_instance(row, suite.parameters), 0.0) for row in rows])
    shares = scores / bounds if (bounds > 0).all() else None
    return Figures(float(scores.mean()), float(scores.std()), interval, shares)


def _counted(rows: Sequence[Row]) -> tuple[int, tuple[tuple[int, str], ...]]:
    """How many episodes were finished, and what became of the others."""
    failures = tuple((row["seed"], row["failure"]) for row in rows if row["failure"] is not None)
    return len(rows) - len(failures), failures


def _scores(rows: Sequence[Row], metric: str) -> Scores:
    return np.array([float(row[metric]) for row in rows])


def _instance(row: Row, names: Sequence[str]) -> str:
    """What two episodes have in common if and only if they are of the same instance."""
    return repr([row["scenario"], row["seed"], *(row[name] for name in names)])


def _csv_figures(row: CellResult) -> list[str]:
    of = row.figures
    figures = [None] * 5 if of is None else [of.mean, of.sd, of.interval.iqm, of.interval.low, of.interval.high]
    paper = row.published.mean if row.published is not None else None
    numbers = ["" if number is None else f"{number:.6f}" for number in (*figures, row.share_of_bound, paper)]
    return [*numbers[:6], str(row.episodes), numbers[6]]
