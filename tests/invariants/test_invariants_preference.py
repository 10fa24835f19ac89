"""Laws of ``preference_v0`` that any episode keeps, whatever its numbers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from preference_playing import Drawn, any_actions, drawn_worlds, everything, renumbered
from reference.preference_arrays import to_world
from reference.preference_random_worlds import Flavour
from search_effort import ordinary, thorough

from crowdgym.envs.preference.kernel.simulation import PreferenceSimulation
from crowdgym.envs.preference.kernel.state import Outcome, TaskStatus, WorkerStatus
from crowdgym.envs.preference.reward import REWARDS
from crowdgym.envs.preference.snapshot import PreferenceSnapshot


def check_books(drawn: Drawn) -> None:
    """Rewards sum to the metrics, no count falls, and every task ends once, as its declines and its worker say."""
    simulation, rng = to_world(drawn.world).start(), drawn.rng()
    sums = dict.fromkeys(REWARDS, 0.0)
    before = PreferenceSnapshot.of(simulation, 0)
    while not simulation.is_over()[0]:
        mask, actions = simulation.state.output.mask[0].copy(), any_actions(rng, simulation)
        illegal = int((mask[np.arange(len(mask)), actions[0]] == 0).sum())
        simulation.step(actions)
        after = PreferenceSnapshot.of(simulation, 0)
        for name, strategy in REWARDS.items():
            rewards = np.zeros((1, len(mask)))
            strategy.write(simulation.state.output, rewards)
            sums[name] += rewards.sum()
        assert after.metrics.illegal - before.metrics.illegal == illegal
        for name in ("offered", "accepted", "declined", "contested", "closed", "expired"):
            assert getattr(after.metrics, name) >= getattr(before.metrics, name)
        assert after.metrics.travel_m >= before.metrics.travel_m - 1e-9
        ended = before.task_status > TaskStatus.OPEN
        assert (after.task_status[ended] == before.task_status[ended]).all()
        assert (after.end_s[ended] == before.end_s[ended]).all()
        before = after
    metrics = before.metrics
    assert sums["accepted"] == metrics.accepted
    assert sums["team"] == pytest.approx(metrics.accepted)
    assert sums["preference"] == pytest.approx(metrics.preference * metrics.accepted)
    accepted, closed = before.task_status == TaskStatus.ACCEPTED, before.task_status == TaskStatus.CLOSED
    assert ((before.task_worker >= 0) == accepted).all()
    assert (before.declines[closed] == drawn.world.max_offers).all()
    assert (before.declines[~closed] < drawn.world.max_offers).all()
    assert metrics.declined == before.declines.sum()
    assert metrics.offered == metrics.accepted + metrics.declined


@given(drawn_worlds())
@ordinary(60)
def test_books_balance(drawn: Drawn) -> None:
    check_books(drawn)


@pytest.mark.slow
@given(drawn_worlds())
@thorough(1_000)
def test_books_balance_thoroughly(drawn: Drawn) -> None:
    check_books(drawn)


def check_answers(drawn: Drawn) -> None:
    """One offer a task and epoch, to an idle worker; one that declined has a pause, and never the same offer again."""
    simulation, rng, world = to_world(drawn.world).start(), drawn.rng(), drawn.world
    declined: set[tuple[int, int]] = set()
    paused_until_s = np.zeros(len(world.workers))
    while not simulation.is_over()[0]:
        before = PreferenceSnapshot.of(simulation, 0)
        candidates, actions = simulation.state.output.candidates[0].copy(), any_actions(rng, simulation)
        for w, row in enumerate(candidates):
            for task in row[row >= 0].tolist():
                assert before.task_status[task] == TaskStatus.OPEN
                assert before.worker_status[w] == WorkerStatus.IDLE
                assert before.time_s >= paused_until_s[w]
                assert (w, task) not in declined
        simulation.step(actions)
        after = PreferenceSnapshot.of(simulation, 0)
        answered = np.flatnonzero(np.isin(after.outcome, [Outcome.ACCEPTED, Outcome.DECLINED]))
        offered = [int(candidates[w, actions[0, w] - 1]) for w in answered]
        assert len(set(offered)) == len(offered)
        for w, task in zip(answered.tolist(), offered, strict=True):
            assert (after.outcome[w] == Outcome.ACCEPTED) == world.accepts(w, task)
            if after.outcome[w] == Outcome.DECLINED:
                declined.add((w, task))
                paused_until_s[w] = before.time_s + world.pause_s
            else:
                assert after.arrive_s[w] <= world.tasks[task].expiry_s
                assert after.free_s[w] == after.arrive_s[w] + world.service_s
        for w in np.flatnonzero(after.outcome == Outcome.CONTESTED).tolist():
            assert int(candidates[w, actions[0, w] - 1]) in offered


@given(drawn_worlds())
@ordinary(60)
def test_offers_go_to_those_who_may_have_them(drawn: Drawn) -> None:
    check_answers(drawn)


@pytest.mark.slow
@given(drawn_worlds())
@thorough(1_000)
def test_offers_go_to_those_who_may_have_them_thoroughly(drawn: Drawn) -> None:
    check_answers(drawn)


@given(drawn_worlds(), st.sampled_from([2, 8]))
@ordinary(40)
def test_epochs_without_offers_change_no_bit(drawn: Drawn, pieces: int) -> None:
    """Epochs every 8 s, or every 8 s / pieces without offers in between."""
    coarse = replace(drawn.world, step_s=8.0, horizon_s=8.0 * max(2, round(drawn.world.horizon_s / 8.0)))
    one, other = to_world(coarse).start(), to_world(replace(coarse, step_s=8.0 / pieces)).start()
    rng = drawn.rng()
    while not one.is_over()[0]:
        actions = any_actions(rng, one)
        one.step(actions)
        other.step(actions)
        np.testing.assert_array_equal(one.state.output.outcome, other.state.output.outcome)
        for _ in range(pieces - 1):
            other.step(np.zeros_like(actions))
        first, second = PreferenceSnapshot.of(one, 0), PreferenceSnapshot.of(other, 0)
        for name in ("worker_status", "task_status", "end_s", "free_s", "worker_x_m", "worker_node"):
            assert getattr(first, name).tobytes() == getattr(second, name).tobytes(), name
        assert first.metrics == second.metrics
        assert one.state.output.candidates.tobytes() == other.state.output.candidates.tobytes()
        assert one.observations.tobytes() == other.observations.tobytes()


@given(drawn_worlds())
@ordinary(30)
def test_a_reset_leaves_nothing_behind(drawn: Drawn) -> None:
    """An episode after another one, cut short, in the same arrays: as if in fresh ones."""
    rng = drawn.rng()
    used, fresh = to_world(renumbered(drawn.world, rng).world).start(), to_world(drawn.world).start()
    instance = replace(to_world(drawn.world).instance, network=used.network)
    for _ in range(int(rng.integers(1, used.clock.epochs + 1))):
        used.step(any_actions(rng, used))
    used.reset_copy(0, instance)
    while True:
        assert everything(used, 0) == everything(fresh, 0)
        if fresh.is_over()[0]:
            break
        actions = any_actions(rng, fresh)
        used.step(actions)
        fresh.step(actions)


@given(drawn_worlds())
@ordinary(30)
def test_a_copy_in_a_batch_is_a_copy_alone_to_the_last_bit(drawn: Drawn) -> None:
    rng = drawn.rng()
    others = [drawn.world, *(renumbered(drawn.world, rng).world for _ in range(2))]
    first = to_world(drawn.world)
    instances = [replace(to_world(world).instance, network=first.instance.network) for world in others]
    together = PreferenceSimulation(first.instance.network, first.settings, 3)
    alone = [to_world(world).start() for world in others]
    for b, instance in enumerate(instances):
        together.reset_copy(b, instance)
    while not together.is_over()[0]:
        actions = np.concatenate([any_actions(rng, single) for single in alone])
        together.step(actions)
        for b, single in enumerate(alone):
            single.step(actions[b : b + 1])
            assert everything(together, b) == everything(single, 0)
            assert together.metrics(b) == single.metrics(0)


# Distances that hardly ever tie.
UNEQUAL = [Flavour.ORDINARY, Flavour.NO_PAUSE, Flavour.ONE_OFFER, Flavour.RAGGED_HORIZON, Flavour.UNWILLING]


def check_renumbering(drawn: Drawn) -> None:
    """Other numbers, the same results, until the first tie."""
    rng = drawn.rng()
    new = renumbered(drawn.world, rng)
    one, other = to_world(drawn.world).start(), to_world(new.world).start()
    task = np.append(new.task, -1)  # -1 stays -1
    while not one.is_over()[0]:
        mine, theirs = task[one.state.output.candidates[0]], other.state.output.candidates[0, new.worker]
        if (mine != theirs).any():
            pairs = one.state.pairs
            units = pairs.to_tasks[0][pairs.position[one.state.workers.node[0]]]  # [W, T]
            assert any(len(np.unique(row)) < len(row) for row in units)
            return
        actions = any_actions(rng, one)
        moved = np.zeros_like(actions)
        moved[0, new.worker] = actions[0]
        node = one.state.workers.node[0].copy()
        one.step(actions)
        other.step(moved)
        if (one.state.output.outcome[0] != other.state.output.outcome[0, new.worker]).any():
            assert len(np.unique(node)) < len(node) or _ties_between_workers(one, node)
            return
        first, second = PreferenceSnapshot.of(one, 0), PreferenceSnapshot.of(other, 0)
        for name in ("worker_status", "worker_node", "free_s", "worker_x_m", "worker_illegal"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name)[new.worker], err_msg=name)
        for name in ("task_status", "declines", "end_s"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name)[new.task], err_msg=name)
        assert first.metrics.preference == pytest.approx(second.metrics.preference)


def _ties_between_workers(simulation: PreferenceSimulation, node: np.ndarray) -> bool:
    pairs = simulation.state.pairs
    units = pairs.to_tasks[0][pairs.position[node]]  # [W, T]
    return any(len(np.unique(column)) < len(column) for column in units.T)


@given(drawn_worlds(UNEQUAL))
@ordinary(40)
def test_other_numbers_give_the_same_results_where_nothing_ties(drawn: Drawn) -> None:
    check_renumbering(drawn)


@pytest.mark.slow
@given(drawn_worlds())
@thorough(1_000)
def test_other_numbers_give_the_same_results_where_nothing_ties_thoroughly(drawn: Drawn) -> None:
    check_renumbering(drawn)


@given(drawn_worlds(), st.integers(0, 2**32 - 1))
@ordinary(30)
def test_true_preferences_show_in_answers_only(drawn: Drawn, seed: int) -> None:
    """Another world with the same answers: everything but the truth itself is the same."""
    world = replace(drawn.world, always=False, a_min=0.2, a_max=0.8)
    rng = np.random.default_rng(seed)
    lots = [[0.1 if world.accepts(w, s) else 0.9 for s in range(len(world.tasks))] for w in range(len(world.workers))]
    workers = tuple(replace(w, preference=tuple(rng.dirichlet(np.ones(8)).tolist())) for w in world.workers)
    other = replace(world, workers=workers, lots=tuple(map(tuple, lots)))
    first, second = to_world(world), to_world(other)
    instance = replace(second.instance, history_share=first.instance.history_share, network=first.instance.network)
    one, two = first.start(), PreferenceSimulation(first.instance.network, first.settings, 1)
    two.reset_copy(0, instance)
    rng = drawn.rng()
    while not one.is_over()[0]:
        actions = any_actions(rng, one)
        one.step(actions)
        two.step(actions)
        assert one.observations.tobytes() == two.observations.tobytes()
        for name in ("mask", "candidates", "outcome"):
            assert getattr(one.state.output, name).tobytes() == getattr(two.state.output, name).tobytes()
