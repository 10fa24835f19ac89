"""Random worlds of sensing for the reference simulator, each flavour made to provoke something."""

from enum import Enum
from typing import Literal

import numpy as np
from reference.sensing_instance import SensingReferenceInstance
from reference.sensing_reference import SensingReferenceSimulator


class Flavour(Enum):
    """What a world is made to provoke."""

    ORDINARY = "ordinary"
    GRID = "grid"  # distances that are equal
    ONE_PLACE = "one place"  # cells on top of each other
    GAPS = "gaps"  # most values are missing
    ALONE = "alone"  # one participant: nothing but its own value is ever collected
    FULL = "full"  # a participant for every cell
    DARK = "dark"  # an attribute without values in the first half of the cycles
    FLAT = "flat"  # values that are all equal


class Policy(Enum):
    """How the agents act."""

    RANDOM = "random"
    QUIET = "quiet"  # most hold, or stay
    CROWD = "crowd"  # everyone wants the same


def random_world(
    rng: np.random.Generator,
    flavour: Flavour,
    *,
    inference: Literal["knn", "idw", "svr"],
    participants_act: bool,
    cycles: int = 6,
) -> SensingReferenceInstance:
    """A world of up to 12 cells, up to 6 participants and up to 3 attributes."""
    cells = int(rng.integers(2, 13))
    attributes = int(rng.integers(1, 4))
    values = rng.normal(10.0, 3.0, (cycles, cells, attributes))
    missing = rng.random(values.shape) < (0.7 if flavour is Flavour.GAPS else 0.1)
    participants = int(rng.integers(1, min(cells, 6) + 1))
    if flavour is Flavour.ALONE:
        participants = 1
    elif flavour is Flavour.FULL:
        participants = cells
    elif flavour is Flavour.DARK:
        missing[: cycles // 2, :, 0] = True
    elif flavour is Flavour.FLAT:
        values[:] = 4.0
    return SensingReferenceInstance(
        places_km=tuple(_places(rng, flavour, cells)),
        values=tuple(
            tuple(
                tuple(None if gone else float(v) for v, gone in zip(*row, strict=True))
                for row in zip(*cycle, strict=True)
            )
            for cycle in zip(values, missing, strict=True)
        ),
        start=tuple(int(x) for x in rng.permutation(cells)[:participants]),
        scale=tuple(float(scale) for scale in rng.uniform(0.5, 20.0, attributes)),
        participants_act=participants_act,
        inference=inference,
        neighbours=int(rng.integers(1, 6)),
        power=float(rng.choice([0.5, 1.0, 2.0, 3.3])),
        svr_c=float(rng.choice([0.5, 1.0, 10.0])),
        svr_epsilon=float(rng.choice([0.01, 0.1, 0.3])),
        cost_weight=float(rng.choice([0.0, 0.001, 0.1])),
    )


def _places(rng: np.random.Generator, flavour: Flavour, cells: int) -> list[tuple[float, float]]:
    if flavour is Flavour.GRID:
        return [(float(x % 4), float(x // 4)) for x in range(cells)]
    spread = rng.uniform(0.0, 80.0, (cells, 2)) + np.array([390.0, 4990.0])  # as projected coordinates are
    if flavour is Flavour.ONE_PLACE:
        spread = spread[rng.integers(0, max(2, cells // 3), cells)]
        spread[0] += 1.0  # not all of them
    return [(float(x), float(y)) for x, y in spread]


def random_actions(rng: np.random.Generator, reference: SensingReferenceSimulator, policy: Policy) -> list[int]:
    """A joint action."""
    instance = reference.instance
    actions: list[int] = rng.integers(instance.num_actions, size=instance.num_agents).tolist()
    if policy is Policy.CROWD:
        return [actions[0]] * len(actions)
    if policy is Policy.QUIET:
        stay = reference.places if instance.participants_act else [0] * instance.num_agents
        return [a if rng.random() < 0.2 else s for a, s in zip(actions, stay, strict=True)]
    return actions
