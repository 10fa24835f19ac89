"""The solution checker's own inference for sensing, from ``docs/sensing_dynamics.md``: values, errors, gains."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.verification.sensing.records import CheckedInstance, Floats

Flags = NDArray[np.bool_]

_SMALLEST_KM = 1e-6  # distances count as at least this much


class Estimator:
    """Inference and errors of one instance, whole arrays at a time."""

    def __init__(self, instance: CheckedInstance) -> None:
        self._instance = instance
        x_km, y_km = instance.x_km, instance.y_km
        self.distance_km: Floats = np.hypot(x_km[:, np.newaxis] - x_km, y_km[:, np.newaxis] - y_km)  # [X, X]
        self._order = np.argsort(self.distance_km, axis=1, kind="stable")  # [X, X] from the nearest on; ties: smaller
        power = instance.power if instance.inference == "idw" else 0.0
        near_km = np.take_along_axis(self.distance_km, self._order, axis=1)
        self._weight = np.maximum(near_km, _SMALLEST_KM) ** -power  # [X, X] in that order
        self._is_other = self._order != np.arange(instance.num_cells)[:, np.newaxis]

    def collect(self, cycle: int, sensed: Flags) -> Floats:
        """The collected values. Shape [X, A], NaN where there is none."""
        return np.where(sensed[:, np.newaxis], self._instance.values[cycle], np.nan)

    def infer(self, collected: Floats, before: Floats) -> Floats:
        """The value of every cell, inferred from other cells; the value ``before`` where there are none. [X, A]."""
        columns = [
            self._support_vectors(values) if self._instance.inference == "svr" else self._nearest(values)
            for values in collected.T
        ]
        inferred = np.stack(columns, axis=1)
        return np.where(np.isnan(inferred), before, inferred)

    def errors(self, cycle: int, sensed: Flags, inferred: Floats) -> tuple[Floats, Floats]:
        """SE of each attribute, [A], and the normalised error of each cell, [X], NaN where nothing is counted."""
        truth, scale = self._instance.values[cycle], self._instance.scale
        counted = ~sensed[:, np.newaxis] & ~np.isnan(truth)  # [X, A]
        error = np.where(counted, np.where(np.isnan(inferred), scale, np.abs(inferred - truth)), 0.0)
        of_attribute = error.sum(axis=0) / np.maximum(counted.sum(axis=0), 1)
        of_cell = np.where(counted.any(axis=1), (error / scale).sum(axis=1), np.nan)
        return of_attribute, of_cell

    def gains(self, cycle: int, sensed: Flags, before: Floats, error: float) -> Floats:
        """The increase of the normalised error without each cell; 0 for cells without participants. Shape [X]."""
        gains = np.zeros(len(sensed))
        for cell in np.flatnonzero(sensed):
            fewer = sensed.copy()
            fewer[cell] = False
            inferred = self.infer(self.collect(cycle, fewer), before)
            gains[cell] = (self.errors(cycle, fewer, inferred)[0] / self._instance.scale).sum() - error
        return gains

    def _nearest(self, values: Floats) -> Floats:
        there = ~np.isnan(values[self._order]) & self._is_other  # [X, X]
        taken = there & (there.cumsum(axis=1) <= self._instance.neighbours)
        weight = np.where(taken, self._weight, 0.0)
        total = weight.sum(axis=1)
        weighted = (weight * np.where(taken, values[self._order], 0.0)).sum(axis=1)
        inferred = np.full(len(values), np.nan)
        inferred[total > 0] = weighted[total > 0] / total[total > 0]
        return inferred

    def _support_vectors(self, values: Floats) -> Floats:
        known = ~np.isnan(values)
        inferred = np.full(len(values), np.nan)
        if known.any() and not known.all():
            inferred[~known] = self._regression(known, values, ~known)
        if known.sum() > 1:
            for cell in np.flatnonzero(known):
                alone = np.arange(len(values)) == cell
                inferred[cell] = self._regression(known & ~alone, values, alone)[0]
        return inferred

    def _regression(self, known: Flags, values: Floats, wanted: Flags) -> Floats:
        from sklearn.svm import SVR

        if known.sum() == 1:
            return np.full(int(wanted.sum()), values[known][0])
        places = np.stack([self._instance.x_km, self._instance.y_km], axis=1)
        places = places - places.mean(axis=0)
        places = places / max(float(places.std()), _SMALLEST_KM)
        mean, deviation = values[known].mean(), values[known].std() or 1.0
        model = SVR(kernel="rbf", gamma="scale", C=self._instance.svr_c, epsilon=self._instance.svr_epsilon)
        model.fit(places[known], (values[known] - mean) / deviation)
        return np.asarray(model.predict(places[wanted]) * deviation + mean, np.float64)
