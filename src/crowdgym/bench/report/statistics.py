"""What some scores come to: mean, standard deviation, and an interquartile mean with its interval."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError

RESAMPLES = 2000
CONFIDENCE = 0.95
_SEED = 20250

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An interquartile mean, and the ends of its confidence interval."""

    iqm: float
    low: float
    high: float


def require_rliable() -> None:
    """Check that intervals can be worked out, so that nobody plays for hours in vain.

    Raises:
        ConfigError: rliable is not installed.
    """
    if find_spec("rliable") is None:
        raise ConfigError(
            "the tables of a suite need rliable, which is not installed: install crowdgym with its extra 'bench' "
            "(pip install 'crowdgym[bench]')"
        )


def interquartile_mean(scores: Scores) -> Interval:
    """The mean of the middle half of all scores, with a 95 % interval by stratified bootstrap (Agarwal et al. 2021).

    The same scores give the same interval.

    Args:
        scores: episodes are drawn anew within each column. Shape [episodes, strata].
    """
    with _explicit_randomness():
        from rliable import metrics

    return _bootstrapped(scores, lambda drawn: np.array([metrics.aggregate_iqm(drawn)]))[0]


def interquartile_means(scores: Scores) -> list[Interval]:
    """The same of each column by itself: `interquartile_mean` of many cells in the time of one.

    Args:
        scores: shape [episodes, cells].
    """
    from scipy.stats import trim_mean

    return _bootstrapped(scores, lambda drawn: np.asarray(trim_mean(drawn, proportiontocut=0.25, axis=0)))


def _bootstrapped(scores: Scores, statistics: Callable[[Scores], Scores]) -> list[Interval]:
    """Each of some statistics, and the interval in which it is in 95 % of all samples.

    Args:
        scores: shape [episodes, strata].
        statistics: from a sample of the same shape to an array of shape [n].
    """
    with _explicit_randomness():
        from rliable import library

        points, ends = library.get_interval_estimates(
            {"": scores}, statistics, reps=RESAMPLES, confidence_interval_size=CONFIDENCE
        )
    low, high = ends[""]
    return [Interval(*map(float, of)) for of in zip(points[""], low, high, strict=True)]


@contextmanager
def _explicit_randomness() -> Iterator[None]:
    """Seed what rliable draws from and put it back.

    Its ``random_state`` does not do that: the stratified bootstrap of rliable 1.2 draws from NumPy's global generator
    whatever it is given.
    """
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(_SEED)  # noqa: NPY002
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of imports of libraries that are not ours
            yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
