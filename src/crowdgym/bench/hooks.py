"""The parts of the pipeline that a suite may replace, if its YAML file is not enough."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from crowdgym.agents.policy import Policy
from crowdgym.bench.report.markdown import markdown
from crowdgym.bench.report.plot import picture_name, plot
from crowdgym.bench.report.table import ResultTable
from crowdgym.common.entry_points import import_module_from_here
from crowdgym.common.errors import ConfigError
from crowdgym.configs.suites import GridPoint, SuiteSettings


class SuiteHook:
    """The behaviour of a suite without a hook. A suite names a child of this class that replaces some of the methods.

    Attributes:
        agents: names of agents that `make_agent` makes.
        metrics: names of metrics that `measure` adds to those of the environment.
        files: on which the results depend, besides the file of the class and the code of the environments and agents.
    """

    agents: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    def keywords(self, scenario: str, point: GridPoint) -> Mapping[str, Any]:
        """The keywords of the environment at a grid point. All values are hashable."""
        return dict(point)

    def data_hint(self, scenario: str) -> str:
        """A hint on how to get the missing data of a scenario; empty if there is no hint."""
        return ""

    def make_agent(self, name: str, env: Any) -> Policy:
        """Make one of `agents`. Unlike a policy that is loaded by its name, it may read the whole environment."""
        raise NotImplementedError(name)

    def measure(self, env: Any, metrics: Mapping[str, float]) -> Mapping[str, float]:
        """Values of `metrics`, from an environment and the metrics of an episode of it."""
        return {}

    def markdown(self, table: ResultTable, name: str) -> str:
        """The tables of the suite ``name`` as Markdown."""
        return markdown(table, name)

    def picture_names(self, suite: SuiteSettings) -> tuple[str, ...]:
        """The files of `pictures`."""
        return tuple(picture_name(scenario, metric) for scenario in suite.scenarios for metric in suite.metrics)

    def pictures(self, table: ResultTable) -> Mapping[str, bytes]:
        """PNG files by name."""
        return {
            picture_name(scenario, metric): plot(table, scenario, metric)
            for scenario in table.scenarios
            for metric in table.suite.metrics
        }


@lru_cache(maxsize=4)
def load_hook(name: str | None) -> SuiteHook:
    """The hook of a suite.

    Args:
        name: ``module:Class``, the module as in an import from the current folder; None for `SuiteHook`.

    Raises:
        ConfigError: there is no such module or class, or the class is no child of `SuiteHook`.
    """
    if name is None:
        return SuiteHook()
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module_from_here(module, name), attribute)
    except (ConfigError, ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"hook must be the module:Class of a child of SuiteHook, got {name!r}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, SuiteHook)):
        raise ConfigError(f"hook must be the module:Class of a child of SuiteHook, got {name!r}")
    return found()
