"""Choices in turn: who is next, what is legal, what a join adds; by hand and against sums of payments in plain Python.

The task of the tests by hand, unless they say otherwise: 60 worker-seconds, expected in 20 s, due in 100 s, paying 90,
of which a hundredth is lost with every second of delay. Who arrives at 10 alone earns 45, with another at 20: 67.5.
"""

from itertools import pairwise

import numpy as np
import pytest

from crowdgym.agents.csc.pau_game import COMMITTED, HOLD, Coalitions, Game, join
from crowdgym.agents.csc.turns import NO_PLAYER, Turns, apply_choice, next_player, start_turns, take_turns


def a_game(task: list[list[int]], arrival_s: list[list[float]], **others: list[float]) -> Game:
    plain = {"work_left_s": [60.0], "expected_s": [20.0], "deadline_s": [100.0], "payment": [90.0]}
    values = {name: np.array(value) for name, value in {**plain, **others}.items()}
    penalty = np.full(len(values["payment"]), 0.01)
    return Game(np.array(task, np.int64), np.array(arrival_s, np.float64), penalty_per_s=penalty, **values)


def started(game: Game, *committed: tuple[int, float]) -> Turns:
    """The turns of a game in which some are at a task, or will be at the given time."""
    coalitions = Coalitions.empty(len(game.payment), len(game.task) + len(committed) + 1)
    for task, arrival_s in committed:
        join(game, coalitions, task, COMMITTED, arrival_s)
    return start_turns(game, coalitions)


def random_turns(seed: int, players: int = 7, tasks: int = 4) -> tuple[Turns, list[tuple[int, float]]]:
    """A game of random candidates, and who is committed in it."""
    draw = np.random.default_rng(seed)
    task = np.full((players, 3), -1)
    arrival_s = np.zeros((players, 3))
    for player in range(players):
        count = int(draw.integers(1, 4))
        task[player, :count] = draw.permutation(tasks)[:count]
        arrival_s[player, :count] = np.sort(draw.uniform(0, 60, count))
    game = Game(
        task,
        arrival_s,
        draw.uniform(20, 200, tasks),
        draw.uniform(0, 60, tasks),
        draw.uniform(60, 150, tasks),
        draw.uniform(50, 150, tasks),
        np.full(tasks, 0.01),
    )
    committed = [(int(draw.integers(tasks)), float(draw.uniform(0, 40))) for _ in range(2)]
    return started(game, *committed), committed


def paid(game: Game, task: int, arrivals_s: list[float]) -> float:
    """The payment of a coalition, played second by second event in plain Python."""
    left = game.work_left_s[task]
    finished_s = np.inf
    for present, (now_s, until_s) in enumerate(pairwise([*sorted(arrivals_s), np.inf]), 1):
        if left <= present * (until_s - now_s):
            finished_s = now_s + left / present
            break
        left -= present * (until_s - now_s)
    if finished_s >= game.deadline_s[task]:
        return 0.0
    late_s = max(0.0, finished_s - game.expected_s[task])
    return float(max(0.0, 1 - game.penalty_per_s[task] * late_s) * game.payment[task])


def expected_gains(turns: Turns, committed: list[tuple[int, float]], player: int, option: int) -> tuple[float, float]:
    """What a join adds alone and with the nearest other waiting player, by the definition."""
    game = turns.game
    task, own_s = int(game.task[player, option]), float(game.arrival_s[player, option])
    there = [arrival_s for where, arrival_s in committed if where == task]
    others = []
    for other in range(len(turns.choice)):
        if turns.choice[other] != HOLD and game.task[other, turns.choice[other]] == task:
            there.append(float(game.arrival_s[other, turns.choice[other]]))
        may = np.flatnonzero(game.task[other] == task)
        if other != player and turns.waiting[other] and len(may):
            others.append(float(game.arrival_s[other, may[0]]))
    without = paid(game, task, there)
    alone = paid(game, task, [*there, own_s]) - without
    together = paid(game, task, [*there, own_s, min(others)]) - without if others else alone
    return alone, together


def assert_rows_are_right(turns: Turns, committed: list[tuple[int, float]]) -> None:
    for player in np.flatnonzero(turns.waiting).tolist():
        for option in range(turns.gain.shape[1]):
            if turns.game.task[player, option] < 0:
                assert not turns.legal[player, option]
                continue
            alone, together = expected_gains(turns, committed, player, option)
            assert turns.alone[player, option] == pytest.approx(alone, abs=1e-9)
            assert turns.together[player, option] == pytest.approx(together, abs=1e-9)
            assert turns.gain[player, option] == pytest.approx(max(alone, together / 2), abs=1e-9)
            assert turns.legal[player, option] == (max(alone, together) > 1e-6)


# ---- what a join adds ----


def test_a_join_alone_adds_its_payment() -> None:
    turns = started(a_game([[0]], [[10.0]]))
    assert turns.alone[0, 0] == turns.together[0, 0] == turns.gain[0, 0] == 45.0


def test_a_pair_adds_its_payment_to_both_and_a_half_of_it_counts() -> None:
    turns = started(a_game([[0], [0]], [[10.0], [20.0]]))
    assert turns.alone[:, 0].tolist() == [45.0, 90 * (1 - 0.6)]  # done at 70 and at 80
    assert turns.together[:, 0].tolist() == [67.5, 67.5]
    assert turns.gain[:, 0].tolist() == [45.0, 36.0]  # both more than 33.75


def test_a_join_that_adds_nothing_alone_is_legal_if_it_does_in_a_pair() -> None:
    """120 worker-seconds: one who arrives at 10 is done at 130, too late; two are at 10 + 120 / 2 = 70 and earn 45."""
    turns = started(a_game([[0], [0]], [[10.0], [10.0]], work_left_s=[120.0]))
    assert turns.alone.tolist() == [[0.0], [0.0]]
    assert turns.together.tolist() == [[45.0], [45.0]]
    assert turns.gain.tolist() == [[22.5], [22.5]]
    assert turns.legal.all()
    apply_choice(turns, 0, 0)
    assert turns.alone[1, 0] == 45.0


def test_who_has_chosen_to_hold_is_no_partner_any_more() -> None:
    turns = started(a_game([[0], [0]], [[10.0], [10.0]], work_left_s=[120.0]))
    apply_choice(turns, 0, HOLD)
    assert not turns.legal[1, 0]
    assert next_player(turns) == NO_PLAYER


def test_the_partner_is_the_nearest_of_those_who_wait() -> None:
    turns = started(a_game([[0], [0], [0]], [[30.0], [10.0], [20.0]]))
    assert turns.together[0, 0] == pytest.approx(90 * (1 - 0.01 * (30 + 40 / 2 - 20)))  # with the one at 10
    apply_choice(turns, 1, HOLD)
    assert turns.together[0, 0] == pytest.approx(90 * (1 - 0.01 * (30 + 50 / 2 - 20)))  # with the one at 20


def test_a_task_done_in_time_without_one_is_no_legal_join() -> None:
    turns = started(a_game([[0]], [[5.0]], work_left_s=[10.0]), (0, 0.0))
    assert turns.alone[0, 0] == 0.0
    assert not turns.legal[0, 0]


@pytest.mark.parametrize("seed", range(40))
def test_gains_and_masks_agree_with_sums_of_payments_after_every_choice(seed: int) -> None:
    """Choices of legal and illegal joins and of holding, by random players."""
    turns, committed = random_turns(seed)
    draw = np.random.default_rng(seed)
    assert_rows_are_right(turns, committed)
    for player in draw.permutation(len(turns.choice)).tolist():
        options = np.flatnonzero(turns.game.task[player] >= 0)
        apply_choice(turns, player, int(draw.choice([HOLD, *options])))
        assert_rows_are_right(turns, committed)


# ---- the order ----


def test_the_largest_gain_is_first_and_ties_go_to_the_first_player() -> None:
    turns = started(a_game([[0], [1], [1]], [[10.0], [10.0], [10.0]], **two_tasks(90.0, 180.0)))
    assert next_player(turns) == 1
    apply_choice(turns, 1, 0)
    assert next_player(turns) == 2  # done at 40 in place of 70: 0.3 of 180 is more than 0.5 of 90
    apply_choice(turns, 2, 0)
    assert next_player(turns) == 0


def two_tasks(*payment: float) -> dict[str, list[float]]:
    twice = {"work_left_s": 60.0, "expected_s": 20.0, "deadline_s": 100.0}
    return {name: [value, value] for name, value in twice.items()} | {"payment": list(payment)}


@pytest.mark.parametrize("seed", range(40))
def test_each_takes_its_favourite_of_the_legal_joins_in_order_of_gain(seed: int) -> None:
    compiled, committed = random_turns(seed)
    preference = np.random.default_rng(seed).random(compiled.gain.shape)
    take_turns(compiled, preference)
    turns, _ = random_turns(seed)
    while turns.legal[turns.waiting].any():
        most = np.where(turns.legal & turns.waiting[:, np.newaxis], turns.gain, -1.0).max(axis=1)
        player = int(most.argmax())
        assert next_player(turns) == player
        option = int(np.where(turns.legal[player], preference[player], -1.0).argmax())
        alone, together = expected_gains(turns, committed, player, option)
        assert max(alone, together) > 0.0
        apply_choice(turns, player, option)
    assert next_player(turns) == NO_PLAYER
    assert compiled.choice.tolist() == turns.choice.tolist()


def test_the_gains_themselves_may_be_the_preference() -> None:
    """The second of two equal tasks is better once a worker is at the first: 67.5 - 45 = 22.5 is less than 45."""
    turns = started(a_game([[0, 1], [0, 1]], [[10.0, 10.0], [20.0, 20.0]], **two_tasks(90.0, 90.0)))
    take_turns(turns, turns.gain)
    assert turns.choice.tolist() == [0, 1]


def test_of_equal_preferences_the_nearest_is_taken() -> None:
    turns = started(a_game([[1, 0]], [[10.0, 10.0]], **two_tasks(90.0, 90.0)))
    take_turns(turns, np.zeros((1, 2)))
    assert turns.choice.tolist() == [0]
