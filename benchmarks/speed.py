"""How fast CrowdGym is, and how fast its peers are, in one run on one core: the tables of README and docs.

    python benchmarks/speed.py                                    # everything; installs the peers, about 15 minutes
    python benchmarks/speed.py --peers none --ours vector-200     # one setting of ours
    python benchmarks/speed.py --peers jumanji,jaxmarl --keep ~/peers --json figures.json
    python benchmarks/speed.py --from figures.json --markdown     # print the tables of an earlier run again

Ours is measured by ``crowdgym speed``, a process for each setting; the peers by the programs of benchmarks/peers, each
in a throw-away environment of its own. All processes are kept on one core where the operating system can do that, and
what counts is processor time, as other processes may use that core, too. Thirds and resets are in wall-clock time.
Nothing is asserted.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from peer_runs import ONE_THREAD, PEERS, measure_peer, rates_of
from startup import measure_startup, startup_rows

SCENARIO = "chengdu-synth"
WINDOW_S = 1840  # in which the tasks of the scenario appear: with a horizon of as much, they do so up to the end


@dataclass(frozen=True)
class Setting:
    """A setting of ours: options of ``crowdgym speed``."""

    name: str
    title: str
    options: tuple[str, ...]
    workers: int
    steps: int | None = None  # of a run; an episode if None
    runs: int | None = None  # as many as asked for if None

    def command(self, runs: int, json_file: Path) -> list[str]:
        """The arguments of ``crowdgym``."""
        command = ["speed", "csc_v0", "--scenario", SCENARIO, *self.options, "--json", str(json_file)]
        command += ["--set", f"num_workers={self.workers}", "--set", f"num_tasks={self.workers}"]
        command += ["--runs", str(self.runs or runs)]
        return command + (["--steps", str(self.steps)] if self.steps else [])


OURS = (
    Setting("vector-200", "vector interface", ("--num-envs", "32"), 200),
    Setting("views-200", "vector interface, `copy=False`", ("--num-envs", "32", "--set", "copy=false"), 200),
    Setting(
        "busy-200",
        "vector interface, tasks to the end",
        ("--num-envs", "32", "--set", f"horizon_s={WINDOW_S}"),
        200,
    ),
    Setting("vector-1000", "vector interface", ("--num-envs", "8"), 1_000),
    Setting("dict-200", "dict interface", ("--interface", "dict"), 200),
    Setting("vector-10000", "vector interface", ("--num-envs", "1"), 10_000, steps=40, runs=3),
)


def main() -> None:
    """Measure and print."""
    chosen = _arguments()
    if chosen.earlier:
        figures: dict[str, Any] = json.loads(Path(chosen.earlier).read_text(encoding="utf-8"))
    else:
        figures = measure(chosen)
        if chosen.json:
            Path(chosen.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print({"docs": markdown, "readme": short_markdown, None: plain}[chosen.markdown](figures))


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """All figures: those of ours, of the peers, and of the start."""
    core = _stay_on_one_core(chosen.core)
    with tempfile.TemporaryDirectory(prefix="crowdgym-speed-") as folder:
        temporary = Path(folder)
        ours = [_measure_ours(setting, chosen.runs, temporary) for setting in OURS if setting.name in chosen.ours]
        startup = measure_startup("csc_v0", SCENARIO) if "startup" in chosen.ours else None
        kept = Path(chosen.keep).expanduser().absolute() if chosen.keep else temporary / "environments"
        kept.mkdir(parents=True, exist_ok=True)
        peers = [measure_peer(peer, kept, chosen.runs) for peer in PEERS if peer.name in chosen.peers]
    return {"core": core, "ours": ours, "startup": startup, "peers": peers}


def _measure_ours(setting: Setting, runs: int, folder: Path) -> dict[str, Any]:
    print(f"measuring {setting.name}", file=sys.stderr)
    file = folder / f"{setting.name}.json"
    program = [sys.executable, "-c", "from crowdgym.cli.main import main; main()", *setting.command(runs, file)]
    done = subprocess.run(program, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"measuring {setting.name} failed; see above")
    return {"name": setting.name, "title": setting.title, **json.loads(file.read_text(encoding="utf-8"))}


def _stay_on_one_core(core: int | None) -> int | None:
    """Keep this process, and those that it starts, on one core; returns which, None where that cannot be done."""
    if not hasattr(os, "sched_setaffinity"):
        print("this operating system cannot keep a process on one core", file=sys.stderr)
        return None
    core = max(os.sched_getaffinity(0)) if core is None else core
    os.sched_setaffinity(0, {core})
    return core


# Tables

_HEADINGS = (
    "environment",
    "copies × agents",
    "numbers seen",
    "agent-steps a second",
    "range of runs",
    "a step of all",
    "of a core",
    "memory",
)

_THIRDS = ("agent-steps a second", "copies × agents", "first third", "second", "last", "resets included")


def rows_of(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row for every setting of ours, then one for every peer: its best variant, or why there is none."""
    rows = []
    for ours in figures["ours"]:
        memory = ours["figures"]["peak_memory_bytes"]
        rows.append(
            _row(
                f"`{ours['env']}`, {ours['title']}",
                ours,
                [ours["num_envs"] * ours["num_agents"] * len(run["step_s"]) / run["cpu_s"] for run in ours["runs"]],
                ours["figures"]["cpu_share"],
                "" if memory is None else f"{memory / 1e6:,.0f} MB",
            )
        )
    for peer in figures["peers"]:
        if "skipped" in peer:
            rows.append((peer["title"], "skipped: " + peer["skipped"], *[""] * (len(_HEADINGS) - 2)))
            continue
        best = peer["variants"][0]
        package, version = next(iter(peer["packages"].items()))
        sizes = {"num_envs": best["copies"], "num_agents": best["agents"]}
        name = f"{peer['title']} ({best['how']}; {package} {version})"
        rows.append(_row(name, {**best, **sizes}, rates_of(best), best["cpu_share"], ""))
    return rows


def _row(name: str, sizes: dict[str, Any], rates: list[float], cpu_share: float, memory: str) -> tuple[str, ...]:
    step_ms = 1e3 * sizes["num_envs"] * sizes["num_agents"] / median(rates)
    return (
        name,
        f"{sizes['num_envs']:,} × {sizes['num_agents']:,}",
        f"{sizes['observation_numbers']:,}",
        f"{median(rates):,.0f}",
        f"{min(rates):,.0f} to {max(rates):,.0f}",
        f"{step_ms:,.{max(0, 2 - int(math.log10(max(step_ms, 1.0))))}f} ms",
        f"{100 * cpu_share:.0f} %",
        memory,
    )


def third_rows_of(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row for every setting of ours: agent-steps a second in each third of a run, and with the time of its resets."""
    return [
        (
            f"`{ours['env']}`, {ours['title']}",
            f"{ours['num_envs']:,} × {ours['num_agents']:,}",
            *(f"{rate:,.0f}" for rate in ours["figures"]["agent_steps_per_s_of_thirds"]),
            f"{ours['figures']['agent_steps_per_s_with_resets']:,.0f}",
        )
        for ours in figures["ours"]
    ]


def markdown(figures: dict[str, Any]) -> str:
    """The tables as they stand in docs/performance.md."""
    lines = _markdown_lines(_HEADINGS, rows_of(figures))
    if figures["ours"]:
        lines += ["", *_markdown_lines(_THIRDS, third_rows_of(figures))]
    if figures["startup"]:
        lines += ["", *_markdown_lines(("start", ""), startup_rows(figures["startup"]))]
    return "\n".join([*lines, "", _machine(figures)])


def short_markdown(figures: dict[str, Any]) -> str:
    """The table as it stands in the README."""
    rows = [(row[0], row[1], row[3]) for row in rows_of(figures)]
    return "\n".join(_markdown_lines((_HEADINGS[0], _HEADINGS[1], _HEADINGS[3]), rows))


def _markdown_lines(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    ruler = "|---|" + "---:|" * (len(headings) - 1)
    return ["| " + " | ".join(headings) + " |", ruler, *("| " + " | ".join(row) + " |" for row in rows)]


def plain(figures: dict[str, Any]) -> str:
    """The same for a screen."""
    rows = [_HEADINGS, *rows_of(figures)]
    full = [row for row in rows if row[2]]
    wide = [max(len(row[k]) for row in full) for k in range(len(_HEADINGS))]
    lines = ["  ".join([f"{row[0]:<{wide[0]}}", *map(str.rjust, row[1:], wide[1:])]).rstrip() for row in rows]
    if figures["startup"]:
        lines += ["", *(f"{name:<48} {value:>8}" for name, value in startup_rows(figures["startup"]))]
    return "\n".join([*lines, "", _machine(figures)])


def _machine(figures: dict[str, Any]) -> str:
    if not figures["ours"]:
        return ""
    machine = figures["ours"][0]["machine"]
    return (
        f"{machine['cpu']}, one of {machine['cores']} cores, {machine['memory_bytes'] / 1e9:.0f} GB of memory; "
        f"Python {machine['python']}, NumPy {machine['numpy']}, numba {machine['numba']}, "
        f"CrowdGym {machine['crowdgym']}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    ours = [*(setting.name for setting in OURS), "startup"]
    peers = [peer.name for peer in PEERS]
    parser.add_argument("--ours", default="all", help=f"all, none, or some of {', '.join(ours)}")
    parser.add_argument("--peers", default="all", help=f"all, none, or some of {', '.join(peers)}")
    parser.add_argument("--runs", type=int, default=5, help="of each setting")
    parser.add_argument("--core", type=int, help="number of the core; the last one if not given")
    parser.add_argument("--keep", help="install the peers into this folder, and leave them there for the next time")
    parser.add_argument("--json", help="write all values to this file, too")
    parser.add_argument("--from", dest="earlier", help="print the tables of this file, and measure nothing")
    parser.add_argument(
        "--markdown", nargs="?", const="docs", choices=("docs", "readme"), help="print the tables as they stand there"
    )
    chosen = parser.parse_args()
    for option, known in (("ours", ours), ("peers", peers)):
        setattr(chosen, option, _names(parser, option, getattr(chosen, option), known))
    if chosen.runs < 1:
        parser.error(f"--runs must be at least 1, got {chosen.runs}")
    if chosen.core is not None and chosen.core not in getattr(os, "sched_getaffinity", lambda _: {chosen.core})(0):
        parser.error(f"--core must be a core that may be used, got {chosen.core}")
    if chosen.json and not Path(chosen.json).absolute().parent.is_dir():
        parser.error(f"--json must be in a folder that exists, got {chosen.json!r}")
    return chosen


def _names(parser: argparse.ArgumentParser, option: str, text: str, known: list[str]) -> list[str]:
    if text in ("all", "none"):
        return known if text == "all" else []
    names = text.split(",")
    for name in names:
        if name not in known:
            parser.error(f"--{option} must be all, none, or some of {', '.join(known)}, got {name!r}")
    return names


if __name__ == "__main__":
    main()
