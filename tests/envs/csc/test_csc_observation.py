"""What a worker sees, by hand.

    0 ---- 300 m ---- 1 ---- 400 m ---- 2          x: 0, 300, 700 m; all at y = 0
    w0                w1                τ0, w2

Speed 10 m/s, range 1,000 m, epochs every 20 s, horizon 200 s; one unit of work is 4 times the mean of 100.
Worker 0 has skills 0 and 1, worker 1 skill 1 alone, worker 2 skill 0. Task 0 needs skill 0: created at 0, expected at
100, deadline at 180 s, work 80 worker-seconds, payment 500 of a scale of 4 * 250, falling by 1 % a second.
Task 1, at node 1, needs skill 2, which no worker has; it is created at 30 s.
"""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from reference.csc_arrays import to_network
from reference.csc_instance import ReferenceInstance, ReferenceTask, ReferenceWorker, both_ways

from crowdgym.configs.csc import CscSettings
from crowdgym.data.registry import load_dataset
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.csc.generator import OrderStreamGenerator
from crowdgym.envs.csc.global_state import global_state
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.csc.kernel.features import (
    SELF_FEATURES,
    TASK_FEATURES,
    TASK_STATE,
    WORKER_FEATURES,
    WORKER_STATE,
)
from crowdgym.envs.csc.kernel.observation import NEIGHBOURS, observation_layout, observe
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.kernel.state import WorkerStatus

HOLD = 0


def start() -> CscSimulation:
    roads = ReferenceInstance(
        num_nodes=3,
        unit_m=1.0,
        arcs=both_ways((0, 1, 300), (1, 2, 400)),
        workers=(ReferenceWorker(0, frozenset({0})),),
        tasks=(ReferenceTask(0, 0, 0.0, 1.0, 2.0, 1.0, 1.0),),
        horizon_s=1.0,
        step_s=1.0,
        speed_mps=1.0,
        range_m=1.0,
        penalty_per_s=0.0,
        max_candidates=1,
    )
    network = replace(to_network(roads), x_m=np.array([0.0, 300.0, 700.0]), y_m=np.zeros(3))
    skills = np.zeros((3, 8), np.bool_)
    skills[0, [0, 1]] = skills[1, 1] = skills[2, 0] = True
    instance = CscInstance(
        network=network,
        worker_node=np.array([0, 1, 2], np.int32),
        worker_skills=skills,
        task_node=np.array([2, 1], np.int32),
        task_skill=np.array([0, 2], np.int8),
        created_s=np.array([0.0, 30.0]),
        expected_s=np.array([100.0, 60.0]),
        deadline_s=np.array([180.0, 90.0]),
        workload_s=np.array([80.0, 40.0]),
        payment=np.array([500.0, 250.0]),
    )
    settings = CscSettings.load(
        scenario="tiny",
        num_workers=3,
        num_tasks=2,
        horizon_s=200.0,
        step_s=20.0,
        range_m=1000.0,
        max_candidates=2,
        penalty_per_s=0.01,
        workload_mean_s=100.0,
        payment_mean=250.0,
    )
    simulation = CscSimulation(network, settings, batch=1)
    simulation.reset_copy(0, instance)
    return simulation


def seen(simulation: CscSimulation, worker: int, name: str) -> list[dict[str, float]]:
    """The rows of one set, feature by feature."""
    part = observation_layout(2)[name]
    rows = simulation.observations[0, worker, part.start : part.stop].reshape(part.shape)
    return [dict(zip(part.features, map(float, row), strict=True)) for row in rows]


def row(features: tuple[str, ...], **values: float) -> dict[str, float]:
    """A row that is zero but for ``values``."""
    return pytest.approx({**dict.fromkeys(features, 0.0), **values}, abs=1e-6)


def test_at_the_start() -> None:
    simulation = start()
    task_0 = {"present": 1, "work_left": 80 / 400, "until_expected": 0.5, "until_deadline": 0.9, "payment_now": 0.5}
    assert seen(simulation, 0, "w_self") == [row(SELF_FEATURES, x=-1, idle=1, skill_0=1, skill_1=1)]
    assert seen(simulation, 0, "own_task") == [row(TASK_FEATURES)]
    assert seen(simulation, 0, "T_optional") == [
        row(TASK_FEATURES, **task_0, dx=0.7, distance=0.7, able=1),
        row(TASK_FEATURES),
    ]
    assert seen(simulation, 1, "T_optional") == [row(TASK_FEATURES)] * 2  # it lacks the skill,
    assert seen(simulation, 1, "T_near")[0] == row(TASK_FEATURES, **task_0, dx=0.4, distance=0.4)  # but sees the task
    assert seen(simulation, 1, "T_near")[1] == row(TASK_FEATURES)  # task 1 is not created yet
    assert len(seen(simulation, 0, "T_near")) == NEIGHBOURS
    near = seen(simulation, 0, "W_near")
    assert near[0] == row(WORKER_FEATURES, present=1, dx=0.3, distance=0.3, idle=1, shared_skills=0.5)
    assert near[1] == row(WORKER_FEATURES, present=1, dx=0.7, distance=0.7, idle=1, shared_skills=0.5)
    assert near[2] == row(WORKER_FEATURES)
    assert seen(simulation, 0, "W_idle") == near


def test_on_the_way_and_at_work() -> None:
    """Worker 0 sets out at 0 and is 200 m along at 20 s; worker 2, at the task, has done 20 s of 80 by then."""
    simulation = start()
    simulation.step(np.array([[1, HOLD, 1]]))
    own = seen(simulation, 0, "own_task")[0]
    assert seen(simulation, 0, "w_self") == [
        row(SELF_FEATURES, x=200 / 350 - 1, travelling=1, elapsed=0.1, until_idle=50 / 200, skill_0=1, skill_1=1)
    ]
    assert own == row(
        TASK_FEATURES,
        present=1,
        dx=0.5,
        distance=0.5,
        work_left=60 / 400,
        until_expected=0.4,
        until_deadline=0.8,
        payment_now=0.5,
        workers_present=0.1,
        workers_en_route=0.1,
        able=1,
    )
    assert seen(simulation, 0, "T_optional") == [row(TASK_FEATURES)] * 2
    assert seen(simulation, 0, "W_near")[1] == row(
        WORKER_FEATURES, present=1, dx=0.5, distance=0.5, working=1, until_idle=60 / 200, shared_skills=0.5
    )
    assert seen(simulation, 0, "W_idle")[0] == row(
        WORKER_FEATURES, present=1, dx=0.1, distance=0.1, idle=1, shared_skills=0.5
    )
    assert seen(simulation, 0, "W_idle")[1] == row(WORKER_FEATURES)


def test_a_late_task_is_worth_less() -> None:
    simulation = start()
    for _ in range(6):
        simulation.step(np.zeros((1, 3), np.int64))
    first = seen(simulation, 0, "T_optional")[0]  # at 120 s: 20 s late at 1 % a second
    assert first["payment_now"] == pytest.approx(0.8 * 500 / 1000)
    assert first["until_expected"] == pytest.approx(-20 / 200)


def test_the_state_knows_every_worker_and_every_created_task() -> None:
    simulation = start()
    state = global_state(simulation, 0)
    assert state[0] == 0.0
    workers = state[1 : 1 + 3 * len(WORKER_STATE)].reshape(3, -1)
    tasks = state[1 + 3 * len(WORKER_STATE) :].reshape(2, -1)
    assert dict(zip(WORKER_STATE, workers[1], strict=True))["x"] == pytest.approx(300 / 350 - 1)
    first = dict(zip(TASK_STATE, tasks[0], strict=True))
    assert (first["open"], first["payment"], first["skill_0"]) == (1.0, 0.5, 1.0)
    assert not tasks[1].any()
    for _ in range(2):
        simulation.step(np.zeros((1, 3), np.int64))
    later = global_state(simulation, 0)[-len(TASK_STATE) :]
    assert dict(zip(TASK_STATE, later, strict=True))["skill_2"] == 1.0


def looked_at_anew(simulation: CscSimulation) -> CscSimulation:
    """The same moment, in a simulation that has written no observation before."""
    anew = deepcopy(simulation)
    anew.state.neighbour_lists.unseen[:] = 1
    anew.observations[:] = 0.25  # whatever was there is written over
    for b in range(len(anew.epochs)):
        observe(anew.passed, anew.roads, anew.rules, anew.scales, b, anew.now_s(b), anew.observations[b])
    return anew


@pytest.mark.parametrize("crowd", [2, 6, 60])
def test_what_is_kept_from_epoch_to_epoch_is_what_a_first_look_would_find(crowd: int) -> None:
    """A whole episode of random actions, in a crowd that has fewer than five neighbours, about five, or many."""
    settings = CscSettings.load(
        scenario="tiny", num_workers=crowd, num_tasks=crowd, horizon_s=2400.0, step_s=40.0, window_s=1200.0
    )
    dataset = load_dataset("tiny")
    generator, draw = OrderStreamGenerator(dataset, settings), np.random.default_rng(crowd)
    simulation = CscSimulation(dataset.network, settings, batch=2)
    for b in range(2):
        simulation.reset_copy(b, generator.generate(InstanceSeeds.of(np.random.SeedSequence(b))))
    seen_moving = 0
    for _ in range(simulation.clock.epochs):
        mask = simulation.state.output.mask
        simulation.step((draw.random(mask.shape) * mask).argmax(axis=2))
        seen_moving += int((simulation.state.workers.status == WorkerStatus.TRAVELLING).sum())
        assert simulation.observations.tobytes() == looked_at_anew(simulation).observations.tobytes()
    assert seen_moving > 0
