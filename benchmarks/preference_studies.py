"""What the parts and the settings of TA-FPL are worth in ``preference_v0``, each study by itself.

    python benchmarks/preference_studies.py centres --out studies.json     how many centres share 100 workers
    python benchmarks/preference_studies.py unlike --out studies.json      how unlike centres are: alpha of their types
    python benchmarks/preference_studies.py share --out studies.json       the share of the centres in a round
    python benchmarks/preference_studies.py proximal --out studies.json    FedProx's mu
    python benchmarks/preference_studies.py dynamic --out studies.json     FedDyn's alpha
    python benchmarks/preference_studies.py parts --out studies.json       without gate, memory, in-category encoder

Populations, held-out events and episodes are those of ``preference_learning.py``, 10 centres of 10 workers unless a row
says otherwise. Each row is compared with the first of its group, on the same populations; intervals are 95 % intervals
of Student's t over the populations. ``--out`` keeps what has been measured: the same command goes on from there, and
``--table`` only prints what is there.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from preference_learning import WORLDS, Measurement

from crowdgym.bench.preference.hook import difference_text
from crowdgym.common.files import write_bytes

Rows = dict[str, dict[str, dict[str, float]]]  # by the key of a cell, by population

SHOWN = {"ndcg_10": 3, "category_kl": 3, "accepted": 1}  # and the places of each


@dataclass(frozen=True)
class Cell:
    """A row of a table.

    Attributes:
        group: rows of a group are compared with its first.
        strategy: of TA-FPL.
        settings: hyperparameters that differ from the defaults.
        world: settings of the environment that differ from those of ``small``.
    """

    group: str
    strategy: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    world: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The row in a table: the strategy with its changed hyperparameters."""
        return ", ".join([self.strategy, *(f"{name} {value:g}" for name, value in self.settings.items())])

    @property
    def key(self) -> str:
        """The same for the same measurement, in whatever study."""
        return json.dumps([self.strategy, dict(self.settings), dict(self.world)], sort_keys=True)


def _in_worlds(name: str, values: tuple[float, ...], strategies: tuple[str, ...], default: float) -> tuple[Cell, ...]:
    worlds = [(f"{name} {value:g}", {} if value == default else {name: value}) for value in values]
    return tuple(Cell(group, strategy, world=world) for group, world in worlds for strategy in strategies)


def _settings(strategy: str, name: str, values: tuple[float, ...], default: float) -> tuple[Cell, ...]:
    return tuple(Cell(strategy, strategy, {} if value == default else {name: value}) for value in values)


STUDIES: dict[str, tuple[Cell, ...]] = {
    "centres": _in_worlds("num_centres", (2, 5, 10, 20, 50), ("local", "fedavg", "feddyn"), default=10),
    "unlike": _in_worlds("centre_concentration", (0.1, 0.5, 5.0), ("local", "fedavg", "feddyn"), default=0.5),
    "share": tuple(
        Cell(strategy, strategy, settings)
        for strategy in ("fedavg", "feddyn", "scaffold")
        for settings in ({}, {"centre_share": 0.5}, {"centre_share": 0.2})
    ),
    "proximal": (Cell("", "fedavg"), *(Cell("", "fedprox", {"proximal": mu}) for mu in (0.001, 0.01, 0.1, 1.0))),
    "dynamic": _settings("feddyn", "dynamic", (0.1, 0.01, 1.0), default=0.1),
    "parts": tuple(
        Cell("", "feddyn", settings)
        for settings in (
            {},
            {"neighbours": 0},  # no memory
            {"in_category": 0},  # no in-category encoder
            {"top_categories": 1},
            {"top_categories": 8},  # no gate
            {"recent": 30},
            {"personal_epochs": 0},
            {"history_share": 0.0},  # the paper's model of categories
        )
    ),
}


def measure(study: str, seeds: range, out: Path) -> None:
    """Measure what the file does not hold yet, population by population."""
    for seed in seeds:
        for cell in STUDIES[study]:
            rows = read(out)
            if str(seed) not in rows.setdefault(cell.key, {}):
                measurement = Measurement({**WORLDS["small"], **cell.world}, seed)
                rows[cell.key][str(seed)] = measurement.learnt(cell.strategy, cell.settings)
                write_bytes(out, json.dumps(rows, indent=1).encode())


def read(out: Path) -> Rows:
    """What has been measured."""
    found: Rows = json.loads(out.read_text()) if out.is_file() else {}
    return found


def table(study: str, rows: Rows, seeds: range) -> Iterator[str]:
    """The lines of a table; rows that are not measured on all populations are left out."""
    differences = (f"{name} more than the first, 95 %" for name in ("ndcg_10", "accepted"))
    yield f"| {study} | | {' | '.join(SHOWN)} | {' | '.join(differences)} |"
    yield "|---" * (4 + len(SHOWN)) + "|"
    first: dict[str, dict[str, NDArray[np.float64]]] = {}
    for cell in STUDIES[study]:
        by_seed = rows.get(cell.key, {})
        if any(str(seed) not in by_seed for seed in seeds):
            continue
        values = {name: np.array([by_seed[str(seed)][name] for seed in seeds]) for name in SHOWN}
        base = first.setdefault(cell.group, values)
        means = " | ".join(f"{values[name].mean():.{places}f}" for name, places in SHOWN.items())
        gains = " | ".join(difference_text(values[n] - base[n], SHOWN[n]) for n in ("ndcg_10", "accepted"))
        yield f"| {cell.group} | {cell.name} | {means} | {gains} |"


def main() -> None:
    """Measure, and print a table."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=list(STUDIES))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--table", action="store_true", help="only print what the file holds")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    if not options.table:
        measure(options.study, seeds, options.out)
    print(f"seeds {seeds[0]} to {seeds[-1]}\n")
    print("\n".join(table(options.study, read(options.out), seeds)))


if __name__ == "__main__":
    main()
