"""Support vector regression with a radial kernel, compiled: what an inference by it would give for other values.

The problem is that of ε-SVR (Smola and Schölkopf, "A tutorial on support vector regression", 2004) in β = α − α*:

    min ½ βᵀKβ − yᵀβ + ε Σ|β_i|    with Σ β_i = 0, |β_i| ≤ C

It is solved by pairs: the two coefficients that violate the optimality conditions most change together.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.sensing.scheme import Cells, Floats
from crowdgym.common.jit import jit

_TOLERANCE: Final = 1e-3  # of the optimality conditions, as scikit-learn's
_MOST_STEPS: Final = 100_000


@jit
def fit_coefficients(kernel: Floats, values: Floats, c: float, epsilon: float, coefficients: Floats) -> float:
    """Write β into ``coefficients``, [n], for the ``kernel``, [n, n], and ``values``, [n]; returns the intercept."""
    n = len(values)
    coefficients[:] = 0.0
    slope = -values.copy()  # of the smooth part
    rising = falling = 0.0
    for _ in range(_MOST_STEPS):
        up, rising, down, falling = -1, np.inf, -1, -np.inf
        for i in range(n):
            if coefficients[i] < c:
                to_right = slope[i] + (epsilon if coefficients[i] >= 0.0 else -epsilon)
                if to_right < rising:
                    up, rising = i, to_right
            if coefficients[i] > -c:
                to_left = slope[i] + (epsilon if coefficients[i] > 0.0 else -epsilon)
                if to_left > falling:
                    down, falling = i, to_left
        if falling - rising < _TOLERANCE:
            break
        step = (falling - rising) / max(kernel[up, up] + kernel[down, down] - 2.0 * kernel[up, down], 1e-12)
        step = min(step, c - coefficients[up], coefficients[down] + c)
        if coefficients[up] < 0.0:
            step = min(step, -coefficients[up])  # to where |β| has its kink
        if coefficients[down] > 0.0:
            step = min(step, coefficients[down])
        coefficients[up] += step
        coefficients[down] -= step
        for k in range(n):
            slope[k] += step * (kernel[up, k] - kernel[down, k])
    return -0.5 * (rising + falling)


@jit
def kernels(places: Floats, known: Cells, wanted: Cells) -> tuple[Floats, Floats]:
    """exp(−γ d²) among known cells, [n, n], and from known to wanted ones, [n, m]; γ is 1 / (2 · variance)."""
    n = len(known)
    middle = 0.0
    for i in range(n):
        middle += (places[known[i], 0] + places[known[i], 1]) / (2.0 * n)
    variance = 0.0
    for i in range(n):
        variance += ((places[known[i], 0] - middle) ** 2 + (places[known[i], 1] - middle) ** 2) / (2.0 * n)
    gamma = 1.0 / (2.0 * variance) if variance > 0.0 else 1.0
    among, across = np.empty((n, n)), np.empty((n, len(wanted)))
    for i in range(n):
        x, y = places[known[i], 0], places[known[i], 1]
        for j in range(i + 1):
            squared = (x - places[known[j], 0]) ** 2 + (y - places[known[j], 1]) ** 2
            among[i, j] = among[j, i] = np.exp(-gamma * squared)
        for k in range(len(wanted)):
            squared = (x - places[wanted[k], 0]) ** 2 + (y - places[wanted[k], 1]) ** 2
            across[i, k] = np.exp(-gamma * squared)
    return among, across


@jit
def predict(among: Floats, across: Floats, values: Floats, c: float, epsilon: float) -> Floats:
    """Predict the values of m wanted cells from the ``values``, [n], of the known cells; see `kernels`. Shape [m]."""
    n = len(values)
    mean, deviation = values.mean(), values.std()
    if n < 2 or deviation == 0.0:
        return np.full(across.shape[1], mean)
    coefficients = np.empty(n)
    intercept = fit_coefficients(among, (values - mean) / deviation, c, epsilon, coefficients)
    return np.asarray(mean + deviation * (intercept + np.dot(coefficients, across)))


@jit
def smoothing_weights(among: Floats, across: Floats, ridge: float) -> Floats:
    """The weights of the known cells in a kernel regression with a free mean, sum 1: how noise passes. Shape [m, n].

    Support vector regression is not linear in the values. For small changes this linear regression is close to it.
    """
    n, m = across.shape
    system, right = np.ones((n + 1, n + 1)), np.ones((n + 1, m))
    system[:n, :n] = among
    right[:n] = across
    for i in range(n):
        system[i, i] += ridge
    system[n, n] = 0.0
    return np.ascontiguousarray(np.linalg.solve(system, right)[:n].T)


def scaled_places(places_km: NDArray[np.float64]) -> Floats:
    """Coordinates as the environment gives them to the regression: centred, over their deviation. Shape [X, 2]."""
    centred = places_km - places_km.mean(axis=0)
    return np.asarray(centred / max(float(centred.std()), 1e-6))
