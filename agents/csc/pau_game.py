"""The coalition game of PAU, in compiled loops: payments, best response, simulated annealing.

Zhao et al., "Coalition-based task assignment with priority-aware fairness in spatial crowdsourcing" (The VLDB Journal
33, 2024), as a baseline of the CAFE paper (section 5.1): the idle workers are players, and each joins the coalition of
one task or none. A player's payoff is the coalition's payment with it less the payment without it. A player who changes
coalitions therefore gains exactly what the sum of all payments gains: that sum is an exact potential, best responses
end in a Nash equilibrium, and a better potential is a better assignment.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import jit
from crowdgym.common.sums import total

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

HOLD = -1  # the choice of a player in no coalition
HOTTEST, COLDEST = 0.1, 0.001  # temperatures, as shares of the mean payment of the game's tasks; assumption
TOLERANCE = 1e-9  # as such a share: a player ignores smaller gains
LEAST_HASTE_S = 1e-6  # smaller differences of finish times are ignored
COMMITTED = -1  # in place of a player: a worker that is at the task or on its way, and can't choose


class Game(NamedTuple):
    """n players in order of priority, K candidates each, m tasks. Times are seconds from now."""

    task: Ints  # [n, K] the task of each candidate, or -1
    arrival_s: Floats  # [n, K] when the player would arrive
    work_left_s: Floats  # [m] worker-seconds
    expected_s: Floats  # [m] t_e
    deadline_s: Floats  # [m] t_d
    payment: Floats  # [m] ρ_max
    penalty_per_s: Floats  # [m] ζ


class Coalitions(NamedTuple):
    """The members of each coalition."""

    members: Ints  # [m] number of members
    arrival_s: Floats  # [m, most] of the members, ascending
    player: Ints  # [m, most] which player each is, or COMMITTED
    paid: Floats  # [m] what each coalition earns

    @classmethod
    def empty(cls, tasks: int, most: int) -> "Coalitions":
        """Room for ``most`` members in each of ``tasks`` coalitions."""
        shape = (tasks, most)
        return cls(np.zeros(tasks, np.int64), np.zeros(shape), np.zeros(shape, np.int64), np.zeros(tasks))


@jit
def finish_s(arrival_s: Floats, count: int, work_left_s: float) -> float:
    """When a coalition is done: each member does one worker-second a second from its arrival on; else infinite."""
    left_s = work_left_s
    for j in range(count):
        until_s = arrival_s[j + 1] if j + 1 < count else np.inf
        if left_s <= (j + 1) * (until_s - arrival_s[j]):
            return float(arrival_s[j] + left_s / (j + 1))
        left_s -= (j + 1) * (until_s - arrival_s[j])
    return np.inf


@jit
def _finish_with_s(arrival_s: Floats, count: int, work_left_s: float, more_s: float) -> float:
    """The finish time with one more member, who arrives at ``more_s``."""
    left_s, at_s, present, joined = work_left_s, 0.0, 0, False
    j = 0
    while j < count or not joined:
        if not joined and (j == count or more_s <= arrival_s[j]):
            next_s, joined = more_s, True
        else:
            next_s = arrival_s[j]
            j += 1
        if present > 0:
            if left_s <= present * (next_s - at_s):
                return float(at_s + left_s / present)
            left_s -= present * (next_s - at_s)
        at_s = next_s
        present += 1
    return float(at_s + left_s / present)


@jit
def payment_at(game: Game, task: int, finished_s: float) -> float:
    """Payment ρ of a task that is finished at t_f (CAFE paper, section 3)."""
    if finished_s >= game.deadline_s[task]:
        return 0.0
    late_s = max(0.0, finished_s - game.expected_s[task])
    return float(max(0.0, 1.0 - game.penalty_per_s[task] * late_s) * game.payment[task])


@jit
def _paid(game: Game, coalitions: Coalitions, task: int) -> float:
    finished_s = finish_s(coalitions.arrival_s[task], coalitions.members[task], game.work_left_s[task])
    return payment_at(game, task, finished_s)


@jit
def join(game: Game, coalitions: Coalitions, task: int, player: int, arrival_s: float) -> None:
    """Add a member; of members with equal arrival times, the one added later comes last."""
    j = coalitions.members[task]
    while j > 0 and coalitions.arrival_s[task, j - 1] > arrival_s:
        coalitions.arrival_s[task, j] = coalitions.arrival_s[task, j - 1]
        coalitions.player[task, j] = coalitions.player[task, j - 1]
        j -= 1
    coalitions.arrival_s[task, j] = arrival_s
    coalitions.player[task, j] = player
    coalitions.members[task] += 1
    coalitions.paid[task] = _paid(game, coalitions, task)


@jit
def commit(game: Game, coalitions: Coalitions, task: Ints, arrival_s: Floats) -> None:
    """Take in workers that are at a task or on their way, one after the other: the task and the arrival of each."""
    for worker in range(len(task)):
        join(game, coalitions, task[worker], COMMITTED, arrival_s[worker])


@jit
def leave(game: Game, coalitions: Coalitions, task: int, player: int) -> None:
    """Remove a player."""
    j = 0
    while coalitions.player[task, j] != player:
        j += 1
    coalitions.members[task] -= 1
    for k in range(j, coalitions.members[task]):
        coalitions.arrival_s[task, k] = coalitions.arrival_s[task, k + 1]
        coalitions.player[task, k] = coalitions.player[task, k + 1]
    coalitions.paid[task] = _paid(game, coalitions, task)


@jit
def payoff(game: Game, coalitions: Coalitions, task: int, arrival_s: float) -> float:
    """The gain of a coalition from a player outside it: its payment with the player less its payment without."""
    finished_s = _finish_with_s(coalitions.arrival_s[task], coalitions.members[task], game.work_left_s[task], arrival_s)
    return float(payment_at(game, task, finished_s) - coalitions.paid[task])


@jit
def _move(game: Game, coalitions: Coalitions, choice: Ints, player: int, to: int) -> None:
    """Set the choice of a player who is in no coalition now."""
    choice[player] = to
    if to != HOLD:
        join(game, coalitions, game.task[player, to], player, game.arrival_s[player, to])


@jit
def _withdraw(game: Game, coalitions: Coalitions, choice: Ints, player: int) -> None:
    """Take a player out of its coalition; its choice stays written."""
    if choice[player] != HOLD:
        leave(game, coalitions, game.task[player, choice[player]], player)


@jit
def _hastens(game: Game, coalitions: Coalitions, task: int, arrival_s: float, haste_s: float) -> bool:
    """Whether a player outside a coalition that is paid would make it finish earlier by more than ``haste_s``."""
    if coalitions.paid[task] <= 0.0:
        return False
    row, members, left_s = coalitions.arrival_s[task], coalitions.members[task], game.work_left_s[task]
    return _finish_with_s(row, members, left_s, arrival_s) < finish_s(row, members, left_s) - haste_s


@jit
def _best_response(
    game: Game, coalitions: Coalitions, player: int, before: int, tolerance: float, haste_s: float
) -> int:
    """The best response of a player who is in no coalition now and was in that of ``before``."""
    best, most = HOLD, 0.0
    if before != HOLD:
        kept = payoff(game, coalitions, game.task[player, before], game.arrival_s[player, before])
        if kept > 0.0:
            best, most = before, kept
    for option in range(game.task.shape[1]):
        if game.task[player, option] < 0:
            break
        gain = payoff(game, coalitions, game.task[player, option], game.arrival_s[player, option])
        if gain > most + tolerance:
            best, most = option, gain
    if best != HOLD:
        return best
    if before != HOLD and _hastens(
        game, coalitions, game.task[player, before], game.arrival_s[player, before], haste_s
    ):
        return before
    for option in range(game.task.shape[1]):
        if game.task[player, option] < 0:
            break
        if _hastens(game, coalitions, game.task[player, option], game.arrival_s[player, option], haste_s):
            return option
    return HOLD


@jit
def respond(game: Game, coalitions: Coalitions, choice: Ints, tolerance: float, haste_s: float = LEAST_HASTE_S) -> int:
    """Best responses, player after player in order of priority, until no player changes: a Nash equilibrium.

    A player changes for a payoff that is higher by more than ``tolerance``; among equal payoffs it keeps its choice, or
    else takes the nearest task. A player that gains nothing anywhere does not hold if it can make a paid coalition
    finish earlier, since this costs no player anything. So every change raises the potential, or keeps it and lowers
    the sum of finish times, and the process ends.

    Args:
        game: the candidates of the players.
        coalitions: the present coalitions; changed.
        choice: the candidate each player has joined, or `HOLD`; changed. Shape [n].
        tolerance: positive, in currency.
        haste_s: positive; a player helps where the coalition finishes earlier by more than this. Infinite: never.

    Returns:
        The number of changes.
    """
    changes, since = 0, 0  # players in a row who change nothing
    while since < len(choice):
        for player in range(len(choice)):
            before = choice[player]
            _withdraw(game, coalitions, choice, player)
            best = _best_response(game, coalitions, player, before, tolerance, haste_s)
            _move(game, coalitions, choice, player, best)
            changes += best != before
            since = since + 1 if best == before else 0
            if since >= len(choice):
                break
    return changes


@jit
def potential(coalitions: Coalitions) -> float:
    """The sum of all payments."""
    total = 0.0
    for task in range(len(coalitions.paid)):
        total += coalitions.paid[task]
    return total


@jit
def adopt(game: Game, coalitions: Coalitions, choice: Ints, wanted: Ints) -> None:
    """Set the choices of all players to ``wanted``."""
    for player in range(len(choice)):
        if choice[player] != wanted[player]:
            _withdraw(game, coalitions, choice, player)
            _move(game, coalitions, choice, player, wanted[player])


@jit
def anneal(
    game: Game,
    coalitions: Coalitions,
    choice: Ints,
    moves: int,
    hottest: float,
    coldest: float,
    tolerance: float,
    generator: np.random.Generator,
    haste_s: float = LEAST_HASTE_S,
) -> None:
    """Simulated annealing around an equilibrium, and best responses from the best potential met on the way.

    A random player tries a random choice; a change of the potential by Δ < 0 is accepted with probability exp(Δ / T),
    T falling geometrically from ``hottest`` to ``coldest`` (currency). The result is a Nash equilibrium with a
    potential no lower than that at the start. ``haste_s`` as in `respond`.
    """
    best = choice.copy()
    above = 0.0  # the potential, over that at the start
    highest = 0.0
    for k in range(moves):
        temperature = hottest * (coldest / hottest) ** (k / moves)
        player = int(generator.random() * len(choice))
        options = 0
        while options < game.task.shape[1] and game.task[player, options] >= 0:
            options += 1
        option = int(generator.random() * (options + 1)) - 1  # HOLD is one of them
        luck = generator.random()
        before = choice[player]
        if option == before:
            continue
        _withdraw(game, coalitions, choice, player)
        gain = 0.0
        if option != HOLD:
            gain += payoff(game, coalitions, game.task[player, option], game.arrival_s[player, option])
        if before != HOLD:
            gain -= payoff(game, coalitions, game.task[player, before], game.arrival_s[player, before])
        accepted = gain >= 0.0 or luck < math.exp(gain / temperature)
        _move(game, coalitions, choice, player, option if accepted else before)
        if accepted:
            above += gain
            if above > highest + tolerance:
                highest = above
                best[:] = choice
    adopt(game, coalitions, choice, best)
    respond(game, coalitions, choice, tolerance, haste_s)


@jit
def mean_payment(game: Game) -> float:
    """The mean of the highest payments of a game's tasks: the scale of its payments. Always positive."""
    return float(max(1e-300, total(game.payment) / max(1, len(game.payment))))


@jit
def settle(
    game: Game,
    coalitions: Coalitions,
    choice: Ints,
    moves: int,
    generator: np.random.Generator,
    haste_s: float = LEAST_HASTE_S,
) -> None:
    """Best responses, then annealing for ``moves`` moves: leaves behind the equilibrium that PAU acts on.

    ``haste_s`` as in `respond`.
    """
    scale = mean_payment(game)
    respond(game, coalitions, choice, TOLERANCE * scale, haste_s)
    anneal(game, coalitions, choice, moves, HOTTEST * scale, COLDEST * scale, TOLERANCE * scale, generator, haste_s)


@jit
def fair_utility(game: Game, coalitions: Coalitions, task: int, player: int, envy: float) -> float:
    """The utility of a member of a coalition under priority-aware fairness.

    The payment of the coalition is split by marginal contribution (its loss without the member). From a member's share
    is subtracted ``envy`` times the mean, over the other members, of how far members of lower priority are above it.
    Players are in order of priority; committed workers precede all of them.
    """
    count = coalitions.members[task]
    whole = coalitions.paid[task]
    marginal = np.zeros(count)
    others = np.zeros(count)
    total = 0.0
    for j in range(count):
        at = 0
        for k in range(count):
            if k != j:
                others[at] = coalitions.arrival_s[task, k]
                at += 1
        marginal[j] = whole - payment_at(game, task, finish_s(others, count - 1, game.work_left_s[task]))
        total += marginal[j]
    if total <= 0.0:
        return 0.0
    own = 0.0
    for j in range(count):
        if coalitions.player[task, j] == player:
            own = whole * marginal[j] / total
    envied = 0.0
    for j in range(count):
        if coalitions.player[task, j] > player:
            envied += max(0.0, whole * marginal[j] / total - own)
    return float(own - envy * envied / max(1, count - 1))


@jit
def respond_fairly(
    game: Game, coalitions: Coalitions, choice: Ints, rounds: int, envy: float, tolerance: float
) -> bool:
    """Best responses by `fair_utility`, at most ``rounds`` of all players: this need not be a potential game.

    The result is an equilibrium, or without one the choice with the best potential at the end of a round.

    Returns:
        Whether it is an equilibrium.
    """
    best = choice.copy()
    highest = potential(coalitions)
    for _ in range(rounds):
        changes = 0
        for player in range(len(choice)):
            before = choice[player]
            _withdraw(game, coalitions, choice, player)
            favourite, most = HOLD, 0.0
            for option in range(game.task.shape[1]):
                task = game.task[player, option]
                if task < 0:
                    break
                join(game, coalitions, task, player, game.arrival_s[player, option])
                gain = fair_utility(game, coalitions, task, player, envy)
                leave(game, coalitions, task, player)
                if gain > most + tolerance or (option == before and gain > 0.0 and gain >= most - tolerance):
                    favourite, most = option, max(gain, most)
            _move(game, coalitions, choice, player, favourite)
            changes += favourite != before
        if changes == 0:
            return True
        now = potential(coalitions)
        if now > highest:
            highest = now
            best[:] = choice
    adopt(game, coalitions, choice, best)
    return False
