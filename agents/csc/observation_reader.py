"""The coalition game of one epoch of CSC, read from observations and infos only."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.csc.pau_game import Coalitions, Floats, Game, Ints, commit
from crowdgym.agents.policy import Episode, Infos, Observations
from crowdgym.common.jit import jit
from crowdgym.common.layout import ObservationLayout

SEEN_SHARE: Final = 1e-3  # the highest payment is computed only if at least this share of it is left


@dataclass(frozen=True)
class DispatchState:
    """The game of one epoch. n idle workers who have a candidate, m tasks that are a candidate of at least one of them.

    Attributes:
        agents: names of all workers, by number.
        players: numbers of the idle workers, in order of idle time, longest first. Shape [n].
        options: ids of their candidates, -1 for none. Shape [n, K].
        game: the tasks that they may join.
        coalitions: the workers at the tasks or on their way; there is room for all workers.
    """

    agents: tuple[str, ...]
    players: Ints
    options: Ints
    game: Game
    coalitions: Coalitions


class Reader:
    """Reads dispatch states, and remembers the task of each worker and the highest payment of each task.

    Speed and penalty rate are the same for all workers and in ``metadata["rules"]``.
    """

    def __init__(self, episode: Episode) -> None:
        width = int(np.prod(episode.observation_space.shape or (0,)))
        layout = ObservationLayout.from_metadata(episode.metadata, width)
        self._agents = episode.agents
        self._own = layout["w_self"]
        self._optional = layout["T_optional"]
        self._distance = self._optional.column("distance")
        self._sent_to = np.full(len(self._agents), -1, np.int64)  # the task of the latest action
        self._idle_since = np.full(len(self._agents), -1, np.int64)  # the epoch; -1 while not idle
        self._epoch = 0
        self._most_paid: dict[int, float] = {}
        self._speed_mps = float(episode.metadata["rules"]["speed_mps"])
        self._penalty_per_s = float(episode.metadata["rules"]["penalty_per_s"])

    def read(self, observations: Observations, infos: Infos) -> DispatchState:
        """The dispatch state of this epoch; call it once an epoch."""
        seen = np.stack([observations[agent] for agent in self._agents])
        return self.read_rows(seen, np.array([infos[agent]["candidates"] for agent in self._agents], np.int64))

    def read_rows(self, seen: NDArray[np.float32], candidates: Ints) -> DispatchState:
        """As `read`, from the observations of all workers, [W, F], and the ids of their candidates, [W, K]."""
        idle = self._of_workers(seen, "idle") > 0.5
        self._note_who_is_idle(idle)
        players = np.flatnonzero(idle & (candidates[:, 0] >= 0))
        players = players[np.argsort(self._idle_since[players], kind="stable")]
        options = candidates[players]  # [n, K] ids
        ids, task, distance_m, rows = _tasks_of(options, players, self._optional.take(seen), self._distance)
        game = self._game(ids, rows, task, distance_m * self._optional.scale("distance"))
        self._correct_work_left(game, ids, seen)
        return DispatchState(self._agents, players, options, game, self._coalitions(game, ids, seen))

    def note_sent(self, worker: int, task: int) -> None:
        """Remember an action: the worker is on its way to the task, by its id."""
        self._sent_to[worker] = task

    def _note_who_is_idle(self, idle: NDArray[np.bool_]) -> None:
        self._epoch += 1
        self._idle_since[~idle] = -1
        self._idle_since[idle & (self._idle_since < 0)] = self._epoch

    def _game(self, ids: Ints, rows: Floats, task: Ints, distance_m: Floats) -> Game:
        """``rows``: what an observation says of each task, shape [m, features]."""
        expected_s = self._values(rows, "until_expected")
        return Game(
            task=task,
            arrival_s=distance_m / self._speed_mps,
            work_left_s=self._values(rows, "work_left"),
            expected_s=expected_s,
            deadline_s=self._values(rows, "until_deadline"),
            payment=self._payments(ids, self._values(rows, "payment_now"), -expected_s),
            penalty_per_s=np.full(len(ids), self._penalty_per_s),
        )

    def _correct_work_left(self, game: Game, ids: Ints, seen: NDArray[np.float32]) -> None:
        """Compute the work left from the workers present if it exceeds the scale of an observation.

        For a task without workers, the value of the observation is kept: a lower bound.
        """
        unknown = np.flatnonzero(game.work_left_s >= self._optional.scale("work_left")).tolist()
        if not unknown:
            return
        working = np.flatnonzero(self._of_workers(seen, "working") > 0.5)
        until_idle_s = self._of_workers(seen, "until_idle")
        for place in unknown:
            present = working[self._sent_to[working] == ids[place]]
            if len(present):
                game.work_left_s[place] = until_idle_s[present[0]] * len(present)

    def _payments(self, ids: Ints, paid_now: Floats, late_s: Floats) -> Floats:
        """The highest payments of tasks, computed when each was first seen: later values are less exact.

        A task that pays nothing when it is first seen counts as worth nothing.
        """
        kept = 1.0 - self._penalty_per_s * np.maximum(late_s, 0.0)
        most = np.where(kept > SEEN_SHARE, paid_now / np.maximum(kept, SEEN_SHARE), paid_now)
        return np.array([self._most_paid.setdefault(*pair) for pair in zip(ids.tolist(), most.tolist(), strict=True)])

    def _coalitions(self, game: Game, ids: Ints, seen: NDArray[np.float32]) -> Coalitions:
        """The workers at each task, or on their way to it."""
        travelling = self._of_workers(seen, "travelling") > 0.5
        busy = travelling | (self._of_workers(seen, "working") > 0.5)
        until_s = np.where(travelling, self._of_workers(seen, "until_idle"), 0.0)
        coalitions = Coalitions.empty(len(ids), len(self._agents))
        commit(game, coalitions, *_crews(ids, self._sent_to, busy, until_s))
        return coalitions

    def _values(self, rows: Floats, name: str) -> Floats:
        """A feature of candidates, in its unit."""
        values: Floats = rows[..., self._optional.column(name)] * self._optional.scale(name)
        return values

    def _of_workers(self, seen: NDArray[np.float32], name: str) -> Floats:
        """A feature of the workers themselves, in its unit. Shape [W]."""
        column = self._own.column(name)
        values: Floats = seen[:, self._own.start + column].astype(np.float64) * self._own.scales[column]
        return values


@jit
def _tasks_of(
    options: Ints, players: Ints, rows: NDArray[np.float32], distance: int
) -> tuple[Ints, Ints, Floats, Floats]:
    """The tasks among the candidates of the players.

    Args:
        options: ids of the candidates, -1 for none. Shape [n, K].
        players: numbers of the players. Shape [n].
        rows: what each worker sees of its candidates. Shape [W, K, features].
        distance: the column of the distance.

    Returns:
        The m ids, ascending; which of them each candidate is, or -1, [n, K]; the distance that is written for each
        candidate, [n, K]; and the row of each task as the first player sees it, [m, features].
    """
    flat = options.ravel()
    ids = np.unique(flat[flat >= 0])
    task = np.full(options.shape, -1, np.int64)
    distances = np.zeros(options.shape)
    seen = np.zeros((len(ids), rows.shape[2]))
    known = np.zeros(len(ids), np.bool_)
    for player in range(options.shape[0]):
        for option in range(options.shape[1]):
            row = rows[players[player], option]
            distances[player, option] = row[distance]
            if options[player, option] < 0:
                continue
            place = np.searchsorted(ids, options[player, option])
            task[player, option] = place
            if not known[place]:
                seen[place], known[place] = row, True
    return ids, task, distances, seen


@jit
def _crews(ids: Ints, sent_to: Ints, busy: NDArray[np.bool_], until_s: Floats) -> tuple[Ints, Floats]:
    """The workers at the tasks ``ids`` or on their way: which task, and in how many seconds each is there."""
    task, arrival_s = np.zeros(len(busy), np.int64), np.zeros(len(busy))
    count = 0
    for worker in range(len(busy)):
        place = np.searchsorted(ids, sent_to[worker])
        if busy[worker] and place < len(ids) and ids[place] == sent_to[worker]:
            task[count], arrival_s[count] = place, until_s[worker]
            count += 1
    return task[:count], arrival_s[:count]
