"""Error and cost of the schemes, in the columns of the paper's tables."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from crowdgym.bench.report.table import ResultTable

Column = tuple[int, int]  # participants P, attributes A

PAPER_SCENARIO = "piemonte"
FROM_DAY_1, FROM_DAY_61 = 0.0, 60 * 86_400.0  # start_s: our scheme was tuned on the first 60 days

BASELINES = ("oo-mta", "gps-ta", "ewa-ta", "uns-ta")
PAPERS = ("qco-ta", *BASELINES)
OURS = "gaussian-swap"
FRONT_PREFIX = f"{OURS} λ="  # our scheme with other weights of the cost than its default

CLAIRVOYANT_PREFIX = "clairvoyant λ="
CLAIRVOYANT_WEIGHTS = (0.001, 0.005, 0.02)  # λ of the bound for moving choices, errors per km


@dataclass(frozen=True)
class Means:
    """Means of a scheme in one column, over its episodes.

    Attributes:
        error: Eq. (15).
        cost_km: Eq. (16), in km per participant and cycle.
        episodes: number of episodes.
    """

    error: float
    cost_km: float
    episodes: int


@dataclass(frozen=True)
class SchemeTable:
    """The results on one scenario, by (start_s, inference, agent), then by column."""

    scenario: str
    results: dict[tuple[float, str, str], dict[Column, Means]]

    @classmethod
    def of(cls, table: ResultTable, scenario: str) -> "SchemeTable":
        """The results of a suite, without the policies that failed."""
        results: dict[tuple[float, str, str], dict[Column, Means]] = defaultdict(dict)
        for row in table.rows:
            cost = table.find(scenario, row.agent, "cost_km", row.at)
            if (row.scenario, row.metric) != (scenario, "error") or row.figures is None or cost is None:
                continue
            if cost.figures is not None:
                at = row.at
                key = (float(at["start_s"]), str(at["inference"]), row.agent)
                column = (int(at["num_participants"]), int(at["num_attributes"]))
                results[key][column] = Means(row.figures.mean, cost.figures.mean, row.episodes)
        return cls(scenario, dict(results))

    @property
    def is_papers(self) -> bool:
        """Whether these are results on the series of the paper."""
        return self.scenario == PAPER_SCENARIO

    def of_agent(self, agent: str, inference: str, start_s: float = FROM_DAY_1) -> dict[Column, Means]:
        """The results of an agent, by column; empty if it did not play."""
        return self.results.get((start_s, inference, agent), {})

    def agents(self, inference: str, start_s: float = FROM_DAY_1) -> list[str]:
        """The agents that played, in the order of the suite."""
        return [agent for (start, of, agent) in self.results if (start, of) == (start_s, inference)]

    def points(self, inference: str, start_s: float = FROM_DAY_1) -> dict[str, tuple[float, float]]:
        """Error and cost in km of every agent: means over the columns that all of them played."""
        shared = self.shared_columns(inference, start_s)
        played = {agent: self.of_agent(agent, inference, start_s) for agent in self.agents(inference, start_s)}
        return {agent: mean_point({at: of[at] for at in shared}) for agent, of in played.items()} if shared else {}

    def shared_columns(self, inference: str, start_s: float = FROM_DAY_1) -> list[Column]:
        """The columns that all agents played: all, once a run is complete."""
        played = [self.of_agent(agent, inference, start_s) for agent in self.agents(inference, start_s)]
        return sorted(set.intersection(*map(set, played))) if played else []

    def front(self, inference: str) -> list[str]:
        """Our scheme, with its default weight and with others."""
        return [agent for agent in self.agents(inference) if agent == OURS or agent.startswith(FRONT_PREFIX)]


def mean_point(columns: dict[Column, Means]) -> tuple[float, float]:
    """Error and cost in km, means over the columns."""
    return (
        float(np.mean([means.error for means in columns.values()])),
        float(np.mean([means.cost_km for means in columns.values()])),
    )
