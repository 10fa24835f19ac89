"""Task schedule for DASC: at every epoch a schedule of whole tasks; the part of it that is due is dispatched."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.dasc.list_schedule import NONE, Integers, Prices, Problem, improved_schedule
from crowdgym.agents.dasc.observation_reader import DispatchState, Floats, Reader
from crowdgym.agents.dasc.schedule_reader import Estimates, OpenTasks, ScheduleReader
from crowdgym.agents.policy import Episode
from crowdgym.agents.row_policy import Parameters, RowPolicy

MOVES: Final = 40  # moves in the list of tasks that are tried at an epoch, and as many rescues

_OVERHEAD_S: Final = 100.0  # of a subtask besides its work, where a new task comes in the list
_EARLY_S: Final = 600.0  # nothing of the early price is left from this time on

# For each parameter its start and the size of a change that matters. The starts were chosen on dasc-small and
# dasc-scarce, see docs/dasc_results.md; the last four start where they change nothing.
_TABLE: Final = {
    "travel_price": (1.0, 0.5),
    "idle_price": (0.5, 0.3),
    "surplus_price_s": (20.0, 20.0),
    "lead_s": (60.0, 30.0),
    "detour": (1.35, 0.15),
    "margin_s": (0.0, 30.0),
    "scarcity_exponent": (0.0, 0.5),
    "time_price": (0.0, 0.003),
    "early_price": (0.0, 0.006),
}
PARAMETERS: Final = Parameters(
    tuple(_TABLE),
    start=np.array([start for start, _ in _TABLE.values()]),
    scale=np.array([scale for _, scale in _TABLE.values()]),
)


class TaskSchedule(RowPolicy):
    """Plans whole tasks on the agents' own model of the episode and dispatches what is due; plans again at every epoch.

    The list of tasks begins with those that pay most for the remaining work of workers. `improved_schedule` places them
    and tries moves in the list; the list of one epoch is where the search of the next begins. A task that does not fit
    before its deadline is left out, so a worker is not spent on a task that will not be paid, and is kept for the
    successors of those that will. A subtask is dispatched if its worker is idle, it is the next one of this worker, and
    the worker would not wait longer than ``lead_s`` for the predecessors.

    The model estimates ways from straight lines, except those of candidates, and knows no task that is still to come.

    Parameters:

    - ``travel_price``, ``idle_price``, ``surplus_price_s``, ``time_price``: see `Prices`,
    - ``early_price``: what is added to ``time_price`` at the beginning, and less and less until 600 s: tasks that are
      still to come may be worth more,
    - ``detour``, ``margin_s``, ``scarcity_exponent``: see `Estimates`,
    - ``lead_s``: see above.

    Args:
        values: values of parameters in place of their start, by name.
        moves: moves that are tried at an epoch, and as many rescues.
    """

    reads = ("action_mask", "candidates")
    reads_state = True

    def __init__(self, values: Mapping[str, float] | None = None, moves: int = MOVES) -> None:
        self.parameters = PARAMETERS
        start = dict(zip(PARAMETERS.names, PARAMETERS.start.tolist(), strict=True)) | dict(values or {})
        self.set_parameters(np.array([start[name] for name in PARAMETERS.names]))
        self._moves = moves

    def set_parameters(self, values: Floats) -> None:
        """See `RowPolicy`. What cannot be negative is 0 where a number is."""
        checked = dict(zip(PARAMETERS.names, self.parameters.checked(values).tolist(), strict=True))
        self.values = {
            name: value if name == "scarcity_exponent" else max(value, 0.0) for name, value in checked.items()
        }
        self._estimates = Estimates(*(self.values[name] for name in ("detour", "margin_s", "scarcity_exponent")))

    def reset(self, episode: Episode) -> None:
        """See `RowPolicy`."""
        super().reset(episode)
        self._draws = [np.random.default_rng(episode.seed)]

    def begin(self, copies: int, agents: int, width: int, metadata: Mapping[str, Any]) -> None:
        """See `RowPolicy`."""
        self._reader, self._schedules = Reader(metadata, width), ScheduleReader(metadata)
        self._draws = [np.random.default_rng(copy) for copy in range(copies)]
        self._lists: list[list[int]] = [[] for _ in range(copies)]  # first slots of tasks, as in the last epoch

    def choose(self, observations: NDArray[np.float32], infos: Mapping[str, NDArray[Any]]) -> Integers:
        """See `RowPolicy`."""
        masks, candidates = infos["action_mask"], infos["candidates"]
        actions = np.zeros(masks.shape[:2], np.int64)
        for copy, mask in enumerate(masks):
            slots = np.flatnonzero(mask[:, 1])
            if not len(slots):
                continue
            now = self._reader.read(slots, observations[copy, slots], candidates[copy, slots])
            for row, choice in self._dispatched(copy, now, infos["state"][copy]).items():
                actions[copy, now.slots[row]] = choice + 1 if mask.shape[1] > 2 else 1
        return actions

    def _dispatched(self, copy: int, now: DispatchState, state: NDArray[np.float32]) -> dict[int, int]:
        """The rows that are dispatched, each with the number of its candidate."""
        if not (now.slack_deadline_s > 0).any():  # none of their tasks can be paid
            return {}
        tasks = self._schedules.read(now, state, self._estimates)
        problem = tasks.problem
        if not len(problem.payment) or not (tasks.subtask_of_row >= 0).any():
            return {}
        moves = self._draws[copy].integers(len(problem.payment), size=(self._moves, 2))
        rescues = self._draws[copy].integers(2**31, size=(self._moves, 2))
        order = self._order(copy, tasks)
        schedule, order = improved_schedule(problem, order, moves, rescues, self._prices(state))
        self._lists[copy] = tasks.first_slot[order].tolist()
        chosen: dict[int, int] = {}
        for row, i in enumerate(tasks.subtask_of_row):
            worker = schedule.worker[i] if i >= 0 else NONE
            if worker == NONE or problem.free_s[worker] > 0 or schedule.line[worker, 0] != i:
                continue
            if now.ready_s[row] <= problem.from_worker_s[worker, i] + self.values["lead_s"]:
                chosen[row] = _candidate(now, row, int(worker))
        return chosen

    def _prices(self, state: NDArray[np.float32]) -> Prices:
        """The prices now."""
        of = self.values
        early = max(0.0, 1.0 - self._schedules.elapsed_s(state) / _EARLY_S)
        time = of["time_price"] + early * of["early_price"]
        return Prices(of["travel_price"], of["idle_price"], of["surplus_price_s"], time)

    def _order(self, copy: int, tasks: OpenTasks) -> Integers:
        """The list of the last epoch without the tasks that are over; new tasks where their score puts them."""
        score = _score(tasks.problem)
        place = {slot: number for number, slot in enumerate(self._lists[copy])}
        old = [place.get(int(slot), -1) for slot in tasks.first_slot]
        kept = sorted((q for q in range(len(score)) if old[q] >= 0), key=lambda q: old[q])
        for q in sorted((q for q in range(len(score)) if old[q] < 0), key=lambda q: -score[q]):
            kept.insert(next((at for at, other in enumerate(kept) if score[other] < score[q]), len(kept)), q)
        return np.array(kept, np.int64)


def _score(problem: Problem) -> Floats:
    """For each task the logarithm of its payment for a second of its remaining work. Shape [Q]."""
    first = problem.first
    counted = np.concatenate([[0.0], np.cumsum(problem.duration_s + _OVERHEAD_S)])
    work_s = counted[first[1:]] - counted[first[:-1]]
    path_s = np.maximum.reduceat(problem.duration_s + problem.after_s, first[:-1])
    late_s = np.maximum(path_s - problem.expected_s, 0.0)
    paid = np.maximum(problem.payment - problem.penalty_per_s * late_s, 1e-3)
    score: Floats = np.log(paid / work_s)
    return score


def _candidate(now: DispatchState, row: int, worker: int) -> int:
    """The number of the worker among the candidates; the nearest candidate if it is not among them."""
    found = np.flatnonzero(now.candidates[row] == worker)
    return int(found[0]) if len(found) else 0
