"""Worlds that differ in a way that must not matter, or must matter by a known factor: what happens is the same.

Factors are powers of two, by which a float is multiplied without rounding: everything is compared to the last bit.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from invariants.csc_ledger import shortest_ways
from invariants.csc_playing import assert_same_snapshot, begin, is_over, legal, same_bits
from invariants.search_effort import ordinary
from invariants.world_strategies import MOST_NODES, SKILLS, Episode, episodes
from reference.csc_instance import Arc, ReferenceInstance, ReferenceTask, ReferenceWorker

from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.snapshot import CscSnapshot

FACTORS = st.sampled_from([2.0, 16.0])
CASES = ordinary(examples=60)


def side_by_side(episode: Episode, other: ReferenceInstance) -> Iterator[tuple[CscSimulation, CscSimulation]]:
    """Both worlds at every epoch, the same actions taken in both; workers that only the other one has hold."""
    one, changed = begin(episode.world), begin(other)
    yield one, changed
    while not is_over(one):
        actions = legal(one, episode.wishes(int(one.epochs[0])))
        one.step(actions)
        more = len(other.workers) - len(episode.world.workers)
        changed.step(np.pad(actions, ((0, 0), (0, more))))
        yield one, changed


def change_tasks(world: ReferenceInstance, change: Callable[[ReferenceTask], ReferenceTask]) -> ReferenceInstance:
    return replace(world, tasks=tuple(change(task) for task in world.tasks))


@CASES
@given(episode=episodes(), factor=FACTORS)
def test_a_currency_is_only_a_unit(episode: Episode, factor: float) -> None:
    """All payments doubled: revenue and rewards doubled, and nothing else."""
    world = change_tasks(episode.world, lambda task: replace(task, max_payment=task.max_payment * factor))
    for one, other in side_by_side(episode, world):
        now, then = CscSnapshot.of(one, 0), CscSnapshot.of(other, 0)
        assert_same_snapshot(now, then, but=("paid", "metrics"))
        assert same_bits(now.paid * factor, then.paid)
        assert vars(now.metrics) | {"revenue": now.metrics.revenue * factor} == vars(then.metrics)
        assert same_bits(one.state.output.share * factor, other.state.output.share)
        assert same_bits(one.state.output.revenue * factor, other.state.output.revenue)


@CASES
@given(episode=episodes(), data=st.data())
def test_payments_do_not_change_movement(episode: Episode, data: st.DataObject) -> None:
    """Other payments, expected times and penalties: everyone is at the same places at the same times."""
    others = st.tuples(st.floats(0, 1e6), st.floats(-1e6, 1e6))
    drawn = iter(data.draw(st.lists(others, min_size=len(episode.world.tasks), max_size=len(episode.world.tasks))))
    world = change_tasks(
        replace(episode.world, penalty_per_s=data.draw(st.floats(0, 10))),
        lambda task: replace(task, **dict(zip(("max_payment", "expected_s"), next(drawn), strict=True))),
    )
    for one, other in side_by_side(episode, world):
        now, then = CscSnapshot.of(one, 0), CscSnapshot.of(other, 0)
        assert_same_snapshot(now, then, but=("paid", "metrics"))
        assert replace(now.metrics, revenue=0.0) == replace(then.metrics, revenue=0.0)


@CASES
@given(episode=episodes(), factor=FACTORS)
def test_a_slower_world_is_the_same_world(episode: Episode, factor: float) -> None:
    """All times and workloads doubled, speed and penalty rate halved: everything happens twice as late."""
    world = replace(
        change_tasks(
            episode.world,
            lambda task: replace(
                task,
                created_s=task.created_s * factor,
                expected_s=task.expected_s * factor,
                deadline_s=task.deadline_s * factor,
                workload_s=task.workload_s * factor,
            ),
        ),
        horizon_s=episode.world.horizon_s * factor,
        step_s=episode.world.step_s * factor,
        speed_mps=episode.world.speed_mps / factor,
        penalty_per_s=episode.world.penalty_per_s / factor,
    )
    timed = ("depart_s", "arrive_s", "free_s", "end_s", "work_left_s")
    for one, other in side_by_side(episode, world):
        now, then = CscSnapshot.of(one, 0), CscSnapshot.of(other, 0)
        assert_same_snapshot(now, then, but=(*timed, "time_s"))
        assert now.time_s * factor == then.time_s
        for name in timed:
            assert same_bits(vars(now)[name] * factor, vars(then)[name]), name
        assert same_bits(one.state.output.share, other.state.output.share)
        assert same_bits(one.state.output.remaining_s * factor, other.state.output.remaining_s)


@CASES
@given(episode=episodes(), factor=FACTORS)
def test_a_metre_is_only_a_unit(episode: Episode, factor: float) -> None:
    """Units, range and speed doubled: the same times, and twice the travel."""
    old = episode.world
    assume(old.speed_mps * factor <= 1e9)  # no settings are faster
    world = replace(old, unit_m=old.unit_m * factor, speed_mps=old.speed_mps * factor, range_m=old.range_m * factor)
    for one, other in side_by_side(episode, world):
        now, then = CscSnapshot.of(one, 0), CscSnapshot.of(other, 0)
        assert_same_snapshot(now, then, but=("metrics",))
        assert vars(now.metrics) | {"travel_m": now.metrics.travel_m * factor} == vars(then.metrics)
        assert same_bits(one.state.output.mask, other.state.output.mask)


def without_last(snapshot: CscSnapshot, prefixes: tuple[str, ...]) -> CscSnapshot:
    """The snapshot without its last worker, or without its last task."""
    return replace(snapshot, **{k: v[:-1].copy() for k, v in vars(snapshot).items() if k.startswith(prefixes)})


@CASES
@given(
    episode=episodes(), node=st.integers(0, MOST_NODES - 1), skills=st.frozensets(st.sampled_from(SKILLS), min_size=1)
)
def test_a_worker_that_only_holds_changes_nothing_for_the_others(
    episode: Episode, node: int, skills: frozenset[int]
) -> None:
    idler = ReferenceWorker(node % episode.world.num_nodes, skills)
    world = replace(episode.world, workers=(*episode.world.workers, idler))
    for one, other in side_by_side(episode, world):
        then = without_last(CscSnapshot.of(other, 0), ("worker_", "depart_s", "arrive_s", "free_s"))
        assert_same_snapshot(CscSnapshot.of(one, 0), then)
        assert same_bits(one.state.output.candidates[0], other.state.output.candidates[0, :-1].copy())
        assert same_bits(one.state.output.share[0], other.state.output.share[0, :-1].copy())
        assert other.state.output.share[0, -1] == 0.0


@CASES
@given(episode=episodes(), node=st.integers(0, MOST_NODES - 1))
def test_a_task_that_no_worker_can_do_changes_nothing(episode: Episode, node: int) -> None:
    """It expires, and that is all. Number 0, so that all others move up by one."""
    old = episode.world
    useless = ReferenceTask(node % old.num_nodes, 3, 0.0, 1.0, old.step_s, 1.0, 100.0)
    for one, other in side_by_side(episode, replace(old, tasks=(useless, *old.tasks))):
        now, then = CscSnapshot.of(one, 0), CscSnapshot.of(other, 0)
        tasks = ("task_", "work_left_s", "workers_", "end_s", "paid")
        rest = replace(then, **{k: v[1:].copy() for k, v in vars(then).items() if k.startswith(tasks)})
        took_something = then.worker_task >= 0
        assert_same_snapshot(now, rest, but=("metrics", "worker_task"))
        assert same_bits(now.worker_task, then.worker_task - took_something.astype(np.int32))
        assert replace(now.metrics, expired=now.metrics.expired + int(then.task_status[0] == 3)) == then.metrics
        assert same_bits(one.state.output.mask, other.state.output.mask)
        assert same_bits(one.state.output.share, other.state.output.share)


@CASES
@given(episode=episodes(), data=st.data())
def test_a_road_that_is_a_detour_changes_nothing(episode: Episode, data: st.DataObject) -> None:
    """A new one-way road between two places, longer than the shortest way."""
    old = episode.world
    assume(old.num_nodes > 1)
    joined = {(arc.tail, arc.head) for arc in old.arcs}
    nodes = range(old.num_nodes)
    apart = [(tail, head) for tail in nodes for head in nodes if tail != head and (tail, head) not in joined]
    assume(apart)
    tail, head = data.draw(st.sampled_from(apart))
    longer = shortest_ways(old)[tail][head] + data.draw(st.integers(1, 5))
    for one, other in side_by_side(episode, replace(old, arcs=(*old.arcs, Arc(tail, head, longer)))):
        assert_same_snapshot(CscSnapshot.of(one, 0), CscSnapshot.of(other, 0))
        assert same_bits(one.observations, other.observations)
        assert same_bits(one.state.output.share, other.state.output.share)


@pytest.mark.slow
@pytest.mark.parametrize(
    "check",
    [
        test_a_currency_is_only_a_unit,
        test_payments_do_not_change_movement,
        test_a_slower_world_is_the_same_world,
        test_a_metre_is_only_a_unit,
        test_a_worker_that_only_holds_changes_nothing_for_the_others,
        test_a_task_that_no_worker_can_do_changes_nothing,
        test_a_road_that_is_a_detour_changes_nothing,
    ],
)
def test_all_of_these_in_many_worlds(check: Callable[[], None]) -> None:
    settings(max_examples=2_000, derandomize=False, parent=CASES)(check)()
