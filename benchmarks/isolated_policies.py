"""Measures the cost of a policy in a process of its own: the dict interface with and without, alternating, in one run.

    python -m benchmarks.isolated_policies [--scenario NAME] [--episodes N]
    python -m benchmarks.isolated_policies --own [--episodes N]

The first measures a policy that chooses the first legal action. Each step is timed on its own, and the median is
printed. Where other programs need the processor, a process that is woken waits for its turn;
`chrt -r 1 python -m ...` keeps them away.

The second measures every policy that comes with CrowdGym, on the default scenario of each environment: how long whole
episodes take, and how long the process takes to start.
"""

import argparse
import functools
import time
from collections.abc import Iterator

import numpy as np

import crowdgym
from crowdgym.isolation.policy import open_policy
from crowdgym.policies import PolicySource, policy_names
from crowdgym.registration import environment_names
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
    parser.add_argument("--own", action="store_true", help="measure the policies that come with CrowdGym")
    given = parser.parse_args()
    if given.own:
        for environment in environment_names():
            measure_own(environment, given.episodes)
        return
    env = crowdgym.make("csc_v0", scenario=given.scenario)
    source = PolicySource("benchmarks.isolated_policies:FirstCandidate", "csc_v0", given.scenario)
    median_s = {name: float(np.median(times)) for name, times in step_times(env, source, given.episodes)[0].items()}
    for name, median in median_s.items():
        print(f"{name}: {1e6 * median:.0f} us a step, {len(env.possible_agents) / median:,.0f} agent-steps a second")
    print(f"isolated / inside: {median_s['inside'] / median_s['isolated']:.2f}")


def measure_own(environment: str, episodes: int) -> None:
    """Print a line for every policy of an environment that comes with CrowdGym."""
    env = crowdgym.make(environment)
    print(f"{environment}, {env.settings.scenario}: ms an episode inside, isolated, change, ms to start a process")
    for name in policy_names(environment):
        step_s, start_s = step_times(env, PolicySource(name, environment), episodes)
        inside, isolated = (1e3 * sum(step_s[how]) / episodes for how in ("inside", "isolated"))
        print(f"  {name}: {inside:.0f}, {isolated:.0f}, {100 * (isolated / inside - 1):+.0f} %, {1e3 * start_s:.0f}")


def step_times(env: object, source: PolicySource, episodes: int) -> tuple[dict[str, list[float]], float]:
    """Seconds of each step, inside and isolated, and the seconds that the process takes to start."""
    step_s: dict[str, list[float]] = {"inside": [], "isolated": []}
    began_s = time.perf_counter()
    with open_policy(source, 0, inside=False) as isolated:
        start_s = time.perf_counter() - began_s
        with open_policy(source, 0, inside=True) as inside:
            for name, policy in (("inside", inside), ("isolated", isolated)):  # compiles what is not compiled yet
                run_episodes(env, policy, agent=name, episodes=1, seed=0)
            for seed in range(episodes):
                for name, policy in (("inside", inside), ("isolated", isolated)):
                    watch = functools.partial(time_steps, into=step_s[name])
                    run_episodes(env, policy, agent=name, episodes=1, seed=seed, watch=watch)
    return step_s, start_s


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
