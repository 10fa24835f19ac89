"""Paired differences between policies of ``sensing_v0`` on one region, in error + λ · cost.

    python benchmarks/sensing_paired.py piemonte --agents gaussian-swap,out/es-0,out/es-1,qco-ta --participants 10
    python benchmarks/sensing_paired.py stations-24 --agents gaussian-swap,out/ippo --side participants

All policies play the same placements, those of ``--seed`` and the following seeds; the values of a region are always
the same. Prints Markdown: mean error, cost and objective, the mean difference to the first agent in percent of its mean
objective, and the interval in which this mean is in 95 % of 10,000 samples of the placements with replacement.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

import crowdgym
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes

RESAMPLES = 10_000


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario")
    parser.add_argument("--agents", required=True, help="names or folders, with commas between them")
    parser.add_argument("--participants", type=int, default=10)
    parser.add_argument("--inference", default="knn")
    parser.add_argument("--side", default="cells", choices=("cells", "participants"))
    parser.add_argument("--scores", action="store_true", help="with scores in the observations, as the agents learned")
    parser.add_argument("--cost-weight", type=float, default=0.02, help="λ, error per km")
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    env = crowdgym.make(
        "sensing_v0",
        scenario=arguments.scenario,
        num_participants=arguments.participants,
        inference=arguments.inference,
        agents=arguments.side,
        scores=arguments.scores,
        normalisation="p99",
    )
    played = {}
    for agent in arguments.agents.split(","):
        policy = load_policy(agent, "sensing_v0", arguments.scenario)
        result = run_episodes(env, policy, agent=agent, episodes=arguments.episodes, seed=arguments.seed)
        metrics = [episode.metrics for episode in result.episodes]
        played[agent] = np.array([(float(one["error"]), float(one["cost_km"])) for one in metrics])  # [episodes, 2]
    print(table(played, arguments.cost_weight))


def table(played: dict[str, NDArray[np.float64]], cost_weight: float) -> str:
    """A row for each agent; the first is the one that the others are compared with."""
    objective = {agent: of @ np.array([1.0, cost_weight]) for agent, of in played.items()}
    first = next(iter(objective.values()))
    drawn = np.random.default_rng(0).integers(len(first), size=(RESAMPLES, len(first)))
    lines = ["| policy | error | cost, km | error + λ · cost | difference |", "| --- | ---: | ---: | ---: | ---: |"]
    for agent, of in played.items():
        error, cost_km = of.mean(axis=0)
        ahead = 100.0 * (objective[agent] - first) / first.mean()
        low, high = np.quantile(ahead[drawn].mean(axis=1), (0.025, 0.975))
        compared = f"{ahead.mean():+.1f} % [{low:.1f}, {high:.1f}]" if objective[agent] is not first else ""
        lines.append(f"| `{agent}` | {error:.4f} | {cost_km:.2f} | {objective[agent].mean():.4f} | {compared} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
