"""Looking at the world more often changes nothing: states change at events only, never at an epoch."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invariants.csc_playing import assert_same_snapshot, begin, hold, is_over, legal, same_bits
from invariants.search_effort import ordinary, thorough
from invariants.world_strategies import Episode, episodes

from crowdgym.envs.csc.kernel.candidates import list_candidates, notice_tasks
from crowdgym.envs.csc.kernel.dynamics import play, take_actions
from crowdgym.envs.csc.kernel.observation import locate_workers, observe
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.snapshot import CscSnapshot


def assert_same_now(one: CscSimulation, other: CscSimulation) -> None:
    assert_same_snapshot(CscSnapshot.of(one, 0), CscSnapshot.of(other, 0))
    assert same_bits(one.observations, other.observations)
    assert same_bits(one.state.output.mask, other.state.output.mask)
    assert same_bits(one.state.output.candidates, other.state.output.candidates)


def check_that_epochs_of_holding_change_nothing(episode: Episode, halvings: int) -> None:
    """Steps of Δt, or of Δt / 2, Δt / 4, Δt / 8 (which coincide exactly) with everyone holding in between."""
    fine_world = replace(episode.world, step_s=episode.world.step_s / 2**halvings)
    coarse, fine = begin(episode.world), begin(fine_world)
    assert_same_now(coarse, fine)
    for epoch in range(coarse.clock.epochs):
        actions = legal(coarse, episode.wishes(epoch))
        coarse.step(actions)
        share, revenue = np.zeros_like(coarse.state.output.share), 0.0
        while not is_over(fine) and fine.now_s(0) < coarse.now_s(0):
            fine.step(actions)
            actions = hold(fine)
            share += fine.state.output.share
            revenue += fine.state.output.revenue[0]
        assert_same_now(coarse, fine)
        assert same_bits(share, coarse.state.output.share)  # no worker is paid twice in an interval
        assert revenue == pytest.approx(coarse.state.output.revenue[0], rel=1e-12)  # sums in another order


@settings(ordinary(examples=100))
@given(episode=episodes(), halvings=st.integers(1, 3))
def test_epochs_of_holding_change_nothing(episode: Episode, halvings: int) -> None:
    check_that_epochs_of_holding_change_nothing(episode, halvings)


@pytest.mark.slow
@settings(thorough(examples=5_000))
@given(episode=episodes(), halvings=st.integers(1, 5))
def test_epochs_of_holding_change_nothing_in_many_worlds(episode: Episode, halvings: int) -> None:
    check_that_epochs_of_holding_change_nothing(episode, halvings)


def instants_within(simulation: CscSimulation, from_s: float, until_s: float) -> list[float]:
    """Where a split could hurt: at, just before and just after whatever may happen in the interval."""
    workers, tasks = simulation.state.workers, simulation.state.tasks
    with np.errstate(divide="ignore", invalid="ignore"):
        finish_s = tasks.since_s[0] + tasks.work_left_s[0] / tasks.present[0]
    events_s = [workers.arrive_s[0], workers.free_s[0], tasks.created_s[0], tasks.deadline_s[0], finish_s]
    near_s = [np.nextafter(np.concatenate(events_s), way) for way in (-np.inf, np.inf)]
    every_s = np.concatenate([*events_s, *near_s])
    return sorted(set(every_s[(every_s > from_s) & (every_s < until_s)].tolist()))


def step_in_pieces(simulation: CscSimulation, actions: np.ndarray, shares: tuple[float, ...]) -> None:
    """One step as `CscSimulation.step` plays it, but that the world is looked at many times on the way."""
    state, roads, rules, scales = simulation.passed, simulation.roads, simulation.rules, simulation.scales
    now_s, until_s = simulation.now_s(0), simulation.clock.time_s(int(simulation.epochs[0]) + 1)
    take_actions(state, roads, rules, 0, actions[0], now_s)
    splits_s = {now_s + share * (until_s - now_s) for share in shares} | set(
        instants_within(simulation, now_s, until_s)
    )
    for at_s in [*sorted(split_s for split_s in splits_s if now_s <= split_s <= until_s), until_s]:
        play(state, roads, rules, 0, at_s)
        locate_workers(state, roads, rules, 0, at_s)
        notice_tasks(state, 0)
        list_candidates(state, rules, roads.unit_m, 0)
        observe(state, roads, rules, scales, 0, at_s, simulation.observations[0])
    simulation.epochs[0] += 1


def check_that_looking_changes_nothing(episode: Episode, shares: tuple[float, ...]) -> None:
    plain, watched = begin(episode.world), begin(episode.world)
    for epoch in range(plain.clock.epochs):
        actions = legal(plain, episode.wishes(epoch))
        plain.step(actions)
        step_in_pieces(watched, actions, shares)
        assert_same_now(plain, watched)
        for name, value in plain.state.output._asdict().items():
            if name == "revenue":
                np.testing.assert_allclose(watched.state.output.revenue, value, rtol=1e-12)
            else:
                assert same_bits(value, getattr(watched.state.output, name)), name


ANYWHERE = st.tuples(*[st.floats(0, 1, allow_subnormal=False)] * 3)


@settings(ordinary(examples=80))
@given(episode=episodes(), shares=ANYWHERE)
def test_looking_at_any_instant_changes_nothing(episode: Episode, shares: tuple[float, ...]) -> None:
    """Split at every arrival, finish, creation, deadline and release, an instant before and after, and anywhere."""
    check_that_looking_changes_nothing(episode, shares)


@pytest.mark.slow
@settings(thorough(examples=5_000))
@given(episode=episodes(), shares=ANYWHERE)
def test_looking_at_any_instant_changes_nothing_in_many_worlds(episode: Episode, shares: tuple[float, ...]) -> None:
    check_that_looking_changes_nothing(episode, shares)
