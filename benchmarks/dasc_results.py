"""What the dispatchers without learning earn in `dasc_v0`, and what share of the bound that is.

    python benchmarks/dasc_results.py --jobs 2             # plays what is missing, then writes the tables
    python benchmarks/dasc_results.py --report-only

Every cell (scenario, workers, tasks) is played on the same ten seeds by every dispatcher; they meet the same instances.
Results go to a JSON file after every seed; a run that was stopped goes on where it was. A scenario whose dataset has
not been built is left out, by name. Wall-clock time apart, the same command gives the same file.
"""

import argparse
import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from crowdgym.agents.any.random_policy import RandomPolicy
from crowdgym.agents.dasc.critical_path import CriticalPath
from crowdgym.agents.dasc.greedy import DascGreedy
from crowdgym.agents.dasc.recommend_all import RecommendAll
from crowdgym.agents.dasc.rolling_horizon import RollingHorizon
from crowdgym.agents.policy import Policy
from crowdgym.common.errors import DataError
from crowdgym.common.files import write_bytes

DISPATCHERS: dict[str, Callable[[], Policy]] = {
    "random": RandomPolicy,
    "recommend-all": RecommendAll,
    "greedy": DascGreedy,
    "critical-path": CriticalPath,
    "rolling-horizon": RollingHorizon,
}
SCENARIOS = ("haikou-synth", "chengdu-synth", "haikou")
USUAL_WORKERS, USUAL_TASKS = 300, 60
WORKERS = (100, 200, 300, 400)
TASKS = (20, 40, 60, 80, 100)
FIRST_SEED, SEEDS = 2000, 10  # defaults and dispatchers were chosen on others, 7,000,000 and on
FIGURES = ("revenue", "profit", "completed", "expired", "travel_m")
ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- tables: benchmarks/dasc_results.py -->", "<!-- end of tables -->"

Unit = tuple[str, int, int, int]  # scenario, workers, tasks, seed
Row = dict[str, Any]


def units() -> list[Unit]:
    """Everything there is to play: scenario by scenario, the usual sizes first."""
    sizes = [(USUAL_WORKERS, USUAL_TASKS)]
    sizes += [(workers, USUAL_TASKS) for workers in WORKERS if workers != USUAL_WORKERS]
    sizes += [(USUAL_WORKERS, tasks) for tasks in TASKS if tasks != USUAL_TASKS]
    seeds = range(FIRST_SEED, FIRST_SEED + SEEDS)
    return [(scenario, *size, seed) for scenario in SCENARIOS for size in sizes for seed in seeds]


@cache
def environment(scenario: str, workers: int, tasks: int) -> Any:
    """The environment of a cell, with every other setting as it is by default."""
    from crowdgym.envs import dasc_v0

    return dasc_v0.parallel_env(scenario=scenario, num_workers=workers, num_tasks=tasks)


def play(unit: Unit) -> Row:
    """All dispatchers on one instance, and its bound."""
    from crowdgym.envs.dasc.bound import revenue_bound
    from crowdgym.runner import run_episodes

    scenario, workers, tasks, seed = unit
    env = environment(scenario, workers, tasks)
    row: Row = {"scenario": scenario, "workers": workers, "tasks": tasks, "seed": seed, "dispatchers": {}}
    for name, make in DISPATCHERS.items():
        (episode,) = run_episodes(env, make(), agent=name, episodes=1, seed=seed).episodes
        row["dispatchers"][name] = {figure: episode.metrics[figure] for figure in FIGURES}
        row["dispatchers"][name]["wall_s"] = round(episode.wall_s, 3)
    row["bound"] = revenue_bound(env.instance, env.settings)
    return row


def fingerprint() -> str:
    """Of every setting, the seeds and the dispatchers: results of others are not mixed with these."""
    from crowdgym.configs.dasc import DascSettings

    settings = [DascSettings.load(scenario=name).model_dump(mode="json") for name in SCENARIOS]
    digest = hashlib.sha256(json.dumps([DascSettings.environment, FIRST_SEED, settings], sort_keys=True).encode())
    for source in sorted((ROOT / "agents/dasc").glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def collect(path: Path, jobs: int) -> list[Row]:
    """Play what is missing; returns all rows there are."""
    rows = read_rows(path)
    done = {(row["scenario"], row["workers"], row["tasks"], row["seed"]) for row in rows}
    there = available()
    missing = [unit for unit in units() if unit not in done and unit[0] in there]
    for count, row in enumerate(played(missing, jobs), start=1):
        rows.append(row)
        write_rows(path, rows)
        earned = ", ".join(f"{name} {row['dispatchers'][name]['revenue'] / row['bound']:.3f}" for name in DISPATCHERS)
        where = f"{row['scenario']} {row['workers']} {row['tasks']} seed {row['seed']}"
        print(f"{count}/{len(missing)} {where}: {earned}", flush=True)
    return rows


def played(missing: list[Unit], jobs: int) -> Iterable[Row]:
    """Rows, as they are finished."""
    if jobs == 1:
        yield from map(play, missing)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(play, missing)


def available() -> set[str]:
    """The scenarios whose data are there."""
    there = set()
    for scenario in SCENARIOS:
        try:
            environment(scenario, USUAL_WORKERS, USUAL_TASKS)
            there.add(scenario)
        except DataError as error:
            print(f"left out: {scenario} ({error})")
    return there


def read_rows(path: Path) -> list[Row]:
    """The rows of a file of the present code; none if there is no file."""
    if not path.exists():
        return []
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["fingerprint"] != fingerprint():
        raise SystemExit(f"{path} holds results of other dispatchers or settings: move it away to play everything anew")
    rows: list[Row] = found["rows"]
    return rows


def write_rows(path: Path, rows: list[Row]) -> None:
    """All rows in the order of `units`, whole or not at all."""
    place = {unit: at for at, unit in enumerate(units())}
    rows = sorted(rows, key=lambda row: place[row["scenario"], row["workers"], row["tasks"], row["seed"]])
    content = json.dumps({"fingerprint": fingerprint(), "rows": rows}, indent=1)
    write_bytes(path.resolve(), (content + "\n").encode())


def mean_and_half_width(values: list[float]) -> tuple[float, float]:
    """The mean, and half of its 95 % confidence interval by Student's t."""
    from scipy.stats import t

    spread = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(np.mean(values)), float(t.ppf(0.975, max(len(values) - 1, 1)) * spread)


def shown(values: list[float], digits: int = 0, factor: float = 1.0) -> str:
    """``mean ± half width``."""
    mean, half = mean_and_half_width([factor * value for value in values])
    return f"{mean:,.{digits}f} ± {half:,.{digits}f}"


def tables(rows: list[Row]) -> str:
    """All tables, as Markdown."""
    cells: dict[tuple[str, int, int], list[Row]] = {}
    for row in rows:
        cells.setdefault((row["scenario"], row["workers"], row["tasks"]), []).append(row)
    parts = ["Revenue as a share of the bound, percent.", "", share_table(cells), ""]
    parts += ["Revenue above `recommend-all` on the same instance, percent of the bound.", "", gain_table(cells), ""]
    parts += ["Everything. Currency; tasks; kilometres by all workers.", "", full_table(cells)]
    return "\n".join(parts)


def share_table(cells: dict[tuple[str, int, int], list[Row]]) -> str:
    """A row a cell, a column a dispatcher."""
    lines = [
        f"| scenario | workers | tasks | seeds | {' | '.join(DISPATCHERS)} |",
        "|---|" + "--:|" * (3 + len(DISPATCHERS)),
    ]
    for (scenario, workers, tasks), rows in sorted(cells.items()):
        columns = [shown([of(row, name) / row["bound"] for row in rows], 1, 100.0) for name in DISPATCHERS]
        lines.append(f"| {scenario} | {workers} | {tasks} | {len(rows)} | {' | '.join(columns)} |")
    return "\n".join(lines)


def gain_table(cells: dict[tuple[str, int, int], list[Row]]) -> str:
    """A row a cell, a column a dispatcher: paired differences."""
    others = [name for name in DISPATCHERS if name != "recommend-all"]
    lines = [f"| scenario | workers | tasks | {' | '.join(others)} |", "|---|" + "--:|" * (2 + len(others))]
    for (scenario, workers, tasks), rows in sorted(cells.items()):
        columns = [
            shown([(of(row, name) - of(row, "recommend-all")) / row["bound"] for row in rows], 1, 100.0)
            for name in others
        ]
        lines.append(f"| {scenario} | {workers} | {tasks} | {' | '.join(columns)} |")
    return "\n".join(lines)


def full_table(cells: dict[tuple[str, int, int], list[Row]]) -> str:
    """A row a cell and dispatcher."""
    lines = [
        "| scenario | workers | tasks | dispatcher | revenue | profit | completed | km |",
        "|---|--:|--:|---|" + "--:|" * 4,
    ]
    for (scenario, workers, tasks), rows in sorted(cells.items()):
        where = f"| {scenario} | {workers} | {tasks}"
        lines.append(f"{where} | *bound* | {shown([row['bound'] for row in rows])} | | | |")
        for name in DISPATCHERS:
            money = [shown([of(row, name, figure) for row in rows]) for figure in ("revenue", "profit")]
            done = shown([of(row, name, "completed") for row in rows], 1)
            way = shown([of(row, name, "travel_m") for row in rows], 0, 1e-3)
            lines.append(f"{where} | {name} | {' | '.join(money)} | {done} | {way} |")
    return "\n".join(lines)


def of(row: Row, name: str, figure: str = "revenue") -> float:
    """A figure of a dispatcher."""
    return float(row["dispatchers"][name][figure])


def write_report(path: Path, rows: list[Row]) -> None:
    """Put the tables between their two marks in a Markdown file; the rest of it stays as it is."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{path} must have the lines {BEGIN} and {END}, between which the tables go")
    write_bytes(path.resolve(), f"{before}{BEGIN}\n\n{tables(rows)}\n\n{END}{after}".encode())


def main() -> None:
    """Play and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/dasc_results.json", help="the file of results")
    parser.add_argument("--report", type=Path, default=ROOT / "docs/dasc_results.md", help="the file of tables")
    parser.add_argument("--report-only", action="store_true", help="play nothing")
    arguments = parser.parse_args()
    if arguments.jobs < 1:
        parser.error("--jobs must be at least 1")
    rows = read_rows(arguments.out) if arguments.report_only else collect(arguments.out, arguments.jobs)
    write_report(arguments.report, rows)


if __name__ == "__main__":
    main()
