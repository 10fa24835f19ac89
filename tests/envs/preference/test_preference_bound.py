"""The bound on accepted tasks: by hand, against exhaustive search, and never exceeded."""

from itertools import product

import numpy as np
import pytest
from preference_worlds import NEVER, a_task, a_world
from reference.preference_arrays import World, to_world
from reference.preference_random_worlds import Flavour, Policy, play, random_world

from crowdgym.envs import preference_v0
from crowdgym.envs.preference.bound import accepted_bound
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes


def bound_of(world: World) -> float:
    return accepted_bound(world.instance, world.settings)


def best_accepted(world: World) -> int:
    """The most tasks that any sequence of joint actions gets accepted."""
    simulation = world.start()
    best = 0

    def search(played: list[tuple[int, ...]]) -> None:
        nonlocal best
        simulation.reset_copy(0, world.instance)
        for joint in played:
            simulation.step(np.array([joint], np.int64))
        while not simulation.is_over()[0]:
            choices = [np.flatnonzero(mask).tolist() for mask in simulation.state.output.mask[0]]
            if any(len(legal) > 1 for legal in choices):
                for joint in product(*choices):
                    search([*played, joint])
                return
            played = [*played, (0,) * len(choices)]
            simulation.step(np.array([played[-1]], np.int64))
        best = max(best, simulation.metrics(0).accepted)

    search([])
    return best


def test_only_willing_workers_count() -> None:
    tasks = [a_task(1), a_task(2)]
    assert bound_of(to_world(a_world([0], tasks, service_s=1.0))) == 2
    assert bound_of(to_world(a_world([0], tasks, lots={(0, 1): NEVER}, service_s=1.0))) == 1
    assert bound_of(to_world(a_world([0], tasks, lots={(0, 0): NEVER, (0, 1): NEVER}))) == 0


def test_what_cannot_be_reached_by_its_expiry_does_not_count() -> None:
    # 300 m take 30 s
    assert bound_of(to_world(a_world([0], [a_task(3, expiry_s=30.0)]))) == 1
    assert bound_of(to_world(a_world([0], [a_task(3, expiry_s=29.0)]))) == 0
    assert bound_of(to_world(a_world([0], [a_task(3)], range_m=299.0))) == 0
    assert bound_of(to_world(a_world([0], [a_task(0, created_s=96.0, expiry_s=99.0)]))) == 0  # no epoch is left


def test_a_worker_s_time_is_counted() -> None:
    # Three tasks until 60 s, each 100 m from the next: 10 s of way and 40 s of service each. (60 + 40) / 50 = 2.
    tasks = [a_task(1), a_task(2), a_task(3)]
    assert bound_of(to_world(a_world([0], tasks, service_s=40.0))) == 2
    assert best_accepted(to_world(a_world([0], tasks, service_s=40.0))) == 2


@pytest.mark.parametrize("seed", range(8))
def test_exhaustive_search_lies_under_the_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tasks = [
        a_task(int(rng.integers(4)), created_s=float(rng.integers(0, 40)), expiry_s=float(rng.integers(50, 90)))
        for _ in range(3)
    ]
    lots = {(w, s): NEVER for w in range(2) for s in range(3) if rng.random() < 0.4}
    starts = [int(node) for node in rng.integers(4, size=2)]
    world = to_world(a_world(starts, tasks, lots, step_s=25.0))
    best, bound = best_accepted(world), bound_of(world)
    assert best <= bound <= best + 1


@pytest.mark.parametrize("flavour", Flavour)
def test_no_episode_has_more(flavour: Flavour) -> None:
    rng = np.random.default_rng(list(Flavour).index(flavour))
    for _ in range(4):
        reference = random_world(rng, flavour)
        bound = bound_of(to_world(reference))
        for policy in (Policy.RANDOM, Policy.GREEDY, Policy.HERD):
            assert play(rng, reference, policy).metrics()["accepted"] <= bound


def test_no_agent_exceeds_it_in_a_city() -> None:
    env = preference_v0.parallel_env(scenario="preference-tiny", num_workers=5, num_centres=1)
    for agent in ("km", "greedy"):
        run = run_episodes(env, load_policy(agent, "preference_v0"), agent=agent, episodes=1, seed=3)
        assert 0 < run.mean["accepted"] <= accepted_bound(env.instance, env.settings) < 40
