"""The reference simulator against numbers worked out by hand: payment, candidates, the clock, rewards.

Where a test draws no world of its own, it is the line 0 - 1 - 2 - 3 of `hand_worlds`: 10 s a road, epochs 5 s apart.
"""

from dataclasses import replace
from typing import Any

import pytest
from reference.csc_instance import Arc, ReferenceWorker
from reference.csc_reference import Position, ReferenceSimulator, TaskState, WorkerState
from reference.hand_worlds import a_task, a_world, play

# ---- payment ----


@pytest.mark.parametrize(
    ("finish_s", "paid"),
    [
        (19.0, 64.0),
        (20.0, 64.0),  # exactly as expected
        (28.0, 48.0),  # 8 s late at 1/32 a second: three quarters
        (51.0, 2.0),
        (52.0, 0.0),  # the penalty has just eaten all
        (55.0, 0.0),  # and never more than all
    ],
)
def test_the_payment_falls_from_the_expected_time(finish_s: float, paid: float) -> None:
    """On the spot, so that the workload is the time of the finish; expected at 20 s, deadline 60 s."""
    task = a_task(2, finish_s, expected_s=20.0, deadline_s=60.0, max_payment=64.0)
    simulator = play(ReferenceSimulator(a_world([2], [task], penalty_per_s=1 / 32)), 60.0)
    assert simulator.finish_s(0) == finish_s
    assert simulator.payment(0) == paid
    assert simulator.metrics() == (paid, 1, 0, 0.0, 0)


def test_nothing_is_paid_at_the_deadline() -> None:
    task = a_task(2, 60.0, expected_s=60.0, deadline_s=60.0)
    simulator = play(ReferenceSimulator(a_world([2], [task])), 60.0)
    assert simulator.metrics() == (0.0, 0, 1, 0.0, 0)


# ---- candidates and actions ----


def test_candidates_are_the_nearest_first_and_ties_go_by_number() -> None:
    """w at 1. Tasks 0 at 3 (200 m), 1 at 2 and 2 at 0 (100 m each), 3 at 1 (0 m), 4 at 2 (100 m)."""
    tasks = [a_task(node) for node in (3, 2, 0, 1, 2)]
    assert ReferenceSimulator(a_world([1], tasks)).candidates(0) == [3, 1, 2, 4, 0]
    assert ReferenceSimulator(a_world([1], tasks, max_candidates=3)).candidates(0) == [3, 1, 2]


def test_the_range_includes_its_border() -> None:
    tasks = [a_task(node) for node in (3, 2, 1)]
    assert ReferenceSimulator(a_world([0], tasks, range_m=200.0)).candidates(0) == [2, 1]
    assert ReferenceSimulator(a_world([0], tasks, range_m=199.0)).candidates(0) == [2]
    assert ReferenceSimulator(a_world([1], tasks, range_m=0.0)).candidates(0) == [2]


def test_only_tasks_whose_skill_the_worker_has_are_candidates() -> None:
    tasks = [a_task(1, skill=skill) for skill in (0, 1, 2)]
    workers = (ReferenceWorker(0, frozenset({0, 2})), ReferenceWorker(0, frozenset({1})))
    simulator = ReferenceSimulator(replace(a_world([0, 0], tasks), workers=workers))
    assert simulator.candidates(0) == [0, 2]
    assert simulator.candidates(1) == [1]


def test_a_task_is_open_from_its_creation_to_just_before_its_deadline() -> None:
    """Epochs at 0, 5, 10 s; task 0 lives from 5 s to 10 s, task 1 from 5.5 s on."""
    tasks = [a_task(1, created_s=5.0, deadline_s=10.0), a_task(1, created_s=5.5)]
    simulator = ReferenceSimulator(a_world([0], tasks))
    assert simulator.candidates(0) == []
    simulator.step([0])
    assert simulator.candidates(0) == [0]
    simulator.step([0])
    assert simulator.candidates(0) == [1]


def test_a_task_stays_a_candidate_while_others_work_at_it() -> None:
    simulator = ReferenceSimulator(a_world([2, 0], [a_task(2, 90.0)]))
    simulator.step([1, 0])
    assert simulator.candidates(0) == []  # it works
    assert simulator.candidates(1) == [0]


def test_what_is_no_candidate_holds_and_counts_as_illegal() -> None:
    """One candidate each: 2 is none for w0, and once w1 travels, 1 is none for it either."""
    simulator = ReferenceSimulator(a_world([0, 0], [a_task(2)]))
    simulator.step([2, 1])
    assert simulator.worker_state(0) is WorkerState.IDLE
    assert simulator.position(0) == Position(0)
    assert simulator.metrics().illegal == 1
    simulator.step([0, 1])
    assert simulator.metrics().illegal == 2
    assert len(simulator.trips) == 1
    simulator.step([-1, 0])
    assert simulator.metrics().illegal == 3
    assert simulator.worker_state(0) is WorkerState.IDLE


def test_a_released_worker_can_only_hold_until_it_is_idle() -> None:
    """w1 from 0 is released at 12 s between 1 and 2, idle at 20 s; the second task is open all the time."""
    simulator = play(ReferenceSimulator(a_world([3, 0], [a_task(3, 12.0), a_task(3, 99.0)])), 15.0)
    simulator.step([0, 1])
    assert simulator.metrics().illegal == 1
    simulator.step([0, 1])
    assert simulator.metrics().illegal == 1
    assert simulator.worker_task(1) == 1


def test_every_worker_needs_an_action() -> None:
    with pytest.raises(ValueError, match="expected 2 actions, got 1"):
        ReferenceSimulator(a_world([0, 0], [a_task(2)])).step([0])


# ---- clock ----


def test_the_last_step_is_shorter_where_the_horizon_is_no_multiple() -> None:
    """H = 12 s, Δt = 5 s: epochs at 0, 5, 10, 12 s, three steps; a finish at exactly 12 s counts."""
    simulator = ReferenceSimulator(a_world([2], [a_task(2, 12.0)], horizon_s=12.0))
    times = [simulator.time_s]
    results = [simulator.step([1])]
    while not simulator.done:
        times.append(simulator.time_s)
        results.append(simulator.step([0]))
    assert [*times, simulator.time_s] == [0.0, 5.0, 10.0, 12.0]
    assert [result.revenue for result in results] == [0.0, 0.0, 90.0]
    with pytest.raises(RuntimeError, match="over"):
        simulator.step([0])


def test_an_event_just_after_the_horizon_does_not_happen() -> None:
    simulator = play(ReferenceSimulator(a_world([2], [a_task(2, 12.5)], horizon_s=12.0)), 12.0)
    assert simulator.task_state(0) is TaskState.OPEN
    assert simulator.work_left_s(0) == 0.5


def test_a_trip_under_way_at_the_horizon_counts_what_it_has_driven() -> None:
    simulator = play(ReferenceSimulator(a_world([0], [a_task(3)], horizon_s=17.0)), 17.0)
    assert simulator.metrics().travel_m == 170.0


def test_a_step_longer_than_the_horizon_is_cut() -> None:
    simulator = ReferenceSimulator(a_world([2], [a_task(2, 12.5)], horizon_s=12.0, step_s=50.0))
    assert simulator.num_steps == 1
    assert simulator.step([1]).revenue == 0.0
    assert simulator.time_s == 12.0


def test_epochs_without_actions_change_nothing() -> None:
    tasks = [a_task(3, 31.0, expected_s=10.0), a_task(2, 400.0, deadline_s=47.3)]
    coarse = play(ReferenceSimulator(a_world([0, 1, 2], tasks, step_s=100.0)), 100.0, first=[2, 2, 1])
    fine = play(ReferenceSimulator(a_world([0, 1, 2], tasks, step_s=0.5)), 100.0, first=[2, 2, 1])
    assert coarse.trips == fine.trips
    assert coarse.metrics() == fine.metrics()


# ---- rewards ----


def test_the_individual_reward_is_the_work_left_per_worker_present_or_on_the_way() -> None:
    """τ at 2 with 60 s.

    0 s: w0 at 1 and w1 at 0 take it: 60 / 2 each. 15 s: w0 has worked 5 s, w1 is on its way; w2 and w3 join:
    55 / 4 each, and nothing for those that took it before.
    """
    simulator = ReferenceSimulator(a_world([1, 0, 3, 2], [a_task(2, 60.0)]))
    assert simulator.step([1, 1, 0, 0]).individual == [30.0, 30.0, 0.0, 0.0]
    play(simulator, 15.0, first=[0, 0, 0, 0])
    assert simulator.step([0, 0, 1, 1]).individual == [0.0, 0.0, 13.75, 13.75]


def test_an_illegal_action_earns_no_individual_reward() -> None:
    simulator = ReferenceSimulator(a_world([1, 0], [a_task(2, 60.0)]))
    assert simulator.step([1, 2]).individual == [60.0, 0.0]


def test_rewards_belong_to_the_step_in_which_the_task_finishes() -> None:
    """On the spot, 7 s of work, epochs every 5 s: nothing in the first step, everything in the second."""
    simulator = ReferenceSimulator(a_world([2, 0], [a_task(2, 7.0)]))
    first, second, third = simulator.step([1, 0]), simulator.step([0, 0]), simulator.step([0, 0])
    assert [step.contribution for step in (first, second, third)] == [[0.0, 0.0], [90.0, 0.0], [0.0, 0.0]]
    assert [step.team for step in (first, second, third)] == [[0.0, 0.0], [45.0, 45.0], [0.0, 0.0]]


# ---- instances that are none ----


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"tasks": (a_task(2, deadline_s=0.0),)}, "created < deadline"),
        ({"tasks": (a_task(2, 0.0),)}, "workload > 0"),
        ({"arcs": (Arc(0, 1, 0),)}, "at least one unit"),
        ({"arcs": (Arc(0, 9, 1),)}, "nodes that are there"),
        ({"workers": (ReferenceWorker(0, frozenset()),)}, "at least one skill"),
        ({"workers": ()}, "at least one worker"),
        ({"step_s": 0.0}, "positive"),
        ({"range_m": -1.0}, "not negative"),
    ],
)
def test_an_instance_that_the_specification_does_not_cover_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        replace(a_world([0], [a_task(2)]), **change)
