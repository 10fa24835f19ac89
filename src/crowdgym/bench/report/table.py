"""The results of a suite: a row for each scenario, agent, grid point and metric, beside the published figure."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crowdgym.bench.published.figures import published_figures
from crowdgym.bench.report.statistics import (
    Interval,
    Scores,
    interquartile_mean,
    interquartile_means,
    mean_difference,
)
from crowdgym.bench.run_folder import Row
from crowdgym.configs.suites import GridPoint, PublishedFigure, SuiteSettings, key_of
from crowdgym.registration import environment_spec

FIGURES = ("mean", "sd", "iqm", "iqm_low", "iqm_high", "share_of_bound", "episodes", "paper")


@dataclass(frozen=True)
class Figures:
    """Statistics of a metric over the episodes of an agent at a grid point.

    Attributes:
        mean: of the metric.
        sd: standard deviation, divided by the number of episodes, as ``crowdgym run`` does.
        interval: interquartile mean with its confidence interval.
        shares: of the bound, for each episode. Shape [episodes]; None if there are no bounds.
        by_seed: the metric of each episode by its seed.
    """

    mean: float
    sd: float
    interval: Interval
    shares: Scores | None
    by_seed: Mapping[int, float]


@dataclass(frozen=True)
class ResultRow:
    """A row of the results.

    Attributes:
        scenario: the scenario that was played.
        agent: name of the agent in the suite.
        at: the grid point.
        metric: a metric of the suite.
        episodes: the number of finished episodes.
        failures: seed and sentence of the episodes that failed.
        figures: the statistics; None if any episode failed: the mean of the rest would be over other instances than the
            means of the other agents.
        published: the published figure, if there is one.
        information: what the agent was given and where it played, such as "centralised (isolated)"; empty if no episode
            was finished.
    """

    scenario: str
    agent: str
    at: GridPoint
    metric: str
    episodes: int
    failures: tuple[tuple[int, str], ...]
    figures: Figures | None
    published: PublishedFigure | None
    information: str

    @property
    def deviation(self) -> float | None:
        """The relative deviation of the mean from the published one."""
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
    """A metric of an agent over all grid points of a scenario.

    Attributes:
        scenario: the scenario that was played.
        agent: name of the agent in the suite.
        metric: a metric of the suite.
        share: interquartile mean of the share of the bound over all episodes; its interval resamples the episodes of
            each grid point separately.
        deviations: from the published means, at all grid points of all sweeps: a point of two sweeps counts twice.
        difference: see `ResultTable.difference`, over all grid points; None if an agent has not played all of them.
    """

    scenario: str
    agent: str
    metric: str
    share: Interval | None
    deviations: tuple[float, ...]
    difference: Interval | None


@dataclass(frozen=True)
class ResultTable:
    """All rows, by metric, then scenario, agent and grid point.

    Attributes:
        suite: the suite, as it was played.
        rows: see above.
        trained: the rows of the runs that the suite has trained; see `crowdgym.bench.training.train`.
    """

    suite: SuiteSettings
    rows: tuple[ResultRow, ...]
    trained: tuple[Row, ...] = ()

    @classmethod
    def of(
        cls, suite: SuiteSettings, episodes: Sequence[Row], bounds: Sequence[Row], trained: Sequence[Row] = ()
    ) -> "ResultTable":
        """Compute all figures.

        Args:
            suite: the suite of the episodes.
            episodes: the lines of ``episodes.jsonl``.
            bounds: the lines of ``bounds.jsonl``.
            trained: the lines of ``trained.jsonl``.
        """
        names = suite.parameters
        bound = {_instance(row, names): float(row["bound"]) for row in bounds}
        bounded = environment_spec(suite.environment).bound
        figures = published_figures(suite)
        published = {(p.scenario, p.agent, p.metric or suite.metrics[0], key_of(p.at)): p for p in figures}
        grouped = _grouped(suite, episodes)
        rows: list[ResultRow] = []
        for metric in suite.metrics:
            for (scenario, agent), played in grouped.items():
                for of_point, interval in zip(played, _intervals(played, metric), strict=True):
                    at = {name: of_point[0][name] for name in names}
                    point = published.get((scenario, agent, metric, key_of(at)))
                    of_metric = bound if bounded is not None and bounded.metric == metric else {}
                    found = None if interval is None else _figures(of_point, metric, names, of_metric, interval)
                    given = _information(of_point)
                    rows.append(ResultRow(scenario, agent, at, metric, *_counted(of_point), found, point, given))
        return cls(suite, tuple(rows), tuple(trained))

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios that were played."""
        return tuple(dict.fromkeys(row.scenario for row in self.rows))

    def agents(self, scenario: str) -> tuple[str, ...]:
        """The agents that played a scenario."""
        return tuple(dict.fromkeys(row.agent for row in self.rows if row.scenario == scenario))

    def find(self, scenario: str, agent: str, metric: str, point: GridPoint) -> ResultRow | None:
        """A row, if there is one."""
        return self._by_key.get((scenario, agent, metric, key_of(point)))

    def difference(self, rows: Sequence[ResultRow | None]) -> Interval | None:
        """The mean difference of an agent to the agent that the suite compares with, on the same instances.

        Args:
            rows: of one scenario, agent and metric; each grid point is a stratum.

        Returns:
            The difference as a share of the other agent's mean; None if there is no such agent, or if the two have not
            finished the same episodes of all rows.
        """
        other = self.suite.compared_with
        pairs = [
            (row.figures, self._figures_of(row.scenario, other, row.metric, row.at))
            for row in rows
            if row is not None and other is not None
        ]
        scores = [(of.by_seed, others.by_seed) for of, others in pairs if of is not None and others is not None]
        seeds = [sorted(ours) for ours, theirs in scores if ours.keys() == theirs.keys()]
        if not rows or len(seeds) < len(rows) or len({len(of) for of in seeds}) > 1:
            return None
        ours, theirs = (
            np.array([[pair[side][seed] for seed in of] for pair, of in zip(scores, seeds, strict=True)]).T
            for side in (0, 1)
        )
        return mean_difference(ours, theirs) if theirs.mean() != 0 else None

    def sweeps(self) -> list[list[GridPoint]]:
        """The played points of each sweep of the grid."""
        played = {key_of(row.at) for row in self.rows}
        sweeps = ([at for at in self.suite.points_of(sweep) if key_of(at) in played] for sweep in self.suite.grid)
        return [points for points in sweeps if points]

    def summaries(self, metric: str) -> list[Summary]:
        """One for each scenario and agent."""
        return [
            self._summary(scenario, agent, metric) for scenario in self.scenarios for agent in self.agents(scenario)
        ]

    def to_csv(self) -> str:
        """A line for each row."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = self.suite.parameters
        writer.writerow(["scenario", "agent", *names, "metric", *FIGURES, "information"])
        for row in self.rows:
            point = (row.at[name] for name in names)
            writer.writerow([row.scenario, row.agent, *point, row.metric, *_csv_figures(row), row.information])
        return text.getvalue()

    @cached_property
    def _by_key(self) -> dict[tuple[object, ...], ResultRow]:
        return {(row.scenario, row.agent, row.metric, key_of(row.at)): row for row in self.rows}

    def _figures_of(self, scenario: str, agent: str, metric: str, point: GridPoint) -> Figures | None:
        row = self.find(scenario, agent, metric, point)
        return None if row is None else row.figures

    def _summary(self, scenario: str, agent: str, metric: str) -> Summary:
        rows = [row for row in self.rows if (row.scenario, row.agent, row.metric) == (scenario, agent, metric)]
        shares = [row.figures.shares for row in rows if row.figures is not None and row.figures.shares is not None]
        complete = bool(rows) and len(shares) == len(rows) and len({len(of) for of in shares}) == 1
        points = [self.find(scenario, agent, metric, at) for points in self.sweeps() for at in points]
        deviations = [point.deviation for point in points if point is not None]
        share = interquartile_mean(np.stack(shares, axis=1)) if complete else None
        deviated = tuple(of for of in deviations if of is not None)
        return Summary(scenario, agent, metric, share, deviated, self.difference(rows))


def _grouped(suite: SuiteSettings, episodes: Sequence[Row]) -> dict[tuple[str, str], list[list[Row]]]:
    """The episodes of each grid point, by scenario and agent in the order of the suite."""
    grouped: dict[tuple[str, str], dict[str, list[Row]]] = {}
    for row in episodes:
        points = grouped.setdefault((row["scenario"], row["agent"]), {})
        points.setdefault(repr([row[name] for name in suite.parameters]), []).append(row)
    order = sorted(grouped, key=lambda of: (suite.scenarios.index(of[0]), suite.agent_names.index(of[1])))
    return {of: list(grouped[of].values()) for of in order}


def _intervals(points: Sequence[Sequence[Row]], metric: str) -> list[Interval | None]:
    """The interquartile mean at each grid point; None where an episode failed. One bootstrap for each episode count."""
    intervals: list[Interval | None] = [None] * len(points)
    together: dict[int, list[int]] = {}
    for number, rows in enumerate(points):
        if all(row["failure"] is None for row in rows):
            together.setdefault(len(rows), []).append(number)
    for numbers in together.values():
        scores = np.stack([_scores(points[number], metric) for number in numbers], axis=1)  # [episodes, points]
        for number, interval in zip(numbers, interquartile_means(scores), strict=True):
            intervals[number] = interval
    return intervals


def _figures(
    rows: Sequence[Row], metric: str, names: Sequence[str], bound: Mapping[str, float], interval: Interval
) -> Figures:
    scores = _scores(rows, metric)
    bounds = np.array([bound.get(_instance(row, names), 0.0) for row in rows])
    shares = scores / bounds if (bounds > 0).all() else None
    by_seed = {int(row["seed"]): float(score) for row, score in zip(rows, scores, strict=True)}
    return Figures(float(scores.mean()), float(scores.std()), interval, shares, by_seed)


def _counted(rows: Sequence[Row]) -> tuple[int, tuple[tuple[int, str], ...]]:
    """The number of finished episodes, and the failures of the others."""
    failures = tuple((row["seed"], row["failure"]) for row in rows if row["failure"] is not None)
    return len(rows) - len(failures), failures


def _information(rows: Sequence[Row]) -> str:
    return "; ".join(dict.fromkeys(row["information"] for row in rows if row["failure"] is None))


def _scores(rows: Sequence[Row], metric: str) -> Scores:
    return np.array([float(row[metric]) for row in rows])


def _instance(row: Row, names: Sequence[str]) -> str:
    """A key that two episodes share if and only if they are of the same instance."""
    return repr([row["scenario"], row["seed"], *(row[name] for name in names)])


def _csv_figures(row: ResultRow) -> list[str]:
    of = row.figures
    figures = [None] * 5 if of is None else [of.mean, of.sd, of.interval.value, of.interval.low, of.interval.high]
    paper = row.published.mean if row.published is not None else None
    numbers = ["" if number is None else f"{number:.6f}" for number in (*figures, row.share_of_bound, paper)]
    return [*numbers[:6], str(row.episodes), numbers[6]]
