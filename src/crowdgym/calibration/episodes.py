"""Whole episodes of Greedy, PAU and chance in compiled loops, on the arrays of the kernel: a calibration plays many.

The kernel and the rules of the policies are those of the environment. Observations and dicts are left out, since a
calibration does not use them. PAU reads from the arrays what the policy computes from observations: in double precision
where the policy has 32-bit shares, and for workloads of any size. Of 40 episodes of ``tiny``, where this difference
matters most, 36 agreed to 1e-4; in the mean PAU earns 1.0 ± 0.5 % more because of it.
"""

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.csc.pau import MOVES_PER_PLAYER
from crowdgym.agents.csc.pau_game import COMMITTED, HOLD, Coalitions, Floats, Game, Ints, join, settle
from crowdgym.common.jit import jit
from crowdgym.envs.core.road_graph import RoadArrays, travel_time_s
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.csc.kernel.candidates import list_candidates, notice_tasks
from crowdgym.envs.csc.kernel.dynamics import IDLE, play, start_episode, take_actions, work_left_s
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.kernel.state import CscState, Rules


def play_episode(
    simulation: CscSimulation, instance: CscInstance, agent: str, seed: int, moves: int = MOVES_PER_PLAYER
) -> float:
    """Play an episode of an instance that copy 0 of the simulation has been reset to.

    Args:
        simulation: on which ``reset_copy(0, instance)`` has been called; what it played since does not matter.
        instance: the same.
        agent: one of `crowdgym.calibration.objective.PLAYED`.
        seed: of the agent's own randomness.
        moves: of PAU's annealing, per player.

    Returns:
        The revenue.
    """
    state, roads, rules = simulation.passed, simulation.roads, simulation.rules
    state.workers.node[0] = instance.worker_node
    start_episode(state, roads, 0)
    times_s = np.array([simulation.clock.time_s(epoch) for epoch in range(simulation.clock.epochs + 1)])
    generator = np.random.default_rng(seed)
    if agent == "greedy":
        _play_greedy(state, roads, rules, times_s)
    elif agent == "pau":
        _play_pau(state, roads, rules, times_s, moves, generator)
    else:
        _play_random(state, roads, rules, times_s, generator)
    return float(state.tasks.paid[0].sum())


@jit
def _play_greedy(state: CscState, roads: RoadArrays, rules: Rules, times_s: Floats) -> None:
    """``times_s``: of the epochs and of the end."""
    actions = np.zeros(state.workers.status.shape[1], np.int64)
    for epoch in range(len(times_s) - 1):
        notice_tasks(state, 0)
        list_candidates(state, rules, roads.unit_m, 0)
        for w in range(len(actions)):
            actions[w] = state.output.mask[0, w, 1]
        take_actions(state, roads, rules, 0, actions, times_s[epoch])
        play(state, roads, rules, 0, times_s[epoch + 1])


@jit
def _play_pau(
    state: CscState, roads: RoadArrays, rules: Rules, times_s: Floats, moves: int, generator: np.random.Generator
) -> None:
    """``times_s``: of the epochs and of the end."""
    actions = np.zeros(state.workers.status.shape[1], np.int64)
    for epoch in range(len(times_s) - 1):
        notice_tasks(state, 0)
        list_candidates(state, rules, roads.unit_m, 0)
        actions[:] = 0
        players = _players(state, times_s[1])
        if len(players):
            _choose(state, roads, rules, times_s[epoch], players, actions, moves, generator)
        take_actions(state, roads, rules, 0, actions, times_s[epoch])
        play(state, roads, rules, 0, times_s[epoch + 1])


@jit
def _play_random(
    state: CscState, roads: RoadArrays, rules: Rules, times_s: Floats, generator: np.random.Generator
) -> None:
    """``times_s``: of the epochs and of the end. Everyone draws a legal action, holding included."""
    actions = np.zeros(state.workers.status.shape[1], np.int64)
    for epoch in range(len(times_s) - 1):
        notice_tasks(state, 0)
        list_candidates(state, rules, roads.unit_m, 0)
        for w in range(len(actions)):
            actions[w] = int(generator.random() * np.count_nonzero(state.output.mask[0, w]))  # legal ones come first
        take_actions(state, roads, rules, 0, actions, times_s[epoch])
        play(state, roads, rules, 0, times_s[epoch + 1])


@jit
def _players(state: CscState, step_s: float) -> Ints:
    """Idle workers with a candidate, by the epoch at which they were first seen idle, then by number."""
    workers = state.workers
    players = np.empty(workers.status.shape[1], np.int64)
    since = np.empty(workers.status.shape[1], np.int64)
    count = 0
    for w in range(workers.status.shape[1]):
        if workers.status[0, w] == IDLE and state.output.candidates[0, w, 0] >= 0:
            players[count] = w
            since[count] = np.int64(np.ceil(workers.free_s[0, w] / step_s))
            count += 1
    return players[np.argsort(since[:count], kind="mergesort")]


@jit
def _choose(
    state: CscState,
    roads: RoadArrays,
    rules: Rules,
    now_s: float,
    players: Ints,
    actions: NDArray[np.int64],
    moves: int,
    generator: np.random.Generator,
) -> None:
    """Write the actions of the equilibrium."""
    candidates = state.output.candidates
    place = np.full(state.tasks.status.shape[1], -1, np.int64)
    for w in players:
        for j in range(candidates.shape[2]):
            if candidates[0, w, j] < 0:
                break
            place[candidates[0, w, j]] = 0
    ids = np.flatnonzero(place >= 0)
    place[ids] = np.arange(len(ids))
    game = _game(state, roads, rules, now_s, players, ids, place)
    coalitions = _coalitions(state, now_s, game, ids)
    choice = np.full(len(players), HOLD, np.int64)
    settle(game, coalitions, choice, moves * len(players), generator)
    for player in range(len(players)):
        actions[players[player]] = choice[player] + 1


@jit
def _game(
    state: CscState, roads: RoadArrays, rules: Rules, now_s: float, players: Ints, ids: Ints, place: Ints
) -> Game:
    """``ids``: of the tasks, ascending; ``place``: of each id among them."""
    tasks, most = state.tasks, state.output.candidates.shape[2]
    task = np.full((len(players), most), -1, np.int64)
    arrival_s = np.zeros((len(players), most))
    for player in range(len(players)):
        w = players[player]
        for j in range(most):
            i = state.output.candidates[0, w, j]
            if i < 0:
                break
            task[player, j] = place[i]
            units = int(state.distances.to_tasks[0, state.workers.node[0, w], i])
            arrival_s[player, j] = travel_time_s(units, roads.unit_m, rules.speed_mps)
    left_s = np.empty(len(ids))
    for k in range(len(ids)):
        left_s[k] = work_left_s(tasks, 0, ids[k], now_s)
    expected_s, deadline_s = tasks.expected_s[0][ids] - now_s, tasks.deadline_s[0][ids] - now_s
    penalty_per_s = np.full(len(ids), rules.penalty_per_s)
    return Game(task, arrival_s, left_s, expected_s, deadline_s, tasks.payment[0][ids], penalty_per_s)


@jit
def _coalitions(state: CscState, now_s: float, game: Game, ids: Ints) -> Coalitions:
    """Those at each task or on their way to it."""
    shape = (len(ids), state.workers.status.shape[1])
    coalitions = Coalitions(
        np.zeros(len(ids), np.int64), np.zeros(shape), np.zeros(shape, np.int64), np.zeros(len(ids))
    )
    for k in range(len(ids)):
        w = state.tasks.first_present[0, ids[k]]
        while w >= 0:
            join(game, coalitions, k, COMMITTED, 0.0)
            w = state.workers.next_worker[0, w]
        w = state.tasks.first_en_route[0, ids[k]]
        while w >= 0:
            join(game, coalitions, k, COMMITTED, state.workers.arrive_s[0, w] - now_s)
            w = state.workers.next_worker[0, w]
    return coalitions
