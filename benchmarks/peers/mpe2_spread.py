"""mpe2, simple_spread: PettingZoo's parallel interface, dicts in and out. One copy, because it has no batch."""

import numpy as np
from mpe2 import simple_spread_v3
from timing import Variant, arguments, report, time_calls

chosen = arguments(__doc__)
env = simple_spread_v3.parallel_env(N=chosen.agents, max_cycles=10**9, continuous_actions=False)
observations, _ = env.reset(seed=0)
generator = np.random.default_rng(0)


def actions() -> dict[str, int]:
    """A random action for every agent; all five are legal."""
    return dict(zip(env.agents, generator.integers(5, size=len(env.agents)).tolist(), strict=True))


timed = time_calls(actions, env.step, chosen.runs, chosen.run_s)
width = observations[env.agents[0]].size
report([Variant("dict interface", 1, chosen.agents, width, 1, *timed)], ["mpe2", "pettingzoo", "numpy"])
