"""Sorting without an allocation, which is what a kernel may do."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.jit import kernel


@kernel
def _sift_down(keys: NDArray[np.int64], root: int, count: int) -> None:
    """Let the key at ``root`` sink to its place in the heap ``keys[:count]`` (largest on top)."""
    sinking = keys[root]
    child = 2 * root + 1
    while child < count:
        if child + 1 < count and keys[child + 1] > keys[child]:
            child += 1
        if keys[child] <= sinking:
            break
        keys[root] = keys[child]
        root = child
        child = 2 * root + 1
    keys[root] = sinking


@kernel
def heap_sort(keys: NDArray[np.int64], count: int) -> None:
    """Sort ``keys[:count]`` in place, ascending."""
    for root in range(count // 2 - 1, -1, -1):
        _sift_down(keys, root, count)
    for last in range(count - 1, 0, -1):
        keys[0], keys[last] = keys[last], keys[0]
        _sift_down(keys, 0, last)
