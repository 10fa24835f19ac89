"""What an idle worker may take: the nearest open tasks of its skills within range, kept from epoch to epoch.

A worker that has become idle searches the open tasks once, skill by skill, and keeps some more than it is offered.
From then on it is told which tasks have opened or ended, and searches again only when too few are left and there may be
others. Keys are distance and id in one number, so whichever way a list came about, it is the same list.
"""

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.csc.instance import NUM_SKILLS
from crowdgym.envs.csc.kernel.dynamics import IDLE, OPEN
from crowdgym.envs.csc.kernel.state import UNBOUNDED, CscState, Ints, Keys, Rules, units_to_task


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
    for w in range(workers.status.shape[1]):
        if workers.status[b, w] != IDLE:
            _offer_nothing(state, b, w, 0)
        elif choices.kept[b, w] < 0:
            _search(state, rules, unit_m, b, w)
            _offer_kept(state, b, w)
        elif stirred and _bring_up_to_date(state, rules, unit_m, b, w):
            _offer_kept(state, b, w)


@kernel
def _search(state: CscState, rules: Rules, unit_m: float, b: int, w: int) -> None:
    """Search all open tasks for those nearest to worker ``w``."""
    choices = state.choices
    choices.kept[b, w], choices.bound[b, w] = 0, UNBOUNDED
    skills = state.workers.skill_bits[b, w]
    first = 0
    for k in range(NUM_SKILLS):
        if (skills >> k) & 1:
            for j in range(first, choices.open_ends[b, k]):
                _consider(state, rules, unit_m, b, w, choices.open_ids[b, j])
        first = choices.open_ends[b, k]


@kernel
def _bring_up_to_date(state: CscState, rules: Rules, unit_m: float, b: int, w: int) -> bool:
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
            changed |= _consider(state, rules, unit_m, b, w, task)
    if choices.kept[b, w] < state.output.candidates.shape[2] and choices.bound[b, w] < UNBOUNDED:
        _search(state, rules, unit_m, b, w)
        return True
    return changed


@inlined
def _consider(state: CscState, rules: Rules, unit_m: float, b: int, w: int, task: int) -> bool:
    """Keep an open task of a skill of worker ``w``, if it is in range and one of the nearest; says whether it is."""
    choices = state.choices
    units = units_to_task(state.distances, b, state.workers.node[b, w], task)
    key = (units << 32) | int(task)
    if key >= choices.bound[b, w] or units * unit_m > rules.range_m:
        return False
    _insert(choices.keys[b, w], choices.kept[b], choices.bound[b], w, key)
    return True


@inlined
def _insert(keys: Keys, kept: Ints, bound: Keys, w: int, key: int) -> None:
    """Put a key that is under the bound in its place; where there is no more room the last one becomes the bound."""
    slot = kept[w]
    if slot == len(keys):
        slot -= 1
        bound[w] = max(key, keys[slot])
        if key > keys[slot]:
            return
    else:
        kept[w] += 1
    while slot > 0 and keys[slot - 1] > key:
        keys[slot] = keys[slot - 1]
        slot -= 1
    keys[slot] = key


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
