"""What training runs with different rewards earned, and what CAFE's reward did in them.

    crowdgym train cafe csc_v0 --scenario tiny --steps 5760 --out runs/cafe
    python benchmarks/cafe_runs.py runs/*

Reads ``curve.csv`` and ``agent.yaml`` of the folders that ``crowdgym train`` wrote and prints Markdown: a table of
revenues, one of influences and one of the weights φ. A mean over an iteration's decisions is averaged over the
iterations of the run.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from crowdgym.agents.learning.description import read_description
from crowdgym.training.folder import CURVE

Row = dict[str, float]


def rows_of(folder: Path) -> list[Row]:
    """The curve of a run, iteration 0 first."""
    with (folder / CURVE).open(encoding="utf-8", newline="") as lines:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(lines)]


def mean(rows: list[Row], name: str) -> str:
    """The mean of a column over the iterations that have it; empty if none has."""
    values = [row[name] for row in rows if name in row]
    return f"{np.mean(values):.3g}" if values else ""


def last(rows: list[Row], name: str) -> str:
    """The last figure of a column; empty if there is none."""
    values = [row[name] for row in rows if name in row]
    return f"{values[-1]:.4g}" if values else ""


def table(heads: list[str], lines: list[list[str]]) -> str:
    """A Markdown table; the first column is of text."""
    ruled = [heads, ["---", *["---:"] * (len(heads) - 1)], *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in ruled)


def revenues(runs: dict[str, list[Row]], folders: dict[str, Path]) -> str:
    """What each run earned, and how long it took."""
    lines = []
    for name, rows in runs.items():
        description = read_description(folders[name])
        evaluated = [row["evaluation"] for row in rows if "evaluation" in row]
        played = [row["training"] for row in rows if "training" in row]
        per_iteration = rows[-1]["processor_s"] / max(1.0, rows[-1]["iteration"])
        lines.append(
            [
                f"`{name}`",
                f"{rows[-1]['iteration']:.0f}",
                f"{played[0]:,.0f}",
                f"{np.mean(played[-3:]):,.0f}",
                f"{max(evaluated):,.0f}",
                f"{evaluated[-1]:,.0f}",
                f"{description.baseline_score:,.0f}",
                last(rows, "charts/hold_share"),
                f"{per_iteration:.1f}",
            ]
        )
    heads = ["run", "iterations", "played, first", "played, last three", "evaluation, best", "evaluation, last"]
    return table([*heads, "Greedy", "holds, last", "processor s an iteration"], lines)


def influences(runs: dict[str, list[Row]]) -> str:
    """The influence by kinds of decisions."""
    names = ["influence_hold", "influence_useful_join", "influence_useless_join", "rank_correlation"]
    names += ["explained_known", "explained_dropped", "useless_joins"]
    lines = [
        [f"`{run}`", *(mean(rows, f"source/{name}") for name in names)]
        for run, rows in runs.items()
        if any("source/influence_hold" in row for row in rows)
    ]
    return table(["run", *(name.replace("_", " ") for name in names)], lines)


def weights(runs: dict[str, list[Row]]) -> str:
    """φ at the end, φ* on average, and how alike the advantages of both are."""
    names = ["phi_influence", "phi_constant", "phi_effect", "phi_contribution", "phi_at_least"]
    refined = ["refined_influence", "refined_constant", "refined_at_least", "agreement"]
    lines = [
        [
            f"`{run}`",
            *(last(rows, f"source/{name}") for name in names[:-1]),
            mean(rows, f"source/{names[-1]}"),
            *(mean(rows, f"source/{name}") for name in refined),
        ]
        for run, rows in runs.items()
        if any("source/phi_influence" in row for row in rows)
    ]
    return table(["run", *(name.replace("_", " ") for name in (*names, *refined))], lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="that crowdgym train wrote")
    folders = {folder.name: folder for folder in parser.parse_args().folders if (folder / CURVE).is_file()}
    runs = {name: rows_of(folder) for name, folder in folders.items()}
    print(revenues(runs, folders), influences(runs), weights(runs), sep="\n\n")


if __name__ == "__main__":
    main()
