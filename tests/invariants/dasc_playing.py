"""Worlds for the laws of DASC, drawn by Hypothesis by flavour and seed; and ways to play and to renumber them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference.dasc_instance import DascReferenceInstance
from reference.dasc_random_worlds import Flavour, random_world

from crowdgym.envs.dasc.kernel.simulation import DascSimulation

Actions = NDArray[np.int64]


@dataclass(frozen=True)
class Drawn:
    """A world, and the seed of how it is played."""

    world: DascReferenceInstance
    seed: int

    def rng(self) -> np.random.Generator:
        """The same for every call."""
        return np.random.default_rng(self.seed)


@st.composite
def drawn_worlds(draw: st.DrawFn, flavours: list[Flavour] | None = None) -> Drawn:
    """Any world of the given flavours, all by default, in any of the modes."""
    flavour = draw(st.sampled_from(flavours or list(Flavour)))
    selects, after, seed = draw(st.booleans()), draw(st.booleans()), draw(st.integers(0, 2**32 - 1))
    return Drawn(random_world(np.random.default_rng(seed), flavour, selects=selects, after=after), seed)


def legal_actions(rng: np.random.Generator, simulation: DascSimulation, holding: float = 0.3) -> Actions:
    """A legal action for every slot of every copy; ``holding``: the share that holds whatever it may do."""
    mask = simulation.state.output.mask
    actions = (rng.random(mask.shape) * mask * np.where(np.arange(mask.shape[2]), 1.0, 1e-3)).argmax(axis=2)
    return np.where(rng.random(actions.shape) < holding, 0, actions)


def any_actions(rng: np.random.Generator, simulation: DascSimulation) -> Actions:
    """Mostly legal ones, some not."""
    mask = simulation.state.output.mask
    anything = rng.integers(0, mask.shape[2], mask.shape[:2])
    return np.where(rng.random(mask.shape[:2]) < 0.05, anything, legal_actions(rng, simulation))


def moment(simulation: DascSimulation, b: int) -> dict[str, bytes]:
    """Every number that copy ``b`` has to show, to the last bit."""
    state = simulation.state
    parts: dict[str, Any] = {
        "workers": state.workers,
        "tasks": state.tasks,
        "subtasks": state.subtasks,
        "epoch": state.output,
    }
    arrays = {f"{name}.{field}": getattr(part, field)[b] for name, part in parts.items() for field in part._fields}
    return {name: array.tobytes() for name, array in (arrays | {"observations": simulation.observations[b]}).items()}


@dataclass(frozen=True)
class Renumbering:
    """A world with other numbers. ``worker[w]`` and ``subtask[i]``: the new numbers of the old ones; slots alike."""

    world: DascReferenceInstance
    worker: NDArray[np.intp]
    subtask: NDArray[np.intp]  # [S], empty slots as they are
    job: NDArray[np.intp]


def renumbered(world: DascReferenceInstance, rng: np.random.Generator) -> Renumbering:
    """Other numbers for workers, for tasks of one creation, and for subtasks as far as precedence lets them."""
    worker_order = rng.permutation(len(world.workers))
    key = rng.random(len(world.jobs))
    job_order = sorted(range(len(world.jobs)), key=lambda q: (world.jobs[q].created_s, key[q]))
    jobs, order = [], []  # order: old numbers of the new subtasks
    for q in job_order:
        jobs.append(replace(world.jobs[q], first=len(order)))
        left = set(world.jobs[q].subtasks)
        while left:
            ready = sorted(i for i in left if not left.intersection(world.subtasks[i].before))
            order.append(int(rng.choice(ready)))
            left.remove(order[-1])
    subtask = np.arange(world.num_slots)
    subtask[order] = np.arange(len(order))
    subtasks = [
        replace(world.subtasks[i], before=tuple(sorted(int(subtask[j]) for j in world.subtasks[i].before)))
        for i in order
    ]
    other = replace(
        world,
        workers=tuple(world.workers[w] for w in worker_order),
        jobs=tuple(jobs),
        subtasks=tuple(subtasks),
    )
    return Renumbering(other, np.argsort(worker_order), subtask, np.argsort(job_order))
