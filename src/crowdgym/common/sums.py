"""Sums that are the same in compiled and in interpreted runs.

``array.sum()`` adds one number after the other where it is compiled, and blocks of them in NumPy: the last bits differ.
"""

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined


@inlined
def total(values: NDArray[np.float64] | NDArray[np.int64]) -> float:
    """The sum of ``values``, shape [n], added from the first to the last."""
    so_far = 0.0
    for value in values:
        so_far += value
    return so_far
