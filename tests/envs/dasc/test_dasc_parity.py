"""Many copies of DASC against one: the same bits, whichever way they are played."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from crowdgym.configs.dasc import DascSettings
from crowdgym.data.registry import load_dataset
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.dasc.generator import OrderStreamGenerator
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.envs.dasc.kernel.simulation import DascSimulation

COPIES = 3


def begin(settings: DascSettings, instances: list[DascInstance]) -> DascSimulation:
    simulation = DascSimulation(instances[0].network, settings, len(instances))
    for b, instance in enumerate(instances):
        simulation.reset_copy(b, instance)
    return simulation


def draw(settings: DascSettings, seed: int) -> DascInstance:
    generator = OrderStreamGenerator(load_dataset(settings.dataset), settings)
    return generator.generate(InstanceSeeds.of(np.random.SeedSequence(seed)))


def requests(rng: np.random.Generator, simulation: DascSimulation) -> NDArray[np.int64]:
    """Mostly legal ones, some not."""
    mask = simulation.state.output.mask
    legal = (rng.random(mask.shape) * mask).argmax(axis=2)
    anything = rng.integers(0, mask.shape[2], mask.shape[:2])
    return np.where(rng.random(mask.shape[:2]) < 0.02, anything, legal)


def moment(simulation: DascSimulation, b: int) -> dict[str, NDArray[Any]]:
    state = simulation.state
    parts = {"workers": state.workers, "tasks": state.tasks, "subtasks": state.subtasks, "epoch": state.output}
    arrays = {f"{name}.{field}": getattr(part, field)[b] for name, part in parts.items() for field in part._fields}
    return arrays | {"observations": simulation.observations[b]}


@pytest.mark.parametrize("action_mode", ["recommend", "select"])
@pytest.mark.parametrize("dependency", ["assigned", "finished"])
def test_a_copy_among_others_is_a_copy_alone(action_mode: Any, dependency: Any) -> None:
    settings = DascSettings.load(scenario="tiny", action_mode=action_mode, dependency=dependency, step_s=20.0)
    instances = [draw(settings, seed) for seed in range(COPIES)]
    together, alone = begin(settings, instances), [begin(settings, [instance]) for instance in instances]
    rng = np.random.default_rng(0)
    for epoch in range(together.clock.epochs):
        actions = requests(rng, together)
        if epoch % 2:
            together.step(actions)
        else:
            for b in (2, 0, 1):
                together.step(actions, np.array([b]))
        for b, single in enumerate(alone):
            single.step(actions[b : b + 1])
            expected = moment(single, 0)
            for name, array in moment(together, b).items():
                np.testing.assert_array_equal(array, expected[name], err_msg=f"{name} of copy {b} at epoch {epoch}")
    assert all(together.metrics(b) == alone[b].metrics(0) for b in range(COPIES))
    assert sum(together.metrics(b).completed for b in range(COPIES)) > 0
    assert sum(together.metrics(b).illegal for b in range(COPIES)) > 0


@pytest.mark.parametrize("action_mode", ["recommend", "select"])
def test_books_are_kept(action_mode: Any) -> None:
    """Rewards sum to the revenue; no worker has two subtasks; nothing starts before its predecessors are finished."""
    settings = DascSettings.load(scenario="tiny", action_mode=action_mode)
    simulation = begin(settings, [draw(settings, 4)])
    rng = np.random.default_rng(1)
    sparse = revenue = 0.0
    while not simulation.is_over()[0]:
        simulation.step(requests(rng, simulation))
        epoch = simulation.state.output
        assert epoch.sparse.sum() == pytest.approx(epoch.revenue[0])
        assert not (epoch.sparse[~epoch.was_live] != 0).any()
        assert not (epoch.shaped[~epoch.was_live] != 0).any()
        assert not simulation.observations[~epoch.live].any()
        assert (epoch.mask[~epoch.live][:, 1:] == 0).all()
        sparse, revenue = sparse + epoch.sparse.sum(), revenue + epoch.revenue[0]
    assert sparse == pytest.approx(simulation.metrics(0).revenue) == pytest.approx(revenue)
    subtasks, precedence = simulation.state.subtasks, simulation.state.precedence
    assigned = np.flatnonzero(subtasks.worker[0] >= 0)
    assert len(assigned) > 10
    for s in assigned:
        assert subtasks.start_s[0, s] >= subtasks.arrive_s[0, s]
        before = precedence.predecessors[0, precedence.start[0, s] : precedence.start[0, s + 1]]
        assert (subtasks.finish_s[0, before] <= subtasks.start_s[0, s]).all()
    for w in np.unique(subtasks.worker[0, assigned]):
        own = assigned[subtasks.worker[0, assigned] == w]
        own = own[np.argsort(subtasks.start_s[0, own])]
        end_s = np.minimum(subtasks.finish_s[0], simulation.state.tasks.deadline_s[0][subtasks.task[0]])
        assert (end_s[own[:-1]] <= subtasks.arrive_s[0, own[1:]]).all()
