"""The bound on the revenue of CSC: by hand, against exhaustive search, and never exceeded."""

from itertools import product

import numpy as np
import pytest
from reference.csc_arrays import World, to_world
from reference.csc_reference import ReferenceSimulator
from reference.hand_worlds import a_task, a_world
from reference.random_worlds import Flavour, Policy, play, random_world

from crowdgym.envs import csc_v0
from crowdgym.envs.csc.bound import earliest_finishes_s, revenue_bound, time_bound
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes


def bound_of(world: World) -> float:
    return revenue_bound(world.instance, world.settings)


def best_revenue(world: World) -> float:
    """The most that any sequence of joint actions earns, tried one after the other in the environment's simulation."""
    simulation = CscSimulation(world.instance.network, world.settings, batch=1)
    best = 0.0

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
        best = max(best, simulation.metrics(0).revenue)

    search([])
    return best


def test_one_worker_one_task_by_hand() -> None:
    # 0 --100-- 1 --100-- 2: there at 20, 30 s of work, done at 50, 10 s late: 90 less 10 %
    world = to_world(a_world([0], [a_task(2, expected_s=40.0)]))
    assert bound_of(world) == pytest.approx(81.0, rel=1e-6)
    assert best_revenue(to_world(a_world([0], [a_task(2, expected_s=40.0)], horizon_s=60.0))) == pytest.approx(81.0)


def test_several_workers_share_the_work_by_hand() -> None:
    # There at 0 (node 2) and at 20 (node 0): 20 s alone, the other 10 s of 30 together: done at 25
    world = to_world(a_world([0, 2], [a_task(2)]))
    assert earliest_finishes_s(world.instance, world.settings)[1] == pytest.approx([25.0], abs=1e-4)


def test_a_worker_cannot_be_everywhere_by_hand() -> None:
    # Two tasks of 30 s at nodes 1 and 3, both to be done by 65, either of which could be. The worker has legs of 10 and
    # 20 s before: (30 + 10) a + (30 + 20) b <= 65 with a = 1 leaves b = 0.5. It can in fact do only one.
    tasks = [a_task(1, deadline_s=65.0, expected_s=64.0), a_task(3, deadline_s=65.0, expected_s=64.0)]
    world = to_world(a_world([0], tasks))
    assert time_bound(world.instance, world.settings) == pytest.approx(90 * 1.5, rel=1e-4)
    assert best_revenue(to_world(a_world([0], tasks, step_s=10.0, horizon_s=65.0))) == 90.0


def test_a_task_that_no_worker_can_reach_in_time_or_at_all_earns_nothing() -> None:
    assert bound_of(to_world(a_world([0], [a_task(3)], range_m=299.0))) == 0.0
    assert bound_of(to_world(a_world([0], [a_task(3)], range_m=300.0))) == pytest.approx(90.0)
    assert bound_of(to_world(a_world([0], [a_task(3, skill=1)]))) == 0.0
    assert bound_of(to_world(a_world([0], [a_task(3, deadline_s=59.0, expected_s=9.0)]))) == 0.0
    assert bound_of(to_world(a_world([0], [a_task(3)], horizon_s=55.0))) == 0.0
    assert bound_of(to_world(a_world([0], [a_task(3, created_s=96.0)]))) == 0.0  # no epoch is left


def test_a_task_brings_a_worker_nearer_to_another() -> None:
    # Node 3 is out of range of node 0, but not of node 1: at 1 from 10 to 40, at 3 from 60 to 90.
    world = to_world(a_world([0], [a_task(1), a_task(3)], range_m=200.0))
    assert earliest_finishes_s(world.instance, world.settings)[1] == pytest.approx([40.0, 90.0], abs=1e-4)


@pytest.mark.parametrize("flavour", Flavour)
def test_no_episode_is_faster_or_earns_more(flavour: Flavour) -> None:
    """In random worlds, no policy finishes a task before its earliest finish or earns more than the bound."""
    rng = np.random.default_rng(list(Flavour).index(flavour))
    for _ in range(4):
        reference = random_world(rng, flavour)
        world = to_world(reference)
        earliest_s = earliest_finishes_s(world.instance, world.settings)[1]
        bound = bound_of(world)
        for policy in (Policy.RANDOM, Policy.GREEDY, Policy.HERD, Policy.LAZY):
            played: ReferenceSimulator = play(rng, reference, policy)
            assert played.metrics().revenue <= bound
            for task, soonest_s in enumerate(earliest_s):
                finish_s = played.finish_s(task)
                assert finish_s is None or finish_s >= soonest_s


def small_world(seed: int) -> World:
    """Two workers, three tasks on a line of 100 m roads, four or five epochs at which there is something to choose."""
    rng = np.random.default_rng(seed)
    tasks = [
        a_task(
            int(rng.integers(4)),
            workload_s=float(rng.integers(10, 60)),
            created_s=float(rng.integers(0, 40)),
            expected_s=float(rng.integers(40, 70)),
            deadline_s=float(rng.integers(80, 120)),
            max_payment=float(rng.integers(50, 150)),
        )
        for _ in range(3)
    ]
    return to_world(a_world([int(node) for node in rng.integers(4, size=2)], tasks, step_s=20.0, horizon_s=100.0))


def test_exhaustive_search_lies_under_the_bound_and_near_it() -> None:
    found = np.array([(best_revenue(world), bound_of(world)) for world in map(small_world, range(12))])
    assert (found[:, 0] <= found[:, 1]).all()
    assert found[:, 0].sum() / found[:, 1].sum() > 0.75
    assert (found[:, 0] > 0.9 * found[:, 1]).any()


@pytest.mark.parametrize("agent", ["greedy", "random"])
@pytest.mark.parametrize(
    "keywords",
    [
        {"scenario": "tiny"},
        {"scenario": "tiny", "num_workers": 3},
        {"scenario": "haikou-synth", "num_workers": 50, "num_tasks": 50},
    ],
    ids=["tiny", "few", "haikou"],
)
def test_no_agent_exceeds_it(agent: str, keywords: dict[str, object]) -> None:
    env = csc_v0.parallel_env(**keywords)
    for seed in range(3):
        run = run_episodes(env, load_policy(agent, "csc_v0"), agent=agent, episodes=1, seed=seed)
        assert (
            0 < run.mean["revenue"] <= revenue_bound(env.instance, env.settings) <= env.instance.payment.sum() * 1.001
        )
