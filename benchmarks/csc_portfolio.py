r"""What search at decision time could add to the planner `lookahead`, at most, if it knew the future of the episode.

    python benchmarks/csc_portfolio.py --workers 150 --tasks 200 --seeds 3000100 3000101

Every few epochs, each planner of a portfolio (`lookahead` with other prices) plays a copy of the present moment for
that long, and `lookahead` plays the copy on to the end of the episode, with the tasks that really come. The planner
whose copy earns most acts until the next choice. A search of this kind that does not know which tasks will come can
hardly do better. Prints the revenue of each planner alone, and of the choice.
"""

import argparse
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

import crowdgym  # noqa: F401  (registers the environments)
from crowdgym.agents.csc.lookahead import PARAMETERS, LookaheadPolicy

# Changes of the parameters of `lookahead`: factors on the level of the price, as exponents of e, and on the horizon.
PORTFOLIO: dict[str, dict[str, float]] = {
    "lookahead": {},
    "time costs twice as much": {"level": 0.7},
    "time costs half as much": {"level": -0.7},
    "twice the horizon": {"horizon": 0.7},
}


class Copies:
    """Copies of an episode: the first is played, the others are tried."""

    def __init__(self, options: argparse.Namespace, seed: int) -> None:
        count = 1 + len(PORTFOLIO)
        env: Any = gymnasium.make_vec(
            "crowdgym/csc-v0",
            num_envs=count,
            scenario=options.scenario,
            num_workers=options.workers,
            num_tasks=options.tasks,
            autoreset_mode="Disabled",
        )
        env.reset(seed=[seed] * count)
        self.simulation = env.unwrapped._simulation
        self.metadata = env.metadata
        state = self.simulation.state
        changing = [array for array in arrays_of(state) if array is not state.distances.to_tasks]
        self._arrays = [array for array in changing if array.ndim and len(array) == count]
        self._arrays += [self.simulation.epochs, self.simulation.observations]
        self._joint = np.zeros((count, options.workers), np.int64)

    def moment(self, copy: int) -> list[NDArray[Any]]:
        """All that changes in an episode, as it is now in a copy."""
        return [array[copy].copy() for array in self._arrays]

    def set(self, copy: int, moment: list[NDArray[Any]]) -> None:
        """Put a copy there."""
        for array, value in zip(self._arrays, moment, strict=True):
            array[copy] = value

    def is_over(self, copy: int) -> bool:
        """Whether the episode of a copy is over."""
        return bool(self.simulation.is_over()[copy])

    def play(self, copy: int, policy: LookaheadPolicy, epochs: int | None = None) -> float:
        """Play a copy on, to the end if ``epochs`` is None. Returns its revenue."""
        played = 0
        while not self.is_over(copy) and played != epochs:
            one = slice(copy, copy + 1)
            infos = {"candidates": self.simulation.state.output.candidates[one]}
            self._joint[copy] = policy.choose(self.simulation.observations[one], infos)[0]
            self.simulation.step(self._joint, np.array([copy]))
            played += 1
        return float(self.simulation.metrics(copy).revenue)

    def policy(self, name: str) -> LookaheadPolicy:
        """A planner of the portfolio at the beginning of an episode."""
        values = PARAMETERS.start.copy()
        for parameter, change in PORTFOLIO[name].items():
            values[PARAMETERS.names.index(parameter)] += change
        policy = LookaheadPolicy()
        policy.set_parameters(values)
        observations = self.simulation.observations
        policy.begin(1, observations.shape[1], observations.shape[2], self.metadata)
        return policy


def arrays_of(state: Any) -> Iterator[NDArray[Any]]:
    """All arrays of nested tuples."""
    if isinstance(state, np.ndarray):
        yield state
    elif isinstance(state, tuple):
        for part in state:
            yield from arrays_of(part)


def play_with_search(copies: Copies, every: int) -> tuple[float, dict[str, int]]:
    """Play the first copy. Returns its revenue, and how often each planner was chosen."""
    memories = copies.policy("lookahead")._memories
    chosen = dict.fromkeys(PORTFOLIO, 0)
    while not copies.is_over(0):
        tried = []
        for copy, name in enumerate(PORTFOLIO, start=1):
            copies.set(copy, copies.moment(0))
            policy = copies.policy(name)
            policy._memories = deepcopy(memories)
            copies.play(copy, policy, every)
            reached, remembered = copies.moment(copy), deepcopy(policy._memories)
            rest = copies.policy("lookahead")
            rest._memories = policy._memories
            tried.append((copies.play(copy, rest), name, reached, remembered))
        _, name, reached, memories = max(tried, key=lambda one: one[0])
        copies.set(0, reached)
        chosen[name] += 1
    return float(copies.simulation.metrics(0).revenue), chosen


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="chengdu-paper")
    parser.add_argument("--workers", type=int, default=150)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--every", type=int, default=20, help="epochs between two choices")
    parser.add_argument("--seeds", type=int, nargs="+", default=[3_000_100])
    options = parser.parse_args()
    for seed in options.seeds:
        copies = Copies(options, seed)
        start = copies.moment(0)
        alone = {}
        for name in PORTFOLIO:
            copies.set(1, start)
            alone[name] = copies.play(1, copies.policy(name))
        revenue, chosen = play_with_search(copies, options.every)
        gain = 100 * (revenue / alone["lookahead"] - 1)
        print(f"{options.scenario}, {options.workers} workers, {options.tasks} tasks, seed {seed}")
        for name, earned in alone.items():
            print(f"  {name:<28}{earned:>12,.0f}   chosen {chosen[name]} times")
        print(f"  {'the choice':<28}{revenue:>12,.0f}   {gain:+.2f} % of lookahead", flush=True)


if __name__ == "__main__":
    main()
