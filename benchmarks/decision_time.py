r"""How long policies take to decide, on the dict interface: processor time of a joint action.

    python benchmarks/decision_time.py csc_v0 --scenario chengdu-paper --set num_workers=350 --set num_tasks=350 \
        --agents pau,lookahead,turn-gain,ippo

One episode of each agent, one thread, the environment not counted; a first call, which compiles, is left out.
``--agents`` takes names of policies and folders of trained agents.
"""

import argparse
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import yaml

import crowdgym
from crowdgym.agents.policy import Policy
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes


class Timed:
    """A policy whose calls are timed.

    Attributes:
        taken_s: processor time of each call of `act`, in seconds.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.taken_s: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)

    def act(self, observations: Mapping[str, Any], infos: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `Policy`."""
        began_s = time.process_time()
        actions = self._policy.act(observations, infos)
        self.taken_s.append(time.process_time() - began_s)
        return actions


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("environment")
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--agents", required=True)
    parser.add_argument("--seed", type=int, default=1000)
    options = parser.parse_args()
    settings = {name: yaml.safe_load(value) for name, _, value in (pair.partition("=") for pair in options.set)}
    env = crowdgym.make(options.environment, scenario=options.scenario, **settings)
    print("| agent | joint actions | mean, ms | median | 95th percentile | longest |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for agent in options.agents.split(","):
        for _run in (1, 2):  # the first compiles
            timed = Timed(load_policy(agent, options.environment, options.scenario))
            run_episodes(env, timed, agent=agent, episodes=1, seed=options.seed)
        taken_ms = 1e3 * np.array(timed.taken_s)
        figures = (taken_ms.mean(), np.median(taken_ms), np.percentile(taken_ms, 95), taken_ms.max())
        print(f"| `{agent}` | {len(taken_ms)} | {' | '.join(f'{figure:.2f}' for figure in figures)} |", flush=True)


if __name__ == "__main__":
    main()
