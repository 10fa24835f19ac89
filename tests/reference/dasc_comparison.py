"""The kernel of DASC and its reference simulator, side by side: the same world, the same actions, the same moment."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from reference.dasc_arrays import to_world
from reference.dasc_instance import DascReferenceInstance
from reference.dasc_random_worlds import Policy, random_actions
from reference.dasc_records import JobState, StepResult, WorkerState
from reference.dasc_reference import DascReferenceSimulator

from crowdgym.envs.dasc.kernel.simulation import DascSimulation
from crowdgym.envs.dasc.kernel.state import Outcome, SubtaskStatus, TaskStatus, WorkerStatus
from crowdgym.envs.dasc.reward import REWARDS
from crowdgym.envs.dasc.snapshot import DascSnapshot

TOLERANCE = 1e-9  # only where the order of a sum is not the page's: the metrics, the team's reward, places on the way


def play_both(world: DascReferenceInstance, policy: Policy, rng: np.random.Generator) -> Counter[str]:
    """Play an episode in both, comparing after every step; return what happened in it."""
    reference = DascReferenceSimulator(world)
    simulation = _begin(world, bool(rng.integers(2)))
    assert_same_moment(simulation, reference)
    seen: Counter[str] = Counter()
    while not reference.done:
        actions = random_actions(rng, reference, policy)
        expected = reference.step(actions)
        simulation.step(np.array([actions], np.int64))
        assert_same_step(simulation, reference, expected)
        assert_same_moment(simulation, reference)
        seen.update(what.name.lower() for what in expected.outcome)
        seen.update(reference.worker_state(w).name.lower() for w in range(len(world.workers)))
    assert simulation.is_over().all()
    assert_same_schedule(simulation, reference)
    metrics = reference.metrics()
    return seen + Counter(completed=metrics.completed, expired=metrics.expired)


def _begin(world: DascReferenceInstance, utility_at_reset: bool) -> DascSimulation:
    if utility_at_reset:  # in place of another one of the settings
        return to_world(replace(world, utility=(0.3, 0.7))).start(utility=world.utility)
    return to_world(world).start()


def assert_same_step(simulation: DascSimulation, reference: DascReferenceSimulator, expected: StepResult) -> None:
    """Outcomes, terms of matches and all rewards."""
    epoch = simulation.state.output
    slots = range(reference.instance.num_slots)
    assert [Outcome(epoch.outcome[0, s]).name for s in slots] == [what.name for what in expected.outcome]
    assert epoch.match_utility[0, :, :2].tolist() == [list(terms[:2]) for terms in expected.terms]
    for found, terms in zip(epoch.match_utility[0, :, 2].tolist(), expected.terms, strict=True):
        assert math.isclose(found, terms[2], rel_tol=1e-15)  # exp may differ in its last bit
    shared = [expected.revenue / len(slots)] * len(slots)
    for name in ("sparse", "shaped", "team", "shared"):
        rewards = np.full((1, len(slots)), np.nan)
        REWARDS[name].write(epoch, rewards)
        if name in ("team", "shared"):
            assert _close(rewards[0].tolist(), expected.team if name == "team" else shared)
        else:
            assert rewards[0].tolist() == getattr(expected, name), name
    assert _close([epoch.revenue[0]], [expected.revenue])


def assert_same_moment(simulation: DascSimulation, reference: DascReferenceSimulator) -> None:
    """All that can be seen at an epoch."""
    snapshot = DascSnapshot.of(simulation, 0)
    assert snapshot.time_s == reference.time_s
    _assert_same_workers(simulation, snapshot, reference)
    _assert_same_tasks(snapshot, reference)
    _assert_same_slots(simulation, snapshot, reference)
    for name, value in reference.metrics()._asdict().items():
        assert _close([getattr(snapshot.metrics, name)], [value]), name


def _assert_same_workers(sim: DascSimulation, snapshot: DascSnapshot, reference: DascReferenceSimulator) -> None:
    workers = range(len(snapshot.worker_status))
    states = [reference.worker_state(w) for w in workers]
    assert [WorkerStatus(snapshot.worker_status[w]).name for w in workers] == [state.name for state in states]
    subtasks = [reference.worker_subtask(w) for w in workers]
    assert snapshot.worker_subtask.tolist() == [-1 if i is None else i for i in subtasks]
    assert _known(snapshot.depart_s) == [reference.set_out_s(w) for w in workers]
    for w in workers:
        position, network = reference.position(w), sim.network
        x_m, y_m = network.x_m[position.node], network.y_m[position.node]
        if position.next_node is not None:
            arcs = slice(network.indptr[position.node], network.indptr[position.node + 1])
            to_next = network.indices[arcs] == position.next_node
            part = position.past_m / (float(network.length[arcs][to_next][0]) * network.unit_m)
            x_m += part * (network.x_m[position.next_node] - x_m)
            y_m += part * (network.y_m[position.next_node] - y_m)
        assert math.hypot(snapshot.worker_x_m[w] - x_m, snapshot.worker_y_m[w] - y_m) < 1e-6
        if states[w] not in (WorkerState.TRAVELLING, WorkerState.RELEASED):
            assert snapshot.worker_node[w] == position.node


def _assert_same_tasks(snapshot: DascSnapshot, reference: DascReferenceSimulator) -> None:
    tasks = range(len(snapshot.task_status))
    assert [TaskStatus(snapshot.task_status[q]).name for q in tasks] == [reference.job_state(q).name for q in tasks]
    assert _known(snapshot.end_s) == [reference.end_s(q) for q in tasks]
    assert snapshot.paid.tolist() == [reference.paid(q) for q in tasks]


def _assert_same_slots(sim: DascSimulation, snapshot: DascSnapshot, reference: DascReferenceSimulator) -> None:
    instance, epoch = reference.instance, sim.state.output
    slots, subtasks = range(instance.num_slots), range(len(instance.subtasks))
    absent = ["ABSENT"] * (len(slots) - len(subtasks))
    states = [reference.subtask_state(i).name.replace("PENDING", "ABSENT") for i in subtasks]
    assert [SubtaskStatus(snapshot.subtask_status[s]).name for s in slots] == states + absent
    assert epoch.live[0].tolist() == [reference.live(slot) for slot in slots]
    assert epoch.mask[0].tolist() == reference.mask()
    candidates = [some + [-1] * (instance.max_candidates - len(some)) for some in reference.candidates()]
    assert epoch.candidates[0].tolist() == candidates
    trips = [reference.trips.get(slot) for slot in slots]
    assert snapshot.subtask_worker.tolist() == [-1 if trip is None else trip.worker for trip in trips]
    for name in ("arrive_s", "start_s", "finish_s"):
        times_s = [None if trip is None else getattr(trip, name) for trip in trips]
        assert _known(getattr(snapshot, name)) == times_s, name
    for what, counts in reference.counts.items():
        if what.value in ("illegal", "invalid", "unmatched"):
            assert getattr(snapshot, what.value).tolist() == counts, what


def assert_same_schedule(simulation: DascSimulation, reference: DascReferenceSimulator) -> None:
    """When workers that have become idle did so, and what a finished task paid, once more at the end."""
    snapshot = DascSnapshot.of(simulation, 0)
    for trip in reference.trips.values():
        ended = trip.idle_s is not None and trip.idle_s <= reference.time_s
        if ended and reference.set_out_s(trip.worker) == trip.set_out_s:
            assert snapshot.free_s[trip.worker] == trip.idle_s
    finished = [q for q in range(len(snapshot.paid)) if reference.job_state(q) is JobState.FINISHED]
    assert _close([sum(snapshot.paid[q] for q in finished)], [snapshot.metrics.revenue])


def _close(found: Iterable[float], expected: Iterable[float]) -> bool:
    pairs = zip(found, expected, strict=True)
    return all(math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE) for a, b in pairs)


def _known(numbers: np.ndarray) -> list[float | None]:
    """With None in place of NaN."""
    return [None if math.isnan(number) else number for number in numbers.tolist()]
