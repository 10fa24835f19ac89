"""What happens in an episode as plain arrays, for players outside Python: movers, sites, links and series.

Every environment turns its snapshots into a `Scene` (``scene`` in its specification); those on roads do so by
`scene_on_roads`, from the same moments that pictures are drawn of.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.ground import Ground, ground_of
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.rendering.legs import Legs, legs_of
from crowdgym.envs.rendering.map import STREET_CLASSES
from crowdgym.envs.rendering.picture import Floats, Ints, Moment, Picture, States
from crowdgym.envs.rendering.street_traffic import Streets


@dataclass(frozen=True)
class BaseMap:
    """What does not move. M nodes, R streets.

    Attributes:
        x_m: of the nodes, projected. Shape [M].
        y_m: likewise.
        streets: pairs of nodes, the quietest first. Shape [R, 2].
        street_class: number in `STREET_CLASSES`. Shape [R].
        ground: land, water and greens.
    """

    x_m: Floats
    y_m: Floats
    streets: Ints
    street_class: NDArray[np.uint8]
    ground: Ground

    @classmethod
    def of(cls, network: RoadNetwork, ground: Ground) -> "BaseMap":
        """The map of a city; streets have a class by traffic, 0 for the quietest."""
        streets = Streets.of(network)
        quiet_first = np.argsort(streets.traffic, kind="stable")
        ends = np.rint(np.cumsum([share for share, _, _ in STREET_CLASSES]) * len(quiet_first)).astype(int)
        classes = np.searchsorted(ends, np.arange(len(quiet_first)), side="right").clip(0, len(STREET_CLASSES) - 1)
        chosen = streets.ends[quiet_first].astype(np.int64)
        return cls(network.x_m, network.y_m, chosen, classes.astype(np.uint8), ground)


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
class Spans:
    """The times of each site, for a chart of the sites of a group. S sites, G groups, P spans one after the other.

    Attributes:
        names: what each span is. P of them.
        colours: likewise.
        bounds_s: where the first span begins and each ends; NaN where it does not. Shape [S, P + 1].
        group_names: what the times of a group are. T of them.
        group_s: shape [G, T].
    """

    names: tuple[str, ...]
    colours: tuple[str, ...]
    bounds_s: Floats
    group_names: tuple[str, ...]
    group_s: Floats


@dataclass(frozen=True)
class Table:
    """Counts over time, for a table. R rows, C columns.

    Attributes:
        title: of the table.
        rows: a name each.
        columns: likewise.
        counts: shape [K + 1, R, C].
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: Ints


@dataclass(frozen=True)
class Scene:
    """An episode of K steps with N movers, S sites and E links. States are numbers of marks.

    Attributes:
        picture: the marks and words.
        base: what does not move.
        time_s: of each epoch, or cycles where `Picture.time` says so, as are all times here. Shape [K + 1].
        mover_state: shape [K + 1, N].
        mover_start: the node of each mover before its first leg. Shape [N].
        legs: ways of the movers.
        site_state: `HIDDEN` where a site is not shown. Shape [K + 1, S].
        site_size: the share of the largest disc's area. Shape [K + 1, S].
        site_x_m: projected coordinates. Shape [S].
        site_y_m: likewise.
        site_end_s: from when each fades out, NaN if it does not. Shape [S].
        series: figures of the episode by name. Shape [K + 1] each.
        curves: the series that are drawn as curves.
        events: in the order of time.
        links: pairs of sites, the first before the second. Shape [E, 2].
        link_state: shape [K + 1, E].
        link_is_critical: which links are on the critical path of their group. Shape [E].
        site_group: the group of each site, or -1. Shape [S].
        spans: the times of the sites of groups, if there are any.
        table: counts beside the map, if there are any.
        site_names: what each site is called, if they have names.
    """

    picture: Picture
    base: BaseMap
    time_s: Floats
    mover_state: States
    mover_start: Ints
    legs: Legs
    site_state: States
    site_size: Floats
    site_x_m: Floats
    site_y_m: Floats
    site_end_s: Floats
    series: Mapping[str, Floats]
    curves: tuple[str, ...]
    events: tuple[Event, ...]
    links: Ints
    link_state: States
    link_is_critical: NDArray[np.bool_]
    site_group: Ints
    spans: Spans | None = None
    table: Table | None = None
    site_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Episode:
    """What `scene_on_roads` needs besides the moments of an episode; see `Scene`.

    Attributes:
        metrics: names of the figures over time; the first is drawn as a curve, as are the other ``curves``.
        events: in any order.
        site_end_s: shape [S].
    """

    metrics: Sequence[str]
    events: Iterable[Event]
    site_end_s: Floats
    curves: tuple[str, ...] = ()
    site_group: Ints | None = None
    spans: Spans | None = None
    table: Table | None = None


def series_of(snapshots: Sequence[Any], names: Sequence[str]) -> dict[str, Floats]:
    """Metrics of all epochs by name. Shape [K + 1] each."""
    return {name: np.array([float(getattr(of.metrics, name)) for of in snapshots]) for name in names}


def scene_on_roads(
    env: Any, snapshots: Sequence[Any], picture: Picture, moment: Callable[[Any], Moment], episode: Episode
) -> Scene:
    """The scene of an environment on roads, whose movers are workers.

    Args:
        env: the parallel environment that played the episode.
        snapshots: one after ``reset`` and one after every step.
        picture: the marks.
        moment: of a snapshot, as pictures show it.
        episode: what moments do not say.
    """
    moments = [moment(snapshot) for snapshot in snapshots]
    first, network = moments[0], env.instance.network
    goes_to = np.stack([of.mover_site for of in moments])
    return Scene(
        picture=picture,
        base=BaseMap.of(network, ground_of(env.settings.dataset)),
        time_s=np.array([of.time_s for of in moments]),
        mover_state=np.stack([of.mover_state for of in moments]),
        mover_start=snapshots[0].worker_node.astype(np.int64),
        legs=legs_of(snapshots, network, env.settings.speed_mps, goes_to),
        site_state=np.stack([of.site_state for of in moments]),
        site_size=np.stack([of.site_size for of in moments]),
        site_x_m=first.site_x_m,
        site_y_m=first.site_y_m,
        site_end_s=episode.site_end_s,
        series=series_of(snapshots, episode.metrics),
        curves=episode.curves or tuple(episode.metrics[:1]),
        events=in_order(episode.events),
        links=first.links,
        link_state=np.stack([of.link_state for of in moments]),
        link_is_critical=first.link_is_critical,
        site_group=np.full(len(first.site_x_m), -1) if episode.site_group is None else episode.site_group,
        spans=episode.spans,
        table=episode.table,
    )
