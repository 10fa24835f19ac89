"""What happens in an episode as plain arrays, for players outside Python: movers, sites, links and series.

Every environment on roads turns its snapshots into a `Scene` (``scene`` in its specification). A *mover* is a worker, a
*site* a task or a subtask, a *leg* a way that a mover drives along streets.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.rendering.markers import Look

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NO_MOVER: Final = -1
NO_SITE: Final = -1
HIDDEN: Final = 255  # the state of a site that is not there yet


@dataclass(frozen=True)
class Mark:
    """A state of movers or sites: its name in words, and how it is drawn.

    Attributes:
        name: one or two words.
        meaning: one sentence.
        look: as in the pictures.
    """

    name: str
    meaning: str
    look: Look


@dataclass(frozen=True)
class Legs:
    """The ways of all movers. L legs, P passed nodes.

    Attributes:
        mover: who drives. Shape [L].
        site: where to, `NO_SITE` if nowhere in particular. Shape [L].
        first: where the nodes of each leg begin in the next two. Shape [L + 1].
        node: the nodes passed, start and end included. Shape [P].
        at_s: when each is passed, in seconds. Shape [P].
    """

    mover: Ints
    site: Ints
    first: Ints
    node: Ints
    at_s: Floats


@dataclass(frozen=True)
class Event:
    """Something that happened to a mover, to a site, or between the two.

    Attributes:
        time_s: when, in seconds.
        mover: the mover, or `NO_MOVER`.
        site: the site, or `NO_SITE`.
        text: what, in a few words; ``{mover}`` and ``{site}`` stand for their names.
    """

    time_s: float
    mover: int
    site: int
    text: str


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events by time; those of one moment by mover and site."""
    return tuple(sorted(events, key=lambda event: (event.time_s, event.mover, event.site)))


@dataclass(frozen=True)
class Scene:
    """An episode of K steps with N movers and S sites. States are numbers of marks.

    Attributes:
        time_s: of each epoch. Shape [K + 1].
        mover_word: what a mover is called, such as "worker".
        site_word: what a site is called, such as "task".
        mover_marks: states of movers; the last is drawn on top.
        mover_state: shape [K + 1, N].
        mover_start: the node of each mover before its first leg. Shape [N].
        legs: ways of the movers.
        site_marks: states of sites.
        site_state: `HIDDEN` where a site is not shown. Shape [K + 1, S].
        site_size: the share of the largest disc's area. Shape [K + 1, S].
        site_x_m: projected coordinates. Shape [S].
        site_y_m: likewise.
        links: pairs of sites, the first before the second. Shape [E, 2].
        series: figures of the episode by name; the first is the one that matters. Shape [K + 1] each.
        events: in the order of time.
    """

    time_s: Floats
    mover_word: str
    site_word: str
    mover_marks: tuple[Mark, ...]
    mover_state: NDArray[np.uint8]
    mover_start: Ints
    legs: Legs
    site_marks: tuple[Mark, ...]
    site_state: NDArray[np.uint8]
    site_size: Floats
    site_x_m: Floats
    site_y_m: Floats
    links: Ints
    series: Mapping[str, Floats]
    events: tuple[Event, ...]


def site_states(states: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.uint8]:
    """The number of each site's state; `HIDDEN` for a site in none of them. Shape [S].

    Args:
        states: in the order of the marks, which sites are in it. Shape [S] each.
    """
    found = np.full(len(next(iter(states.values()))), HIDDEN, np.uint8)
    for number, chosen in enumerate(states.values()):
        found[chosen] = number
    return found


def mover_states(statuses: Sequence[NDArray[Any]], looks: Mapping[Any, Look]) -> NDArray[np.uint8]:
    """The number of each mover's mark at each epoch. Shape [K + 1, N].

    Args:
        statuses: of each epoch. Shape [N] each.
        looks: by status, in the order of the marks.
    """
    number = np.zeros(max(int(status) for status in looks) + 1, np.uint8)
    for place, status in enumerate(looks):
        number[int(status)] = place
    numbered: NDArray[np.uint8] = number[np.stack(statuses)]
    return numbered


def series_of(snapshots: Sequence[Any], names: Sequence[str]) -> dict[str, Floats]:
    """Metrics of all epochs by name. Shape [K + 1] each."""
    return {name: np.array([float(getattr(of.metrics, name)) for of in snapshots]) for name in names}


@dataclass(frozen=True)
class Words:
    """A state in words; see `Mark`."""

    name: str
    meaning: str


def marks_of(words: Mapping[Any, Words], looks: Mapping[Any, Look]) -> tuple[Mark, ...]:
    """The marks of all states, in the order of their looks."""
    return tuple(Mark(words[state].name, words[state].meaning, look) for state, look in looks.items())


@dataclass(frozen=True)
class Sites:
    """What a `Scene` shows besides workers; see there.

    Attributes:
        of_worker: the site that each worker goes to or is at. Shape [K + 1, N].
    """

    word: str
    marks: tuple[Mark, ...]
    state: NDArray[np.uint8]
    size: Floats
    x_m: Floats
    y_m: Floats
    of_worker: Ints
    links: Ints = field(default_factory=lambda: np.zeros((0, 2), np.int64))


def scene_on_roads(
    env: Any,
    snapshots: Sequence[Any],
    words: Mapping[Any, Words],
    looks: Mapping[Any, Look],
    sites: Sites,
    metrics: Sequence[str],
    events: Iterable[Event],
) -> Scene:
    """The scene of an environment on roads, whose movers are workers.

    Args:
        env: the parallel environment that played the episode.
        snapshots: one after ``reset`` and one after every step.
        words: by status of a worker.
        looks: likewise; the last is drawn on top.
        sites: tasks or subtasks.
        metrics: names of the figures over time.
        events: what happened, in any order.
    """
    return Scene(
        time_s=np.array([snapshot.time_s for snapshot in snapshots]),
        mover_word="worker",
        site_word=sites.word,
        mover_marks=marks_of(words, looks),
        mover_state=mover_states([snapshot.worker_status for snapshot in snapshots], looks),
        mover_start=snapshots[0].worker_node.astype(np.int64),
        legs=legs_of(snapshots, env.instance.network, env.settings.speed_mps, sites.of_worker),
        site_marks=sites.marks,
        site_state=sites.state,
        site_size=sites.size,
        site_x_m=sites.x_m,
        site_y_m=sites.y_m,
        links=sites.links,
        series=series_of(snapshots, metrics),
        events=in_order(events),
    )


def legs_of(snapshots: Sequence[Any], network: RoadNetwork, speed_mps: float, sites: Ints) -> Legs:
    """The ways of all workers, from snapshots with ``worker_node``, ``worker_goal`` and ``depart_s``.

    A way follows the rule of the dynamics: on to the neighbour that minimises length + distance, ties by the smaller
    number. A worker whose task ends on its way stops at the node that has become its goal.

    Args:
        snapshots: of every epoch.
        network: the roads.
        speed_mps: of the workers, in metres a second.
        sites: the site that each worker drives to at each epoch. Shape [K + 1, N].
    """
    depart_s = np.stack([snapshot.depart_s for snapshot in snapshots])  # [K + 1, N], NaN before the first way
    start = np.stack([snapshot.worker_node for snapshot in snapshots])
    goal = np.stack([snapshot.worker_goal for snapshot in snapshots])
    departures: list[_Departure] = []
    for mover in range(depart_s.shape[1]):
        begins = np.flatnonzero(_begins(depart_s[:, mover]))
        for begin, after in pairwise([*begins.tolist(), len(snapshots)]):
            departures.append(
                _Departure(
                    float(depart_s[begin, mover]),
                    mover,
                    int(sites[begin, mover]),
                    # It stood there at the epoch before; a short way may be over by the next one.
                    start=int(start[begin - 1, mover]),
                    goal=int(goal[begin, mover]),
                    end=int(goal[after - 1, mover]),
                )
            )
    departures.sort()
    walk = _Walk(network, sorted({of.goal for of in departures}))
    ways = [walk.way(of.start, of.goal, of.end) for of in departures]
    units_s = network.unit_m / speed_mps
    at_s = [of.time_s + units * units_s for of, (_, units) in zip(departures, ways, strict=True)]
    return Legs(
        mover=np.array([of.mover for of in departures], np.int64),
        site=np.array([of.site for of in departures], np.int64),
        first=np.cumsum([0, *(len(nodes) for nodes, _ in ways)]),
        node=np.concatenate([np.zeros(0, np.int64), *(nodes for nodes, _ in ways)]),
        at_s=np.concatenate([np.zeros(0), *at_s]),
    )


class _Departure(NamedTuple):
    """The beginning of a way: when, who, the site, and the nodes where it begins, was to end, and ended."""

    time_s: float
    mover: int
    site: int
    start: int
    goal: int
    end: int


def _begins(depart_s: Floats) -> NDArray[np.bool_]:
    """At which epochs a new way has begun. Shape as given."""
    before = np.concatenate([[np.nan], depart_s[:-1]])
    begins: NDArray[np.bool_] = ~np.isnan(depart_s) & (depart_s != before)
    return begins


class _Walk:
    """Shortest paths to some nodes, by the rule of the dynamics."""

    def __init__(self, network: RoadNetwork, goals: Sequence[int]) -> None:
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import dijkstra

        self._network = network
        self._row = {goal: row for row, goal in enumerate(goals)}
        size = (network.num_nodes, network.num_nodes)
        graph = csr_array((network.length.astype(np.float64), network.indices, network.indptr), shape=size)
        self._units = dijkstra(graph.T.tocsr(), indices=goals) if goals else np.zeros((0, network.num_nodes))

    def way(self, start: int, goal: int, end: int) -> tuple[Ints, Ints]:
        """The nodes from ``start`` towards ``goal``, up to ``end``, and the units driven to each."""
        network, to_goal = self._network, self._units[self._row[goal]]
        nodes, driven = [start], [0]
        while nodes[-1] not in (end, goal):
            arcs = np.arange(network.indptr[nodes[-1]], network.indptr[nodes[-1] + 1])
            arc = arcs[np.argmin(network.length[arcs] + to_goal[network.indices[arcs]])]  # the first of the smallest
            nodes.append(int(network.indices[arc]))
            driven.append(driven[-1] + int(network.length[arc]))
        return np.array(nodes, np.int64), np.array(driven, np.int64)
