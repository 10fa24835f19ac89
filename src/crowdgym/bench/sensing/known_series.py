"""A series with its true values, as the bounds see it: the error that any set of sensed cells has in every cycle."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.sensing.inference_rule import Inference
from crowdgym.agents.sensing.support_vectors import kernels, predict, scaled_places
from crowdgym.common.jit import jit
from crowdgym.configs.sensing import SensingSettings
from crowdgym.data.registry import load_series
from crowdgym.envs.sensing.generator import chosen_attributes, chosen_cycles, scale_of

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class KnownSeries(NamedTuple):
    """The true values of an episode, and how they are inferred. Y cycles, X cells, A attributes."""

    truth: Floats  # [Y, X, A] NaN where missing
    scale: Floats  # [A] Γ
    distance_km: Floats  # [X, X]
    inference: Inference


@lru_cache(maxsize=64)
def known_series(settings: SensingSettings) -> KnownSeries:
    """The series that these settings play."""
    series = load_series(settings.dataset)
    columns = [series.attributes.index(name) for name in chosen_attributes(series, settings)]
    distance_km = np.hypot(series.x_km - series.x_km[:, np.newaxis], series.y_km - series.y_km[:, np.newaxis])
    order = np.argsort(distance_km + np.diag(np.full(len(distance_km), np.inf)), axis=1, kind="stable")[:, :-1]
    neighbours, power = {
        "knn": (settings.knn_neighbours, 0.0),
        "idw": (settings.idw_neighbours, settings.idw_power),
        "svr": (0, 0.0),
    }[settings.inference]
    weight = np.maximum(np.take_along_axis(distance_km, order, axis=1), 1e-6) ** -power
    places = scaled_places(np.stack([series.x_km, series.y_km], axis=1))
    return KnownSeries(
        np.ascontiguousarray(series.values[chosen_cycles(series, settings)][:, :, columns]),
        np.asarray(scale_of(series, settings), np.float64),
        distance_km,
        Inference(order, weight, neighbours, places, settings.svr_c, settings.svr_epsilon),
    )


@jit
def errors_of_set(known: KnownSeries, sensed: Flags, first: int, end: int) -> Floats:
    """ε_y of the cycles from ``first`` to before ``end`` if the same cells are sensed in all of them.

    With support vector regression the errors differ from the environment's by about a thousandth, as solvers do.
    """
    errors = np.zeros(end - first)
    wanted = np.flatnonzero(~sensed)
    last = np.full((len(wanted), len(known.scale)), np.nan)
    for y in range(first, end):
        for a in range(len(known.scale)):
            truth = known.truth[y, :, a]
            if known.inference.neighbours > 0:
                _infer_by_nearest(known.inference, truth, sensed, wanted, last[:, a])
            else:
                _infer_by_support_vectors(known.inference, truth, sensed, wanted, last[:, a])
            summed, counted = 0.0, 0
            for k in range(len(wanted)):
                value = truth[wanted[k]]
                if not np.isnan(value):
                    summed += known.scale[a] if np.isnan(last[k, a]) else abs(last[k, a] - value)
                    counted += 1
            if counted > 0:
                errors[y - first] += summed / counted / known.scale[a]
    return errors


@jit
def _infer_by_nearest(
    inference: Inference, truth: Floats, sensed: Flags, wanted: NDArray[np.int64], inferred: Floats
) -> None:
    for k in range(len(wanted)):
        value, share, used = 0.0, 0.0, 0
        for rank in range(inference.nearest.shape[1]):
            z = inference.nearest[wanted[k], rank]
            if sensed[z] and not np.isnan(truth[z]):
                value += inference.weight[wanted[k], rank] * truth[z]
                share += inference.weight[wanted[k], rank]
                used += 1
                if used == inference.neighbours:
                    break
        if used > 0:
            inferred[k] = value / share


@jit
def _infer_by_support_vectors(
    inference: Inference, truth: Floats, sensed: Flags, wanted: NDArray[np.int64], inferred: Floats
) -> None:
    here = np.flatnonzero(sensed & ~np.isnan(truth))
    if len(here) > 0:
        among, across = kernels(inference.places, here, wanted)
        inferred[:] = predict(among, across, truth[here], inference.c, inference.epsilon)
