"""Small random worlds and ways of acting in them, for comparing two simulators of CSC.

A world of each `Flavour` has a special feature: events at one instant, invisible tasks, work of a millisecond.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum

import numpy as np
from reference.csc_instance import Arc, ReferenceInstance, ReferenceTask, ReferenceWorker
from reference.csc_reference import ReferenceSimulator

_NUM_SKILLS = 4


class Flavour(Enum):
    """What is special about a world."""

    ORDINARY = "ordinary"
    WHOLE_NUMBERS = "whole numbers"  # equal roads, whole seconds: events at one instant, tied paths
    DECIMALS = "decimals"  # tenths of seconds: instants that coincide but for rounding
    SINGLE_NODE = "single node"
    SAME_PLACE = "same place"  # all tasks at one node
    START_AT_TASKS = "start at tasks"  # workers that need not travel
    ZERO_RANGE = "zero range"
    SHORT_RANGE = "short range"
    TINY_WORK = "tiny work"
    HUGE_WORK = "huge work"
    FLEETING = "fleeting"  # deadlines just after creation
    COARSE_UNIT = "coarse unit"  # units that are not a metre
    ONE_LONG_STEP = "one long step"
    RAGGED_HORIZON = "ragged horizon"  # not a multiple of the step
    CROWD = "crowd"  # many workers with all skills, few tasks
    STEEP_PENALTY = "steep penalty"
    ONE_WORKER = "one worker"


def random_world(rng: np.random.Generator, flavour: Flavour | None = None) -> ReferenceInstance:
    """Draw a world: 5-40 nodes (1 for a single node), 1-12 workers, 1-25 tasks, all roads of one connected network.

    Args:
        rng: Where all draws come from.
        flavour: What is to be special about it; drawn as well by default.
    """
    if flavour is None:
        flavour = list(Flavour)[int(rng.integers(len(Flavour)))]
    num_nodes = 1 if flavour is Flavour.SINGLE_NODE else int(rng.integers(5, 41))
    whole = flavour is Flavour.WHOLE_NUMBERS
    speed_mps = 1.0 if whole else float(rng.choice([10.0, 7.3, 1.0]))
    # Distances in the same range as time times speed, so that trips, work and deadlines meet.
    arcs = random_arcs(rng, num_nodes, longest=2 if whole else int(60 * speed_mps))
    step_s = float(rng.choice([1.0, 2.0, 5.0] if whole else [0.1, 1.0, 5.0, 7.7, 10.0, 30.0]))
    steps = min(200, 1 + int(rng.uniform(0, 60 if whole else 600) / step_s))
    world = ReferenceInstance(
        num_nodes=num_nodes,
        unit_m=1.0,
        arcs=arcs,
        workers=tuple(_workers(rng, num_nodes, flavour)),
        tasks=tuple(_tasks(rng, num_nodes, steps * step_s, flavour)),
        horizon_s=steps * step_s,
        step_s=step_s,
        speed_mps=speed_mps,
        range_m=float(rng.choice([1e6, 100 * speed_mps, 40 * speed_mps])),
        penalty_per_s=float(rng.choice([0.0, 1e-3, 0.02, 0.3])),
        max_candidates=int(rng.integers(1, 11)),
    )
    return _seasoned(rng, world, flavour)


def random_arcs(rng: np.random.Generator, num_nodes: int, longest: int) -> tuple[Arc, ...]:
    """Draw a strongly connected network: a two-way tree, more two-way roads, and some one-way ones."""
    lengths: dict[tuple[int, int], int] = {}
    for node in range(1, num_nodes):
        other, length = int(rng.integers(node)), int(rng.integers(1, longest + 1))
        lengths[node, other] = lengths[other, node] = length
    for _ in range(num_nodes - 1):
        a, b = (int(node) for node in rng.integers(num_nodes, size=2))
        if a == b or (a, b) in lengths or (b, a) in lengths:
            continue
        lengths[a, b] = int(rng.integers(1, longest + 1))
        if rng.random() < 0.7:
            lengths[b, a] = lengths[a, b]
    order = rng.permutation(num_nodes)  # so that numbers say nothing about the tree
    return tuple(sorted(Arc(int(order[a]), int(order[b]), length) for (a, b), length in lengths.items()))


def _workers(rng: np.random.Generator, num_nodes: int, flavour: Flavour) -> Iterable[ReferenceWorker]:
    count = int(rng.integers(8, 13)) if flavour is Flavour.CROWD else int(rng.integers(1, 13))
    for _ in range(1 if flavour is Flavour.ONE_WORKER else count):
        number = _NUM_SKILLS if flavour is Flavour.CROWD else int(rng.integers(1, _NUM_SKILLS + 1))
        skills = rng.choice(_NUM_SKILLS, size=number, replace=False)
        yield ReferenceWorker(int(rng.integers(num_nodes)), frozenset(int(skill) for skill in skills))


def _tasks(rng: np.random.Generator, num_nodes: int, horizon_s: float, flavour: Flavour) -> Iterable[ReferenceTask]:
    decimals = {Flavour.WHOLE_NUMBERS: 0, Flavour.DECIMALS: 1}.get(flavour, 17)
    least_s, most_s = {Flavour.TINY_WORK: (1e-3, 0.5), Flavour.HUGE_WORK: (1e4, 1e6)}.get(flavour, (1.0, horizon_s / 2))
    for _ in range(int(rng.integers(1, 4 if flavour is Flavour.CROWD else 26))):
        created_s = 0.0 if rng.random() < 0.3 else round(float(rng.uniform(0, 1.1 * horizon_s)), decimals)
        patience_s = float(rng.uniform(1, horizon_s + 1))
        if flavour is Flavour.FLEETING and rng.random() < 0.8:
            patience_s = float(rng.choice([1e-6, 0.3, 2.0]))
        patience_s = max(round(patience_s, decimals), 10.0 ** -min(decimals, 6))
        deadline_s = round(created_s + patience_s, decimals)
        expected_s = round(created_s + patience_s * float(rng.choice([0.0, 0.3, 0.7, 1.0])), decimals)
        workload_s = round(float(rng.uniform(least_s, max(least_s, most_s))), decimals)
        yield ReferenceTask(
            node=int(rng.integers(num_nodes)),
            skill=int(rng.integers(_NUM_SKILLS)),
            created_s=created_s,
            expected_s=min(expected_s, deadline_s),
            deadline_s=deadline_s,
            workload_s=workload_s if workload_s > 0 else 1.0,
            max_payment=round(float(rng.choice([0.0, rng.uniform(1, 1000)], p=[0.05, 0.95])), decimals),
        )


def _seasoned(rng: np.random.Generator, world: ReferenceInstance, flavour: Flavour) -> ReferenceInstance:
    """Change what the flavour changes about the world as a whole."""
    if flavour is Flavour.SAME_PLACE:
        return replace(world, tasks=tuple(replace(task, node=world.tasks[0].node) for task in world.tasks))
    if flavour is Flavour.START_AT_TASKS:
        nodes = [task.node for task in world.tasks]
        workers = tuple(replace(w, start_node=nodes[i % len(nodes)]) for i, w in enumerate(world.workers))
        return replace(world, workers=workers)
    if flavour is Flavour.ZERO_RANGE:
        workers = tuple(replace(w, start_node=world.tasks[0].node) for w in world.workers)
        return replace(world, range_m=0.0, workers=workers)
    if flavour is Flavour.SHORT_RANGE:
        return replace(world, range_m=float(world.arcs[0].length_units))  # somewhere a task is exactly in range
    if flavour is Flavour.COARSE_UNIT:
        return replace(world, unit_m=float(rng.choice([2.5, 0.7, 3.0])))
    if flavour is Flavour.ONE_LONG_STEP:
        return replace(world, step_s=world.horizon_s * float(rng.choice([1.0, 1.7])))
    if flavour is Flavour.RAGGED_HORIZON:
        return replace(world, horizon_s=world.horizon_s + 0.37 * world.step_s)
    if flavour is Flavour.STEEP_PENALTY:
        tasks = tuple(replace(task, expected_s=task.created_s) for task in world.tasks)
        return replace(world, penalty_per_s=float(rng.choice([1.0, 1 / 16])), tasks=tasks)
    return world


class Policy(Enum):
    """A way of acting."""

    RANDOM = "random"  # any legal action
    GREEDY = "greedy"  # the nearest candidate
    HERD = "herd"  # everyone the candidate of the smallest number, so that tasks are shared
    LAZY = "lazy"  # mostly hold
    ADVERSARIAL = "adversarial"  # anything at all, legal or not


def random_actions(
    rng: np.random.Generator, simulator: ReferenceSimulator, policy: Policy, largest: int | None = None
) -> list[int]:
    """Choose one action per worker at the present epoch.

    Args:
        rng: Where all draws come from.
        simulator: The world, read only.
        policy: How to choose.
        largest: The largest action that the adversarial policy takes; the instance's K by default.
    """
    largest = simulator.instance.max_candidates if largest is None else largest
    actions: list[int] = []
    for worker in range(len(simulator.instance.workers)):
        candidates = simulator.candidates(worker)
        if policy is Policy.ADVERSARIAL:
            action = int(rng.integers(largest + 1))
        elif not candidates or (policy is Policy.LAZY and rng.random() < 0.85):
            action = 0
        elif policy is Policy.GREEDY:
            action = 1
        elif policy is Policy.HERD:
            action = 1 + candidates.index(min(candidates))
        else:
            action = int(rng.integers(len(candidates) + 1))
        actions.append(action)
    return actions


def play(rng: np.random.Generator, world: ReferenceInstance, policy: Policy) -> ReferenceSimulator:
    """Play a whole episode and return the simulator at its end."""
    simulator = ReferenceSimulator(world)
    while not simulator.done:
        simulator.step(random_actions(rng, simulator, policy))
    return simulator
