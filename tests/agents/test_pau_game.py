"""PAU's game by hand, and against an independent one in plain Python.

Times are seconds from now. Unless a test says otherwise there is one task: 60 worker-seconds, expected in 20 s, due in
100 s, paying 90, of which a hundredth is lost with every second of delay.

    members arrive at      done at                      paid
    10                     10 + 60        = 70          90 · 0.50 = 45
    10, 20                 20 + 50 / 2    = 45          90 · 0.75 = 67.5
    10, 20, 30             30 + 30 / 3    = 40          90 · 0.80 = 72
"""

from itertools import product

import numpy as np
import pytest

from crowdgym.agents.csc.pau_game import (
    COMMITTED,
    HOLD,
    Coalitions,
    Game,
    adopt,
    anneal,
    finish_s,
    join,
    leave,
    payment_at,
    payoff,
    potential,
    respond,
    settle,
)

TOLERANCE = 1e-7


def a_game(task: list[list[int]], arrival_s: list[list[float]], tasks: int = 1, **others: list[float]) -> Game:
    plain = {"work_left_s": 60.0, "expected_s": 20.0, "deadline_s": 100.0, "payment": 90.0, "penalty_per_s": 0.01}
    values = {name: np.array(others.get(name, [value] * tasks)) for name, value in plain.items()}
    return Game(task=np.array(task, np.int64), arrival_s=np.array(arrival_s, np.float64), **values)


def joined(game: Game, *arrivals_s: float) -> Coalitions:
    """The first task's coalition with some who are committed to it."""
    coalitions = Coalitions.empty(len(game.payment), 20)
    for arrival_s in arrivals_s:
        join(game, coalitions, 0, COMMITTED, arrival_s)
    return coalitions


def chosen(game: Game, choice: list[int]) -> Coalitions:
    """The coalitions when every player has chosen."""
    coalitions = Coalitions.empty(len(game.payment), 20)
    for player, option in enumerate(choice):
        if option != HOLD:
            join(game, coalitions, game.task[player, option], player, game.arrival_s[player, option])
    return coalitions


# ---- payments ----


@pytest.mark.parametrize(
    ("arrivals_s", "work_s", "expected"),
    [
        ([], 60.0, np.inf),
        ([10.0], 60.0, 70.0),
        ([10.0, 20.0], 60.0, 45.0),
        ([10.0, 20.0, 30.0], 60.0, 40.0),
        ([10.0, 20.0, 50.0], 60.0, 45.0),  # too late to be of use
        ([0.0, 0.0, 0.0], 60.0, 20.0),
        ([10.0, 20.0], 10.0, 20.0),  # done at the very moment at which the other arrives
    ],
)
def test_when_a_coalition_is_done(arrivals_s: list[float], work_s: float, expected: float) -> None:
    assert finish_s(np.array(arrivals_s), len(arrivals_s), work_s) == expected


@pytest.mark.parametrize(
    ("finished_s", "paid"), [(0.0, 90.0), (20.0, 90.0), (45.0, 67.5), (99.0, 18.9), (100.0, 0.0), (np.inf, 0.0)]
)
def test_what_a_task_pays(finished_s: float, paid: float) -> None:
    assert payment_at(a_game([], []), 0, finished_s) == pytest.approx(paid, abs=1e-12)


def test_the_penalty_takes_no_more_than_there_is() -> None:
    game = a_game([], [], penalty_per_s=[0.02])
    assert payment_at(game, 0, 69.0) == pytest.approx(90 * 0.02)
    assert payment_at(game, 0, 80.0) == 0.0


def test_payoff_is_the_payment_with_less_the_payment_without() -> None:
    game = a_game([], [])
    assert payoff(game, joined(game), 0, 10.0) == 45.0
    assert payoff(game, joined(game, 10.0), 0, 20.0) == 22.5
    assert payoff(game, joined(game, 20.0), 0, 10.0) == 67.5 - 36.0
    assert payoff(game, joined(game, 10.0, 20.0), 0, 30.0) == 4.5


def test_who_makes_a_task_possible_at_all_is_paid_all_of_it() -> None:
    game = a_game([], [], deadline_s=[60.0])  # one alone is not done before 70
    assert payoff(game, joined(game), 0, 10.0) == 0.0
    assert payoff(game, joined(game, 10.0), 0, 20.0) == 67.5


def test_who_comes_too_late_adds_nothing() -> None:
    game = a_game([], [])
    assert payoff(game, joined(game, 0.0), 0, 60.0) == 0.0
    assert payoff(game, joined(game), 0, 100.0) == 0.0


def test_coalitions_are_by_arrival_and_leaving_undoes_joining() -> None:
    game = a_game([], [])
    coalitions = joined(game, 20.0)
    join(game, coalitions, 0, 7, 10.0)
    assert coalitions.player[0, :2].tolist() == [7, COMMITTED]
    assert coalitions.arrival_s[0, :2].tolist() == [10.0, 20.0]
    assert coalitions.paid[0] == 67.5
    leave(game, coalitions, 0, 7)
    assert (coalitions.members[0], coalitions.arrival_s[0, 0], coalitions.paid[0]) == (1, 20.0, 36.0)


# ---- best response ----


def test_who_gains_nothing_helps() -> None:
    """Committed: one at the task, done in time at 60. A player who is there at once adds nothing, but halves that."""
    game = a_game([[0]], [[0.0]], expected_s=[60.0])
    coalitions, choice = joined(game, 0.0), np.array([HOLD])
    assert respond(game, coalitions, choice, TOLERANCE) == 1
    assert choice.tolist() == [0]
    assert potential(coalitions) == 90.0


def test_who_is_of_no_use_holds() -> None:
    """The same, arriving as the work is done; and a task that is not paid whatever a player does."""
    game = a_game([[0], [0]], [[60.0], [70.0]], expected_s=[60.0])
    choice = np.array([HOLD, HOLD])
    respond(game, joined(game, 0.0), choice, TOLERANCE)
    assert choice.tolist() == [HOLD, HOLD]
    hopeless = a_game([[0]], [[0.0]], deadline_s=[50.0])
    respond(hopeless, joined(hopeless), choice[:1], TOLERANCE)
    assert choice.tolist() == [HOLD, HOLD]


def test_a_player_that_is_no_longer_needed_joins_a_coalition_that_needs_it() -> None:
    """The first chooses the task; the second, there so early that it is done first, leaves it nothing to do."""
    game = a_game([[0], [0]], [[60.0], [0.0]], expected_s=[60.0], deadline_s=[200.0])
    choice = np.array([HOLD, HOLD])
    respond(game, joined(game), choice, TOLERANCE)
    assert choice.tolist() == [HOLD, 0]


def test_a_payoff_comes_before_help() -> None:
    """The nearest task is done in time anyway; at the other a player earns."""
    game = a_game([[0, 1]], [[0.0, 50.0]], tasks=2, expected_s=[60.0, 60.0], deadline_s=[200.0, 200.0])
    coalitions, choice = joined(game, 0.0), np.array([HOLD])
    respond(game, coalitions, choice, TOLERANCE)
    assert choice.tolist() == [1]


def test_of_equal_payoffs_the_nearest_is_taken() -> None:
    game = a_game([[1, 0]], [[10.0, 10.0]], tasks=2)
    choice = np.array([HOLD])
    respond(game, joined(game), choice, TOLERANCE)
    assert choice.tolist() == [0]


def test_players_choose_in_order() -> None:
    """Both want the better task, done in time by one; the first gets it."""
    game = a_game([[0, 1], [0, 1]], [[0.0, 0.0]] * 2, tasks=2, expected_s=[60.0] * 2, payment=[90.0, 80.0])
    choice = np.array([HOLD, HOLD])
    respond(game, Coalitions.empty(2, 2), choice, TOLERANCE)
    assert choice.tolist() == [0, 1]


# ---- annealing ----

# Player 0 takes the first task and finishes it in time: 90. Player 1 can do no other task; it would arrive at 70, after
# the work is done, so it holds. No player gains by another choice. But with player 0 at the second task, which pays 80
# in time, player 1 would finish the first at 130, 70 s late, and earn 27.
IN_THE_WAY = a_game(
    [[0, 1], [0, -1]],
    [[0.0, 0.0], [70.0, 0.0]],
    tasks=2,
    expected_s=[60.0, 60.0],
    deadline_s=[200.0, 200.0],
    payment=[90.0, 80.0],
)


def test_an_equilibrium_need_not_be_the_best() -> None:
    choice = np.array([HOLD, HOLD])
    coalitions = Coalitions.empty(2, 2)
    respond(IN_THE_WAY, coalitions, choice, TOLERANCE)
    assert choice.tolist() == [0, HOLD]
    assert potential(coalitions) == 90.0


def test_annealing_finds_a_better_equilibrium() -> None:
    choice = np.array([HOLD, HOLD])
    coalitions = Coalitions.empty(2, 2)
    settle(IN_THE_WAY, coalitions, choice, 100, np.random.default_rng(0))
    assert choice.tolist() == [1, 0]
    assert potential(coalitions) == pytest.approx(107.0)


class Script:
    """A generator that draws given numbers, and notes the choices at each draw."""

    def __init__(self, choice: np.ndarray, *draws: float) -> None:
        self.choice, self.draws = choice, list(draws)
        self.seen: list[list[int]] = []

    def random(self) -> float:
        self.seen.append(self.choice.tolist())
        return self.draws.pop(0)


@pytest.mark.parametrize(("luck", "accepted"), [(0.134, True), (0.137, False)])
def test_a_loss_is_accepted_by_the_temperature_of_the_move(luck: float, accepted: bool) -> None:
    """The player earns 54. At move 1 of 3 the temperature is 54 (1 / 8)^(1/3) = 27: it leaves by exp(-2) = 0.1353."""
    game = a_game([[0]], [[0.0]])
    choice = np.array([0])
    coalitions = chosen(game, [0])
    stay, leave_it = (0.0, 0.75, 0.5), (0.0, 0.25, luck)  # player, option, luck
    script = Script(choice, *stay, *leave_it, *stay)
    getattr(anneal, "py_func", anneal)(game, coalitions, choice, 3, 54.0, 54.0 / 8, TOLERANCE, script)
    assert script.seen[5] == [0]
    assert script.seen[6] == [HOLD if accepted else 0]
    assert choice.tolist() == [0]  # the best that was met
    assert potential(coalitions) == 54.0


# Draws of a move of `IN_THE_WAY`: player, option, luck (0: every loss is accepted).
FIRST_TAKES_0, FIRST_TAKES_1 = (0.0, 0.5, 0.0), (0.0, 0.9, 0.0)
SECOND_TAKES_0, SECOND_HOLDS = (0.5, 0.75, 0.0), (0.5, 0.25, 0.0)


def test_annealing_returns_to_the_best_that_was_met_and_not_to_the_last_that_was_better() -> None:
    """From nothing: 80, 107, 80, and 90 at the end, which is an equilibrium, too."""
    choice, coalitions = np.array([HOLD, HOLD]), Coalitions.empty(2, 2)
    moves = (*FIRST_TAKES_1, *SECOND_TAKES_0, *SECOND_HOLDS, *FIRST_TAKES_0)
    script = Script(choice, *moves)
    getattr(anneal, "py_func", anneal)(IN_THE_WAY, coalitions, choice, 4, 54.0, 54.0 / 8, TOLERANCE, script)
    assert script.draws == []
    assert choice.tolist() == [1, 0]


def test_a_gain_below_1_counts() -> None:
    """With payments of 0.9 and 0.8, from 0.9 by 0.8 to 1.07."""
    game = IN_THE_WAY._replace(payment=np.array([0.9, 0.8]))
    choice = np.array([0, HOLD])
    script = Script(choice, *FIRST_TAKES_1, *SECOND_TAKES_0)
    anneal_it = getattr(anneal, "py_func", anneal)
    anneal_it(game, chosen(game, [0, HOLD]), choice, 2, 0.54, 0.54 / 8, TOLERANCE, script)
    assert choice.tolist() == [1, 0]


def test_choices_are_set_and_those_that_are_right_stay() -> None:
    game = a_game([[0, 1]] * 4, [[0.0, 5.0], [1.0, 6.0], [2.0, 7.0], [3.0, 8.0]], tasks=2)
    choice, wanted = np.array([0, HOLD, 1, 0]), np.array([1, 0, 1, HOLD])
    coalitions = chosen(game, choice.tolist())
    adopt(game, coalitions, choice, wanted)
    assert choice.tolist() == wanted.tolist()
    assert coalitions.members.tolist() == [1, 2]
    assert coalitions.player[0, 0] == 1
    assert coalitions.player[1, :2].tolist() == [0, 2]
    assert coalitions.arrival_s[1, :2].tolist() == [5.0, 7.0]
    assert coalitions.paid.tolist() == chosen(game, wanted.tolist()).paid.tolist()


# ---- laws, on random games ----


def random_game(seed: int, players: int = 4, tasks: int = 3) -> Game:
    """Small and crowded: most choices affect another player."""
    generator = np.random.default_rng(seed)
    most = 3
    task = np.full((players, most), -1, np.int64)
    for player in range(players):
        options = generator.permutation(tasks)[: generator.integers(0, most + 1)]
        task[player, : len(options)] = options
    expected_s = generator.uniform(0, 60, tasks)
    return Game(
        task=task,
        arrival_s=generator.uniform(0, 60, (players, most)),
        work_left_s=generator.uniform(20, 200, tasks),
        expected_s=expected_s,
        deadline_s=expected_s + generator.uniform(20, 120, tasks),
        payment=generator.uniform(50, 150, tasks),
        penalty_per_s=np.full(tasks, generator.uniform(0.002, 0.02)),
    )


def plain_finish_s(game: Game, choice: tuple[int, ...], task: int) -> float:
    """When a task is done, in steps that end wherever the number of workers changes."""
    arrivals_s = sorted(
        float(game.arrival_s[player, option])
        for player, option in enumerate(choice)
        if option != HOLD and game.task[player, option] == task
    )
    left_s = float(game.work_left_s[task])
    for present, (from_s, to_s) in enumerate(zip(arrivals_s, [*arrivals_s, float("inf")][1:], strict=True), 1):
        if left_s / present <= to_s - from_s:
            return from_s + left_s / present
        left_s -= present * (to_s - from_s)
    return float("inf")


def plain_paid(game: Game, choice: tuple[int, ...], tasks: tuple[int, ...] | None = None) -> float:
    """The sum of payments, of all tasks or of some."""
    total = 0.0
    for task in range(len(game.payment)) if tasks is None else tasks:
        finished_s = plain_finish_s(game, choice, task)
        late_s = max(0.0, finished_s - game.expected_s[task])
        if finished_s < game.deadline_s[task]:
            total += max(0.0, 1 - game.penalty_per_s[task] * late_s) * game.payment[task]
    return total


def plain_response(game: Game, choice: list[int], player: int) -> int:
    """What a player chooses, by the words of `respond`."""

    def with_(option: int) -> tuple[int, ...]:
        return (*choice[:player], option, *choice[player + 1 :])

    def helps(option: int) -> bool:
        task = int(game.task[player, option])
        earlier = plain_finish_s(game, with_(option), task) < plain_finish_s(game, with_(HOLD), task) - 1e-6
        return plain_paid(game, with_(HOLD), (task,)) > 0 and earlier

    worth = {option: plain_paid(game, with_(option)) for option in options_of(game, player)}
    best = HOLD if worth[choice[player]] <= worth[HOLD] else choice[player]
    for option in options_of(game, player):
        best = option if worth[option] > worth[best] + 1e-9 else best
    if best == HOLD:
        useful = [option for option in (choice[player], *options_of(game, player)) if option != HOLD and helps(option)]
        best = useful[0] if useful else HOLD
    return best


def options_of(game: Game, player: int) -> list[int]:
    return [HOLD, *np.flatnonzero(game.task[player] >= 0).tolist()]


def assert_no_player_gains_alone(game: Game, choice: tuple[int, ...]) -> None:
    """The definition of a Nash equilibrium: a payoff is what the player's choice adds to the sum of payments."""
    for player in range(len(choice)):
        without = plain_paid(game, (*choice[:player], HOLD, *choice[player + 1 :]))
        own = plain_paid(game, choice) - without
        for option in options_of(game, player):
            other = plain_paid(game, (*choice[:player], option, *choice[player + 1 :])) - without
            assert other <= own + 1e-6, (player, option)


@pytest.mark.parametrize("seed", range(5))
def test_the_sum_of_payments_is_an_exact_potential(seed: int) -> None:
    """At every joint choice, and for every change of one player."""
    game = random_game(seed)
    for choice in product(*(options_of(game, player) for player in range(4))):
        coalitions = chosen(game, list(choice))
        assert potential(coalitions) == pytest.approx(plain_paid(game, choice))
        for player, option in enumerate(choice):
            if option == HOLD:
                continue
            leave(game, coalitions, game.task[player, option], player)
            alone = plain_paid(game, (*choice[:player], HOLD, *choice[player + 1 :]))
            gain = payoff(game, coalitions, game.task[player, option], game.arrival_s[player, option])
            assert gain == pytest.approx(plain_paid(game, choice) - alone, abs=1e-9)
            join(game, coalitions, game.task[player, option], player, game.arrival_s[player, option])


@pytest.mark.parametrize("seed", range(60))
def test_best_responses_end_in_a_nash_equilibrium(seed: int) -> None:
    game = random_game(seed, players=6)
    choice = np.full(6, HOLD)
    coalitions = Coalitions.empty(3, 6)
    respond(game, coalitions, choice, TOLERANCE)
    assert_no_player_gains_alone(game, tuple(choice.tolist()))
    assert potential(coalitions) == pytest.approx(plain_paid(game, tuple(choice.tolist())))


@pytest.mark.parametrize("seed", range(60))
def test_the_potential_never_falls_under_best_response(seed: int) -> None:
    """One response after the other, in plain Python: the potential never falls, and the end is the same."""
    game = random_game(seed, players=6)
    choice = [HOLD] * 6
    reached = plain_paid(game, tuple(choice))
    quiet = 0
    while quiet < 6:
        for player in range(6):
            best = plain_response(game, choice, player)
            quiet = quiet + 1 if best == choice[player] else 0
            choice[player] = best
            now = plain_paid(game, tuple(choice))
            assert now >= reached - 1e-9
            reached = now
    compiled = np.full(6, HOLD)
    respond(game, Coalitions.empty(3, 6), compiled, 1e-9)
    assert compiled.tolist() == choice


def test_without_help_who_gains_nothing_holds() -> None:
    """Expected at 60, and one is there from 0: a second one earns nothing more, but the task is done at 30."""
    game = a_game([[0]], [[0.0]], expected_s=[60.0])
    choice = np.full(1, HOLD)
    respond(game, joined(game, 0.0), choice, TOLERANCE)
    assert choice.tolist() == [0]
    choice = np.full(1, HOLD)
    respond(game, joined(game, 0.0), choice, TOLERANCE, np.inf)
    assert choice.tolist() == [HOLD]


@pytest.mark.parametrize("seed", range(60))
def test_annealing_returns_no_less_than_the_equilibrium_and_one_itself(seed: int) -> None:
    game = random_game(seed, players=6)
    choice = np.full(6, HOLD)
    coalitions = Coalitions.empty(3, 6)
    respond(game, coalitions, choice, TOLERANCE)
    before = potential(coalitions)
    anneal(game, coalitions, choice, 60, 10.0, 0.1, TOLERANCE, np.random.default_rng(seed))
    after = potential(coalitions)
    assert after >= before - 1e-9
    assert after == pytest.approx(plain_paid(game, tuple(choice.tolist())))
    assert_no_player_gains_alone(game, tuple(choice.tolist()))


def test_annealing_does_find_better_ones() -> None:
    gains = []
    for seed in range(60):
        game = random_game(seed, players=6)
        choice, coalitions = np.full(6, HOLD), Coalitions.empty(3, 6)
        respond(game, coalitions, choice, TOLERANCE)
        before = potential(coalitions)
        anneal(game, coalitions, choice, 120, 10.0, 0.1, TOLERANCE, np.random.default_rng(seed))
        gains.append(potential(coalitions) > before + 1.0)
    assert sum(gains) >= 5
