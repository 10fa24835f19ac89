"""The reference simulator of DASC itself, against numbers worked out by hand from docs/dasc_dynamics.md.

0 --500-- 1 --500-- 2      at 10 m/s, both ways
"""

from dataclasses import replace

import numpy as np
import pytest
from reference.csc_instance import both_ways
from reference.dasc_instance import DascReferenceInstance, ReferenceJob, ReferenceSubtask, ReferenceWorker
from reference.dasc_matching import largest_assignment, largest_assignment_by_trial
from reference.dasc_records import JobState, Outcome, SubtaskState, WorkerState
from reference.dasc_reference import DascReferenceSimulator

ANY = frozenset({0})


def a_world(
    subtasks: list[ReferenceSubtask], starts: list[int], job: ReferenceJob | None = None
) -> DascReferenceInstance:
    return DascReferenceInstance(
        num_nodes=3,
        unit_m=1.0,
        arcs=both_ways((0, 1, 500), (1, 2, 500)),
        workers=tuple(ReferenceWorker(node, frozenset({0, 1})) for node in starts),
        jobs=(job or ReferenceJob(0.0, 100.0, 200.0, 10.0, 0, len(subtasks)),),
        subtasks=tuple(subtasks),
        horizon_s=300.0,
        step_s=10.0,
        speed_mps=10.0,
        range_m=5000.0,
        penalty_per_s=0.02,
        travel_cost_per_m=1e-4,
        utility=(0.2, 0.2),
        max_candidates=3,
        num_slots=len(subtasks) + 1,
        unmatched_penalty=0.25,
        invalid_penalty=0.5,
        selects=False,
        after_finished=False,
    )


CHAIN = [ReferenceSubtask(0, ANY, 30.0), ReferenceSubtask(1, ANY, 20.0, (0,))]


def test_the_example_of_the_page() -> None:
    """Subtask 0 is served from 500 m away at 50 s, so f_0 = 130; subtask 1 follows at once until 150."""
    simulator = DascReferenceSimulator(a_world(CHAIN, [1, 1]))
    for _ in range(5):
        simulator.step([0, 0, 0])
    result = simulator.step([1, 1, 0])
    assert result.shaped == [pytest.approx(4.45), pytest.approx(4.5), 0.0]
    assert result.outcome == [Outcome.MATCHED, Outcome.MATCHED, Outcome.HELD]
    assert [simulator.worker_state(w) for w in (0, 1)] == [WorkerState.TRAVELLING, WorkerState.WAITING]
    while simulator.time_s < 140:
        simulator.step([0, 0, 0])
    assert simulator.subtask_state(0) is SubtaskState.FINISHED
    assert simulator.worker_state(1) is WorkerState.WORKING
    last = simulator.step([0, 0, 0])
    assert last.sparse == [pytest.approx(4.5), pytest.approx(4.5), 0.0]
    assert last.team == last.sparse
    assert (simulator.end_s(0), simulator.paid(0)) == (150.0, pytest.approx(9.0))
    assert simulator.metrics().travel_m == 500.0


def test_a_successor_that_asks_alone_is_invalid_and_an_empty_slot_illegal() -> None:
    simulator = DascReferenceSimulator(a_world(CHAIN, [1]))
    assert simulator.mask() == [[1, 1], [1, 1], [1, 0]]
    result = simulator.step([0, 1, 1])
    assert result.outcome == [Outcome.HELD, Outcome.INVALID, Outcome.ILLEGAL]
    assert result.shaped == [0.0, -0.5, 0.0]


def test_the_only_worker_goes_to_the_successor_which_does_not_stand_and_in_the_next_round_to_the_first() -> None:
    """From node 1 the successor is nearer: 0.16 x 1 against 0.16 x 0.9."""
    simulator = DascReferenceSimulator(a_world(CHAIN, [1]))
    result = simulator.step([1, 1, 0])
    assert result.outcome[:2] == [Outcome.MATCHED, Outcome.UNMATCHED]
    assert len(simulator.latest_rounds) == 2
    assert result.terms[0] == (0.5, 0.9, pytest.approx(np.exp(-2)))  # t_e is 100 s away, t_d 100 s after it
    assert result.shaped[1] == -0.25


def test_who_is_on_the_way_as_the_task_expires_goes_on_to_the_next_node() -> None:
    """From node 2 at 0 s to node 0: at 50 s at node 1, where a deadline at exactly 50 s leaves it."""
    for deadline_s, node, idle_s in ((50.0, 1, 50.0), (50.5, 0, 100.0)):
        job = ReferenceJob(0.0, 10.0, deadline_s, 10.0, 0, 1)
        simulator = DascReferenceSimulator(a_world([ReferenceSubtask(0, ANY, 5.0)], [2], job))
        simulator.step([1, 0])
        while simulator.time_s < 60:
            simulator.step([0, 0])
        assert simulator.job_state(0) is JobState.EXPIRED
        assert simulator.subtask_state(0) is SubtaskState.FAILED
        assert (simulator.trips[0].idle_node, simulator.trips[0].idle_s) == (node, idle_s)
        assert simulator.worker_state(0) is (WorkerState.RELEASED if idle_s > 60 else WorkerState.IDLE)


def test_a_finish_at_the_deadline_fails() -> None:
    job = ReferenceJob(0.0, 10.0, 30.0, 10.0, 0, 1)
    simulator = DascReferenceSimulator(a_world([ReferenceSubtask(0, ANY, 30.0)], [0], job))
    simulator.step([1, 0])
    while simulator.time_s < 30:
        simulator.step([0, 0])
    assert simulator.job_state(0) is JobState.EXPIRED
    assert simulator.worker_state(0) is WorkerState.IDLE


def test_work_that_the_clock_cannot_tell_is_paid_with_the_step_of_the_match() -> None:
    simulator = DascReferenceSimulator(a_world([ReferenceSubtask(0, ANY, 1e-300)], [0]))
    simulator.step([0, 0])
    assert simulator.step([1, 0]).sparse == [10.0, 0.0]
    assert simulator.end_s(0) == 10.0


def test_every_pair_asks_for_the_skills_and_the_range() -> None:
    far = replace(a_world(CHAIN, [2, 0]), range_m=500.0)
    simulator = DascReferenceSimulator(far)
    assert simulator.candidates()[:2] == [[1], [0, 1]]
    assert DascReferenceSimulator(replace(far, selects=True)).mask() == [[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0]]


def test_the_largest_assignment_is_that_of_trying_all() -> None:
    rng = np.random.default_rng(0)
    for most in (0, 1, 3, 2**30):
        for _ in range(60):
            rows, columns = (int(n) for n in rng.integers(1, 5, 2))
            pairs = {
                (3 * i, 2 * w): int(rng.integers(most + 1))
                for i in range(rows)
                for w in range(columns)
                if rng.random() < 0.8
            }
            assert largest_assignment(pairs) == largest_assignment_by_trial(pairs), pairs
