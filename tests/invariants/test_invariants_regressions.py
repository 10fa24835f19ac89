"""Faults that the search has found, each with its smallest example; all are mended."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from invariants.csc_playing import begin, is_over, legal, play_on
from invariants.search_effort import ordinary
from reference.csc_instance import ReferenceInstance
from reference.hand_worlds import a_task, a_world

from crowdgym.data.registry import load_dataset
from crowdgym.envs import csc_v0
from crowdgym.envs.core.clock import Clock
from crowdgym.envs.core.road_graph import RoadArrays
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.csc.global_state import TASK_STATE, global_state
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.kernel.state import TaskStatus
from crowdgym.envs.csc.snapshot import CscSnapshot

# ---- epochs: the smallest number k with k Δt >= H, whichever way k Δt and H / Δt are rounded ----


@ordinary(examples=200)
@example(step_s=0.3, horizon_s=0.9)
@given(step_s=st.integers(1, 1000).map(lambda n: n / 10), horizon_s=st.integers(1, 10_000).map(lambda n: n / 10))
def test_the_last_epoch_is_the_first_at_the_horizon(step_s: float, horizon_s: float) -> None:
    clock = Clock(step_s, horizon_s)
    assert clock.time_s(clock.epochs - 1) < clock.time_s(clock.epochs) == horizon_s


def test_what_happens_at_the_horizon_still_happens() -> None:
    """A task that no worker takes expires at 0.9 s, the end of the episode."""
    simulation = begin(a_world([0], [a_task(3, deadline_s=0.9)], horizon_s=0.9, step_s=0.3))
    play_on(simulation)
    assert simulation.metrics(0).expired == 1


def test_time_passes_in_every_step() -> None:
    """2.1 / 0.3 rounds to more than 7; an eighth step would take no time."""
    clock = Clock(step_s=0.3, horizon_s=2.1)
    assert (np.diff([clock.time_s(epoch) for epoch in range(clock.epochs + 1)]) > 0).all()


# ---- work left ----

ONE_WORKER_ONE_TASK = a_world([0], [a_task(0, workload_s=30.0)], horizon_s=40.0, step_s=20.0)


def finished(world: ReferenceInstance) -> CscSimulation:
    """Everyone takes the nearest task at once, and the episode is played to its end."""
    simulation = begin(world)
    while not is_over(simulation):
        simulation.step(legal(simulation, (1,) * len(world.workers)))
    assert simulation.state.tasks.status[0, 0] == TaskStatus.FINISHED
    return simulation


def test_a_finished_task_has_no_work_left() -> None:
    """30 worker-seconds, done at 30 s; the snapshot says 10 are left at 20 s and 30 at 40 s."""
    assert CscSnapshot.of(finished(ONE_WORKER_ONE_TASK), 0).work_left_s[0] == 0.0


def test_the_state_of_critics_says_that_a_finished_task_has_no_work_left() -> None:
    row = global_state(finished(ONE_WORKER_ONE_TASK), 0)[-len(TASK_STATE) :]
    assert row[TASK_STATE.index("work_left")] == 0.0


def test_an_expired_task_has_the_work_left_that_it_had_at_its_deadline() -> None:
    """30 worker-seconds, a deadline at 25 s: 5 are left for ever."""
    simulation = begin(replace(ONE_WORKER_ONE_TASK, tasks=(a_task(0, workload_s=30.0, deadline_s=25.0),)))
    for _ in range(2):
        simulation.step(legal(simulation, (1,)))
    assert CscSnapshot.of(simulation, 0).work_left_s[0] == 5.0


# ---- copies of an environment ----


def pickled(env: object) -> object:
    return pickle.loads(pickle.dumps(env))  # noqa: S301 - of our own making, in memory


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_copy_of_an_environment_runs_the_same_machine_code(copied) -> None:
    roads: RoadArrays = copied(csc_v0.parallel_env(scenario="tiny"))._simulation.roads
    assert not roads.length.flags.writeable


# ---- instances of a user's own ----


class Ours:
    """A generator that gives one instance."""

    def __init__(self, instance: CscInstance) -> None:
        self.instance = instance

    def generate(self, seeds: InstanceSeeds) -> CscInstance:
        return self.instance


def one_worker_one_task() -> CscInstance:
    return CscInstance(
        network=load_dataset("tiny").network,
        worker_node=np.array([0], np.int32),
        worker_skills=np.ones((1, 8), np.bool_),
        task_node=np.array([1], np.int32),
        task_skill=np.array([0], np.int8),
        created_s=np.array([0.0]),
        expected_s=np.array([600.0]),
        deadline_s=np.array([900.0]),
        workload_s=np.array([300.0]),
        payment=np.array([100.0]),
    )


def test_an_instance_of_another_size_is_refused() -> None:
    env = csc_v0.parallel_env(scenario="tiny", generator=Ours(one_worker_one_task()))
    with pytest.raises(ValueError, match="worker"):
        env.reset()


def test_an_instance_on_other_roads_is_refused() -> None:
    """Its nodes may not even exist: the kernel would read beyond its arrays."""
    network = load_dataset("tiny").network
    elsewhere = replace(one_worker_one_task(), network=replace(network, length=2 * network.length))
    env = csc_v0.parallel_env(scenario="tiny", num_workers=1, num_tasks=1, generator=Ours(elsewhere))
    with pytest.raises(ValueError, match="network"):
        env.reset()
