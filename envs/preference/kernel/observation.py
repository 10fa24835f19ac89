"""What the agent of a worker sees, as one flat row of numbers in [-1, 1].

``w_self`` is the worker itself with the categories of its history and of its answers so far, ``T_candidates`` its
candidates in the order of its actions, ``W_near`` the nearest workers of its own centre. Every set has a fixed number
of rows; the rows of the last two begin with a flag that says whether there is something in them, and an empty row is
all zeros. Near means by straight line; the distance of a candidate is by road.

Nothing here reads ``preference`` or ``willing``, and of other workers only places and statuses.

Observations are written over those of the epoch before: a number that cannot have changed is left as it is.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.common.layout import FLAG, ObservationLayout, Unit
from crowdgym.envs.core.motion import place_on_trail
from crowdgym.envs.core.neighbours import NO_NEIGHBOUR, fill_grid, grid_of, nearest, offer
from crowdgym.envs.core.road_graph import RoadArrays, travel_time_s
from crowdgym.envs.preference.instance import NUM_CATEGORIES
from crowdgym.envs.preference.kernel.dynamics import DRIVING, IDLE, NO_OFFER, Rules
from crowdgym.envs.preference.kernel.features import (
    ACCEPTED_FEATURES,
    CANDIDATE,
    CANDIDATE_FEATURES,
    COLLEAGUE,
    COLLEAGUE_FEATURES,
    DECLINED_FEATURES,
    FIRST_ACCEPTED,
    FIRST_CATEGORY,
    FIRST_DECLINED,
    FIRST_SHARE,
    SELF,
    SELF_FEATURES,
    SHARE_FEATURES,
    TASK_STATE,
    WORKER_STATE,
)
from crowdgym.envs.preference.kernel.state import NEIGHBOURS, PreferenceState, WorkerStatus, units_to_task

_SELF = len(SELF_FEATURES)
_CANDIDATE = len(CANDIDATE_FEATURES)
_COLLEAGUE = len(COLLEAGUE_FEATURES)
_STATUSES = len(WorkerStatus)

_ANSWERS_SCALE = 10.0  # offers of one category that count as many
_RIVALS_SCALE = 20.0  # workers near one task that count as many
_FIRST_GUESS_M2 = 500.0**2  # where nothing is known of how far colleagues are

Rows = NDArray[np.float32]


def observation_layout(max_candidates: int) -> ObservationLayout:
    """The sets of an observation, in order."""
    return ObservationLayout.of(
        (
            ("w_self", 1, SELF_FEATURES),
            ("T_candidates", max_candidates, CANDIDATE_FEATURES),
            ("W_near", NEIGHBOURS, COLLEAGUE_FEATURES),
        )
    )


class Scales(NamedTuple):
    """What a 1 stands for; everything is clipped there."""

    centre_x_m: float
    centre_y_m: float
    extent_m: float  # half the width of the city
    reach_m: float  # of relative positions and distances: the range of a worker
    time_s: float  # of the time of the episode: the horizon
    wait_s: float  # of all other times: the longest that a task may stay open, or a worker be busy or paused
    per_m: float  # 1 / reach_m, as to divide takes longer
    per_s: float  # 1 / wait_s

    max_offers: int  # of one task

    def units(self) -> dict[str, Unit]:
        """What a 1 stands for, feature by feature, of observations and of the global state."""
        metres, seconds, place = Unit.of(self.reach_m, "m"), Unit.of(self.wait_s, "s"), "m from the city's centre"
        offers, share = Unit.of(_ANSWERS_SCALE, "offers"), Unit("share of the worker's history", 1.0)
        features = (*SELF_FEATURES, *CANDIDATE_FEATURES, *COLLEAGUE_FEATURES, *WORKER_STATE, *TASK_STATE)
        units = dict.fromkeys(features, FLAG)
        units |= dict.fromkeys(("x", "y"), Unit.of(self.extent_m, place))
        units |= dict.fromkeys(("dx", "dy", "distance"), metres)
        units |= {"elapsed": Unit.of(self.time_s, "s")}
        units |= dict.fromkeys(("until_idle", "until_expiry", "slack"), seconds)
        units |= dict.fromkeys((*ACCEPTED_FEATURES, *DECLINED_FEATURES), offers)
        units |= dict.fromkeys((*SHARE_FEATURES, "history_share"), share)
        units |= {"declines": Unit.of(self.max_offers, "offers")}
        return units | {"rivals": Unit.of(_RIVALS_SCALE, "workers")}


@inlined
def _clip(value: float) -> float:
    return min(1.0, max(-1.0, value))


@kernel
def locate_workers(state: PreferenceState, roads: RoadArrays, rules: Rules, b: int, now_s: float) -> None:
    """Work out where every worker of copy ``b`` is at an epoch, and what others see of it that is new.

    Between two nodes its place is interpolated.
    """
    workers, colleagues = state.workers, state.colleagues
    colleagues.num_movers[b, :] = 0
    for w in range(workers.status.shape[1]):
        if workers.status[b, w] == DRIVING:
            to_goal = state.pairs.to_tasks[b, :, workers.task[b, w]]
            x, y = place_on_trail(roads, rules.speed_mps, to_goal, workers, b, w, now_s)
        else:
            node = workers.node[b, w]
            x, y = roads.x_m[node], roads.y_m[node]
        moved = state.unseen[b] == 1 or x != workers.x_m[b, w] or y != workers.y_m[b, w]
        busy = workers.status[b, w] != IDLE
        colleagues.stirred[b, w] = moved or busy or colleagues.busy[b, w] == 1
        colleagues.moved[b, w], colleagues.busy[b, w] = moved, busy
        if moved:
            workers.x_m[b, w], workers.y_m[b, w] = x, y
            centre = workers.centre[b, w]
            colleagues.movers[b, centre, colleagues.num_movers[b, centre]] = w
            colleagues.num_movers[b, centre] += 1


@inlined
def _until_idle_s(state: PreferenceState, b: int, w: int, now_s: float) -> float:
    """Seconds until a worker is idle."""
    if state.workers.status[b, w] == IDLE:
        return 0.0
    return float(state.workers.free_s[b, w] - now_s)


@inlined
def _write_self(row: Rows, state: PreferenceState, scales: Scales, b: int, w: int, now_s: float) -> None:
    workers = state.workers
    row[SELF.x] = _clip((workers.x_m[b, w] - scales.centre_x_m) / scales.extent_m)
    row[SELF.y] = _clip((workers.y_m[b, w] - scales.centre_y_m) / scales.extent_m)
    for status in range(_STATUSES):
        row[SELF.idle + status] = 1.0 if workers.status[b, w] == status else 0.0
    row[SELF.elapsed] = _clip(now_s / scales.time_s)
    row[SELF.until_idle] = _clip(_until_idle_s(state, b, w, now_s) * scales.per_s)
    if state.unseen[b] == 1:
        for c in range(NUM_CATEGORIES):
            row[FIRST_SHARE + c] = workers.history_share[b, w, c]
    if state.output.outcome[b, w] != NO_OFFER:
        for c in range(NUM_CATEGORIES):
            row[FIRST_ACCEPTED + c] = _clip(workers.accepted[b, w, c] / _ANSWERS_SCALE)
            row[FIRST_DECLINED + c] = _clip(workers.declined[b, w, c] / _ANSWERS_SCALE)


@inlined
def _empty_rows(row: Rows, at: int, end: int, width: int) -> None:
    """Clear what is from ``at`` on, row by row, as far as there is something; behind an empty row all are empty."""
    while at < end and row[at] != 0.0:
        for feature in range(at, at + width):
            row[feature] = 0.0
        at += width


@inlined
def _write_candidates(
    row: Rows, state: PreferenceState, rules: Rules, scales: Scales, unit_m: float, b: int, w: int, now_s: float
) -> None:
    """Write the candidates of worker ``w``, in the order of its actions."""
    workers, tasks, candidates = state.workers, state.tasks, state.output.candidates[b, w]
    at, end = _SELF, _SELF + len(candidates) * _CANDIDATE
    for task in candidates:
        if task < 0:
            break
        units = units_to_task(state.pairs, b, workers.node[b, w], task)
        left_s = tasks.expiry_s[b, task] - now_s
        slack_s = tasks.expiry_s[b, task] - (now_s + travel_time_s(units, unit_m, rules.speed_mps))
        category = tasks.category[b, task]
        row[at + CANDIDATE.present] = 1.0
        row[at + CANDIDATE.dx] = _clip((tasks.x_m[b, task] - workers.x_m[b, w]) * scales.per_m)
        row[at + CANDIDATE.dy] = _clip((tasks.y_m[b, task] - workers.y_m[b, w]) * scales.per_m)
        row[at + CANDIDATE.distance] = _clip(units * unit_m * scales.per_m)
        row[at + CANDIDATE.until_expiry] = _clip(left_s * scales.per_s)
        row[at + CANDIDATE.slack] = _clip(slack_s * scales.per_s)
        row[at + CANDIDATE.history_share] = workers.history_share[b, w, category]
        row[at + CANDIDATE.rivals] = _clip(tasks.rivals[b, task] / _RIVALS_SCALE)
        for c in range(NUM_CATEGORIES):
            row[at + FIRST_CATEGORY + c] = 1.0 if c == category else 0.0
        at += _CANDIDATE
    _empty_rows(row, at, end, _CANDIDATE)


@kernel
def _fill_grids(state: PreferenceState, b: int) -> None:
    """Put the workers of every centre of copy ``b`` into its grid."""
    workers, colleagues = state.workers, state.colleagues
    centres = colleagues.crews.shape[1]
    for centre in range(centres):
        crew, size = colleagues.crews[b, centre], colleagues.crew_sizes[b, centre]
        fill_grid(colleagues.grids, b * centres + centre, crew, size, workers.x_m[b], workers.y_m[b])


@inlined
def _update_colleagues(state: PreferenceState, b: int, w: int) -> bool:
    """Bring the list of the nearest workers of the same centre up to date; says whether it may have changed.

    Where worker ``w`` and all in its list stand still, only those who have moved can be new in it.
    """
    workers, colleagues = state.workers, state.colleagues
    centre = workers.centre[b, w]
    found, squared = colleagues.near[b, w], colleagues.near_m2[b, w]
    x, y = workers.x_m[b, w], workers.y_m[b, w]
    search = colleagues.moved[b, w] == 1
    for j in range(NEIGHBOURS):
        search = search or (found[j] != NO_NEIGHBOUR and colleagues.moved[b, found[j]] == 1)
    if search:
        grid = grid_of(colleagues.grids, b * colleagues.movers.shape[1] + centre)
        guess = _FIRST_GUESS_M2
        if state.unseen[b] == 0 and np.isfinite(squared[NEIGHBOURS - 1]):
            guess = max(_FIRST_GUESS_M2, 1.5 * squared[NEIGHBOURS - 1])
        nearest(grid, x, y, w, guess, found, squared)
        return True
    changed = False
    for j in range(colleagues.num_movers[b, centre]):
        mover = colleagues.movers[b, centre, j]
        dx, dy = workers.x_m[b, mover] - x, workers.y_m[b, mover] - y
        changed |= offer(found, squared, mover, dx * dx + dy * dy)
    return changed


@inlined
def _write_colleagues(row: Rows, at: int, state: PreferenceState, scales: Scales, b: int, w: int, now_s: float) -> None:
    workers, colleagues = state.workers, state.colleagues
    end = at + NEIGHBOURS * _COLLEAGUE
    for j in range(NEIGHBOURS):
        other = colleagues.near[b, w, j]
        if other == NO_NEIGHBOUR:
            break
        row[at + COLLEAGUE.present] = 1.0
        row[at + COLLEAGUE.idle] = 1.0 if workers.status[b, other] == IDLE else 0.0
        row[at + COLLEAGUE.until_idle] = _clip(_until_idle_s(state, b, other, now_s) * scales.per_s)
        row[at + COLLEAGUE.dx] = _clip((workers.x_m[b, other] - workers.x_m[b, w]) * scales.per_m)
        row[at + COLLEAGUE.dy] = _clip((workers.y_m[b, other] - workers.y_m[b, w]) * scales.per_m)
        row[at + COLLEAGUE.distance] = _clip(np.sqrt(colleagues.near_m2[b, w, j]) * scales.per_m)
        at += _COLLEAGUE
    _empty_rows(row, at, end, _COLLEAGUE)


@kernel
def _observe_colleagues(
    state: PreferenceState, scales: Scales, b: int, now_s: float, at: int, observations: Rows
) -> None:
    """Write the colleagues of every worker, as far as they, or their places from it, may have changed."""
    colleagues = state.colleagues
    if colleagues.num_movers[b].any():
        _fill_grids(state, b)
    for w in range(len(observations)):
        changed = _update_colleagues(state, b, w)
        for j in range(NEIGHBOURS):
            other = colleagues.near[b, w, j]
            changed |= other != NO_NEIGHBOUR and colleagues.stirred[b, other] == 1
        if changed:
            _write_colleagues(observations[w], at, state, scales, b, w, now_s)


@kernel
def observe(
    state: PreferenceState, roads: RoadArrays, rules: Rules, scales: Scales, b: int, now_s: float, observations: Rows
) -> None:
    """Write what every agent of copy ``b`` sees at an epoch into ``observations``, shape [W, F].

    `locate_workers` and `list_candidates` have been called for this epoch, and ``observations`` holds what this wrote
    at the epoch before, if there was one.
    """
    if state.unseen[b] == 1:
        observations[:] = 0.0
    for w in range(len(observations)):
        row = observations[w]
        _write_self(row, state, scales, b, w, now_s)
        _write_candidates(row, state, rules, scales, roads.unit_m, b, w, now_s)
    at = _SELF + state.output.candidates.shape[2] * _CANDIDATE
    _observe_colleagues(state, scales, b, now_s, at, observations)
    state.unseen[b] = 0
