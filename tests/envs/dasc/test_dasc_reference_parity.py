"""Two routes to one number: the kernel of DASC against the reference simulator.

The reference is written from docs/dasc_dynamics.md with an event queue and networkx; it shares no code with the kernel.
"""

import numpy as np
import pytest
from reference.dasc_comparison import play_both
from reference.dasc_matching import largest_assignment
from reference.dasc_random_worlds import Flavour, Policy, random_world

from crowdgym.envs.core.matching import Graph, match

MODES = [(selects, after) for selects in (False, True) for after in (False, True)]


@pytest.mark.parametrize("flavour", list(Flavour), ids=lambda flavour: flavour.value)
@pytest.mark.parametrize("policy", list(Policy), ids=lambda policy: policy.value)
def test_kernel_equals_reference(flavour: Flavour, policy: Policy) -> None:
    rng = np.random.default_rng([list(Flavour).index(flavour), list(Policy).index(policy)])
    for selects, after in MODES:
        play_both(random_world(rng, flavour, selects=selects, after=after), policy, rng)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(400))
def test_kernel_equals_reference_in_many_worlds(seed: int) -> None:
    """Each world under every policy."""
    rng = np.random.default_rng(1_000 + seed)
    selects, after = MODES[seed % len(MODES)]
    world = random_world(rng, selects=selects, after=after)
    for policy in Policy:
        play_both(world, policy, rng)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_kernel_equals_reference_in_larger_worlds(seed: int) -> None:
    """Five times as many workers, tasks and nodes: crowded matchings with many ties."""
    rng = np.random.default_rng(5_000 + seed)
    selects, after = MODES[seed % len(MODES)]
    flavours = [Flavour.ORDINARY, Flavour.ALIKE, Flavour.WHOLE_NUMBERS, Flavour.CROWD, Flavour.EXTREME_UTILITY]
    world = random_world(rng, flavours[seed % len(flavours)], selects=selects, after=after, scale=5)
    play_both(world, list(Policy)[seed % len(Policy)], rng)


@pytest.mark.parametrize("most", [0, 1, 3, 2**30])
def test_matching_of_a_crowd_equals_networkx(most: int) -> None:
    """Too many pairs to try them all: with few different weights, all but one assignment of the total must lose."""
    rng = np.random.default_rng(most)
    graph = Graph.empty(1, 25, 30)
    for _ in range(12):
        rows, columns = (int(n) for n in rng.integers(5, 26, size=2))
        density = rng.choice([0.15, 0.5, 1.0])
        pairs = {
            (i, j): int(rng.integers(most + 1)) for i in range(rows) for j in range(columns) if rng.random() < density
        }
        for i in range(rows):
            own = [j for j in range(columns) if (i, j) in pairs]
            first = int(graph.start[0, i])
            graph.start[0, i + 1] = first + len(own)
            graph.column[0, first : first + len(own)] = own
            graph.weight[0, first : first + len(own)] = [pairs[i, j] for j in own]
        match(graph, 0, rows)
        matched = {i: int(j) for i, j in enumerate(graph.row_match[0, :rows]) if j >= 0}
        assert matched == largest_assignment(pairs)
