"""The error of a cycle that the model of the field predicts for a set of sensed cells, under the inference in use.

The value inferred in a cell is a function of the values of the sensed ones. For a weighted mean, the difference to the
true value is normal, with a mean and a variance that follow from the field. For support vector regression its mean is
taken from the regression of the means, and its variance from a kernel regression, which passes noise alike. Either way
the expected absolute error is that of a normal variable.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from crowdgym.agents.sensing.field_moments import Flags
from crowdgym.agents.sensing.inference_rule import Inference
from crowdgym.agents.sensing.scheme import Cells, Floats
from crowdgym.agents.sensing.support_vectors import kernels, predict, smoothing_weights
from crowdgym.common.jit import inlined, jit

RIDGE: Final = 0.3  # of the kernel regression; of 0.1, 0.3 and 1 it predicts the errors on piemonte-synth best


class Field(NamedTuple):
    """What is expected of the next cycle. A attributes, X cells."""

    mean: Floats  # [A, X]
    covariance: Floats  # [A, X, X]
    weight: Floats  # [A] of the error of each attribute, 1 / Γ; 0 leaves it out
    gives: Flags  # [A, X] whether a participant there collects a value
    complete: Flags  # [A] whether all cells give one


def expected_error(field: Field, inference: Inference, sensed: Flags) -> float:
    """The mean expected absolute error of the cells that are not sensed, over Γ, summed over attributes."""
    errors = cell_errors(field, inference, sensed, ~sensed)
    return float(errors.sum() / max(len(sensed) - int(sensed.sum()), 1))


@jit
def cell_errors(field: Field, inference: Inference, sensed: Flags, wanted: Flags) -> Floats:
    """The expected absolute error of each wanted cell, over Γ, summed over attributes; 0 of the others. Shape [X].

    A wanted cell's own value is not used, even if it is sensed.
    """
    if inference.neighbours > 0:
        return _of_weighted_means(field, inference, sensed, wanted)
    return _of_support_vectors(field, inference, sensed, np.flatnonzero(wanted))


@inlined
def _absolute(mean: float, variance: float) -> float:
    """E|z| of a normal z."""
    if variance <= 1e-18:
        return abs(mean)
    deviation = math.sqrt(variance)
    ratio = mean / deviation
    return deviation * math.sqrt(2.0 / math.pi) * math.exp(-0.5 * ratio * ratio) + mean * math.erf(
        ratio / math.sqrt(2.0)
    )


@jit
def _of_weighted_means(field: Field, inference: Inference, sensed: Flags, wanted: Flags) -> Floats:
    nearest, neighbours = inference.nearest, inference.neighbours
    errors = np.zeros(len(sensed))
    used, share = np.empty(neighbours, np.int64), np.empty(neighbours)
    for x in range(len(sensed)):
        if not wanted[x]:
            continue
        m = -1  # neighbours that are used; those of the last attribute serve the next if both are complete
        for a in range(len(field.weight)):
            if field.weight[a] == 0.0:
                continue
            if m < 0 or not field.complete[a]:
                m, total = 0, 0.0
                for rank in range(nearest.shape[1]):
                    z = nearest[x, rank]
                    if sensed[z] and (field.complete[a] or field.gives[a, z]):
                        used[m], share[m] = z, inference.weight[x, rank]
                        total += share[m]
                        m += 1
                        if m == neighbours:
                            break
                for i in range(m):
                    share[i] /= total
            errors[x] += field.weight[a] * _absolute_of(field.mean[a], field.covariance[a], x, used[:m], share[:m])
            if not field.complete[a]:
                m = -1
    return errors


@jit
def _absolute_of(mean: Floats, covariance: Floats, x: int, used: Cells, share: Floats) -> float:
    """E|v_x − Σ share · v_used|, where the shares have the sum 1."""
    ahead, variance = mean[x], covariance[x, x]
    for i in range(len(used)):
        u, weight = used[i], share[i]
        ahead -= weight * mean[u]
        part = weight * covariance[u, u] - 2.0 * covariance[x, u]
        for j in range(i):
            part += 2.0 * share[j] * covariance[u, used[j]]
        variance += weight * part
    return _absolute(ahead, variance)


@jit
def _of_support_vectors(field: Field, inference: Inference, sensed: Flags, wanted: Cells) -> Floats:
    errors = np.zeros(len(sensed))
    known = np.flatnonzero(sensed)
    among, across = kernels(inference.places, known, wanted)
    weights = smoothing_weights(among, across, RIDGE)
    for a in range(len(field.weight)):
        if field.weight[a] == 0.0:
            continue
        here, from_here, to_wanted, share = known, among, across, weights
        if not field.complete[a]:
            here = np.flatnonzero(sensed & field.gives[a])
            from_here, to_wanted = kernels(inference.places, here, wanted)
            share = smoothing_weights(from_here, to_wanted, RIDGE)
        mean, covariance = field.mean[a], field.covariance[a]
        if len(here) == 0:
            continue
        expected = predict(from_here, to_wanted, mean[here], inference.c, inference.epsilon)
        for k in range(len(wanted)):
            x = wanted[k]
            variance = covariance[x, x]
            for i in range(len(here)):
                part = share[k, i] * covariance[here[i], here[i]] - 2.0 * covariance[x, here[i]]
                for j in range(i):
                    part += 2.0 * share[k, j] * covariance[here[i], here[j]]
                variance += share[k, i] * part
            errors[x] += field.weight[a] * _absolute(mean[x] - expected[k], variance)
    return errors
