"""What a task pays if no worker joins it any more: P(C) of its coalition C, to the bit as the simulation will play it.

All arrivals of a coalition are known when its members set out, and no worker leaves it before its task ends.
"""

from typing import Final, NamedTuple

import numpy as np

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.payment import payment_at
from crowdgym.envs.csc.kernel.state import Floats, Ints, Rules, Tasks

NO_ARRIVAL: Final = np.inf
NO_WORKER: Final = -1


class Crew(NamedTuple):
    """The coalition of a task: those present at ``since_s``, and those who arrive later, as a list by arrival."""

    first: int  # of those who arrive later
    present: int
    since_s: float
    work_left_s: float  # at ``since_s``


@kernel
def finish_of(
    crew: Crew, arrive_s: Floats, next_worker: Ints, deadline_s: float, without: int, more_s: float, other_s: float
) -> float:
    """When a coalition is done, in the arithmetic of `crowdgym.envs.csc.kernel.dynamics.play`.

    Args:
        crew: the coalition.
        arrive_s: of every worker. Shape [W].
        next_worker: the next of the list, or -1. Shape [W].
        deadline_s: of its task.
        without: a worker that is left out, or `NO_WORKER`.
        more_s: when one worker more arrives, or `NO_ARRIVAL`.
        other_s: likewise for another one.

    Returns:
        Infinite if not before the deadline.
    """
    w, present, at_s, left_s = crew.first, crew.present, crew.since_s, crew.work_left_s
    while True:
        if w >= 0 and w == without:
            w = next_worker[w]
        listed_s = arrive_s[w] if w >= 0 else NO_ARRIVAL
        arrival_s = min(listed_s, more_s, other_s)
        finish_s = at_s + left_s / present if present > 0 else np.inf
        if finish_s < deadline_s and finish_s <= arrival_s:
            return finish_s
        if deadline_s <= arrival_s:
            return np.inf
        if listed_s == arrival_s:
            w = next_worker[w]
        elif more_s == arrival_s:
            more_s = NO_ARRIVAL
        else:
            other_s = NO_ARRIVAL
        if present > 0:
            left_s = max(0.0, left_s - present * (arrival_s - at_s))
        at_s = arrival_s
        present += 1


@inlined
def payment_for(tasks: Tasks, rules: Rules, b: int, task: int, finish_s: float) -> float:
    """What a task pays that is done at ``finish_s``; nothing after the horizon."""
    if finish_s > rules.horizon_s:
        return 0.0
    return payment_at(
        finish_s, tasks.expected_s[b, task], tasks.deadline_s[b, task], tasks.payment[b, task], rules.penalty_per_s
    )


@kernel
def projected_payment(
    tasks: Tasks,
    rules: Rules,
    b: int,
    task: int,
    arrive_s: Floats,
    next_worker: Ints,
    first: int,
    more_s: float,
    other_s: float,
) -> float:
    """P(C) of an open task, those on their way being the list that begins with ``first``.

    ``more_s`` and ``other_s``: arrivals of up to two workers more, as in `finish_of`.
    """
    crew = Crew(int(first), int(tasks.present[b, task]), tasks.since_s[b, task], tasks.work_left_s[b, task])
    done_s = finish_of(crew, arrive_s, next_worker, tasks.deadline_s[b, task], NO_WORKER, more_s, other_s)
    return payment_for(tasks, rules, b, task, done_s)


@kernel
def payment_without(
    tasks: Tasks, rules: Rules, b: int, task: int, arrive_s: Floats, next_worker: Ints, first: int, w: int
) -> float:
    """What a task would have paid without worker ``w``.

    ``first`` begins the list of all who were or would have been at it, by arrival.
    """
    crew = Crew(int(first), 0, 0.0, tasks.workload_s[b, task])
    done_s = finish_of(crew, arrive_s, next_worker, tasks.deadline_s[b, task], int(w), NO_ARRIVAL, NO_ARRIVAL)
    return payment_for(tasks, rules, b, task, done_s)
