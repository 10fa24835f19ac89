"""The bound on the revenue of CSC by prices and routes: routes by hand, and validity against exhaustive search."""

import numpy as np
import pytest
from reference.csc_arrays import World, to_world
from reference.hand_worlds import a_task, a_world
from reference.random_worlds import Flavour, Policy, play, random_world

from crowdgym.envs.core.bounds.reach import Stops
from crowdgym.envs.core.bounds.routes import Timetable, best_values, follow_best
from crowdgym.envs.csc.bound import earliest_finishes_s
from crowdgym.envs.csc.route_bound import route_bound


def bound_of(world: World, known: float = 1e9) -> float:
    instance = world.instance
    able = instance.worker_skills[:, instance.task_skill]
    stops = Stops.of(instance.network, instance.task_node, instance.worker_node, able)
    return route_bound(instance, world.settings, stops, earliest_finishes_s(instance, world.settings)[1], known)


def route_of(way: list[list[int]], first: list[int], last: list[int], begin: list[int], rate: list[list[float]]):  # type: ignore[no-untyped-def]
    timetable = Timetable(np.array(way), np.array(first), np.array(last))
    rates = np.array(rate)
    visits = np.zeros(rates.shape, np.bool_)
    earned = follow_best(timetable, best_values(timetable, rates), np.array(begin), visits)
    return earned, [np.flatnonzero(row).tolist() for row in visits]


def test_a_worker_stays_where_it_earns_and_leaves_for_more() -> None:
    """Stop 0 pays 1 a cell, stop 1 pays 3 from cell 4 on; 2 cells of way: cells 0 to 2 at stop 0, 4 and 5 at stop 1."""
    rate = [[1.0] * 6, [0, 0, 0, 0, 3.0, 3.0]]
    assert route_of([[1, 2], [2, 1]], [0, 4], [5, 5], [0, 0], rate) == (9.0, [[0, 1, 2], [4, 5]])


def test_a_worker_is_too_late_at_a_stop_that_is_of_no_use_any_more() -> None:
    assert route_of([[1]], [0], [2], [3], [[5.0] * 6]) == (0.0, [[]])
    assert route_of([[1]], [0], [3], [3], [[0, 0, 0, 5.0, 0, 0]]) == (5.0, [[3]])


def test_one_worker_who_has_time_for_one_of_two_tasks() -> None:
    """30 s of work each at nodes 1 and 3, until 65 s; the worker is there at 10 s and at 30 s at the soonest.

    Prices can't tell one route from a mixture of some: 30/55 of the one that spends 55 s at node 1 does all work there,
    and 25/55 of the one that spends 35 s at node 3 does 15.9 s there, 0.53 of that task: 137.7 in all. The bound is
    that, and some more for prices that are not at their best. Without travel it would be 180.
    """
    tasks = [a_task(1, deadline_s=65.0, expected_s=64.0), a_task(3, deadline_s=65.0, expected_s=64.0)]
    assert 90 * (1 + 35 * 25 / 55 / 30) <= bound_of(to_world(a_world([0], tasks))) < 145.0


def test_it_is_never_more_than_the_bound_that_is_known() -> None:
    assert bound_of(to_world(a_world([0], [a_task(1)])), known=17.0) == 17.0


@pytest.mark.parametrize("flavour", Flavour)
def test_no_episode_earns_more(flavour: Flavour) -> None:
    rng = np.random.default_rng([9, list(Flavour).index(flavour)])
    for _ in range(3):
        reference = random_world(rng, flavour)
        bound = bound_of(to_world(reference))
        for policy in (Policy.RANDOM, Policy.GREEDY, Policy.HERD, Policy.LAZY):
            assert play(rng, reference, policy).metrics().revenue <= bound
