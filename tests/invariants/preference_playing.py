"""Worlds for the laws of ``preference_v0``, drawn by Hypothesis by flavour and seed; ways to play and renumber them."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference.preference_instance import PreferenceReferenceInstance
from reference.preference_random_worlds import Flavour, random_world

from crowdgym.envs.preference.kernel.simulation import PreferenceSimulation

Actions = NDArray[np.int64]


@dataclass(frozen=True)
class Drawn:
    """A world, and the seed of how it is played."""

    world: PreferenceReferenceInstance
    seed: int

    def rng(self) -> np.random.Generator:
        """The same for every call."""
        return np.random.default_rng(self.seed)


@st.composite
def drawn_worlds(draw: st.DrawFn, flavours: list[Flavour] | None = None) -> Drawn:
    """A world of any flavour, or of some."""
    flavour = draw(st.sampled_from(flavours or list(Flavour)))
    seed = draw(st.integers(0, 2**32 - 1))
    return Drawn(random_world(np.random.default_rng(seed), flavour), seed)


def any_actions(rng: np.random.Generator, simulation: PreferenceSimulation) -> Actions:
    """Mostly legal actions for every worker of copy 0; one in five is any at all. Shape [1, W]."""
    mask = simulation.state.output.mask[0]
    legal = np.where(mask > 0, rng.random(mask.shape), -1.0).argmax(axis=1)
    anything = rng.integers(mask.shape[1], size=len(mask))
    return np.where(rng.random(len(mask)) < 0.2, anything, legal)[np.newaxis]


def everything(simulation: PreferenceSimulation, b: int) -> dict[str, bytes]:
    """All that a copy hands out and all that it knows, as bytes."""
    state = simulation.state
    parts = {"workers": state.workers, "tasks": state.tasks, "output": state.output}
    arrays = {f"{name}.{field}": getattr(part, field)[b] for name, part in parts.items() for field in part._fields}
    is_open = state.tasks.status[b] == 1
    arrays["tasks.rivals"] = np.where(is_open, state.tasks.rivals[b], 0)  # nothing is said of a task that is not open
    arrays |= {"dead": state.pairs.dead[b], "observations": simulation.observations[b]}
    return {name: array.tobytes() for name, array in arrays.items()}


@dataclass(frozen=True)
class Renumbering:
    """A world with other numbers. ``worker[w]`` and ``task[s]``: the new numbers of the old ones."""

    world: PreferenceReferenceInstance
    worker: NDArray[np.intp]
    task: NDArray[np.intp]


def renumbered(world: PreferenceReferenceInstance, rng: np.random.Generator) -> Renumbering:
    """Other numbers for the workers of each centre, and for all tasks."""
    workers, tasks = len(world.workers), len(world.tasks)
    centre = np.array([world.centre(w) for w in range(workers)])
    worker_order = np.lexsort((rng.random(workers), centre))
    task_order = rng.permutation(tasks)
    other = replace(
        world,
        workers=tuple(world.workers[w] for w in worker_order),
        tasks=tuple(world.tasks[s] for s in task_order),
        lots=tuple(tuple(world.lots[w][s] for s in task_order) for w in worker_order),
    )
    return Renumbering(other, np.argsort(worker_order), np.argsort(task_order))
