"""What an idle worker may take: the nearest open tasks of its skills within range, kept from epoch to epoch.

A worker that has become idle searches the open tasks once, skill by skill, and keeps some more than it is offered.
From then on it is told which tasks have opened or ended, and searches again only when too few are left and there may be
others. Keys are distance and id in one number, so whichever way a list came about, it is the same list.
"""

from typing import NamedTuple

import numpy as np

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.csc.instance import NUM_SKILLS
from crowdgym.envs.csc.kernel.dynamics import IDLE, OPEN
from crowdgym.envs.csc.kernel.state import UNBOUNDED, CscState, Keys, Rules, units_to_task

_FARTHEST = 65_535.0  # units, in 16 bits


class Found(NamedTuple):
    """How far a list of candidates is."""

    kept: int
    bound: int  # as in `Choices`
    limit: int  # no task with this key or a greater one is kept


@kernel
def notice_tasks(state: CscState, b: int) -> None:
    """Find out which tasks of copy ``b`` have opened and ended since this was called last, and group those open now."""
    tasks, near = state.tasks, state.neighbour_lists
    opened, ended = 0, 0
    for i in range(tasks.status.shape[1]):
        was_open = near.was_open[b, i] == 1
        is_open = tasks.status[b, i] == OPEN
        if is_open and not was_open:
            near.opened[b, opened] = i
            opened += 1
        near.ended[b, i] = was_open and not is_open
        ended += near.ended[b, i]
        near.was_open[b, i] = is_open
    near.num_opened[b], near.num_ended[b] = opened, ended
    if opened + ended > 0:
        _group_by_skill(state, b)


@kernel
def _group_by_skill(state: CscState, b: int) -> None:
    """List the open tasks of copy ``b`` by (skill, id)."""
    skill, is_open, choices = state.tasks.skill[b], state.neighbour_lists.was_open[b], state.choices
    count = 0
    for k in range(NUM_SKILLS):
        for i in range(len(skill)):
            if is_open[i] == 1 and skill[i] == k:
                choices.open_ids[b, count] = i
                count += 1
        choices.open_ends[b, k] = count


@kernel
def list_candidates(state: CscState, rules: Rules, unit_m: float, b: int) -> None:
    """Write the masks and candidates of copy ``b``: for each idle worker its nearest open tasks.

    `notice_tasks` has been called for this epoch.
    """
    workers, near, choices = state.workers, state.neighbour_lists, state.choices
    stirred = near.num_opened[b] + near.num_ended[b] > 0
    out_of_range = _key(_units_in_range(rules.range_m, unit_m) + 1, 0)  # no key of a task in range is as large
    for w in range(workers.status.shape[1]):
        if workers.status[b, w] != IDLE:
            _offer_nothing(state, b, w, 0)
        elif choices.kept[b, w] < 0:
            _search(state, out_of_range, b, w)
            _offer_kept(state, b, w)
        elif stirred and _bring_up_to_date(state, out_of_range, b, w):
            _offer_kept(state, b, w)


@kernel
def _search(state: CscState, out_of_range: int, b: int, w: int) -> None:
    """Search all open tasks for those nearest to worker ``w``."""
    choices, distances = state.choices, state.distances
    keys, open_ids = choices.keys[b, w], choices.open_ids[b]
    to_tasks = distances.to_tasks[b, np.uintp(distances.position[state.workers.node[b, w]])]
    skills = state.workers.skill_bits[b, w]
    found = Found(0, UNBOUNDED, out_of_range)
    first = 0
    for k in range(NUM_SKILLS):
        last = choices.open_ends[b, k]
        if (skills >> k) & 1:
            for j in range(first, last):
                task = open_ids[np.uintp(j)]
                key = _key(to_tasks[np.uintp(task)], task)
                if key < found.limit:
                    found = _insert(keys, found, key)
        first = last
    choices.kept[b, w], choices.bound[b, w] = found.kept, found.bound


@kernel
def _bring_up_to_date(state: CscState, out_of_range: int, b: int, w: int) -> bool:
    """Drop from the tasks of worker ``w`` what has ended, and let it consider what has opened; says if any of it is."""
    near, choices = state.neighbour_lists, state.choices
    keys, still_open = choices.keys[b, w], 0
    for j in range(choices.kept[b, w]):
        if near.ended[b, keys[j] & 0xFFFFFFFF] == 0:
            keys[still_open] = keys[j]
            still_open += 1
    changed: bool = still_open < choices.kept[b, w]
    choices.kept[b, w] = still_open
    skills = state.workers.skill_bits[b, w]
    for j in range(near.num_opened[b]):
        task = near.opened[b, j]
        if (skills >> state.tasks.skill[b, task]) & 1:
            changed |= _consider(state, out_of_range, b, w, task)
    if choices.kept[b, w] < state.output.candidates.shape[2] and choices.bound[b, w] < UNBOUNDED:
        _search(state, out_of_range, b, w)
        return True
    return changed


@inlined
def _key(units: int, task: int) -> int:
    """Distance and id of a task in one number."""
    return int((np.int64(units) << 32) | np.int64(task))


@inlined
def _units_in_range(range_m: float, unit_m: float) -> int:
    """The most units that are no more than ``range_m``."""
    units = int(min(range_m / unit_m, _FARTHEST)) + 1
    while units * unit_m > range_m:
        units -= 1
    return units


@inlined
def _consider(state: CscState, out_of_range: int, b: int, w: int, task: int) -> bool:
    """Keep an open task of a skill of worker ``w``, if it is in range and one of the nearest; says whether it is."""
    choices = state.choices
    key = _key(units_to_task(state.distances, b, state.workers.node[b, w], task), task)
    bound = choices.bound[b, w]
    limit = min(bound, out_of_range)
    if key >= limit:
        return False
    found = _insert(choices.keys[b, w], Found(int(choices.kept[b, w]), bound, limit), key)
    choices.kept[b, w], choices.bound[b, w] = found.kept, found.bound
    return True


@inlined
def _insert(keys: Keys, found: Found, key: int) -> Found:
    """Put a key that is under the limit in its place; where there is no more room the last one becomes the bound."""
    kept, bound, limit = found
    slot = min(kept, len(keys) - 1)
    if kept == len(keys):
        bound = limit = max(key, keys[slot])
    if kept < len(keys) or key < keys[slot]:
        while slot > 0 and keys[np.uintp(slot - 1)] > key:
            keys[np.uintp(slot)] = keys[np.uintp(slot - 1)]
            slot -= 1
        keys[np.uintp(slot)] = key
    return Found(min(kept + 1, len(keys)), bound, limit)


@inlined
def _offer_kept(state: CscState, b: int, w: int) -> None:
    """Offer worker ``w`` as many of the tasks it keeps as there is room for."""
    choices, output = state.choices, state.output
    offered = min(choices.kept[b, w], output.candidates.shape[2])
    for slot in range(offered):
        output.candidates[b, w, slot] = choices.keys[b, w, slot] & 0xFFFFFFFF
        output.mask[b, w, slot + 1] = 1
    _offer_nothing(state, b, w, offered)


@inlined
def _offer_nothing(state: CscState, b: int, w: int, behind: int) -> None:
    """Let worker ``w`` hold, and offer it nothing from the slot ``behind`` on."""
    output = state.output
    output.mask[b, w, 0] = 1
    for slot in range(behind, output.candidates.shape[2]):
        if output.candidates[b, w, slot] < 0:
            return  # and so are all behind it
        output.candidates[b, w, slot] = -1
        output.mask[b, w, slot + 1] = 0
