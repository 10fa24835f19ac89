"""Inference by support vector regression on the coordinates (paper, section 5.2), with scikit-learn's solver."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

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
        apart = ((places[:, np.newaxis] - places) ** 2).sum(axis=2)
        gives = ~np.isnan(collected)
        inferred = np.full(collected.shape, np.nan)
        outside: dict[bytes, _Plan] = {}  # by where there are values: mostly the same for all attributes
        inside: dict[bytes, _Plan] = {}
        for a in range(collected.shape[1]):
            key = gives[:, a].tobytes()
            if key not in outside:
                known, unknown = np.flatnonzero(gives[:, a]), np.flatnonzero(~gives[:, a])
                others = known[_all_but_one(len(known))]
                outside[key] = _plan(places, apart, known[np.newaxis], unknown[np.newaxis])
                inside[key] = _plan(places, apart, others, known[:, np.newaxis])
            for plan in (outside[key], inside[key]):
                if plan.known.size and plan.wanted.size:
                    inferred[plan.wanted, a] = self._predict(places, collected[:, a], plan)
        return inferred

    def _predict(self, places: Floats, values: Floats, plan: "_Plan") -> Floats:
        """Predict some cells from others, several times over; what can be is worked out for all at once.

        Args:
            places: shape [cells, 2].
            values: shape [cells].
            plan: what is predicted from what.

        Returns:
            Shape [fits, m].
        """
        known = plan.known
        mean, deviation = values[known].mean(axis=1), values[known].std(axis=1)  # [fits]
        if known.shape[1] == 1:
            return np.repeat(mean[:, np.newaxis], plan.wanted.shape[1], axis=1)
        deviation[deviation == 0.0] = 1.0
        scaled = (values[known] - mean[:, np.newaxis]) / deviation[:, np.newaxis]
        fit = _fit()
        coefficients = np.zeros(known.shape)  # of cells that are no support vectors: 0
        intercept = np.empty((len(known), 1))
        for k, gamma in enumerate(plan.gamma):
            support, found, intercept[k] = fit(plan.places[k], scaled[k], self._c, self._epsilon, gamma)
            coefficients[k, support] = found
        predicted = np.einsum("kn,knm->km", coefficients, plan.alike) + intercept
        return np.asarray(predicted * deviation[:, np.newaxis] + mean[:, np.newaxis])


class _Plan(NamedTuple):
    """What is predicted from what, and what this says of the kernel. Several fits, each of n cells for m others."""

    known: Cells  # [fits, n]
    wanted: Cells  # [fits, m]
    places: Floats  # [fits, n, 2] of the known cells
    gamma: list[float]  # [fits] what scikit-learn calls "scale"; 1 without a variance
    alike: Floats  # [fits, n, m] the kernel between known and wanted cells


def _plan(places: Floats, apart: Floats, known: Cells, wanted: Cells) -> _Plan:
    """The plan of some fits; ``apart`` has the squared distances between ``places``, [cells, cells]."""
    if known.shape[1] < 2:
        return _Plan(known, wanted, places[known], [], np.empty((len(known), known.shape[1], wanted.shape[1])))
    variance = places[known].reshape(len(known), -1).var(axis=1)
    variance[variance == 0.0] = 1.0 / places.shape[1]
    gamma = 1.0 / (places.shape[1] * variance)
    between = apart[known[:, :, np.newaxis], wanted[:, np.newaxis]]
    alike = np.exp(-gamma[:, np.newaxis, np.newaxis] * between)
    return _Plan(known, wanted, places[known], gamma.tolist(), alike)


@cache
def _all_but_one(number: int) -> Cells:
    """The numbers from 0 on without the first, without the second, and so on. Shape [number, number - 1]."""
    rows = np.arange(max(number - 1, 0)) + np.zeros((number, 1), np.intp)
    return np.asarray(rows + (rows >= np.arange(number)[:, np.newaxis]))


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

    epsilon_svr = 3
    found = _libsvm.fit(places, values, svm_type=epsilon_svr, kernel="rbf", C=c, epsilon=epsilon, gamma=gamma)
    support, _, _, coefficients, intercept, *_ = found
    return support, coefficients[0], float(intercept[0])
