"""Two routes to one number: the kernel against the reference simulator, and many copies against one.

The reference is written from docs/csc_dynamics.md with an event queue and networkx, and shares no code with the kernel.
"""

import numpy as np
import pytest
from reference.csc_arrays import World, to_world
from reference.csc_reference import ReferenceSimulator, TaskState, WorkerState
from reference.random_worlds import Flavour, Policy, random_actions, random_world

from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.kernel.state import TaskStatus, WorkerStatus
from crowdgym.envs.csc.reward import REWARDS
from crowdgym.envs.csc.snapshot import CscSnapshot

TOLERANCE = 1e-9


def start(world: World, batch: int = 1) -> CscSimulation:
    simulation = CscSimulation(world.instance.network, world.settings, batch)
    for b in range(batch):
        simulation.reset_copy(b, world.instance)
    return simulation


def assert_same_moment(simulation: CscSimulation, reference: ReferenceSimulator) -> None:
    snapshot = CscSnapshot.of(simulation, 0)
    workers, tasks = range(len(snapshot.worker_status)), range(len(snapshot.task_status))
    assert snapshot.time_s == reference.time_s
    assert [WorkerStatus(snapshot.worker_status[w]).name for w in workers] == [
        reference.worker_state(w).name for w in workers
    ]
    assert [TaskStatus(snapshot.task_status[i]).name for i in tasks] == [reference.task_state(i).name for i in tasks]
    for w in workers:
        assert_same_place(simulation, snapshot, reference, w)
        candidates = simulation.state.output.candidates[0, w]
        assert candidates[candidates >= 0].tolist() == reference.candidates(w)
    for i in tasks:
        if reference.task_state(i) is TaskState.FINISHED:
            assert snapshot.end_s[i] == pytest.approx(reference.finish_s(i), abs=TOLERANCE)
        if reference.task_state(i) is TaskState.OPEN:
            assert snapshot.work_left_s[i] == pytest.approx(reference.work_left_s(i), rel=TOLERANCE, abs=1e-7)
            assert snapshot.workers_present[i] == len(reference.present(i))
            assert snapshot.workers_en_route[i] == len(reference.under_way(i))
        assert snapshot.paid[i] == pytest.approx(reference.payment(i), rel=TOLERANCE, abs=TOLERANCE)
    for name, value in reference.metrics()._asdict().items():
        assert getattr(snapshot.metrics, name) == pytest.approx(value, rel=TOLERANCE, abs=1e-7), name


def assert_same_place(simulation: CscSimulation, snapshot: CscSnapshot, reference: ReferenceSimulator, w: int) -> None:
    position, network = reference.position(w), simulation.network
    x_m, y_m = network.x_m[position.node], network.y_m[position.node]
    if position.next_node is not None:
        arcs = slice(network.indptr[position.node], network.indptr[position.node + 1])
        to_next = network.indices[arcs] == position.next_node
        part = position.past_m / (float(network.length[arcs][to_next][0]) * network.unit_m)
        x_m += part * (network.x_m[position.next_node] - x_m)
        y_m += part * (network.y_m[position.next_node] - y_m)
    assert (snapshot.worker_x_m[w], snapshot.worker_y_m[w]) == pytest.approx((x_m, y_m), abs=1e-6)
    if reference.worker_state(w) is WorkerState.IDLE:
        assert snapshot.worker_node[w] == position.node


def play_both(world: World, reference: ReferenceSimulator, policy: Policy, rng: np.random.Generator) -> None:
    simulation = start(world)
    assert_same_moment(simulation, reference)
    while not reference.done:
        actions = random_actions(rng, reference, policy)
        expected = reference.step(actions)
        simulation.step(np.array([np.clip(actions, 0, world.settings.max_candidates)], np.int64))
        for name in REWARDS:
            rewards = np.zeros((1, len(actions)))
            REWARDS[name].write(simulation.state.output, rewards)
            np.testing.assert_allclose(rewards[0], getattr(expected, name), rtol=1e-7, atol=1e-7, err_msg=name)
        assert_same_moment(simulation, reference)
    assert simulation.epochs[0] == simulation.clock.epochs


@pytest.mark.parametrize("flavour", list(Flavour), ids=lambda flavour: flavour.value)
@pytest.mark.parametrize("policy", list(Policy), ids=lambda policy: policy.value)
def test_kernel_equals_reference(flavour: Flavour, policy: Policy) -> None:
    rng = np.random.default_rng([list(Flavour).index(flavour), list(Policy).index(policy)])
    for _ in range(3):
        instance = random_world(rng, flavour)
        play_both(to_world(instance), ReferenceSimulator(instance), policy, rng)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(500))
def test_kernel_equals_reference_in_many_worlds(seed: int) -> None:
    rng = np.random.default_rng(1_000 + seed)
    instance = random_world(rng)
    play_both(to_world(instance), ReferenceSimulator(instance), list(Policy)[seed % len(Policy)], rng)


def test_a_batch_equals_single_copies_to_the_last_bit() -> None:
    rng = np.random.default_rng(7)
    for _ in range(10):
        world = to_world(random_world(rng))
        together, alone = start(world, batch=3), [start(world) for _ in range(3)]
        for _ in range(together.clock.epochs):
            actions = rng.integers(0, world.settings.max_candidates + 1, (3, world.settings.num_workers))
            together.step(actions)
            for b in range(3):
                alone[b].step(actions[b : b + 1])
                assert together.observations[b].tobytes() == alone[b].observations[0].tobytes()
                assert together.state.output.share[b].tobytes() == alone[b].state.output.share[0].tobytes()
                assert together.metrics(b) == alone[b].metrics(0)


@pytest.mark.parametrize("pieces", [2, 5])
def test_splitting_an_interval_by_epochs_without_actions_changes_no_bit(pieces: int) -> None:
    """Epochs every Δt, or every Δt / pieces with everyone holding in between."""
    rng = np.random.default_rng(11)
    for _ in range(10):
        world = to_world(random_world(rng))
        step_s = 8.0  # a power of two over the pieces: epochs coincide exactly
        coarse = world.settings.model_copy(update={"step_s": step_s, "horizon_s": 40 * step_s})
        fine = coarse.model_copy(update={"step_s": step_s / pieces})
        if (step_s / pieces) * pieces != step_s:
            pytest.fail("the test's own epochs do not coincide")
        one, other = start(World(world.instance, coarse)), start(World(world.instance, fine))
        for _ in range(one.clock.epochs):
            slots = one.state.output.mask[0]
            actions = np.array([[rng.choice(np.flatnonzero(legal)) for legal in slots]])
            one.step(actions)
            other.step(actions)
            for _ in range(pieces - 1):
                other.step(np.zeros_like(actions))
            np.testing.assert_array_equal(one.state.output.candidates, other.state.output.candidates)
        first, second = CscSnapshot.of(one, 0), CscSnapshot.of(other, 0)
        assert first.paid.tobytes() == second.paid.tobytes()
        assert first.end_s.tobytes() == second.end_s.tobytes()
        assert first.worker_x_m.tobytes() == second.worker_x_m.tobytes()
        assert first.metrics == second.metrics
