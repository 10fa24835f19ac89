"""What a worker sees depends on the past of its copy alone: not on the future, another copy, or an older episode."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from invariants.csc_playing import assert_same_snapshot, begin, is_over, legal, play_on, same_bits
from invariants.search_effort import ordinary
from invariants.world_strategies import Episode, episodes, recast
from reference.csc_arrays import to_world
from reference.csc_instance import ReferenceInstance, ReferenceTask

from crowdgym.envs.csc.global_state import global_state
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.snapshot import CscSnapshot


def assert_same_to_the_eye(one: CscSimulation, other: CscSimulation) -> None:
    """Observations, masks, candidates, rewards and the state of centralised critics."""
    assert same_bits(one.observations, other.observations)
    assert same_bits(global_state(one, 0), global_state(other, 0))
    for name, value in one.state.output._asdict().items():
        assert same_bits(value, getattr(other.state.output, name)), name


def created_after(task: ReferenceTask, time_s: float) -> ReferenceTask:
    """The task, if need be put off until just after ``time_s``."""
    created_s = max(task.created_s, math.nextafter(time_s, math.inf))
    deadline_s = max(task.deadline_s, created_s + 1.0, math.nextafter(created_s, math.inf))
    return replace(task, created_s=created_s, deadline_s=deadline_s)


@ordinary(examples=80)
@given(episode=episodes(), epoch=st.integers(0, 12), data=st.data())
def test_no_worker_sees_a_task_before_it_is_created(episode: Episode, epoch: int, data: st.DataObject) -> None:
    """Two worlds whose tasks are the same up to an epoch, and altogether different afterwards."""
    one = begin(episode.world)
    now_s = one.clock.time_s(epoch)
    drawn: ReferenceInstance = data.draw(recast(episode.world))
    tasks = [
        task if task.created_s <= now_s else created_after(other, now_s)
        for task, other in zip(episode.world.tasks, drawn.tasks, strict=True)
    ]
    other = begin(replace(episode.world, tasks=tuple(tasks)))
    assert_same_to_the_eye(one, other)
    while not is_over(one) and one.epochs[0] < epoch:
        actions = legal(one, episode.wishes(int(one.epochs[0])))
        one.step(actions)
        other.step(actions)
        assert_same_to_the_eye(one, other)


@ordinary(examples=60)
@given(episode=episodes(), data=st.data())
def test_a_reset_leaves_nothing_of_the_episode_before(episode: Episode, data: st.DataObject) -> None:
    """An episode after another one, broken off in the middle or not, is the same as in a fresh simulation."""
    used, fresh = begin(data.draw(recast(episode.world))), begin(episode.world)
    for epoch in range(data.draw(st.integers(1, 5))):
        if not is_over(used):
            used.step(legal(used, episode.wishes(epoch)))
    if data.draw(st.booleans()):
        play_on(used)
    used.reset_copy(0, to_world(episode.world).instance)
    while not is_over(fresh):
        assert_same_to_the_eye(used, fresh)
        assert_same_snapshot(CscSnapshot.of(used, 0), CscSnapshot.of(fresh, 0))
        actions = legal(fresh, episode.wishes(int(fresh.epochs[0])))
        used.step(actions)
        fresh.step(actions)
    assert_same_snapshot(CscSnapshot.of(used, 0), CscSnapshot.of(fresh, 0))


@ordinary(examples=60)
@given(episode=episodes(), data=st.data(), begins_anew_at=st.integers(1, 4))
def test_copies_know_nothing_of_each_other(episode: Episode, data: st.DataObject, begins_anew_at: int) -> None:
    """Copy 1 plays another instance and begins a third one in the middle; copies 0 and 1 are as if alone."""
    second, third = data.draw(recast(episode.world)), data.draw(recast(episode.world))
    together, alone = begin(episode.world, batch=2), [begin(episode.world), begin(second)]
    together.reset_copy(1, to_world(second).instance)
    for epoch in range(min(8, alone[0].clock.epochs)):
        if epoch == begins_anew_at:
            together.reset_copy(1, to_world(third).instance)
            alone[1] = begin(third)
        actions = [legal(single, episode.wishes(epoch)) for single in alone]
        together.step(np.concatenate(actions))
        for b, single in enumerate(alone):
            single.step(actions[b])
            assert same_bits(together.observations[b], single.observations[0])
            assert_same_snapshot(CscSnapshot.of(together, b), CscSnapshot.of(single, 0))
            for name, value in single.state.output._asdict().items():
                assert same_bits(getattr(together.state.output, name)[b], value[0]), name
