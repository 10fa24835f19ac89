"""How fast `dasc_v0` steps on the vector interface, in both action modes. Nothing is asserted.

    python benchmarks/dasc_step.py                     # chengdu-synth, 300 workers, 60 tasks (240 subtask agents)
    python benchmarks/dasc_step.py --scenario tiny --workers 12 --tasks 6 --copies 4

Three ways to act: *all* requests whatever is legal, *random* draws among the legal actions, *hesitant* requests one in
fifty a step, so that many subtasks stay open. Time is that of the processor, of one thread, whole episodes from a fixed
seed; choosing the actions is not timed.
"""

import argparse
import os
import platform
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

WAYS = ("all", "random", "hesitant")


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    print(
        f"dasc_v0 on {arguments.scenario}, {arguments.workers} workers, {arguments.tasks} tasks, "
        f"{arguments.copies} copies; Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    )
    print(f"{'mode':<10} {'way':<9} {'us a copy-step':>15} {'of that matching':>17} {'agent-steps a second':>21}")
    for mode in ("recommend", "select"):
        for way in WAYS:
            step_us, matching_us, agents = measure(arguments, mode, way)
            rate = 1e6 * agents / step_us
            print(f"{mode:<10} {way:<9} {step_us:>15.1f} {matching_us:>17.1f} {rate:>21,.0f}")


def measure(arguments: argparse.Namespace, mode: Any, way: str) -> tuple[float, float, int]:
    """Microseconds of a copy's step, those of its matching, and the agents of a copy; means over episodes."""
    from crowdgym.envs import dasc_v0

    env = dasc_v0.vector_env(
        num_envs=arguments.copies,
        copy=False,
        autoreset_mode="Disabled",
        scenario=arguments.scenario,
        num_workers=arguments.workers,
        num_tasks=arguments.tasks,
        action_mode=mode,
    )
    copies, agents = env.batch_shape
    rng = np.random.default_rng(0)
    _, infos = env.reset(seed=0)
    env.step(infos["action_mask"][:, 1].astype(np.int64))  # compiles
    _, infos = env.reset(seed=0)
    steps, took_s, over = 0, 0.0, False
    while not over:
        actions = choose(infos["action_mask"], way, rng)
        began_s = time.process_time()
        _, _, _, truncations, infos = env.step(actions)
        took_s += time.process_time() - began_s
        steps, over = steps + 1, bool(truncations.all())
    return 1e6 * took_s / (steps * copies), 1e6 * float(env.matching_time_s.mean()) / steps, agents


def choose(mask: NDArray[np.int8], way: str, rng: np.random.Generator) -> NDArray[np.int64]:
    """Legal actions of all rows."""
    if way == "all":
        return mask[:, 1].astype(np.int64)
    drawn: NDArray[np.int64] = (rng.random(mask.shape) * mask).argmax(axis=1)
    return drawn if way == "random" else np.where(rng.random(len(mask)) < 0.02, drawn, 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scenario", default="chengdu-synth")
    parser.add_argument("--workers", type=int, default=300)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--copies", type=int, default=16)
    arguments = parser.parse_args()
    if min(arguments.workers, arguments.tasks, arguments.copies) < 1:
        parser.error("--workers, --tasks and --copies must be at least 1")
    return arguments


if __name__ == "__main__":
    main()
