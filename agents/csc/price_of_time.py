"""What a second of each worker costs a planner: log-linear in how scarce workers are at the moment; compiled.

    price = p̄ · 10⁻⁴ · exp(w · features)   currency a second, p̄ the mean payment of the tasks seen

The features are logarithms of ratios, see `FEATURES`, so a weight is an exponent: with weight 1 the price is in
proportion to the ratio.
"""

import math
from typing import Final

import numpy as np

from crowdgym.agents.csc.epoch_reader import DEMAND_S, Columns, Crowd, Memory
from crowdgym.agents.csc.pau_game import Floats
from crowdgym.common.jit import jit
from crowdgym.common.sums import total

# The features of a worker, each a logarithm but the first.
FEATURES: Final = (
    "level",  # 1
    "busy_share",  # share of all workers that are busy
    "arriving_work",  # new work per second and worker, over a half
    "waiting_work",  # work of the tasks without workers, in worker-seconds a worker, over 300
    "time_left",  # share of the last 2,000 s of the episode that is left
    "own_skills",  # how many skills the worker has, over the mean
    "scarce_skills",  # work that wants the worker's skills, per worker that has them, over the mean
)
_UNIT: Final = 1e-4  # of p̄ a second
_LEAST: Final = 0.02  # is added to shares, whose logarithm would else be infinite
_LOWEST, _HIGHEST = -8.0, 5.0  # of the exponent
_USUAL_ARRIVALS: Final = 0.5  # worker-seconds of work a second and worker
_USUAL_BACKLOG_S: Final = 300.0
_LAST_S: Final = 2000.0


@jit
def mean_payment_seen(memory: Memory) -> float:
    """p̄, the mean of the highest payments of all tasks seen so far; 1 if there are none."""
    return float(memory.payments[1] / memory.payments[0]) if memory.payments[0] > 0.0 else 1.0


@jit
def _work_wanted_s(crowd: Crowd, arriving: Floats, waiting_s: Floats) -> Floats:
    """Work that wants a skill, per worker that has it, as the mean over each worker's skills. Shape [W]."""
    workers, num_skills = len(crowd.skills), len(arriving)
    per_worker_s = arriving * DEMAND_S + waiting_s
    for skill in range(num_skills):
        able = 0.5  # so that a skill without workers divides by no zero
        for w in range(workers):
            able += (crowd.skills[w] >> skill) & 1
        per_worker_s[skill] /= able
    wanted_s = np.zeros(workers)
    for w in range(workers):
        for skill in range(num_skills):
            if (crowd.skills[w] >> skill) & 1:
                wanted_s[w] += per_worker_s[skill] / crowd.num_skills[w]
    return wanted_s


@jit
def price_of_time(
    weights: Floats, columns: Columns, memory: Memory, crowd: Crowd, waiting_s: Floats, now_s: float
) -> Floats:
    """The price of a second of each worker, in currency. Shape [W].

    Args:
        weights: of `FEATURES`. Shape [7].
        columns: the rules of the platform.
        memory: after `note_epoch`.
        crowd: the workers.
        waiting_s: work of the open tasks without workers, by skill. Shape [skills].
        now_s: the time.
    """
    workers = len(crowd.busy)
    seen_s = DEMAND_S * (1.0 - math.exp(-(now_s + 1.0) / DEMAND_S))
    arriving = memory.demand_s / seen_s  # [skills] worker-seconds a second
    wanted_s = _work_wanted_s(crowd, arriving, waiting_s)
    common = (
        weights[0]
        + weights[1] * math.log(np.count_nonzero(crowd.busy) / workers + _LEAST)
        + weights[2] * math.log(total(arriving) / workers / _USUAL_ARRIVALS + _LEAST)
        + weights[3] * math.log(total(waiting_s) / workers / _USUAL_BACKLOG_S + _LEAST)
        + weights[4] * math.log(min(1.0, max(0.0, columns.end_s - now_s) / _LAST_S) + _LEAST)
    )
    skills, wanted = total(crowd.num_skills) / workers, total(wanted_s) / workers
    scale = mean_payment_seen(memory) * _UNIT
    price = np.zeros(workers)
    for w in range(workers):
        own = weights[5] * math.log(max(1, crowd.num_skills[w]) / max(1.0, skills))
        scarce = weights[6] * math.log((wanted_s[w] + 1.0) / (wanted + 1.0))
        price[w] = scale * math.exp(min(_HIGHEST, max(_LOWEST, common + own + scarce)))
    return price
