"""Worlds and actions drawn by Hypothesis, so that a failure shrinks to a world of a few nodes and whole numbers.

In a plain world all times are small multiples of a tick, and so are all trips: arrivals, finishes, deadlines, creations
and epochs coincide often. In an awkward one any number may be any float: workloads that do not move the clock,
deadlines an instant after creation or far beyond the horizon, trips that take no time, a range of nothing. Both have
one-way roads, and may have a single node, worker, task, candidate or step.
"""

import math
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from reference.csc_instance import Arc, ReferenceInstance, ReferenceTask, ReferenceWorker

MOST_WORKERS = 5
MOST_TASKS = 6
MOST_NODES = 7
MOST_CANDIDATES = 4
LONGEST_ROAD = 5_000  # units; MOST_NODES of them stay below what 16 bits hold
SKILLS = (0, 7)  # of 8: the first and the last

Draw = st.DrawFn
Floats = st.SearchStrategy[float]
JointAction = tuple[int, ...]

# What every worker would like to do; a world of fewer workers or candidates reads what it needs.
wishes = st.tuples(*[st.integers(0, MOST_CANDIDATES)] * MOST_WORKERS)


@dataclass(frozen=True)
class Episode:
    """A world, and what everybody would like to do: at its first epochs, and from then on."""

    world: ReferenceInstance
    first: tuple[JointAction, ...]
    then: JointAction

    def wishes(self, epoch: int) -> JointAction:
        """What everybody would like to do at an epoch."""
        return self.first[epoch] if epoch < len(self.first) else self.then


@dataclass(frozen=True)
class Numbers:
    """How the numbers of a world are drawn."""

    tick_s: float
    awkward: bool

    def seconds(self, least: int, most: int, *odd: float) -> Floats:
        """So many ticks; in an awkward world also any float in between, and ``odd`` numbers of ticks."""
        plain = st.integers(least, most).map(lambda n: n * self.tick_s)
        if not self.awkward:
            return plain
        tiny_s = 1e-9 * self.tick_s if least > 0 else 0.0
        anything = st.floats(tiny_s, most * self.tick_s, allow_subnormal=False)
        return plain | anything | st.sampled_from(odd).map(lambda n: n * self.tick_s) if odd else plain | anything


@st.composite
def worlds(draw: Draw, *, see_everything: bool = False) -> ReferenceInstance:
    """A world. With ``see_everything`` no open task of a worker's skills is ever cut from its candidates."""
    awkward = draw(st.booleans())
    numbers = Numbers(draw(st.sampled_from([1.0, 0.5, 1 / 3, 0.1, 7.7, 1e-3, 1e5] if awkward else [1.0, 0.5])), awkward)
    tick_s = numbers.tick_s
    unit_m = draw(st.sampled_from([1.0, 2.0, 0.7, 3.0, 1e-9] if awkward else [1.0, 2.0]))
    arcs, num_nodes = draw(_roads(awkward))
    step_s = draw(numbers.seconds(1, 4))
    paces = st.sampled_from([1.0, 0.5, 2.0])  # units a tick
    ranges = st.integers(0, 8).map(lambda n: 1e5 if n < 5 else 2 * (n - 5) * unit_m)
    bare = ReferenceInstance(
        num_nodes=num_nodes,
        unit_m=unit_m,
        arcs=arcs,
        workers=(ReferenceWorker(0, frozenset(SKILLS)),),
        tasks=(ReferenceTask(0, SKILLS[0], 0.0, 1.0, 1.0, 1.0, 1.0),),
        horizon_s=(draw(st.sampled_from([12, 40, 25, 3, 1])) - draw(st.sampled_from([0.0, 0.5, 0.9]))) * step_s,
        step_s=step_s,
        speed_mps=min(draw(paces | st.floats(0.1, 1e3) | st.just(1e18) if awkward else paces) * unit_m / tick_s, 1e9),
        range_m=draw(ranges | st.floats(0, 12 * unit_m, allow_subnormal=False) if awkward else ranges),
        penalty_per_s=draw(st.sampled_from([0.125, 0.02, 0.0, 1.0, 1e3] if awkward else [0.125, 0.02, 0.0])) / tick_s,
        max_candidates=MOST_TASKS if see_everything else draw(st.integers(1, MOST_CANDIDATES)),
    )
    workers, tasks = draw(st.integers(1, MOST_WORKERS)), draw(st.integers(1, MOST_TASKS))
    return draw(peopled(bare, workers, tasks, numbers))


@st.composite
def peopled(draw: Draw, world: ReferenceInstance, workers: int, tasks: int, numbers: Numbers) -> ReferenceInstance:
    """The world with as many workers and tasks, all drawn anew."""
    nodes = st.integers(0, world.num_nodes - 1)
    skills = st.just(frozenset(SKILLS)) | st.frozensets(st.sampled_from(SKILLS), min_size=1)
    crew = [ReferenceWorker(draw(nodes), draw(skills)) for _ in range(workers)]
    jobs = [draw(_tasks(nodes, numbers)) for _ in range(tasks)]
    return replace(world, workers=tuple(crew), tasks=tuple(jobs))


def recast(world: ReferenceInstance) -> st.SearchStrategy[ReferenceInstance]:
    """Another instance for the same environment: same roads, rules and numbers of workers and tasks."""
    return peopled(world, len(world.workers), len(world.tasks), Numbers(world.step_s, awkward=False))


@st.composite
def episodes(draw: Draw, *, see_everything: bool = False) -> Episode:
    """A world and something to do in it."""
    world = draw(worlds(see_everything=see_everything))
    then = draw(st.sampled_from([1, 0]))
    return Episode(world, tuple(draw(st.lists(wishes, max_size=12))), (then,) * MOST_WORKERS)


@st.composite
def _roads(draw: Draw, awkward: bool) -> tuple[tuple[Arc, ...], int]:
    """A strongly connected network: a tree with a road each way, and one-way roads across."""
    lengths = st.integers(1, 6) | st.integers(1, LONGEST_ROAD) if awkward else st.integers(1, 6)
    num_nodes = draw(st.integers(1, MOST_NODES))
    roads: dict[tuple[int, int], int] = {}
    for node in range(1, num_nodes):
        other = draw(st.integers(0, node - 1))
        there = draw(lengths)
        roads[node, other], roads[other, node] = there, draw(st.just(there) | lengths)
    nodes = st.integers(0, num_nodes - 1)
    for tail, head, length in draw(st.lists(st.tuples(nodes, nodes, lengths), max_size=num_nodes - 1)):
        if tail != head:
            roads.setdefault((tail, head), length)
    return tuple(sorted(Arc(tail, head, length) for (tail, head), length in roads.items())), num_nodes


@st.composite
def _tasks(draw: Draw, nodes: st.SearchStrategy[int], numbers: Numbers) -> ReferenceTask:
    created_s = draw(st.just(0.0) | numbers.seconds(0, 30, 1e6))
    patience_s = draw(numbers.seconds(1, 60, 1e9, 1e-12))
    return ReferenceTask(
        node=draw(nodes),
        skill=draw(st.sampled_from(SKILLS)),
        created_s=created_s,
        expected_s=created_s + draw(st.sampled_from([1.0, 0.25, 0.0, 0.5, 2.0, -3.0])) * patience_s,
        deadline_s=max(created_s + patience_s, math.nextafter(created_s, math.inf)),
        workload_s=draw(numbers.seconds(1, 12, 1e9, 1e-18)),
        max_payment=draw(st.integers(0, 100).map(float) | st.floats(0, 1e6, allow_subnormal=False)),
    )
