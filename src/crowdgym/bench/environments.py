"""What the benchmark runner has to know about each environment, in one place."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

from crowdgym.configs.loading import Settings


@dataclass(frozen=True)
class BenchmarkedEnvironment:
    """Entry points of an environment, each as ``module:attribute``.

    Attributes:
        settings: its `crowdgym.configs.loading.Settings`.
        metrics: the dataclass of its metrics.
        bound: a function (instance, settings) that returns an upper bound of `BOUNDED_METRIC`; None if there is none.
    """

    settings: str
    metrics: str
    bound: str | None


BOUNDED_METRIC = "revenue"

ENVIRONMENTS = {
    "csc_v0": BenchmarkedEnvironment(
        "crowdgym.configs.csc:CscSettings",
        "crowdgym.envs.csc.kernel.simulation:Metrics",
        "crowdgym.envs.csc.bound:revenue_bound",
    ),
    "dasc_v0": BenchmarkedEnvironment(
        "crowdgym.configs.dasc:DascSettings",
        "crowdgym.envs.dasc.kernel.simulation:Metrics",
        "crowdgym.envs.dasc.bound:revenue_bound",
    ),
    "sensing_v0": BenchmarkedEnvironment(
        "crowdgym.configs.sensing:SensingSettings",
        "crowdgym.envs.sensing.kernel.simulation:Metrics",
        None,
    ),
}


def load_settings(environment: str, **keywords: object) -> Settings:
    """The checked settings of an environment. Raises `ConfigError`."""
    settings: Settings = attribute(ENVIRONMENTS[environment].settings).load(**keywords)
    return settings


def metric_names(environment: str) -> tuple[str, ...]:
    """The metrics of an environment that are one number."""
    metrics = fields(attribute(ENVIRONMENTS[environment].metrics))
    return tuple(field.name for field in metrics if field.type in (int, float, "int", "float"))


def bounded_environments() -> tuple[str, ...]:
    """The environments that have an upper bound of `BOUNDED_METRIC`."""
    return tuple(name for name, environment in ENVIRONMENTS.items() if environment.bound is not None)


def bound_of(environment: str) -> Callable[[Any, Any], float]:
    """The function (instance, settings) that returns the upper bound; see `bounded_environments`."""
    bound: Callable[[Any, Any], float] = attribute(str(ENVIRONMENTS[environment].bound))
    return bound


def attribute(entry_point: str) -> Any:
    """The attribute that ``module:attribute`` names."""
    module, _, name = entry_point.partition(":")
    return getattr(import_module(module), name)
