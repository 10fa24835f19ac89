"""Evolution search for the parameters of ``task-schedule`` on common instances.

    python benchmarks/dasc_search.py --scenario dasc-small --generations 8

Separable CMA-ES (Ros and Hansen 2008) in units of `TaskSchedule.SCALE` around `TaskSchedule.START`. All candidates of a
generation play the same instances, and so does the mean of the generation before, so candidates are compared by paired
differences; every generation has new instances. Prints a line for each generation and, at the end, the mean.
"""

import argparse
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

import crowdgym
from crowdgym.agents.dasc.task_schedule import TaskSchedule
from crowdgym.common.seeds import CALIBRATION_FINALISTS
from crowdgym.runner import run_episodes

Floats = NDArray[np.float64]
NAMES = tuple(TaskSchedule.START)


def parameters_of(point: Floats) -> Mapping[str, float]:
    """The parameters at a point of the search; none of them is negative, except the urgency."""
    start, scale = TaskSchedule.START, TaskSchedule.SCALE
    values = {name: start[name] + scale[name] * x for name, x in zip(NAMES, point, strict=True)}
    return {name: value if name == "urgency" else max(value, 0.0) for name, value in values.items()}


def main() -> None:
    """Search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="dasc-small")
    parser.add_argument("--generations", type=int, default=8)
    parser.add_argument("--candidates", type=int, default=8)
    parser.add_argument("--episodes", type=int, default=24, help="instances of a generation")
    parser.add_argument("--moves", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    env = crowdgym.make("dasc_v0", scenario=options.scenario)
    generator = np.random.default_rng(options.seed)
    mean, variance = np.zeros(len(NAMES)), np.full(len(NAMES), 0.25)
    elite = options.candidates // 2
    weights = np.log(elite + 0.5) - np.log(np.arange(1, elite + 1))
    weights /= weights.sum()

    def profit(point: Floats, first_seed: int) -> Floats:
        policy = TaskSchedule(parameters_of(point), options.moves)
        result = run_episodes(env, policy, agent="task-schedule", episodes=options.episodes, seed=first_seed)
        return np.array([episode.metrics["profit"] for episode in result.episodes])

    for number in range(options.generations):
        first_seed = CALIBRATION_FINALISTS[200_000 + number * options.episodes]
        base = profit(mean, first_seed)
        steps = generator.normal(size=(options.candidates, len(NAMES))) * np.sqrt(variance)
        gains = np.array([(profit(mean + step, first_seed) - base).mean() for step in steps])
        best = steps[np.argsort(-gains)[:elite]]
        mean = mean + weights @ best
        variance = 0.8 * variance + 0.2 * weights @ best**2
        values = ", ".join(f"{name}={value:.3g}" for name, value in parameters_of(mean).items())
        print(f"{number}: {base.mean():.0f}, gains {gains.min():+.0f} to {gains.max():+.0f}; {values}", flush=True)


if __name__ == "__main__":
    main()
