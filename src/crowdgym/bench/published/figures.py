"""The published figures that tables show beside ours."""

from collections.abc import Callable, Mapping

from crowdgym.bench.published import cafe, qco_ta
from crowdgym.common.errors import ConfigError
from crowdgym.configs.suites import PublishedFigure, SuiteSettings


def _cafe() -> tuple[PublishedFigure, ...]:
    """Tables 1 and 2 of Chen et al. (IJCAI 2025)."""
    return tuple(
        PublishedFigure(
            scenario=f"{point.city}-paper",
            agent=agent,
            at={"num_workers": point.num_workers, "num_tasks": point.num_tasks},
            metric="revenue",
            mean=revenue.mean,
            sd=revenue.sd,
        )
        for (agent, point), revenue in cafe.published().items()
    )


def _qco_ta() -> tuple[PublishedFigure, ...]:
    """Tables 1 and 2 of Zhang et al. (2019)."""
    return tuple(
        PublishedFigure(
            scenario="piemonte",
            agent=agent,
            at={
                "inference": inference,
                "start_s": 0.0,
                "num_participants": participants,
                "num_attributes": attributes,
            },
            metric=metric,
            mean=mean,
        )
        for metric in ("error", "cost_km")
        for (agent, participants, attributes, inference), mean in qco_ta.published(metric).items()
    )


SETS: Mapping[str, Callable[[], tuple[PublishedFigure, ...]]] = {"cafe": _cafe, "qco-ta": _qco_ta}


def published_figures(suite: SuiteSettings) -> tuple[PublishedFigure, ...]:
    """The figures of a suite; those of a set, if the suite names one.

    Raises:
        ConfigError: there is no such set.
    """
    if not isinstance(suite.published, str):
        return suite.published
    if suite.published not in SETS:
        raise ConfigError(f"published must be figures or one of {', '.join(SETS)}, got {suite.published!r}")
    return SETS[suite.published]()
