"""Expected errors after one swap: only values that are inferred from one of its two cells are worked out again.

The results are those of `crowdgym.agents.sensing.expected_error.cell_errors`, to the bit.
"""

import numpy as np

from crowdgym.agents.sensing.expected_error import Field, cell_errors
from crowdgym.agents.sensing.field_moments import Flags
from crowdgym.agents.sensing.inference_rule import Inference
from crowdgym.agents.sensing.scheme import Cells, Floats
from crowdgym.common.jit import jit


@jit
def ranks_of(nearest: Cells) -> Cells:
    """Of each cell, the rank it has among the neighbours of every other one; of itself X. Shape [X, X]."""
    cells = len(nearest)
    rank = np.full((cells, cells), cells)
    for y in range(cells):
        for k in range(nearest.shape[1]):
            rank[nearest[y, k], y] = k
    return rank


@jit
def reach_of(field: Field, inference: Inference, sensed: Flags) -> Cells:
    """The rank of the farthest neighbour that a cell's values are inferred from, X where there are too few. Shape [X].

    With support vectors, values are inferred from all sensed cells, and this is not used.
    """
    cells = len(sensed)
    reach = np.zeros(cells, np.int64)
    if inference.neighbours == 0:
        return reach
    for y in range(cells):
        for a in range(len(field.weight)):
            left, k = inference.neighbours, 0
            while k < cells - 1 and left > 0:
                z = inference.nearest[y, k]
                if sensed[z] and (field.complete[a] or field.gives[a, z]):
                    left -= 1
                k += 1
            reach[y] = max(reach[y], k - 1 if left == 0 else cells)
            if field.complete.all():
                break
    return reach


@jit
def errors_after(
    field: Field,
    inference: Inference,
    sensed: Flags,
    judged: Flags,
    errors: Floats,
    rank: Cells,
    reach: Cells,
    left: int,
    come: int,
) -> Floats:
    """The errors of the judged cells that are not sensed, once ``left`` is not and ``come`` is; 0 of the others. [X].

    Args:
        field: what is expected of the next cycle.
        inference: the rule by which values are inferred.
        sensed: what is sensed after the swap. Shape [X].
        judged: the cells that count. Shape [X].
        errors: before the swap. Shape [X].
        rank: of `ranks_of`. Shape [X, X].
        reach: of `reach_of`, before the swap. Shape [X].
        left: the cell that is sensed no more.
        come: the cell that is sensed instead.
    """
    if inference.neighbours == 0:
        return cell_errors(field, inference, sensed, judged & ~sensed)
    changed = np.zeros(len(sensed), np.bool_)
    for y in range(len(sensed)):
        if judged[y] and not sensed[y]:
            changed[y] = y == left or rank[left, y] <= reach[y] or rank[come, y] < reach[y]
    after = cell_errors(field, inference, sensed, changed)
    for y in range(len(sensed)):
        if judged[y] and not sensed[y] and not changed[y]:
            after[y] = errors[y]
    return after
