"""Measures the cost of a policy in a process of its own: the dict interface with and without, alternating, in one run.

    python -m benchmarks.isolated_policies [--scenario NAME] [--episodes N]
    python -m benchmarks.isolated_policies --own [--environment NAME]

The first measures a policy that chooses the first legal action. Each step is timed on its own, and the median is
printed. Where other programs need the processor, a process that is woken waits for its turn;
`chrt -r 1 python -m ...` keeps them away.

The second measures every policy that comes with CrowdGym, on the default scenario of each environment, in seconds of
processor time: what other programs do changes them little.
"""

import argparse
import functools
import resource
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
    parser.add_argument("--environment", help="of the policies that come with CrowdGym; default: all")
    given = parser.parse_args()
    if given.own:
        for environment in environment_names() if given.environment is None else [given.environment]:
            measure_own(environment, steps=20)
        return
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


def measure_own(environment: str, steps: int) -> None:
    """Print a line for every policy of an environment that comes with CrowdGym."""
    step_s = crowdgym.make(environment).settings.step_s
    if step_s == "series":
        step_s = 86_400.0  # the series has a cycle a day
    short, long = (crowdgym.make(environment, horizon_s=count * step_s) for count in (2, 2 + steps))
    print(f"{environment}, {long.settings.scenario}: ms a step inside, isolated; ms to start, with two steps")
    for name in policy_names(environment):
        source = PolicySource(name, environment)
        spent_s(short, source, inside=True)  # loads what is not loaded yet
        first = {inside: spent_s(short, source, inside=inside) for inside in (True, False)}
        step = {inside: (spent_s(long, source, inside=inside) - first[inside]) / steps for inside in (True, False)}
        print(f"  {name}: {1e3 * step[True]:.2f}, {1e3 * step[False]:.2f}; {1e3 * (first[False] - first[True]):.0f}")


def spent_s(env: object, source: PolicySource, *, inside: bool) -> float:
    """Seconds of processor time of this process, and of that of the policy, to make a policy and play an episode."""
    began_s = processor_s()
    with open_policy(source, 0, inside=inside) as policy:
        run_episodes(env, policy, agent=source.name, episodes=1, seed=0)
    return processor_s() - began_s


def processor_s() -> float:
    """Seconds of processor time so far, with those of processes that have ended."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


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
