"""Inference by support vector regression on the coordinates (paper, section 5.2), with scikit-learn's solver."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.sensing.inference import SMALLEST_KM, PlacesInference
from crowdgym.envs.sensing.kernel.state import Floats

Cells = NDArray[np.intp]
# Fits values on places: (places [n, 2], values [n], C, epsilon, gamma) -> (which support, coefficients, intercept).
Fit = Callable[[Floats, Floats, float, float, float], tuple[Cells, Floats, float]]


class SvrInference(PlacesInference):
    """Support vector regression with a radial kernel, coordinates and values scaled to variance 1.

    Args:
        c: the regularisation parameter C.
        epsilon: half the width of the tube in which an error costs nothing, in standard deviations of the values.
    """

    name = "svr"

    def __init__(self, c: float, epsilon: float) -> None:
        self._c = c
        self._epsilon = epsilon

    def values(self, places_km: Floats, collected: Floats) -> Floats:
        """See `PlacesInference`. One fit for the cells without a value, and one for each of the others."""
        centred = places_km - places_km.mean(axis=0)
        places = centred / max(float(centred.std()), SMALLEST_KM)
        inferred = np.full(collected.shape, np.nan)
        for a in range(collected.shape[1]):
            known = np.flatnonzero(~np.isnan(collected[:, a]))
            unknown = np.flatnonzero(np.isnan(collected[:, a]))
            if len(known) and len(unknown):
                inferred[unknown, a] = self._predict(places, collected[:, a], known[np.newaxis], unknown[np.newaxis])[0]
            if len(known) > 1:
                others = np.array([np.delete(known, index) for index in range(len(known))])
                inferred[known, a] = self._predict(places, collected[:, a], others, known[:, np.newaxis])[:, 0]
        return inferred

    def _predict(self, places: Floats, values: Floats, known: Cells, wanted: Cells) -> Floats:
        """Predict some cells from others, several times over; what can be is worked out for all at once.

        Args:
            places: shape [cells, 2].
            values: shape [cells].
            known: the cells that are learnt from. Shape [fits, n].
            wanted: the cells that are predicted. Shape [fits, m].

        Returns:
            Shape [fits, m].
        """
        mean, deviation = values[known].mean(axis=1), values[known].std(axis=1)  # [fits]
        if known.shape[1] == 1:
            return np.repeat(mean[:, np.newaxis], wanted.shape[1], axis=1)
        deviation[deviation == 0.0] = 1.0
        variance = places[known].reshape(len(known), -1).var(axis=1)
        variance[variance == 0.0] = 1.0 / places.shape[1]
        gamma = 1.0 / (places.shape[1] * variance)  # what scikit-learn calls "scale"; 1 without a variance
        scaled = (values[known] - mean[:, np.newaxis]) / deviation[:, np.newaxis]
        fit = _fit()
        coefficients = np.zeros(known.shape)  # of cells that are no support vectors: 0
        intercept = np.empty((len(known), 1))
        for k, cells in enumerate(known):
            support, found, intercept[k] = fit(places[cells], scaled[k], self._c, self._epsilon, gamma[k])
            coefficients[k, support] = found
        apart = ((places[:, np.newaxis] - places) ** 2).sum(axis=2)[known[:, :, np.newaxis], wanted[:, np.newaxis]]
        alike = np.exp(-gamma[:, np.newaxis, np.newaxis] * apart)  # [fits, n, m]
        predicted = np.einsum("kn,knm->km", coefficients, alike) + intercept
        return np.asarray(predicted * deviation[:, np.newaxis] + mean[:, np.newaxis])


@cache
def _fit() -> Fit:
    """The fastest way to scikit-learn's solver that gives what its estimator gives.

    For a dozen points the estimator spends fifteen times as long on checking its arguments as on solving. The function
    below it is not part of scikit-learn's interface, so it is tried first, and used only if it agrees.
    """
    generator = np.random.default_rng(0)
    places, values = generator.normal(size=(10, 2)), generator.normal(size=10)
    expected = _fit_by_estimator(places, values, 1.0, 0.1, 0.7)
    try:
        found = _fit_by_solver(places, values, 1.0, 0.1, 0.7)
        pairs = ((found[0], expected[0]), (found[1], expected[1]), (found[2], expected[2]))
        agree = all(np.allclose(np.asarray(one), np.asarray(other), rtol=0, atol=1e-12) for one, other in pairs)
    except (ImportError, AttributeError, TypeError, ValueError):
        agree = False
    return _fit_by_solver if agree else _fit_by_estimator


def _fit_by_estimator(
    places: Floats, values: Floats, c: float, epsilon: float, gamma: float
) -> tuple[Cells, Floats, float]:
    import sklearn
    from sklearn.svm import SVR

    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        model = SVR(C=c, epsilon=epsilon, gamma=gamma).fit(places, values)
    return model.support_, model.dual_coef_[0], float(model.intercept_[0])


def _fit_by_solver(
    places: Floats, values: Floats, c: float, epsilon: float, gamma: float
) -> tuple[Cells, Floats, float]:
    from sklearn.svm import _libsvm

    options = {"svm_type": 3, "kernel": "rbf", "C": c, "epsilon": epsilon, "gamma": gamma}  # 3: epsilon-SVR
    support, _, _, coefficients, intercept, *_ = _libsvm.fit(places, values, **options)
    return support, coefficients[0], float(intercept[0])
