"""The intersecting top-k matching of TA-FPL: by hand, against brute force, and where the original goes on for ever."""

import numpy as np
import pytest
from matchings_by_force import all_matchings, random_pairs, value

from crowdgym.agents.preference.matching import max_weight
from crowdgym.agents.ta_fpl.matching import intersecting_top_k, reassign, top_k_exact, top_k_literal
from crowdgym.envs import preference_v0
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes


def test_edges_must_be_among_the_best_of_both() -> None:
    # worker 0 prefers 5, then 6; worker 1 prefers 5, then 7; task 5 prefers worker 1, task 6 has worker 0 only
    candidates = np.array([[6, 5, -1], [7, 5, -1]])
    weight = np.array([[0.2, 0.7, 0.0], [0.4, 0.9, 0.0]])
    assert intersecting_top_k(weight, candidates, 1).tolist() == [[False, False, False], [False, True, False]]
    assert intersecting_top_k(weight, candidates, 2).tolist() == [[True, True, False], [True, True, False]]


def test_ties_go_by_number() -> None:
    candidates = np.array([[3, 1], [1, 3]])
    weight = np.full((2, 2), 0.5)
    # each worker's best is task 1; task 1's best is worker 0
    assert intersecting_top_k(weight, candidates, 1).tolist() == [[False, True], [False, False]]


def test_what_is_left_goes_to_the_free_worker_that_likes_it_most() -> None:
    candidates = np.array([[5, 6], [6, -1], [6, 8]])
    weight = np.array([[0.9, 0.8], [0.3, 0.0], [0.4, 0.1]])
    assert reassign(np.array([1, 0, 0]), weight, candidates).tolist() == [1, 0, 1]  # 6 to worker 2; then 8 has no one
    assert reassign(np.array([0, 0, 0]), weight, candidates).tolist() == [1, 0, 1]


@pytest.mark.parametrize("seed", range(60))
def test_with_all_edges_the_exact_form_is_a_maximum(seed: int) -> None:
    weight, candidates = random_pairs(seed)
    best = max(total for _, total in all_matchings(weight, candidates))
    assert value(top_k_exact(weight, candidates, 10), weight, candidates)[1] == pytest.approx(best)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("seed", range(20))
def test_the_exact_form_is_a_maximum_on_its_edges_and_leaves_nothing(seed: int, k: int) -> None:
    weight, candidates = random_pairs(seed)
    edges = np.where(intersecting_top_k(weight, candidates, k), candidates, -1)
    best = max(total for _, total in all_matchings(weight, edges))
    assert value(max_weight(weight, edges), weight, edges)[1] == pytest.approx(best)
    for matching in (top_k_exact, top_k_literal):
        actions = matching(weight, candidates, k)
        value(actions, weight, candidates)
        chosen = np.flatnonzero(actions)
        taken = candidates[chosen, actions[chosen] - 1].tolist()
        for row in candidates[actions == 0]:
            assert all(task in taken for task in row[row >= 0].tolist())


def test_the_literal_form_moves_workers_on_by_its_labels() -> None:
    # worker 0 takes task 0 (0.9); worker 1 (0.8 for it, else nothing) makes worker 0 fall back to task 1 (0.7)
    candidates, weight = np.array([[0, 1], [0, -1]]), np.array([[0.9, 0.7], [0.8, 0.0]])
    assert top_k_literal(weight, candidates, 2).tolist() == [2, 1]


def test_the_literal_form_ends_where_not_all_can_be_matched() -> None:
    # three workers, one task: the first keeps it, though the last likes it most, and the others give up
    candidates, weight = np.zeros((3, 1), np.int64), np.array([[0.2], [0.5], [0.9]])
    assert top_k_literal(weight, candidates, 3).tolist() == [1, 0, 0]
    assert top_k_exact(weight, candidates, 3).tolist() == [0, 0, 1]


def test_both_play_an_episode() -> None:
    env = preference_v0.parallel_env(scenario="preference-tiny")
    for name in ("top-k", "top-k-literal"):
        run = run_episodes(env, load_policy(name, "preference_v0"), agent=name, episodes=1, seed=0)
        assert run.mean["illegal"] == run.mean["contested"] == 0
        assert run.mean["accepted"] > 10
