"""Who decides at an epoch of CSC, what it sees and what it may do, for policies with a network.

One `TurnTaking` is one copy of the environment; the collector of training and the policy that plays both use it, so
training and play are the same. At every epoch:

    taking.begin(seen, candidates)
    while (asked := taking.ask()) is not None:
        taking.answer(...)  # an action for each row of asked
    taking.actions  # the joint action

With ``turns``, `ask` names one worker at a time, and its row counts what others have chosen earlier in the same epoch.
A worker that held is asked again only when something has changed for it: see `CHANGE`.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.csc.observation_reader import DispatchState, Reader
from crowdgym.agents.csc.pau_game import HOLD, Floats, Ints
from crowdgym.agents.csc.turns import NO_PLAYER, Flags, Turns, apply_choice, start_turns
from crowdgym.agents.policy import Episode
from crowdgym.common.errors import ConfigError
from crowdgym.common.jit import jit
from crowdgym.common.layout import ObservationLayout, ObservationSet
from crowdgym.configs.learning import RolloutSettings

CHANGE: Final = 0.01  # a worker that held decides again if a gain differs by more than this share of it; assumption
GAIN_FEATURES: Final = ("gain_alone", "gain_together", "gain")  # columns that ``gain_features`` adds to T_optional
_CANDIDATES: Final = "T_optional"


@dataclass(frozen=True)
class Asked:
    """Workers that decide now: one in turn, or all at once. Shapes [M], [M, F], [M, A] and [M, K].

    ``alone``, ``together`` and ``gain`` are those of `crowdgym.agents.csc.turns.Turns`, in currency; ``candidates`` are
    ids of tasks, -1 for none.
    """

    workers: Ints
    observations: NDArray[np.float32]
    masks: Flags
    candidates: Ints
    alone: Floats
    together: Floats
    gain: Floats


def takes_turns(settings: RolloutSettings) -> bool:
    """Whether the settings need `TurnTaking`: with all of them off, workers choose at once by the mask of the infos."""
    return settings.turns != "none" or settings.mask_idle_gain or settings.gain_features


def network_sets(layout: ObservationLayout, settings: RolloutSettings) -> tuple[ObservationSet, ...]:
    """The sets of the network's input: those of an observation, with `GAIN_FEATURES` if the settings ask for them.

    Raises:
        ConfigError: the settings need observations of ``csc_v0``.
    """
    names = [part.name for part in layout]
    if takes_turns(settings) and _CANDIDATES not in names:
        raise ConfigError(
            "turns, mask_idle_gain and gain_features need observations of csc_v0, which have a set 'T_optional'; "
            f"got the sets {', '.join(names)}"
        )
    if not settings.gain_features:
        return layout.sets
    wider = [(part.name, part.rows, part.features + GAIN_FEATURES * (part.name == _CANDIDATES)) for part in layout]
    return ObservationLayout.of(wider).sets


class TurnTaking:
    """The turns of one episode.

    Args:
        episode: what a policy may know of it.
        settings: of the learner.
    """

    def __init__(self, episode: Episode, settings: RolloutSettings) -> None:
        self.settings = settings
        width = int(np.prod(episode.observation_space.shape or (0,)))
        self._reader = Reader(episode)
        self._optional = ObservationLayout.from_metadata(episode.metadata, width)[_CANDIDATES]
        self._en_route = self._optional.column("workers_en_route")
        self._crew_scale = self._optional.scale("workers_en_route")
        self._payment_scale = self._optional.scale("payment_now")
        shape = (len(episode.agents), self._optional.rows)
        self._memory = HeldGains(np.zeros(shape[0], np.bool_), np.full(shape, -1), np.zeros(shape))
        self._workers = shape[0]

    def begin(self, seen: NDArray[np.float32], candidates: Ints) -> None:
        """Begin an epoch.

        Args:
            seen: the observations of all workers, [W, F].
            candidates: the ids of their candidates, [W, K].
        """
        self.actions = np.zeros(self._workers, np.int64)  # [W]
        self._seen = seen
        self._now = self._reader.read_rows(seen, candidates)
        self._waits = len(self._now.players) > 0
        if self._waits:
            self._turns = start_turns(self._now.game, self._now.coalitions)
            self._may = self._turns.legal if self.settings.mask_idle_gain else self._now.game.task >= 0
            self._joined = np.zeros(len(self._now.game.payment), np.int64)  # choices of this epoch by task
            self._before = self._memory.of_players(self._now)

    def ask(self) -> Asked | None:
        """Who decides now; None when this epoch is done. Every worker that is asked has to be answered."""
        self._players = self._next_players() if self._waits else np.zeros(0, np.int64)
        return self._asked(self._players) if len(self._players) else None

    def answer(self, actions: Ints) -> None:
        """The actions of the workers that were asked, [M]: 0 to hold, i to join the i-th candidate."""
        for player, action in zip(self._players.tolist(), actions.tolist(), strict=True):
            worker, option = int(self._now.players[player]), action - 1
            self.actions[worker] = action
            self._memory.note(worker, self._now.options[player], self._turns.gain[player], held=option == HOLD)
            if option != HOLD:
                self._joined[self._now.game.task[player, option]] += 1
                self._reader.note_sent(worker, int(self._now.options[player, option]))
            if self.settings.turns != "none":
                apply_choice(self._turns, player, option)

    def _next_players(self) -> Ints:
        if self.settings.turns == "none":
            self._waits = False
            return np.flatnonzero(self._may.any(axis=1))
        player = next_decider(self._turns, self._may, self._before, self.settings.turns == "gain")
        return np.zeros(0, np.int64) if player == NO_PLAYER else np.array([player])

    def _asked(self, players: Ints) -> Asked:
        turns, workers = self._turns, self._now.players[players]
        legal = np.ones((len(players), self._may.shape[1] + 1), np.bool_)
        legal[:, 1:] = self._may[players]
        gains = (turns.alone[players], turns.together[players], turns.gain[players])
        rows = self._rows(self._seen[workers], self._now.game.task[players], gains)
        return Asked(workers, rows, legal, self._now.options[players], *gains)

    def _rows(self, seen: NDArray[np.float32], task: Ints, gains: tuple[Floats, Floats, Floats]) -> NDArray[np.float32]:
        """The network's input, [M, F]: observations with this epoch's choices, and with the gains if asked for."""
        candidates = self._optional.take(seen)  # [M, K, features], a view of ``seen``, which is a copy
        chosen = np.where(task >= 0, self._joined[task], 0) / self._crew_scale
        candidates[..., self._en_route] = np.minimum(1.0, candidates[..., self._en_route] + chosen)
        if not self.settings.gain_features:
            return seen
        scaled = np.stack(gains, axis=2) / self._payment_scale
        wider = np.concatenate([candidates, np.clip(scaled, -1.0, 1.0).astype(np.float32)], axis=2)
        ends = seen[:, : self._optional.start], seen[:, self._optional.stop :]
        return np.concatenate([ends[0], wider.reshape(len(seen), -1), ends[1]], axis=1)


class HeldGains(NamedTuple):
    """What each worker could gain when it last held. W workers, K candidates.

    Attributes:
        held: whether its last decision was to hold. Shape [W].
        task: ids of its candidates then, -1 for none. Shape [W, K].
        gain: their gains then, in currency. Shape [W, K].
    """

    held: Flags
    task: Ints
    gain: Floats

    def note(self, worker: int, task: Ints, gain: Floats, *, held: bool) -> None:
        """Remember a decision."""
        self.held[worker], self.task[worker], self.gain[worker] = held, task, gain

    def of_players(self, now: DispatchState) -> "HeldGains":
        """The same of the n players of an epoch, with their present candidates; see `in_present_order`."""
        then = HeldGains(self.held[now.players], self.task[now.players], self.gain[now.players])
        return in_present_order(then, now.options)


@jit
def in_present_order(then: HeldGains, options: Ints) -> HeldGains:
    """Earlier gains in the order of the present candidates, ``options``: 0 for a candidate that is new.

    Who had a gain at a task that is no candidate any more has something to decide, as if it had not held.
    """
    now = HeldGains(then.held.copy(), options, np.zeros(options.shape))
    for player in range(len(options)):
        for earlier in range(then.task.shape[1]):
            if then.task[player, earlier] < 0 or then.gain[player, earlier] <= 0.0:
                continue
            found = False
            for option in range(options.shape[1]):
                if options[player, option] == then.task[player, earlier]:
                    now.gain[player, option] = then.gain[player, earlier]
                    found = True
            if not found:
                now.held[player] = False
    return now


@jit
def next_decider(turns: Turns, may: Flags, before: HeldGains, by_gain: bool) -> int:
    """The waiting player that decides next, or `NO_PLAYER`.

    Args:
        turns: the turns of an epoch.
        may: which candidates each player may join. Shape [n, K].
        before: the gains of the players when they last held.
        by_gain: the largest gain first; else in the order of players: longest idle first.
    """
    best, most = NO_PLAYER, -np.inf
    for player in range(len(turns.waiting)):
        if not turns.waiting[player]:
            continue
        largest, changed = -np.inf, not before.held[player]
        for option in range(may.shape[1]):
            gain, then = turns.gain[player, option], before.gain[player, option]
            if abs(gain - then) > max(turns.tolerance[0], CHANGE * max(gain, then)):
                changed = True
            if may[player, option]:
                largest = max(largest, gain)
        if changed and largest > most:
            best, most = player, largest
            if not by_gain:
                return best
    return best
