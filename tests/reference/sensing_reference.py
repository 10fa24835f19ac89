"""A slow simulator of sensing in plain Python, written from docs/sensing_dynamics.md and from nothing else.

Lists and loops, one number at a time, but for support vectors, which are scikit-learn's. Nothing here is shared with
the kernel or with the solution checker. The names of the methods are the headings of the page.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from reference.sensing_instance import SensingReferenceInstance

Table = list[list[float | None]]  # [X][A]; None where there is nothing


class Metrics(NamedTuple):
    """The metrics of the episode so far."""

    error: float
    cost_km: float
    error_per_attribute: list[float]


class SensingReferenceSimulator:
    """One episode; cycle 0 is played at once."""

    def __init__(self, instance: SensingReferenceInstance) -> None:
        self.instance = instance
        self.cycle = 0
        self.places = list(instance.start)
        self.came_from = list(instance.start)
        self.travel_km = [0.0] * len(instance.start)
        self._before: Table = self._nothing()  # inferred in the last cycle
        self.collected = self._collect(self._sensed())
        self.inferred = self._infer(self.collected)
        self.attribute_errors = [self._attribute_errors(self._sensed(), self.inferred)]  # SE of every cycle
        self.costs_km = [0.0]

    @property
    def done(self) -> bool:
        """Whether the last cycle is over."""
        return self.cycle == self.instance.num_cycles - 1

    def step(self, actions: Sequence[int]) -> None:
        """Move, sense, infer, compare."""
        self.cycle += 1
        self.came_from = self.places
        self.places = self._moved(actions)
        self.travel_km = [
            0.0 if u == v else self._distance(u, v) for u, v in zip(self.came_from, self.places, strict=True)
        ]
        self._before = self.inferred
        self.collected = self._collect(self._sensed())
        self.inferred = self._infer(self.collected)
        self.attribute_errors.append(self._attribute_errors(self._sensed(), self.inferred))
        self.costs_km.append(sum(self.travel_km) / len(self.places))

    # ---- what can be asked ----

    @property
    def error(self) -> float:
        """Of this cycle, normalised: ε_y."""
        return self._normalised(self.attribute_errors[-1])

    def metrics(self) -> Metrics:
        """After the present cycle."""
        cycles = self.cycle + 1
        per_attribute = [
            sum(errors[a] for errors in self.attribute_errors) / cycles / scale
            for a, scale in enumerate(self.instance.scale)
        ]
        return Metrics(sum(per_attribute), sum(self.costs_km) / cycles, per_attribute)

    def shared(self) -> list[float]:
        """Rewards ``shared`` of the last step."""
        agents = self.instance.num_agents
        return [(-self.error - self.instance.cost_weight * self.costs_km[-1]) / agents] * agents

    def marginal(self) -> list[float]:
        """Rewards ``marginal`` of the last step."""
        gains = [self.error_without(x) - self.error if x in self.places else 0.0 for x in self._cells()]
        of_cost = [kilometres / len(self.places) for kilometres in self.travel_km]
        weight = self.instance.cost_weight
        if self.instance.participants_act:
            alone = [self.places.count(x) == 1 for x in self.places]
            return [(gains[x] if alone[p] else 0.0) - weight * of_cost[p] for p, x in enumerate(self.places)]
        came = [sum(of_cost[p] for p, there in enumerate(self.places) if there == x) for x in self._cells()]
        return [gains[x] - weight * came[x] for x in self._cells()]

    def error_without(self, cell: int) -> float:
        """ε_y if no participant had been in this cell."""
        sensed = self._sensed() - {cell}
        return self._normalised(self._attribute_errors(sensed, self._infer(self._collect(sensed))))

    # ---- moves ----

    def _moved(self, actions: Sequence[int]) -> list[int]:
        if self.instance.participants_act:
            return list(actions)
        places = []
        for p, u in enumerate(self.places):
            askers = [x for x in self._cells() if actions[x] == p + 1]
            places.append(min(askers, key=lambda x, u=u: (self._distance(u, x), x)) if askers else u)
        return places

    def _distance(self, x: int, z: int) -> float:
        (x_km, y_km), (other_x_km, other_y_km) = self.instance.places_km[x], self.instance.places_km[z]
        return float(np.hypot(x_km - other_x_km, y_km - other_y_km))

    def _cells(self) -> range:
        return range(self.instance.num_cells)

    # ---- sensing ----

    def _sensed(self) -> set[int]:
        return set(self.places)

    def _truth(self) -> tuple[tuple[float | None, ...], ...]:
        return self.instance.values[self.cycle]

    def _collect(self, sensed: set[int]) -> Table:
        return [list(row) if x in sensed else [None] * len(row) for x, row in enumerate(self._truth())]

    def _nothing(self) -> Table:
        return [[None] * self.instance.num_attributes for _ in self._cells()]

    # ---- inference ----

    def _infer(self, collected: Table) -> Table:
        inferred = self._nothing()
        for x in self._cells():
            for a in range(self.instance.num_attributes):
                others = [(z, v) for z in self._cells() if z != x and (v := collected[z][a]) is not None]
                if not others:
                    inferred[x][a] = self._before[x][a]
                elif self.instance.inference == "svr":
                    inferred[x][a] = self._support_vectors(x, others)
                else:
                    inferred[x][a] = self._nearest(x, others)
        return inferred

    def _nearest(self, x: int, others: list[tuple[int, float]]) -> float:
        power = self.instance.power if self.instance.inference == "idw" else 0.0
        near = sorted(others, key=lambda other: (self._distance(x, other[0]), other[0]))[: self.instance.neighbours]
        weights = [max(self._distance(x, z), 1e-6) ** -power for z, _ in near]
        return sum(weight * value for weight, (_, value) in zip(weights, near, strict=True)) / sum(weights)

    def _support_vectors(self, x: int, others: list[tuple[int, float]]) -> float:
        from sklearn.svm import SVR

        if len(others) == 1:
            return others[0][1]
        # The solver stops at a tolerance of a thousandth, and the last bit of what it is given can move where it stops.
        # So means and deviations are NumPy's here, to the last bit those that a user of scikit-learn would take.
        centred = np.array(self.instance.places_km) - np.mean(self.instance.places_km, axis=0)
        places = centred / np.std(centred)
        known, values = [z for z, _ in others], np.array([value for _, value in others])
        deviation = np.std(values) or 1.0
        model = SVR(kernel="rbf", gamma="scale", C=self.instance.svr_c, epsilon=self.instance.svr_epsilon)
        model.fit(places[known], (values - np.mean(values)) / deviation)
        return float(model.predict(places[[x]])[0] * deviation + np.mean(values))

    # ---- error ----

    def _attribute_errors(self, sensed: set[int], inferred: Table) -> list[float]:
        errors = []
        for a, scale in enumerate(self.instance.scale):
            parts = []
            for x in self._cells():
                true, guess = self._truth()[x][a], inferred[x][a]
                if x not in sensed and true is not None:
                    parts.append(scale if guess is None else abs(guess - true))
            errors.append(sum(parts) / len(parts) if parts else 0.0)
        return errors

    def _normalised(self, attribute_errors: list[float]) -> float:
        return sum(error / scale for error, scale in zip(attribute_errors, self.instance.scale, strict=True))
