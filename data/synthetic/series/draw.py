"""Draws a synthetic series from its plan: the same one at every call and on every machine."""

from datetime import date, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.sensing.cycles import DAY_S
from crowdgym.data.sensing.series import FloatArray, SensingSeries
from crowdgym.data.synthetic.series.plan import AttributeFigures, GapFigures, Matrix, SeriesPlan

SERIES_NAMES = ("piemonte-synth",)
SERIES_VERSION = "1.0"  # to be raised whenever the same name gives another series
_BISECTIONS = 60


@cache
def draw_series(name: str) -> SensingSeries:
    """Draw one of the synthetic series.

    Args:
        name: one of `SERIES_NAMES`.

    Raises:
        DataError: there is no synthetic series of this name.
    """
    plan = plan_of(name)
    return draw(plan, np.random.SeedSequence(plan.entropy))


def plan_of(name: str) -> SeriesPlan:
    """Return the plan that a series is drawn from; raises `DataError` where there is none."""
    if name == "piemonte-synth":
        from crowdgym.data.synthetic.series.plan_piemonte import PIEMONTE

        return PIEMONTE
    raise DataError(f"unknown synthetic series {name!r}; expected one of {', '.join(SERIES_NAMES)}")


def draw(plan: SeriesPlan, sequence: np.random.SeedSequence) -> SensingSeries:
    """Draw a series: days, stations, the rest and gaps from a child of ``sequence`` each."""
    days_seed, stations_seed, local_seed, gaps_seed = sequence.spawn(4)
    xy_km = np.array([(place.x_km, place.y_km) for place in plan.cells])
    distance_km = np.hypot(*(xy_km[:, np.newaxis] - xy_km[np.newaxis]).T).T
    parts = (
        _calendar(plan)[:, np.newaxis]
        + _days(plan, np.random.default_rng(days_seed))[:, np.newaxis]
        + _stations(plan, distance_km, np.random.default_rng(stations_seed))[np.newaxis]
        + _local(plan, distance_km, np.random.default_rng(local_seed))
    )  # [Y, X, A]
    values = np.stack([_scaled(figures, parts[..., a]) for a, figures in enumerate(plan.attributes)], axis=-1)
    names = tuple(figures.name for figures in plan.attributes)
    missing = _gaps(plan.gaps, values.shape[:2], np.random.default_rng(gaps_seed))
    values[missing, names.index(plan.gaps.attribute)] = np.nan
    first = date.fromisoformat(plan.first_day)
    return SensingSeries(
        name=plan.name,
        cells=tuple(place.name for place in plan.cells),
        attributes=names,
        cycles=tuple((first + timedelta(days=day)).isoformat() for day in range(plan.days)),
        cycle_s=DAY_S,
        x_km=xy_km[:, 0].copy(),
        y_km=xy_km[:, 1].copy(),
        crs=plan.crs,
        values=values,
        outline_km=np.empty((0, 2)),
    )


def _calendar(plan: SeriesPlan) -> FloatArray:
    """What the season and the day of the week add. Shape [Y, A]."""
    day = np.arange(plan.days)
    turn = 2 * np.pi * day / 365
    weekday = (day + date.fromisoformat(plan.first_day).weekday()) % 7
    return np.stack(
        [
            figures.season_sin * np.sin(turn)
            + figures.season_cos * np.cos(turn)
            + np.array(figures.weekday or (0.0,) * 7)[weekday]
            for figures in plan.attributes
        ],
        axis=-1,
    )


def _days(plan: SeriesPlan, generator: np.random.Generator) -> FloatArray:
    """The part common to all cells. Shape [Y, A]."""
    persistence = np.array([figures.day_persistence for figures in plan.attributes])
    series = _autoregressive(
        generator.standard_normal((plan.days, len(persistence))), persistence, np.array(plan.day_correlation)
    )
    exact = _with_correlation(series, plan.day_correlation)
    return np.asarray(exact * np.array([figures.day_sd for figures in plan.attributes]))


def _stations(plan: SeriesPlan, distance_km: FloatArray, generator: np.random.Generator) -> FloatArray:
    """The part that stays. Shape [X, A]."""
    columns = []
    for figures in plan.attributes:
        root = np.linalg.cholesky(_in_space(distance_km, figures.station_range_km, 0.0))
        columns.append(root @ _skewed(generator, figures.station_skew, len(distance_km)))
    exact = _with_correlation(np.stack(columns, axis=-1), plan.station_correlation)
    return np.asarray(exact * np.array([figures.station_sd for figures in plan.attributes]))


def _local(plan: SeriesPlan, distance_km: FloatArray, generator: np.random.Generator) -> FloatArray:
    """The rest. Shape [Y, X, A]."""
    shape = (plan.days, len(distance_km))
    fields = np.stack(
        [
            generator.standard_normal(shape)
            @ np.linalg.cholesky(_in_space(distance_km, figures.local_range_km, figures.local_nugget)).T
            for figures in plan.attributes
        ],
        axis=-1,
    )  # [Y, X, A], independent in time and between the attributes
    persistence = np.array([figures.local_persistence for figures in plan.attributes])
    series = _autoregressive(fields, persistence, np.array(plan.local_correlation))
    return np.asarray(series * np.array([figures.local_sd for figures in plan.attributes]))


def _in_space(distance_km: FloatArray, range_km: float, nugget: float) -> FloatArray:
    """Correlations between places. Shape [X, X]."""
    correlation: FloatArray = (1 - nugget) * np.exp(-distance_km / range_km)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _skewed(generator: np.random.Generator, skew: float, count: int) -> FloatArray:
    """Numbers of mean 0, variance 1 and the given skewness (those of a gamma distribution). Shape [count]."""
    if abs(skew) < 1e-3:
        return generator.standard_normal(count)
    shape = 4 / skew**2
    return np.asarray(np.sign(skew) * (generator.standard_gamma(shape, count) - shape) / np.sqrt(shape))


def _autoregressive(noise: FloatArray, persistence: FloatArray, correlation: FloatArray) -> FloatArray:
    """AR(1) along the first axis, of variance 1 and, in the long run, the given correlation between attributes.

    Args:
        noise: independent, of variance 1. Shape [Y, ..., A].
        persistence: shape [A].
        correlation: shape [A, A].
    """
    remaining = np.sqrt(1 - persistence**2)
    innovation = correlation * (1 - np.outer(persistence, persistence)) / np.outer(remaining, remaining)
    correlated = noise @ _root(innovation).T
    correlated[0] = noise[0] @ _root(correlation).T
    for day in range(1, len(correlated)):
        correlated[day] = persistence * correlated[day - 1] + remaining * correlated[day]
    return correlated


def _root(correlation: FloatArray) -> FloatArray:
    """A lower triangular root of the correlation nearest to a matrix that may not quite be one."""
    value, vector = np.linalg.eigh((correlation + correlation.T) / 2)
    mended = vector * np.maximum(value, 1e-6) @ vector.T
    scale = np.sqrt(np.diag(mended))
    return np.linalg.cholesky(mended / np.outer(scale, scale))


def _with_correlation(columns: FloatArray, correlation: Matrix) -> FloatArray:
    """Mix columns so that each has mean 0 and variance 1, and all together exactly the given correlation."""
    centred = columns - columns.mean(axis=0)
    own = np.linalg.cholesky(centred.T @ centred / len(centred))
    return np.asarray(centred @ np.linalg.inv(own).T @ _root(np.array(correlation)).T)


def _scaled(figures: AttributeFigures, parts: FloatArray) -> FloatArray:
    """Values of the mean and deviation that the figures give, cut off below, rounded. Shape as ``parts``."""
    low, high = 0.0, 1.0
    while _back(figures, _centre(figures, high * parts) + high * parts).std() < figures.sd:
        high *= 2
    for _ in range(_BISECTIONS):
        spread = (low + high) / 2
        values = _back(figures, _centre(figures, spread * parts) + spread * parts)
        low, high = (spread, high) if values.std() < figures.sd else (low, spread)
    return np.asarray(np.round(np.maximum(values, figures.lowest), figures.decimals))


def _centre(figures: AttributeFigures, deviations: FloatArray) -> float:
    """What has to be added on the transformed scale for the mean to be right."""
    if figures.transform == "identity":
        return float(figures.mean - deviations.mean())
    if figures.transform == "logarithm":
        return float(np.log(figures.mean / np.exp(deviations).mean()))
    mean, square = deviations.mean(), (deviations**2).mean()  # (c + d)^2 on average: c^2 + 2 c mean + square
    return float(-mean + np.sqrt(max(mean**2 - square + figures.mean, 0.0)))


def _back(figures: AttributeFigures, transformed: FloatArray) -> FloatArray:
    if figures.transform == "identity":
        return transformed
    if figures.transform == "logarithm":
        return np.exp(transformed)
    return np.asarray(np.maximum(transformed, 0.0) ** 2)


def _gaps(figures: GapFigures, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.bool_]:
    """Which values are missing: outages of single cells, drawn until there are as many as there shall be."""
    days, cells = shape
    missing = np.zeros((days, cells), np.bool_)
    left = figures.count
    while left:
        cell, first = int(generator.integers(cells)), int(generator.integers(days))
        for day in range(first, min(days, first + int(generator.geometric(1 / figures.mean_length)))):
            if left and not missing[day, cell] and missing[day].sum() < figures.most_a_cycle:
                missing[day, cell] = True
                left -= 1
    return missing
