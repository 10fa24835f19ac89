"""The rewards that credit single workers, `marginal` and `difference`: by hand, and laws that hold for any policy."""

import numpy as np
import pytest
from reference.csc_arrays import to_world
from reference.csc_instance import ReferenceInstance
from reference.csc_reference import ReferenceSimulator
from reference.hand_worlds import a_task, a_world
from reference.random_worlds import Flavour, Policy, random_actions, random_world

from crowdgym.configs.csc import RewardName
from crowdgym.envs import csc_v0
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.reward import REWARDS


def begin(world: ReferenceInstance) -> CscSimulation:
    arrays = to_world(world)
    simulation = CscSimulation(arrays.instance.network, arrays.settings, 1)
    simulation.reset_copy(0, arrays.instance)
    return simulation


def earned(simulation: CscSimulation, reward: RewardName) -> list[float]:
    rewards = np.zeros(simulation.state.workers.status.shape)
    REWARDS[reward].write(simulation.state.output, rewards)
    return [float(one) for one in rewards[0]]


def step(simulation: CscSimulation, *actions: int) -> CscSimulation:
    simulation.step(np.array([actions], np.int64))
    return simulation


def hold_until(simulation: CscSimulation, until_s: float) -> CscSimulation:
    while simulation.now_s(0) < until_s:
        step(simulation, *[0] * simulation.settings.num_workers)
    return simulation


# ---- by hand: 0 --100-- 1 --100-- 2 --100-- 3, 10 s a road, epochs 5 s apart, 90 less 1 % a second late ----

# Two workers at the task, 30 s of work, expected after 20 s. One alone: done at 30 s, 10 s late, 81. Both: at 15 s, 90.
SHARED = a_world([1, 1], [a_task(1, 30.0, expected_s=20.0)])
# 30 s of work within 20 s: one alone is too late, two are done at 15 s.
PAIR = a_world([1, 1], [a_task(1, 30.0, expected_s=20.0, deadline_s=20.0)])


def test_marginal_pays_each_what_it_adds_in_the_order_of_workers() -> None:
    assert earned(step(begin(SHARED), 1, 1), "marginal") == pytest.approx([81.0, 9.0])


def test_marginal_pays_at_the_join_and_never_again() -> None:
    simulation = step(begin(SHARED), 0, 1)
    assert earned(simulation, "marginal") == pytest.approx([0.0, 81.0])
    # 25 s of work left at 5 s for two: done at 17.5 s
    assert earned(step(simulation, 1, 0), "marginal") == pytest.approx([9.0, 0.0])
    assert earned(hold_until(simulation, 20.0), "marginal") == [0.0, 0.0]


def test_marginal_pays_the_first_of_a_pair_nothing_and_the_second_all() -> None:
    assert earned(step(begin(PAIR), 1, 1), "marginal") == pytest.approx([0.0, 90.0])


def test_difference_pays_who_finished_what_would_have_been_lost_without_it() -> None:
    simulation = hold_until(step(begin(SHARED), 1, 1), 15.0)
    assert earned(simulation, "difference") == pytest.approx([9.0, 9.0])
    assert earned(step(simulation, 0, 0), "difference") == [0.0, 0.0]


def test_difference_pays_both_of_a_pair_in_full() -> None:
    assert earned(hold_until(step(begin(PAIR), 1, 1), 15.0), "difference") == pytest.approx([90.0, 90.0])


def test_difference_counts_on_those_who_were_still_on_their_way() -> None:
    """w0 is done at 30 s alone; w1 from node 3 would be there at 20 s: the work is done at 25 s by both.

    Without w0, w1 does it from 20 to 50 s: 30 s late, 63. Without w1, w0 is done at 30 s, 10 s late, 81; with both at
    25 s, 85.5. Now w2 also sets out from 3, at 15 s: it is on its way still at 25 s, and earns nothing.
    """
    world = a_world([1, 3, 3], [a_task(1, 30.0, expected_s=20.0)])
    simulation = hold_until(step(begin(world), 1, 1, 0), 15.0)
    hold_until(step(simulation, 0, 0, 1), 25.0)
    # Without w0: w1 from 20 s, w2 from 35 s; 15 s are done at 35, the other 15 at 42.5 s: 22.5 s late, 69.75
    assert earned(simulation, "difference") == pytest.approx([85.5 - 69.75, 85.5 - 81.0, 0.0])


def test_what_is_finished_after_the_horizon_is_worth_nothing() -> None:
    world = a_world([1], [a_task(1, 30.0)], horizon_s=25.0)
    assert earned(step(begin(world), 1), "marginal") == [0.0]
    world = a_world([1], [a_task(1, 30.0)], horizon_s=30.0)
    assert earned(step(begin(world), 1), "marginal") == pytest.approx([90.0])


# ---- laws ----


@pytest.mark.parametrize("flavour", Flavour)
def test_marginal_rewards_sum_to_the_revenue_whatever_is_played(flavour: Flavour) -> None:
    rng = np.random.default_rng([3, list(Flavour).index(flavour)])
    for policy in Policy:
        world = random_world(rng, flavour)
        simulation, reference, total = begin(world), ReferenceSimulator(world), 0.0
        while not reference.done:
            actions = random_actions(rng, reference, policy)
            reference.step(actions)
            total += sum(earned(step(simulation, *actions), "marginal"))
        assert total == pytest.approx(simulation.metrics(0).revenue, rel=1e-6)


def test_a_marginal_reward_is_the_difference_of_two_replays_in_which_no_worker_joins_after_it() -> None:
    rng, compared = np.random.default_rng(8), 0
    nodes = rng.integers(4, size=12)
    tasks = [a_task(int(node), float(rng.integers(20, 90)), expected_s=20.0 + 5 * k) for k, node in enumerate(nodes)]
    world = a_world(rng.integers(4, size=6).tolist(), tasks)
    simulation, reference, played = begin(world), ReferenceSimulator(world), list[list[int]]()
    while not reference.done:
        actions = random_actions(rng, reference, Policy.RANDOM)
        reference.step(actions)
        step(simulation, *actions)
        for w in np.flatnonzero(actions).tolist():
            until = [*actions[: w + 1], *[0] * (len(actions) - w - 1)]
            without = [*actions[:w], *[0] * (len(actions) - w)]
            gained = revenue_of(world, [*played, until]) - revenue_of(world, [*played, without])
            assert earned(simulation, "marginal")[w] == pytest.approx(gained, rel=1e-9, abs=1e-7)
            compared += gained > 0
        played.append(actions)
    assert compared > 5


def revenue_of(world: ReferenceInstance, played: list[list[int]]) -> float:
    """What is earned if all hold after some steps."""
    simulation = begin(world)
    for actions in played:
        step(simulation, *actions)
    return hold_until(simulation, world.horizon_s).metrics(0).revenue


@pytest.mark.parametrize("reward", ["marginal", "difference"])
def test_a_vector_environment_pays_as_single_ones_do(reward: RewardName) -> None:
    short = {"scenario": "tiny", "horizon_s": 900.0, "reward": reward}
    vector, singles = csc_v0.vector_env(2, **short), [csc_v0.parallel_env(**short) for _ in range(2)]
    infos = vector.reset(seed=4)[1]
    for copy, single in enumerate(singles):
        single.reset(seed=4 + copy)
    rng, total = np.random.default_rng(1), 0.0
    while singles[0].agents:
        mask = infos["action_mask"]
        actions = (rng.random(mask.shape) * mask).argmax(axis=1)
        _, rewards, _, _, infos = vector.step(actions)
        for single, joint, paid in zip(singles, actions.reshape(2, -1), rewards.reshape(2, -1), strict=True):
            alone = single.step(dict(zip(single.agents, joint.tolist(), strict=True)))[1]
            assert list(alone.values()) == paid.tolist()
        total += rewards.sum()
    assert total > 0
