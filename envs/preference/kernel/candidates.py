"""What each idle worker may be offered: the nearest open tasks that it can reach in time and has not declined."""

from crowdgym.common.jit import inner, inner_inlined, kernel
from crowdgym.envs.core.road_graph import travel_time_s
from crowdgym.envs.preference.kernel.dynamics import IDLE, OPEN, Rules
from crowdgym.envs.preference.kernel.state import PreferenceState

_FURTHEST = 65_534  # units: the largest distance that a table holds


@kernel
def list_candidates(state: PreferenceState, rules: Rules, unit_m: float, b: int, now_s: float) -> None:
    """Write the masks and candidates of copy ``b``, and how many idle workers are near enough to each open task."""
    count = _list_open_tasks(state, rules, unit_m, b, now_s)
    for w in range(state.workers.status.shape[1]):
        kept = 0
        if state.workers.status[b, w] == IDLE:
            kept = _search(state, b, w, count)
        _offer(state, b, w, kept)


@inner
def _list_open_tasks(state: PreferenceState, rules: Rules, unit_m: float, b: int, now_s: float) -> int:
    """List the open tasks, each with the largest distance from which it is in range and can be reached in time."""
    tasks, search = state.tasks, state.search
    count = 0
    for i in range(tasks.status.shape[1]):
        if tasks.status[b, i] == OPEN:
            tasks.rivals[b, i] = 0
            search.open_ids[b, count] = i
            search.limit_units[b, count] = _limit_units(rules, unit_m, tasks.expiry_s[b, i], now_s)
            count += 1
    return count


@inner_inlined
def _limit_units(rules: Rules, unit_m: float, expiry_s: float, now_s: float) -> int:
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


@inner_inlined
def _search(state: PreferenceState, b: int, w: int, count: int) -> int:
    """Find the candidates of an idle worker among the open tasks; returns how many there are."""
    keys, rivals, dead = state.search.keys[b], state.tasks.rivals[b], state.pairs.dead[b, w]
    open_ids, limits = state.search.open_ids[b], state.search.limit_units[b]
    to_task = state.pairs.to_tasks[b, state.workers.node[b, w]]
    kept = 0
    for j in range(count):
        task = open_ids[j]
        units = int(to_task[task])
        if units > limits[j]:
            continue
        rivals[task] += 1
        if dead[task] == 1:
            continue
        key = (units << 32) | int(task)
        slot = kept
        if kept == len(keys):
            if key > keys[kept - 1]:
                continue
            slot -= 1
        else:
            kept += 1
        while slot > 0 and keys[slot - 1] > key:
            keys[slot] = keys[slot - 1]
            slot -= 1
        keys[slot] = key
    return kept


@inner_inlined
def _offer(state: PreferenceState, b: int, w: int, kept: int) -> None:
    """Write the candidates of worker ``w`` that `_search` kept, and nothing behind them."""
    keys, candidates, mask = state.search.keys[b], state.output.candidates[b, w], state.output.mask[b, w]
    mask[0] = 1
    for slot in range(kept):
        candidates[slot] = keys[slot] & 0xFFFFFFFF
        mask[slot + 1] = 1
    for slot in range(kept, len(candidates)):
        candidates[slot] = -1
        mask[slot + 1] = 0
