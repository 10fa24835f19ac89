"""RideGym: drivers that serve orders of passengers, on a plane; dicts in and out. One copy, because it has no batch.

Every pending order goes to one idle driver at random, as RideGym raises where two drivers ask for the same order.
There are as many orders as drivers, in as many minutes and steps as an episode of `csc_v0` on ``chengdu-synth``.
"""

from typing import Any

import numpy as np
from ride_gym import RidePoolEnv
from ride_gym.order_generator import RandomOrderGenerator
from timing import Variant, arguments, report, time_calls

AREA_KM = (0.0, 0.0, 20.0, 20.0)
HORIZON_MIN, STEP_MIN = 88.0, 0.5
SPEED_KM_A_MIN = 0.6

chosen = arguments(__doc__)
orders = RandomOrderGenerator(AREA_KM, HORIZON_MIN / 2, num_orders=chosen.agents, rng=0)
env = RidePoolEnv(
    area=AREA_KM,
    num_drivers=chosen.agents,
    driver_speeds=[SPEED_KM_A_MIN] * chosen.agents,
    dt=STEP_MIN,
    horizon=HORIZON_MIN,
    order_generator=orders,
    seed=0,
)
generator = np.random.default_rng(0)
seen, _ = env.reset(seed=0)


def actions() -> dict[int, dict[str, Any]]:
    """An order or none for every driver; begins the next episode where the last one is over."""
    global seen
    if env.time >= env.horizon:
        seen, _ = env.reset()
    idle = [driver for driver, sees in seen.items() if sees["self"]["status"] == "idle"]
    pending = [order["order_id"] for order in seen[0]["pending_orders"]]
    served = dict(zip(generator.permutation(idle).tolist(), generator.permutation(pending).tolist(), strict=False))
    return {driver: {"orders": [served[driver]] if driver in served else []} for driver in seen}


def step(joint: dict[int, dict[str, Any]]) -> None:
    """One step; what it hands out is what the next actions are drawn from."""
    global seen
    seen, *_ = env.step(joint)


def numbers_in(part: Any) -> int:
    """How many numbers there are in an observation, whatever they are packed into."""
    if isinstance(part, dict | list | tuple):
        return sum(map(numbers_in, part.values() if isinstance(part, dict) else part))
    return int(isinstance(part, int | float))


width = numbers_in(seen[0])
timed = time_calls(actions, step, chosen.runs, chosen.run_s)
report([Variant("dict interface", 1, chosen.agents, width, 1, *timed)], ["ride-gym", "numpy"])
