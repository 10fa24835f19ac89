"""The matchings of ``preference_v0`` against the size of the world: what is offered, accepted and liked, and its time.

    python benchmarks/preference_curves.py                      with declines, our setting
    python benchmarks/preference_curves.py --acceptance always  every offer is accepted, the paper's setting

A group of rows differs from the defaults in one setting. All policies know the shares of the histories. ``offered`` is
what the paper calls assigned. The time is processor time of the policy in an epoch, reading observations included.
Every seed is an episode with a population of its own; means over the seeds, accepted tasks with a 95 % interval of
Student's t.
"""

import argparse
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from crowdgym.agents.preference.policies import GreedyPolicy, KmPolicy, LexicographicKmPolicy, MaxFlowPolicy
from crowdgym.agents.row_policy import RowPolicy
from crowdgym.agents.ta_fpl.policy import TopKPolicy
from crowdgym.registration import environment_spec

Floats = NDArray[np.float64]

SWEEPS: dict[str, tuple[float, ...]] = {
    "num_tasks": (100, 200, 300, 500),
    "num_workers": (50, 100, 200, 400),
    "range_m": (1000.0, 2000.0, 3000.0),
    "expiry_mean_s": (150.0, 300.0, 600.0),
}
POLICIES = {
    "max-flow": MaxFlowPolicy,
    "greedy": GreedyPolicy,
    "km": KmPolicy,
    "km-lexicographic": LexicographicKmPolicy,
    "top-k, k = 3": partial(TopKPolicy, k=3),
    "top-k, k = 10": partial(TopKPolicy, k=10),
}
SHOWN = ("offered", "accepted", "preference")


def play(env: Any, policy: RowPolicy, seed: int) -> dict[str, float]:
    """The metrics of an episode of one copy, and the milliseconds of the policy in an epoch."""
    copies, agents = env.batch_shape
    observations, infos = env.reset(seed=[seed])
    policy.begin(copies, agents, observations.shape[1], env.metadata)
    spent_s, epochs, ended = 0.0, 0, False
    while not ended:
        read = {name: infos[name].reshape(copies, agents, *infos[name].shape[1:]) for name in policy.reads}
        spent_s -= time.process_time()
        joint = policy.choose(observations.reshape(copies, agents, -1), read)
        spent_s += time.process_time()
        observations, _, _, truncated, infos = env.step(joint.reshape(-1))
        epochs, ended = epochs + 1, bool(truncated.any())
    return {name: float(infos["metrics"][name][0]) for name in SHOWN} | {"ms": 1000.0 * spent_s / epochs}


def rows(world: Mapping[str, Any], seeds: range) -> Iterator[str]:
    """A row for each policy in a world."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in POLICIES}
    for seed in seeds:
        env = environment_spec("preference_v0").interface("vector_env")(num_envs=1, population_seed=seed, **world)
        for name, make in POLICIES.items():
            found[name].append(play(env, make(), seed))
    for name, episodes in found.items():
        mean = {metric: np.mean([one[metric] for one in episodes]) for metric in (*SHOWN, "ms")}
        accepted = np.array([one["accepted"] for one in episodes])
        half = stats.t.ppf(0.975, len(accepted) - 1) * accepted.std(ddof=1) / np.sqrt(len(accepted))
        yield (
            f"| {name} | {mean['offered']:.1f} | {mean['accepted']:.1f} ± {half:.1f} "
            f"| {mean['preference']:.3f} | {mean['ms']:.1f} |"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--acceptance", choices=["preference", "always"], default="preference")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=20)
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    print("| setting | policy | offered | accepted | preference | ms an epoch |\n|---|---|---|---|---|---|")
    for setting, values in SWEEPS.items():
        for value in values:
            for row in rows({setting: value, "acceptance": options.acceptance}, seeds):
                print(f"| {setting} {value:g} {row}", flush=True)


if __name__ == "__main__":
    main()
