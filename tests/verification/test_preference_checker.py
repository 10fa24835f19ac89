"""The solution checker of ``preference_v0`` confirms what the reference plays, and finds every changed claim."""

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from golden.rewrite import GOLDEN, record
from reference.csc_instance import both_ways
from reference.preference_instance import PreferenceReferenceInstance, ReferenceTask, ReferenceWorker
from reference.preference_random_worlds import Flavour, Policy, play, random_actions, random_world
from reference.preference_reference import PreferenceReferenceSimulator
from reference.preference_schedule import checked_instance, schedule

from crowdgym.common.errors import DataError
from crowdgym.verification.preference.checker import check_schedule
from crowdgym.verification.preference.records import Answer, Schedule, TaskStatus, ViolationKind
from crowdgym.verification.traces import broken_rules

KIND = ViolationKind


@pytest.mark.parametrize("flavour", Flavour)
@pytest.mark.parametrize("policy", Policy)
def test_whatever_the_reference_plays_is_confirmed(flavour: Flavour, policy: Policy) -> None:
    for seed in range(2):
        rng = np.random.default_rng([seed, list(Flavour).index(flavour), list(Policy).index(policy)])
        world = random_world(rng, flavour)
        assert check_schedule(checked_instance(world), schedule(play(rng, world, policy))) == []


def test_a_log_closed_at_any_epoch_is_confirmed_as_a_partial_one() -> None:
    rng = np.random.default_rng(77)
    for flavour in Flavour:
        simulator = PreferenceReferenceSimulator(random_world(rng, flavour))
        instance = checked_instance(simulator.instance)
        while not simulator.done:
            assert check_schedule(instance, schedule(simulator), partial=True) == []
            simulator.step(random_actions(rng, simulator, Policy.HERD))
            for _ in range(4):
                if not simulator.done:
                    simulator.step([0] * len(simulator.workers))


# ---- one world by hand, and everything that may be wrong with its log ----
#
#     0 --100-- 1 --100-- 2 --100-- 3      10 m/s, epochs every 10 s, service 20 s, pause 15 s, two offers
#
# At 0 workers 0 (node 0) and 1 (node 3) ask for task 0 at node 1: worker 0 gets it, is there at 10 and idle at 30.
# At 10 worker 1 is offered task 1 (node 2) and declines, paused until 25. Worker 2 (node 2) declines it at 20: closed.
# Task 2 (node 0) expires at 45. Task 3 is created at 200.


def by_hand() -> PreferenceReferenceSimulator:
    liking = (0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    world = PreferenceReferenceInstance(
        num_nodes=4,
        unit_m=1.0,
        arcs=both_ways((0, 1, 100), (1, 2, 100), (2, 3, 100)),
        workers=tuple(ReferenceWorker(node, liking) for node in (0, 3, 2)),
        tasks=(
            ReferenceTask(1, 0, 0.0, 60.0),
            ReferenceTask(2, 2, 0.0, 60.0),
            ReferenceTask(0, 0, 0.0, 45.0),
            ReferenceTask(0, 0, 200.0, 300.0),
        ),
        lots=((0.1, 0.9, 0.1, 0.1),) * 3,
        num_centres=1,
        horizon_s=100.0,
        step_s=10.0,
        speed_mps=10.0,
        range_m=250.0,
        max_candidates=2,
        service_s=20.0,
        pause_s=15.0,
        max_offers=2,
        always=False,
        a_min=0.05,
        a_max=0.95,
        gamma=1.0,
    )
    simulator = PreferenceReferenceSimulator(world)
    asked: dict[int, dict[int, int]] = {0: {0: 0, 1: 0}, 1: {1: 1}, 2: {2: 1}}  # epoch: worker: task
    while not simulator.done:
        wanted = asked.get(simulator.epoch, {})
        simulator.step([simulator.candidates(w).index(wanted[w]) + 1 if w in wanted else 0 for w in range(3)])
    return simulator


def kinds(log: Schedule) -> set[ViolationKind]:
    return {violation.kind for violation in check_schedule(checked_instance(by_hand().instance), log)}


def changed(log: Schedule, number: int, **changes: Any) -> Schedule:
    asks = list(log.asks)
    asks[number] = replace(asks[number], **changes)
    return replace(log, asks=tuple(asks))


def with_task(log: Schedule, task: int, **changes: Any) -> Schedule:
    tasks = list(log.tasks)
    tasks[task] = replace(tasks[task], **changes)
    return replace(log, tasks=tuple(tasks))


def test_the_world_by_hand_is_as_told() -> None:
    log = schedule(by_hand())
    assert [(a.worker, a.task, a.asked_s, a.answer.value) for a in log.asks] == [
        (0, 0, 0.0, "accepted"),
        (1, 0, 0.0, "contested"),
        (1, 1, 10.0, "declined"),
        (2, 1, 20.0, "declined"),
    ]
    assert [task.status.value for task in log.tasks] == ["accepted", "closed", "expired", "pending"]
    assert kinds(log) == set()


@pytest.mark.parametrize(
    ("number", "changes", "kind"),
    [
        (0, {"worker": 3}, KIND.UNKNOWN_ID),
        (0, {"task": -1}, KIND.UNKNOWN_ID),
        (0, {"asked_s": 3.0}, KIND.NOT_AN_EPOCH),
        (0, {"asked_s": 100.0}, KIND.NOT_AN_EPOCH),
        (0, {"from_node": 1}, KIND.WRONG_ORIGIN),
        (0, {"arrival_s": 11.0}, KIND.WRONG_ARRIVAL),
        (0, {"arrival_s": math.nan}, KIND.WRONG_ARRIVAL),
        (0, {"idle_s": 29.0}, KIND.WRONG_IDLE_TIME),
        (0, {"idle_node": 2}, KIND.WRONG_IDLE_NODE),
        (0, {"answer": Answer.DECLINED}, KIND.WRONG_ANSWER),
        (0, {"answer": Answer.CONTESTED}, KIND.WRONG_WINNER),
        (0, {"answer": Answer.NONE}, KIND.WRONG_ANSWER),
        (1, {"answer": Answer.ACCEPTED}, KIND.WRONG_WINNER),
        (1, {"arrival_s": 20.0}, KIND.WRONG_ARRIVAL),
        (2, {"idle_s": 20.0}, KIND.WRONG_IDLE_TIME),
        (2, {"answer": Answer.ACCEPTED}, KIND.WRONG_ANSWER),
        (2, {"task": 2}, KIND.OUT_OF_RANGE),  # 300 m
        (3, {"asked_s": 60.0}, KIND.NOT_OPEN),
        (3, {"task": 3}, KIND.NOT_OPEN),
        (3, {"worker": 1, "from_node": 3}, KIND.DECLINED_BEFORE),
        (3, {"worker": 1, "from_node": 3}, KIND.NOT_IDLE),
        (3, {"worker": 0, "from_node": 1}, KIND.NOT_IDLE),
    ],
)
def test_a_changed_ask_is_found(number: int, changes: dict[str, Any], kind: ViolationKind) -> None:
    assert kind in kinds(changed(schedule(by_hand()), number, **changes))


@pytest.mark.parametrize(
    ("task", "changes", "kind"),
    [
        (0, {"status": TaskStatus.OPEN}, KIND.WRONG_STATUS),
        (0, {"end_s": 1.0}, KIND.WRONG_END),
        (0, {"worker": 1}, KIND.WRONG_WORKER),
        (0, {"declines": 1}, KIND.WRONG_DECLINES),
        (1, {"status": TaskStatus.EXPIRED}, KIND.WRONG_STATUS),
        (1, {"end_s": 10.0}, KIND.WRONG_END),
        (2, {"status": TaskStatus.CLOSED}, KIND.WRONG_STATUS),
        (2, {"end_s": math.nan}, KIND.WRONG_END),
        (3, {"status": TaskStatus.OPEN}, KIND.WRONG_STATUS),
    ],
)
def test_a_changed_task_is_found(task: int, changes: dict[str, Any], kind: ViolationKind) -> None:
    assert kind in kinds(with_task(schedule(by_hand()), task, **changes))


def test_every_changed_total_is_found() -> None:
    log = schedule(by_hand())
    for total in fields(log.totals):
        wrong = -1 if total.name == "illegal" else getattr(log.totals, total.name) + 1
        assert kinds(replace(log, totals=replace(log.totals, **{total.name: wrong}))) == {KIND.WRONG_TOTAL}


def test_a_task_beyond_the_nearest_k_or_too_far_to_be_in_time_is_found() -> None:
    world = by_hand().instance
    tight = replace(checked_instance(world), max_candidates=1)
    found = check_schedule(tight, schedule(by_hand()))
    # worker 0 at node 0 had task 2 nearer than task 0, worker 1 at node 3 task 1
    assert [(violation.kind, violation.worker) for violation in found] == [
        (KIND.NOT_A_CANDIDATE, 0),
        (KIND.NOT_A_CANDIDATE, 1),
    ]
    early = replace(checked_instance(world), expiry_s=np.array([9.0, 60.0, 45.0, 300.0]))
    assert KIND.TOO_LATE in {violation.kind for violation in check_schedule(early, schedule(by_hand()))}


def test_a_log_that_is_cut_short_is_incomplete_unless_it_may_be() -> None:
    simulator = PreferenceReferenceSimulator(by_hand().instance)
    simulator.step([0, 0, 0])
    instance = checked_instance(simulator.instance)
    assert [v.kind for v in check_schedule(instance, schedule(simulator))] == [KIND.INCOMPLETE]
    assert check_schedule(instance, schedule(simulator), partial=True) == []
    with pytest.raises(DataError, match="the log has 3 task outcomes, expected 4"):
        check_schedule(instance, replace(schedule(simulator), tasks=schedule(simulator).tasks[:3]))


def test_a_sentence_names_what_is_wrong() -> None:
    found = check_schedule(checked_instance(by_hand().instance), changed(schedule(by_hand()), 2, idle_s=20.0))
    assert str(found[0]) == (
        "worker 1 and task 1 at 10 s: is idle again at another time than service or pause say "
        "(expected 25.0, found 20.0)"
    )


def test_a_fault_in_a_trace_is_found() -> None:
    trace = record(*GOLDEN["preference_v0-crowded"])
    outcome = trace.values["outcome"].copy()
    row, worker = np.argwhere(outcome == 3)[0]
    outcome[row, worker] = 0
    found = broken_rules(replace(trace, values={**trace.values, "outcome": outcome}))
    assert {violation.kind for violation in found} == {KIND.WRONG_ANSWER, KIND.WRONG_WINNER, KIND.WRONG_TOTAL}
