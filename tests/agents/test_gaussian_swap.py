"""`gaussian-swap`: its model, predictions and tours on numbers worked out by hand, and its play on both sides."""

from typing import Any

import numpy as np
import pytest

import crowdgym
from crowdgym.agents.policy import Episode
from crowdgym.agents.sensing.expected_error import Field, cell_errors, expected_error
from crowdgym.agents.sensing.field import FieldModel, update
from crowdgym.agents.sensing.field_moments import fit_effects, fit_variogram
from crowdgym.agents.sensing.gaussian_swap import GaussianSwap
from crowdgym.agents.sensing.inference_rule import Inference, InferenceRule
from crowdgym.agents.sensing.set_search import SetSearch
from crowdgym.agents.sensing.support_vectors import kernels, predict, scaled_places, smoothing_weights
from crowdgym.agents.sensing.swaps import Moving, best_swaps
from crowdgym.agents.sensing.tours import STAYS, first_stops
from crowdgym.runner import run_episodes

NAN = float("nan")


def line(*km: float) -> Any:
    """Distances between cells on a line."""
    return np.abs(np.subtract.outer(km, km))


def means_of_nearest(distance_km: Any, neighbours: int) -> Inference:
    apart = distance_km + np.diag(np.full(len(distance_km), np.inf))
    nearest = np.argsort(apart, axis=1, kind="stable")[:, :-1]
    return Inference(nearest, np.ones(nearest.shape), neighbours, np.zeros((len(distance_km), 2)), 1.0, 0.1)


def field(mean: list[float], variance: float = 0.0) -> Field:
    """One attribute; residuals are independent."""
    cells = len(mean)
    return Field(
        np.array([mean]), variance * np.eye(cells)[np.newaxis], np.ones(1), np.ones((1, cells), bool), np.ones(1, bool)
    )


# The model of the field


def test_effects_of_cells_and_cycles_are_those_that_explain_the_values() -> None:
    """Cells 0, 10 and 40 in cycles 1 and 5; the last cell is seen once, the first two twice."""
    values, known = np.array([[1.0, 11.0, 0.0], [5.0, 15.0, 45.0]]), np.array([[True, True, False], [True] * 3])
    effects = fit_effects(values, known)
    assert effects.values.tolist() == [2, 2, 1]
    assert effects.of_cell - effects.of_cell[0] == pytest.approx([0, 10, 40], abs=1e-6)


def test_a_variogram_is_found_again() -> None:
    apart_km = np.linspace(1.0, 100.0, 50)
    semivariance = 2.0 + 3.0 * (1.0 - np.exp(-apart_km / 20.0))
    found = fit_variogram(apart_km, semivariance, np.ones(50), np.array([5.0, 20.0, 80.0]))
    assert found == pytest.approx([2.0, 3.0, 20.0])


def test_a_cycle_changes_effects_as_generalised_least_squares_does() -> None:
    """With the cycle's effect as one more unknown, of a variance that is as good as infinite."""
    generator = np.random.default_rng(0)
    root = generator.normal(size=(4, 4))
    effect, residual = root @ root.T + np.eye(4), np.diag([1.0, 2.0, 0.5, 1.0])
    values, known = np.array([3.0, -1.0, 0.0, 2.0]), np.array([True, True, False, True])
    mean, covariance = np.zeros(4), effect.copy()
    update(mean, covariance, residual, values, known)
    at = [0, 1, 3]
    among = (effect + residual + 1e7)[np.ix_(at, at)]
    gain = effect[:, at] @ np.linalg.inv(among)
    assert mean == pytest.approx(gain @ values[at], abs=1e-4)
    assert covariance == pytest.approx(effect - gain @ effect[at], abs=1e-4)


def test_the_model_learns_which_cells_are_high() -> None:
    generator = np.random.default_rng(1)
    level = np.array([0.0, 10.0, 20.0, 5.0])
    model = FieldModel(line(0, 10, 20, 30), 1, prior_cycles=5.0, noise_share=1.0)
    for _ in range(30):
        model.observe((level + generator.normal() + 0.1 * generator.normal(size=4))[:, np.newaxis])
    assert model.mean[0] - model.mean[0, 0] == pytest.approx(level, abs=0.3)
    assert model.effect_deviation().max() < 1.0


# The inference in use


def test_support_vectors_predict_what_scikit_learn_does() -> None:
    svm = pytest.importorskip("sklearn.svm")
    generator = np.random.default_rng(2)
    places, values = scaled_places(generator.normal(size=(12, 2))), generator.normal(size=12)
    known, wanted = np.arange(9), np.arange(9, 12)
    among, across = kernels(places, known, wanted)
    mean, deviation = values[:9].mean(), values[:9].std()
    model = svm.SVR(C=1.0, epsilon=0.1).fit(places[:9], (values[:9] - mean) / deviation)
    expected = model.predict(places[9:]) * deviation + mean
    assert predict(among, across, values[:9], 1.0, 0.1) == pytest.approx(expected, abs=5e-3)


def test_the_weights_of_a_smoother_have_the_sum_1() -> None:
    places = scaled_places(np.random.default_rng(3).normal(size=(8, 2)))
    among, across = kernels(places, np.arange(5), np.arange(5, 8))
    assert smoothing_weights(among, across, 0.3).sum(axis=1) == pytest.approx([1, 1, 1])


@pytest.mark.parametrize(
    ("inference", "neighbours", "c"), [("knn", 3, 0.0), ("idw", 5, 0.0), ("svr", 0, 1.0)], ids=["knn", "idw", "svr"]
)
def test_the_rule_is_found_from_what_was_inferred(inference: Any, neighbours: int, c: float) -> None:
    env = crowdgym.make("sensing_v0", num_participants=9, inference=inference, horizon_s=3 * 86_400.0)
    _, infos = env.reset(seed=0)
    places_km = np.asarray(env.metadata["coordinates"])
    apart = places_km[:, np.newaxis] - places_km
    rule = InferenceRule(places_km, np.hypot(apart[..., 0], apart[..., 1]))
    values = {
        name: np.where([info[f"is_{name}"] for info in infos.values()], [info[name] for info in infos.values()], np.nan)
        for name in ("collected", "inferred")
    }
    rule.observe(values["collected"], values["inferred"])
    assert (rule.found.neighbours, rule.found.c) == (neighbours, c)


# Expected errors


def test_without_noise_the_error_is_the_difference_to_the_weighted_mean() -> None:
    """Cells 0 and 2 are sensed, 0 and 6; the mean of both, 3, misses cell 1 by 1 and cell 3 by 7."""
    rule = means_of_nearest(line(0, 1, 2, 3), 2)
    sensed = np.array([True, False, True, False])
    assert cell_errors(field([0.0, 4.0, 6.0, 10.0]), rule, sensed, ~sensed) == pytest.approx([0, 1, 0, 7])
    assert expected_error(field([0.0, 4.0, 6.0, 10.0]), rule, sensed) == pytest.approx(4)


def test_with_noise_it_is_the_mean_absolute_value_of_a_normal_variable() -> None:
    """Variance 4 of the cell's own residual, and 4 / 2 of the mean of two."""
    rule = means_of_nearest(line(0, 1, 2), 2)
    sensed = np.array([True, False, True])
    draws = np.abs(np.random.default_rng(4).normal(1.0, np.sqrt(6.0), 400_000)).mean()
    assert expected_error(field([0.0, 1.0, 0.0], 4.0), rule, sensed) == pytest.approx(draws, rel=5e-3)


def test_a_cell_that_gives_no_value_is_not_inferred_from() -> None:
    """Cell 0 is sensed but gives nothing, so cell 1 is inferred from cell 2 alone."""
    known = field([0.0, 4.0, 6.0])
    gives = np.array([[False, True, True]])
    rule = means_of_nearest(line(0, 1, 2), 2)
    sensed = np.array([True, False, True])
    assert expected_error(known._replace(gives=gives, complete=gives.all(axis=1)), rule, sensed) == pytest.approx(2)


# Moves


def test_a_move_is_made_if_it_saves_more_error_than_it_costs() -> None:
    """From cell 0 to cell 1, 1 km away: the error of the others falls from (5 + 6) / 2 to (5 + 1) / 2."""
    rule = means_of_nearest(line(0, 1, 2), 1)
    known = field([0.0, 5.0, 6.0])
    for cost_weight, goal in ((2.4, 1), (2.6, 0)):
        moving = Moving(line(0, 1, 2), cost_weight, np.zeros(3), 5)
        assert best_swaps(known, rule, np.array([0]), np.array([0]), moving)[0].tolist() == [goal]


def test_the_way_back_to_a_goal_counts_from_where_the_participant_is() -> None:
    """From cell 0, a search that begins with cell 1 keeps it: error 3 and 1 km, where cell 0 has error 5.5."""
    rule = means_of_nearest(line(0, 1, 2), 1)
    moving = Moving(line(0, 1, 2), 2.0, np.zeros(3), 5)
    goals, value = best_swaps(field([0.0, 5.0, 6.0]), rule, np.array([0]), np.array([1]), moving)
    assert goals.tolist() == [1]
    assert value == pytest.approx(5.0)


def test_a_set_is_found_that_no_single_swap_leads_to() -> None:
    """Of two cells, 2 and 4 err least: |5 - 7| + |6 - 7| + |9 - 7| = 5. Cells 0 and 1 err 6, and no swap less."""
    km = line(0, 1, 2, 3, 4)
    known, rule = field([5.0, 6.0, 7.0, 9.0, 4.0]), means_of_nearest(km, 1)
    here = np.array([0, 1])
    assert best_swaps(known, rule, here, here, Moving(km, 0.0, np.zeros(5), 9))[0].tolist() == [0, 1]
    best = SetSearch(km, 2).best(known, rule)
    assert best is not None
    assert sorted(best.tolist()) == [2, 4]


def test_in_a_large_region_no_set_is_sought() -> None:
    km = line(*range(400))
    assert SetSearch(km, 100).best(field([0.0] * 400), means_of_nearest(km, 3)) is None


def test_tours_are_extended_where_that_adds_least() -> None:
    """Participants at 0 and 10: the first visits 1 and 3, the second 8 on its way to 7, and 100 is too far."""
    km = line(0, 10, 1, 3, 8, 7, 100)
    stops = first_stops(km, np.array([0, 1]), np.arange(2, 7), np.full(5, 50.0))
    assert stops.tolist() == [2, 4]
    assert first_stops(km, np.array([0, 1]), np.array([6]), np.array([89.0])).tolist() == [STAYS, STAYS]
    assert first_stops(km, np.array([0, 1]), np.array([6]), np.array([91.0])).tolist() == [STAYS, 6]


# In the environment


def environment(**keywords: Any) -> Any:
    return crowdgym.make(
        "sensing_v0", num_participants=9, attributes=("EMI", "PM10"), horizon_s=20 * 86_400.0, **keywords
    )


@pytest.mark.parametrize("inference", ["knn", "svr"])
def test_it_plays_the_same_on_both_sides(inference: Any) -> None:
    cells, participants = (
        run_episodes(environment(agents=agents, inference=inference), GaussianSwap(), agent="it", episodes=2, seed=0)
        for agents in ("cells", "participants")
    )
    assert cells.mean == participants.mean


def test_every_cell_is_visited_within_a_few_cycles() -> None:
    env, policy = environment(), GaussianSwap()
    observations, infos = env.reset(seed=1)
    spaces = (env.observation_space("cell_0"), env.action_space("cell_0"))
    policy.reset(Episode(1, tuple(env.agents), *spaces, env.metadata, env.state))
    visited = set(infos["cell_0"]["candidate_cells"].tolist())
    for _ in range(10):
        observations, _, _, _, infos = env.step(policy.act(observations, infos))
        visited |= set(infos["cell_0"]["candidate_cells"].tolist())
    assert visited == set(range(24))


def test_other_parameters_play_otherwise() -> None:
    policy = GaussianSwap()
    before = run_episodes(environment(), policy, agent="it", episodes=1, seed=0).mean["cost_km"]
    policy.set_parameters(np.array([2.0, 0, 0, 0, 0, 0, 0]))
    assert run_episodes(environment(), policy, agent="it", episodes=1, seed=0).mean["cost_km"] < before
