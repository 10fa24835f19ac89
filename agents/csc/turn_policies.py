"""Rules without learning in turn: the controls that every learner of ``csc_v0`` has to beat.

Within an epoch idle workers choose one after the other, the one with the largest gain first, and only joins that add
payment are legal (`crowdgym.agents.csc.turns`). What is left to a rule is which of its legal joins a worker takes.
"""

from abc import abstractmethod

import numpy as np

from crowdgym.agents.csc.observation_reader import DispatchState
from crowdgym.agents.csc.pau import PauPolicy
from crowdgym.agents.csc.pau_game import Floats, Ints
from crowdgym.agents.csc.turns import Turns, start_turns, take_turns


class TurnPolicy(PauPolicy):
    """Acts as `PauPolicy` does, but the players of an epoch choose in turn."""

    def choose(self, now: DispatchState) -> Ints:
        """See `PauPolicy`."""
        turns = start_turns(now.game, now.coalitions)
        take_turns(turns, self.preference(turns))
        return turns.choice

    @abstractmethod
    def preference(self, turns: Turns) -> Floats:
        """How much each player likes each candidate. Shape [n, K]."""


class RandomTurnPolicy(TurnPolicy):
    """Any legal join, each as likely as the others."""

    def preference(self, turns: Turns) -> Floats:
        """See `TurnPolicy`."""
        return self._generator.random(turns.gain.shape)


class NearestTurnPolicy(TurnPolicy):
    """The nearest legal join."""

    def preference(self, turns: Turns) -> Floats:
        """See `TurnPolicy`."""
        return np.negative(turns.game.arrival_s)


class LargestGainTurnPolicy(TurnPolicy):
    """The legal join of the largest gain; a half of a pair counts half of what the pair adds."""

    def preference(self, turns: Turns) -> Floats:
        """See `TurnPolicy`."""
        return turns.gain
