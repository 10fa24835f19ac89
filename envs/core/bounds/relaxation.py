"""Linear relaxations, with a value that holds whatever the solver's tolerances."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

ROUNDING: Final = 1e-9  # of a sum, relative; far more than there is


def certified_maximum(gain: FloatArray, matrix: Any, limit: FloatArray, upper: FloatArray) -> float:
    """A value that no x with matrix x <= limit and 0 <= x <= upper exceeds in gain · x; the least, but for rounding.

    Any weights y >= 0 of the rows prove gain · x <= y · limit + Σ max(0, gain − y · matrix) upper: the solver only
    proposes them. So a solution that is a little off makes the bound a little larger, never wrong.

    Args:
        gain: shape [n].
        matrix: sparse, shape [m, n].
        limit: shape [m].
        upper: finite. Shape [n].
    """
    from scipy.optimize import linprog

    trivial = float(np.maximum(gain, 0.0) @ upper) * (1.0 + ROUNDING)
    if matrix.shape[0] == 0 or trivial == 0.0:
        return trivial
    limits: Any = np.column_stack([np.zeros_like(upper), upper])
    solved: Any = linprog(-gain, A_ub=matrix, b_ub=limit, bounds=limits, method="highs")
    if solved.ineqlin is None or solved.ineqlin.marginals is None:
        return trivial
    weight = np.maximum(-solved.ineqlin.marginals, 0.0)
    reduced = np.maximum(gain - matrix.T @ weight, 0.0)
    terms = np.concatenate([weight * limit, reduced * upper])
    return min(trivial, float(terms.sum() + ROUNDING * np.abs(terms).sum()))


class Rows:
    """Collects the rows of a sparse matrix and their limits."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._values: list[FloatArray] = []
        self._columns: list[NDArray[np.intp]] = []
        self._limits: list[float] = []

    def add(self, columns: NDArray[np.intp], values: FloatArray, limit: float) -> None:
        """One row: values · x[columns] <= limit."""
        self._columns.append(columns)
        self._values.append(np.broadcast_to(np.asarray(values, np.float64), columns.shape))
        self._limits.append(limit)

    def matrix(self) -> Any:
        """All rows. Sparse, shape [m, n]."""
        from scipy.sparse import csr_array

        lengths = [len(columns) for columns in self._columns]
        indptr = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
        values = np.concatenate([*self._values, np.zeros(0)])
        columns = np.concatenate([*self._columns, np.zeros(0, np.intp)])
        return csr_array((values, columns, indptr), shape=(len(lengths), self._width))

    def limits(self) -> FloatArray:
        """Of all rows. Shape [m]."""
        return np.array(self._limits)
