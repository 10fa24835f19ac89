"""What federated learning of preferences is worth in ``preference_v0``: in predictions, and in accepted tasks.

    python benchmarks/preference_learning.py strategies --out runs.json   all sources, 10 centres of 10 workers
    python benchmarks/preference_learning.py centres --out runs.json      how many centres share 100 workers
    python benchmarks/preference_learning.py unlike --out runs.json       how unlike centres are: alpha of their types
    python benchmarks/preference_learning.py share --out runs.json        the share of the centres in a round
    python benchmarks/preference_learning.py rounds --out runs.json       how long they learn
    python benchmarks/preference_learning.py proximal --out runs.json     FedProx's mu
    python benchmarks/preference_learning.py dynamic --out runs.json      FedDyn's alpha
    python benchmarks/preference_learning.py parts --out runs.json        without gate, memory, in-category encoder
    python benchmarks/preference_learning.py all --out runs.json          one after the other

Every seed is a population with histories of its own, see ``preference_measurement.py``. Results begin at population 20:
those before were looked at while the model was changed, and its settings were chosen on 3,000,000 and on. Each row is
compared with the first of its group on the same populations; intervals are 95 % intervals of Student's t over the
populations. ``--out`` keeps what has been measured: the same command goes on from there. Several files can be given, of
which the first is written: runs on several machines are put together so. ``--table`` only prints what the files hold.
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
from preference_measurement import Measurement

from crowdgym.bench.preference.hook import difference_text
from crowdgym.common.files import write_bytes

Floats = NDArray[np.float64]
Rows = dict[str, dict[str, dict[str, float]]]  # by the key of a cell, by population

WORLD = {"num_workers": 100, "num_centres": 10}
PAPER = {"history_share": 0.0, "share_scale": 0.0}  # the paper's model of categories
SHOWN = {"ndcg_10": 3, "category_kl": 3, "accepted": 1}  # and the places of each
COMPARED = ("ndcg_10", "accepted")
PREDICTIONS = ("hr_1", "hr_5", "hr_10", "ndcg_10", "mrr", "category_accuracy", "category_kl")


@dataclass(frozen=True)
class Cell:
    """A row of a table.

    Attributes:
        group: rows of a group are compared with its first.
        source: a strategy of TA-FPL, or a source that learns nothing; see `Measurement.row`.
        settings: hyperparameters that differ from the defaults.
        world: settings of the environment that differ from `WORLD`.
    """

    group: str
    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    world: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The row in a table: the strategy with its changed hyperparameters."""
        return ", ".join([self.source, *(f"{name} {value:g}" for name, value in self.settings.items())])

    @property
    def key(self) -> str:
        """The same for the same measurement, in whatever study."""
        return json.dumps([self.source, dict(self.settings), dict(self.world)], sort_keys=True)


def _in_worlds(name: str, values: tuple[float, ...], strategies: tuple[str, ...], default: float) -> tuple[Cell, ...]:
    worlds = [(f"{name} {value:g}", {} if value == default else {name: value}) for value in values]
    return tuple(Cell(group, source, world=world) for group, world in worlds for source in strategies)


def _settings(strategy: str, name: str, values: tuple[float, ...], default: float) -> tuple[Cell, ...]:
    return tuple(Cell(strategy, strategy, {} if value == default else {name: value}) for value in values)


STUDIES: dict[str, tuple[Cell, ...]] = {
    "strategies": (
        *(Cell("", source) for source in ("feddyn", "blind", "popularity", "history shares", "local")),
        *(Cell("", source) for source in ("fedavg", "fedprox", "scaffold", "central")),
        Cell("", "feddyn", PAPER),
        Cell("", "oracle"),
    ),
    "centres": _in_worlds("num_centres", (2, 5, 10, 20, 50), ("local", "feddyn"), default=10),
    "unlike": _in_worlds("centre_concentration", (0.1, 0.5, 5.0), ("local", "feddyn"), default=0.5),
    "share": tuple(
        Cell(strategy, strategy, settings)
        for strategy in ("fedavg", "feddyn", "scaffold")
        for settings in ({}, {"centre_share": 0.5}, {"centre_share": 0.2})
    ),
    "rounds": tuple(
        cell
        for strategy in ("local", "feddyn")
        for cell in _settings(strategy, "rounds", (10, 1, 2, 5, 20), default=10)
    ),
    "proximal": (Cell("", "fedavg"), *(Cell("", "fedprox", {"proximal": mu}) for mu in (0.001, 0.01, 0.1, 1.0))),
    "dynamic": _settings("feddyn", "dynamic", (0.01, 0.001, 0.1, 1.0), default=0.01),
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
            {"share_scale": 0.0},  # the gate does not see the shares of the history
            PAPER,
        )
    ),
}


def measure(study: str, seeds: range, files: list[Path]) -> None:
    """Measure what the files do not hold yet, population by population."""
    for seed in seeds:
        for cell in STUDIES[study]:
            if str(seed) not in read(files).get(cell.key, {}):
                row = Measurement({**WORLD, **cell.world}, seed).row(cell.source, cell.settings)
                rows = read(files[:1])
                rows.setdefault(cell.key, {})[str(seed)] = row
                write_bytes(files[0], json.dumps(rows, indent=1).encode())


def read(files: list[Path]) -> Rows:
    """What has been measured."""
    found: Rows = {}
    for file in files:
        for key, by_seed in (json.loads(file.read_text()) if file.is_file() else {}).items():
            found.setdefault(key, {}).update(by_seed)
    return found


def predictions(rows: Rows, seeds: range) -> Iterator[str]:
    """What all sources predict of the held-out events."""
    yield f"| source | {' | '.join(PREDICTIONS)} |"
    yield "|---" * (1 + len(PREDICTIONS)) + "|"
    for cell in STUDIES["strategies"]:
        by_seed = rows.get(cell.key, {})
        if all("ndcg_10" in by_seed.get(str(seed), {}) for seed in seeds):
            means = (np.mean([by_seed[str(seed)][name] for seed in seeds]) for name in PREDICTIONS)
            yield f"| {cell.name} | {' | '.join(f'{mean:.3f}' for mean in means)} |"


def table(study: str, rows: Rows, seeds: range) -> Iterator[str]:
    """The lines of a table; rows that are not measured on all populations are left out."""
    differences = (f"{name} more than the first, 95 %" for name in COMPARED)
    yield f"| {study} | | {' | '.join(SHOWN)} | {' | '.join(differences)} |"
    yield "|---" * (2 + len(SHOWN) + len(COMPARED)) + "|"
    first: dict[str, dict[str, Floats]] = {}
    for cell in STUDIES[study]:
        by_seed = rows.get(cell.key, {})
        if any(str(seed) not in by_seed for seed in seeds):
            continue
        values = {name: np.array([by_seed[str(seed)].get(name, np.nan) for seed in seeds]) for name in SHOWN}
        base = first.setdefault(cell.group, values)
        means = [f"{values[name].mean():.{places}f}" for name, places in SHOWN.items()]
        gains = [difference_text(values[name] - base[name], SHOWN[name]) for name in COMPARED]
        known = ("" if "nan" in text else text for text in means + gains)  # some sources tell no places, or do not play
        yield f"| {cell.group} | {cell.name} | {' | '.join(known)} |"


def with_answers(rows: Rows, seeds: range) -> Iterator[str]:
    """What the answers of an episode add to each source; gains are over the first row with answers."""
    yield "| source | accepted | with answers | answers add, 95 % | more than the first, 95 % |\n|---|---|---|---|---|"
    first = None
    for cell in STUDIES["strategies"]:
        by_seed = rows.get(cell.key, {})
        if all("with_answers" in by_seed.get(str(seed), {}) for seed in seeds):
            plain, corrected = (
                np.array([by_seed[str(seed)][name] for seed in seeds]) for name in ("accepted", "with_answers")
            )
            first = corrected if first is None else first
            gains = difference_text(corrected - plain), difference_text(corrected - first)
            yield f"| {cell.name} | {plain.mean():.1f} | {corrected.mean():.1f} | {' | '.join(gains)} |"


def main() -> None:
    """Measure, and print tables."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=[*STUDIES, "all"])
    parser.add_argument("--out", type=Path, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--first-seed", type=int, default=20)
    parser.add_argument("--table", action="store_true", help="only print what the files hold")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for study in STUDIES if options.study == "all" else [options.study]:
        if not options.table:
            measure(study, seeds, options.out)
        rows = read(options.out)
        print(f"seeds {seeds[0]} to {seeds[-1]}\n")
        if study == "strategies":
            print("\n".join(predictions(rows, seeds)), end="\n\n")
        print("\n".join(table(study, rows, seeds)), end="\n\n")
        if study == "strategies":
            print("\n".join(with_answers(rows, seeds)), end="\n\n")


if __name__ == "__main__":
    main()
