"""What the platform knows at an epoch of CSC about who may join what, read from observations and infos alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.pau.game import COMMITTED, Coalitions, Floats, Game, Ints, join
from crowdgym.agents.policy import Episode, Infos, Observations

SPEED_MPS: Final = 10.0  # CAFE paper, section 5.1; taken until somebody has been seen on the way
SEEN_S: Final = 1.0  # a way or a delay at least this long tells a rate
SEEN_SHARE: Final = 1e-3  # a payment at least this share of what it was tells a rate


@dataclass(frozen=True)
class Situation:
    """The game of one epoch. n idle workers who have a candidate, m tasks that are somebody's candidate.

    Attributes:
        agents: names of all workers, by number.
        players: numbers of the idle workers, those idle for longest first. Shape [n].
        options: ids of their candidates, -1 for none. Shape [n, K].
        game: what they may join.
        coalitions: those at the tasks or on their way; there is room for everybody.
    """

    agents: tuple[str, ...]
    players: Ints
    options: Ints
    game: Game
    coalitions: Coalitions


class Reader:
    """Reads situations, and remembers what an observation does not say: who was sent where, what a task pays at most.

    Speed and penalty rate are in no observation either. The speed is seen when somebody is on the way (distance over
    time left), the penalty rate when a task is late (payment now over the most it pays). Before that, the paper's 10
    m/s and a payment that falls to zero at the deadline stand in for them.
    """

    def __init__(self, episode: Episode) -> None:
        layout: Mapping[str, Any] = episode.metadata["observation_layout"]
        self._agents = episode.agents
        self._own = _Columns(layout["w_self"])
        self._busy_at = _Columns(layout["own_task"])
        self._optional = layout["T_optional"]
        self._feature = {name: i for i, name in enumerate(self._optional["features"])}
        self._unit = dict(zip(self._optional["features"], map(_amount, self._optional["units"]), strict=True))
        self._sent_to = np.full(len(self._agents), -1, np.int64)  # the task of the latest action
        self._idle_since = np.full(len(self._agents), -1, np.int64)  # the epoch; -1 while not idle
        self._epoch = 0
        self._most_paid: dict[int, float] = {}
        self._speed_mps = SPEED_MPS
        self._penalty_per_s = np.nan
        self._latest_s = SEEN_S  # the longest delay that the penalty rate was read from

    def read(self, observations: Observations, infos: Infos) -> Situation:
        """The present situation; call it once an epoch."""
        seen = np.stack([observations[agent] for agent in self._agents])  # [W, F]
        candidates = np.array([infos[agent]["candidates"] for agent in self._agents], np.int64)  # [W, K]
        idle = seen[:, self._own.at["idle"]] > 0.5
        self._note_who_is_idle(idle)
        self._note_speed(seen)
        players = np.flatnonzero(idle & (candidates[:, 0] >= 0))
        players = players[np.argsort(self._idle_since[players], kind="stable")]
        options = candidates[players]  # [n, K] ids
        rows = seen[players, self._optional["start"] : self._optional["stop"]]
        rows = rows.reshape(len(players), *self._optional["shape"]).astype(np.float64)  # [n, K, features]
        there = options >= 0
        ids, first, place = np.unique(options[there], return_index=True, return_inverse=True)
        task = np.full(options.shape, -1, np.int64)
        task[there] = place
        game = self._game(ids, rows[there][first], task, self._values(rows, "distance"))
        self._correct_work_left(game, ids, seen)
        return Situation(self._agents, players, options, game, self._coalitions(game, ids, seen))

    def note_sent(self, worker: int, task: int) -> None:
        """Remember an action: the worker is on its way to the task, by its id."""
        self._sent_to[worker] = task

    def _note_who_is_idle(self, idle: NDArray[np.bool_]) -> None:
        self._epoch += 1
        self._idle_since[~idle] = -1
        self._idle_since[idle & (self._idle_since < 0)] = self._epoch

    def _note_speed(self, seen: NDArray[np.float32]) -> None:
        until_s = np.where(self._own.values(seen, "travelling") > 0.5, self._own.values(seen, "until_idle"), 0.0)
        longest = int(np.argmax(until_s))
        if until_s[longest] > SEEN_S:
            self._speed_mps = float(self._busy_at.values(seen, "distance")[longest] / until_s[longest])

    def _game(self, ids: Ints, rows: Floats, task: Ints, distance_m: Floats) -> Game:
        """``rows``: what an observation says of each task, shape [m, features]."""
        expected_s, deadline_s = self._values(rows, "until_expected"), self._values(rows, "until_deadline")
        paid_now = self._values(rows, "payment_now")
        self._note_payments(ids, paid_now, -expected_s)
        falls_to_zero = 1.0 / np.maximum(deadline_s - expected_s, SEEN_S)
        known = np.isfinite(self._penalty_per_s)
        return Game(
            task=task,
            arrival_s=distance_m / self._speed_mps,
            work_left_s=self._values(rows, "work_left"),
            expected_s=expected_s,
            deadline_s=deadline_s,
            payment=np.array([self._most_paid[i] for i in ids.tolist()], np.float64),
            penalty_per_s=np.full(len(ids), self._penalty_per_s) if known else falls_to_zero,
        )

    def _correct_work_left(self, game: Game, ids: Ints, seen: NDArray[np.float32]) -> None:
        """Where the work left is more than an observation shows, those at work know when they are done.

        Of a task that nobody is at, what is shown is the least that is left.
        """
        working = np.flatnonzero(self._own.values(seen, "working") > 0.5)
        until_idle_s = self._own.values(seen, "until_idle")
        for place in np.flatnonzero(game.work_left_s >= self._unit["work_left"]).tolist():
            present = working[self._sent_to[working] == ids[place]]
            if len(present):
                game.work_left_s[place] = until_idle_s[present[0]] * len(present)

    def _note_payments(self, ids: Ints, paid_now: Floats, late_s: Floats) -> None:
        """Remember what tasks pay at most, and what a second of delay costs.

        A task that is first met when it is late already must have paid more: how much, follows from the rate, once
        that is known. What pays nothing any more is worth nothing, whatever it paid at most.
        """
        for i, paid, late in zip(ids.tolist(), paid_now.tolist(), late_s.tolist(), strict=True):
            most = self._most_paid.get(i)
            if most is None:
                kept = 1.0 - self._penalty_per_s * max(late, 0.0)
                self._most_paid[i] = paid / kept if kept > SEEN_SHARE else paid
            elif late > self._latest_s and SEEN_SHARE * most < paid < most < self._unit["payment_now"]:
                self._latest_s = late
                self._penalty_per_s = (1.0 - paid / most) / late

    def _coalitions(self, game: Game, ids: Ints, seen: NDArray[np.float32]) -> Coalitions:
        """Those at each task, or on their way."""
        travelling = self._own.values(seen, "travelling") > 0.5
        working = self._own.values(seen, "working") > 0.5
        until_s = np.where(travelling, self._own.values(seen, "until_idle"), 0.0)
        busy = np.flatnonzero((travelling | working) & np.isin(self._sent_to, ids))
        coalitions = Coalitions.empty(len(ids), len(self._agents))
        for worker, task in zip(busy.tolist(), np.searchsorted(ids, self._sent_to[busy]).tolist(), strict=True):
            join(game, coalitions, task, COMMITTED, float(until_s[worker]))
        return coalitions

    def _values(self, rows: Floats, name: str) -> Floats:
        """A feature of candidates, in its unit."""
        values: Floats = rows[..., self._feature[name]] * self._unit[name]
        return values


class _Columns:
    """Where the features of a set of one row are in an observation."""

    def __init__(self, part: Mapping[str, Any]) -> None:
        self.at = {name: part["start"] + i for i, name in enumerate(part["features"])}
        self._unit = dict(zip(part["features"], map(_amount, part["units"]), strict=True))

    def values(self, seen: NDArray[np.float32], name: str) -> Floats:
        """Of every worker, in its unit. Shape [W]."""
        values: Floats = seen[:, self.at[name]].astype(np.float64) * self._unit[name]
        return values


def _amount(unit: str) -> float:
    """The number that the text of a unit begins with: what a 1 stands for; 1 if there is none."""
    try:
        return float(unit.split()[0])
    except ValueError:
        return 1.0
