"""What training runs with different rewards earned, and what CAFE's reward did in them.

    crowdgym train cafe csc_v0 --scenario tiny --steps 5760 --seed 0 --out runs/cafe-0
    crowdgym train cafe csc_v0 --scenario tiny --steps 5760 --seed 1 --out runs/cafe-1
    python benchmarks/cafe_runs.py runs/*

Reads ``curve.csv`` and ``agent.yaml`` of the folders that ``crowdgym train`` wrote and prints Markdown: a table of
revenues, one of influences and one of the weights φ. Folders whose names differ in a number at the end only are the
training seeds of one learner: a row is the mean over them. A mean over an iteration's decisions is averaged over the
iterations of each run.
"""

import argparse
import csv
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from crowdgym.agents.learning.description import read_description
from crowdgym.training.folder import CURVE

Row = dict[str, float]  # an iteration
Runs = list[list[Row]]  # of one learner: a run for each training seed


def rows_of(folder: Path) -> list[Row]:
    """The curve of a run, iteration 0 first."""
    with (folder / CURVE).open(encoding="utf-8", newline="") as lines:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(lines)]


def learners(folders: list[Path]) -> dict[str, list[Path]]:
    """The runs of each learner, by the name of the folder without its number."""
    found: dict[str, list[Path]] = {}
    for folder in folders:
        found.setdefault(re.sub(r"-\d+$", "", folder.name), []).append(folder)
    return found


def over_runs(runs: Runs, figure: Callable[[list[float]], float], name: str, form: str) -> str:
    """A figure of a column of every run, averaged over the runs that have it; empty if none has."""
    columns = [[row[name] for row in rows if name in row] for rows in runs]
    figures = [figure(values) for values in columns if values]
    return format(float(np.mean(figures)), form) if figures else ""


def mean(runs: Runs, name: str) -> str:
    """The mean of a column over the iterations that have it."""
    return over_runs(runs, lambda values: float(np.mean(values)), name, ".3g")


def last(runs: Runs, name: str, form: str = ".4g") -> str:
    """The last figure of a column."""
    return over_runs(runs, lambda values: values[-1], name, form)


def table(heads: list[str], lines: list[list[str]]) -> str:
    """A Markdown table; the first column is of text."""
    ruled = [heads, ["---", *["---:"] * (len(heads) - 1)], *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in ruled)


def revenues(runs: dict[str, Runs], folders: dict[str, list[Path]]) -> str:
    """What each learner earned, and how long it took."""
    lines = []
    for name, of in runs.items():
        greedy = [read_description(folder).baseline_score for folder in folders[name]]
        per_iteration = [rows[-1]["processor_s"] / max(1.0, rows[-1]["iteration"]) for rows in of]
        line = [f"`{name}`", str(len(of)), last(of, "iteration", ".0f")]
        line += [over_runs(of, lambda values: values[0], "training", ",.0f")]
        line += [over_runs(of, lambda values: float(np.mean(values[-3:])), "training", ",.0f")]
        line += [over_runs(of, max, "evaluation", ",.0f"), last(of, "evaluation", ",.0f")]
        line += [f"{np.mean(greedy):,.0f}", last(of, "charts/hold_share", ".2f"), f"{np.mean(per_iteration):.1f}"]
        lines.append(line)
    heads = ["learner", "runs", "iterations", "played, first", "played, last three", "evaluation, best"]
    return table([*heads, "evaluation, last", "Greedy", "holds, last", "processor s an iteration"], lines)


def influences(runs: dict[str, Runs]) -> str:
    """The influence by kinds of decisions."""
    names = ["influence_hold", "influence_useful_join", "influence_useless_join", "rank_correlation"]
    names += ["explained_known", "explained_dropped", "useless_joins"]
    lines = [
        [f"`{name}`", *(mean(of, f"source/{column}") for column in names)]
        for name, of in runs.items()
        if mean(of, "source/influence_hold")
    ]
    return table(["learner", *(name.replace("_", " ") for name in names)], lines)


def weights(runs: dict[str, Runs]) -> str:
    """φ at the end, φ* on average, and how alike the advantages of both are."""
    names = ["phi_influence", "phi_constant", "phi_effect", "phi_contribution", "phi_at_least"]
    refined = ["refined_influence", "refined_constant", "refined_at_least", "agreement"]
    lines = [
        [
            f"`{name}`",
            *(last(of, f"source/{column}") for column in names[:-1]),
            mean(of, f"source/{names[-1]}"),
            *(mean(of, f"source/{column}") for column in refined),
        ]
        for name, of in runs.items()
        if mean(of, "source/phi_influence")
    ]
    return table(["learner", *(name.replace("_", " ") for name in (*names, *refined))], lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="that crowdgym train wrote")
    folders = learners([folder for folder in parser.parse_args().folders if (folder / CURVE).is_file()])
    runs = {name: [rows_of(folder) for folder in of] for name, of in folders.items()}
    print(revenues(runs, folders), influences(runs), weights(runs), sep="\n\n")


if __name__ == "__main__":
    main()
