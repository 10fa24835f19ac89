"""The results of the suite ``dasc-rmo`` on one scenario: of agents, of trained runs, and of weights of the utility."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.bench.report.statistics import Interval, interquartile_means, mean_difference
from crowdgym.bench.report.table import ResultTable
from crowdgym.bench.run_folder import Row
from crowdgym.configs.suites import GridPoint, key_of

METRIC: Final = "revenue"
MAP_AGENT: Final = "recommend-all"  # of which the map of (alpha, beta) is
SIZES: Final = ("num_workers", "num_tasks")

Floats = NDArray[np.float64]
Eta = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """The evaluations of a variant.

    Attributes:
        steps: of the environment at each evaluation.
        profit: interquartile mean over the seeds, with its interval, at each.
        seeds: how many runs there are.
    """

    steps: Sequence[float]
    profit: Sequence[Interval]
    seeds: int


@dataclass(frozen=True)
class BestEta:
    """The best point of the map, chosen on one half of the instances and measured on the other.

    Attributes:
        eta: (alpha, beta).
        gain: by how much its revenue is above that of the usual weights, as a share.
        episodes: of the half on which it is measured.
    """

    eta: Eta
    gain: Interval
    episodes: int


class RmoResults:
    """Everything of one scenario.

    Args:
        table: of all scenarios.
        scenario: the one.
    """

    def __init__(self, table: ResultTable, scenario: str) -> None:
        self.table, self.scenario = table, scenario
        training = table.suite.training
        self._starts = () if training is None else tuple(training.starts)
        self._runs = [row for row in table.trained if row["scenario"] == scenario]
        points = [point for points in table.sweeps() for point in points]
        self.base: GridPoint = next((p for p in points if training is not None and training.plays(p)), points[0])
        self.sizes = tuple(name for name in SIZES if name in self.base)  # that the grid varies
        self._trained_points = [] if training is None else [p for p in table.suite.points() if training.plays(p)]

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that are trained with every seed."""
        names = dict.fromkeys(str(row["variant"]) for row in self._runs)
        return tuple(name for name in names if self.start_of(name) is None)

    @property
    def paths(self) -> Mapping[str, Sequence[Eta]]:
        """For each variant that is trained from a start, the weights after every iteration."""
        return {
            str(row["variant"]): [(of["alpha"], of["beta"]) for of in row["curve"] if "alpha" in of]
            for row in self._runs
            if self.start_of(str(row["variant"])) is not None
        }

    def start_of(self, variant: str) -> str | None:
        """The name of the start in the name of a variant, if there is one."""
        return next((start for start in self._starts if variant.endswith(f" from {start}")), None)

    def curve(self, variant: str) -> Curve:
        """See `Curve`."""
        curves = [[of for of in row["curve"] if "evaluation" in of] for row in self._of(variant)]
        profit = np.array([[of["evaluation"] for of in curve] for curve in curves])  # [seeds, evaluations]
        return Curve([of["steps"] for of in curves[0]], interquartile_means(profit), len(curves))

    def processor_s(self, variant: str) -> float:
        """The mean processor time of a run."""
        return float(np.mean([row["processor_s"] for row in self._of(variant)]))

    def agents(self, point: GridPoint) -> tuple[str, ...]:
        """The agents that have played a grid point, and the variants that have."""
        played = (agent for agent in self.table.agents(self.scenario) if self._episodes(agent, point) is not None)
        return (*played, *(self.variants if self._number(point) is not None else ()))

    def revenue(self, name: str, point: GridPoint) -> Floats | None:
        """The revenue of an agent, or of a variant in the mean over its seeds, on each instance."""
        if name not in self.variants:
            return self._episodes(name, point)
        number = self._number(point)
        if number is None:
            return None
        mean: Floats = np.mean([row["revenue"][number] for row in self._of(name)], axis=0)
        return mean

    def above(self, name: str, other: str, point: GridPoint) -> Interval | None:
        """By how much the revenue is above that of another one on the same instances, as a share."""
        ours, theirs = self.revenue(name, point), self.revenue(other, point)
        if ours is None or theirs is None or len(ours) != len(theirs) or theirs.mean() == 0:
            return None
        return mean_difference(ours[:, np.newaxis], theirs[:, np.newaxis])

    def eta_map(self) -> Mapping[Eta, Floats]:
        """The revenue of `MAP_AGENT` on each instance, by the weights of the utility; other settings as at the base."""
        sizes = {name: self.base[name] for name in self.sizes}
        found: dict[Eta, Floats] = {}
        for point in self.table.suite.points():
            revenue = self._episodes(MAP_AGENT, point)
            if revenue is not None and all(point[name] == value for name, value in sizes.items()):
                found[float(point["alpha"]), float(point["beta"])] = revenue
        return found

    def best_eta(self) -> BestEta | None:
        """See `BestEta`; None where there is nothing to choose from."""
        found, usual = self.eta_map(), self.usual_eta
        if len(found) < 2 or usual not in found or len(found[usual]) < 2:
            return None
        best = max(found, key=lambda eta: float(found[eta][::2].mean()))
        held = found[best][1::2], found[usual][1::2]
        return BestEta(best, mean_difference(*(half[:, np.newaxis] for half in held)), len(held[0]))

    @property
    def usual_eta(self) -> Eta:
        """(alpha, beta) of the base."""
        return float(self.base["alpha"]), float(self.base["beta"])

    def sweep_of(self, size: str) -> list[GridPoint]:
        """The grid points that differ from the base in one size at most, by that size."""
        others = [name for name in self.base if name != size]
        points = [p for p in self.table.suite.points() if all(p[name] == self.base[name] for name in others)]
        return sorted(points, key=lambda point: float(point[size]))

    def _of(self, variant: str) -> list[Row]:
        return [row for row in self._runs if row["variant"] == variant]

    def _number(self, point: GridPoint) -> int | None:
        """The number of a grid point among those that trained policies play."""
        keys = [key_of(of) for of in self._trained_points]
        return keys.index(key_of(point)) if self._runs and key_of(point) in keys else None

    def _episodes(self, agent: str, point: GridPoint) -> Floats | None:
        row = self.table.find(self.scenario, agent, METRIC, point)
        if row is None or row.figures is None:
            return None
        return np.array([row.figures.by_seed[seed] for seed in sorted(row.figures.by_seed)])
