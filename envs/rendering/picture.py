"""What pictures and players show, as data: the marks with their words, and one moment.

A *mover* is a worker or a participant, a *site* a task, a subtask or a cell, a *link* an arrow from one site to
another, and a *group* the sites that belong together, such as the subtasks of a task.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.rendering.markers import Look

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
States = NDArray[np.uint8]  # numbers of marks

HIDDEN: Final = 255  # the state of what is not shown
NO_MOVER: Final = -1
NO_SITE: Final = -1
FADES_S: Final = 600.0  # a site that has ended fades out over this long

Place = Literal["free", "way", "site"]


@dataclass(frozen=True)
class Mark:
    """A state of movers, sites or links: its name in words, and how it is drawn.

    Attributes:
        name: one or two words.
        meaning: one sentence.
        look: the outline, its colours and its size; of a link, the edge alone counts.
        place: of a mover: where it stands ("free"), on its way, turned to where it drives ("way"), or beside its site.
    """

    name: str
    meaning: str
    look: Look
    place: Place = "free"


@dataclass(frozen=True)
class Picture:
    """Everything that the pictures of an environment may show, with its words.

    Attributes:
        mover_word: what a mover is called, such as "worker".
        site_word: what a site is called, such as "task".
        mover_marks: states of movers; the last is drawn on top.
        site_marks: states of sites.
        link_marks: states of links.
        sites_heading: of the sites in legends; the word in the plural if empty.
        group_word: what a group is called; empty where sites belong to none.
        figures: name and width in pixels of each figure of the panel.
        sizes: in the legend, what the share of the largest disc's area stands for.
        usual_marks: movers and sites together that are drawn in their usual size; fewer are drawn larger.
        time: what the clock shows.
        trails: whether the way that a mover came is shown, rather than that which it has ahead.
    """

    mover_word: str
    site_word: str
    mover_marks: tuple[Mark, ...]
    site_marks: tuple[Mark, ...]
    link_marks: tuple[Mark, ...] = ()
    sites_heading: str = ""
    group_word: str = ""
    figures: tuple[tuple[str, float], ...] = ()
    sizes: Mapping[str, float] = field(default_factory=dict)
    usual_marks: int = 250
    time: Literal["seconds", "cycles"] = "seconds"
    trails: bool = False


def _no_links() -> Ints:
    return np.zeros((0, 2), np.int64)


def _no_states() -> States:
    return np.zeros(0, np.uint8)


@dataclass(frozen=True)
class Moment:
    """One moment of an environment on roads. N movers, S sites, E links; states are numbers of marks.

    Attributes:
        time_s: when.
        figures: as the panel shows them, without the time, in the order of `Picture.figures`.
        mover_state: shape [N].
        mover_x_m: projected coordinates. Shape [N].
        mover_y_m: likewise.
        mover_goal: the node where the way of each ends. Shape [N].
        mover_site: the site that each drives to or is at, or `NO_SITE`. Shape [N].
        site_state: `HIDDEN` where a site is not shown. Shape [S].
        site_size: the share of the largest disc's area. Shape [S].
        site_x_m: projected coordinates; NaN of a site that never is. Shape [S].
        site_y_m: likewise.
        site_seen: 1 for clearly, 0 for not at all: sites that have ended fade out. Shape [S].
        links: pairs of sites, the first before the second. Shape [E, 2].
        link_state: shape [E].
        link_is_critical: which links are on the critical path of their group. Shape [E].
        site_group: the group of each site that has an outline now, else -1. Shape [S].
    """

    time_s: float
    figures: tuple[str, ...]
    mover_state: States
    mover_x_m: Floats
    mover_y_m: Floats
    mover_goal: Ints
    mover_site: Ints
    site_state: States
    site_size: Floats
    site_x_m: Floats
    site_y_m: Floats
    site_seen: Floats
    links: Ints = field(default_factory=_no_links)
    link_state: States = field(default_factory=_no_states)
    link_is_critical: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    site_group: Ints | None = None


@dataclass(frozen=True)
class Words:
    """A state in words, and where movers of it are; see `Mark`."""

    name: str
    meaning: str
    place: Place = "free"


def marks_of(words: Mapping[Any, Words], looks: Mapping[Any, Look]) -> tuple[Mark, ...]:
    """The marks of all states, in the order of their looks."""
    return tuple(
        Mark(words[state].name, words[state].meaning, look, words[state].place) for state, look in looks.items()
    )


def states_of(chosen: Mapping[Any, NDArray[np.bool_]]) -> States:
    """The number of the state of each; `HIDDEN` for what is in none of them. Shape [n].

    Args:
        chosen: in the order of the marks, which are in the state. Shape [n] each.
    """
    found = np.full(len(next(iter(chosen.values()))), HIDDEN, np.uint8)
    for number, flags in enumerate(chosen.values()):
        found[flags] = number
    return found


def mover_states(status: NDArray[Any], looks: Mapping[Any, Look]) -> States:
    """The number of each mover's mark. Shape [N].

    Args:
        status: of each mover. Shape [N].
        looks: by status, in the order of the marks.
    """
    return states_of({state: status == state for state in looks})


def seen_after(time_s: float, end_s: Floats) -> Floats:
    """How clearly sites are seen: fully before their end (NaN if there is none), then less and less. Shape as given."""
    age_s = np.where(np.isnan(end_s), 0.0, time_s - end_s)
    return np.clip(1.0 - age_s / FADES_S, 0.0, 1.0)
