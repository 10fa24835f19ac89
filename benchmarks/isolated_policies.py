"""Measures the cost of a policy in a process of its own: the dict interface with and without, alternating, in one run.

    python benchmarks/isolated_policies.py [--scenario NAME] [--episodes N]

The policy chooses the first legal action. Printed is the throughput in agent-steps a second, the best of all episodes.
"""

import argparse
import time

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
    best = dict.fromkeys(("inside", "isolated"), float("inf"))
    with open_policy(source, 0, inside=True) as inside, open_policy(source, 0) as isolated:
        for seed in range(given.episodes):
            for name, policy in (("inside", inside), ("isolated", isolated)):
                began_s = time.perf_counter()
                (result,) = run_episodes(env, policy, agent=name, episodes=1, seed=seed).episodes
                best[name] = min(best[name], (time.perf_counter() - began_s) / result.steps)
    agents = len(env.possible_agents)
    for name, step_s in best.items():
        print(f"{name}: {agents / step_s:,.0f} agent-steps a second, {1e6 * step_s:.0f} us a step")
    print(f"isolated / inside: {best['inside'] / best['isolated']:.2f}")


if __name__ == "__main__":
    main()
