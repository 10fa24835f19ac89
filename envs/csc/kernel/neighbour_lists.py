"""Who is near whom, kept from epoch to epoch: only what has changed is worked out anew.

Most workers stand still from one epoch to the next, and few tasks open or end. So a list of neighbours is kept, and

- the nearest tasks of a worker that stands still are searched for again only if one of them has ended; a task that has
  opened is offered to the list as it is;
- the nearest idle workers likewise, with who has left and who has come;
- the nearest workers are searched for again only if the worker, or one of them, has moved, or another one has moved to
  where it may be one of them;
- all lists of a worker that moves are searched for no further than the furthest of the old ones is now.

Ties go by id everywhere, so whichever way a list came about, it is the same list.
"""

from typing import NamedTuple

import numpy as np

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.neighbours import (
    NO_NEIGHBOUR,
    Grid,
    fill_grid,
    grid_of,
    nearest,
    offer,
)
from crowdgym.envs.csc.instance import NUM_SKILLS
from crowdgym.envs.csc.kernel.dynamics import IDLE
from crowdgym.envs.csc.kernel.state import NEIGHBOURS, Bytes, CscState, Floats, Ints

_FIRST_GUESS_M2 = 500.0**2  # where nothing is known of how far the neighbours are
_LEAST_GUESS_M2 = 100.0**2
_WIDER = 2.0  # as the furthest neighbour may have gone away, or another one come between
_MOST_CHECKED = 256  # where more have moved, to search the window around a worker takes less than to check them all


class Changes(NamedTuple):
    """What has changed since the epoch before."""

    unseen: bool  # there was none: everything
    moved: int  # workers that are elsewhere
    became_idle: int  # workers


class View(NamedTuple):
    """What one kind of list of one copy is made of; the members are workers, or tasks."""

    unseen: bool
    own_x_m: Floats  # [W] where the workers are who have the lists
    own_y_m: Floats  # [W]
    own_moved: Bytes  # [W]
    grid: Grid  # who may be a member now
    x_m: Floats  # [M] where the members are
    y_m: Floats  # [M]
    found: Ints  # [W, NEIGHBOURS]
    squared: Floats  # [W, NEIGHBOURS]


@kernel
def notice_changes(state: CscState, b: int) -> Changes:
    """Find out what has changed in copy ``b`` since this was called last, and bring the grids up to date.

    `notice_tasks` of candidates.py has been called for this epoch.
    """
    workers, tasks, near = state.workers, state.tasks, state.neighbour_lists
    unseen = near.unseen[b] == 1
    moved, became_idle, left_idle, idle = 0, 0, 0, 0
    for w in range(workers.status.shape[1]):
        has_moved = unseen or near.moved[b, w] == 1
        was_idle = not unseen and near.was_idle[b, w] == 1
        is_idle = workers.status[b, w] == IDLE
        if has_moved:
            near.mover_x_m[b, moved], near.mover_y_m[b, moved] = workers.x_m[b, w], workers.y_m[b, w]
            moved += 1
        near.left_idle[b, w] = was_idle and (has_moved or not is_idle)
        left_idle += near.left_idle[b, w]
        if is_idle and (has_moved or not was_idle):
            near.became_idle[b, became_idle] = w
            became_idle += 1
        near.was_idle[b, w] = is_idle
        near.idle_workers[b, idle] = w
        idle += is_idle
    x_m, y_m = workers.x_m[b], workers.y_m[b]
    if moved > 0:
        fill_grid(near.everyone, b, near.all_workers[b], len(x_m), x_m, y_m)
    if unseen or became_idle + left_idle > 0:
        fill_grid(near.idle, b, near.idle_workers[b], idle, x_m, y_m)
    if unseen or near.num_opened[b] + near.num_ended[b] > 0:
        open_ids, count = state.choices.open_ids[b], state.choices.open_ends[b, NUM_SKILLS - 1]
        fill_grid(near.open_tasks, b, open_ids, count, tasks.x_m[b], tasks.y_m[b])
    near.unseen[b] = 0
    return Changes(unseen, moved, became_idle)


@inlined
def _full(view: View, w: int) -> bool:
    """Whether worker ``w`` has a list, and as many members in it as there is room for."""
    return not view.unseen and view.found[np.uintp(w), np.uintp(NEIGHBOURS - 1)] != NO_NEIGHBOUR


@inlined
def _furthest(view: View, w: int) -> float:
    """The squared distance at which the furthest member of the full list of worker ``w`` is now."""
    x, y = view.own_x_m[np.uintp(w)], view.own_y_m[np.uintp(w)]
    furthest = 0.0
    for j in range(NEIGHBOURS):
        member = np.uintp(view.found[np.uintp(w), np.uintp(j)])
        dx, dy = view.x_m[member] - x, view.y_m[member] - y
        furthest = max(furthest, dx * dx + dy * dy)
    return furthest


@inlined
def _search(view: View, w: int, exclude: int, members_stay: bool) -> int:
    """Make the list of worker ``w`` anew.

    Args:
        view: of the list.
        w: the worker.
        exclude: itself, where workers are searched for.
        members_stay: whether all members of the list are still in the grid; then no further one enters the list.

    Returns:
        How many are as near as the furthest old member, if the old members stay and the list was full.
    """
    guess = _FIRST_GUESS_M2
    if _full(view, w):
        guess = max(_LEAST_GUESS_M2, _WIDER * view.squared[np.uintp(w), np.uintp(NEIGHBOURS - 1)])
        if members_stay:
            guess = min(guess, _furthest(view, w))
    x, y = view.own_x_m[np.uintp(w)], view.own_y_m[np.uintp(w)]
    return nearest(view.grid, x, y, exclude, guess, view.found[np.uintp(w)], view.squared[np.uintp(w)])


@inlined
def _offer_all(view: View, w: int, newcomers: Ints, count: int, exclude: int) -> bool:
    """Offer the list of worker ``w`` who has come; says whether it changed."""
    x, y = view.own_x_m[np.uintp(w)], view.own_y_m[np.uintp(w)]
    found, squared = view.found[np.uintp(w)], view.squared[np.uintp(w)]
    changed = False
    for j in range(count):
        newcomer = newcomers[np.uintp(j)]
        if newcomer != exclude:
            dx, dy = view.x_m[np.uintp(newcomer)] - x, view.y_m[np.uintp(newcomer)] - y
            changed |= offer(found, squared, newcomer, dx * dx + dy * dy)
    return changed


@inlined
def _any_flagged(view: View, w: int, flags: Bytes) -> bool:
    """Whether any member of the list of worker ``w`` is flagged; an unseen or empty list has none."""
    if view.unseen:
        return False
    for j in range(NEIGHBOURS):
        member = view.found[np.uintp(w), np.uintp(j)]
        if member == NO_NEIGHBOUR:
            return False
        if flags[np.uintp(member)] == 1:
            return True
    return False


@inlined
def near_tasks_of(state: CscState, b: int, changes: Changes) -> View:
    """The lists of the nearest open tasks in copy ``b``."""
    workers, tasks, near = state.workers, state.tasks, state.neighbour_lists
    return View(
        changes.unseen,
        workers.x_m[b],
        workers.y_m[b],
        near.moved[b],
        grid_of(near.open_tasks, b),
        tasks.x_m[b],
        tasks.y_m[b],
        near.near_tasks[b],
        near.near_tasks_m2[b],
    )


@inlined
def near_workers_of(state: CscState, b: int, changes: Changes) -> View:
    """The lists of the nearest workers in copy ``b``."""
    workers, near = state.workers, state.neighbour_lists
    return View(
        changes.unseen,
        workers.x_m[b],
        workers.y_m[b],
        near.moved[b],
        grid_of(near.everyone, b),
        workers.x_m[b],
        workers.y_m[b],
        near.near_workers[b],
        near.near_workers_m2[b],
    )


@inlined
def near_idle_of(state: CscState, b: int, changes: Changes) -> View:
    """The lists of the nearest idle workers in copy ``b``."""
    workers, near = state.workers, state.neighbour_lists
    return View(
        changes.unseen,
        workers.x_m[b],
        workers.y_m[b],
        near.moved[b],
        grid_of(near.idle, b),
        workers.x_m[b],
        workers.y_m[b],
        near.near_idle[b],
        near.near_idle_m2[b],
    )


@inlined
def update_near_tasks(view: View, w: int, ended: Bytes, opened: Ints, count: int) -> bool:
    """Bring the open tasks nearest to worker ``w`` up to date; says whether they, or their places from it, changed."""
    one_ended = _any_flagged(view, w, ended)
    if view.unseen or one_ended or view.own_moved[np.uintp(w)] == 1:
        _search(view, w, -1, not one_ended)
        return True
    return _offer_all(view, w, opened, count, -1)


@inlined
def update_near_workers(view: View, w: int, mover_x_m: Floats, mover_y_m: Floats, count: int) -> bool:
    """The same of the workers nearest to worker ``w``, where ``count`` workers have moved, to these places."""
    all_stood_still = view.own_moved[np.uintp(w)] == 0 and _full(view, w) and not _any_flagged(view, w, view.own_moved)
    if all_stood_still and count <= _MOST_CHECKED and not _any_came_near(view, w, mover_x_m, mover_y_m, count):
        return False
    return _search(view, w, w, True) != NEIGHBOURS or not all_stood_still


@inlined
def _any_came_near(view: View, w: int, mover_x_m: Floats, mover_y_m: Floats, count: int) -> bool:
    """Whether any of those that moved is as near as the furthest member of the full list of worker ``w``."""
    x, y, bound = (
        view.own_x_m[np.uintp(w)],
        view.own_y_m[np.uintp(w)],
        view.squared[np.uintp(w), np.uintp(NEIGHBOURS - 1)],
    )
    near = 0
    for j in range(count):  # becomes vector instructions
        dx, dy = mover_x_m[np.uintp(j)] - x, mover_y_m[np.uintp(j)] - y
        near += dx * dx + dy * dy <= bound
    return near > 0


@inlined
def update_near_idle(view: View, w: int, left: Bytes, came: Ints, count: int) -> bool:
    """The same of the idle workers nearest to worker ``w``."""
    one_left = _any_flagged(view, w, left)
    if view.unseen or one_left or view.own_moved[np.uintp(w)] == 1:
        _search(view, w, w, not one_left)
        return True
    return _offer_all(view, w, came, count, w)
