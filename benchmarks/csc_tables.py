"""Tables 1 and 2 of Chen et al. (IJCAI 2025) with learners over several training seeds, beside the paper's figures.

    crowdgym bench csc-paper --agents pau,runs/ippo-0,runs/ippo-1,runs/cafe-0,runs/cafe-1 --out out/learners
    python benchmarks/csc_tables.py out/learners --runs IPPO=runs/ippo-0,runs/ippo-1 --runs CAFE=runs/cafe-0,runs/cafe-1

Reads ``episodes.jsonl`` of the folders that ``crowdgym bench`` wrote and prints Markdown: for every city and table, the
revenue in units of 10,000. A learner's cell is the mean ± standard deviation over its training seeds, each the mean
over the instances that all its runs have played; that of an agent that learns nothing is its mean. An empty cell has
not been played.
"""

import argparse
from pathlib import Path

import numpy as np
from csc_paired import Revenues, read

from crowdgym.bench.published.cafe import CITIES, COUNTS, OTHER_COUNT, Point, published

UNIT = 10_000.0
PAPER = ("pau", "ippo", "ca-nofe", "cafe")  # rows of the paper
TABLES = {
    "number of tasks, 200 workers": lambda city, count: Point(city, OTHER_COUNT, count),
    "number of workers, 200 tasks": lambda city, count: Point(city, count, OTHER_COUNT),
}


def cell(revenues: Revenues, agents: list[str]) -> str:
    """Mean ± standard deviation over runs; the mean alone if there is one run; empty if one of them has not played."""
    if any(agent not in revenues for agent in agents):
        return ""
    seeds = sorted(set.intersection(*(set(revenues[agent]) for agent in agents)))
    means = [np.mean([revenues[agent][seed] for seed in seeds]) / UNIT for agent in agents]
    mean = f"{np.mean(means):.2f}"
    return mean if len(means) == 1 else f"{mean} ± {np.std(means, ddof=1):.2f}"


def table(found: dict[Point, Revenues], city: str, title: str, rows: dict[str, list[str]]) -> str:
    """One table of one city: a row for each agent, and one for each row of the paper."""
    points = [TABLES[title](city, count) for count in COUNTS]
    heads = [f"{city}, by {title}", *(str(count) for count in COUNTS)]
    lines = [f"| {' | '.join(heads)} |", "| --- |" + " ---: |" * len(COUNTS)]
    for name, agents in rows.items():
        cells = [cell(found.get(point, {}), agents) for point in points]
        if any(cells):
            lines.append(f"| {name} | {' | '.join(cells)} |")
    paper = published()
    for agent in PAPER:
        figures = [paper[agent, point] for point in points]
        cells = [f"{figure.mean / UNIT:.2f} ± {figure.sd / UNIT:.2f}" for figure in figures]
        lines.append(f"| {agent}, paper | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="that crowdgym bench wrote")
    parser.add_argument("--agents", default="pau", help="agents that have one run: NAME,NAME")
    parser.add_argument("--runs", action="append", default=[], metavar="NAME=AGENT,AGENT", help="the runs of a learner")
    options = parser.parse_args()
    found = read(options.folders)
    rows = {name: [name] for name in options.agents.split(",")}
    rows |= {name: agents.split(",") for name, _, agents in (runs.partition("=") for runs in options.runs)}
    print("\n\n".join(table(found, city, title, rows) for city in CITIES for title in TABLES))


if __name__ == "__main__":
    main()
