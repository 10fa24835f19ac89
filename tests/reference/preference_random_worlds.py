"""Small random worlds of ``preference_v0``, for comparing two simulators.

A world of every `Flavour` provokes something: ties, events at one instant, tasks that all decline.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum

import numpy as np
from reference.preference_instance import PreferenceReferenceInstance, ReferenceTask, ReferenceWorker
from reference.preference_reference import PreferenceReferenceSimulator
from reference.random_worlds import random_arcs

NUM_CATEGORIES = 8


class Flavour(Enum):
    """What is special about a world."""

    ORDINARY = "ordinary"
    WHOLE_NUMBERS = "whole numbers"  # equal roads, whole seconds: events at one instant, tied distances
    SINGLE_NODE = "single node"
    CROWD = "crowd"  # many workers, few tasks: contests
    NO_PAUSE = "no pause"
    NO_SERVICE = "no service"
    UNWILLING = "unwilling"  # all decline
    ALWAYS = "always"  # all accept
    ONE_OFFER = "one offer"
    FLEETING = "fleeting"  # expiries just after creation
    ZERO_RANGE = "zero range"
    SHORT_RANGE = "short range"
    COARSE_UNIT = "coarse unit"
    ONE_LONG_STEP = "one long step"
    RAGGED_HORIZON = "ragged horizon"
    ONE_WORKER = "one worker"


def random_world(rng: np.random.Generator, flavour: Flavour | None = None) -> PreferenceReferenceInstance:
    """Draw a world of 5 to 30 nodes (1 for a single node), 1 to 12 workers and 1 to 25 tasks.

    Args:
        rng: Where all draws come from.
        flavour: What is to be special about it; drawn as well by default.
    """
    if flavour is None:
        flavour = list(Flavour)[int(rng.integers(len(Flavour)))]
    num_nodes = 1 if flavour is Flavour.SINGLE_NODE else int(rng.integers(5, 31))
    whole = flavour is Flavour.WHOLE_NUMBERS
    speed_mps = 1.0 if whole else float(rng.choice([10.0, 7.3, 1.0]))
    arcs = random_arcs(rng, num_nodes, longest=2 if whole else int(40 * speed_mps))
    step_s = float(rng.choice([1.0, 2.0, 5.0] if whole else [0.1, 1.0, 5.0, 7.7, 10.0, 30.0]))
    steps = min(150, 1 + int(rng.uniform(0, 60 if whole else 600) / step_s))
    workers = tuple(_workers(rng, num_nodes, flavour))
    tasks = tuple(sorted(_tasks(rng, num_nodes, steps * step_s, flavour), key=lambda task: task.created_s))
    low, high = sorted(float(share) for share in rng.random(2))
    world = PreferenceReferenceInstance(
        num_nodes=num_nodes,
        unit_m=1.0,
        arcs=arcs,
        workers=workers,
        tasks=tasks,
        lots=tuple(tuple(row) for row in rng.random((len(workers), len(tasks))).tolist()),
        num_centres=int(rng.integers(1, len(workers) + 1)),
        horizon_s=steps * step_s,
        step_s=step_s,
        speed_mps=speed_mps,
        range_m=float(rng.choice([1e6, 100 * speed_mps, 40 * speed_mps])),
        max_candidates=int(rng.integers(1, 11)),
        service_s=float(rng.choice([0.0, step_s, 2.5 * step_s, 30.0])),
        pause_s=float(rng.choice([0.0, step_s, 3.3 * step_s])),
        max_offers=int(rng.integers(1, 5)),
        always=False,
        a_min=low,
        a_max=high,
        gamma=float(rng.choice([0.0, 0.5, 1.0, 3.0])),
    )
    return _seasoned(rng, world, flavour)


def _workers(rng: np.random.Generator, num_nodes: int, flavour: Flavour) -> Iterable[ReferenceWorker]:
    count = int(rng.integers(8, 13)) if flavour is Flavour.CROWD else int(rng.integers(1, 13))
    for _ in range(1 if flavour is Flavour.ONE_WORKER else count):
        preference = rng.dirichlet(np.full(NUM_CATEGORIES, 0.5))
        yield ReferenceWorker(int(rng.integers(num_nodes)), tuple(preference.tolist()))


def _tasks(rng: np.random.Generator, num_nodes: int, horizon_s: float, flavour: Flavour) -> Iterable[ReferenceTask]:
    decimals = 0 if flavour is Flavour.WHOLE_NUMBERS else 17
    for _ in range(int(rng.integers(1, 4 if flavour is Flavour.CROWD else 26))):
        created_s = 0.0 if rng.random() < 0.3 else round(float(rng.uniform(0, 1.1 * horizon_s)), decimals)
        open_s = round(float(rng.uniform(1, horizon_s + 1)), decimals)
        if flavour is Flavour.FLEETING and rng.random() < 0.8:
            open_s = float(rng.choice([1e-6, 0.3, 2.0]))
        yield ReferenceTask(
            node=int(rng.integers(num_nodes)),
            category=int(rng.integers(NUM_CATEGORIES)),
            created_s=created_s,
            expiry_s=created_s + open_s,
        )


def _seasoned(
    rng: np.random.Generator, world: PreferenceReferenceInstance, flavour: Flavour
) -> PreferenceReferenceInstance:
    """Change what the flavour changes about the world as a whole."""
    if flavour is Flavour.ZERO_RANGE:
        workers = tuple(replace(w, start_node=world.tasks[0].node) for w in world.workers)
        return replace(world, range_m=0.0, workers=workers)
    if flavour is Flavour.RAGGED_HORIZON:
        return replace(world, horizon_s=world.horizon_s + 0.37 * world.step_s)
    if flavour is Flavour.ONE_LONG_STEP:
        return replace(world, step_s=world.horizon_s * float(rng.choice([1.0, 1.7])))
    changes = {
        Flavour.NO_PAUSE: {"pause_s": 0.0},
        Flavour.NO_SERVICE: {"service_s": 0.0},
        Flavour.UNWILLING: {"a_min": 0.0, "a_max": 0.0},
        Flavour.ALWAYS: {"always": True},
        Flavour.ONE_OFFER: {"max_offers": 1},
        Flavour.SHORT_RANGE: {"range_m": float(world.arcs[0].length_units) if world.arcs else 0.0},
        Flavour.COARSE_UNIT: {"unit_m": float(rng.choice([2.5, 0.7, 3.0]))},
    }
    return replace(world, **changes.get(flavour, {}))


class Policy(Enum):
    """A way of acting."""

    RANDOM = "random"  # any legal action
    GREEDY = "greedy"  # the nearest candidate
    HERD = "herd"  # each worker its candidate of the smallest number: contests
    LAZY = "lazy"  # mostly no offer
    ADVERSARIAL = "adversarial"  # anything at all, legal or not


def random_actions(rng: np.random.Generator, simulator: PreferenceReferenceSimulator, policy: Policy) -> list[int]:
    """Choose one action per worker at the present epoch."""
    actions: list[int] = []
    for worker in range(len(simulator.workers)):
        candidates = simulator.candidates(worker)
        if policy is Policy.ADVERSARIAL:
            action = int(rng.integers(simulator.instance.max_candidates + 1))
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


def play(rng: np.random.Generator, world: PreferenceReferenceInstance, policy: Policy) -> PreferenceReferenceSimulator:
    """Play a whole episode and return the simulator at its end."""
    simulator = PreferenceReferenceSimulator(world)
    while not simulator.done:
        simulator.step(random_actions(rng, simulator, policy))
    return simulator
