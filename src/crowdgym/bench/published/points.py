"""Figures that others have published, to be shown beside ours."""

from collections.abc import Callable, Mapping

from crowdgym.bench.published import cafe
from crowdgym.common.errors import ConfigError
from crowdgym.configs.suites import PublishedPoint, SuiteSettings


def _cafe() -> tuple[PublishedPoint, ...]:
    """Tables 1 and 2 of Chen et al. (IJCAI 2025)."""
    return tuple(
        PublishedPoint(
            scenario=f"{point.city}-paper",
            agent=agent,
            at={"num_workers": point.num_workers, "num_tasks": point.num_tasks},
            mean=revenue.mean,
            sd=revenue.sd,
        )
        for (agent, point), revenue in cafe.published().items()
    )


SETS: Mapping[str, Callable[[], tuple[PublishedPoint, ...]]] = {"cafe": _cafe}


def published_points(suite: SuiteSettings) -> tuple[PublishedPoint, ...]:
    """The points of a suite, those of a set by its name included.

    Raises:
        ConfigError: there is no such set.
    """
    if not isinstance(suite.published, str):
        return suite.published
    if suite.published not in SETS:
        raise ConfigError(f"published must be points or one of {', '.join(SETS)}, got {suite.published!r}")
    return SETS[suite.published]()
