"""The kernel of CSC in exact numbers, down to the fields that are only read later: what other tests let pass.

Where a test draws no world of its own, it is the line 0 - 1 - 2 - 3 of `reference.hand_worlds`: roads of 100 m that
take 10 s, epochs 5 s apart, one skill, tasks that pay 90.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from reference.csc_arrays import to_world
from reference.csc_instance import ReferenceInstance, ReferenceWorker
from reference.hand_worlds import a_task, a_world

from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.kernel.state import TaskStatus, WorkerStatus

NAN = float("nan")


def start(world: ReferenceInstance) -> CscSimulation:
    arrays = to_world(world)
    simulation = CscSimulation(arrays.instance.network, arrays.settings, 1)
    simulation.reset_copy(0, arrays.instance)
    return simulation


def play(simulation: CscSimulation, until_s: float, first: list[int]) -> CscSimulation:
    """Give the first joint action at the present epoch, then hold until the time."""
    simulation.step(np.array([first], np.int64))
    while simulation.now_s(0) < until_s:
        simulation.step(np.zeros((1, len(first)), np.int64))
    assert simulation.now_s(0) == until_s
    return simulation


def worker(simulation: CscSimulation, w: int, *names: str) -> list[Any]:
    return [getattr(simulation.state.workers, name)[0, w].item() for name in names]


def task(simulation: CscSimulation, i: int, *names: str) -> list[Any]:
    return [getattr(simulation.state.tasks, name)[0, i].item() for name in names]


def candidates(simulation: CscSimulation, w: int) -> list[int]:
    return [int(i) for i in simulation.state.output.candidates[0, w]]


def kept_tasks(simulation: CscSimulation, w: int) -> list[int]:
    """Those it may take, beyond those it is offered."""
    kept = simulation.state.choices.keys[0, w, : simulation.state.choices.kept[0, w]]
    return (kept & 0xFFFFFFFF).tolist()


# ---- the start ----


def test_everyone_starts_idle_and_every_task_untouched() -> None:
    """0 - 1(w0) - 2(τ0) - 3(τ1, from 5 s on)"""
    simulation = start(a_world([1], [a_task(2, 30.0), a_task(3, 20.0, created_s=5.0)]))
    fields = ("status", "node", "task", "next_worker", "free_s", "leg_units", "driven_units", "illegal")
    assert worker(simulation, 0, *fields) == [WorkerStatus.IDLE, 1, -1, -1, 0.0, 0, 0, 0]
    assert worker(simulation, 0, "goal", "trail_node", "trail_units") == [1, 1, 0]
    assert worker(simulation, 0, "depart_s", "arrive_s") == pytest.approx([NAN, NAN], nan_ok=True)
    fields = ("status", "work_left_s", "since_s", "present", "en_route", "first_present", "first_en_route", "paid")
    assert task(simulation, 0, *fields) == [TaskStatus.OPEN, 30.0, 0.0, 0, 0, -1, -1, 0.0]
    assert task(simulation, 1, *fields) == [TaskStatus.PENDING, 20.0, 0.0, 0, 0, -1, -1, 0.0]
    assert np.isnan(simulation.state.tasks.end_s).all()
    to_tasks = [[200, 300], [100, 200], [0, 100], [100, 0]]  # from node 0, 1, 2, 3 to τ0, τ1
    distances = simulation.state.distances
    assert distances.to_tasks[0, distances.position].tolist() == to_tasks
    epoch, network = simulation.state.output, simulation.network
    assert (epoch.share[0, 0], epoch.remaining_s[0, 0], epoch.revenue[0]) == (0.0, 0.0, 0.0)
    assert task(simulation, 1, "x_m", "y_m") == [network.x_m[3], network.y_m[3]]


def test_a_task_created_at_the_very_start_is_open_and_one_created_later_is_not() -> None:
    simulation = start(a_world([1], [a_task(1, created_s=0.0), a_task(1, created_s=0.5), a_task(1, created_s=5.0)]))
    assert simulation.state.tasks.status[0].tolist() == [TaskStatus.OPEN, TaskStatus.PENDING, TaskStatus.PENDING]
    play(simulation, 5.0, [0])
    assert simulation.state.tasks.status[0].tolist() == [TaskStatus.OPEN] * 3


def test_a_copy_used_before_starts_as_a_new_one() -> None:
    """Nothing of a day with arrivals, an expiry, a release under way and illegal actions is left after a reset."""
    tasks = [a_task(1, 40.0), a_task(3, 500.0, deadline_s=16.0), a_task(2, 3.0)]
    world = a_world([1, 0, 1, 2], tasks, step_s=6.0)
    fresh, used = start(world), start(world)
    play(used, 18.0, [2, 9, 3, 1])
    play(used, 24.0, [1, 1, 1, 1])
    used.reset_copy(0, to_world(world).instance)
    for part in ("workers", "tasks", "output"):
        for name in getattr(fresh.state, part)._fields:
            before, after = getattr(getattr(fresh.state, part), name), getattr(getattr(used.state, part), name)
            np.testing.assert_array_equal(after, before, err_msg=f"{part}.{name}")
    np.testing.assert_array_equal(used.state.distances.to_tasks, fresh.state.distances.to_tasks)
    np.testing.assert_array_equal(used.observations, fresh.observations)
    assert used.metrics(0) == fresh.metrics(0)


# ---- who may take what ----


def test_candidates_are_the_nearest_open_tasks_of_its_skills_in_range_and_ties_go_by_number() -> None:
    """0(τ1) - 1(w0) - 2(τ0 τ2) - 3(τ3); τ2 takes a skill that w0 lacks; in range is what is at most 100 m away."""
    tasks = [a_task(2, skill=3), a_task(0), a_task(2, skill=2), a_task(3)]
    world = a_world([1], tasks, range_m=100.0, max_candidates=3)
    world = replace(world, workers=(ReferenceWorker(1, frozenset({0, 3})),))
    simulation = start(world)
    assert candidates(simulation, 0) == [0, 1, -1]
    assert simulation.state.output.mask[0, 0].tolist() == [1, 1, 1, 0]
    assert simulation.state.choices.kept[0, 0] == 2


def test_no_more_candidates_than_there_is_room_for() -> None:
    simulation = start(a_world([1], [a_task(3), a_task(2), a_task(1)], max_candidates=2))
    assert candidates(simulation, 0) == [2, 1]
    assert simulation.state.choices.kept[0, 0] == 3


def test_a_task_that_opens_or_ends_changes_the_candidates_of_those_who_stand_by() -> None:
    """0 - 1(w0) - 2(τ0 until 5 s, τ1 from 5 s) - 3(τ2): one nearer ends as another opens."""
    tasks = [a_task(2, deadline_s=5.0), a_task(2, created_s=5.0), a_task(3)]
    simulation = start(a_world([1], tasks, max_candidates=2))
    assert candidates(simulation, 0) == [0, 2]
    play(simulation, 5.0, [0])
    assert candidates(simulation, 0) == [1, 2]
    assert kept_tasks(simulation, 0) == [1, 2]  # what has ended is forgotten


def test_no_worker_is_offered_a_task_twice_as_others_end() -> None:
    """0(τ0 until 5 s, w0) - 1(τ1 until 10 s) - 2(τ2) - 3(τ3), room for two."""
    tasks = [a_task(0, deadline_s=5.0), a_task(1, deadline_s=10.0), a_task(2), a_task(3)]
    simulation = start(a_world([0], tasks, max_candidates=2))
    assert candidates(simulation, 0) == [0, 1]
    later = [candidates(play(simulation, until_s, [0]), 0) for until_s in (5.0, 10.0, 15.0)]
    assert later == [[1, 2], [2, 3], [2, 3]]


def test_a_worker_keeps_six_more_than_it_is_offered_and_searches_again_when_too_few_are_left() -> None:
    """0(w0) - 1(τ0 to τ6 until 5 s) - 2(τ7) - 3(τ8), room for one."""
    tasks = [a_task(1, deadline_s=5.0) for _ in range(7)] + [a_task(2), a_task(3)]
    simulation = start(a_world([0], tasks, max_candidates=1))
    assert candidates(simulation, 0) == [0]
    assert kept_tasks(simulation, 0) == [0, 1, 2, 3, 4, 5, 6]
    play(simulation, 5.0, [0])
    assert candidates(simulation, 0) == [7]
    assert kept_tasks(simulation, 0) == [7, 8]


def test_what_opens_is_kept_only_if_it_is_nearer_than_all_that_may_have_been_left_out() -> None:
    """0(w0, τ10 from 5 s) - 1(τ0 τ1 until 5 s, τ2 to τ6) - 2(τ7, left out; τ9 from 5 s) - 3(τ8)."""
    tasks = [a_task(1, deadline_s=5.0), a_task(1, deadline_s=5.0), *(a_task(1) for _ in range(5)), a_task(2), a_task(3)]
    tasks += [a_task(2, created_s=5.0), a_task(0, created_s=5.0)]
    simulation = start(a_world([0], tasks, max_candidates=1))
    assert kept_tasks(simulation, 0) == [0, 1, 2, 3, 4, 5, 6]
    play(simulation, 5.0, [0])
    assert candidates(simulation, 0) == [10]
    assert kept_tasks(simulation, 0) == [10, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("range_m", "in_range"), [(399.0, [0, -1]), (400.0, [0, 1]), (1e9, [0, 1]), (0.0, [-1, -1])])
def test_the_range_is_in_metres_whatever_the_unit(range_m: float, in_range: list[int]) -> None:
    """Units of 2 m: τ0 at 1 is 200 m from w0 at 0, τ1 at 2 is 400 m."""
    simulation = start(a_world([0], [a_task(1), a_task(2)], unit_m=2.0, range_m=range_m, max_candidates=2))
    assert candidates(simulation, 0) == in_range


@pytest.mark.parametrize(("range_m", "in_range"), [(399.0, [-1]), (400.0, [0])])
def test_what_opens_at_the_end_of_the_range_is_in_range(range_m: float, in_range: list[int]) -> None:
    simulation = start(a_world([0], [a_task(2, created_s=5.0)], unit_m=2.0, range_m=range_m, max_candidates=1))
    play(simulation, 5.0, [0])
    assert candidates(simulation, 0) == in_range


def test_every_illegal_action_is_counted_and_holds() -> None:
    """w0 has one candidate: 2 is illegal. While on its way everything but 0 is."""
    simulation = play(start(a_world([0], [a_task(3)])), 5.0, [2])
    assert worker(simulation, 0, "status", "illegal") == [WorkerStatus.IDLE, 1]
    play(simulation, 10.0, [1])
    play(simulation, 15.0, [1])
    assert worker(simulation, 0, "status", "illegal", "depart_s") == [WorkerStatus.TRAVELLING, 2, 5.0]
    assert simulation.metrics(0).illegal == 2


# ---- the way there ----


def test_who_sets_out_knows_when_it_arrives_and_how_far_it_has_to_go() -> None:
    """Units of 2 m: the line is 200 m a road, 20 s; w1 sets out from 1 at 5 s to 3."""
    simulation = start(a_world([0, 1], [a_task(3)], unit_m=2.0))
    play(simulation, 5.0, [0, 0])
    play(simulation, 10.0, [0, 1])
    fields = ("status", "task", "depart_s", "arrive_s", "leg_units", "goal", "trail_node", "trail_units", "node")
    assert worker(simulation, 1, *fields) == [WorkerStatus.TRAVELLING, 0, 5.0, 45.0, 200, 3, 1, 0, 1]
    assert simulation.metrics(0).travel_m == 50.0
    play(simulation, 25.0, [0, 0])
    assert worker(simulation, 1, "trail_node", "trail_units") == [2, 100]  # passed at this very moment
    assert task(simulation, 0, "en_route", "first_en_route", "present", "first_present") == [1, 1, 0, -1]
    play(simulation, 45.0, [0, 0])
    assert worker(simulation, 1, "status", "leg_units", "driven_units", "node") == [WorkerStatus.WORKING, 0, 200, 3]
    assert task(simulation, 0, "en_route", "first_en_route", "present", "first_present") == [0, -1, 1, 1]


def test_those_on_their_way_are_listed_by_arrival_and_then_by_number() -> None:
    """w0 w3 at 0 (30 s to τ0), w1 at 2 (10 s), w2 w4 at 1 (20 s): 1, 2, 4, 0, 3."""
    simulation = play(start(a_world([0, 2, 1, 0, 1], [a_task(3, 900.0)])), 5.0, [1] * 5)
    assert task(simulation, 0, "first_en_route", "en_route") == [1, 5]
    assert simulation.state.workers.next_worker[0].tolist() == [3, 2, 4, -1, 0]


def test_a_later_joiner_that_arrives_sooner_goes_to_the_front() -> None:
    """w0 from 0 at 0 s arrives at 30 s; w1 from 2 at 10 s at 20 s, w2 from 1 at 10 s at 30 s as well."""
    simulation = start(a_world([0, 2, 1], [a_task(3, 900.0)]))
    for actions in ([1, 0, 0], [0, 0, 0], [0, 1, 1]):
        simulation.step(np.array([actions], np.int64))
    assert task(simulation, 0, "first_en_route") == [1]
    assert simulation.state.workers.next_worker[0].tolist() == [2, 0, -1]


def test_remaining_time_is_shared_by_those_there_and_on_their_way() -> None:
    """w0 at τ0 (30 s) since 0 s; w1 and w2 join at 5 s: (30 - 5) / 3 to each of them, and nothing to w0."""
    simulation = play(start(a_world([2, 1, 0], [a_task(2, 30.0)])), 5.0, [1, 0, 0])
    assert simulation.state.output.remaining_s[0].tolist() == [30.0, 0.0, 0.0]
    play(simulation, 10.0, [0, 1, 1])
    assert simulation.state.output.remaining_s[0] == pytest.approx([0.0, 25 / 3, 25 / 3], rel=1e-15)
    play(simulation, 15.0, [0, 0, 0])
    assert simulation.state.output.remaining_s[0].tolist() == [0.0, 0.0, 0.0]


# ---- the end ----


def test_a_payment_is_of_the_interval_in_which_the_task_finished_and_of_no_other() -> None:
    """w0 alone from 10 s, w1 from 20 s on, 30 s of work: done at 30 s, 20 and 10 s of it; 10 s late at 1 % a second."""
    simulation = play(start(a_world([1, 0], [a_task(2, 30.0, expected_s=20.0)])), 30.0, [1, 1])
    assert simulation.state.output.share[0] == pytest.approx([54.0, 27.0], rel=1e-15)
    assert simulation.state.output.revenue[0] == 81.0
    assert task(simulation, 0, "status", "end_s", "paid") == [TaskStatus.FINISHED, 30.0, 81.0]
    assert task(simulation, 0, "present", "en_route", "first_present", "first_en_route") == [0, 0, -1, -1]
    for w in (0, 1):
        fields = ("status", "node", "task", "next_worker", "free_s", "goal", "trail_node")
        assert worker(simulation, w, *fields) == [WorkerStatus.IDLE, 2, -1, -1, 30.0, 2, 2]
    play(simulation, 35.0, [0, 0])
    assert simulation.state.output.share[0].tolist() == [0.0, 0.0]
    assert simulation.state.output.revenue[0] == 0.0
    assert simulation.metrics(0).revenue == 81.0


def test_two_payments_of_one_interval_add_up() -> None:
    """w0 and w1 on the spot finish tasks of 3 s and 4 s within one epoch."""
    simulation = play(start(a_world([1, 2], [a_task(1, 3.0), a_task(2, 4.0, max_payment=10.0)])), 5.0, [1, 1])
    assert simulation.state.output.revenue[0] == 100.0
    assert simulation.state.output.share[0].tolist() == [90.0, 10.0]


def test_half_a_second_of_work_is_shared_by_what_each_gave_of_it() -> None:
    """At 400 m/s w1 comes after 0.25 s; the quarter second left takes two 0.125 s: 0.375 and 0.125 of 0.5 s."""
    simulation = play(start(a_world([1, 0], [a_task(1, 0.5)], speed_mps=400.0)), 5.0, [1, 1])
    assert simulation.state.output.share[0].tolist() == [67.5, 22.5]
    assert task(simulation, 0, "end_s") == [0.375]


def test_work_too_small_to_move_the_clock_is_paid_to_the_one_who_came() -> None:
    """1e-20 s of work at 5 s: done at 5 s by w0, which arrives first; w1 has the greater number and is too late."""
    simulation = play(start(a_world([2, 2], [a_task(2, 1e-20)])), 5.0, [0, 0])
    play(simulation, 10.0, [1, 1])
    assert simulation.state.output.share[0].tolist() == [90.0, 0.0]


def test_equal_parts_where_all_working_times_are_zero() -> None:
    """8e-16 s of work at 5 s moves the clock by one tick for one worker and not at all for two: both are in time."""
    simulation = play(start(a_world([2, 2], [a_task(2, 8e-16)])), 5.0, [0, 0])
    play(simulation, 10.0, [1, 1])
    assert task(simulation, 0, "end_s") == [5.0]
    assert simulation.state.output.share[0].tolist() == [45.0, 45.0]


def test_a_task_done_at_its_deadline_has_expired() -> None:
    """10 s of work from 0 s on, deadline 10 s: nothing is paid, and w0 is idle at 10 s."""
    simulation = play(start(a_world([1], [a_task(1, 10.0, deadline_s=10.0)])), 10.0, [1])
    assert task(simulation, 0, "status", "end_s", "paid") == [TaskStatus.EXPIRED, 10.0, 0.0]
    assert worker(simulation, 0, "status", "free_s") == [WorkerStatus.IDLE, 10.0]
    assert simulation.metrics(0).expired == 1


@pytest.mark.parametrize(("deadline_s", "left_s"), [(6.0, 4.0), (20.0, 0.0)])
def test_what_work_was_left_is_remembered_of_a_task_that_expires(deadline_s: float, left_s: float) -> None:
    """10 s of work from 0 s on."""
    simulation = play(start(a_world([1], [a_task(1, 10.0, deadline_s=deadline_s)])), 20.0, [1])
    assert task(simulation, 0, "work_left_s") == [left_s]


@pytest.mark.parametrize(("deadline_s", "status", "arrived_s"), [(20.0, 0, NAN), (20.5, 2, 20.0)])
def test_an_arrival_at_the_deadline_is_too_late(deadline_s: float, status: int, arrived_s: float) -> None:
    """w0 from 0 is at τ0 at 20 s: as a passer-by if the task has just expired."""
    simulation = play(start(a_world([0], [a_task(2, deadline_s=deadline_s)])), 20.0, [1])
    assert worker(simulation, 0, "status", "arrive_s") == pytest.approx([status, arrived_s], nan_ok=True)
    assert task(simulation, 0, "present") == [1 if status else 0]


def test_who_is_released_between_two_nodes_goes_on_to_the_next_and_starts_from_there() -> None:
    """w0 from 0 to τ0 at 3, which expires at 13 s: it passed 1 at 10 s, and is idle at 2 from 20 s. Then τ1 at 1."""
    simulation = start(a_world([0], [a_task(3, deadline_s=13.0), a_task(1, 5.0, created_s=15.0)]))
    play(simulation, 15.0, [1])
    fields = ("status", "goal", "leg_units", "driven_units", "free_s", "next_worker", "trail_node", "trail_units")
    assert worker(simulation, 0, *fields) == [WorkerStatus.RELEASED, 2, 200, 0, 20.0, -1, 1, 100]
    assert np.isnan(simulation.state.workers.arrive_s[0, 0])
    assert simulation.metrics(0).travel_m == 150.0
    play(simulation, 20.0, [0])
    assert worker(simulation, 0, "status", "node", "leg_units", "driven_units", "task") == [0, 2, 0, 200, -1]
    assert candidates(simulation, 0)[:2] == [1, -1]
    play(simulation, 25.0, [1])
    assert worker(simulation, 0, "depart_s", "arrive_s", "leg_units", "trail_node") == [20.0, 30.0, 100, 2]
    play(simulation, 35.0, [0])
    assert task(simulation, 1, "status", "end_s") == [TaskStatus.FINISHED, 35.0]
    assert simulation.metrics(0).travel_m == 300.0


def test_who_is_released_just_at_a_node_stays_there() -> None:
    """w0 from 0 to τ0 at 3, which expires at 10 s, as w0 is at 1."""
    simulation = play(start(a_world([0], [a_task(3, deadline_s=10.0)])), 10.0, [1])
    fields = ("status", "free_s", "goal", "driven_units", "trail_node")
    assert worker(simulation, 0, *fields) == [WorkerStatus.IDLE, 10.0, 1, 100, 1]


def test_all_who_are_there_and_all_who_are_on_their_way_are_let_go() -> None:
    """w0 w1 at τ0 since 0 s, 10 s of work between them; w2 w3 from 0, w4 from 3: at 5 s all are half way."""
    simulation = play(start(a_world([2, 2, 0, 0, 3], [a_task(2, 10.0)], step_s=7.0)), 7.0, [1] * 5)
    assert simulation.state.workers.status[0].tolist() == [0, 0, 3, 3, 3]
    assert simulation.state.workers.next_worker[0].tolist() == [-1] * 5
    assert simulation.state.workers.goal[0].tolist() == [2, 2, 1, 1, 2]
    assert simulation.state.workers.free_s[0].tolist() == [5.0, 5.0, 10.0, 10.0, 10.0]
