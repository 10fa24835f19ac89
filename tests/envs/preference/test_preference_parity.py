"""Two routes to one number: the kernel against the reference simulator, and many copies against one.

The reference is written from docs/preference_dynamics.md with an event queue and networkx, and shares no code with the
kernel.
"""

import numpy as np
import pytest
from reference.preference_arrays import World, to_world
from reference.preference_random_worlds import Flavour, Policy, random_actions, random_world
from reference.preference_reference import Outcome as ReferenceOutcome
from reference.preference_reference import PreferenceReferenceSimulator

from crowdgym.envs.preference.kernel.simulation import PreferenceSimulation
from crowdgym.envs.preference.kernel.state import Outcome, TaskStatus, WorkerStatus
from crowdgym.envs.preference.reward import REWARDS
from crowdgym.envs.preference.snapshot import PreferenceSnapshot

TOLERANCE = 1e-9


def assert_same_moment(simulation: PreferenceSimulation, reference: PreferenceReferenceSimulator) -> None:
    snapshot = PreferenceSnapshot.of(simulation, 0)
    assert snapshot.time_s == reference.time_s
    for w, record in enumerate(reference.workers):
        assert WorkerStatus(snapshot.worker_status[w]).name == record.state.name
        assert snapshot.worker_task[w] == (-1 if record.task is None else record.task)
        assert snapshot.free_s[w] == pytest.approx(record.free_s, abs=TOLERANCE)
        assert_same_place(simulation, snapshot, reference, w)
        candidates = simulation.state.output.candidates[0, w]
        assert candidates[candidates >= 0].tolist() == reference.candidates(w)
        assert simulation.state.output.mask[0, w].tolist() == [1, *(candidates >= 0).astype(int).tolist()]
    for i, record in enumerate(reference.tasks):
        assert TaskStatus(snapshot.task_status[i]).name == record.state.name
        assert snapshot.task_worker[i] == (-1 if record.worker is None else record.worker)
        assert snapshot.declines[i] == record.declines
        assert snapshot.end_s[i] == pytest.approx(np.nan if record.end_s is None else record.end_s, nan_ok=True)
        if record.state.name == "OPEN":
            rivals = sum(reference.is_reachable(w, i) for w in range(len(reference.workers)))
            assert simulation.state.tasks.rivals[0, i] == rivals
    for name, value in reference.metrics().items():
        assert getattr(snapshot.metrics, name) == pytest.approx(value, rel=TOLERANCE, abs=1e-7), name


def assert_same_place(
    simulation: PreferenceSimulation, snapshot: PreferenceSnapshot, reference: PreferenceReferenceSimulator, w: int
) -> None:
    position, network = reference.position(w), simulation.network
    x_m, y_m = network.x_m[position.node], network.y_m[position.node]
    if position.next_node is not None:
        arcs = slice(network.indptr[position.node], network.indptr[position.node + 1])
        to_next = network.indices[arcs] == position.next_node
        part = position.past_m / (float(network.length[arcs][to_next][0]) * network.unit_m)
        x_m += part * (network.x_m[position.next_node] - x_m)
        y_m += part * (network.y_m[position.next_node] - y_m)
    assert (snapshot.worker_x_m[w], snapshot.worker_y_m[w]) == pytest.approx((x_m, y_m), abs=1e-6)


def play_both(
    world: World, reference: PreferenceReferenceSimulator, policy: Policy, rng: np.random.Generator
) -> set[ReferenceOutcome]:
    """Play an episode in both and compare every moment; returns what came of actions."""
    simulation, seen = world.start(), set()
    assert_same_moment(simulation, reference)
    while not reference.done:
        actions = random_actions(rng, reference, policy)
        expected = reference.step(actions)
        seen |= set(expected.outcomes)
        simulation.step(np.array([actions], np.int64))
        outcomes = [Outcome(code).name for code in simulation.state.output.outcome[0]]
        assert outcomes == [outcome.name for outcome in expected.outcomes]
        for name, strategy in REWARDS.items():
            rewards = np.zeros((1, len(actions)))
            strategy.write(simulation.state.output, rewards)
            np.testing.assert_allclose(rewards[0], getattr(expected, name), rtol=TOLERANCE, err_msg=name)
        assert_same_moment(simulation, reference)
    assert simulation.epochs[0] == simulation.clock.epochs
    return seen


@pytest.mark.parametrize("flavour", list(Flavour), ids=lambda flavour: flavour.value)
@pytest.mark.parametrize("policy", list(Policy), ids=lambda policy: policy.value)
def test_kernel_equals_reference(flavour: Flavour, policy: Policy) -> None:
    rng = np.random.default_rng([list(Flavour).index(flavour), list(Policy).index(policy)])
    for _ in range(3):
        instance = random_world(rng, flavour)
        play_both(to_world(instance), PreferenceReferenceSimulator(instance), policy, rng)


def test_the_worlds_above_tell_of_every_outcome() -> None:
    rng, seen = np.random.default_rng(3), set()
    for _ in range(10):
        instance = random_world(rng, Flavour.CROWD)
        seen |= play_both(to_world(instance), PreferenceReferenceSimulator(instance), Policy.HERD, rng)
    assert seen == set(ReferenceOutcome)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(500))
def test_kernel_equals_reference_in_many_worlds(seed: int) -> None:
    rng = np.random.default_rng(1_000 + seed)
    instance = random_world(rng)
    play_both(to_world(instance), PreferenceReferenceSimulator(instance), list(Policy)[seed % len(Policy)], rng)


def test_a_batch_equals_single_copies_to_the_last_bit() -> None:
    rng = np.random.default_rng(7)
    for _ in range(10):
        world = to_world(random_world(rng))
        together, alone = world.start(batch=3), [world.start() for _ in range(3)]
        for _ in range(together.clock.epochs):
            actions = rng.integers(0, world.settings.max_candidates + 1, (3, world.settings.num_workers))
            together.step(actions)
            for b in range(3):
                alone[b].step(actions[b : b + 1])
                assert together.observations[b].tobytes() == alone[b].observations[0].tobytes()
                assert together.state.output.outcome[b].tobytes() == alone[b].state.output.outcome[0].tobytes()
                assert together.metrics(b) == alone[b].metrics(0)


@pytest.mark.parametrize("pieces", [2, 8])
def test_epochs_without_offers_in_between_change_nothing(pieces: int) -> None:
    """Epochs every 8 s, or every 8 s / pieces with no offers in between."""
    rng = np.random.default_rng(11)
    for _ in range(10):
        world = to_world(random_world(rng))
        coarse = world.settings.model_copy(update={"step_s": 8.0, "horizon_s": 320.0})
        fine = coarse.model_copy(update={"step_s": 8.0 / pieces})
        one, other = World(world.instance, coarse).start(), World(world.instance, fine).start()
        for _ in range(one.clock.epochs):
            mask = one.state.output.mask[0]
            actions = np.array([[rng.choice(np.flatnonzero(legal)) for legal in mask]])
            one.step(actions)
            other.step(actions)
            for _ in range(pieces - 1):
                other.step(np.zeros_like(actions))
            np.testing.assert_array_equal(one.state.output.candidates, other.state.output.candidates)
        first, second = PreferenceSnapshot.of(one, 0), PreferenceSnapshot.of(other, 0)
        assert first.end_s.tobytes() == second.end_s.tobytes()
        assert first.worker_x_m.tobytes() == second.worker_x_m.tobytes()
        assert first.metrics == second.metrics
