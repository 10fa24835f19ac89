"""The kernel of `preference_v0`: offers, answers, and what happens between two epochs.

``docs/preference_dynamics.md`` is the specification. Offers and answers fall on epochs. All else (arrivals, ends of
services and pauses, creations, expiries) has a time that is known from then on, so an interval is played by comparing
these times with its end.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.road_graph import RoadArrays, travel_time_s
from crowdgym.envs.preference.kernel.state import UNLISTED, PreferenceState, begin_step, units_to_task

# The statuses as plain numbers, which is what a kernel can read (state.py names them).
IDLE, DRIVING, SERVING, PAUSED = 0, 1, 2, 3
PENDING, OPEN, ACCEPTED, CLOSED, EXPIRED = 0, 1, 2, 3, 4
NO_OFFER, WAS_ACCEPTED, WAS_DECLINED, WAS_CONTESTED = 0, 1, 2, 3


class Rules(NamedTuple):
    """The constants of an environment."""

    speed_mps: float
    range_m: float
    service_s: float
    decline_cooldown_s: float
    max_offers: int


@kernel
def start_episode(state: PreferenceState, roads: RoadArrays, b: int) -> None:
    """Put copy ``b`` at time 0.

    Constants of workers and tasks, ``workers.node``, ``pairs.to_tasks`` and ``pairs.willing`` have been filled in
    before.
    """
    workers, tasks = state.workers, state.tasks
    for i in range(tasks.status.shape[1]):
        tasks.status[b, i] = OPEN if tasks.created_s[b, i] <= 0.0 else PENDING
        tasks.declines[b, i] = tasks.rivals[b, i] = 0
        tasks.worker[b, i] = tasks.asker[b, i] = -1
        tasks.end_s[b, i] = np.nan
        tasks.preference[b, i] = 0.0
        tasks.x_m[b, i], tasks.y_m[b, i] = roads.x_m[tasks.node[b, i]], roads.y_m[tasks.node[b, i]]
    for w in range(workers.status.shape[1]):
        workers.status[b, w] = IDLE
        workers.task[b, w] = -1
        workers.depart_s[b, w] = workers.arrive_s[b, w] = np.nan
        workers.free_s[b, w] = 0.0
        workers.leg_units[b, w] = workers.trail_units[b, w] = 0
        workers.trail_arc[b, w] = -1
        workers.goal[b, w] = workers.trail_node[b, w] = workers.node[b, w]
        workers.driven_units[b, w] = 0
        workers.accepted[b, w, :] = workers.declined[b, w, :] = 0
        workers.contested[b, w] = workers.illegal[b, w] = 0
    state.pairs.dead[b, :, :] = 0
    begin_step(state.output, b)
    state.near_tasks.kept[b, :] = UNLISTED
    state.near_tasks.bound_units[b, :] = 0
    state.output.candidates[b, :, :] = -1
    state.output.mask[b, :, 1:] = 0
    state.unseen[b] = 1


@kernel
def take_actions(
    state: PreferenceState, roads: RoadArrays, rules: Rules, b: int, actions: NDArray[np.int64], now_s: float
) -> None:
    """Apply the joint action of copy ``b`` at an epoch. ``actions``: shape [W], 0 offers nothing."""
    workers, tasks, output = state.workers, state.tasks, state.output
    begin_step(output, b)
    for w in range(len(actions)):
        if actions[w] > 0:
            _ask(state, b, w, actions[w])
    for w in range(len(actions)):
        if output.outcome[b, w] != WAS_CONTESTED:
            continue
        task = output.candidates[b, w, actions[w] - 1]
        if tasks.asker[b, task] != w:
            workers.contested[b, w] += 1
        elif state.pairs.willing[b, w, task] == 1:
            _accept(state, roads, rules, b, w, task, now_s)
        else:
            _decline(state, rules, b, w, task, now_s)
    for w in range(len(actions)):
        if output.outcome[b, w] != NO_OFFER:
            tasks.asker[b, output.candidates[b, w, actions[w] - 1]] = -1


@inlined
def _ask(state: PreferenceState, b: int, w: int, action: int) -> None:
    """Let worker ``w`` ask for a candidate; it counts as contested until its offer is answered."""
    workers, tasks, output = state.workers, state.tasks, state.output
    if output.mask[b, w, action] == 0:
        workers.illegal[b, w] += 1
        return
    task = output.candidates[b, w, action - 1]
    output.outcome[b, w] = WAS_CONTESTED
    rival = tasks.asker[b, task]  # of a smaller number: it keeps the task if it is as near
    pairs, node = state.pairs, workers.node[b]
    if rival < 0 or units_to_task(pairs, b, node[w], task) < units_to_task(pairs, b, node[rival], task):
        tasks.asker[b, task] = w


@inlined
def _accept(state: PreferenceState, roads: RoadArrays, rules: Rules, b: int, w: int, task: int, now_s: float) -> None:
    """Worker ``w`` accepts a task and sets out for it."""
    workers, tasks, output = state.workers, state.tasks, state.output
    units = units_to_task(state.pairs, b, workers.node[b, w], task)
    category = tasks.category[b, task]
    workers.status[b, w] = DRIVING
    workers.task[b, w] = task
    workers.depart_s[b, w] = now_s
    workers.arrive_s[b, w] = now_s + travel_time_s(units, roads.unit_m, rules.speed_mps)
    workers.free_s[b, w] = workers.arrive_s[b, w] + rules.service_s
    workers.leg_units[b, w] = units
    workers.goal[b, w] = tasks.node[b, task]
    workers.trail_node[b, w] = workers.node[b, w]
    workers.trail_units[b, w] = 0
    workers.trail_arc[b, w] = -1
    workers.accepted[b, w, category] += 1
    state.near_tasks.kept[b, w] = UNLISTED
    tasks.status[b, task] = ACCEPTED
    tasks.worker[b, task] = w
    tasks.end_s[b, task] = now_s
    tasks.preference[b, task] = workers.preference[b, w, category]
    output.outcome[b, w] = WAS_ACCEPTED
    output.preference[b, w] = workers.preference[b, w, category]


@inlined
def _decline(state: PreferenceState, rules: Rules, b: int, w: int, task: int, now_s: float) -> None:
    """Worker ``w`` declines a task, which is closed if that was its last offer."""
    workers, tasks = state.workers, state.tasks
    workers.status[b, w] = PAUSED
    workers.free_s[b, w] = now_s + rules.decline_cooldown_s
    workers.declined[b, w, tasks.category[b, task]] += 1
    state.near_tasks.kept[b, w] = UNLISTED
    state.pairs.dead[b, w, task] = 1
    tasks.declines[b, task] += 1
    if tasks.declines[b, task] >= rules.max_offers:
        tasks.status[b, task] = CLOSED
        tasks.end_s[b, task] = now_s
    state.output.outcome[b, w] = WAS_DECLINED


@kernel
def play(state: PreferenceState, b: int, until_s: float) -> None:
    """Play copy ``b`` forward through everything up to and including ``until_s``."""
    workers, tasks = state.workers, state.tasks
    for i in range(tasks.status.shape[1]):
        if tasks.status[b, i] == PENDING and tasks.created_s[b, i] <= until_s:
            tasks.status[b, i] = OPEN
        if tasks.status[b, i] == OPEN and tasks.expiry_s[b, i] <= until_s:
            tasks.status[b, i] = EXPIRED
            tasks.end_s[b, i] = tasks.expiry_s[b, i]
    for w in range(workers.status.shape[1]):
        if workers.status[b, w] == DRIVING and workers.arrive_s[b, w] <= until_s:
            workers.status[b, w] = SERVING
            workers.node[b, w] = workers.goal[b, w]
            workers.driven_units[b, w] += workers.leg_units[b, w]
            workers.leg_units[b, w] = 0
        if workers.status[b, w] in (SERVING, PAUSED) and workers.free_s[b, w] <= until_s:
            workers.status[b, w] = IDLE
            workers.task[b, w] = -1
