"""Who may ask for a worker, who is let through, and who gets one: stage 2 of RMO, and its simpler relative.

``docs/dasc_dynamics.md`` is the specification.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.matching import match
from crowdgym.envs.core.payment import payment_less_penalty
from crowdgym.envs.core.road_graph import RoadArrays
from crowdgym.envs.dasc.kernel.dynamics import FINISHED, IDLE, OPEN, UNASSIGNED, Rules, assign
from crowdgym.envs.dasc.kernel.state import (
    Bytes,
    DascState,
    Floats,
    Ints,
    Precedence,
    Scratch,
    StepOutput,
    Subtasks,
    Tasks,
    Workers,
)

HELD, MATCHED, UNMATCHED, INVALID, ILLEGAL = 0, 1, 2, 3, 4

UTILITY_UNITS = 2.0**30  # of a utility of 1, as a whole number


@kernel
def list_candidates(state: DascState, rules: Rules, unit_m: float, b: int) -> None:
    """Write who is live, the masks and the candidates of copy ``b``."""
    tasks, subtasks, idle, output = state.tasks, state.subtasks, state.idle, state.output
    output.live[b, :] = False
    output.mask[b, :] = 0
    output.mask[b, :, 0] = 1
    output.candidates[b, :] = -1
    most = idle.nearest.shape[2]
    for q in range(tasks.status.shape[1]):
        if tasks.status[b, q] != OPEN:
            continue
        for s in range(tasks.first[b, q], tasks.first[b, q + 1]):
            output.live[b, s] = True
            if subtasks.status[b, s] != UNASSIGNED:
                continue
            if not _may_be_next(state.precedence, subtasks.status[b], output.mask[b], rules.after_finish, b, s):
                continue
            if idle.listed[b, s] != idle.version[b]:
                from_place, needed = state.distances.from_places[b, s], subtasks.skill_bits[b, s]
                keys = state.scratch.best_key[b]
                _list_nearest(state.workers, from_place, needed, rules.range_m, unit_m, keys, idle.nearest[b, s], b)
                idle.listed[b, s] = idle.version[b]
            for j in range(most):
                if idle.nearest[b, s, j] < 0:
                    break
                output.candidates[b, s, j] = idle.nearest[b, s, j]
                if j + 1 < output.mask.shape[2]:
                    output.mask[b, s, j + 1] = 1


@inlined
def _may_be_next(precedence: Precedence, status: Bytes, mask: Bytes, after_finish: bool, b: int, s: int) -> bool:
    """Whether the predecessors of a subtask let it be assignable; their masks are written already."""
    for edge in range(precedence.start[b, s], precedence.start[b, s + 1]):
        p = precedence.predecessors[b, edge]
        if after_finish:
            if status[p] != FINISHED:
                return False
        elif status[p] == UNASSIGNED and mask[p, 1] == 0:
            return False
    return True


@inlined
def _list_nearest(
    workers: Workers,
    from_place: NDArray[np.uint16],
    needed: int,
    range_m: float,
    unit_m: float,
    keys: NDArray[np.int64],
    nearest: Ints,
    b: int,
) -> None:
    """Find the able workers nearest to a subtask, ties by the smaller id."""
    most, found = len(nearest), 0
    for w in range(workers.status.shape[1]):
        if workers.status[b, w] != IDLE or workers.skill_bits[b, w] & needed != needed:
            continue
        units = from_place[workers.place[b, w]]
        if units * unit_m > range_m:
            continue
        key = (np.int64(units) << 32) | w
        if found == most and key > keys[most - 1]:
            continue
        slot = found if found < most else most - 1
        found = min(most, found + 1)
        while slot > 0 and keys[slot - 1] > key:
            keys[slot] = keys[slot - 1]
            slot -= 1
        keys[slot] = key
    for j in range(most):
        nearest[j] = keys[j] & 0xFFFFFFFF if j < found else -1


@inlined
def skill_utility(needed: int, has: int) -> float:
    """u_skill = |K_i| / |K_w| (RMO poster, section 3)."""
    return float(needed / has)


@inlined
def distance_utility(metres: float, range_m: float) -> float:
    """u_dist = (R - d) / R."""
    return (range_m - metres) / range_m if range_m > 0.0 else 1.0


@inlined
def time_utility(now_s: float, expected_s: float, deadline_s: float) -> float:
    """u_time = exp((t - t_e) / (t_d - t_e)) / e; the poster lost the exponent (design, section 6)."""
    return math.exp((now_s - expected_s) / (deadline_s - expected_s)) / math.e


@inlined
def _whole(skill: float, near: float, time: float, weights: Floats) -> np.int64:
    """A utility as a whole number."""
    u = weights[0] * skill + weights[1] * near + weights[2] * time
    return np.int64(np.floor(u * UTILITY_UNITS + 0.5))


class _Sight(NamedTuple):
    """What the utilities of one copy's pairs are made of: few enough arrays to be handed on."""

    from_places: NDArray[np.uint16]  # [S, S + W]
    expected_s: Floats  # [Q]
    deadline_s: Floats  # [Q]
    weights: Floats  # [3]
    unit_m: float
    range_m: float
    now_s: float


@inlined
def _time_utility_of(sight: _Sight, task: int) -> float:
    return time_utility(sight.now_s, sight.expected_s[task], sight.deadline_s[task])


@kernel
def take_actions(
    state: DascState, roads: RoadArrays, rules: Rules, b: int, actions: NDArray[np.int64], now_s: float
) -> None:
    """Apply the joint action of copy ``b`` at an epoch. ``actions``: shape [S]."""
    output, scratch = state.output, state.scratch
    if _admit(state.subtasks, state.precedence, output, scratch, rules.invalid_penalty, b, actions) == 0:
        return
    sight = _Sight(
        state.distances.from_places[b],
        state.tasks.expected_s[b],
        state.tasks.deadline_s[b],
        state.weights[b],
        roads.unit_m,
        rules.range_m,
        now_s,
    )
    while True:
        if rules.selects:
            _give_to_best_asker(state.workers, state.subtasks, scratch, sight, b)
        else:
            _match_best_total(state.workers, state.subtasks, scratch, sight, b)
        if _take_out_who_does_not_stand(state.subtasks.status[b], state.precedence, scratch, b) == 0:
            break
    for s in range(len(actions)):  # predecessors first
        if scratch.admitted[b, s] and scratch.chosen[b, s] < 0:
            output.outcome[b, s] = UNMATCHED
            state.subtasks.unmatched[b, s] += 1
            output.shaped[b, s] = -rules.unmatched_penalty
        elif scratch.admitted[b, s]:
            w = scratch.chosen[b, s]
            output.outcome[b, s] = MATCHED
            _write_terms(state.workers, state.subtasks, sight, output.match_utility[b, s], b, s, w)
            assign(
                state.workers,
                state.tasks,
                state.subtasks,
                state.precedence,
                state.distances,
                roads.unit_m,
                rules.speed_mps,
                b,
                s,
                w,
                now_s,
            )
            state.idle.version[b] += 1
            metres = state.workers.leg_units[b, w] * roads.unit_m
            share = _share_at_finish(state.tasks, state.subtasks, rules.penalty_per_s, b, s)
            output.shaped[b, s] = share - rules.travel_cost_per_m * metres


@inlined
def _write_terms(workers: Workers, subtasks: Subtasks, sight: _Sight, terms: Floats, b: int, s: int, w: int) -> None:
    """Write the three terms of a pair's utility."""
    metres = sight.from_places[s, workers.place[b, w]] * sight.unit_m
    terms[0] = skill_utility(subtasks.skill_count[b, s], workers.skill_count[b, w])
    terms[1] = distance_utility(metres, sight.range_m)
    terms[2] = _time_utility_of(sight, subtasks.task[b, s])


@inlined
def _share_at_finish(tasks: Tasks, subtasks: Subtasks, penalty_per_s: float, b: int, s: int) -> float:
    """What an assigned subtask adds to the payment, as far as its finish tells (design, section 6)."""
    q = subtasks.task[b, s]
    payment = payment_less_penalty(
        subtasks.finish_s[b, s],
        subtasks.latest_expected_s[b, s],
        subtasks.latest_deadline_s[b, s],
        tasks.payment[b, q],
        penalty_per_s,
    )
    return float(payment / (tasks.first[b, q + 1] - tasks.first[b, q]))


@inlined
def _admit(
    subtasks: Subtasks,
    precedence: Precedence,
    output: StepOutput,
    scratch: Scratch,
    invalid_penalty: float,
    b: int,
    actions: NDArray[np.int64],
) -> int:
    """Sort out the actions; returns how many requests there are to be matched."""
    count = 0
    for s in range(len(actions)):
        action = actions[s]
        scratch.admitted[b, s] = scratch.taken_out[b, s] = False
        scratch.chosen[b, s] = -1
        if action == 0:
            continue
        if output.mask[b, s, action] == 0:
            subtasks.illegal[b, s] += 1
            output.outcome[b, s] = ILLEGAL
            output.shaped[b, s] = -invalid_penalty if output.was_live[b, s] else 0.0
            continue
        admitted = True
        for edge in range(precedence.start[b, s], precedence.start[b, s + 1]):
            p = precedence.predecessors[b, edge]
            admitted &= subtasks.status[b, p] != UNASSIGNED or scratch.admitted[b, p]
        if not admitted:
            subtasks.invalid[b, s] += 1
            output.outcome[b, s] = INVALID
            output.shaped[b, s] = -invalid_penalty
            continue
        scratch.admitted[b, s] = True
        scratch.asked[b, s] = output.candidates[b, s, action - 1]
        count += 1
    return count


@inlined
def _match_best_total(workers: Workers, subtasks: Subtasks, scratch: Scratch, sight: _Sight, b: int) -> None:
    """One round of ``recommend``: the matching of the largest total utility."""
    graph = scratch.graph
    rows = edges = 0
    for s in range(subtasks.status.shape[1]):
        scratch.chosen[b, s] = -1
        if not scratch.admitted[b, s] or scratch.taken_out[b, s]:
            continue
        time = _time_utility_of(sight, subtasks.task[b, s])
        from_place, needed = sight.from_places[s], subtasks.skill_bits[b, s]
        for w in range(workers.status.shape[1]):
            if workers.status[b, w] != IDLE or workers.skill_bits[b, w] & needed != needed:
                continue
            metres = from_place[workers.place[b, w]] * sight.unit_m
            if metres > sight.range_m:
                continue
            skill = skill_utility(subtasks.skill_count[b, s], workers.skill_count[b, w])
            graph.column[b, edges] = w
            graph.weight[b, edges] = _whole(skill, distance_utility(metres, sight.range_m), time, sight.weights)
            edges += 1
        scratch.row_slot[b, rows] = s
        rows += 1
        graph.start[b, rows] = edges
    match(graph, b, rows)
    for row in range(rows):
        scratch.chosen[b, scratch.row_slot[b, row]] = graph.row_match[b, row]


@inlined
def _give_to_best_asker(workers: Workers, subtasks: Subtasks, scratch: Scratch, sight: _Sight, b: int) -> None:
    """One round of ``select``: a worker goes to the asker with the largest utility, ties by the smaller id."""
    winner, best = scratch.graph.column_match[b], scratch.graph.price[b]
    winner[:] = -1
    for s in range(subtasks.status.shape[1]):
        scratch.chosen[b, s] = -1
        if not scratch.admitted[b, s] or scratch.taken_out[b, s]:
            continue
        w = scratch.asked[b, s]
        metres = sight.from_places[s, workers.place[b, w]] * sight.unit_m
        skill = skill_utility(subtasks.skill_count[b, s], workers.skill_count[b, w])
        time = _time_utility_of(sight, subtasks.task[b, s])
        utility = _whole(skill, distance_utility(metres, sight.range_m), time, sight.weights)
        if winner[w] < 0 or utility > best[w]:
            if winner[w] >= 0:
                scratch.chosen[b, winner[w]] = -1
            winner[w], best[w] = s, utility
            scratch.chosen[b, s] = w


@inlined
def _take_out_who_does_not_stand(status: Bytes, precedence: Precedence, scratch: Scratch, b: int) -> int:
    """Take out of the matching those with a worker of whom a predecessor has none; returns how many."""
    count = 0
    for s in range(len(status)):
        if scratch.chosen[b, s] < 0:
            continue
        stands = True
        for edge in range(precedence.start[b, s], precedence.start[b, s + 1]):
            p = precedence.predecessors[b, edge]
            if status[p] == UNASSIGNED:
                stands &= scratch.chosen[b, p] >= 0
        if not stands:
            scratch.chosen[b, s] = -1  # so that who comes after it does not stand either
            scratch.taken_out[b, s] = True
            count += 1
    return count
