"""The reference simulator against numbers worked out by hand: travel, work, the end of a task.

Where a test draws no world of its own, it is the line 0 - 1 - 2 - 3 of `hand_worlds`: 10 s a road, epochs 5 s apart.
"""

import pytest
from reference.csc_instance import Arc, both_ways
from reference.csc_reference import Position, ReferenceSimulator, TaskState, WorkerState
from reference.hand_worlds import a_task, a_world, play

# ---- one worker ----


def test_a_lone_worker_drives_works_and_is_paid() -> None:
    """w at 0, τ at 2 with 25 s of work: arrives at 200 m / 10 m/s = 20 s, finishes at 45 s."""
    simulator = ReferenceSimulator(a_world([0], [a_task(2, 25.0)]))
    assert simulator.worker_state(0) is WorkerState.IDLE
    assert simulator.position(0) == Position(0)

    simulator.step([1])  # to 5 s
    assert simulator.worker_state(0) is WorkerState.TRAVELLING
    assert simulator.position(0) == Position(0, 1, 50.0)
    assert simulator.metrics().travel_m == 50.0

    simulator.step([0])  # to 10 s, just at node 1
    assert simulator.position(0) == Position(1, 2, 0.0)

    play(simulator, 20.0)
    assert simulator.worker_state(0) is WorkerState.WORKING
    assert simulator.position(0) == Position(2)
    assert simulator.present(0) == [0]
    assert simulator.work_left_s(0) == 25.0

    play(simulator, 40.0)
    assert simulator.work_left_s(0) == 5.0
    assert simulator.task_state(0) is TaskState.OPEN

    last = simulator.step([0])  # to 45 s: the finish at exactly the epoch belongs to this step
    assert simulator.task_state(0) is TaskState.FINISHED
    assert simulator.finish_s(0) == 45.0
    assert simulator.work_left_s(0) == 0.0
    assert simulator.worker_state(0) is WorkerState.IDLE
    assert simulator.position(0) == Position(2)
    assert last.revenue == 90.0
    assert last.contribution == [90.0]
    assert simulator.metrics() == (90.0, 1, 0, 200.0, 0)


def test_no_distance_means_arriving_at_once() -> None:
    simulator = play(ReferenceSimulator(a_world([2], [a_task(2, 12.0)])), 5.0)
    assert simulator.worker_state(0) is WorkerState.WORKING
    assert simulator.work_left_s(0) == 7.0
    play(simulator, 15.0)
    assert simulator.finish_s(0) == 12.0
    assert simulator.metrics().travel_m == 0.0


def test_a_world_of_one_node() -> None:
    """(0): two tasks, one worker, no roads; the second task is taken at the first epoch after the first has ended."""
    tasks = [a_task(0, 7.0), a_task(0, 4.0)]
    simulator = ReferenceSimulator(a_world([0], tasks, num_nodes=1, arcs=()))
    play(simulator, 10.0)
    assert simulator.finish_s(0) == 7.0
    assert simulator.candidates(0) == [1]
    play(simulator, 15.0)
    assert simulator.finish_s(1) == 14.0


def test_a_worker_may_act_at_the_very_epoch_at_which_its_task_ends() -> None:
    """10 s of work on the spot; idle at the epoch at 10 s; the next task is 100 m away: 20 s + 5 s."""
    simulator = play(ReferenceSimulator(a_world([1], [a_task(1, 10.0), a_task(2, 5.0)])), 10.0)
    assert simulator.worker_state(0) is WorkerState.IDLE
    play(simulator, 25.0, first=[1])
    assert simulator.finish_s(1) == 25.0


# ---- sharing ----


def test_two_workers_share_from_the_second_arrival() -> None:
    """w0 at 1, w1 at 0, τ at 2 with 30 s: alone from 10 s to 20 s, then 20 s of work left for two: 30 s.

    w0 gave 20 s and w1 10 s of the 30 s: 60 and 30 of the 90.
    """
    simulator = ReferenceSimulator(a_world([1, 0], [a_task(2, 30.0)]))
    play(simulator, 20.0)
    assert simulator.present(0) == [0, 1]
    assert simulator.work_left_s(0) == 20.0
    simulator.step([0, 0])
    assert simulator.work_left_s(0) == 10.0
    last = simulator.step([0, 0])
    assert simulator.finish_s(0) == 30.0
    assert last.contribution == [60.0, 30.0]
    assert last.team == [45.0, 45.0]
    assert simulator.metrics().travel_m == 300.0


def test_workers_that_arrive_together_share_equally() -> None:
    """w0 and w1 at 1, w2 at 3, τ at 2 with 30 s: three from 10 s, done at 20 s."""
    simulator = ReferenceSimulator(a_world([1, 1, 3], [a_task(2, 30.0)], step_s=20.0))
    assert simulator.step([1, 1, 1]).contribution == [30.0, 30.0, 30.0]
    assert simulator.finish_s(0) == 20.0


def test_finishing_comes_before_an_arrival_at_the_same_instant() -> None:
    """w0 at 1 finishes 10 s of work at 20 s, the instant at which w1 from 0 arrives: w1 was not present."""
    simulator = ReferenceSimulator(a_world([1, 0], [a_task(2, 10.0)], step_s=20.0))
    result = simulator.step([1, 1])
    assert simulator.finish_s(0) == 20.0
    assert result.contribution == [90.0, 0.0]
    assert simulator.trips[1].arrived_s is None
    assert simulator.position(1) == Position(2)
    assert simulator.worker_state(1) is WorkerState.IDLE
    assert simulator.metrics().travel_m == 300.0


def test_an_arrival_before_the_finish_brings_it_forward() -> None:
    """w0 on the spot at 2, w1 at 1 arrives at 10 s, τ has 14 s: 4 s left at 10 s, so 12 s instead of 14 s."""
    simulator = ReferenceSimulator(a_world([2, 1], [a_task(2, 14.0)], step_s=20.0))
    result = simulator.step([1, 1])
    assert simulator.finish_s(0) == 12.0
    assert result.contribution == pytest.approx([90 * 12 / 14, 90 * 2 / 14], rel=1e-15)


def test_an_arrival_just_before_the_finish_halves_what_is_left() -> None:
    """As before with 10.5 s of work: the half second left at 10 s takes two a quarter."""
    simulator = play(ReferenceSimulator(a_world([2, 1], [a_task(2, 10.5)])), 15.0)
    assert simulator.finish_s(0) == 10.25


def test_an_arrival_that_meets_the_finish_but_for_rounding_leaves_no_negative_work() -> None:
    """Seven on the spot from 0.6 s with 7.7 s of work: done at 0.6 + 7.7 / 7 = 1.7000000000000002 s.

    An eighth arrives at 1.7 s, before; then 7.7 - 7 (1.7 - 0.6) is -9e-16 of work, which counts as none: done at 1.7 s.
    """
    roads = both_ways((0, 1, 1700))
    world = a_world([1] * 7 + [0], [a_task(1, 7.7)], step_s=0.6, speed_mps=1000.0, arcs=roads, num_nodes=2)
    simulator = ReferenceSimulator(world)
    simulator.step([0] * 7 + [1])
    simulator.step([1] * 7 + [0])
    result = simulator.step([0] * 8)
    assert simulator.trips[0].arrived_s == 1.7
    assert simulator.finish_s(0) == 1.7
    assert result.contribution == pytest.approx([90 / 7] * 7 + [0.0], rel=1e-15)


def test_work_too_small_to_move_the_clock_is_paid_to_the_one_who_came() -> None:
    """1e-20 s of work starts at 5 s: 5 s + 1e-20 s is 5 s; a second worker there, of greater number, is too late."""
    simulator = ReferenceSimulator(a_world([2, 2], [a_task(2, 1e-20)]))
    simulator.step([0, 0])
    result = simulator.step([1, 1])
    assert simulator.finish_s(0) == 5.0
    assert result.contribution == [90.0, 0.0]
    assert [simulator.worker_state(w) for w in (0, 1)] == [WorkerState.IDLE, WorkerState.IDLE]


# ---- expiry ----


def test_a_task_expires_while_someone_works() -> None:
    """τ at 2 with 100 s of work and deadline 23 s; w0 at 1 works 13 s for nothing and is idle at 2 from 23 s."""
    simulator = play(ReferenceSimulator(a_world([1], [a_task(2, 100.0, deadline_s=23.0)])), 20.0)
    assert simulator.worker_state(0) is WorkerState.WORKING
    result = simulator.step([0])
    assert simulator.task_state(0) is TaskState.EXPIRED
    assert simulator.payment(0) == 0.0
    assert simulator.work_left_s(0) == 87.0
    assert simulator.position(0) == Position(2)
    assert simulator.trips[0].idle_s == 23.0
    assert result.contribution == [0.0]
    assert simulator.metrics() == (0.0, 0, 1, 100.0, 0)


def test_a_finish_at_exactly_the_deadline_is_an_expiry() -> None:
    """Arrival at 10 s, 15 s of work, deadline 25 s."""
    simulator = play(ReferenceSimulator(a_world([1], [a_task(2, 15.0, deadline_s=25.0)])), 30.0)
    assert simulator.task_state(0) is TaskState.EXPIRED
    assert simulator.finish_s(0) is None
    assert simulator.metrics().revenue == 0.0


def test_an_arrival_at_exactly_the_deadline_comes_too_late() -> None:
    simulator = play(ReferenceSimulator(a_world([1], [a_task(2, 15.0, deadline_s=10.0)])), 10.0)
    assert simulator.trips[0].arrived_s is None
    assert simulator.worker_state(0) is WorkerState.IDLE
    assert simulator.position(0) == Position(2)
    assert simulator.trips[0].idle_s == 10.0


def test_a_task_may_come_and_go_between_two_epochs() -> None:
    """Created at 1 s, deadline 4 s, epochs at 0 s and 5 s: no worker ever sees it, and it counts as expired."""
    simulator = ReferenceSimulator(a_world([2], [a_task(2, 1.0, created_s=1.0, deadline_s=4.0)]))
    assert simulator.task_state(0) is TaskState.PENDING
    assert simulator.candidates(0) == []
    simulator.step([0])
    assert simulator.task_state(0) is TaskState.EXPIRED
    assert simulator.candidates(0) == []
    assert simulator.metrics().expired == 1


def test_a_deadline_after_the_horizon_leaves_the_task_open() -> None:
    simulator = play(ReferenceSimulator(a_world([2], [a_task(2, 500.0)])), 100.0)
    assert simulator.done
    assert simulator.task_state(0) is TaskState.OPEN
    assert simulator.worker_state(0) is WorkerState.WORKING
    assert simulator.metrics() == (0.0, 0, 0, 0.0, 0)


# ---- release under way ----


def test_released_in_the_middle_of_a_road_goes_on_to_the_next_node() -> None:
    """w0 at 3 on the spot finishes at 15 s; w1 from 0 is then 150 m on its way, between 1 and 2: idle at 2 at 20 s."""
    simulator = play(ReferenceSimulator(a_world([3, 0], [a_task(3, 15.0)], step_s=2.5)), 15.0)
    assert simulator.worker_state(1) is WorkerState.RELEASED
    assert simulator.position(1) == Position(1, 2, 50.0)
    assert simulator.worker_task(1) is None
    assert simulator.candidates(1) == []
    assert simulator.metrics().travel_m == 150.0
    simulator.step([0, 0])
    assert simulator.position(1) == Position(1, 2, 75.0)
    assert simulator.metrics().travel_m == 175.0
    simulator.step([0, 0])
    assert simulator.worker_state(1) is WorkerState.IDLE
    assert simulator.position(1) == Position(2)
    assert simulator.trips[1].idle_s == 20.0
    simulator.step([0, 0])
    assert simulator.metrics().travel_m == 200.0


def test_released_exactly_at_a_node_stays_there() -> None:
    """w0 at 3 finishes at 10 s, when w1 from 0 is just at 1."""
    simulator = play(ReferenceSimulator(a_world([3, 0], [a_task(3, 10.0)])), 10.0)
    assert simulator.worker_state(1) is WorkerState.IDLE
    assert simulator.position(1) == Position(1)
    assert simulator.trips[1].idle_s == 10.0
    assert play(simulator, 30.0, first=[0, 0]).metrics().travel_m == 100.0


def test_released_on_the_last_road_goes_to_the_place_of_the_task() -> None:
    """w0 at 3 finishes at 21 s; w1 from 0 is 210 m on its way: idle at 3 at 30 s, without having been present."""
    simulator = ReferenceSimulator(a_world([3, 0], [a_task(3, 21.0)]))
    result = play(simulator, 20.0).step([0, 0])
    assert result.contribution == [90.0, 0.0]
    assert simulator.worker_state(1) is WorkerState.RELEASED
    assert (simulator.trips[1].idle_node, simulator.trips[1].idle_s) == (3, 30.0)


def test_the_way_on_counts_from_when_the_task_was_taken() -> None:
    """w1 sets out from 0 at 5 s, so it passes 1 at 15 s and is between 1 and 2 when w0 finishes at 20 s: 2 at 25 s."""
    simulator = ReferenceSimulator(a_world([3, 0], [a_task(3, 20.0)]))
    simulator.step([1, 0])
    play(simulator, 15.0, first=[0, 1])
    assert simulator.position(1) == Position(1, 2, 0.0)
    assert simulator.metrics().travel_m == 100.0
    play(simulator, 20.0)
    assert (simulator.trips[1].idle_node, simulator.trips[1].idle_s) == (2, 25.0)


def test_of_two_shortest_paths_the_one_by_the_smaller_node_is_driven() -> None:
    r"""w1 from 0 to τ at 3, 200 m by 1 or by 2; the task ends at 4 s by expiry, so w1 shows by which it went.

        1
      /   \
    0       3       all roads 100 m
      \   /
        2
    """
    roads = both_ways((0, 2, 100), (2, 3, 100), (0, 1, 100), (1, 3, 100))
    simulator = play(ReferenceSimulator(a_world([0], [a_task(3, deadline_s=4.0)], arcs=roads)), 5.0)
    assert (simulator.trips[0].idle_node, simulator.trips[0].idle_s) == (1, 10.0)


def test_a_road_may_run_one_way() -> None:
    """0 -> 1 -> 2 -> 0, each 100 m and one way: from 2 to 1 it is 200 m, by 0."""
    ring = (Arc(0, 1, 100), Arc(1, 2, 100), Arc(2, 0, 100))
    simulator = ReferenceSimulator(a_world([2], [a_task(1)], arcs=ring, num_nodes=3))
    play(simulator, 5.0)
    assert simulator.position(0) == Position(2, 0, 50.0)
    assert simulator.trips[0].due_s == 20.0


def test_lengths_are_units_of_so_many_metres() -> None:
    """Units of 2.5 m: a road of 100 units is 250 m, 25 s; at 30 s the worker is 50 m past node 1."""
    simulator = play(ReferenceSimulator(a_world([0], [a_task(2)], unit_m=2.5)), 30.0)
    assert simulator.distance_m(0, 3) == 750.0
    assert simulator.trips[0].due_s == 50.0
    assert simulator.position(0) == Position(1, 2, 50.0)
