"""Who becomes idle soon, when and where, and what they could join then, read from observations and infos alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.csc.observation_reader import DispatchState, Reader
from crowdgym.agents.csc.pau_game import Floats, Game, Ints, finish_s
from crowdgym.agents.policy import Episode, Observations
from crowdgym.common.jit import jit

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Lookahead:
    """What is known at an epoch besides the game of the idle workers. W workers, m tasks in that game.

    Attributes:
        soon: the workers that become idle within the horizon and have a candidate then. Shape [s].
        ready_s: when each becomes idle, in seconds from now. Shape [s].
        game: what they may join then: the tasks of the idle workers' game, at most K candidates each, nearest first.
            The roads to them are estimates: straight lines, longer by as much as roads have been so far.
        busy: workers on their way to a task of the game or at it. Shape [c].
        busy_task: which of the m tasks. Shape [c].
        busy_arrival_s: when each is there; 0 for those at work. Shape [c].
        num_skills: of every worker. Shape [W].
        busy_share: of all workers, those on their way or at work.
        mean_payment: of all tasks met so far, what they pay at most.
        left_s: until the episode ends.
    """

    soon: Ints
    ready_s: Floats
    game: Game
    busy: Ints
    busy_task: Ints
    busy_arrival_s: Floats
    num_skills: Ints
    busy_share: float
    mean_payment: float
    left_s: float


@dataclass(frozen=True)
class _Workers:
    """All workers at an epoch. Shapes [W] and, of places and skills, [W, 2] and [W, skills]."""

    travelling: Flags
    working: Flags
    released: Flags
    until_idle_s: Floats
    place_m: Floats
    skills: Flags
    current: Floats  # [W, features] what an observation says of the task that each is at

    @property
    def busy(self) -> Flags:
        return self.travelling | self.working

    @property
    def arrival_s(self) -> Floats:
        return np.where(self.travelling, self.until_idle_s, 0.0)


class LookaheadReader(Reader):
    """A `Reader` that also reads who becomes idle soon.

    The skill of a task is not in an observation. Every worker that has the task as a candidate has its skill, so it is
    one of those that all of them share; only a worker that has all of these counts as able.
    """

    def __init__(self, episode: Episode, horizon_s: float) -> None:
        super().__init__(episode)
        layout = episode.metadata["observation_layout"]
        self._current = slice(layout["own_task"]["start"], layout["own_task"]["stop"])
        self._skill_names = [name for name in layout["w_self"]["features"] if name.startswith("skill_")]
        self._horizon_s = horizon_s
        self._range_m = float(episode.metadata["rules"]["range_m"])
        self._end_s = float(episode.metadata["rules"]["horizon_s"])
        self._possible: dict[int, Flags] = {}  # by task: the skills that it may need
        self._straight_m = self._road_m = 1e-9  # of all candidates so far

    def look_ahead(self, now: DispatchState, observations: Observations) -> Lookahead:
        """What is known besides what `read` has just returned, which has a player."""
        seen = np.stack([observations[agent] for agent in self._agents])  # [W, F]
        workers = self._workers(seen)
        ids = np.zeros(len(now.game.payment), np.int64)
        there = now.options >= 0
        ids[now.game.task[there]] = now.options[there]
        task_m = self._note_places(now, seen, workers)
        possible = self._note_skills(now, ids, workers)
        ready_s, free_m = self._when_and_where_idle(workers)
        soon = np.flatnonzero(ready_s <= self._horizon_s)
        able = ~(possible[np.newaxis] & ~workers.skills[soon, np.newaxis]).any(axis=2)  # [s, m]
        able &= np.where(workers.busy, self._sent_to, -1)[soon, np.newaxis] != ids
        straight_m = np.hypot(*(free_m[soon, np.newaxis] - task_m).transpose(2, 0, 1))  # [s, m]
        game = self._game_of(now.game, able, straight_m, ready_s[soon], now.options.shape[1])
        some = game.task[:, 0] >= 0
        busy = np.flatnonzero(workers.busy & np.isin(self._sent_to, ids))
        return Lookahead(
            soon=soon[some],
            ready_s=ready_s[soon][some],
            game=game._replace(task=game.task[some], arrival_s=game.arrival_s[some]),
            busy=busy,
            busy_task=np.searchsorted(ids, self._sent_to[busy]),
            busy_arrival_s=workers.arrival_s[busy],
            num_skills=workers.skills.sum(axis=1),
            busy_share=float(workers.busy.mean()),
            mean_payment=float(np.mean(list(self._most_paid.values()))),
            left_s=self._end_s - float(self._own.values(seen[:1], "elapsed")[0]),
        )

    def _workers(self, seen: NDArray[np.float32]) -> _Workers:
        def is_so(name: str) -> Flags:
            return seen[:, self._own.at[name]] > 0.5

        return _Workers(
            travelling=is_so("travelling"),
            working=is_so("working"),
            released=is_so("released"),
            until_idle_s=self._own.values(seen, "until_idle"),
            place_m=np.stack([self._own.values(seen, "x"), self._own.values(seen, "y")], axis=1),
            skills=np.stack([is_so(name) for name in self._skill_names], axis=1),
            current=seen[:, self._current].astype(np.float64),
        )

    def _note_places(self, now: DispatchState, seen: NDArray[np.float32], workers: _Workers) -> Floats:
        """Where the tasks of the game are, [m, 2]; and how much longer roads are than straight lines."""
        there = now.options >= 0
        shown = seen[now.players, self._optional["start"] : self._optional["stop"]]
        rows: Floats = shown.reshape(len(now.players), *self._optional["shape"])[there].astype(np.float64)
        offset_m = np.stack([self._values(rows, "dx"), self._values(rows, "dy")], axis=1)
        task_m = np.zeros((len(now.game.payment), 2))
        task_m[now.game.task[there]] = workers.place_m[now.players[np.nonzero(there)[0]]] + offset_m
        self._straight_m += float(np.hypot(*offset_m.T).sum())
        self._road_m += float(self._values(rows, "distance").sum())
        return task_m

    def _note_skills(self, now: DispatchState, ids: Ints, workers: _Workers) -> Flags:
        """The skills that each task of the game may need. Shape [m, skills]."""
        there = now.options >= 0
        possible = np.ones((len(ids), workers.skills.shape[1]), np.bool_)
        np.logical_and.at(possible, now.game.task[there], workers.skills[now.players[np.nonzero(there)[0]]])
        for task, skills in zip(ids.tolist(), possible, strict=True):
            skills &= self._possible.get(task, True)
            self._possible[task] = skills
        return possible

    def _when_and_where_idle(self, workers: _Workers) -> tuple[Floats, Floats]:
        """Seconds until each worker is idle, [W], infinite for who is; and where it is then, [W, 2].

        A worker on its way or at work is idle when its task ends, if no other worker joins.
        """
        ready_s = np.where(workers.released, workers.until_idle_s, np.inf)
        busy = np.flatnonzero(workers.busy)
        busy = busy[np.lexsort((workers.arrival_s[busy], self._sent_to[busy]))]
        rows = workers.current[busy]
        shown_s = self._values(rows, "work_left")  # at most four mean workloads; who is at work knows better
        known_s = workers.until_idle_s[busy] * self._values(rows, "workers_present")
        ready_s[busy] = _end_of_tasks(
            self._sent_to[busy],
            workers.arrival_s[busy],
            np.where(workers.working[busy], np.maximum(shown_s, known_s), shown_s),
            self._values(rows, "until_deadline"),
        )
        free_m = workers.place_m.copy()
        free_m[busy] += np.stack([self._values(rows, "dx"), self._values(rows, "dy")], axis=1)
        return ready_s, free_m

    def _game_of(self, game: Game, able: Flags, straight_m: Floats, ready_s: Floats, options: int) -> Game:
        """The game of those soon idle: the nearest tasks in range that still pay something when they arrive."""
        road_m = straight_m * (self._road_m / self._straight_m)
        arrival_s = ready_s[:, np.newaxis] + road_m / self._speed_mps  # [s, m]
        paid_until_s = game.deadline_s
        if self._penalty_per_s > 0.0:
            paid_until_s = np.minimum(paid_until_s, game.expected_s + 1.0 / self._penalty_per_s)
        arrival_s[~able | (road_m > self._range_m) | (arrival_s >= paid_until_s)] = np.inf
        task = np.full((len(ready_s), options), -1)
        nearest_s = np.full(task.shape, np.inf)
        found = min(options, len(paid_until_s))
        order = np.argsort(arrival_s, axis=1, kind="stable")[:, :found]
        nearest_s[:, :found] = np.take_along_axis(arrival_s, order, axis=1)
        task[:, :found] = np.where(np.isfinite(nearest_s[:, :found]), order, -1)
        return game._replace(task=task, arrival_s=nearest_s)


@jit
def _end_of_tasks(task: Ints, arrival_s: Floats, work_left_s: Floats, deadline_s: Floats) -> Floats:
    """When the task of each worker ends. Workers are sorted by task and arrival; all times are seconds from now."""
    end_s = np.zeros(len(task))
    begin = 0
    while begin < len(task):
        stop = begin + 1
        while stop < len(task) and task[stop] == task[begin]:
            stop += 1
        finished_s = finish_s(arrival_s[begin:stop], stop - begin, work_left_s[begin:stop].max())
        end_s[begin:stop] = min(finished_s, deadline_s[begin])
        begin = stop
    return end_s
