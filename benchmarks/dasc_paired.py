"""Paired differences between policies of ``dasc_v0``, and the processor time of a step.

    python benchmarks/dasc_paired.py --scenario dasc-scarce-haikou --agents task-schedule,critical-path --episodes 100

All policies play the same instances, those of ``--seed`` and the following seeds. Episodes are written to ``--out``, a
line each, as they finish; those that are there already are not played again. ``--set num_workers=50`` changes a number
among the settings, and is then part of the scenario's name. Prints Markdown: mean revenue with its
standard error, the mean difference to ``--against`` in percent of its mean revenue, the interval in which this mean is
in 95 % of 10,000 samples of the instances with replacement, and the processor time of a step, environment included.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

import crowdgym
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes

RESAMPLES = 10_000

Row = dict[str, Any]


def rows_of(file: Path) -> list[Row]:
    """The episodes that were played."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


def label_of(scenario: str, settings: dict[str, float]) -> str:
    """Scenario and settings in one word."""
    return ",".join([scenario, *(f"{name}={value:g}" for name, value in settings.items())])


def setting_of(text: str) -> tuple[str, float]:
    """``num_workers=50`` as name and number, a whole one as such."""
    name, _, value = text.partition("=")
    return name, int(value) if value.isdecimal() else float(value)


def play(scenario: str, settings: dict[str, float], agents: list[str], seeds: range, file: Path) -> None:
    """Play what is missing, instance by instance."""
    env = crowdgym.make("dasc_v0", scenario=scenario, **settings)
    label = label_of(scenario, settings)
    policies = {agent: load_policy(agent, "dasc_v0", scenario) for agent in agents}
    there = {(row["scenario"], row["agent"], row["seed"]) for row in rows_of(file)}
    file.parent.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        for agent, policy in policies.items():
            if (label, agent, seed) in there:
                continue
            began_s = time.process_time()
            (episode,) = run_episodes(env, policy, agent=agent, episodes=1, seed=seed).episodes
            spent = {"processor_s": time.process_time() - began_s, "steps": episode.steps}
            row = {"scenario": label, "agent": agent, "seed": seed, **episode.metrics, **spent}
            with file.open("a") as lines:
                lines.write(json.dumps(row) + "\n")


def table(rows: list[Row], agents: list[str], against: str, runs: list[str]) -> str:
    """The instances that all policies have played. ``runs`` get a row together: on each instance their mean."""
    played = {agent: {row["seed"]: row for row in rows if row["agent"] == agent} for agent in agents}
    seeds = sorted(set.intersection(*(set(of) for of in played.values())))
    revenue = {agent: np.array([of[seed]["revenue"] for seed in seeds]) for agent, of in played.items()}
    spent_s = {agent: [row["processor_s"] / row["steps"] for row in of.values()] for agent, of in played.items()}
    if runs:
        name = f"mean of {len(runs)} runs"
        revenue[name] = np.mean([revenue[run] for run in runs], axis=0)
        spent_s[name] = [second for run in runs for second in spent_s[run]]
    base = revenue[against]
    generator = np.random.default_rng(0)
    drawn = generator.integers(len(seeds), size=(RESAMPLES, len(seeds)))
    lines = [
        f"| policy | revenue of {len(seeds)} episodes | difference to `{against}` | ms a step |",
        "| --- | ---: | ---: | ---: |",
    ]
    for agent, ours in revenue.items():
        share = 100.0 * (ours - base) / base.mean()
        low, high = np.percentile(share[drawn].mean(axis=1), [2.5, 97.5])
        error = ours.std(ddof=1) / len(ours) ** 0.5
        compared = "" if agent == against else f"{share.mean():+.1f} % [{low:+.1f}, {high:+.1f}]"
        mean = f"{ours.mean():,.0f} ± {error:,.0f}"
        lines.append(f"| `{Path(agent).name}` | {mean} | {compared} | {1000.0 * np.median(spent_s[agent]):.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Play, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="dasc-scarce-haikou")
    parser.add_argument("--set", action="append", default=[], type=setting_of, metavar="NAME=VALUE")
    parser.add_argument("--agents", default="rolling-horizon,critical-path,task-schedule")
    parser.add_argument("--against", default="rolling-horizon")
    parser.add_argument("--runs", default="", help="agents that get a row together, such as the seeds of a learner")
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=10_000, help="of the first episode")
    parser.add_argument("--out", type=Path, default=Path("out/dasc_paired.jsonl"))
    options = parser.parse_args()
    agents = options.agents.split(",")
    settings = dict(options.set)
    play(options.scenario, settings, agents, range(options.seed, options.seed + options.episodes), options.out)
    rows = [row for row in rows_of(options.out) if row["scenario"] == label_of(options.scenario, settings)]
    print(table(rows, agents, options.against, options.runs.split(",") if options.runs else []))


if __name__ == "__main__":
    main()
