"""Task schedule for DASC: at every epoch a schedule of whole tasks; the part of it that is due is dispatched."""

from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np

from crowdgym.agents.dasc.list_schedule import NONE, Integers, Prices, Problem, improved_schedule
from crowdgym.agents.dasc.observation_reader import Dispatcher, DispatchState, Floats
from crowdgym.agents.dasc.schedule_reader import OpenTasks, ScheduleReader
from crowdgym.agents.policy import Episode

MOVES: Final = 120  # moves in the list of tasks that are tried at an epoch
_LEAST_S: Final = 1.0  # of remaining work


class TaskSchedule(Dispatcher):
    """Plans whole tasks on the agent's own model of the episode and dispatches what is due; plans again at every epoch.

    The list of tasks begins with those that pay most for the remaining work of workers. `improved_schedule` places them
    and tries moves in the list; the list of one epoch is where the search of the next begins. A task that does not fit
    before its deadline is left out, so a worker is not spent on a task that will not be paid, and is kept for the
    successors of those that will. A subtask is dispatched if its worker is idle, it is the next one of this worker, and
    the worker would not wait longer than ``lead_s`` for the predecessors.

    The model estimates ways from straight lines, except those of candidates, and knows no task that is still to come.

    Args:
        parameters: values in place of `START`, by name.
        moves: moves that are tried at an epoch.

    Attributes:
        START: the parameters' names and values.
        SCALE: for each parameter the size of a change that matters, for a search.
    """

    # Chosen on dasc-small and dasc-scarce, see docs/dasc_results.md.
    START: ClassVar[Mapping[str, float]] = {
        "work_exponent": 1.0,
        "overhead_s": 100.0,
        "urgency": 0.0,
        "travel_price": 1.0,
        "idle_price": 0.5,
        "surplus_price_s": 20.0,
        "lead_s": 60.0,
    }
    SCALE: ClassVar[Mapping[str, float]] = {
        "work_exponent": 0.3,
        "overhead_s": 100.0,
        "urgency": 0.3,
        "travel_price": 0.5,
        "idle_price": 0.3,
        "surplus_price_s": 20.0,
        "lead_s": 30.0,
    }

    _state: ScheduleReader
    _draws: np.random.Generator
    _list: list[int]  # first slots of tasks, in the order of the last epoch

    def __init__(self, parameters: Mapping[str, float] | None = None, moves: int = MOVES) -> None:
        self.parameters = {**self.START, **(parameters or {})}
        self._moves = moves

    def reset(self, episode: Episode) -> None:
        """See `Dispatcher`."""
        super().reset(episode)
        self._state = ScheduleReader(episode)
        self._draws = np.random.default_rng(episode.seed)
        self._list = []

    def choose(self, now: DispatchState) -> dict[int, int]:
        """See `Dispatcher`."""
        tasks = self._state.read(now)
        problem = tasks.problem
        if not len(problem.payment):
            return {}
        of = self.parameters
        prices = Prices(of["travel_price"], of["idle_price"], of["surplus_price_s"])
        moves = self._draws.integers(len(problem.payment), size=(self._moves, 2))
        schedule, order = improved_schedule(problem, self._order(tasks), moves, prices)
        self._list = tasks.first_slot[order].tolist()
        chosen: dict[int, int] = {}
        for row, i in enumerate(tasks.subtask_of_row):
            worker = schedule.worker[i] if i >= 0 else NONE
            if worker == NONE or problem.free_s[worker] > 0 or schedule.line[worker, 0] != i:
                continue
            if now.ready_s[row] <= problem.from_worker_s[worker, i] + of["lead_s"]:
                chosen[row] = _candidate(now, row, int(worker))
        return chosen

    def _order(self, tasks: OpenTasks) -> Integers:
        """The list of the last epoch without the tasks that are over; new tasks where their score puts them."""
        score = self._score(tasks.problem)
        place = {slot: number for number, slot in enumerate(self._list)}
        old = [place.get(int(slot), -1) for slot in tasks.first_slot]
        kept = sorted((q for q in range(len(score)) if old[q] >= 0), key=lambda q: old[q])
        for q in sorted((q for q in range(len(score)) if old[q] < 0), key=lambda q: -score[q]):
            kept.insert(next((at for at, other in enumerate(kept) if score[other] < score[q]), len(kept)), q)
        return np.array(kept, np.int64)

    def _score(self, problem: Problem) -> Floats:
        """For each task the logarithm of its payment for the remaining work, and its urgency. Shape [Q]."""
        of, first = self.parameters, problem.first
        counted = np.concatenate([[0.0], np.cumsum(problem.duration_s + of["overhead_s"])])
        work_s = np.maximum(counted[first[1:]] - counted[first[:-1]], _LEAST_S)
        path_s = np.maximum.reduceat(problem.duration_s + problem.after_s, first[:-1])
        slack_s = problem.expected_s - path_s
        late_s = np.maximum(-slack_s, 0.0)
        paid = np.maximum(problem.payment - problem.penalty_per_s * late_s, 1e-3)
        score: Floats = np.log(paid) - of["work_exponent"] * np.log(work_s) - of["urgency"] * slack_s / path_s
        return score


def _candidate(now: DispatchState, row: int, worker: int) -> int:
    """The number of the worker among the candidates; the nearest candidate if it is not among them."""
    found = np.flatnonzero(now.candidates[row] == worker)
    return int(found[0]) if len(found) else 0
