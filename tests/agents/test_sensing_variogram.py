"""What our own sensing scheme rests on: semivariances, predicted errors and swaps, on numbers worked out by hand."""

from typing import Any

import numpy as np
import pytest

from crowdgym.agents.sensing.swaps import Prediction, best_swaps, predicted_error
from crowdgym.agents.sensing.variogram import InferenceRule, VariogramModel

NAN = float("nan")


def line(*km: float) -> Any:
    """Distances between cells on a line."""
    return np.abs(np.subtract.outer(km, km))


def model_of(km: tuple[float, ...], prior_weight: float, *cycles: tuple[float, ...]) -> VariogramModel:
    """One attribute; what was collected in each cycle."""
    model = VariogramModel(line(*km), 1, prior_weight)
    for values in cycles:
        model.observe(np.array(values, np.float64)[:, np.newaxis])
    return model


def test_effects_of_cells_are_apart_from_those_of_cycles() -> None:
    # 0 2 .     a later cycle is 100 higher; seen together or not, the cells are 2 and 4 apart
    # . 101 105
    effects = model_of((0, 1, 3), 5, (0, 2, NAN), (NAN, 101, 105)).cell_effects()[0]
    assert np.diff(effects) == pytest.approx([2, 4], abs=1e-4)


def test_cells_never_sensed_together_differ_by_their_effects_and_the_line() -> None:
    gamma = model_of((0, 1, 3), 5, (0, 2, NAN), (NAN, 101, 105)).semivariances()[0]
    assert gamma[0, 2] == pytest.approx(6**2 / 2, abs=1e-3)  # no residuals, so the line is 0
    assert gamma[2, 0] == gamma[0, 2]
    assert gamma[1, 1] == 0


def test_what_was_seen_together_counts_beside_the_prior() -> None:
    # Pairs (0, 1) and (2, 3), 1 km and 3 km apart; differences of ±2, and of ±4: no effects of cells, residuals only.
    model = model_of((0, 1, 10, 13), 2.0, (0, 2, NAN, NAN), (2, 0, NAN, NAN), (NAN, NAN, 0, 4), (NAN, NAN, 4, 0))
    gamma = model.semivariances()[0]
    # Semivariances 2 at 1 km and 8 at 3 km: a slope of 3 would make the line negative at 0, so it is 5/2, 0 at 0 km.
    assert gamma[0, 1] == pytest.approx((2 * 2.5 + 2 * 2) / 4)
    assert gamma[2, 3] == pytest.approx((2 * 7.5 + 2 * 8) / 4)
    assert gamma[0, 2] == pytest.approx(25)  # the line alone


def test_before_anything_is_known_nothing_differs() -> None:
    assert not model_of((0, 1), 5).semivariances().any()


@pytest.mark.parametrize(("neighbours", "power"), [(1, 0.0), (2, 0.0), (3, 2.0)])
def test_the_inference_is_found_out(neighbours: int, power: float) -> None:
    km = (0.0, 1.0, 3.0, 7.0, 12.0)
    distance_km = line(*km)
    rule = InferenceRule(distance_km, 4, (0.0, 2.0))
    collected = np.array([2.0, NAN, 5.0, 11.0, 3.0])
    inferred = []
    for x in range(5):
        near = [z for z in np.argsort(distance_km[x], kind="stable") if z != x and not np.isnan(collected[z])]
        weights = [distance_km[x, z] ** -power for z in near[:neighbours]]
        inferred.append(np.average(collected[near[:neighbours]], weights=weights))
    rule.observe(collected[:, np.newaxis], np.array(inferred)[:, np.newaxis])
    assert rule.neighbours == neighbours
    assert rule.weight[0] == pytest.approx(np.array([1.0, 3.0, 7.0, 12.0]) ** -power)


def prediction(gamma: Any, km: tuple[float, ...], neighbours: int) -> Prediction:
    distance_km = line(*km)
    order = np.argsort(distance_km + np.diag([np.inf] * len(km)), axis=1, kind="stable")[:, :-1]
    return Prediction(np.array([gamma], np.float64), np.array([2.0]), order, np.ones(order.shape), neighbours)


def test_the_predicted_error_of_a_mean_of_two() -> None:
    # cell 1 from the mean of cells 0 and 2: 2 (4 + 6)/2 - 2 · 4/4 = 8, over a range of 2
    gamma = [[0, 4, 4], [4, 0, 6], [4, 6, 0]]
    sensed = np.array([True, False, True])
    assert predicted_error(prediction(gamma, (0, 1, 2), 2), sensed) == pytest.approx(np.sqrt(8) / 2)
    assert predicted_error(prediction(gamma, (0, 1, 2), 1), sensed) == pytest.approx(np.sqrt(8) / 2)  # cell 0: 2 · 4
    assert predicted_error(prediction(gamma, (0, 1, 2), 1), np.array([True] * 3)) == 0


def test_the_predicted_error_is_that_of_values_with_these_semivariances() -> None:
    values = np.random.default_rng(0).normal(size=(50, 4)) * (1, 2, 3, 4) + (0, 1, 5, 2)
    gamma = ((values[:, :, np.newaxis] - values[:, np.newaxis]) ** 2).mean(axis=0) / 2
    sensed = np.array([True, True, True, False])
    expected = np.sqrt(((values[:, 3] - values[:, :3].mean(axis=1)) ** 2).mean()) / 2
    assert predicted_error(prediction(gamma, (0, 1, 2, 3), 3), sensed) == pytest.approx(expected)


def test_a_swap_is_made_while_it_pays() -> None:
    # Cells 0 and 1 are alike, cell 2 is like neither: the participant in cell 0 or 1 is of more use in 2.
    gamma = [[0, 1, 50], [1, 0, 50], [50, 50, 0]]
    known, distance_km = prediction(gamma, (0, 1, 5), 1), line(0, 1, 5)

    def swapped(cost_weight: float, most_swaps: int = 6) -> list[int]:
        start = np.array([0, 1])
        return best_swaps(known, start, distance_km, cost_weight=cost_weight, most_swaps=most_swaps).tolist()

    assert swapped(0.0) in ([2, 1], [0, 2])
    assert swapped(0.1) == [0, 2]  # 4 km rather than 5
    assert swapped(0.0, most_swaps=0) == [0, 1]
    gain = (np.sqrt(100) - np.sqrt(2)) / 2  # for 4 km of two participants
    assert swapped(gain / 2 * 0.99) == [0, 2]
    assert swapped(gain / 2 * 1.01) == [0, 1]
