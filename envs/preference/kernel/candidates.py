"""What each idle worker may be offered: the nearest open tasks that it can reach in time and has not declined.

For each task there is a distance below which a worker is near enough to it, 0 where the task is not open; as long as a
task is open it only falls. A worker that has become idle searches all open tasks once, and keeps those that it can
reach, sorted. From then on it drops those that it no longer can, and looks at those that have opened since. The search
compares a row of distances with the bounds by blocks, with vector instructions: few blocks hold a task in reach. A
worker that can reach more tasks than it can keep searches at every epoch.
"""

import numpy as np

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.road_graph import travel_time_s
from crowdgym.envs.preference.kernel.dynamics import IDLE, OPEN, Rules
from crowdgym.envs.preference.kernel.state import UNLISTED, PreferenceState, Wholes

_BLOCK = 32  # tasks compared at once
_FURTHEST = 65_534  # units: the largest distance that a table holds


@kernel
def list_candidates(state: PreferenceState, rules: Rules, unit_m: float, b: int, now_s: float) -> None:
    """Write the masks and candidates of copy ``b``, and how many workers can reach each open task."""
    first, last, opened = _bound_tasks(state, rules, unit_m, b, now_s)
    near = state.near_tasks
    for w in range(state.workers.status.shape[1]):
        if state.workers.status[b, w] != IDLE:
            near.kept[b, w] = UNLISTED
            _offer_nothing(state, b, w, 0)
        elif near.kept[b, w] == UNLISTED or not _bring_up_to_date(state, b, w, opened):
            _search(state, b, w, first, last)


@kernel
def _bound_tasks(state: PreferenceState, rules: Rules, unit_m: float, b: int, now_s: float) -> tuple[int, int, int]:
    """Write the bound of every task, and list those that have opened since this was called last.

    Returns:
        The first of the open tasks, one past the last, and how many have opened.
    """
    tasks, near = state.tasks, state.near_tasks
    bound = near.bound_units[b]
    first, last, opened = len(bound), 0, 0
    for i in range(len(bound)):
        was_open, bound[i] = bound[i] > 0, 0
        if tasks.status[b, i] == OPEN:
            tasks.rivals[b, i] = 0
            bound[i] = _furthest_units(rules, unit_m, tasks.expiry_s[b, i], now_s) + 1
            first, last = min(first, i), i + 1
            if not was_open and bound[i] > 0:
                near.opened[b, opened] = i
                opened += 1
    return first, last, opened


@inlined
def _furthest_units(rules: Rules, unit_m: float, expiry_s: float, now_s: float) -> int:
    """The largest distance that passes both tests of reach, or -1, by bisection: both fail from some distance on."""
    passes, fails = -1, _FURTHEST + 1
    while fails - passes > 1:
        units = (passes + fails) // 2
        in_time = now_s + travel_time_s(units, unit_m, rules.speed_mps) <= expiry_s
        if in_time and units * unit_m <= rules.range_m:
            passes = units
        else:
            fails = units
    return passes


@inlined
def _search(state: PreferenceState, b: int, w: int, first: int, last: int) -> None:
    """Find all tasks of a span that an idle worker can reach, and offer it the nearest."""
    near, keys, dead = state.near_tasks, state.near_tasks.keys[b, w], state.pairs.dead[b, w]
    bound, units = near.bound_units[b], state.pairs.to_tasks[b, state.pairs.position[state.workers.node[b, w]]]
    found = 0
    for start in range(first, last, _BLOCK):
        end = min(start + _BLOCK, last)
        hits = 0
        for i in range(start, end):  # becomes vector instructions
            hits += units[np.uintp(i)] < bound[np.uintp(i)]
        if hits == 0:
            continue
        for i in range(start, end):
            if units[np.uintp(i)] < bound[np.uintp(i)] and dead[np.uintp(i)] == 0:
                state.tasks.rivals[b, i] += 1
                _insert(keys, found, (int(units[np.uintp(i)]) << 32) | i)
                found += 1
    _offer(state, b, w, min(found, len(keys)))
    near.kept[b, w] = found if found <= len(keys) else UNLISTED


@inlined
def _bring_up_to_date(state: PreferenceState, b: int, w: int, opened: int) -> bool:
    """Drop the tasks that an idle worker can no longer reach, add those that have opened, and offer it the nearest.

    Returns:
        Whether there was room for all of them. If not, nothing was offered, and the worker has to search.
    """
    near, keys = state.near_tasks, state.near_tasks.keys[b, w]
    bound, units = near.bound_units[b], state.pairs.to_tasks[b, state.pairs.position[state.workers.node[b, w]]]
    kept = 0
    for j in range(near.kept[b, w]):
        if keys[j] >> 32 < bound[keys[j] & 0xFFFFFFFF]:
            keys[kept] = keys[j]
            kept += 1
    for j in range(opened):
        i = np.uintp(near.opened[b, j])
        if units[i] < bound[i]:
            if kept == len(keys):
                return False
            _insert(keys, kept, (int(units[i]) << 32) | int(i))
            kept += 1
    for j in range(kept):
        state.tasks.rivals[b, keys[j] & 0xFFFFFFFF] += 1
    _offer(state, b, w, kept)
    near.kept[b, w] = kept
    return True


@inlined
def _insert(keys: Wholes, count: int, key: int) -> None:
    """Put a key in its place among ``count`` sorted ones, of which the smallest are kept."""
    slot = count
    if count >= len(keys):
        slot = len(keys) - 1
        if key > keys[slot]:
            return
    while slot > 0 and keys[slot - 1] > key:
        keys[slot] = keys[slot - 1]
        slot -= 1
    keys[slot] = key


@inlined
def _offer(state: PreferenceState, b: int, w: int, kept: int) -> None:
    """Let worker ``w`` be offered as many of the tasks that it keeps as there is room for."""
    keys, candidates, mask = state.near_tasks.keys[b, w], state.output.candidates[b, w], state.output.mask[b, w]
    offered = min(kept, len(candidates))
    for slot in range(offered):
        candidates[slot] = keys[slot] & 0xFFFFFFFF
        mask[slot + 1] = 1
    _offer_nothing(state, b, w, offered)


@inlined
def _offer_nothing(state: PreferenceState, b: int, w: int, behind: int) -> None:
    """Offer worker ``w`` nothing from the slot ``behind`` on."""
    candidates, mask = state.output.candidates[b, w], state.output.mask[b, w]
    mask[0] = 1
    for slot in range(behind, len(candidates)):
        if candidates[slot] < 0:
            return  # and so are all behind it
        candidates[slot] = -1
        mask[slot + 1] = 0
