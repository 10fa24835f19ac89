"""Paired differences between policies of ``sensing_v0`` on one region, in error + λ · cost.

    python benchmarks/sensing_paired.py piemonte --agents gaussian-swap,es=out/es-0+out/es-1+out/es-2,qco-ta
    python benchmarks/sensing_paired.py stations-24 --agents gaussian-swap,out/ippo --participants 10

``NAME=FOLDER+FOLDER+...`` are runs of one learner that differ in their seeds. A trained agent plays the side that it
was trained on. All policies play the same placements, those of ``--seed`` and the following seeds; the values of a
region are always the same. Prints Markdown: mean error, cost and objective, the mean difference to the first agent in
percent of its mean objective, and the interval in which this mean is in 95 % of 10,000 samples of the runs and the
placements with replacement; of a learner also the difference of each run.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import crowdgym
from crowdgym.agents.learning.description import DESCRIPTION, read_description
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes

RESAMPLES = 10_000
Played = NDArray[np.float64]  # [runs, episodes, 2] error and cost in km


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario")
    parser.add_argument("--agents", required=True, help="names, folders or NAME=FOLDER+FOLDER, with commas")
    parser.add_argument("--participants", type=int, default=10)
    parser.add_argument("--attributes", default="all", help="names with commas between them")
    parser.add_argument("--inference", default="knn")
    parser.add_argument("--cost-weight", type=float, default=0.02, help="λ, error per km")
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    played = {}
    for named in arguments.agents.split(","):
        name, _, runs = named.partition("=")
        played[name] = np.stack([play(agent, arguments) for agent in (runs or name).split("+")])
    print(table(played, arguments.cost_weight))


def play(agent: str, arguments: argparse.Namespace) -> NDArray[np.float64]:
    """Error and cost in km of the episodes of a policy. Shape [episodes, 2]."""
    trained = (Path(agent) / DESCRIPTION).exists()
    config = read_description(Path(agent)).config if trained else {"agents": "cells", "scores": False}
    env = crowdgym.make(
        "sensing_v0",
        scenario=arguments.scenario,
        num_participants=arguments.participants,
        attributes="all" if arguments.attributes == "all" else tuple(arguments.attributes.split(",")),
        inference=arguments.inference,
        agents=config["agents"],
        scores=config["scores"],
        normalisation="p99",
    )
    policy = load_policy(agent, "sensing_v0", arguments.scenario)
    result = run_episodes(env, policy, agent=agent, episodes=arguments.episodes, seed=arguments.seed)
    metrics = [episode.metrics for episode in result.episodes]
    return np.array([(float(one["error"]), float(one["cost_km"])) for one in metrics])


def table(played: dict[str, Played], cost_weight: float) -> str:
    """A row for each agent; the first is the one that the others are compared with."""
    objective = {agent: of @ np.array([1.0, cost_weight]) for agent, of in played.items()}  # [runs, episodes]
    compared_with = next(iter(played))
    first = objective[compared_with][0]
    generator = np.random.default_rng(0)
    starts = generator.integers(len(first), size=(RESAMPLES, len(first)))
    lines = [
        "| policy | error | cost, km | error + λ · cost | difference | each run |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for agent, of in played.items():
        error, cost_km = of.mean(axis=(0, 1))
        ahead = 100.0 * (objective[agent] - first) / first.mean()
        runs = generator.integers(len(ahead), size=(RESAMPLES, len(ahead)))
        means = ahead[runs[:, :, np.newaxis], starts[:, np.newaxis, :]].mean(axis=(1, 2))
        low, high = np.quantile(means, (0.025, 0.975))
        compared = f"{ahead.mean():+.1f} % [{low:.1f}, {high:.1f}]" if agent != compared_with else ""
        each = ", ".join(f"{run.mean():+.1f} %" for run in ahead) if len(ahead) > 1 else ""
        objective_mean = objective[agent].mean()
        lines.append(f"| `{agent}` | {error:.4f} | {cost_km:.2f} | {objective_mean:.4f} | {compared} | {each} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
