"""The shapes of precedence that tasks come in (design, section 6).

A shape makes, of a number of subtasks from 2 on and a source of randomness, the predecessors of each subtask.
Subtasks are numbered in a topological order: predecessors have smaller numbers. Every graph is connected.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from crowdgym.configs.dasc import ShapeName

FEWEST_SUBTASKS: Final = 2
MOST_SUBTASKS: Final = 15

Precedence = list[tuple[int, ...]]  # the predecessors of each subtask, ascending
Shape = Callable[[int, np.random.Generator], Precedence]


def chain(size: int, generator: np.random.Generator) -> Precedence:
    """One after the other."""
    return [(), *((i - 1,) for i in range(1, size))]


def fork_join(size: int, generator: np.random.Generator) -> Precedence:
    """A first subtask, a last one, and all others side by side in between."""
    if size == 2:
        return [(), (0,)]
    return [(), *((0,) for _ in range(size - 2)), tuple(range(1, size - 1))]


def in_tree(size: int, generator: np.random.Generator) -> Precedence:
    """Everything flows together: each subtask but the last has one successor, drawn among all later ones."""
    before: list[list[int]] = [[] for _ in range(size)]
    for i in range(size - 1):
        before[int(generator.integers(i + 1, size))].append(i)
    return [tuple(row) for row in before]


def out_tree(size: int, generator: np.random.Generator) -> Precedence:
    """Everything branches out: each subtask but the first has one predecessor, drawn among all earlier ones."""
    return [(), *((int(generator.integers(i)),) for i in range(1, size))]


def diamond(size: int, generator: np.random.Generator) -> Precedence:
    """A lattice that widens by one subtask a layer and narrows again: layers of 1, 2, .., k, .., 2, 1.

    Such a lattice has k * k subtasks; those beyond the largest that fits lengthen it by one or two layers.
    """
    before: Precedence = [()]
    first, width = 0, 1  # of the layer before
    for next_width in _diamond_widths(size)[1:]:
        # A wider layer hangs between its neighbours, a narrower one joins them, an equal one goes straight on.
        low, high = {1: (-1, 0), 0: (0, 0), -1: (0, 1)}[next_width - width]
        for j in range(next_width):
            before.append(tuple(first + i for i in range(max(j + low, 0), min(j + high, width - 1) + 1)))
        first, width = first + width, next_width
    return before


def layered(size: int, generator: np.random.Generator) -> Precedence:
    """Random layers, each subtask after some of the layer before, and each before some of the layer after."""
    layer = _random_layers(size, generator)
    before: list[set[int]] = [set() for _ in range(size)]
    for depth in range(1, layer[-1] + 1):
        above = [i for i in range(size) if layer[i] == depth - 1]
        here = [i for i in range(size) if layer[i] == depth]
        drawn = generator.random((len(here), len(above))) < 0.5
        for row, i in zip(drawn, here, strict=True):
            before[i] = {above[j] for j in np.flatnonzero(row)} or {above[int(generator.integers(len(above)))]}
        for j in above:
            if not any(j in before[i] for i in here):
                before[here[int(generator.integers(len(here)))]].add(j)
    _connect(before, layer)
    return [tuple(sorted(row)) for row in before]


SHAPES: Final[Mapping[ShapeName, Shape]] = MappingProxyType(
    {
        "chain": chain,
        "fork-join": fork_join,
        "in-tree": in_tree,
        "out-tree": out_tree,
        "diamond": diamond,
        "layered": layered,
    }
)


def _diamond_widths(size: int) -> list[int]:
    """Widths of the layers: neighbours differ by one at most. 9 subtasks: 1, 2, 3, 2, 1; 11: 1, 2, 2, 3, 2, 1."""
    widest = int(np.sqrt(size))
    rest = size - widest * widest
    extra = sorted(width for width in (rest if rest <= widest else widest, max(0, rest - widest)) if width)
    return sorted([*range(1, widest + 1), *extra]) + list(range(widest - 1, 0, -1))


def _random_layers(size: int, generator: np.random.Generator) -> list[int]:
    """The layer of each subtask, ascending from 0; at least two layers, none empty."""
    depth = int(generator.integers(2, size + 1))
    cuts = generator.choice(size - 1, size=depth - 1, replace=False) + 1
    begins = np.zeros(size, np.intp)
    begins[cuts] = 1
    return [int(layer) for layer in np.cumsum(begins)]


def _connect(before: list[set[int]], layer: list[int]) -> None:
    """Join parts that hang together in no way; each part reaches from the first layer to the last."""
    part = list(range(len(before)))
    for i, row in enumerate(before):
        for j in row:
            old, new = part[i], part[j]
            part = [new if p == old else p for p in part]
    hub = next(i for i, depth in enumerate(layer) if depth == 1 and part[i] == part[0])
    joined = {part[0]}
    for i, depth in enumerate(layer):
        if depth == 0 and part[i] not in joined:
            before[hub].add(i)
            joined.add(part[i])
