"""Idle workers choose one after the other within an epoch, in compiled loops.

Each sees what those before it have chosen. A join is legal if it adds payment, alone or together with the nearest
waiting player: where one worker finishes a task too late and two finish it in time, the first of the two adds nothing
alone, and without pairs no worker begins such a task. A learner or a rule needs four calls:

    turns = start_turns(game, coalitions)
    player = next_player(turns)  # the one with the largest gain, or NO_PLAYER
    turns.alone[player], turns.together[player], turns.gain[player], turns.legal[player]  # each [K]
    apply_choice(turns, player, option)  # a legal candidate, or HOLD

until `next_player` returns `NO_PLAYER`. The rows of all waiting players are up to date at any time.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.csc.pau_game import (
    HOLD,
    TOLERANCE,
    Coalitions,
    Floats,
    Game,
    Ints,
    join,
    leave,
    mean_payment,
    payoff,
)
from crowdgym.common.jit import jit

NO_PLAYER: Final = -1
_PARTNER: Final = -2  # in place of a player: the partner of a pair while its payment is worked out

Flags = NDArray[np.bool_]


class Turns(NamedTuple):
    """An epoch in which n players choose one after the other. K candidates each, m tasks.

    Attributes:
        game: who may join what.
        coalitions: those so far, the choices of this epoch included; there is room for all players.
        choice: the candidate each player has joined, or `HOLD`. Shape [n].
        waiting: who has not chosen yet. Shape [n].
        alone: what a join adds to the payments, in currency. Shape [n, K].
        together: what it adds together with the nearest other waiting player that may join the same task; `alone`
            where there is none. Shape [n, K].
        gain: the larger of `alone` and half of `together`. Shape [n, K].
        legal: where `alone` or `together` is positive. Shape [n, K].
        tolerance: what is at most this is not positive, in currency. Shape [1].
        first: where the players of each task begin in the next two. Shape [m + 1].
        member: the players that may join a task, nearest first, task after task.
        option: which candidate of theirs the task is.
    """

    game: Game
    coalitions: Coalitions
    choice: Ints
    waiting: Flags
    alone: Floats
    together: Floats
    gain: Floats
    legal: Flags
    tolerance: Floats
    first: Ints
    member: Ints
    option: Ints


@jit
def start_turns(game: Game, coalitions: Coalitions) -> Turns:
    """The turns of an epoch before the first choice. ``coalitions`` will be changed."""
    count, options = game.task.shape
    first, member, option = players_of_tasks(game)
    turns = Turns(
        game,
        coalitions,
        np.full(count, HOLD),
        np.ones(count, np.bool_),
        np.zeros((count, options)),
        np.zeros((count, options)),
        np.zeros((count, options)),
        np.zeros((count, options), np.bool_),
        np.full(1, TOLERANCE * mean_payment(game)),
        first,
        member,
        option,
    )
    for task in range(len(game.payment)):
        _update_task(turns, task)
    return turns


@jit
def next_player(turns: Turns) -> int:
    """The waiting player with the largest gain of a legal join, ties by number; `NO_PLAYER` if there is none."""
    best, most = NO_PLAYER, -np.inf
    for player in range(len(turns.waiting)):
        if not turns.waiting[player]:
            continue
        for option in range(turns.gain.shape[1]):
            if turns.legal[player, option] and turns.gain[player, option] > most:
                best, most = player, turns.gain[player, option]
    return best


@jit
def apply_choice(turns: Turns, player: int, option: int) -> None:
    """Let a waiting player join its candidate ``option``, or hold, and bring the rows of the others up to date."""
    game = turns.game
    turns.waiting[player] = False
    turns.choice[player] = option
    if option != HOLD:
        join(game, turns.coalitions, game.task[player, option], player, game.arrival_s[player, option])
    for other in range(game.task.shape[1]):  # the player is no partner of others any more
        if game.task[player, other] < 0:
            break
        _update_task(turns, game.task[player, other])


@jit
def take_turns(turns: Turns, preference: Floats) -> None:
    """Let all players choose, each the legal join of highest preference, ties by the nearest.

    Args:
        turns: as started; changed.
        preference: shape [n, K]. ``turns.gain`` itself may be given: it is read when a player's turn has come.
    """
    player = next_player(turns)
    while player != NO_PLAYER:
        best = HOLD
        for option in range(preference.shape[1]):
            if turns.legal[player, option] and (best == HOLD or preference[player, option] > preference[player, best]):
                best = option
        apply_choice(turns, player, best)
        player = next_player(turns)


@jit
def players_of_tasks(game: Game) -> tuple[Ints, Ints, Ints]:
    """``first``, ``member`` and ``option`` of `Turns`: the players of each task, nearest first."""
    options = game.task.shape[1]
    first = np.zeros(len(game.payment) + 1, np.int64)
    for task in game.task.ravel():
        if task >= 0:
            first[task + 1] += 1
    first = np.cumsum(first)
    member, option = np.zeros(first[-1], np.int64), np.zeros(first[-1], np.int64)
    filled = first[:-1].copy()
    for place in np.argsort(game.arrival_s.ravel(), kind="mergesort"):
        task = game.task[place // options, place % options]
        if task >= 0:
            member[filled[task]], option[filled[task]] = place // options, place % options
            filled[task] += 1
    return first, member, option


@jit
def _update_task(turns: Turns, task: int) -> None:
    """Work out anew what a join of one task adds, for all who wait and may."""
    game, coalitions = turns.game, turns.coalitions
    nearest, second = _nearest_two(turns, task)
    paid = coalitions.paid[task]
    for place in range(turns.first[task], turns.first[task + 1]):
        player, option = turns.member[place], turns.option[place]
        if not turns.waiting[player]:
            continue
        alone = payoff(game, coalitions, task, game.arrival_s[player, option])
        together = alone
        partner = second if place == nearest else nearest
        if partner >= 0:
            partner_s = game.arrival_s[turns.member[partner], turns.option[partner]]
            join(game, coalitions, task, _PARTNER, partner_s)
            together = coalitions.paid[task] + payoff(game, coalitions, task, game.arrival_s[player, option]) - paid
            leave(game, coalitions, task, _PARTNER)
        turns.alone[player, option], turns.together[player, option] = alone, together
        turns.gain[player, option] = max(alone, 0.5 * together)
        turns.legal[player, option] = max(alone, together) > turns.tolerance[0]


@jit
def _nearest_two(turns: Turns, task: int) -> tuple[int, int]:
    """The places, in `Turns.member`, of the two nearest waiting players that may join a task; -1 for none."""
    nearest = -1
    for place in range(turns.first[task], turns.first[task + 1]):
        if turns.waiting[turns.member[place]]:
            if nearest >= 0:
                return nearest, place
            nearest = place
    return nearest, -1
