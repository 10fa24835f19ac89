"""Measures the cost of a policy in a process of its own: the dict interface with and without, alternating, in one run.

    python -m benchmarks.isolated_policies [--scenario NAME] [--episodes N]

The policy chooses the first legal action. Each step is timed on its own, and the median is printed. Where other
programs need the processor, a process that is woken waits for its turn; `chrt -r 1 python -m ...` keeps them away.
"""

import argparse
import functools
import time
from collections.abc import Iterator

import numpy as np

import crowdgym
from crowdgym.isolation.policy import open_policy
from crowdgym.policies import PolicySource
from crowdgym.runner import run_episodes


class FirstCandidate:
    """Takes the first candidate where there is one."""

    def act(self, observations, infos):  # type: ignore[no-untyped-def]  # noqa: D102
        return {agent: int(info["action_mask"][1]) for agent, info in infos.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="chengdu-synth")
    parser.add_argument("--episodes", type=int, default=5)
    given = parser.parse_args()
    env = crowdgym.make("csc_v0", scenario=given.scenario)
    source = PolicySource("benchmarks.isolated_policies:FirstCandidate", "csc_v0", given.scenario)
    step_s: dict[str, list[float]] = {"inside": [], "isolated": []}
    with open_policy(source, 0, inside=True) as inside, open_policy(source, 0) as isolated:
        for seed in range(given.episodes):
            for name, policy in (("inside", inside), ("isolated", isolated)):
                watch = functools.partial(time_steps, into=step_s[name])
                run_episodes(env, policy, agent=name, episodes=1, seed=seed, watch=watch)
    median_s = {name: float(np.median(times)) for name, times in step_s.items()}
    for name, median in median_s.items():
        print(f"{name}: {1e6 * median:.0f} us a step, {len(env.possible_agents) / median:,.0f} agent-steps a second")
    print(f"isolated / inside: {median_s['inside'] / median_s['isolated']:.2f}")


def time_steps(episode: int, steps: Iterator[int], into: list[float]) -> None:
    """Play all steps, and note how long each takes; the first is the reset."""
    next(steps)
    began_s = time.perf_counter()
    for _ in steps:
        now_s = time.perf_counter()
        into.append(now_s - began_s)
        began_s = now_s


if __name__ == "__main__":
    main()
