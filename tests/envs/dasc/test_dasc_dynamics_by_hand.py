"""The kernel of DASC in exact numbers: precedence, waiting, finishing, expiring.

Where a test draws no world of its own, it is the line 0 - 1 - 2 - 3 - 4 of `worlds.dasc_worlds`: roads of 100 m that
take 10 s, epochs 5 s apart, one skill, tasks that pay 90.
"""

from typing import Any

import numpy as np
import pytest
from worlds.dasc_worlds import Helper, Job, Part, a_world, play

from crowdgym.envs.dasc.kernel.simulation import DascSimulation
from crowdgym.envs.dasc.kernel.state import Outcome, SubtaskStatus, TaskStatus, WorkerStatus

NAN = float("nan")
CHAIN = (Part(1, 30.0), Part(2, 20.0, after=(0,)))
#     1
#   /   \
# 0       3
#   \   /
#     2
DIAMOND = (Part(1, 10.0), Part(2, 40.0, after=(0,)), Part(3, 20.0, after=(0,)), Part(2, 5.0, after=(1, 2)))


def times(simulation: DascSimulation, *names: str) -> list[list[float]]:
    return [getattr(simulation.state.subtasks, name)[0].tolist() for name in names]


def worker(simulation: DascSimulation, w: int, *names: str) -> list[Any]:
    return [getattr(simulation.state.workers, name)[0, w].item() for name in names]


def workers_at(simulation: DascSimulation) -> list[tuple[str, int]]:
    """What each worker does, and the node where it is or where its way ends."""
    state = simulation.state
    found = []
    for w, status in enumerate(state.workers.status[0]):
        moving = status in (WorkerStatus.TRAVELLING, WorkerStatus.RELEASED)
        node = state.workers.goal[0, w] if moving else state.distances.place_node[0, state.workers.place[0, w]]
        found.append((WorkerStatus(status).name, int(node)))
    return found


def subtasks(simulation: DascSimulation) -> list[str]:
    return [SubtaskStatus(status).name for status in simulation.state.subtasks.status[0]]


def requestable(simulation: DascSimulation) -> list[int]:
    return np.flatnonzero(simulation.state.output.mask[0, :, 1]).tolist()


# ---- the start ----


def test_everyone_starts_idle_and_only_created_tasks_are_live() -> None:
    simulation = a_world([Helper(0), Helper(4)], [Job(CHAIN), Job((Part(3),), created_s=7.0)], empty_slots=2).start()
    assert workers_at(simulation) == [("IDLE", 0), ("IDLE", 4)]
    assert subtasks(simulation) == ["UNASSIGNED", "UNASSIGNED", "ABSENT", "ABSENT", "ABSENT"]
    assert simulation.state.output.live[0].tolist() == [True, True, False, False, False]
    assert (
        times(play(simulation, 5.0), "arrive_s", "start_s", "finish_s") == [pytest.approx([NAN] * 5, nan_ok=True)] * 3
    )
    assert simulation.state.output.live[0].tolist() == [True, True, False, False, False]
    assert play(simulation, 10.0).state.output.live[0].tolist() == [True, True, True, False, False]


def test_a_task_created_at_exactly_an_epoch_is_live_at_it() -> None:
    simulation = a_world([Helper(0)], [Job((Part(1),), created_s=5.0)]).start()
    assert not simulation.state.output.live.any()
    assert play(simulation, 5.0).state.output.live.all()


def test_latest_finish_times_of_a_diamond() -> None:
    """t_e = 100, t_d = 200. Last: 100; before it 100 - 5; first: min(95 - 40, 95 - 20)."""
    simulation = a_world([Helper(0)], [Job(DIAMOND, expected_s=100.0, deadline_s=200.0)]).start()
    assert simulation.state.subtasks.latest_expected_s[0].tolist() == [55.0, 95.0, 95.0, 100.0]
    assert simulation.state.subtasks.latest_deadline_s[0].tolist() == [155.0, 195.0, 195.0, 200.0]
    assert simulation.state.subtasks.successors[0].tolist() == [2, 1, 1, 0]


def test_a_copy_used_before_starts_as_a_new_one() -> None:
    """Nothing of a day with a finish, an expiry, a release under way and refused actions is left after a reset."""
    jobs = [
        Job(CHAIN, expected_s=9.0, deadline_s=16.0),
        Job((Part(3), Part(2, after=(0,)))),
        Job((Part(1),), created_s=40.0),
    ]
    world = a_world([Helper(0), Helper(4), Helper(2)], jobs)
    fresh, used = world.start(utility=(0.7, 0.1)), world.start()
    play(used, 20.0, [1, 1, 0, 1, 1])
    play(used, 60.0, [1, 0, 1, 0, 1])
    assert used.metrics(0).completed + used.metrics(0).expired > 0
    used.reset_copy(0, world.instance, (0.7, 0.1))
    for part in ("workers", "tasks", "subtasks", "precedence", "output"):
        for name in getattr(fresh.state, part)._fields:
            before, after = getattr(getattr(fresh.state, part), name), getattr(getattr(used.state, part), name)
            if name not in ("trail_node", "goal"):  # of no meaning while idle
                np.testing.assert_array_equal(after, before, err_msg=f"{part}.{name}")
    np.testing.assert_array_equal(used.state.distances.from_places, fresh.state.distances.from_places)
    np.testing.assert_array_equal(used.observations, fresh.observations)
    assert used.metrics(0) == fresh.metrics(0)


# ---- precedence, both ways ----


def test_a_chain_assigned_at_once_makes_the_second_worker_wait() -> None:
    """w0 0 -> 1 in 10 s, works to 40; w1 4 -> 2 in 20 s, waits to 40, works to 60."""
    simulation = a_world([Helper(0), Helper(4)], [Job(CHAIN)]).start()
    assert requestable(simulation) == [0, 1]
    play(simulation, 5.0, [1, 1])
    assert times(simulation, "worker", "arrive_s", "start_s", "finish_s") == [[0, 1], [10, 20], [10, 40], [40, 60]]
    seen = {t: [status for status, _ in workers_at(play(simulation, t))] for t in (10.0, 15.0, 20.0, 35.0, 40.0, 55.0)}
    assert seen == {
        10.0: ["WORKING", "TRAVELLING"],
        15.0: ["WORKING", "TRAVELLING"],
        20.0: ["WORKING", "WAITING"],
        35.0: ["WORKING", "WAITING"],
        40.0: ["IDLE", "WORKING"],
        55.0: ["IDLE", "WORKING"],
    }
    assert simulation.metrics(0).completed == 0
    play(simulation, 60.0)
    assert workers_at(simulation) == [("IDLE", 1), ("IDLE", 2)]
    assert (simulation.state.tasks.end_s[0, 0], simulation.state.tasks.paid[0, 0]) == (60.0, 90.0)
    assert simulation.metrics(0).travel_m == 300.0


def test_with_finished_dependency_the_second_has_to_wait_for_its_request() -> None:
    """The chain: 0 done at 40; only then 1 can be asked for, and w0, now at 1, is nearer to 2 than w1 at 4."""
    simulation = a_world([Helper(0), Helper(4)], [Job(CHAIN)], dependency="finished").start()
    assert requestable(simulation) == [0]
    play(simulation, 35.0, [1, 0])
    assert requestable(simulation) == []
    play(simulation, 40.0)
    assert requestable(simulation) == [1]
    assert simulation.state.output.candidates[0, 1].tolist() == [0, 1, -1]
    play(simulation, 45.0, [0, 1])
    assert times(simulation, "worker", "arrive_s", "finish_s") == [[0, 0], [10, 50], [40, 70]]


def test_a_diamond_starts_its_last_after_the_later_of_two() -> None:
    """w0 at 1, w1 at 2, w2 at 3, w3 at 2, all in place: 0 to 10, 1 to 50, 2 to 30, 3 from 50 to 55."""
    world = a_world([Helper(1), Helper(2), Helper(3), Helper(2)], [Job(DIAMOND)])
    simulation = play(world.start(), 5.0, [1, 1, 1, 1])
    assert times(simulation, "worker", "start_s", "finish_s") == [[0, 1, 2, 3], [0, 10, 10, 50], [10, 50, 30, 55]]
    assert play(simulation, 55.0).state.tasks.end_s[0, 0] == 55.0
    assert simulation.metrics(0).travel_m == 0.0


def test_a_diamond_with_finished_dependency_opens_branch_by_branch() -> None:
    world = a_world([Helper(1), Helper(2), Helper(3)], [Job(DIAMOND)], dependency="finished")
    simulation = play(world.start(), 10.0, [1, 0, 0, 0])
    assert requestable(simulation) == [1, 2]
    play(simulation, 35.0, [0, 1, 1, 0])
    assert subtasks(simulation) == ["FINISHED", "ASSIGNED", "FINISHED", "UNASSIGNED"]
    assert requestable(simulation) == []
    assert requestable(play(simulation, 50.0)) == [3]


def test_assigned_dependency_takes_an_assigned_or_requestable_predecessor() -> None:
    """Only w0 has skill 1, which the first of the chain needs: while w0 is busy, the second has to wait, too."""
    chain = Job((Part(1, skills=(1,)), Part(2, after=(0,))))
    other = Job((Part(0, 500.0, skills=(1,)),))
    simulation = a_world([Helper(0, (0, 1)), Helper(4)], [chain, other]).start()
    assert requestable(simulation) == [0, 1, 2]
    play(simulation, 5.0, [0, 0, 1])
    assert requestable(simulation) == []
    again = a_world([Helper(0, (0, 1)), Helper(4)], [chain, other]).start()
    play(again, 5.0, [1, 0, 0])
    assert requestable(again) == [1]


# ---- the end of a task ----


@pytest.mark.parametrize(
    ("expected_s", "paid"),
    [(30.0, 90.0), (29.0, 90.0 - 0.02), (0.0, 90.0 - 0.6)],
)
def test_payment_falls_by_a_fixed_sum_a_second(expected_s: float, paid: float) -> None:
    """One subtask at 1, 20 s: finished at 30."""
    simulation = a_world([Helper(0)], [Job((Part(1),), expected_s=expected_s)]).start()
    play(simulation, 30.0, [1])
    assert simulation.metrics(0).revenue == pytest.approx(paid, abs=1e-12)
    assert simulation.metrics(0).profit == pytest.approx(paid - 0.01, abs=1e-12)


def test_a_payment_is_never_negative() -> None:
    simulation = a_world([Helper(0)], [Job((Part(1),), expected_s=0.0, payment=0.5)]).start()
    assert play(simulation, 30.0, [1]).metrics(0).completed == 1
    assert simulation.metrics(0).revenue == 0.0


@pytest.mark.parametrize(("deadline_s", "status"), [(30.0, TaskStatus.EXPIRED), (30.5, TaskStatus.FINISHED)])
def test_a_finish_at_exactly_the_deadline_is_too_late(deadline_s: float, status: TaskStatus) -> None:
    job = Job((Part(1),), expected_s=10.0, deadline_s=deadline_s)
    simulation = play(a_world([Helper(0)], [job]).start(), 35.0, [1])
    assert simulation.state.tasks.status[0, 0] == status
    assert simulation.state.tasks.end_s[0, 0] == 30.0
    assert workers_at(simulation) == [("IDLE", 1)]
    assert simulation.state.workers.free_s[0, 0] == 30.0
    assert subtasks(simulation) == ["FAILED" if status == TaskStatus.EXPIRED else "FINISHED"]


def test_a_task_without_all_subtasks_assigned_expires_though_the_others_are_done() -> None:
    simulation = a_world([Helper(0)], [Job(CHAIN, expected_s=50.0, deadline_s=60.0)]).start()
    play(simulation, 60.0, [1, 0])
    assert subtasks(simulation) == ["FINISHED", "FAILED"]
    assert not simulation.state.output.live.any()
    assert requestable(simulation) == []
    metrics = simulation.metrics(0)
    assert (metrics.revenue, metrics.completed, metrics.expired, metrics.assigned) == (0.0, 0, 1, 1)


def test_workers_waiting_and_working_are_idle_where_they_are_at_the_deadline() -> None:
    """w0 works at 1 from 10 to 40, w1 waits at 2 from 20 on: at 33 both are free, and seen so at 35."""
    job = Job(CHAIN, expected_s=20.0, deadline_s=33.0)
    simulation = play(a_world([Helper(0), Helper(4)], [job]).start(), 30.0, [1, 1])
    assert workers_at(simulation) == [("WORKING", 1), ("WAITING", 2)]
    play(simulation, 35.0)
    assert workers_at(simulation) == [("IDLE", 1), ("IDLE", 2)]
    assert [worker(simulation, w, "free_s", "subtask") for w in (0, 1)] == [[33.0, -1], [33.0, -1]]
    assert simulation.metrics(0).travel_m == 300.0


def test_a_travelling_worker_goes_on_to_the_next_node() -> None:
    """From 0 to 4, at 12 s between 1 and 2: idle at 2 from 20 on, having driven 200 m."""
    job = Job((Part(4),), expected_s=1.0, deadline_s=12.0)
    simulation = play(a_world([Helper(0)], [job, Job((Part(3),), created_s=17.0)]).start(), 15.0, [1, 0])
    assert workers_at(simulation) == [("RELEASED", 2)]
    assert simulation.metrics(0).travel_m == 150.0
    assert simulation.state.workers.x_m[0, 0] == 150.0
    play(simulation, 20.0)
    assert workers_at(simulation) == [("IDLE", 2)]
    assert worker(simulation, 0, "free_s", "leg_units", "driven_units") == [20.0, 0, 200]
    play(simulation, 25.0, [0, 1])
    assert times(simulation, "arrive_s")[0][1] == 30.0


def test_a_worker_at_a_node_at_the_deadline_stays_there() -> None:
    job = Job((Part(4),), expected_s=1.0, deadline_s=20.0)
    simulation = play(a_world([Helper(0)], [job]).start(), 20.0, [1])
    assert workers_at(simulation) == [("IDLE", 2)]
    assert worker(simulation, 0, "free_s", "driven_units") == [20.0, 200]


def test_an_arrival_at_exactly_the_deadline_comes_too_late_and_ends_there() -> None:
    job = Job((Part(2),), expected_s=1.0, deadline_s=20.0)
    simulation = play(a_world([Helper(0)], [job]).start(), 20.0, [1])
    assert workers_at(simulation) == [("IDLE", 2)]
    assert subtasks(simulation) == ["FAILED"]


def test_the_walk_to_the_next_node_takes_the_smaller_of_two_equally_short_ways() -> None:
    """
    0 - 1 - 3     both ways round the square are 200 m; by the smaller number it goes over 1
     \\- 2 -/
    """
    roads = ((0, 1, 100), (0, 2, 100), (1, 3, 100), (2, 3, 100))
    job = Job((Part(3),), expected_s=1.0, deadline_s=4.0)
    simulation = play(a_world([Helper(0)], [job], roads=roads).start(), 5.0, [1])
    assert workers_at(simulation) == [("RELEASED", 1)]


def test_an_epoch_without_actions_changes_nothing() -> None:
    jobs = [Job(CHAIN, expected_s=40.0, deadline_s=55.0), Job(DIAMOND, expected_s=40.0, deadline_s=150.0)]
    helpers = [Helper(0), Helper(4), Helper(2), Helper(2), Helper(3), Helper(1)]
    ends = []
    for step_s in (30.0, 0.5):
        simulation = a_world(helpers, jobs, step_s=step_s).start()
        ends.append(play(simulation, 180.0, [1] * 6))
    for part in ("workers", "tasks", "subtasks"):
        for name in getattr(ends[0].state, part)._fields:
            if name not in ("trail_node", "trail_units", "trail_arc"):
                one, other = (getattr(getattr(end.state, part), name) for end in ends)
                np.testing.assert_array_equal(one, other, err_msg=f"{part}.{name}")


# ---- who may, and who is refused ----


def test_candidates_are_the_nearest_able_idle_workers_in_range_and_ties_go_by_number() -> None:
    """At 2, skills 0 and 1: w0 at 4 lacks 1, w1 at 4 and w2 at 0 are 200 m away, w3 at 2; w4 has more than it takes."""
    helpers = [Helper(4), Helper(4, (0, 1)), Helper(0, (0, 1)), Helper(2, (0, 1)), Helper(1, (0, 1, 2))]
    job = Job((Part(2, skills=(0, 1)),))
    assert a_world(helpers, [job]).start().state.output.candidates[0, 0].tolist() == [3, 4, 1]
    few = a_world(helpers, [job], range_m=199.0).start()
    assert few.state.output.candidates[0, 0].tolist() == [3, 4, -1]
    assert a_world(helpers, [job], range_m=0.0).start().state.output.candidates[0, 0].tolist() == [3, -1, -1]


def test_a_subtask_that_needs_no_skill_takes_anybody() -> None:
    simulation = a_world([Helper(0, (7,))], [Job((Part(1, skills=()),))]).start()
    assert simulation.state.output.candidates[0, 0].tolist() == [0, -1, -1]


def test_masks_of_both_modes() -> None:
    """One worker for two slots and an empty one; asked for, it is masked from everyone until it is idle at 30 again."""
    jobs = [Job((Part(1),)), Job((Part(3),))]
    simulation = a_world([Helper(0)], jobs, empty_slots=1).start()
    assert simulation.state.output.mask[0].tolist() == [[1, 1], [1, 1], [1, 0]]
    assert play(simulation, 25.0, [1, 0, 0]).state.output.mask[0].tolist() == [[1, 0], [1, 0], [1, 0]]
    assert (simulation.state.output.candidates[0] == -1).all()
    assert play(simulation, 30.0).state.output.mask[0].tolist() == [[1, 0], [1, 1], [1, 0]]
    choosing = a_world([Helper(0), Helper(4)], jobs, empty_slots=1, action_mode="select").start()
    assert choosing.state.output.mask[0].tolist() == [[1, 1, 1, 0], [1, 1, 1, 0], [1, 0, 0, 0]]
    assert choosing.state.output.candidates[0].tolist() == [[0, 1, -1], [1, 0, -1], [-1, -1, -1]]


def test_illegal_actions_hold_and_are_counted() -> None:
    simulation = a_world([Helper(0)], [Job((Part(1),)), Job((Part(3),), created_s=90.0)], empty_slots=1).start()
    play(simulation, 5.0, [0, 1, 1])
    assert simulation.metrics(0).illegal == 2
    assert simulation.state.output.outcome[0].tolist() == [Outcome.HELD, Outcome.ILLEGAL, Outcome.ILLEGAL]
    assert simulation.state.output.shaped[0].tolist() == [0.0, 0.0, 0.0]  # they were not live
    play(simulation, 10.0, [1, 0, 0])
    play(simulation, 15.0, [1, 0, 0])  # assigned already
    assert simulation.metrics(0).illegal == 3
    assert simulation.state.output.shaped[0].tolist() == [-0.5, 0.0, 0.0]


def test_a_request_without_that_of_its_predecessor_is_invalid() -> None:
    simulation = a_world([Helper(0), Helper(4)], [Job(CHAIN)]).start()
    play(simulation, 5.0, [0, 1])
    assert simulation.state.output.outcome[0].tolist() == [Outcome.HELD, Outcome.INVALID]
    assert simulation.state.output.shaped[0].tolist() == [0.0, -0.5]
    metrics = simulation.metrics(0)
    assert (metrics.illegal, metrics.invalid, metrics.assigned) == (0, 1, 0)


def test_a_longer_chain_is_refused_from_the_first_gap_on() -> None:
    chain = (Part(1), Part(2, after=(0,)), Part(3, after=(1,)), Part(4, after=(2,)))
    simulation = a_world([Helper(n) for n in range(5)], [Job(chain)]).start()
    play(simulation, 5.0, [1, 0, 1, 1])
    outcomes = [Outcome.MATCHED, Outcome.HELD, Outcome.INVALID, Outcome.INVALID]
    assert simulation.state.output.outcome[0].tolist() == outcomes


def test_an_instance_that_does_not_fit_is_refused() -> None:
    world = a_world([Helper(0)], [Job(CHAIN)])
    larger = a_world([Helper(0)], [Job(DIAMOND)])
    with pytest.raises(Exception, match="at most 2 subtasks"):
        world.start().reset_copy(0, larger.instance)
    crowded = a_world([Helper(0), Helper(1)], [Job(CHAIN)])
    with pytest.raises(Exception, match="num_workers = 1 workers, got one with 2"):
        world.start().reset_copy(0, crowded.instance)


def test_more_precedences_than_there_was_room_for() -> None:
    """Each of 16 after all before it: 120 precedences, where 64 are expected."""
    crowd = tuple(Part(0, 1.0, after=tuple(range(k))) for k in range(16))
    world = a_world([Helper(0) for _ in range(16)], [Job(crowd)])
    simulation = world.start(batch=2)
    assert play(simulation, 20.0, [1] * 16).metrics(0).completed == 1
    assert simulation.state.tasks.end_s[:, 0].tolist() == [16.0, 16.0]
