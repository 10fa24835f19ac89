"""Compares two run folders of ``crowdgym bench``: which rows and figures differ.

    python benchmarks/compare_runs.py BEFORE AFTER

Every figure of BEFORE (``episodes.jsonl``, ``bounds.jsonl``, ``table.csv``) is looked up in AFTER, by the parameters
of its row. AFTER may have more figures: they are listed, and are no difference. The exit code is 1 if a figure of
BEFORE is missing or differs. BEFORE may also be of the formats before the common pipeline: a table with a column for
each statistic of each metric, and rows of ``sensing-paper`` with a period in place of ``start_s``.
"""

import argparse
import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

LISTS = ("episodes.jsonl", "bounds.jsonl")
PERIODS = {"all": 0.0, "rest": 60 * 86_400.0}
STATISTICS = ("mean", "sd", "iqm", "iqm_low", "iqm_high", "share_of_bound", "episodes", "paper")
SHOWN = 10  # differences that are printed

Key = tuple[tuple[str, str], ...]  # the parameters of a row, as text
Figures = dict[str, Any]  # by name


def lines_of(file: Path) -> dict[Key, Figures]:
    """The rows of a file with a JSON object in each line."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    return dict(_split(_current(row)) for row in rows)


def table_of(file: Path, metric: str) -> dict[Key, Figures]:
    """The figures of ``table.csv`` for each scenario, agent and grid point, as "METRIC STATISTIC".

    Args:
        file: in any of the formats.
        metric: that a table without a column ``metric`` is about.
    """
    found: dict[Key, Figures] = {}
    with file.open(encoding="utf-8", newline="") as text:
        for line in csv.DictReader(text):
            row = _current(line)
            key, figures = _split_table(row, metric)
            found.setdefault(key, {}).update(figures)
    return found


def differences(before: Mapping[Key, Figures], after: Mapping[Key, Figures]) -> list[str]:
    """A sentence for each figure of ``before`` that is missing in ``after`` or has another value."""
    sentences = []
    for key, figures in before.items():
        where = ", ".join(f"{name} = {value}" for name, value in key)
        if key not in after:
            sentences.append(f"missing: {where}")
            continue
        for name, value in figures.items():
            if name not in after[key]:
                sentences.append(f"missing: {name} of {where}")
            elif after[key][name] != value:
                sentences.append(f"differs: {name} of {where}: {value!r} before, {after[key][name]!r} after")
    return sentences


def _current(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with the names of the current format: lists one by one, and ``start_s`` in place of a period."""
    current: dict[str, Any] = {}
    for name, value in row.items():
        if name == "checksum":  # of the line itself
            continue
        if name == "period":
            current["start_s"] = PERIODS[value]
        elif isinstance(value, list):
            current |= {f"{name} {number}": one for number, one in enumerate(value)}
        else:
            current[name] = value
    return current


def _split(row: Mapping[str, Any]) -> tuple[Key, Figures]:
    """The parameters and the figures of an episode or a bound: ``seed`` is the last parameter."""
    names = list(row)
    last = names.index("seed")
    return _key(names[: last + 1], row), {name: row[name] for name in names[last + 1 :]}


def _split_table(row: Mapping[str, Any], metric: str) -> tuple[Key, Figures]:
    """The parameters and the figures of a line of a table."""
    if "mean" in row:
        of = row.get("metric", metric)
        names = [name for name in row if name not in (*STATISTICS, "metric")]
        return _key(names, row), {f"{of} {name}": _number(row[name]) for name in STATISTICS}
    statistics = [name for name in row if name.startswith(("error", "cost", "paper"))]
    figures = {}
    for name in statistics:
        of, statistic = name, "mean"
        if name.startswith("paper_"):
            of, statistic = name.removeprefix("paper_"), "paper"
        elif name.endswith("_sd"):
            of, statistic = name.removesuffix("_sd"), "sd"
        figures[f"{of} {statistic}"] = _number(row[name])
    return _key([name for name in row if name not in (*statistics, "suite", "episodes")], row), figures


def _key(names: Iterable[str], row: Mapping[str, Any]) -> Key:
    return tuple(sorted((name, str(row[name])) for name in names))


def _number(text: str) -> float | None:
    return float(text) if text else None


def main() -> int:
    """Compare, and print what differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--metric", default="revenue", help="of a table without a column for the metric")
    arguments = parser.parse_args()
    found = 0
    for name in (*LISTS, "table.csv"):
        before, after = (
            table_of(folder / name, arguments.metric) if name.endswith(".csv") else lines_of(folder / name)
            for folder in (arguments.before, arguments.after)
        )
        sentences = differences(before, after)
        names = [{name for figures in of.values() for name in figures} for of in (before, after)]
        more = sorted(names[1] - names[0])
        count = sum(map(len, before.values()))
        print(f"{name}: {len(before)} rows with {count} figures before, {len(after)} rows after; ", end="")
        print(f"{len(sentences)} differences" + (f"; only after: {', '.join(more)}" if more else ""))
        for sentence in sentences[:SHOWN]:
            print(f"  {sentence}")
        found += len(sentences)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
