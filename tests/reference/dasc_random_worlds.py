"""Small random worlds of DASC and ways of acting in them, for comparing two simulators.

A world of every `Flavour` provokes something: events at one instant, equal utilities, rounds of matching that cascade.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from reference.dasc_instance import DascReferenceInstance, ReferenceJob, ReferenceSubtask, ReferenceWorker
from reference.dasc_reference import DascReferenceSimulator
from reference.random_worlds import random_arcs

_NUM_SKILLS = 4


class Flavour(Enum):
    """What is special about a world."""

    ORDINARY = "ordinary"
    WHOLE_NUMBERS = "whole numbers"  # equal roads, whole seconds: events at one instant, tied paths
    DECIMALS = "decimals"  # tenths of seconds: instants that coincide but for rounding
    SINGLE_NODE = "single node"
    ALIKE = "alike"  # workers and subtasks that differ in nothing but their number
    START_AT_SUBTASKS = "start at subtasks"  # workers that need not travel
    ZERO_RANGE = "zero range"
    SHORT_RANGE = "short range"  # somewhere a subtask is exactly in range
    QUICK_WORK = "quick work"
    NO_TIME_AT_ALL = "no time at all"  # durations that the clock cannot tell from nothing
    FLEETING = "fleeting"  # deadlines just after creation
    COARSE_UNIT = "coarse unit"  # units that are not a metre
    ONE_LONG_STEP = "one long step"
    RAGGED_HORIZON = "ragged horizon"  # not a multiple of the step
    SCARCE = "scarce"  # one or two workers, large tasks: most who are matched do not stand
    CROWD = "crowd"  # many workers, few subtasks
    STEEP_PENALTY = "steep penalty"
    EXTREME_UTILITY = "extreme utility"  # alpha and beta 0 or 1: utilities of 0, and many alike


def random_shape(rng: np.random.Generator, count: int) -> tuple[tuple[int, ...], ...]:
    """The predecessors of each of ``count`` subtasks: a chain, a tree, a fork, a diamond, layers, or anything."""
    kind = str(rng.choice(["chain", "none", "in", "out", "fork", "layers", "anything", "complete"]))
    last = count - 1
    layer = np.sort(rng.integers(0, max(1, count // 2), count))
    shapes: dict[str, Callable[[int], list[int]]] = {
        "chain": lambda i: [i - 1] if i else [],
        "none": lambda i: [],
        "in": lambda i: [j for j in range(i) if (last - j - 1) // 2 == last - i],
        "out": lambda i: [(i - 1) // 2] if i else [],
        "fork": lambda i: [0] if 0 < i < last else list(range(min(1, last), last)) if i == last else [],
        "layers": lambda i: [j for j in range(i) if layer[j] == layer[i] - 1],
        "anything": lambda i: [j for j in range(i) if rng.random() < 0.4],
        "complete": lambda i: list(range(i)),
    }
    return tuple(tuple(sorted(set(shapes[kind](i)))) for i in range(count))


@dataclass(frozen=True)
class _Draw:
    """How times and sizes are drawn in one world."""

    flavour: Flavour
    num_nodes: int
    horizon_s: float
    decimals: int
    scale: int

    def job(self, rng: np.random.Generator) -> tuple[ReferenceJob, list[ReferenceSubtask]]:
        """A task whose subtasks are numbered from 0."""
        created_s = 0.0 if rng.random() < 0.3 else self._round(float(rng.uniform(0, 1.05 * self.horizon_s)))
        patience_s = float(rng.uniform(0.1, 1) * self.horizon_s + 1)
        if self.flavour is Flavour.FLEETING and rng.random() < 0.8:
            patience_s = float(rng.choice([1e-6, 0.3, 2.0]))
        patience_s = max(self._round(patience_s), 10.0 ** -min(self.decimals, 6))
        expected_s = created_s + self._round(patience_s * float(rng.choice([0.0, 0.3, 0.7])))
        deadline_s = max(self._round(created_s + patience_s), float(np.nextafter(expected_s, np.inf)))
        payment = float(rng.choice([0.0, self._round(float(rng.uniform(1, 100))), 10.0], p=[0.05, 0.65, 0.3]))
        most = 8 if self.flavour is Flavour.SCARCE else 6
        shape = random_shape(rng, int(rng.integers(1, most + 1)))
        subtasks = [self._subtask(rng, before) for before in shape]
        return ReferenceJob(created_s, expected_s, deadline_s, payment, 0, len(subtasks)), subtasks

    def _subtask(self, rng: np.random.Generator, before: tuple[int, ...]) -> ReferenceSubtask:
        skills = rng.choice(_NUM_SKILLS, size=int(rng.choice([0, 1, 2, 3], p=[0.1, 0.5, 0.3, 0.1])), replace=False)
        duration_s = float(rng.uniform(0.01, 0.12) * self.horizon_s)
        if self.flavour is Flavour.QUICK_WORK:
            duration_s = float(rng.uniform(1e-3, 0.5))
        duration_s = max(self._round(duration_s), 10.0 ** -min(self.decimals, 6))
        if self.flavour is Flavour.NO_TIME_AT_ALL:
            duration_s = float(rng.choice([1e-300, 1e-15, 1.0]))
        node = int(rng.integers(self.num_nodes))
        return ReferenceSubtask(node, frozenset(int(skill) for skill in skills), duration_s, before)

    def _round(self, number: float) -> float:
        return round(number, self.decimals)


def random_world(
    rng: np.random.Generator,
    flavour: Flavour | None = None,
    *,
    selects: bool | None = None,
    after: bool | None = None,
    scale: int = 1,
) -> DascReferenceInstance:
    """Draw a world: 4-25 nodes (1 for a single node), 1-9 workers, 1-7 tasks of 1-8 subtasks, roads some one way.

    Args:
        rng: Where all draws come from.
        flavour: What is to be special about it; drawn as well by default.
        selects: Whether the action mode is "select"; drawn by default.
        after: Whether the dependency is "finished"; drawn by default.
        scale: How many times as many nodes, workers and tasks.
    """
    if flavour is None:
        flavour = list(Flavour)[int(rng.integers(len(Flavour)))]
    whole = flavour in (Flavour.WHOLE_NUMBERS, Flavour.ALIKE)
    num_nodes = 1 if flavour is Flavour.SINGLE_NODE else scale * int(rng.integers(4, 26))
    speed_mps = 1.0 if whole else float(rng.choice([10.0, 7.3, 1.0]))
    step_s = float(rng.choice([1.0, 2.0, 5.0] if whole else [0.1, 1.0, 5.0, 7.7, 10.0, 30.0]))
    steps = min(40, 2 + int(rng.uniform(0, 60 if whole else 400) / step_s))
    horizon_s = steps * step_s
    longest = 2 if whole else max(1, int(speed_mps * horizon_s * float(rng.choice([0.02, 0.1, 0.3]))))
    decimals = 0 if whole else 1 if flavour is Flavour.DECIMALS else 17
    draw = _Draw(flavour, num_nodes, horizon_s, decimals, scale)
    jobs, subtasks = _tasks(rng, draw)
    alpha, beta = (float(share) for share in rng.choice([0.0, 0.2, 0.5, 0.9, 1.0], size=2))
    if flavour is Flavour.EXTREME_UTILITY:
        alpha, beta = (float(share) for share in rng.choice([0.0, 1.0], size=2))
    world = DascReferenceInstance(
        num_nodes=num_nodes,
        unit_m=1.0,
        arcs=random_arcs(rng, num_nodes, longest),
        workers=_workers(rng, draw),
        jobs=jobs,
        subtasks=subtasks,
        horizon_s=horizon_s,
        step_s=step_s,
        speed_mps=speed_mps,
        range_m=float(rng.choice([1e6, 0.2 * horizon_s * speed_mps, 5000.0])),
        penalty_per_s=float(rng.choice([0.0, 1e-3, 0.02, 0.3])),
        travel_cost_per_m=float(rng.choice([0.0, 1e-4, 0.013])),
        utility=(alpha, beta),
        max_candidates=int(rng.integers(1, 8)),
        num_slots=len(subtasks) + int(rng.choice([0, 0, 3])),
        unmatched_penalty=float(rng.choice([0.0, 0.25])),
        invalid_penalty=float(rng.choice([0.0, 0.5])),
        selects=bool(rng.integers(2)) if selects is None else selects,
        after_finished=bool(rng.integers(2)) if after is None else after,
    )
    return _seasoned(rng, world, flavour)


def _tasks(rng: np.random.Generator, draw: _Draw) -> tuple[tuple[ReferenceJob, ...], tuple[ReferenceSubtask, ...]]:
    most = {Flavour.CROWD: 2, Flavour.SCARCE: 3}.get(draw.flavour, 7)
    drawn = [draw.job(rng) for _ in range(draw.scale * int(rng.integers(1, most + 1)))]
    jobs: list[ReferenceJob] = []
    subtasks: list[ReferenceSubtask] = []
    for job, own in sorted(drawn, key=lambda pair: pair[0].created_s):
        first = len(subtasks)
        jobs.append(replace(job, first=first))
        subtasks += [replace(part, before=tuple(first + j for j in part.before)) for part in own]
    return tuple(jobs), tuple(subtasks)


def _workers(rng: np.random.Generator, draw: _Draw) -> tuple[ReferenceWorker, ...]:
    least, most = {Flavour.CROWD: (7, 12), Flavour.SCARCE: (1, 3)}.get(draw.flavour, (1, 9))
    found = []
    for _ in range(draw.scale * int(rng.integers(least, most + 1))):
        skills = rng.choice(_NUM_SKILLS, size=int(rng.integers(1, _NUM_SKILLS + 1)), replace=False)
        found.append(ReferenceWorker(int(rng.integers(draw.num_nodes)), frozenset(int(skill) for skill in skills)))
    return tuple(found)


def _seasoned(rng: np.random.Generator, world: DascReferenceInstance, flavour: Flavour) -> DascReferenceInstance:
    """Change what the flavour changes about the world as a whole."""
    places = [subtask.node for subtask in world.subtasks]
    if flavour in (Flavour.START_AT_SUBTASKS, Flavour.ZERO_RANGE):
        workers = tuple(replace(w, start_node=places[i % len(places)]) for i, w in enumerate(world.workers))
        return replace(world, workers=workers, range_m=0.0 if flavour is Flavour.ZERO_RANGE else world.range_m)
    if flavour is Flavour.ALIKE:
        workers = tuple(replace(w, skills=frozenset({0, 1}), start_node=w.start_node % 2) for w in world.workers)
        subtasks = tuple(replace(s, skills=frozenset({i % 2}), node=s.node % 3) for i, s in enumerate(world.subtasks))
        return replace(world, workers=workers, subtasks=subtasks)
    if flavour is Flavour.SHORT_RANGE:
        return replace(world, range_m=float(world.arcs[0].length_units))
    if flavour is Flavour.COARSE_UNIT:
        return replace(world, unit_m=float(rng.choice([2.5, 0.7, 3.0])))
    if flavour is Flavour.ONE_LONG_STEP:
        return replace(world, step_s=world.horizon_s * float(rng.choice([1.0, 1.7])))
    if flavour is Flavour.RAGGED_HORIZON:
        return replace(world, horizon_s=world.horizon_s + 0.37 * world.step_s)
    if flavour is Flavour.STEEP_PENALTY:
        jobs = tuple(replace(job, expected_s=job.created_s) for job in world.jobs)
        return replace(world, penalty_per_s=float(rng.choice([1.0, 1 / 16])), jobs=jobs)
    if flavour is Flavour.SCARCE:
        everything = frozenset(range(_NUM_SKILLS))
        return replace(world, workers=tuple(replace(w, skills=everything) for w in world.workers))
    return world


class Policy(Enum):
    """A way of acting."""

    RANDOM = "random"  # any legal action
    EVERYTHING = "everything"  # everyone asks, for the nearest
    NOTHING = "nothing"  # hold but for one slot in forty
    CONTESTED = "contested"  # everyone who can asks for the worker that most could ask for
    SUCCESSORS = "successors"  # those with predecessors ask, the others mostly do not
    ADVERSARIAL = "adversarial"  # anything at all, legal or not


def random_actions(rng: np.random.Generator, simulator: DascReferenceSimulator, policy: Policy) -> list[int]:
    """Choose one action per slot at the present epoch."""
    instance = simulator.instance
    if policy is Policy.ADVERSARIAL:
        actions_each = instance.max_candidates + 1 if instance.selects else 2
        return [int(action) for action in rng.integers(actions_each, size=instance.num_slots)]
    candidates = simulator.candidates()
    counts = np.bincount([w for some in candidates for w in some], minlength=len(instance.workers))
    favourite = int(counts.argmax())
    actions: list[int] = []
    for slot, some in enumerate(candidates):
        action = 1
        if policy is Policy.CONTESTED:
            action = 1 + some.index(favourite) if favourite in some else 0
        elif policy is Policy.RANDOM:
            action = int(rng.integers(len(some) + 1))
        elif policy is Policy.NOTHING:
            action = int(rng.random() < 1 / 40)
        elif policy is Policy.SUCCESSORS and slot < len(instance.subtasks) and not instance.subtasks[slot].before:
            action = int(rng.random() < 0.2)
        actions.append(0 if not some else action if instance.selects else min(1, action))
    return actions


def play(rng: np.random.Generator, world: DascReferenceInstance, policy: Policy) -> DascReferenceSimulator:
    """Play a whole episode and return the simulator at its end."""
    simulator = DascReferenceSimulator(world)
    while not simulator.done:
        simulator.step(random_actions(rng, simulator, policy))
    return simulator
