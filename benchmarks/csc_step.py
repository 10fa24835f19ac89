"""How long `csc_v0` takes and how much memory: the figures of the README. Nothing is asserted.

    python benchmarks/csc_step.py                      # chengdu-synth, 200 workers, 200 tasks
    python benchmarks/csc_step.py --scenario tiny --resets 3 --json figures.json

Each part runs in a process of its own, in a cache folder of its own: the city is there already, everything that
CrowdGym derives from it is not. Actions are drawn among the legal ones outside the timed region.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="crowdgym-bench-") as folder:
        figures = measure(arguments, Path(folder))
    print(_table(figures, arguments))
    if arguments.json:
        text = json.dumps({"setting": _setting(arguments), "figures": figures}, indent=2) + "\n"
        Path(arguments.json).write_text(text, encoding="utf-8")


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, float]:
    """All figures, by name."""
    prepared = _in_process(arguments, "prepare", folder)
    _forget_all_but_the_city(folder)
    cold = _in_process(arguments, "first", folder)
    warm = _in_process(arguments, "first", folder)
    _forget_all_but_the_city(folder)
    code = folder / "compiled"
    compiling = _in_process(arguments, "first", folder, NUMBA_CACHE_DIR=str(code))
    steps = _in_process(arguments, "steps", folder)
    return {
        "build_city_s": prepared["build_s"],
        "first_reset_cold_s": cold["first_s"],
        "first_reset_warm_s": warm["first_s"],
        "first_reset_uncompiled_s": compiling["first_s"],
        **steps,
        "peak_memory_mb": max(cold["peak_memory_mb"], steps["peak_memory_mb"]),
    }


def _part_prepare(arguments: argparse.Namespace) -> dict[str, float]:
    """Build the city, and compile what there is to compile."""
    from crowdgym.data.registry import load_dataset

    began_s = time.perf_counter()
    load_dataset(arguments.scenario)
    build_s = time.perf_counter() - began_s
    _play(_make(arguments), steps=3, seed=0)
    return {"build_s": build_s}


def _part_first(arguments: argparse.Namespace) -> dict[str, float]:
    """From `make` to the first observation in a fresh process, Python's imports included."""
    began_s = time.perf_counter()
    _make(arguments).reset(seed=0)
    return {"first_s": time.perf_counter() - began_s, "peak_memory_mb": _peak_memory_mb()}


def _part_steps(arguments: argparse.Namespace) -> dict[str, float]:
    env = _make(arguments)
    _play(env, steps=5, seed=0)
    resets_s, steps_s = [], []
    for seed in range(1, 1 + arguments.resets):
        began_s = time.perf_counter()
        env.reset(seed=seed)
        resets_s.append(time.perf_counter() - began_s)
    for seed in range(arguments.episodes):
        steps_s += _play(env, steps=None, seed=seed)
    return {
        "reset_median_s": median(resets_s),
        "step_median_s": median(steps_s),
        "step_p95_s": sorted(steps_s)[int(0.95 * (len(steps_s) - 1))],
        "agent_steps_per_s": arguments.workers * len(steps_s) / sum(steps_s),
        "steps": len(steps_s),
        "peak_memory_mb": _peak_memory_mb(),
    }


def _make(arguments: argparse.Namespace) -> Any:
    import crowdgym

    return crowdgym.make(
        "csc_v0", scenario=arguments.scenario, num_workers=arguments.workers, num_tasks=arguments.tasks
    )


def _play(env: Any, steps: int | None, seed: int) -> list[float]:
    """Play with random legal actions, to the end if ``steps`` is None; returns what each step took."""
    from crowdgym.agents.random_policy import RandomPolicy

    policy = RandomPolicy(seed)
    observations, infos = env.reset(seed=seed)
    took_s: list[float] = []
    while env.agents and (steps is None or len(took_s) < steps):
        actions = policy.act(observations, infos)
        began_s = time.perf_counter()
        observations, _, _, _, infos = env.step(actions)
        took_s.append(time.perf_counter() - began_s)
    return took_s


def _in_process(arguments: argparse.Namespace, part: str, folder: Path, **variables: str) -> dict[str, float]:
    program = [sys.executable, __file__, "--part", part, *sys.argv[1:]]
    environment = {**os.environ, "CROWDGYM_DATA": str(folder / "cache"), **variables}
    done = subprocess.run(program, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the part {part!r} of the benchmark failed; see above")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _forget_all_but_the_city(folder: Path) -> None:
    for kept in (folder / "cache").iterdir():
        if kept.name != "datasets":
            shutil.rmtree(kept)


def _peak_memory_mb() -> float:
    """The most memory that this process has ever held, in millions of bytes."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _table(figures: dict[str, float], arguments: argparse.Namespace) -> str:
    city = arguments.scenario
    rows = [
        (f"build {city}, once", f"{figures['build_city_s']:.1f} s"),
        ("make and first reset, cold cache", f"{figures['first_reset_cold_s']:.2f} s"),
        ("the same, cache filled", f"{figures['first_reset_warm_s']:.2f} s"),
        ("the same, cold, code to be compiled", f"{figures['first_reset_uncompiled_s']:.1f} s"),
        (f"later resets, median of {arguments.resets}", f"{1e3 * figures['reset_median_s']:.1f} ms"),
        (f"step, median of {figures['steps']:,}", f"{1e3 * figures['step_median_s']:.2f} ms"),
        ("step, 95th percentile", f"{1e3 * figures['step_p95_s']:.2f} ms"),
        ("agent-steps a second", f"{figures['agent_steps_per_s']:,.0f}"),
        ("peak memory", f"{figures['peak_memory_mb']:,.0f} MB"),
    ]
    wide = max(len(name) for name, _ in rows)
    heading = f"csc_v0 on {city}, {arguments.workers} workers, {arguments.tasks} tasks; {_machine()}"
    return "\n".join([heading, "", *(f"{name:<{wide}}  {value:>12}" for name, value in rows)])


def _setting(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "scenario": arguments.scenario,
        "workers": arguments.workers,
        "tasks": arguments.tasks,
        "machine": _machine(),
    }


def _machine() -> str:
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scenario", default="chengdu-synth")
    parser.add_argument("--workers", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--resets", type=int, default=30, help="how many later resets are timed")
    parser.add_argument("--episodes", type=int, default=5, help="how many episodes' steps are timed")
    parser.add_argument("--json", help="write the figures to this file, too")
    parser.add_argument("--part", choices=("prepare", "first", "steps"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if min(arguments.resets, arguments.episodes) < 1:
        parser.error("--resets and --episodes must be at least 1")
    return arguments


if __name__ == "__main__":
    chosen = _arguments()
    parts = {"prepare": _part_prepare, "first": _part_first, "steps": _part_steps}
    if chosen.part:
        print(json.dumps(parts[chosen.part](chosen)))
    else:
        main()
