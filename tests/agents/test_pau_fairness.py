"""The fair variant of PAU, on the games of `test_pau_game`."""

import numpy as np
import pytest
from test_pau_game import TOLERANCE, a_game, chosen, options_of, random_game

from crowdgym.agents.csc.pau_game import HOLD, Coalitions, fair_utility, potential, respond_fairly


def test_a_fair_share_is_by_marginal_contribution() -> None:
    """Arrivals at 10 (player 0) and 20 (player 1) earn 67.5; without 0 it is 36, without 1 it is 45.

    Marginal contributions are 31.5 and 22.5, so shares are 67.5 · 31.5 / 54 = 39.375 and 28.125.
    """
    game = a_game([[0], [0]], [[10.0], [20.0]])
    coalitions = chosen(game, [0, 0])
    assert fair_utility(game, coalitions, 0, 0, 0.5) == pytest.approx(39.375)
    assert fair_utility(game, coalitions, 0, 1, 0.5) == pytest.approx(28.125)  # no envy of the one who came before


def test_envy_is_of_those_of_lower_priority_who_get_more() -> None:
    """The same, the first to choose arriving later: it misses 39.375 - 28.125 = 11.25, of which half is taken off."""
    game = a_game([[0], [0]], [[20.0], [10.0]])
    coalitions = chosen(game, [0, 0])
    assert fair_utility(game, coalitions, 0, 0, 0.5) == pytest.approx(28.125 - 0.5 * 11.25)
    assert fair_utility(game, coalitions, 0, 1, 0.5) == pytest.approx(39.375)


def test_shares_and_envy_among_three() -> None:
    """All three earn 72. Without the one who arrives at 10 it is 58.5, at 20 it is 63, at 30 it is 67.5.

    Marginal contributions are 13.5, 9 and 4.5, so shares are 36, 24 and 12. The first to choose arrives last: it is
    12 and 24 behind the others, 18 in the mean; the second is 12 behind one of the two others.
    """
    by_arrival = chosen(a_game([[0]] * 3, [[10.0], [20.0], [30.0]]), [0, 0, 0])
    last_first = chosen(a_game([[0]] * 3, [[30.0], [20.0], [10.0]]), [0, 0, 0])
    game = a_game([[0]] * 3, [[0.0]] * 3)
    assert [fair_utility(game, by_arrival, 0, player, 0.5) for player in range(3)] == pytest.approx([36, 24, 12])
    assert [fair_utility(game, last_first, 0, player, 0.5) for player in range(3)] == pytest.approx([3, 21, 36])


def test_who_is_needless_has_no_share() -> None:
    game = a_game([[0], [0]], [[0.0], [0.0]], expected_s=[60.0])
    coalitions = chosen(game, [0, 0])
    assert fair_utility(game, coalitions, 0, 0, 0.5) == 0.0  # both are: each alone would do


def test_fair_responses_end_in_an_equilibrium_where_there_is_one() -> None:
    found = 0
    for seed in range(20):
        game = random_game(seed, players=6)
        choice = np.full(6, HOLD)
        coalitions = Coalitions.empty(3, 7)
        if not respond_fairly(game, coalitions, choice, 10, 0.5, TOLERANCE):
            continue
        found += 1
        for player, own in enumerate(choice.tolist()):
            worth = {HOLD: 0.0}
            for option in options_of(game, player)[1:]:
                changed = [*choice[:player].tolist(), option, *choice[player + 1 :].tolist()]
                worth[option] = fair_utility(game, chosen(game, changed), int(game.task[player, option]), player, 0.5)
            assert max(worth.values()) <= worth[own] + 1e-6
    assert found >= 10


def test_fair_responses_without_an_end_leave_the_best_behind() -> None:
    """One round is too short to see that no player changes."""
    game = a_game([[0]], [[10.0]])
    choice, coalitions = np.array([HOLD]), Coalitions.empty(1, 1)
    assert not respond_fairly(game, coalitions, choice, 1, 0.5, TOLERANCE)
    assert choice.tolist() == [0]
    assert potential(coalitions) == 45.0
