"""The drawn episodes get into the tight corners of the rules: an invariant never put to the test says nothing."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import Phase, find, settings
from hypothesis.errors import NoSuchExample
from invariants.csc_ledger import Book, Claim
from invariants.csc_playing import begin, is_over, legal
from invariants.search_effort import ordinary
from invariants.world_strategies import Episode, episodes
from reference.csc_instance import ReferenceTask

from crowdgym.envs.csc.kernel.state import TaskStatus


class Ended(NamedTuple):
    """A task at the end of an episode, those that took it, and those of them that were at work when it ended."""

    task: ReferenceTask
    finished: bool
    expired: bool
    end_s: float
    paid: float
    takers: list[Claim]
    crew: list[Claim]


def played(episode: Episode) -> Book:
    """The book at the end of the episode."""
    book = Book(episode.world, begin(episode.world))
    while not is_over(book.simulation):
        book.play(legal(book.simulation, episode.wishes(int(book.simulation.epochs[0])))[0].tolist())
    return book


def ends(episode: Episode) -> list[Ended]:
    book, now = played(episode), TaskStatus
    return [
        Ended(
            task,
            book.now.task_status[i] == now.FINISHED,
            book.now.task_status[i] == now.EXPIRED,
            float(book.now.end_s[i]),
            float(book.now.paid[i]),
            book.takers.get(i, []),
            book.crew(i),
        )
        for i, task in enumerate(episode.world.tasks)
    ]


def comes(claim: Claim, time_s: float) -> bool:
    return claim.arrive_s == time_s


Corner = Callable[[Episode, Ended], bool]

CORNERS: dict[str, Corner] = {
    "three share a task": lambda e, t: t.finished and len(t.crew) == 3,
    "two arrive together": lambda e, t: len(t.crew) > 1 and comes(t.crew[0], t.crew[1].arrive_s),
    "one joins another at work": lambda e, t: t.finished and len({c.arrive_s for c in t.crew}) > 1,
    "one arrives as the task finishes": lambda e, t: (
        t.finished and any(c not in t.crew and comes(c, t.end_s) for c in t.takers)
    ),
    "one arrives at the deadline": lambda e, t: t.expired and any(comes(c, t.task.deadline_s) for c in t.takers),
    "one is under way when the task finishes": lambda e, t: t.finished and any(c.arrive_s > t.end_s for c in t.takers),
    "one is under way at the deadline": lambda e, t: t.expired and any(c.arrive_s > t.end_s for c in t.takers),
    "a task expires while being worked at": lambda e, t: t.expired and bool(t.crew),
    "work that does not move the clock": lambda e, t: t.finished and comes(t.crew[-1], t.end_s),
    "a task finishes at an epoch": lambda e, t: t.finished and t.end_s > 0 and t.end_s % e.world.step_s == 0,
    "a task is paid in part": lambda e, t: 0 < t.paid < t.task.max_payment,
    "a task is finished for nothing": lambda e, t: t.finished and t.paid == 0 < t.task.max_payment,
    "a trip of no length": lambda e, t: t.finished and comes(t.crew[0], t.crew[0].depart_s),
    "a trip of no time": lambda e, t: any(
        comes(c, c.depart_s) and c.depart_s > 0 and c.origin != t.task.node for c in t.takers
    ),
    "a horizon within the first step": lambda e, t: bool(t.takers) and e.world.horizon_s < e.world.step_s,
    "one candidate of several tasks": lambda e, t: bool(t.takers) and e.world.max_candidates == 1 < len(e.world.tasks),
    "a range of nothing": lambda e, t: bool(t.takers) and e.world.range_m == 0,
    "a one-way road": lambda e, t: (
        bool(t.takers) and len({frozenset(a[:2]) for a in e.world.arcs}) * 2 > len(e.world.arcs)
    ),
}


@pytest.mark.slow  # a corner that 3,000 drawn episodes happen to miss is no fault of the kernel
def test_the_drawn_episodes_get_into_every_corner() -> None:
    missing = dict(CORNERS)

    def was_the_last(episode: Episode) -> bool:
        tasks = ends(episode)
        for name in [name for name, corner in missing.items() if any(corner(episode, task) for task in tasks)]:
            del missing[name]
        return not missing

    try:
        find(episodes(), was_the_last, settings=settings(ordinary(examples=3_000), phases=[Phase.generate]))
    except NoSuchExample:
        pytest.fail(f"no episode out of 3,000 has: {', '.join(missing)}")
