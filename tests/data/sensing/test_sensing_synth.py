"""`piemonte-synth`: always the same, and like the real series in what its plan says."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.registry import load_series
from crowdgym.data.sensing import SensingSeries
from crowdgym.data.sensing.piemonte import read_piemonte
from crowdgym.data.synthetic.series.draw import draw, plan_of

NAMES = ("EMI", "PM10", "TEMP", "WS")
# Raised together with SERIES_VERSION, when the same name is meant to give another series.
CHECKSUM = "8dc2634fa40f2b0893d7a0523f11ee0683bbc4a10b4cc62722043d6f4eb22f4e"


def test_it_is_the_same_series_at_every_call_and_on_every_machine() -> None:
    series = load_series("piemonte-synth")
    again = draw(plan_of("piemonte-synth"), np.random.SeedSequence(20_051_001))
    assert series.checksum == again.checksum == CHECKSUM
    assert load_series("piemonte-synth") is series


def test_it_has_the_size_and_the_gaps_of_the_real_one() -> None:
    series = load_series("piemonte-synth")
    assert series.values.shape == (182, 24, 4)
    assert series.attributes == NAMES
    assert (series.cycles[0], series.cycles[-1], series.cycle_s) == ("2005-10-01", "2006-03-31", 86_400.0)
    assert series.missing.tolist() == [0, 314, 0, 0]
    assert np.isnan(series.values[..., 1]).sum(axis=1).max() <= 8


def test_another_seed_gives_another_series_of_the_same_kind() -> None:
    other = draw(plan_of("piemonte-synth"), np.random.SeedSequence(1))
    assert other.missing.tolist() == [0, 314, 0, 0]
    assert other.checksum != CHECKSUM


def test_an_unknown_plan_is_refused() -> None:
    with pytest.raises(DataError, match="unknown synthetic series 'lombardia'; expected one of piemonte-synth"):
        plan_of("lombardia")


def values_of(series: SensingSeries) -> NDArray[np.float64]:
    return series.values[..., [series.attributes.index(name) for name in NAMES]]


def nearby_difference(values: NDArray[np.float64], series: SensingSeries) -> NDArray[np.float64]:
    """How far a value is from the mean of its cell's three nearest, on average, by attribute. Shape [A]."""
    distance_km = np.hypot(*(np.subtract.outer(each, each) for each in (series.x_km, series.y_km)))
    nearest = np.argsort(distance_km, axis=1, kind="stable")[:, 1:4]
    around = np.ma.masked_invalid(values[:, nearest]).mean(axis=2)
    return np.asarray(np.ma.abs(np.ma.masked_invalid(values) - around).mean(axis=(0, 1)))


def local_persistence(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation with the day before of what neither the day nor the cell explains. Shape [A]."""
    rest = values - np.nanmean(values, axis=1, keepdims=True) - np.nanmean(values, axis=0) + np.nanmean(values, (0, 1))
    return np.nanmean(rest[1:] * rest[:-1], axis=(0, 1)) / np.nanvar(rest, axis=(0, 1))


@pytest.mark.real_data
def test_its_statistics_are_those_of_the_real_series(shared_data: Callable[[str], Path]) -> None:
    real_series = read_piemonte(shared_data("piemonte"))
    synthetic_series = load_series("piemonte-synth")
    real, synthetic = values_of(real_series), values_of(synthetic_series)

    def compare(statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]], **tolerance: float) -> None:
        np.testing.assert_allclose(statistic(synthetic), statistic(real), **tolerance)  # type: ignore[arg-type]

    assert np.allclose(real_series.x_km, synthetic_series.x_km)
    assert np.allclose(real_series.y_km, synthetic_series.y_km)
    compare(lambda values: np.nanmean(values, axis=(0, 1)), rtol=0.01)
    compare(lambda values: np.nanstd(values, axis=(0, 1)), rtol=0.01)
    compare(lambda values: np.nanmin(values, axis=(0, 1)), rtol=0.3)
    compare(lambda values: np.nanmax(values, axis=(0, 1)), rtol=0.3)
    compare(lambda values: np.nanmean(values, axis=1).std(axis=0), rtol=0.15)  # from day to day
    compare(lambda values: np.nanmean(values, axis=0).std(axis=0), rtol=0.15)  # from cell to cell
    compare(local_persistence, atol=0.25)
    compare(lambda values: nearby_difference(values, real_series), rtol=0.2)
    correlation = [
        np.ma.corrcoef(np.ma.masked_invalid(each.reshape(-1, 4)), rowvar=False) for each in (synthetic, real)
    ]
    np.testing.assert_allclose(correlation[0], correlation[1], atol=0.12)
