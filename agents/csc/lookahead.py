"""A planner of ours: coalitions of idle and soon-idle workers, formed together, a worker's time at a price."""

from typing import Final

import numpy as np

from crowdgym.agents.csc.lookahead_reader import Lookahead, LookaheadReader
from crowdgym.agents.csc.observation_reader import DispatchState
from crowdgym.agents.csc.pau_game import HOLD, Ints
from crowdgym.agents.csc.priced_coalitions import (
    PricedGame,
    commit,
    empty_coalitions,
    form_coalitions,
)
from crowdgym.agents.policy import Actions, Episode, Infos, Observations

# Chosen on instances of seeds 3,000,000 and on of the paper's scenarios.
HORIZON_S: Final = 200.0  # who becomes idle within it is a player that reserves
PRICE: Final = 0.2e-3  # of a worker's second where all workers are busy, as a share of the mean payment
SCARCITY: Final = 1.0  # the price is proportional to this power of the share of workers that are busy
SKILL_PREMIUM: Final = 1.0  # by which the price is higher for twice as many skills as the mean


class LookaheadPolicy:
    """Plans coalitions of the idle workers and of those that become idle soon, and acts on the part of the idle ones.

    At every epoch the idle workers and those that become idle within `HORIZON_S` play the game of
    `crowdgym.agents.csc.priced_coalitions`, all of them holding at first. A worker that is not idle yet only reserves:
    its choice keeps others from a task, or makes it worth beginning, and is made anew at the next epoch. A worker's
    second has a price, which rises with the share of workers that are busy and with the worker's skills, so a join has
    to earn more than the same time is likely to earn elsewhere.

    It reads observations and infos only, and draws nothing at random.
    """

    _reader: LookaheadReader

    def reset(self, episode: Episode) -> None:
        """See `crowdgym.agents.policy.EpisodicPolicy`."""
        self._reader = LookaheadReader(episode, HORIZON_S)

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        actions = dict.fromkeys(infos, 0)
        now = self._reader.read(observations, infos)
        if len(now.players):
            choice = plan(now, self._reader.look_ahead(now, observations))
            for row in np.flatnonzero(choice != HOLD).tolist():
                worker, option = int(now.players[row]), int(choice[row])
                actions[now.agents[worker]] = option + 1
                self._reader.note_sent(worker, int(now.options[row, option]))
        return actions


def plan(now: DispatchState, ahead: Lookahead) -> Ints:
    """The candidate that each idle worker joins, or `HOLD`. Shape [n]."""
    relative = ahead.num_skills / max(1e-9, float(ahead.num_skills.mean()))  # [W]
    scarcity = ahead.busy_share**SCARCITY
    price = PRICE * ahead.mean_payment * scarcity * np.maximum(0.0, 1.0 + SKILL_PREMIUM * (relative - 1.0))
    deadline_s = np.minimum(now.game.deadline_s, ahead.left_s)  # what is finished after the end is not paid
    players = np.concatenate([now.players, ahead.soon])
    game = now.game._replace(
        task=np.concatenate([now.game.task, ahead.game.task]),
        arrival_s=np.concatenate([now.game.arrival_s, ahead.game.arrival_s]),
        deadline_s=deadline_s,
    )
    start_s = np.concatenate([np.zeros(len(now.players)), ahead.ready_s])
    priced = PricedGame(game, start_s, price[players])
    coalitions = empty_coalitions(len(game.payment), len(price) + 1)
    commit(game, coalitions, ahead.busy_task, ahead.busy_arrival_s, price[ahead.busy])
    return form_coalitions(priced, coalitions)[: len(now.players)]
