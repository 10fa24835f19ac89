"""What the suite ``preference-sources`` needs besides its YAML file: who learns or knows preferences, and its page."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from crowdgym.agents.information import Information
from crowdgym.agents.policy import Episode, Policy
from crowdgym.agents.preference.policies import KmPolicy
from crowdgym.agents.preference.sources import TableSource, UniformSource
from crowdgym.bench.hooks import SuiteHook
from crowdgym.bench.report.markdown import markdown, markdown_table, percent
from crowdgym.bench.report.table import ResultTable
from crowdgym.configs.ta_fpl import TaFplSettings

Floats = NDArray[np.float64]

BLIND: Final = "km-blind"
ORACLE: Final = "km-oracle"
STRATEGIES: Final = ("local", "fedavg", "fedprox", "feddyn", "scaffold", "central")
LEARNT: Final = {f"km-{strategy}": strategy for strategy in STRATEGIES}
_LEARNING: Final = ("crowdgym.training.centres", "crowdgym.training.preferences")  # need PyTorch: imported when used


class PreferenceSources(SuiteHook):
    """The matching of most expected acceptances, with what is known or learnt of the preferences.

    - ``km-blind`` knows nothing.
    - ``km-local``, ``km-fedavg``, … play with the preferences that TA-FPL has learnt by this strategy, from the
      histories of the population. It is trained when the agent is made; the seed is that of the population.
    - ``km-oracle`` knows the true preferences: the most that any learner of preferences can bring.

    The page begins with all agents over all grid points, compared by population.
    """

    agents = (BLIND, *LEARNT, ORACLE)
    files = tuple(Path(spec.origin) for spec in map(find_spec, _LEARNING) if spec is not None and spec.origin)

    def make_agent(self, name: str, env: Any) -> Policy:
        """See `SuiteHook`."""
        if name == ORACLE:
            return OracleKm()
        known = UniformSource() if name == BLIND else TableSource(_learnt(LEARNT[name], _Population(env)))
        return KmPolicy(known)

    def markdown(self, table: ResultTable, name: str) -> str:
        """See `SuiteHook`."""
        parts = [_by_population(table, scenario, table.suite.metrics[0]) for scenario in table.scenarios]
        return "\n\n".join([*(part for part in parts if part), markdown(table, name)])


class OracleKm(KmPolicy):
    """`KmPolicy` with the true preferences, which no agent can know."""

    information = Information.CLAIRVOYANT

    def reset(self, episode: Episode) -> None:
        """See `crowdgym.agents.policy.EpisodicPolicy`."""
        assert episode.instance is not None  # it is clairvoyant
        self.source = TableSource(episode.instance["preference"])
        super().reset(episode)


class _Population:
    """An environment that equals others of the same population, so that a process learns a population once."""

    def __init__(self, env: Any) -> None:
        self.env, self._digest = env, env.histories.digest.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Population) and other._digest == self._digest

    def __hash__(self) -> int:
        return hash(self._digest)


@lru_cache(maxsize=64)
def _learnt(strategy: str, population: _Population) -> Floats:
    """The learnt preferences. Shape [W, C]."""
    from crowdgym.training.preferences import learn_preferences

    settings = TaFplSettings.load("preference_v0", strategy=strategy)
    seed = population.env.settings.population_seed
    learnt: Floats = learn_preferences(population.env, settings, seed).assessment.preferences.numpy()
    return learnt


def _by_population(table: ResultTable, scenario: str, metric: str) -> str:
    """A row for each agent: its mean, how it differs from the compared agent in the mean, and its share of the bound.

    The interval is Student's t over the grid points, each of which is a population. Empty if there are not several.
    """
    other = table.suite.compared_with
    means = {agent: _means(table, scenario, metric, agent) for agent in table.agents(scenario)}
    base = means.get(other or "")
    if base is None or len(base) < 2:
        return ""
    shares = {of.agent: of.share for of in table.summaries(metric) if of.scenario == scenario}
    rows = []
    for agent, found in means.items():
        if found is not None and len(found) == len(base):
            share = shares.get(agent)
            of_bound = percent(share.value if share is not None else None)
            rows.append([f"`{agent}`", f"{found.mean():.1f}", difference_text(found - base), of_bound])
    headings = ["agent", metric, f"more than `{other}`, 95 % over populations", "share of the bound, IQM"]
    return f"### {metric}, {scenario}, {len(base)} populations\n\n{markdown_table(headings, rows)}"


def _means(table: ResultTable, scenario: str, metric: str, agent: str) -> Floats | None:
    """The mean of an agent at each grid point; None where an episode failed."""
    rows = [row for row in table.rows if (row.scenario, row.agent, row.metric) == (scenario, agent, metric)]
    figures = [row.figures for row in rows]
    return None if None in figures else np.array([of.mean for of in figures if of is not None])


def difference_text(differences: Floats, places: int = 1) -> str:
    """``+9.8 (+4.0 to +15.5)``: the mean of paired differences and its 95 % interval; empty if all are 0."""
    if not differences.any():
        return ""
    mean, count = differences.mean(), len(differences)
    if count == 1:
        return f"{mean:+.{places}f}"
    half = stats.t.ppf(0.975, count - 1) * differences.std(ddof=1) / np.sqrt(count)
    return f"{mean:+.{places}f} ({mean - half:+.{places}f} to {mean + half:+.{places}f})"
