"""The sensing schemes: their equations on numbers worked out by hand, and what they do in the environment."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

import crowdgym
from crowdgym.agents.policy import Episode
from crowdgym.agents.sensing.attribute_weights import AttributeWeights
from crowdgym.agents.sensing.ewa import EwaTa
from crowdgym.agents.sensing.gaussian_swap import GaussianSwap
from crowdgym.agents.sensing.gps import GpsTa
from crowdgym.agents.sensing.oo_mta import OoMta
from crowdgym.agents.sensing.priority import (
    PriorityScores,
    filled,
    gaussian_information,
    ksg_information,
    temporal_entropy,
    top_cells,
)
from crowdgym.agents.sensing.qco_ta import LiteralQcoTa, QcoTa, best_in_sequence, iterated_values
from crowdgym.agents.sensing.scheme import Cycle, SensingScheme, nearest_in_sequence
from crowdgym.agents.sensing.static import GivenStatic, RandomStatic
from crowdgym.agents.sensing.uniform import UnsTa
from crowdgym.common.errors import ConfigError
from crowdgym.runner import run_episodes

NAN = float("nan")

SCHEMES = (UnsTa, EwaTa, GpsTa, OoMta, QcoTa, LiteralQcoTa, GaussianSwap, RandomStatic)


def of_cells(*series: tuple[float, ...]) -> Any:
    """Inferred values [Y, X, 1] from a series for each cell."""
    return np.array(series, np.float64).T[..., np.newaxis]


def line(*km: float) -> Any:
    """Distances between cells on a line."""
    return np.abs(np.subtract.outer(km, km))


def begun(scheme: SensingScheme, km: tuple[float, ...], participants: int, attributes: tuple[str, ...] = ("a",)) -> Any:
    """A scheme at the start of an episode with cells on a line."""
    scheme.reset(
        Episode(
            seed=0,
            agents=tuple(f"cell_{x}" for x in range(len(km))),
            observation_space=gymnasium.spaces.Box(-1, 1, (1,)),
            action_space=gymnasium.spaces.Discrete(participants + 1),
            metadata={"coordinates": [(x, 0.0) for x in km], "attributes": attributes},
            state=lambda: np.zeros(1),
        )
    )
    return scheme


# Eqs. (3) to (5): priority


def test_temporal_entropy_is_that_of_a_normal_distribution() -> None:
    entropy = temporal_entropy(of_cells((0, 2), (3, 3)))
    assert entropy[0, 0] == pytest.approx(1.4189385332)  # variance 1
    assert entropy[1, 0] == pytest.approx(1.4189385332 - 3 * np.log(10))  # variance 0 counts as 1e-6


def test_gaussian_information_follows_from_the_correlation() -> None:
    information = gaussian_information(of_cells((-1, 0, 1), (-1, 1, 0), (-2, 0, 2)))[0]
    half = -0.5 * np.log(0.75)  # a correlation of 0.5
    assert information[0] == pytest.approx([0, half, 0.5 * np.log(1e6)])  # of 1: squared, at most 1 - 1e-6
    assert np.array_equal(information, information.T)


def test_ksg_information_comes_near_what_is_true_of_normal_and_of_independent_values() -> None:
    one, two, three = np.random.default_rng(0).normal(size=(3, 1000))
    information = ksg_information(of_cells(tuple(one), tuple(0.8 * one + 0.6 * two), tuple(three)))[0]
    assert information[0, 1] == pytest.approx(-0.5 * np.log(1 - 0.64), abs=0.05)
    assert information[0, 2] == pytest.approx(0, abs=0.05)
    assert np.array_equal(information, information.T)
    assert np.all(np.diag(information) == 0)


@pytest.mark.parametrize("cycles", [10, 60])
def test_ksg_information_is_that_of_scikit_learn(cycles: int) -> None:
    from sklearn.feature_selection import mutual_info_regression

    one, two = np.random.default_rng(cycles).normal(size=(2, cycles))
    two += 3 * one
    found = ksg_information(of_cells(tuple(one), tuple(two)))[0, 0, 1]
    assert found > 0.1
    assert found == pytest.approx(mutual_info_regression(one[:, np.newaxis], two, random_state=0)[0], abs=1e-6)


def test_ksg_information_sees_what_a_correlation_does_not() -> None:
    values = np.linspace(-1, 1, 101)
    history = of_cells(tuple(values), tuple(values**2))
    assert gaussian_information(history)[0, 0, 1] == pytest.approx(0, abs=1e-9)
    assert ksg_information(history)[0, 0, 1] > 1


def test_a_priority_score_is_entropy_plus_a_fifth_of_the_shared_information() -> None:
    priority = PriorityScores()
    for values in ((-1, -1), (0, 1), (1, 0)):
        priority.observe(np.array(values, np.float64)[:, np.newaxis])
    entropy = 0.5 * np.log(2 * np.pi * np.e * 2 / 3)
    assert priority.scores() == pytest.approx(np.full((2, 1), entropy + 0.2 * -0.5 * np.log(0.75)))


def test_a_value_that_was_not_inferred_counts_as_the_mean_of_its_cell() -> None:
    assert filled(of_cells((1, NAN, 3), (NAN, NAN, NAN)))[:, :, 0].tolist() == [[1, 0], [2, 0], [3, 0]]


def test_the_top_cells_are_those_with_the_highest_scores_and_of_equals_the_smaller() -> None:
    assert top_cells(np.array([1.0, 3.0, 3.0, 2.0]), 2).tolist() == [1, 2]
    assert top_cells(np.array([1.0, 1.0, 1.0]), 1).tolist() == [0]


# Eqs. (7) and (8): weights


def test_the_weight_of_an_attribute_falls_with_its_error() -> None:
    weights = AttributeWeights(2)
    weights.observe(
        Cycle(
            participant_cell=np.array([0, 1]),
            collected=np.array([[0.0, 5.0], [10.0, 6.0], [NAN, NAN]]),
            inferred=np.array([[1.0, 5.0], [13.0, 6.0], [7.0, 7.0]]),
        )
    )
    loss = (2 + 1.6448536270 * 1) / 10  # errors 1 and 3, over a range of 10; the other attribute has none
    first = np.exp(-0.1 * loss)
    assert weights.weights == pytest.approx([first / (first + 1), 1 / (first + 1)])


# Who goes where


def test_one_after_the_other_takes_the_nearest_selected_cell_left() -> None:
    distance_km = line(0, 1, 2, 3, 9)
    assert nearest_in_sequence(np.array([2, 3]), np.array([4, 3]), distance_km).tolist() == [3, 4]
    assert nearest_in_sequence(np.array([3, 2]), np.array([4, 3]), distance_km).tolist() == [3, 4]
    assert nearest_in_sequence(np.array([1]), np.array([2]), distance_km).tolist() == [2]


def test_attributes_take_turns_in_gps() -> None:
    scheme = begun(GpsTa(), (0, 1, 2, 3), 3, ("a", "b"))
    scores = np.array([[9.0, 9.0], [8.0, 1.0], [1.0, 8.0], [0.0, 0.0]])
    assert scheme.select(scores).tolist() == [0, 2, 1]  # both want cell 0; then the second of b, then that of a


def test_ewa_ranks_by_the_mean_and_oo_mta_by_the_weights_it_has_learned() -> None:
    scores = np.array([[4.0, 0.0], [0.0, 3.0], [0.0, 0.0]])
    assert begun(EwaTa(), (0, 1, 2), 1, ("a", "b")).select(scores).tolist() == [0]
    learned = begun(OoMta(learning_rate=10.0), (0, 1, 2), 1, ("a", "b"))
    learned.observe(
        Cycle(np.array([0]), np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 1.0]]))
    )  # the first attribute is off
    assert learned.select(scores).tolist() == [1]


# Eqs. (10) to (14)


def test_qco_ta_weighs_a_score_against_the_way() -> None:
    scheme = begun(QcoTa(), (0, 2, 10), 1)
    cycle = Cycle(np.array([0]), np.zeros((3, 1)), np.zeros((3, 1)))
    scores = np.array([[0.0], [1.0], [1.2]])  # gains: 0 + 1 for staying, 0.9 + 1/2, 1.08 + 1/10
    assert scheme.allocate(cycle, scores).tolist() == [1]
    assert scheme.allocate(cycle, scores / 10).tolist() == [0]


def test_values_are_iterated_until_none_changes_by_the_threshold() -> None:
    reward = 1 / np.maximum(line(0, 4), 1)
    # (1, 0), (.25, .75), (.625, .375), (.4375, .5625), then changes of 0.09375
    assert iterated_values(np.array([1.0, 0.0]), reward, 0.5, 0.1).tolist() == [0.53125, 0.46875]
    assert iterated_values(np.array([1.0, 0.0]), reward, 0.5, 1e-9) == pytest.approx([0.5, 0.5])


def test_read_literally_everyone_takes_the_largest_value_left_wherever_it_is() -> None:
    scheme = begun(LiteralQcoTa(), (0, 1, 100, 104), 2)
    cycle = Cycle(np.array([3, 2]), np.zeros((4, 1)), np.zeros((4, 1)))
    assert scheme.allocate(cycle, np.zeros((4, 1))).tolist() == [0, 1]


def test_the_first_to_choose_leaves_the_second_best_to_the_next() -> None:
    assert best_in_sequence(np.array([0, 0]), np.array([[1.0, 3.0, 2.0]] * 3)).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: QcoTa("other"), "reading must be one of action-value, literal, got 'other'"),
        (lambda: QcoTa(discount=1.0), "discount must be at least 0 and below 1, got 1.0"),
        (lambda: GaussianSwap(-1.0), "cost_weight must be at least 0, got -1.0"),
        (lambda: begun(GivenStatic((0, 0)), (0, 1, 2), 2), "cells must be as many different ones .* 2, got 1"),
    ],
)
def test_a_scheme_says_what_it_cannot_use(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


# In the environment


def environment(**keywords: Any) -> Any:
    return crowdgym.make(
        "sensing_v0", num_participants=9, attributes=("EMI", "PM10"), horizon_s=15 * 86_400.0, **keywords
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_never_sends_two_to_one_cell(scheme: Callable[[], Any]) -> None:
    env, policy = environment(), scheme()
    observations, infos = env.reset(seed=3)
    policy.reset(
        Episode(
            3, tuple(env.agents), env.observation_space("cell_0"), env.action_space("cell_0"), env.metadata, env.state
        )
    )
    while env.agents:
        observations, _, _, _, infos = env.step(policy.act(observations, infos))
        assert len(set(infos["cell_0"]["candidate_cells"].tolist())) == 9


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_plays_the_same_again(scheme: Callable[[], Any]) -> None:
    env, policy = environment(), scheme()
    first, second = (run_episodes(env, policy, agent="it", episodes=2, seed=5).mean for _ in range(2))
    assert first == second


def test_a_scheme_with_nearest_neighbour_information_plays_too() -> None:
    env = crowdgym.make("sensing_v0", num_participants=9, attributes=("PM10",), horizon_s=5 * 86_400.0)
    assert run_episodes(env, OoMta(information="ksg"), agent="it", episodes=1, seed=0).mean["cost_km"] > 0


def test_who_never_moves_costs_nothing_and_who_moves_once_pays_once() -> None:
    env = environment()
    assert run_episodes(env, RandomStatic(), agent="it", episodes=1, seed=0).mean["cost_km"] == 0
    _, infos = env.reset(seed=0)
    start = infos["cell_0"]["candidate_cells"].copy()
    stays = run_episodes(env, GivenStatic(start.tolist()), agent="it", episodes=1, seed=0)
    assert stays.mean["cost_km"] == 0
    moves = run_episodes(env, GivenStatic(range(9)), agent="it", episodes=1, seed=0)
    assert moves.mean["cost_km"] > 0


def test_a_larger_cost_weight_costs_less() -> None:
    env = crowdgym.make("sensing_v0", num_participants=9, horizon_s=40 * 86_400.0)
    costs = [
        run_episodes(env, GaussianSwap(weight), agent="it", episodes=2, seed=0).mean["cost_km"]
        for weight in (0.0, 1e-3, 1e-1)
    ]
    assert costs[0] > costs[1] > costs[2] > 0


def test_on_the_side_of_the_participants_it_says_which_side_it_plays() -> None:
    env = environment(agents="participants")
    with pytest.raises(ConfigError, match="plays with agents='cells', got agents such as 'participant_0'"):
        run_episodes(env, UnsTa(), agent="it", episodes=1, seed=0)


def test_in_another_environment_it_says_which_it_plays() -> None:
    env = crowdgym.make("csc_v0", scenario="tiny", num_workers=3)
    with pytest.raises(ConfigError, match="a sensing scheme plays sensing_v0, got csc_v0"):
        run_episodes(env, UnsTa(), agent="it", episodes=1, seed=0)
