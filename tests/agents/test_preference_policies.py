"""The matchings of `preference_v0` against brute force, sources of preferences, and policies in the environment."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matchings_by_force import all_matchings, random_pairs, value
from numpy.typing import NDArray

from crowdgym.agents.policy import Episode
from crowdgym.agents.preference.matching import greedy, lexicographic, max_cardinality, max_weight
from crowdgym.agents.preference.observation_reader import Reader
from crowdgym.agents.preference.policies import KmPolicy, MatchingPolicy, estimated_acceptance
from crowdgym.agents.preference.sources import HistoryShareSource, TableSource, UniformSource
from crowdgym.envs import preference_v0
from crowdgym.envs.preference.acceptance import acceptance_probabilities
from crowdgym.policies import load_policy, policy_names
from crowdgym.runner import run_episodes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OWN = ("greedy", "km", "km-answers", "km-lexicographic", "max-flow")


@pytest.mark.parametrize("seed", range(60))
def test_matchings_against_brute_force(seed: int) -> None:
    weight, candidates = random_pairs(seed)
    values = all_matchings(weight, candidates)
    most = max(count for count, _ in values)
    assert value(max_cardinality(candidates), weight, candidates)[0] == most
    best = value(max_weight(weight, candidates), weight, candidates)[1]
    assert best == pytest.approx(max(total for _, total in values))
    count, total = value(lexicographic(weight, candidates), weight, candidates)
    assert count == most
    assert total == pytest.approx(max(total for count, total in values if count == most))


def test_greedy_by_hand() -> None:
    # the pair of 0.9 first, then 0.5; worker 1 has nothing left
    weight = np.array([[0.8, 0.9], [0.7, 0.0], [0.6, 0.5]])
    candidates = np.array([[4, 7], [7, -1], [7, 4]])
    assert greedy(weight, candidates).tolist() == [2, 0, 2]


def test_the_heaviest_matching_may_have_fewer_pairs_than_the_largest() -> None:
    # worker 0 likes task 0 (1.0), its only other choice is none; worker 1 may have task 0 (0.4), worker 0 task 1 (0.3)
    weight = np.array([[1.0, 0.3], [0.4, 0.0]])
    candidates = np.array([[0, 1], [0, -1]])
    assert max_weight(weight, candidates).tolist() == [1, 0]
    assert lexicographic(weight, candidates).tolist() == [2, 1]
    assert max_cardinality(candidates).tolist() == [2, 1]


def test_without_a_candidate_there_is_no_offer() -> None:
    nothing = np.full((3, 2), -1, np.int64)
    for actions in (max_cardinality(nothing), *(m(np.zeros((3, 2)), nothing) for m in (greedy, max_weight))):
        assert actions.tolist() == [0, 0, 0]


def episode_of(env: Any) -> Episode:
    agents = tuple(env.possible_agents)
    return Episode(0, agents, env.observation_space(agents[0]), env.action_space(agents[0]), env.metadata, env.state)


def reader_of(env: Any) -> Reader:
    return Reader(env.metadata, env.observation_space(env.possible_agents[0]).shape[0])


def rows_of(observations: Any, infos: Any) -> tuple[NDArray[np.float32], Ints]:
    candidates = np.stack([info["candidates"] for info in infos.values()]).astype(np.int64)
    return np.stack(list(observations.values())), candidates


def test_the_reader_reads_what_there_is() -> None:
    env = preference_v0.parallel_env(scenario="preference-tiny")
    observations, infos = env.reset(seed=1)
    reader = reader_of(env)
    rng = np.random.default_rng(0)
    accepted, declined = np.zeros((12, 8)), np.zeros((12, 8))
    for _ in range(20):
        state, instance = reader.read(*rows_of(observations, infos)), env.instance
        np.testing.assert_allclose(state.history_share, instance.history_share, atol=1e-6)
        np.testing.assert_allclose(state.accepted, accepted, atol=1e-5)
        np.testing.assert_allclose(state.declined, declined, atol=1e-5)
        there = state.candidates >= 0
        np.testing.assert_array_equal(state.category[there], instance.task_category[state.candidates[there]])
        assert (state.category[~there] == -1).all()
        actions = {agent: int(rng.choice(np.flatnonzero(info["action_mask"]))) for agent, info in infos.items()}
        chosen = env.chosen(actions)
        observations, _, _, _, infos = env.step(actions)
        for w, info in enumerate(infos.values()):
            for outcome, table in ((1, accepted), (2, declined)):
                if info["outcome"] == outcome:
                    table[w, instance.task_category[chosen[w]]] += 1
    assert accepted.sum() > 3
    assert declined.sum() > 3


def test_sources() -> None:
    env = preference_v0.parallel_env(scenario="preference-tiny")
    state = reader_of(env).read(*rows_of(*env.reset(seed=1)))
    np.testing.assert_array_equal(UniformSource().preferences(state), np.full((12, 8), 1 / 8))
    np.testing.assert_array_equal(HistoryShareSource().preferences(state), state.history_share)
    table = np.random.default_rng(0).dirichlet(np.ones(8), 12)
    np.testing.assert_array_equal(TableSource(table).preferences(state), table)


def test_weights_are_the_true_acceptance_probabilities_if_the_preferences_are_true() -> None:
    env = preference_v0.parallel_env(scenario="preference-tiny", acceptance_exponent=2.0)
    env.reset(seed=1)
    for _ in range(10):  # until there are tasks
        observations, _, _, _, infos = env.step(dict.fromkeys(env.agents, 0))
    truth = acceptance_probabilities(env.instance.preference, env.settings)
    seen: list[tuple[Floats, Ints]] = []

    class Spy(MatchingPolicy):
        def match(self, weight: Floats, candidates: Ints) -> Ints:
            seen.append((weight, candidates))
            return np.zeros(len(weight), np.int64)

    policy = Spy(TableSource(env.instance.preference))
    policy.reset(episode_of(env))
    policy.act(observations, infos)
    weight, candidates = seen[0]
    worker, slot = np.nonzero(candidates >= 0)
    category = env.instance.task_category[candidates[worker, slot]]
    assert len(worker) > 0
    np.testing.assert_allclose(weight[worker, slot], truth[worker, category])


def test_an_answer_counts_as_much_as_the_estimate() -> None:
    # one worker: categories 0 and 1 are liked alike, so a = 0.95 without answers; category 0: 2 accepted, 1 declined
    env = preference_v0.parallel_env(scenario="preference-tiny")
    state = reader_of(env).read(*rows_of(*env.reset(seed=1)))
    answered = np.zeros((2, 8, 12))
    answered[:, 0] = [[2.0], [1.0]]
    state = replace(
        state,
        candidates=np.tile([3, 4, -1], (12, 1)),
        category=np.tile([0, 1, -1], (12, 1)),
        accepted=answered[0].T,
        declined=answered[1].T,
    )
    weight = estimated_acceptance(np.full((12, 8), 1 / 8), state, env.metadata["rules"], answer_weight=1.0)
    np.testing.assert_allclose(weight, np.tile([(0.95 + 2) / (1 + 3), 0.95, 0.0], (12, 1)))
    without = estimated_acceptance(np.full((12, 8), 1 / 8), state, env.metadata["rules"])
    np.testing.assert_allclose(without, np.tile([0.95, 0.95, 0.0], (12, 1)))


@pytest.mark.parametrize("name", OWN)
def test_policies_play_legally_and_without_contests(name: str) -> None:
    assert name in policy_names("preference_v0")
    env = preference_v0.parallel_env(scenario="preference-tiny")
    run = run_episodes(env, load_policy(name, "preference_v0"), agent=name, episodes=2, seed=0)
    assert run.mean["illegal"] == run.mean["contested"] == 0
    assert run.mean["accepted"] > 10


def test_knowing_preferences_gets_more_tasks_accepted() -> None:
    """Paired over populations: the oracle above history shares above nothing."""
    accepted: dict[str, list[float]] = {"blind": [], "history": [], "oracle": []}
    for seed in range(6):
        env = preference_v0.parallel_env(scenario="preference-tiny", population_seed=seed, num_workers=30)
        env.reset(seed=seed)
        sources = {
            "blind": UniformSource(),
            "history": HistoryShareSource(),
            "oracle": TableSource(env.instance.preference),
        }
        for name, source in sources.items():
            run = run_episodes(env, KmPolicy(source), agent=name, episodes=3, seed=10 * seed)
            accepted[name].append(run.mean["accepted"])
    assert np.mean(accepted["blind"]) + 2 < np.mean(accepted["history"]) < np.mean(accepted["oracle"]) - 1
