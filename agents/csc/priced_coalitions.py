"""A coalition game in which a worker's time has a price, and groups move together; in compiled loops.

It differs from the game of PAU (`crowdgym.agents.csc.pau_game`) in three points. A coalition is worth its payment less
the price of every second for which its members are bound, so a player that is needed elsewhere holds. Players may
become idle later than now. And besides single best responses, groups of players move to a task together if that raises
the sum of all worths: where one worker alone is worth less than nothing, no single response begins the task.

The sum of all worths is the potential: a single response or a group move is made only if it raises it, so there is an
end, and at the end no player gains by moving alone.
"""

from typing import Final, NamedTuple

import numpy as np

from crowdgym.agents.csc.pau_game import (
    COMMITTED,
    HOLD,
    TOLERANCE,
    Floats,
    Game,
    Ints,
    finish_s,
    mean_payment,
    payment_at,
)
from crowdgym.agents.csc.turns import players_of_tasks
from crowdgym.common.jit import jit

MOST_TOGETHER: Final = 4  # players of a group that moves
MOST_TRIED: Final = 15  # the nearest players that a group is made of
ROUNDS: Final = 2  # of group moves


class PricedGame(NamedTuple):
    """Who may join what, and what their time costs. n players, K candidates each, m tasks.

    Attributes:
        game: ``arrival_s`` is later than ``start_s`` by the way to the task.
        start_s: when a player becomes idle, in seconds from now. Shape [n].
        price: of a second of a player, in currency. Shape [n].
    """

    game: Game
    start_s: Floats
    price: Floats


class PricedCoalitions(NamedTuple):
    """Who has joined what. The last row of [m + 1] is scratch paper.

    Attributes:
        members: how many. Shape [m + 1].
        arrival_s: of the members, ascending. Shape [m + 1, most].
        start_s: from when on each is bound. Shape [m + 1, most].
        price: of a second of each. Shape [m + 1, most].
        player: which player each is, or `COMMITTED`. Shape [m + 1, most].
        worth: the payment of a coalition less the price of its members' time. Shape [m + 1].
    """

    members: Ints
    arrival_s: Floats
    start_s: Floats
    price: Floats
    player: Ints
    worth: Floats


@jit
def empty_coalitions(tasks: int, most: int) -> PricedCoalitions:
    """Room for ``most`` members in each of ``tasks`` coalitions."""
    shape = (tasks + 1, most)
    return PricedCoalitions(
        np.zeros(tasks + 1, np.int64),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape, np.int64),
        np.zeros(tasks + 1),
    )


@jit
def _worth(game: Game, coalitions: PricedCoalitions, task: int, row: int) -> float:
    """The worth that the members in a row have at a task.

    They are bound until it is finished, or until its deadline if that comes first; who would start later, not at all.
    """
    count = coalitions.members[row]
    if count == 0:
        return 0.0
    finished_s = finish_s(coalitions.arrival_s[row], count, game.work_left_s[task])
    worth = payment_at(game, task, finished_s)
    end_s = min(finished_s, game.deadline_s[task])
    for j in range(count):
        worth -= coalitions.price[row, j] * max(0.0, end_s - coalitions.start_s[row, j])
    return worth


@jit
def _copy_member(coalitions: PricedCoalitions, row: int, j: int, to_row: int, to: int) -> None:
    coalitions.arrival_s[to_row, to] = coalitions.arrival_s[row, j]
    coalitions.start_s[to_row, to] = coalitions.start_s[row, j]
    coalitions.price[to_row, to] = coalitions.price[row, j]
    coalitions.player[to_row, to] = coalitions.player[row, j]


@jit
def _insert(
    coalitions: PricedCoalitions, row: int, player: int, arrival_s: float, start_s: float, price: float
) -> None:
    j = coalitions.members[row]
    while j > 0 and coalitions.arrival_s[row, j - 1] > arrival_s:
        _copy_member(coalitions, row, j - 1, row, j)
        j -= 1
    coalitions.arrival_s[row, j] = arrival_s
    coalitions.start_s[row, j] = start_s
    coalitions.price[row, j] = price
    coalitions.player[row, j] = player
    coalitions.members[row] += 1


@jit
def commit(game: Game, coalitions: PricedCoalitions, task: Ints, arrival_s: Floats, price: Floats) -> None:
    """Take in workers that are at a task or on their way: the task, the arrival and the price of each."""
    for worker in range(len(task)):
        _insert(coalitions, task[worker], COMMITTED, arrival_s[worker], 0.0, price[worker])
        coalitions.worth[task[worker]] = _worth(game, coalitions, task[worker], task[worker])


@jit
def _copy_without(coalitions: PricedCoalitions, task: int, player: int, to_row: int) -> None:
    """Copy the members of a task but one player to a row, which may be that of the task itself."""
    count = 0
    for j in range(coalitions.members[task]):
        if coalitions.player[task, j] != player:
            _copy_member(coalitions, task, j, to_row, count)
            count += 1
    coalitions.members[to_row] = count


@jit
def gain_of_joining(priced: PricedGame, coalitions: PricedCoalitions, player: int, option: int) -> float:
    """How much more a coalition is worth with a player that is not in it."""
    game, scratch = priced.game, len(coalitions.members) - 1
    task = game.task[player, option]
    for j in range(coalitions.members[task]):
        _copy_member(coalitions, task, j, scratch, j)
    coalitions.members[scratch] = coalitions.members[task]
    _insert(coalitions, scratch, player, game.arrival_s[player, option], priced.start_s[player], priced.price[player])
    return float(_worth(game, coalitions, task, scratch) - coalitions.worth[task])


@jit
def gain_of_leaving(priced: PricedGame, coalitions: PricedCoalitions, player: int, option: int) -> float:
    """How much more a coalition is worth without a player that is in it."""
    scratch = len(coalitions.members) - 1
    task = priced.game.task[player, option]
    _copy_without(coalitions, task, player, scratch)
    return float(_worth(priced.game, coalitions, task, scratch) - coalitions.worth[task])


@jit
def move(priced: PricedGame, coalitions: PricedCoalitions, choice: Ints, player: int, to: int) -> None:
    """Let a player leave what it has chosen, and join its candidate ``to`` or hold."""
    game = priced.game
    if choice[player] != HOLD:
        task = game.task[player, choice[player]]
        _copy_without(coalitions, task, player, task)
        coalitions.worth[task] = _worth(game, coalitions, task, task)
    choice[player] = to
    if to != HOLD:
        task = game.task[player, to]
        _insert(coalitions, task, player, game.arrival_s[player, to], priced.start_s[player], priced.price[player])
        coalitions.worth[task] = _worth(game, coalitions, task, task)


@jit
def _respond(priced: PricedGame, coalitions: PricedCoalitions, choice: Ints, tolerance: float) -> None:
    """Best responses, player after player, until no player moves."""
    task = priced.game.task
    since = 0  # players in a row who have not moved
    while since < len(choice):
        for player in range(len(choice)):
            before = choice[player]
            move(priced, coalitions, choice, player, HOLD)
            best, most = HOLD, 0.0
            if before != HOLD:
                kept = gain_of_joining(priced, coalitions, player, before)
                if kept > 0.0:
                    best, most = before, kept
            for option in range(task.shape[1]):
                if task[player, option] < 0:
                    break
                gain = gain_of_joining(priced, coalitions, player, option)
                if gain > most + tolerance:
                    best, most = option, gain
            move(priced, coalitions, choice, player, best)
            since = since + 1 if best == before else 0
            if since >= len(choice):
                break


@jit
def _best_newcomer(
    priced: PricedGame, coalitions: PricedCoalitions, choice: Ints, players: tuple[Ints, Ints, Ints], task: int
) -> tuple[int, float]:
    """Who of the nearest players gains most, or loses least, by moving to a task.

    Returns:
        The place in ``players``, -1 if there is none, and the gain.
    """
    first, member, option = players
    best, most, tried = -1, -np.inf, 0
    for place in range(first[task], first[task + 1]):
        player, before = member[place], choice[member[place]]
        if before == option[place]:
            continue
        tried += 1
        if tried > MOST_TRIED:
            break
        gain = gain_of_joining(priced, coalitions, player, option[place])
        if before != HOLD:
            gain += gain_of_leaving(priced, coalitions, player, before)
        if gain > most:
            best, most = place, gain
    return best, most


@jit
def _form_group(
    priced: PricedGame,
    coalitions: PricedCoalitions,
    choice: Ints,
    players: tuple[Ints, Ints, Ints],
    task: int,
    tolerance: float,
) -> bool:
    """Move players to a task one after the other, and keep as many of the moves as raise the potential most."""
    moved, before = np.zeros(MOST_TOGETHER, np.int64), np.zeros(MOST_TOGETHER, np.int64)
    count, kept = 0, 0
    above, highest = 0.0, 0.0
    while count < MOST_TOGETHER:
        place, gain = _best_newcomer(priced, coalitions, choice, players, task)
        if place < 0:
            break
        moved[count], before[count] = players[1][place], choice[players[1][place]]
        move(priced, coalitions, choice, moved[count], players[2][place])
        count += 1
        above += gain
        if above > highest + tolerance:
            highest, kept = above, count
    while count > kept:
        count -= 1
        move(priced, coalitions, choice, moved[count], before[count])
    return kept > 0


@jit
def form_coalitions(priced: PricedGame, coalitions: PricedCoalitions) -> Ints:
    """Best responses and group moves in turn, at most `ROUNDS` times, and best responses at the end.

    Args:
        priced: who may join what.
        coalitions: those committed; changed. There is room for all players.

    Returns:
        The candidate each player joins, or `HOLD`. Shape [n].
    """
    choice = np.full(len(priced.price), HOLD)
    players = players_of_tasks(priced.game)
    tolerance = TOLERANCE * mean_payment(priced.game)
    for _ in range(ROUNDS):
        _respond(priced, coalitions, choice, tolerance)
        formed = 0
        for task in range(len(priced.game.payment)):
            formed += _form_group(priced, coalitions, choice, players, task, tolerance)
        if formed == 0:
            return choice
    _respond(priced, coalitions, choice, tolerance)
    return choice
