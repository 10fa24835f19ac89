"""Schedules of whole tasks, worked out by hand. Epochs are 10 s apart, and every way takes 20 s."""

from typing import Any

import numpy as np
import pytest

from crowdgym.agents.dasc.list_schedule import NONE, Prices, Problem, Schedule, improved_schedule

PLAIN = Prices(travel=0.0, idle=0.0, surplus=0.0)
WAY_S = 20.0


def problem(*tasks: tuple[float, list[tuple[float, float]]], workers: int = 1, **changed: Any) -> Problem:
    """Tasks of a payment and subtasks, each of a duration and of a longest path behind it; due at 1000 s."""
    parts = [part for _, some in tasks for part in some]
    count = len(parts)
    usual: dict[str, Any] = {
        "first": np.cumsum([0, *(len(some) for _, some in tasks)]).astype(np.int64),
        "payment": np.array([payment for payment, _ in tasks]),
        "expected_s": np.full(len(tasks), 1000.0),
        "deadline_s": np.full(len(tasks), 1000.0),
        "assigned_s": np.zeros(len(tasks)),
        "duration_s": np.array([duration_s for duration_s, _ in parts]),
        "after_s": np.array([after_s for _, after_s in parts]),
        "open_s": np.zeros(count),
        "ready_s": np.zeros(count),
        "before": np.zeros((count, count), bool),
        "free_s": np.zeros(workers),
        "from_worker_s": np.full((workers, count), WAY_S),
        "able": np.ones((workers, count), bool),
        "between_s": np.full((count, count), WAY_S),
        "surplus": np.zeros((workers, count)),
        "step_s": 10.0,
        "penalty_per_s": 0.02,
    }
    return Problem(**{**usual, **changed})


Pairs = tuple[tuple[int, int], ...]


def scheduled(of: Problem, *order: int, moves: Pairs = (), rescues: Pairs = (), prices: Prices = PLAIN) -> Schedule:
    tried, rescued = (np.array(pairs, np.int64).reshape(-1, 2) for pairs in (moves, rescues))
    return improved_schedule(of, np.array(order or range(len(of.payment)), np.int64), tried, rescued, prices)[0]


def test_a_worker_does_one_subtask_after_the_other() -> None:
    """20 to 125 s; the next epoch is at 130 s, and the way ends at 150 s."""
    found = scheduled(problem((1.0, [(105.0, 0.0)]), (1.0, [(50.0, 0.0)])))
    assert found.begin_s.tolist() == [20.0, 150.0]
    assert found.end_s.tolist() == [125.0, 200.0]


def test_no_worker_leaves_before_a_subtask_is_open() -> None:
    """It opens at 34 s; the next epoch is at 40 s, and the way ends at 60 s."""
    found = scheduled(problem((1.0, [(50.0, 0.0)]), open_s=np.array([34.0])))
    assert found.begin_s.tolist() == [60.0]


def test_a_successor_begins_when_its_predecessor_is_finished() -> None:
    """Two workers, and the second would be there at 20 s."""
    of = problem((1.0, [(100.0, 50.0), (50.0, 0.0)]), workers=2, before=np.array([[False, True], [False, False]]))
    assert scheduled(of).begin_s.tolist() == [20.0, 120.0]


def test_subtasks_that_do_not_wait_for_each_other_are_done_at_the_same_time() -> None:
    found = scheduled(problem((1.0, [(100.0, 0.0), (50.0, 0.0)]), workers=2))
    assert found.begin_s.tolist() == [20.0, 20.0]


def test_a_gap_in_a_timetable_is_used() -> None:
    """The first task waits for a predecessor until 300 s. The second is done before: 20 to 100 s."""
    found = scheduled(problem((1.0, [(50.0, 0.0)]), (1.0, [(80.0, 0.0)]), ready_s=np.array([300.0, 0.0])))
    assert found.begin_s.tolist() == [300.0, 20.0]
    assert found.line[0, :2].tolist() == [1, 0]


def test_a_gap_that_is_too_short_is_not_used() -> None:
    """From 20 s on 270 s of work end at 290 s; the way to the first task would end after 300 s."""
    found = scheduled(problem((1.0, [(50.0, 0.0)]), (1.0, [(270.0, 0.0)]), ready_s=np.array([300.0, 0.0])))
    assert found.begin_s.tolist() == [300.0, 370.0]


def test_a_task_that_would_be_late_is_left_out_as_a_whole() -> None:
    """Its second subtask cannot end before 1000 s, so the worker is free for the next task at once."""
    found = scheduled(problem((9.0, [(500.0, 480.0), (480.0, 0.0)]), (1.0, [(30.0, 0.0)])))
    assert found.worker.tolist() == [NONE, NONE, 0]
    assert found.begin_s[2] == 20.0


def test_a_move_that_pays_is_kept_and_another_is_taken_back() -> None:
    """There is time for one of them: 20 to 620 s."""
    of = problem((5.0, [(600.0, 0.0)]), (8.0, [(600.0, 0.0)]))
    assert scheduled(of).worker.tolist() == [0, NONE]
    assert scheduled(of, moves=((1, 0),)).worker.tolist() == [NONE, 0]
    assert scheduled(of, 1, 0, moves=((1, 0),)).worker.tolist() == [NONE, 0]


def test_a_rescue_puts_a_task_that_is_left_out_before_others() -> None:
    """One of three tasks fits, at first that which pays 5. Places 1 and 2 are left out; 3 falls on the second of them.

    A second number of 1 puts it at place 1, where nothing changes; 0 and 2 put it at place 0.
    """
    of = problem((5.0, [(600.0, 0.0)]), (6.0, [(600.0, 0.0)]), (8.0, [(600.0, 0.0)]))
    assert scheduled(of, moves=((0, 0),), rescues=((3, 1),)).worker.tolist() == [0, NONE, NONE]
    assert scheduled(of, moves=((0, 0),), rescues=((3, 0),)).worker.tolist() == [NONE, NONE, 0]
    assert scheduled(of, moves=((0, 0),), rescues=((2, 2),)).worker.tolist() == [NONE, 0, NONE]


@pytest.mark.parametrize(("price", "worker"), [(0.07, 0), (0.08, NONE)])
def test_a_task_that_is_not_worth_the_time_of_its_worker_is_left_out(price: float, worker: int) -> None:
    """20 s of way and 50 s of work at a price of 0.07 are 4.9 of 5; at 0.08 they are 5.6."""
    prices = Prices(travel=0.0, idle=0.0, surplus=0.0, time=price)
    assert scheduled(problem((5.0, [(50.0, 0.0)])), prices=prices).worker.tolist() == [worker]


@pytest.mark.parametrize(("prices", "worker"), [(PLAIN, 0), (Prices(travel=0.0, idle=0.0, surplus=15.0), 1)])
def test_a_worker_with_more_skills_than_needed_is_kept_back(prices: Prices, worker: int) -> None:
    """The first worker is there 20 s sooner, and has two skills more: 2 · 15 s."""
    ways = np.array([[20.0], [40.0]])
    of = problem((1.0, [(50.0, 0.0)]), workers=2, from_worker_s=ways, surplus=np.array([[2.0], [0.0]]))
    assert scheduled(of, prices=prices).worker.tolist() == [worker]


def test_the_price_of_waiting() -> None:
    """Either worker can begin at 100 s. The first worker would wait 80 s, the second is busy until 80 s."""
    of = problem((1.0, [(50.0, 0.0)]), workers=2, ready_s=np.array([100.0]), free_s=np.array([0.0, 80.0]))
    assert scheduled(of).worker.tolist() == [0]
    assert scheduled(of, prices=Prices(0.0, 0.5, 0.0)).worker.tolist() == [1]
