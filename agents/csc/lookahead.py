"""A planner of ours: coalitions of idle and soon-idle workers, formed together, a worker's time at a price."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.csc.epoch_game import (
    game_with_players,
    game_without_players,
    list_players,
    open_tasks,
    read_crews,
    waiting_work_s,
    when_and_where_idle,
)
from crowdgym.agents.csc.epoch_reader import Columns, Memory, Rows, empty_memory, note_epoch, read_crowd, with_room
from crowdgym.agents.csc.pau_game import HOLD, Floats, Ints
from crowdgym.agents.csc.price_of_time import FEATURES, price_of_time
from crowdgym.agents.csc.priced_coalitions import PricedGame, commit, empty_coalitions, form_coalitions
from crowdgym.agents.row_policy import Parameters, RowPolicy
from crowdgym.common.jit import jit

_FIRST_ROOM: Final = 64  # tasks that a memory has room for at first

# The weights of the price, and four more numbers.
NAMES: Final = (*FEATURES, "horizon", "committed", "reserving", "joining")
_HORIZON, _COMMITTED, _RESERVING, _JOINING = range(len(FEATURES), len(NAMES))
_USUAL_HORIZON_S: Final = 200.0
_USUAL_JOINING_S: Final = 100.0

PARAMETERS: Final = Parameters(
    NAMES,
    start=np.array([np.log(2.0), 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    scale=np.ones(len(NAMES)),
)


class LookaheadPolicy(RowPolicy):
    """Plans coalitions of the idle workers and of those that become idle soon, and acts on the part of the idle ones.

    At every epoch the idle workers and those that become idle within a horizon play the game of
    `crowdgym.agents.csc.priced_coalitions`, all of them holding at first. A worker that is not idle yet only reserves:
    its choice keeps others from a task, or makes it worth beginning, and is made anew at the next epoch. A worker's
    second has a price (`crowdgym.agents.csc.price_of_time`), so a join has to earn more than the same time is likely
    to earn elsewhere.

    Parameters: the weights of the price, and with factors as exponents of e

    - ``horizon``: factor on the horizon of 200 s,
    - ``committed``: factor on the price of those that are at a task already or on their way,
    - ``reserving``: factor on the price of those that only reserve,
    - ``joining``: what a join costs besides the time, in hundreds of seconds.

    It reads observations and infos only, and draws nothing at random.
    """

    reads = ("candidates",)

    def __init__(self) -> None:
        self.parameters = PARAMETERS
        self._values = PARAMETERS.start

    def set_parameters(self, values: Floats) -> None:
        """See `crowdgym.agents.row_policy.RowPolicy`."""
        self._values = self.parameters.checked(values)

    def begin(self, copies: int, agents: int, width: int, metadata: Mapping[str, Any]) -> None:
        """See `crowdgym.agents.row_policy.RowPolicy`."""
        self._columns = Columns.of(metadata, width)
        self._memories = [empty_memory(agents, _FIRST_ROOM, self._columns.num_skills) for _ in range(copies)]

    def choose(self, observations: NDArray[np.float32], infos: Mapping[str, NDArray[Any]]) -> Ints:
        """See `crowdgym.agents.row_policy.RowPolicy`."""
        candidates = infos["candidates"].astype(np.int64, copy=False)  # [B, N, K]
        actions = np.zeros(candidates.shape[:2], np.int64)
        for copy, memory in enumerate(self._memories):
            self._memories[copy] = with_room(memory, int(candidates[copy].max()) + 1)
            plan_epoch(
                self._values, self._columns, self._memories[copy], observations[copy], candidates[copy], actions[copy]
            )
        return actions


@jit
def plan_epoch(values: Floats, columns: Columns, memory: Memory, rows: Rows, candidates: Ints, actions: Ints) -> None:
    """Write the actions of all workers, and remember them.

    Args:
        values: of `NAMES`.
        columns: where things are in a row.
        memory: of the episode so far; changed.
        rows: the observations of all workers. Shape [W, F].
        candidates: ids of their candidates, -1 for none. Shape [W, K].
        actions: zeros; changed. Shape [W].
    """
    crowd = read_crowd(columns, rows)
    now_s = note_epoch(columns, memory, crowd, rows, candidates)
    if not (crowd.idle & (candidates[:, 0] >= 0)).any():
        return
    tasks = open_tasks(columns, memory, now_s)
    crews = read_crews(memory, crowd, tasks)
    weights = values[:_HORIZON]
    price = price_of_time(weights, columns, memory, crowd, waiting_work_s(columns, memory, tasks, crews), now_s)
    game = game_without_players(tasks, candidates.shape[1])
    coalitions = empty_coalitions(len(tasks.ids), len(rows) + 1)
    commit(game, coalitions, crews.task, crews.arrival_s, price[crews.worker] * math.exp(values[_COMMITTED]))
    idle = when_and_where_idle(memory, crowd, tasks, crews, coalitions)
    horizon_s = _USUAL_HORIZON_S * math.exp(values[_HORIZON])
    players = list_players(columns, memory, crowd, tasks, idle, horizon_s, rows, candidates)
    price_of_player = price[players.worker]
    price_of_player[players.num_idle :] *= math.exp(values[_RESERVING])
    game = game_with_players(tasks, players)
    priced = PricedGame(game, players.ready_s - _USUAL_JOINING_S * values[_JOINING], price_of_player)
    choice = form_coalitions(priced, coalitions)
    for player in range(players.num_idle):
        if choice[player] != HOLD:
            worker = players.worker[player]
            actions[worker] = choice[player] + 1
            memory.sent_to[worker] = candidates[worker, choice[player]]
