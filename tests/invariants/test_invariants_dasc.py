"""Laws of DASC that any episode keeps, whatever its numbers."""

from dataclasses import replace

import numpy as np
import pytest
from dasc_playing import Drawn, Renumbering, any_actions, drawn_worlds, legal_actions, moment, renumbered
from hypothesis import given
from hypothesis import strategies as st
from reference.dasc_arrays import to_world
from reference.dasc_matching import has_ties
from reference.dasc_random_worlds import Flavour
from reference.dasc_reference import DascReferenceSimulator
from search_effort import ordinary, thorough

from crowdgym.envs.dasc.kernel.simulation import DascSimulation
from crowdgym.envs.dasc.kernel.state import Outcome, TaskStatus, WorkerStatus
from crowdgym.envs.dasc.reward import REWARDS
from crowdgym.envs.dasc.snapshot import DascSnapshot


def check_books(drawn: Drawn) -> None:
    """No subtask is paid twice, or while not live; every reward but the shaped one sums to the revenue."""
    simulation, rng = to_world(drawn.world).start(), drawn.rng()
    slots = drawn.world.num_slots
    paid_epochs = np.zeros(slots, int)
    sums = {"sparse": 0.0, "team": 0.0}
    while not simulation.is_over()[0]:
        live = simulation.state.output.live[0].copy()
        illegal = simulation.metrics(0).illegal
        actions = any_actions(rng, simulation)
        asked_illegally = int((simulation.state.output.mask[0, np.arange(slots), actions[0]] == 0).sum())
        before = simulation.metrics(0)
        simulation.step(actions)
        epoch, after = simulation.state.output, simulation.metrics(0)
        assert epoch.was_live[0].tolist() == live.tolist()
        assert after.illegal - illegal == asked_illegally
        for name in sums:
            rewards = np.zeros((1, slots))
            REWARDS[name].write(epoch, rewards)
            assert not rewards[0, ~live].any()
            sums[name] += rewards.sum()
            assert rewards.sum() == pytest.approx(after.revenue - before.revenue, abs=1e-9)
        assert not epoch.shaped[0, ~live].any()
        paid_epochs += epoch.sparse[0] != 0
        assert min(after.travel_m - before.travel_m, after.completed - before.completed) >= 0
        assert after.profit == pytest.approx(after.revenue - after.travel_cost)
    assert (paid_epochs <= 1).all()
    snapshot = DascSnapshot.of(simulation, 0)
    assert sums["sparse"] == pytest.approx(snapshot.metrics.revenue, abs=1e-9)
    assert sums["team"] == pytest.approx(snapshot.metrics.revenue, abs=1e-9)
    finished = snapshot.task_status == TaskStatus.FINISHED
    assert snapshot.metrics.completed == finished.sum()
    assert not snapshot.paid[~finished].any()
    most = np.array([job.max_payment for job in drawn.world.jobs])
    assert (snapshot.paid <= most).all()
    assert snapshot.metrics.travel_cost == pytest.approx(drawn.world.travel_cost_per_m * snapshot.metrics.travel_m)


@given(drawn_worlds())
@ordinary(60)
def test_books_balance(drawn: Drawn) -> None:
    check_books(drawn)


@pytest.mark.slow
@given(drawn_worlds())
@thorough(1_000)
def test_books_balance_thoroughly(drawn: Drawn) -> None:
    check_books(drawn)


def check_movements(drawn: Drawn) -> None:
    """Each worker is in one place at a time, able for what it gets, and never starts before what has to come before."""
    world, roads = drawn.world, DascReferenceSimulator(drawn.world)  # which is never played: it knows distances
    simulation, rng = to_world(world).start(), drawn.rng()
    matched: list[int] = []
    while not simulation.is_over()[0]:
        before = DascSnapshot.of(simulation, 0)
        simulation.step(any_actions(rng, simulation))
        after = DascSnapshot.of(simulation, 0)
        new = np.flatnonzero(after.outcome == Outcome.MATCHED).tolist()
        assert not set(new).intersection(matched)  # a subtask gets one worker, for good
        matched += new
        got = after.subtask_worker[new].tolist()
        assert len(set(got)) == len(got)
        for i, w in zip(new, got, strict=True):
            assert before.worker_status[w] == WorkerStatus.IDLE
            assert before.free_s[w] <= before.time_s
            assert world.subtasks[i].skills <= world.workers[w].skills
            distance_m = roads.distance_m(int(before.worker_node[w]), world.subtasks[i].node)
            assert distance_m <= world.range_m
            assert after.arrive_s[i] == before.time_s + distance_m / world.speed_mps
            assert after.start_s[i] >= after.arrive_s[i]
            for j in world.subtasks[i].before:
                assert after.finish_s[j] <= after.start_s[i]
                assert not world.after_finished or after.finish_s[j] <= before.time_s
        assert ((after.subtask_worker >= 0) == np.isin(np.arange(world.num_slots), matched)).all()
        busy = after.worker_subtask[after.worker_subtask >= 0].tolist()
        assert len(set(busy)) == len(busy)
        assert all(
            after.subtask_worker[after.worker_subtask[w]] == w for w in np.flatnonzero(after.worker_subtask >= 0)
        )


@given(drawn_worlds())
@ordinary(60)
def test_no_worker_is_in_two_places_and_nothing_starts_too_early(drawn: Drawn) -> None:
    check_movements(drawn)


@pytest.mark.slow
@given(drawn_worlds())
@thorough(1_000)
def test_no_worker_is_in_two_places_and_nothing_starts_too_early_thoroughly(drawn: Drawn) -> None:
    check_movements(drawn)


@given(drawn_worlds(), st.sampled_from([2, 8]))
@ordinary(40)
def test_an_epoch_without_actions_changes_no_bit(drawn: Drawn, pieces: int) -> None:
    """Epochs every 8 s, or every 8 s / pieces with everyone holding in between."""
    coarse = replace(drawn.world, step_s=8.0, horizon_s=8.0 * max(2, round(drawn.world.horizon_s / 8.0)))
    one, other = to_world(coarse).start(), to_world(replace(coarse, step_s=8.0 / pieces)).start()
    rng = drawn.rng()
    while not one.is_over()[0]:
        actions = any_actions(rng, one)
        one.step(actions)
        other.step(actions)
        np.testing.assert_array_equal(one.state.output.shaped, other.state.output.shaped)
        np.testing.assert_array_equal(one.state.output.outcome, other.state.output.outcome)
        sparse = other.state.output.sparse.copy()
        for _ in range(pieces - 1):
            other.step(np.zeros_like(actions))
            sparse += other.state.output.sparse
        np.testing.assert_array_equal(one.state.output.sparse, sparse)
        first, second = DascSnapshot.of(one, 0), DascSnapshot.of(other, 0)
        for name in ("paid", "end_s", "finish_s", "free_s", "worker_status", "task_status", "subtask_status"):
            assert getattr(first, name).tobytes() == getattr(second, name).tobytes(), name
        assert first.worker_x_m.tobytes() == second.worker_x_m.tobytes()
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
        assert moment(used, 0) == moment(fresh, 0)
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
    together = DascSimulation(first.instance.network, first.settings, 3)
    alone = [to_world(world).start() for world in others]
    for b, instance in enumerate(instances):
        together.reset_copy(b, instance)
    while not together.is_over()[0]:
        actions = any_actions(rng, together)
        together.step(actions)
        for b, single in enumerate(alone):
            single.step(actions[b : b + 1])
            assert moment(together, b) == moment(single, 0)
            assert together.metrics(b) == single.metrics(0)


# Distances and utilities that hardly ever tie.
UNEQUAL = [Flavour.ORDINARY, Flavour.SCARCE, Flavour.CROWD, Flavour.STEEP_PENALTY, Flavour.RAGGED_HORIZON]


def check_renumbering(drawn: Drawn) -> None:
    """Other numbers, the same results; until the first tie, which the reference simulator must see as well."""
    rng, reference = drawn.rng(), DascReferenceSimulator(drawn.world)
    new = renumbered(drawn.world, rng)
    one, other = to_world(drawn.world).start(), to_world(new.world).start()
    worker = np.append(new.worker, -1)  # -1 stays -1
    while not one.is_over()[0]:
        if (worker[one.state.output.candidates[0]] != other.state.output.candidates[0, new.subtask]).any():
            distances_m = [[distance_m for distance_m, _ in reference.able(i)] for i in reference.assignable()]
            assert any(len(set(some)) < len(some) for some in distances_m)
            return
        np.testing.assert_array_equal(one.state.output.mask[0], other.state.output.mask[0, new.subtask])
        actions = legal_actions(rng, one)
        moved = np.zeros_like(actions)
        moved[0, new.subtask] = actions[0]
        one.step(actions)
        other.step(moved)
        reference.step(actions[0].tolist())
        first, second = DascSnapshot.of(one, 0), DascSnapshot.of(other, 0)
        if (worker[first.subtask_worker] != second.subtask_worker[new.subtask]).any():
            assert any(has_ties(pairs, drawn.world.selects) for pairs in reference.latest_rounds)
            return
        _assert_same_but_for_numbers(one, other, new)


def _assert_same_but_for_numbers(one: DascSimulation, other: DascSimulation, new: Renumbering) -> None:
    first, second = DascSnapshot.of(one, 0), DascSnapshot.of(other, 0)
    numbers = {
        "paid end_s task_status": new.job,
        "subtask_status outcome arrive_s start_s finish_s illegal invalid unmatched": new.subtask,
        "worker_status worker_node free_s worker_x_m worker_y_m": new.worker,
    }
    for names, number in numbers.items():
        for name in names.split():
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name)[number], err_msg=name)
    for name in ("sparse", "shaped", "match_utility", "live"):
        here, there = getattr(one.state.output, name)[0], getattr(other.state.output, name)[0, new.subtask]
        np.testing.assert_array_equal(here, there, err_msg=name)
    assert first.metrics.revenue == pytest.approx(second.metrics.revenue)
    assert first.metrics.travel_m == pytest.approx(second.metrics.travel_m)


@given(drawn_worlds(UNEQUAL))
@ordinary(40)
def test_other_numbers_give_the_same_results_where_nothing_ties(drawn: Drawn) -> None:
    check_renumbering(drawn)


@pytest.mark.slow
@given(drawn_worlds())
@thorough(1_000)
def test_other_numbers_give_the_same_results_where_nothing_ties_thoroughly(drawn: Drawn) -> None:
    check_renumbering(drawn)
