"""The rules of docs/preference_dynamics.md, one by one, in worlds small enough to work out by hand."""

import numpy as np
import pytest
from preference_worlds import FIRST, NEVER, a_task, a_world, moment, start
from reference.preference_arrays import settings_of, to_world

from crowdgym.common.errors import ConfigError
from crowdgym.envs.preference.acceptance import acceptance_probabilities
from crowdgym.envs.preference.kernel.simulation import PreferenceSimulation
from crowdgym.envs.preference.kernel.state import Outcome, TaskStatus, WorkerStatus


def step(simulation: PreferenceSimulation, *actions: int) -> list[int]:
    """Play a step; returns the outcomes."""
    simulation.step(np.array([actions], np.int64))
    outcomes: list[int] = simulation.state.output.outcome[0].tolist()
    return outcomes


def candidates(simulation: PreferenceSimulation, worker: int) -> list[int]:
    row = simulation.state.output.candidates[0, worker]
    ids: list[int] = row[row >= 0].tolist()
    return ids


def test_an_accepted_task_from_offer_to_idleness() -> None:
    # 200 m at 10 m/s: there at 20, serves 20 s, idle at 40
    simulation = start(a_world([0], [a_task(2)]))
    assert step(simulation, 1) == [Outcome.ACCEPTED]
    seen = moment(simulation)
    assert (seen.worker_status[0], seen.worker_task[0]) == (WorkerStatus.DRIVING, 0)
    assert (seen.depart_s[0], seen.arrive_s[0], seen.free_s[0]) == (0.0, 20.0, 40.0)
    assert (seen.task_status[0], seen.task_worker[0], seen.end_s[0]) == (TaskStatus.ACCEPTED, 0, 0.0)
    statuses = [int(seen.worker_status[0])]
    for _ in range(8):
        step(simulation, 0)
        statuses.append(int(moment(simulation).worker_status[0]))
    # at 5, 10, 15 driving; from 20 to 35 serving; at 40 and 45 idle
    driving, serving, idle = WorkerStatus.DRIVING, WorkerStatus.SERVING, WorkerStatus.IDLE
    assert statuses == [driving] * 3 + [serving] * 4 + [idle] * 2
    assert (moment(simulation).worker_node[0], moment(simulation).worker_task[0]) == (2, -1)
    assert moment(simulation).metrics.travel_m == 200.0


def test_the_acceptance_probability_by_hand() -> None:
    settings = settings_of(a_world([0], [a_task(0)], gamma=2.0))
    found = acceptance_probabilities(np.array([FIRST]), settings)[0]
    # 0.05 + 0.9 (p / 0.5)²: 0.95 for 0.5, 0.275 for 0.25, 0.05 for 0
    np.testing.assert_allclose(found, [0.95, 0.275, 0.275, 0.05, 0.05, 0.05, 0.05, 0.05])


def test_a_worker_is_willing_if_its_lot_is_below_the_probability() -> None:
    # p = 0.25, the largest 0.5: a = 0.25 / 0.5
    world = {"starts": [0], "tasks": [a_task(0, category=1)], "a_min": 0.0, "a_max": 1.0}
    below = start(a_world(**world, lots={(0, 0): np.nextafter(0.5, 0.0)}))
    at = start(a_world(**world, lots={(0, 0): 0.5}))
    assert step(below, 1) == [Outcome.ACCEPTED]
    assert step(at, 1) == [Outcome.DECLINED]


def test_where_all_accept_lots_do_not_matter() -> None:
    simulation = start(a_world([0], [a_task(0, category=7)], lots={(0, 0): NEVER}, always=True))
    assert step(simulation, 1) == [Outcome.ACCEPTED]


def test_a_decline_pauses_the_worker_and_kills_the_pair() -> None:
    # declined at 0: paused for 15 s, at epochs 5 and 10; idle at 15 with task 1 only
    simulation = start(a_world([0], [a_task(1), a_task(2)], lots={(0, 0): NEVER}))
    assert candidates(simulation, 0) == [0, 1]
    assert step(simulation, 1) == [Outcome.DECLINED]
    assert moment(simulation).worker_status[0] == WorkerStatus.PAUSED
    assert candidates(simulation, 0) == []
    assert moment(simulation).task_status[0] == TaskStatus.OPEN
    step(simulation, 0)
    assert candidates(simulation, 0) == []
    step(simulation, 0)
    assert moment(simulation).worker_status[0] == WorkerStatus.IDLE
    assert candidates(simulation, 0) == [1]


def test_without_a_pause_a_worker_gets_another_offer_at_the_next_epoch() -> None:
    simulation = start(a_world([0], [a_task(1), a_task(2)], lots={(0, 0): NEVER}, pause_s=0.0))
    assert step(simulation, 1) == [Outcome.DECLINED]
    assert candidates(simulation, 0) == [1]
    assert step(simulation, 1) == [Outcome.ACCEPTED]


def test_a_task_is_closed_by_its_last_decline() -> None:
    lots = {(0, 0): NEVER, (1, 0): NEVER}
    simulation = start(a_world([0, 3], [a_task(1)], lots=lots))
    assert step(simulation, 1, 0) == [Outcome.DECLINED, Outcome.NONE]
    assert step(simulation, 0, 1) == [Outcome.NONE, Outcome.DECLINED]
    seen = moment(simulation)
    assert (seen.task_status[0], seen.declines[0], seen.end_s[0]) == (TaskStatus.CLOSED, 2, 5.0)
    assert seen.metrics.closed == 1


def test_a_contested_task_goes_to_the_nearest_and_the_others_stay_idle() -> None:
    # from nodes 0 and 3 to node 1: 100 and 200 m
    simulation = start(a_world([3, 0], [a_task(1)]))
    assert step(simulation, 1, 1) == [Outcome.CONTESTED, Outcome.ACCEPTED]
    seen = moment(simulation)
    assert seen.worker_status.tolist() == [WorkerStatus.IDLE, WorkerStatus.DRIVING]
    assert (seen.metrics.contested, seen.metrics.offered) == (1, 1)


def test_of_two_as_near_the_smaller_number_gets_the_offer() -> None:
    simulation = start(a_world([0, 2, 0], [a_task(1)]))
    assert step(simulation, 1, 1, 1) == [Outcome.ACCEPTED, Outcome.CONTESTED, Outcome.CONTESTED]


def test_the_loser_of_a_contest_may_ask_again_when_the_winner_declines() -> None:
    simulation = start(a_world([0, 3], [a_task(1)], lots={(0, 0): NEVER}))
    assert step(simulation, 1, 1) == [Outcome.DECLINED, Outcome.CONTESTED]
    assert step(simulation, 0, 1) == [Outcome.NONE, Outcome.ACCEPTED]


@pytest.mark.parametrize(
    ("task", "others", "reachable"),
    [
        (a_task(3), {"range_m": 300.0}, True),
        (a_task(3), {"range_m": 299.0}, False),
        (a_task(3, expiry_s=30.0), {}, True),  # there at 30
        (a_task(3, expiry_s=29.9), {}, False),
        (a_task(3, created_s=0.1), {}, False),
        (a_task(0, expiry_s=1e-9), {}, True),
    ],
)
def test_what_is_reachable(task: object, others: dict[str, float], reachable: bool) -> None:
    assert candidates(start(a_world([0], [task], **others)), 0) == ([0] if reachable else [])


def test_an_expiry_at_an_epoch_has_happened_then() -> None:
    simulation = start(a_world([0], [a_task(0, expiry_s=10.0), a_task(0, created_s=10.0)]))
    step(simulation, 0)
    assert candidates(simulation, 0) == [0]
    step(simulation, 0)
    assert candidates(simulation, 0) == [1]
    seen = moment(simulation)
    assert (seen.task_status[0], seen.end_s[0], seen.metrics.expired) == (TaskStatus.EXPIRED, 10.0, 1)


def test_candidates_are_the_nearest_and_of_two_as_near_the_smaller_number() -> None:
    tasks = [a_task(3), a_task(2), a_task(0), a_task(1), a_task(1)]
    simulation = start(a_world([1], tasks, max_candidates=4))
    assert candidates(simulation, 0) == [3, 4, 1, 2]
    assert simulation.state.output.mask[0, 0].tolist() == [1] * 5


def test_an_action_without_a_candidate_is_illegal_and_offers_nothing() -> None:
    simulation = start(a_world([0], [a_task(1)]))
    assert step(simulation, 2) == [Outcome.NONE]
    seen = moment(simulation)
    assert (seen.worker_illegal[0], seen.worker_status[0]) == (1, WorkerStatus.IDLE)


def test_a_worker_on_the_spot_serves_at_once_and_without_service_is_idle_at_the_next_epoch() -> None:
    at_once = start(a_world([1], [a_task(1)]))
    step(at_once, 1)
    assert moment(at_once).worker_status[0] == WorkerStatus.SERVING
    no_service = start(a_world([1], [a_task(1), a_task(2)], service_s=0.0))
    step(no_service, 1)
    assert moment(no_service).worker_status[0] == WorkerStatus.IDLE
    assert candidates(no_service, 0) == [1]


def test_an_instance_with_other_centres_than_the_settings_is_refused() -> None:
    world = to_world(a_world([0, 1], [a_task(1)], num_centres=2))
    simulation = PreferenceSimulation(
        world.instance.network, world.settings.model_copy(update={"num_centres": 1}), batch=1
    )
    with pytest.raises(ConfigError, match=r"centre\[1\] must be 0, as 2 workers share 1 centres in blocks, got 1"):
        simulation.reset_copy(0, world.instance)
