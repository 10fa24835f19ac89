"""PAU: workers form coalitions, one game an epoch (the baseline of that name in the CAFE paper, section 5.1)."""

from typing import Final

import numpy as np

from crowdgym.agents.csc.observation_reader import DispatchState, Reader
from crowdgym.agents.csc.pau_game import HOLD, TOLERANCE, Ints, mean_payment, respond_fairly, settle
from crowdgym.agents.policy import Actions, Episode, Infos, Observations

MOVES_PER_PLAYER: Final = 10  # of the annealing; assumption
ENVY: Final = 0.5  # of the fairness variant; assumption
ROUNDS: Final = 20  # of the fairness variant, which may have no equilibrium


class PauPolicy:
    """At every epoch the idle workers play the game of `crowdgym.agents.csc.pau_game`, and act on its outcome.

    Players choose in order of arrival: those idle for longest first. Best responses from
    the empty choice lead to a Nash equilibrium, and simulated annealing around it to one of no lower potential. Finish
    times of coalitions are exact: they follow from the work left and from when each member, on its way or candidate,
    arrives.

    It reads observations and infos only. An action takes about as long as a step of the environment.
    """

    _reader: Reader
    _generator: np.random.Generator

    def reset(self, episode: Episode) -> None:
        """See `crowdgym.agents.policy.EpisodicPolicy`."""
        self._reader = Reader(episode)
        self._generator = np.random.default_rng(episode.seed)

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        actions = dict.fromkeys(infos, 0)
        now = self._reader.read(observations, infos)
        if len(now.players):
            choice = self.choose(now)
            for row in np.flatnonzero(choice != HOLD).tolist():
                worker, option = int(now.players[row]), int(choice[row])
                actions[now.agents[worker]] = option + 1
                self._reader.note_sent(worker, int(now.options[row, option]))
        return actions

    def choose(self, now: DispatchState) -> Ints:
        """The candidate that each player joins, or `HOLD`. Shape [n]."""
        choice = np.full(len(now.players), HOLD, np.int64)
        settle(now.game, now.coalitions, choice, MOVES_PER_PLAYER * len(choice), self._generator)
        return choice


class UnhelpfulPauPolicy(PauPolicy):
    """PAU without its rule that a player who gains nothing helps where a coalition then finishes earlier.

    To help costs no payment now, but the helper is bound until the task ends, and misses what appears meanwhile.
    """

    def choose(self, now: DispatchState) -> Ints:
        """See `PauPolicy`."""
        choice = np.full(len(now.players), HOLD, np.int64)
        settle(now.game, now.coalitions, choice, MOVES_PER_PLAYER * len(choice), self._generator, np.inf)
        return choice


class FairPauPolicy(PauPolicy):
    """PAU with priority-aware fairness: payments are split by marginal contribution, and envy counts.

    A player joins where its `fair_utility` is highest. That need not be a potential game, so there is no annealing,
    and best responses end after `ROUNDS` if not in an equilibrium.
    """

    def choose(self, now: DispatchState) -> Ints:
        """See `PauPolicy`."""
        choice = np.full(len(now.players), HOLD, np.int64)
        respond_fairly(now.game, now.coalitions, choice, ROUNDS, ENVY, TOLERANCE * mean_payment(now.game))
        return choice
