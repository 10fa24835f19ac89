"""Idle workers choose one after the other within an epoch. ``docs/csc_dynamics.md``, "Turns", is the specification.

Choices are kept apart from the state of the world until the epoch is played: the lists of those on their way are
copied, and who has chosen is entered in the copies only.
"""

from typing import Annotated, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.arrays import allocate
from crowdgym.envs.core.neighbours import NO_NEIGHBOUR
from crowdgym.envs.core.road_graph import RoadArrays, travel_time_s
from crowdgym.envs.csc.kernel.dynamics import IDLE
from crowdgym.envs.csc.kernel.features import TASK, TASK_FEATURES
from crowdgym.envs.csc.kernel.observation import CREW_SCALE
from crowdgym.envs.csc.kernel.projection import NO_ARRIVAL, projected_payment
from crowdgym.envs.csc.kernel.state import Bytes, CscState, Floats, Ints, Keys, Rules, units_to_task

NO_CHOOSER: Final = -1
LEAST_GAIN: Final = 1e-9  # as a share of a task's highest payment: a smaller gain is none

_TASK = len(TASK_FEATURES)


class TurnState(NamedTuple):
    """The turns of the present epoch. B copies, W workers, T tasks, K candidates."""

    chooser: Annotated[Ints, "B"]  # whose turn it is, or NO_CHOOSER
    joint: Annotated[Keys, "B, W"]  # the actions so far
    mask: Annotated[Bytes, "B, W, K + 1"]
    gain: Annotated[Floats, "B, W, K"]  # what joining a candidate adds to the payments
    pair_gain: Annotated[Floats, "B, W, K"]  # likewise together with the partner; the gain itself where there is none
    arrival_s: Annotated[Floats, "B, W, K"]  # at each candidate
    waiting: Annotated[Bytes, "B, W"]  # idle, has a candidate and has not chosen yet
    order: Annotated[Ints, "B, W"]  # who waited at first: idle for longest first, then by number
    num_players: Annotated[Ints, "B"]
    first_member: Annotated[Ints, "B, T + 1"]  # where the players that may take a task begin in the next two
    member: Annotated[Ints, "B, places"]  # players, nearest first, task after task
    slot: Annotated[Ints, "B, places"]  # which candidate of theirs the task is
    filled: Annotated[Ints, "B, T"]  # of these two, while they are made
    joined: Annotated[Ints, "B, T"]  # workers that have chosen the task at this epoch
    paid: Annotated[Floats, "B, T"]  # projected payment with those
    first_en_route: Annotated[Ints, "B, T"]  # as in the state of the world, those who have chosen included
    next_worker: Annotated[Ints, "B, W"]  # likewise
    arrive_s: Annotated[Floats, "B, W"]  # likewise


def empty_turns(batch: int, workers: int, tasks: int, candidates: int) -> TurnState:
    """Arrays for ``batch`` copies, nothing in them yet."""
    return allocate(TurnState, {"B": batch, "W": workers, "T": tasks, "K": candidates, "places": workers * candidates})


@kernel
def begin_turns(
    state: CscState, roads: RoadArrays, rules: Rules, turns: TurnState, copies: NDArray[np.int64], now_s: Floats
) -> None:
    """Begin the turns of the present epoch in some copies. ``now_s``: of every copy, shape [B]."""
    for b in copies:
        turns.joint[b, :] = 0
        turns.joined[b, :] = 0
        turns.gain[b, :, :] = 0.0
        turns.pair_gain[b, :, :] = 0.0
        turns.mask[b, :, 0] = 1
        turns.mask[b, :, 1:] = 0
        _copy_lists(state, turns, b)
        _line_up_players(state, turns, b)
        _group_by_task(state, roads, rules, turns, b, now_s[b])
        for task in range(turns.joined.shape[1]):
            if turns.first_member[b, task] < turns.first_member[b, task + 1]:
                turns.paid[b, task] = _payment_with(state, rules, turns, b, task, NO_ARRIVAL, NO_ARRIVAL)
                _update_task(state, rules, turns, b, task)
        _call_next(turns, b)


@kernel
def _copy_lists(state: CscState, turns: TurnState, b: int) -> None:
    """Copy who is on the way to which task, number by number: kernels allocate nothing."""
    for task in range(turns.first_en_route.shape[1]):
        turns.first_en_route[b, task] = state.tasks.first_en_route[b, task]
    for w in range(turns.next_worker.shape[1]):
        turns.next_worker[b, w] = state.workers.next_worker[b, w]
        turns.arrive_s[b, w] = state.workers.arrive_s[b, w]


@kernel
def _line_up_players(state: CscState, turns: TurnState, b: int) -> None:
    """List who is idle and has a candidate, idle for longest first."""
    free_s, order, count = state.workers.free_s[b], turns.order[b], 0
    for w in range(turns.waiting.shape[1]):
        waits = state.workers.status[b, w] == IDLE and state.output.candidates[b, w, 0] >= 0
        turns.waiting[b, w] = waits
        if waits:
            place = count
            while place > 0 and free_s[order[place - 1]] > free_s[w]:
                order[place] = order[place - 1]
                place -= 1
            order[place] = w
            count += 1
    turns.num_players[b] = count


@kernel
def _group_by_task(state: CscState, roads: RoadArrays, rules: Rules, turns: TurnState, b: int, now_s: float) -> None:
    """List the players that may take each task by arrival, ties in the order of players."""
    first, candidates, most = turns.first_member[b], state.output.candidates, turns.gain.shape[2]
    first[:] = 0
    turns.filled[b, :] = 0
    for place in range(turns.num_players[b]):
        w = turns.order[b, place]
        for j in range(most):
            task = candidates[b, w, j]
            if task < 0:
                break
            first[task + 1] += 1
            units = units_to_task(state.distances, b, state.workers.node[b, w], task)
            turns.arrival_s[b, w, j] = now_s + travel_time_s(units, roads.unit_m, rules.speed_mps)
    for task in range(len(first) - 1):
        first[task + 1] += first[task]
    for place in range(turns.num_players[b]):
        w = turns.order[b, place]
        for j in range(most):
            task = candidates[b, w, j]
            if task < 0:
                break
            _insert_member(turns, b, task, w, j)


@kernel
def _insert_member(turns: TurnState, b: int, task: int, w: int, j: int) -> None:
    member, slot = turns.member[b], turns.slot[b]
    begin = turns.first_member[b, task]
    at = begin + turns.filled[b, task]
    while at > begin and turns.arrival_s[b, member[at - 1], slot[at - 1]] > turns.arrival_s[b, w, j]:
        member[at], slot[at] = member[at - 1], slot[at - 1]
        at -= 1
    member[at], slot[at] = w, j
    turns.filled[b, task] += 1


@inlined
def _payment_with(
    state: CscState, rules: Rules, turns: TurnState, b: int, task: int, more_s: float, other_s: float
) -> float:
    """The projected payment of a task, those who have chosen it included, with up to two workers more."""
    first = turns.first_en_route[b, task]
    return projected_payment(
        state.tasks, rules, b, task, turns.arrive_s[b], turns.next_worker[b], first, more_s, other_s
    )


@kernel
def _update_task(state: CscState, rules: Rules, turns: TurnState, b: int, task: int) -> None:
    """Work out anew what joining a task adds, for all who wait and may take it."""
    nearest, second = _nearest_two(turns, b, task)
    paid, least = turns.paid[b, task], LEAST_GAIN * state.tasks.payment[b, task]
    for place in range(turns.first_member[b, task], turns.first_member[b, task + 1]):
        w, j = turns.member[b, place], turns.slot[b, place]
        if turns.waiting[b, w] == 0:
            continue
        own_s = turns.arrival_s[b, w, j]
        alone = _payment_with(state, rules, turns, b, task, own_s, NO_ARRIVAL) - paid
        together = alone
        partner = second if place == nearest else nearest
        if partner >= 0:
            partner_s = turns.arrival_s[b, turns.member[b, partner], turns.slot[b, partner]]
            together = _payment_with(state, rules, turns, b, task, own_s, partner_s) - paid
        turns.gain[b, w, j], turns.pair_gain[b, w, j] = alone, together
        turns.mask[b, w, j + 1] = max(alone, together) > least


@kernel
def _nearest_two(turns: TurnState, b: int, task: int) -> tuple[int, int]:
    """The places in ``member`` of the two nearest who wait and may take a task; -1 for none."""
    nearest = -1
    for place in range(turns.first_member[b, task], turns.first_member[b, task + 1]):
        if turns.waiting[b, turns.member[b, place]] == 1:
            if nearest >= 0:
                return nearest, place
            nearest = place
    return nearest, -1


@kernel
def _call_next(turns: TurnState, b: int) -> None:
    """Call who waits and has the largest gain of a legal join; half of a pair's counts as a gain, too."""
    turns.chooser[b], most = NO_CHOOSER, -np.inf
    for place in range(turns.num_players[b]):
        w = turns.order[b, place]
        if turns.waiting[b, w] == 0:
            continue
        for j in range(turns.gain.shape[2]):
            if turns.mask[b, w, j + 1] == 1:
                gain = max(turns.gain[b, w, j], 0.5 * turns.pair_gain[b, w, j])
                if gain > most:
                    turns.chooser[b], most = w, gain


@kernel
def take_turn(
    state: CscState, rules: Rules, turns: TurnState, copies: NDArray[np.int64], actions: NDArray[np.int64]
) -> None:
    """Let whose turn it is in some copies choose, and call the next. ``actions``: of every copy, shape [B].

    An action that is masked holds, and counts as illegal.
    """
    for b in copies:
        w, action = turns.chooser[b], actions[b]
        if w == NO_CHOOSER:
            continue
        turns.waiting[b, w] = 0
        if turns.mask[b, w, action] == 0:
            state.workers.illegal[b, w] += 1
        elif action > 0:
            turns.joint[b, w] = action
            _join(state, rules, turns, b, w, action - 1)
        turns.mask[b, w, 1:] = 0
        turns.gain[b, w, :] = 0.0
        turns.pair_gain[b, w, :] = 0.0
        for j in range(turns.gain.shape[2]):  # the worker is no partner of others any more
            task = state.output.candidates[b, w, j]
            if task < 0:
                break
            _update_task(state, rules, turns, b, task)
        _call_next(turns, b)


@kernel
def _join(state: CscState, rules: Rules, turns: TurnState, b: int, w: int, j: int) -> None:
    """Enter worker ``w`` in the list of those on their way to its candidate ``j``, which is sorted by arrival."""
    task, arrival_s = state.output.candidates[b, w, j], turns.arrival_s[b, w, j]
    turns.arrive_s[b, w] = arrival_s
    before, after = -1, turns.first_en_route[b, task]
    while after >= 0 and turns.arrive_s[b, after] <= arrival_s:
        before, after = after, turns.next_worker[b, after]
    turns.next_worker[b, w] = after
    if before < 0:
        turns.first_en_route[b, task] = w
    else:
        turns.next_worker[b, before] = w
    turns.joined[b, task] += 1
    turns.paid[b, task] = _payment_with(state, rules, turns, b, task, NO_ARRIVAL, NO_ARRIVAL)


@kernel
def observe_in_turn(
    state: CscState, turns: TurnState, b: int, w: int, optional: int, near: int, row: NDArray[np.float32]
) -> None:
    """Count those who have chosen a task at this epoch as on their way to it, in what worker ``w`` sees.

    Args:
        state: of the world.
        turns: of the present epoch.
        b: the copy.
        w: who sees it.
        optional: where its candidates begin in the row.
        near: where the tasks near it begin.
        row: its observation, changed in place. Shape [F].
    """
    for j in range(turns.gain.shape[2]):
        task = state.output.candidates[b, w, j]
        if task < 0:
            break
        _count_joined(state, turns, b, task, row, optional + j * _TASK)
    found = state.neighbour_lists.near_tasks[b, w]
    for j in range(len(found)):
        if found[j] == NO_NEIGHBOUR:
            break
        _count_joined(state, turns, b, found[j], row, near + j * _TASK)


@inlined
def _count_joined(state: CscState, turns: TurnState, b: int, task: int, row: NDArray[np.float32], at: int) -> None:
    if turns.joined[b, task] > 0:
        coming = state.tasks.en_route[b, task] + turns.joined[b, task]
        row[at + TASK.workers_en_route] = min(1.0, coming / CREW_SCALE)
