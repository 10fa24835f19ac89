"""Fits the figures of ``data/synthetic/series/plan_piemonte.py`` to a real series, and prints them.

    python benchmarks/fit_sensing_plan.py piemonte
    python benchmarks/fit_sensing_plan.py --from DIR         # the Piemonte files, as 'crowdgym data build' reads them

Everything is a moment of the whole series: means, deviations, correlations, ranges. Nothing is kept of single rows.
"""

import argparse
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.registry import load_series
from crowdgym.data.sensing import SensingSeries
from crowdgym.data.sensing.piemonte import read_piemonte

TRANSFORMS = {"EMI": "logarithm", "PM10": "root", "TEMP": "identity", "WS": "logarithm"}
DECIMALS = {"EMI": 2, "PM10": 0, "TEMP": 2, "WS": 2}
WEEKLY = ("EMI",)  # the others differ little from day to day of the week
BINS_KM = (0, 15, 30, 50, 75, 100, 150)
Floats = NDArray[np.float64]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="piemonte")
    parser.add_argument("--from", dest="folder", type=Path)
    arguments = parser.parse_args()
    series = read_piemonte(arguments.folder) if arguments.folder else load_series(arguments.name)
    fit(series)


def fit(series: SensingSeries) -> None:
    """Split the series into its parts and print the figures of each part."""
    names = tuple(TRANSFORMS)
    values = series.values[..., [series.attributes.index(name) for name in names]]
    distance_km = np.hypot(*(np.subtract.outer(each, each) for each in (series.x_km, series.y_km)))
    first = date.fromisoformat(series.cycles[0])
    parts = {"day": [], "station": [], "local": []}
    for a, name in enumerate(names):
        figures, day, station, local = attribute_figures(name, values[..., a], distance_km, first)
        for part, found in zip(parts.values(), (day, station, local.ravel()), strict=True):
            part.append(found)
        print(f"    {name}:")
        for key, figure in figures.items():
            print(f"        {key}={figure},")
    for part, found in parts.items():
        print(f"    {part}_correlation={as_tuple(correlation(found))}")
    print_gaps(names[1], np.isnan(values[..., 1]))


def attribute_figures(
    name: str, values: Floats, distance_km: Floats, first: date
) -> tuple[dict[str, object], Floats, Floats, Floats]:
    """One attribute, [Y, X]: its figures, and its parts day [Y], station [X] and local [Y, X]."""
    known = values[~np.isnan(values)]
    scaled = {"logarithm": np.log, "root": np.sqrt, "identity": np.asarray}[TRANSFORMS[name]](values)
    station = np.nanmean(scaled - np.nanmean(scaled, axis=1, keepdims=True), axis=0)
    common = np.nanmean(scaled - station, axis=1)
    local = scaled - station - common[:, np.newaxis]
    days = np.arange(len(values))
    turn = 2 * np.pi * days / 365
    weekday = np.eye(7)[(days + first.weekday()) % 7]
    terms = np.column_stack([np.sin(turn), np.cos(turn), weekday if name in WEEKLY else np.ones(len(days))])
    factors = np.linalg.lstsq(terms, common, rcond=None)[0]
    day = common - terms @ factors
    weekly = factors[2:] - factors[2:].mean()
    local_range_km, nugget = fit_range(pair_correlations(local), distance_km, demeaned=True)
    figures: dict[str, object] = {
        "name": repr(name),
        "transform": repr(TRANSFORMS[name]),
        "decimals": DECIMALS[name],
        "mean": round(float(known.mean()), 4),
        "sd": round(float(known.std()), 4),
        "lowest": float(known.min()),
        "season_sin": round(float(factors[0]), 4),
        "season_cos": round(float(factors[1]), 4),
        "weekday": tuple(np.round(weekly, 3).tolist()) if name in WEEKLY else (),
        "day_sd": round(float(day.std()), 4),
        "day_persistence": round(autocorrelation(day[:, np.newaxis]), 3),
        "station_sd": round(float(station.std()), 4),
        "station_skew": round(float(((station - station.mean()) ** 3).mean() / station.std() ** 3), 2),
        "station_range_km": station_range(station, distance_km),
        "local_sd": round(float(np.nanstd(local)), 4),
        "local_persistence": round(autocorrelation(local), 3),
        "local_range_km": local_range_km,
        "local_nugget": nugget,
    }
    return figures, day, station, local


def autocorrelation(series: Floats) -> float:
    """With the day before, all columns together; pairs with a missing value are left out."""
    centred = series - np.nanmean(series, axis=0)
    return float(np.nanmean(centred[1:] * centred[:-1]) / np.nanmean(centred**2))


def pair_correlations(local: Floats) -> Floats:
    """Covariances between cells over the mean variance. Shape [X, X]."""
    covariance = np.ma.cov(np.ma.masked_invalid(local), rowvar=False).filled(np.nan)
    return np.asarray(covariance / np.mean(np.diag(covariance)))


def fit_range(found: Floats, distance_km: Floats, *, demeaned: bool) -> tuple[float, float]:
    """Range and nugget whose correlations, less the mean over cells as the data are, fit best bin by bin."""
    pairs = np.triu_indices(len(found), 1)
    bins = np.digitize(distance_km[pairs], BINS_KM)

    def by_bin(matrix: Floats) -> Floats:
        return np.array([matrix[pairs][bins == b].mean() for b in np.unique(bins)])

    best, wanted = (np.inf, 0.0, 0.0), by_bin(found)
    for range_km in np.arange(5.0, 305.0, 5.0):
        for nugget in np.arange(0.0, 0.95, 0.05):
            model = (1 - nugget) * np.exp(-distance_km / range_km)
            np.fill_diagonal(model, 1.0)
            if demeaned:
                model = model - model.mean(axis=0) - model.mean(axis=1)[:, np.newaxis] + model.mean()
                model /= np.mean(np.diag(model))
            best = min(best, (float(((by_bin(model) - wanted) ** 2).sum()), float(range_km), round(float(nugget), 2)))
    return best[1], best[2]


def station_range(station: Floats, distance_km: Floats) -> float:
    """The range of what stays, with no nugget: 24 places are too few for more."""
    centred = station - station.mean()
    return fit_range_only(np.outer(centred, centred) / centred.var(), distance_km)


def fit_range_only(found: Floats, distance_km: Floats) -> float:
    """As `fit_range`, without a nugget."""
    pairs = np.triu_indices(len(found), 1)
    bins = np.digitize(distance_km[pairs], BINS_KM)
    errors = []
    ranges = np.arange(1.0, 201.0, 1.0)
    for range_km in ranges:
        model = np.exp(-distance_km / range_km)
        model = model - model.mean(axis=0) - model.mean(axis=1)[:, np.newaxis] + model.mean()
        model /= np.mean(np.diag(model))
        difference = model[pairs] - found[pairs]
        errors.append(sum(difference[bins == b].mean() ** 2 * (bins == b).sum() for b in np.unique(bins)))
    return float(ranges[int(np.argmin(errors))])


def correlation(columns: list[Floats]) -> Floats:
    """Between attributes; rows with a missing value are left out."""
    stacked = np.stack(columns, axis=1)
    return np.corrcoef(stacked[~np.isnan(stacked).any(axis=1)], rowvar=False)


def as_tuple(matrix: Floats) -> str:
    """As it stands in the plan."""
    return str(tuple(tuple(row) for row in np.round(matrix, 3).tolist()))


def print_gaps(name: str, missing: NDArray[np.bool_]) -> None:
    """Print the figures of the gaps of one attribute, [Y, X]."""
    padded = np.pad(missing.astype(int), ((1, 1), (0, 0)))
    starts = (np.diff(padded, axis=0) == 1).sum()
    print(f"    gaps: attribute={name!r}, count={missing.sum()}, most_a_cycle={missing.sum(axis=1).max()},")
    print(f"        mean_length={missing.sum() / starts:.2f}")


if __name__ == "__main__":
    main()
