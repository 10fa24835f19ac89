"""The matchings of ``preference_v0`` against the size of the world: what is offered, accepted and liked, and its time.

    python benchmarks/preference_curves.py                      with declines, our setting
    python benchmarks/preference_curves.py --acceptance always  every offer is accepted, the paper's setting

A row differs from the defaults in one setting. All policies but ``max-flow`` know the shares of the histories.
``offered`` is what the paper calls assigned, ``preference`` the mean true preference of accepted tasks, ``ms`` the
processor time of the policy in an epoch in milliseconds, reading observations included.
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

WORLDS: dict[str, Mapping[str, Any]] = {
    "defaults": {},
    **{f"{n} tasks": {"num_tasks": n} for n in (100, 200, 500)},
    **{f"{n} workers": {"num_workers": n} for n in (50, 100, 400)},
    **{f"range {metres:,} m": {"range_m": float(metres)} for metres in (1000, 3000)},
    **{f"expiry {seconds} s": {"expiry_mean_s": float(seconds)} for seconds in (150, 600)},
}
POLICIES = {
    "max-flow": MaxFlowPolicy,
    "greedy": GreedyPolicy,
    "km": KmPolicy,
    "km-lexicographic": LexicographicKmPolicy,
    "top-k, k = 3": partial(TopKPolicy, k=3),
    "top-k, k = 10": partial(TopKPolicy, k=10),
}
SHOWN = {"offered": 1, "accepted": 1, "preference": 3, "ms": 1}  # and the places of each


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
    known = {name: float(infos["metrics"][name][0]) for name in SHOWN if name in infos["metrics"]}
    return known | {"ms": 1000.0 * spent_s / epochs}


def episodes(world: Mapping[str, Any], seeds: range) -> dict[str, list[dict[str, float]]]:
    """The episodes of every policy in a world, in the order of the seeds."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in POLICIES}
    for seed in seeds:
        env = environment_spec("preference_v0").interface("vector_env")(num_envs=1, population_seed=seed, **world)
        for name, make in POLICIES.items():
            found[name].append(play(env, make(), seed))
    return found


def table(metric: str, worlds: Mapping[str, dict[str, list[dict[str, float]]]]) -> Iterator[str]:
    """A row for each world, a column for each policy; accepted tasks with the half of their 95 % interval."""
    yield f"| {metric} | {' | '.join(POLICIES)} |"
    yield "|---" * (1 + len(POLICIES)) + "|"
    for world, by_policy in worlds.items():
        values = (np.array([one[metric] for one in by_policy[name]]) for name in POLICIES)
        yield f"| {world} | {' | '.join(_shown(metric, each) for each in values)} |"


def _shown(metric: str, values: Floats) -> str:
    mean = f"{values.mean():.{SHOWN[metric]}f}"
    if metric != "accepted":
        return mean
    return f"{mean} ± {stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)):.1f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--acceptance", choices=["preference", "always"], default="preference")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=20)
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    played = {name: episodes({**world, "acceptance": options.acceptance}, seeds) for name, world in WORLDS.items()}
    for metric in SHOWN:
        print("\n".join(table(metric, played)), end="\n\n")


if __name__ == "__main__":
    main()
