"""How agents of ``csc-planners`` differ from one of them on the same instances, and from what the paper's CAFE earns.

    crowdgym bench csc-planners --out out/planners
    python benchmarks/csc_paired.py out/planners [out/more ...] --against pau,lookahead --page docs/csc_results.md

Reads ``episodes.jsonl`` of the folders that ``crowdgym bench csc-planners`` or ``csc-paper`` wrote. Writes Markdown, to
the screen or between the two marks of a page. A difference is of
two revenues on the same instance, as a share of the mean revenue of the agent that is compared with; in brackets is the
interval in which its mean is in 95 % of 10,000 samples of the instances with replacement. An instance that one of the
two has not played is left out.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdgym.bench.published.cafe import CITIES, Point, points, published
from crowdgym.bench.report.pages import write_page

RESAMPLES = 10_000
SEED = 0

Revenues = dict[str, dict[int, float]]  # of one point: by agent, then by instance
Floats = NDArray[np.float64]


def read(folders: Iterable[Path]) -> dict[Point, Revenues]:
    """The revenues of all episodes that did not fail."""
    found: dict[Point, Revenues] = {}
    for folder in folders:
        for line in (folder / "episodes.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if "revenue" in row:
                point = Point(row["scenario"].removesuffix("-paper"), row["num_workers"], row["num_tasks"])
                found.setdefault(point, {}).setdefault(row["agent"], {})[row["seed"]] = row["revenue"]
    return found


def add_runs(found: dict[Point, Revenues], name: str, agents: list[str]) -> None:
    """Add an agent whose revenue is the mean over runs of one learner, where all of them have played the instance."""
    for revenues in found.values():
        if all(agent in revenues for agent in agents):
            seeds = set.intersection(*(set(revenues[agent]) for agent in agents))
            revenues[name] = {seed: float(np.mean([revenues[agent][seed] for agent in agents])) for seed in seeds}


def differences(revenues: Revenues, agent: str, other: str) -> Floats:
    """By instance, as shares of the other's mean revenue; empty if they share none."""
    ours, theirs = revenues.get(agent, {}), revenues.get(other, {})
    both = sorted(ours.keys() & theirs.keys())
    if not both:
        return np.zeros(0)
    base = np.array([theirs[seed] for seed in both])
    return (np.array([ours[seed] for seed in both]) - base) / base.mean()


def interval(strata: list[Floats]) -> tuple[float, float]:
    """The ends of the 95 % interval of the mean over strata; instances are drawn anew within each."""
    generator = np.random.default_rng(SEED)
    means = np.zeros(RESAMPLES)
    for values in strata:
        means += generator.choice(values, (RESAMPLES, len(values))).mean(axis=1) / len(strata)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def shown(strata: list[Floats]) -> str:
    """``mean [low, high]`` in percent."""
    strata = [values for values in strata if len(values)]
    if not strata:
        return ""
    low, high = interval(strata)
    mean = np.mean([values.mean() for values in strata])
    return f"{100 * mean:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def table_of_points(found: dict[Point, Revenues], agents: list[str], other: str) -> str:
    """A row a point, a column an agent."""
    lines = [
        f"| city | workers | tasks | `{other}` | {' | '.join(f'`{agent}`' for agent in agents)} | CAFE, paper |",
        "| --- |" + " ---: |" * (4 + len(agents)),
    ]
    paper = published()
    for city in CITIES:
        for point in dict.fromkeys(points(city)):
            if other not in found.get(point, {}):
                continue
            revenues = found[point]
            base = np.mean(list(revenues[other].values()))
            columns = [shown([differences(revenues, agent, other)]) for agent in agents]
            cafe = 100 * (paper["cafe", point].mean / base - 1)
            cells = [city, str(point.num_workers), str(point.num_tasks), f"{base:,.0f}", *columns, f"{cafe:+.1f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def table_of_cities(found: dict[Point, Revenues], agents: list[str], other: str) -> str:
    """A row for each agent and city: the mean over its points, and in how many it is ahead."""
    lines = [
        f"| city | agent | points | mean difference to `{other}` | ahead of `{other}` | cells above the paper's CAFE |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    paper = published()
    for city in CITIES:
        for agent in agents:
            there = [point for point in dict.fromkeys(points(city)) if agent in found.get(point, {})]
            if not there:
                continue
            strata = [differences(found[point], agent, other) for point in there]
            strata = [values for values in strata if len(values)]
            ahead = sum(values.mean() > 0 for values in strata)
            cells = [point for point in points(city) if point in there]  # the point of both tables counts twice
            above = sum(np.mean(list(found[point][agent].values())) > paper["cafe", point].mean for point in cells)
            row = [city, f"`{agent}`", str(len(there)), shown(strata), f"{ahead} of {len(strata)}"]
            lines.append(f"| {' | '.join(row)} | {above} of {len(cells)} |")
    return "\n".join(lines)


def tables(found: dict[Point, Revenues], other: str, shown_agents: list[str] | None) -> str:
    """Both tables of the differences to one agent, with all agents or with some."""
    agents = shown_agents or list(dict.fromkeys(agent for revenues in found.values() for agent in revenues))
    others = [agent for agent in agents if agent != other]
    return f"{table_of_points(found, others, other)}\n\n{table_of_cities(found, others, other)}\n"


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="that crowdgym bench wrote")
    parser.add_argument("--against", default="pau", help="what the others are compared with: NAME,NAME")
    parser.add_argument(
        "--runs", action="append", default=[], metavar="NAME=AGENT,AGENT", help="show the mean over these agents, too"
    )
    parser.add_argument("--show", help="the agents that have a row: NAME,NAME; default: all")
    parser.add_argument("--page", type=Path, help="a Markdown file with the marks of csc-planners")
    options = parser.parse_args()
    found = read(options.folders)
    for name, _, agents in (runs.partition("=") for runs in options.runs):
        add_runs(found, name, agents.split(","))
    shown_agents = None if options.show is None else options.show.split(",")
    text = "\n".join(tables(found, other, shown_agents) for other in options.against.split(","))
    if options.page is None:
        print(text)
    else:
        write_page(options.page, "csc-planners", text)


if __name__ == "__main__":
    main()
