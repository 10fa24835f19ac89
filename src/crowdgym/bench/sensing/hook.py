"""What the suite ``sensing-paper`` needs besides its YAML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from crowdgym.agents.policy import Policy
from crowdgym.bench.hooks import SuiteHook
from crowdgym.bench.report.table import ResultTable
from crowdgym.bench.sensing import clairvoyant, hindsight, known_series
from crowdgym.bench.sensing.page import PLOT_NAME, front_picture, page
from crowdgym.bench.sensing.schemes import CLAIRVOYANT_PREFIX, CLAIRVOYANT_WEIGHTS, PAPER_SCENARIO, SchemeTable
from crowdgym.common.errors import ConfigError
from crowdgym.configs.sensing import SensingSettings
from crowdgym.configs.suites import GridPoint, SuiteSettings
from crowdgym.data.registry import load_series
from crowdgym.envs.sensing.generator import scale_of

HINDSIGHT = "hindsight-best-static"
CLAIRVOYANT = tuple(f"{CLAIRVOYANT_PREFIX}{weight:g}" for weight in CLAIRVOYANT_WEIGHTS)


class SensingPaper(SuiteHook):
    """A parameter for the number of attributes, two bounds, a second normalisation, and the page.

    - The parameter ``num_attributes`` stands for the first attributes of the scenario.
    - The agent ``hindsight-best-static`` stays in the best fixed cells. It is a bound: it reads the whole series.
    - The agents ``clairvoyant λ=...`` move as a plan with the whole series at hand says, at this weight of the cost.
    - The metric ``error_range`` is the error with Γ the range of each attribute. Γ does not change the play.
    """

    agents = (HINDSIGHT, *CLAIRVOYANT)
    metrics = ("error_range",)
    files = (Path(hindsight.__file__), Path(clairvoyant.__file__), Path(known_series.__file__))

    def keywords(self, scenario: str, point: GridPoint) -> Mapping[str, Any]:
        """See `SuiteHook`.

        Raises:
            ConfigError: the scenario has fewer attributes.
        """
        if "num_attributes" not in point:
            return dict(point)
        number = int(point["num_attributes"])
        settings = SensingSettings.load(scenario=scenario)
        names = settings.attributes if settings.attributes != "all" else load_series(settings.dataset).attributes
        if number > len(names):
            raise ConfigError(f"num_attributes must be at most {len(names)} on {scenario!r}, got {number}")
        others = {name: value for name, value in point.items() if name != "num_attributes"}
        return {**others, "attributes": tuple(names[:number])}

    def data_hint(self, scenario: str) -> str:
        """See `SuiteHook`."""
        return "'crowdgym data fetch piemonte' gets it" if scenario == PAPER_SCENARIO else ""

    def make_agent(self, name: str, env: Any) -> Policy:
        """See `SuiteHook`."""
        if name == HINDSIGHT:
            return hindsight.BestStatic(env.settings)
        weight = CLAIRVOYANT_WEIGHTS[CLAIRVOYANT.index(name)]
        return clairvoyant.Clairvoyant(clairvoyant.pool_of(env.settings), weight)

    def measure(self, env: Any, metrics: Mapping[str, float]) -> Mapping[str, float]:
        """See `SuiteHook`."""
        settings: SensingSettings = env.settings
        series = load_series(settings.dataset)
        by_range = scale_of(series, settings.model_copy(update={"normalisation": "range"}))
        to_range = scale_of(series, settings) / by_range  # [A]
        errors = [metrics[f"error_per_attribute {a}"] for a in range(len(to_range))]
        return {"error_range": float(np.dot(errors, to_range))}

    def markdown(self, table: ResultTable, name: str) -> str:
        """See `SuiteHook`."""
        return "\n".join(page(SchemeTable.of(table, scenario)) for scenario in table.scenarios)

    def picture_names(self, suite: SuiteSettings) -> tuple[str, ...]:
        """See `SuiteHook`."""
        return (PLOT_NAME,)

    def pictures(self, table: ResultTable) -> Mapping[str, bytes]:
        """See `SuiteHook`."""
        return {PLOT_NAME: front_picture(SchemeTable.of(table, table.scenarios[0]))}
