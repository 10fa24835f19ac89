"""Converts a recorded episode of sensing to the input of the solution checker.

The placement that was drawn is the environment's. Which cycles and attributes are played, and by what errors are
normalised, is taken from the series and the settings by ``docs/sensing_dynamics.md``.
"""

import math
from typing import Any

import numpy as np

from crowdgym.configs.sensing import SensingSettings
from crowdgym.data.registry import load_series
from crowdgym.data.sensing import SensingSeries
from crowdgym.traces.format import Trace
from crowdgym.verification.sensing.checker import check_log
from crowdgym.verification.sensing.records import CheckedInstance, Floats, SensingLog, Totals, Violation, Whole

_ROUNDING = 1e-9  # of a cycle


def broken_rules(trace: Trace, env: Any) -> list[Violation]:
    """The violations in an episode.

    Args:
        trace: of the episode.
        env: its environment at the begin of the episode.
    """
    series = load_series(env.settings.dataset)
    return check_log(checked_instance(series, env.settings, env.instance.cell), log_of(trace))


def checked_instance(series: SensingSeries, settings: SensingSettings, start: Whole) -> CheckedInstance:
    """The instance and the constants of an episode, as the checker takes them."""
    names = series.attributes if settings.attributes == "all" else settings.attributes
    columns = [series.attributes.index(name) for name in names]
    return CheckedInstance(
        x_km=series.x_km,
        y_km=series.y_km,
        values=series.values[_cycles(series, settings)][:, :, columns],
        start=start,
        scale=_scale(series.values[:, :, columns], settings),
        participants_act=settings.agents == "participants",
        inference=settings.inference,
        neighbours=settings.idw_neighbours if settings.inference == "idw" else settings.knn_neighbours,
        power=settings.idw_power,
        svr_c=settings.svr_c,
        svr_epsilon=settings.svr_epsilon,
        reward=settings.reward,
        cost_weight=settings.cost_weight,
    )


def _cycles(series: SensingSeries, settings: SensingSettings) -> list[int]:
    """The cycles of the series that are played."""
    step_s = series.cycle_s if settings.step_s == "series" else float(settings.step_s)
    first = math.floor(settings.start_s / series.cycle_s + _ROUNDING)
    there = list(range(first, series.num_cycles, round(step_s / series.cycle_s)))
    if settings.horizon_s == "series":
        return there
    return there[: math.ceil(float(settings.horizon_s) / step_s - _ROUNDING)]


def _scale(values: Floats, settings: SensingSettings) -> Floats:
    """Γ of each attribute of ``values``, [Y, X, A], the whole series."""
    flat = values.reshape(-1, values.shape[2])
    if settings.normalisation == "range":
        return np.asarray(np.nanmax(flat, axis=0) - np.nanmin(flat, axis=0), np.float64)
    return np.asarray(np.nanpercentile(flat, 99, axis=0), np.float64)


def log_of(trace: Trace) -> SensingLog:
    """The log of an episode, read off its trace."""
    values, labels = trace.values, trace.header.quantities["metrics"].labels
    metrics: dict[str, Any] = {name: values["metrics"][:, column] for column, name in enumerate(labels)}
    per_attribute = [name for name in labels if name.startswith("error_per_attribute ")]
    return SensingLog(
        actions=trace.actions.astype(np.int64),
        chosen=values["chosen"],
        cell=values["participant_cell"],
        travel_km=values["travel_km"],
        crowd=values["crowd"],
        cell_error=values["cell_error"],
        reward=values["reward"],
        error=metrics["error"],
        cost_km=metrics["cost_km"],
        error_per_attribute=np.stack([metrics[name] for name in per_attribute], axis=1),
        totals=Totals(
            error=trace.header.metrics["error"],
            cost_km=trace.header.metrics["cost_km"],
            error_per_attribute=tuple(trace.header.metrics[name] for name in per_attribute),
        ),
    )
