"""How values are inferred from those collected in other cells. A strategy of your own is a `PlacesInference`."""

from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import kernel
from crowdgym.common.references import reference_to
from crowdgym.envs.sensing.kernel.dynamics import Copies, error_of
from crowdgym.envs.sensing.kernel.state import Floats, Ints, SensingState, World

SMALLEST_KM = 1e-6  # distances count as at least so much, or a cell at the same place would have infinite weight


class InferenceStrategy(Protocol):
    """Infers the values of all cells, each from what was collected in others.

    Attributes:
        name: of the strategy.
    """

    name: str

    def infer(self, world: World, state: SensingState, copies: Copies) -> None:
        """Write ``state.cells.inferred`` of some copies; leave what cannot be inferred from this cycle as it is."""

    def leave_out(self, world: World, state: SensingState, copies: Copies) -> None:
        """Write ``state.outcome.error_without`` of some copies: the error without what each sensed cell gave."""


class NearestRule(NamedTuple):
    """Weighted means of the nearest: what the kernel needs to know."""

    nearest: Ints  # [X, X - 1]
    weight: Floats  # [X, X - 1] of each of them
    neighbours: int


class NearestInference:
    """The weighted mean of the nearest cells with a value; weights fall with a power of the distance (0: they do not).

    This is KNN for a power of 0 and IDW for any other (paper, section 5.2).
    """

    def __init__(self, name: str, neighbours: int, power: float) -> None:
        self.name = name
        self._neighbours = neighbours
        self._power = power
        self._world: World | None = None
        self._rule: NearestRule | None = None

    def infer(self, world: World, state: SensingState, copies: Copies) -> None:
        """See `InferenceStrategy`."""
        _infer(self._rule_in(world), state, copies)

    def leave_out(self, world: World, state: SensingState, copies: Copies) -> None:
        """See `InferenceStrategy`."""
        _leave_out(world, self._rule_in(world), state, copies)

    def _rule_in(self, world: World) -> NearestRule:
        if self._world is not world or self._rule is None:
            distance_km = np.take_along_axis(world.distance_km, world.nearest.astype(np.int64), axis=1)
            weight = np.maximum(distance_km, SMALLEST_KM) ** -self._power
            self._world, self._rule = world, reference_to(NearestRule(world.nearest, weight, self._neighbours))
        return self._rule


@kernel
def _infer(rule: NearestRule, state: SensingState, copies: Copies) -> None:
    for b in copies:
        inferred, guess = state.cells.inferred[b], state.scratch.guess[b]
        complete = _is_complete(state, b)
        for x in range(inferred.shape[0]):
            if complete:
                _guess_at_all(rule, state, b, x)
            else:
                guess_at(rule, state, b, x, -1)
            for a in range(inferred.shape[1]):
                if not np.isnan(guess[a]):
                    inferred[x, a] = guess[a]


@kernel
def _is_complete(state: SensingState, b: int) -> bool:
    """Whether every cell that was sensed gave a value of every attribute."""
    crowd, collected = state.cells.crowd[b], state.cells.collected[b]
    for z in range(len(crowd)):
        if crowd[z] > 0:
            for a in range(collected.shape[1]):
                if np.isnan(collected[z, a]):
                    return False
    return True


@kernel
def _guess_at_all(rule: NearestRule, state: SensingState, b: int, x: int) -> None:
    """What `guess_at` does where `_is_complete`: all attributes are inferred from the same cells."""
    crowd, collected, guess = state.cells.crowd[b], state.cells.collected[b], state.scratch.guess[b]
    guess[:] = 0.0
    total, used = 0.0, 0
    for rank in range(rule.nearest.shape[1]):
        z = rule.nearest[x, rank]
        if crowd[z] > 0:
            weight = rule.weight[x, rank]
            for a in range(len(guess)):
                guess[a] += weight * collected[z, a]
            total += weight
            used += 1
            if used == rule.neighbours:
                break
    for a in range(len(guess)):
        guess[a] = guess[a] / total if used > 0 else np.nan


@kernel
def guess_at(rule: NearestRule, state: SensingState, b: int, x: int, without: int) -> None:
    """Write into ``state.scratch.guess`` what cell x is inferred to be, as if cell ``without`` had not been sensed."""
    crowd, collected, scratch = state.cells.crowd[b], state.cells.collected[b], state.scratch
    guess, weight, used = scratch.guess[b], scratch.weight[b], scratch.used[b]
    attributes = collected.shape[1]
    for a in range(attributes):
        guess[a], weight[a], used[a] = 0.0, 0.0, 0
    wanting = attributes
    for rank in range(rule.nearest.shape[1]):
        z = rule.nearest[x, rank]
        if crowd[z] == 0 or z == without:
            continue
        for a in range(attributes):
            if used[a] < rule.neighbours and not np.isnan(collected[z, a]):
                guess[a] += rule.weight[x, rank] * collected[z, a]
                weight[a] += rule.weight[x, rank]
                used[a] += 1
                wanting -= used[a] == rule.neighbours
        if wanting == 0:
            break
    for a in range(attributes):
        guess[a] = guess[a] / weight[a] if used[a] > 0 else np.nan


@kernel
def _leave_out(world: World, rule: NearestRule, state: SensingState, copies: Copies) -> None:
    for b in copies:
        crowd, without = state.cells.crowd[b], state.outcome.error_without[b]
        for x in range(len(crowd)):
            without[x] = _error_without(world, rule, state, b, x) if crowd[x] > 0 else np.nan


@kernel
def _error_without(world: World, rule: NearestRule, state: SensingState, b: int, left_out: int) -> float:
    cells, truth = state.cells, state.truth[b, state.cycle[b]]
    total, counted, guess = state.scratch.total[b], state.scratch.counted[b], state.scratch.guess[b]
    attributes = truth.shape[1]
    for a in range(attributes):
        total[a], counted[a] = 0.0, 0
    for x in range(truth.shape[0]):
        if cells.crowd[b, x] > 0 and x != left_out:
            continue
        guess_at(rule, state, b, x, left_out)
        for a in range(attributes):
            if np.isnan(truth[x, a]):
                continue
            inferred = cells.inferred_before[b, x, a] if np.isnan(guess[a]) else guess[a]
            total[a] += error_of(world, a, inferred, truth[x, a])
            counted[a] += 1
    error = 0.0
    for a in range(attributes):
        if counted[a] > 0:
            error += total[a] / counted[a] / world.scale[a]
    return error


class PlacesInference(ABC):
    """A strategy in plain Python: it is given places and values, copy by copy.

    Attributes:
        name: of the strategy.
    """

    name: str

    @abstractmethod
    def values(self, places_km: Floats, collected: Floats) -> Floats:
        """Infer the values of all cells, each without what was collected in itself.

        Args:
            places_km: coordinates. Shape [X, 2].
            collected: NaN where there is none. Shape [X, A].

        Returns:
            NaN where nothing can be inferred. Shape [X, A].
        """

    def infer(self, world: World, state: SensingState, copies: Copies) -> None:
        """See `InferenceStrategy`."""
        places_km = np.stack([world.x_km, world.y_km], axis=1)
        for b in copies:
            values = self.values(places_km, state.cells.collected[b])
            np.copyto(state.cells.inferred[b], values, where=~np.isnan(values))

    def leave_out(self, world: World, state: SensingState, copies: Copies) -> None:
        """See `InferenceStrategy`."""
        places_km = np.stack([world.x_km, world.y_km], axis=1)
        for b in copies:
            truth, sensed = state.truth[b, state.cycle[b]], state.cells.crowd[b] > 0
            for x in range(len(sensed)):
                if not sensed[x]:
                    state.outcome.error_without[b, x] = np.nan
                    continue
                fewer = state.cells.collected[b].copy()
                fewer[x] = np.nan
                values = self.values(places_km, fewer)
                values = np.where(np.isnan(values), state.cells.inferred_before[b], values)
                counts = ~sensed
                counts[x] = True
                state.outcome.error_without[b, x] = _normalised_error(world, values, truth, counts)


def _normalised_error(world: World, inferred: Floats, truth: Floats, counts: NDArray[np.bool_]) -> float:
    error = np.where(np.isnan(inferred), world.scale, np.abs(inferred - truth))[counts]
    known = ~np.isnan(truth[counts])
    number = known.sum(axis=0)
    mean = np.where(known, error, 0.0).sum(axis=0) / np.maximum(number, 1)
    return float((mean / world.scale).sum())
