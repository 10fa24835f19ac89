"""The time until the first observation: building the city and its distances, and compiling the code.

    python benchmarks/startup.py                      # csc_v0 on chengdu-synth
    python benchmarks/startup.py csc_v0 --scenario tiny
    python benchmarks/startup.py --from-nothing       # the install of `make demo`, and first and second starts
    python benchmarks/startup.py --from-nothing ../old

Each figure is seconds of processor time of fresh processes, in a cache folder of their own: the folder is empty, or
holds the city, or the city and the data derived from it. Downloads take other time, but little of the processor.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

IMPORTS = 5

_IMPORT = "import time; began_s = time.process_time(); import crowdgym; print(time.process_time() - began_s)"
_BUILD = """
import sys, time
from crowdgym.data.registry import load_dataset
began_s = time.process_time()
load_dataset(sys.argv[1])
print(time.process_time() - began_s)
"""
_FIRST = """
import json, sys, time
import crowdgym
from crowdgym.measure.machine import peak_memory_bytes
began_s = time.process_time()
env = crowdgym.make(sys.argv[1], scenario=sys.argv[2])
env.reset(seed=0)
env.step(dict.fromkeys(env.agents, 0))
print(json.dumps({"first_s": time.process_time() - began_s, "peak_memory_bytes": peak_memory_bytes()}))
"""


def measure_startup(env: str, scenario: str) -> dict[str, Any]:
    """All figures, by name; every time in seconds."""
    with tempfile.TemporaryDirectory(prefix="crowdgym-startup-") as folder:
        cache, code = Path(folder) / "cache", Path(folder) / "code"
        variables = {"CROWDGYM_DATA": str(cache)}
        imported = [float(_python(_IMPORT)) for _ in range(IMPORTS)]
        _python(_FIRST, env, scenario, **variables)  # compiles what is not compiled yet
        shutil.rmtree(cache, ignore_errors=True)
        built_s = float(_python(_BUILD, scenario, **variables))
        _forget_all_but_the_city(cache)
        cold = json.loads(_python(_FIRST, env, scenario, **variables))
        warm = json.loads(_python(_FIRST, env, scenario, **variables))
        compiling = json.loads(_python(_FIRST, env, scenario, **variables, NUMBA_CACHE_DIR=str(code)))
    return {
        "env": env,
        "scenario": scenario,
        "import_s": median(imported),
        "build_city_s": built_s,
        "first_cold_s": cold["first_s"],
        "first_warm_s": warm["first_s"],
        "first_compiling_s": compiling["first_s"],
        "peak_memory_bytes": cold["peak_memory_bytes"],
    }


def startup_rows(figures: dict[str, Any]) -> list[tuple[str, str]]:
    """What each figure is, and the figure."""
    rows = [
        ("`import crowdgym`", f"{figures['import_s']:.2f} s"),
        (f"building {figures['scenario']}, once", f"{figures['build_city_s']:.1f} s"),
        ("make, first reset and first step of a process", f"{figures['first_warm_s']:.2f} s"),
        ("the same, nothing derived from the city yet", f"{figures['first_cold_s']:.2f} s"),
        ("the same, code not compiled yet", f"{figures['first_compiling_s']:.0f} s"),
    ]
    if figures["peak_memory_bytes"] is not None:
        rows.append(("memory of that process at most", f"{figures['peak_memory_bytes'] / 1e6:.0f} MB"))
    return rows


COMMANDS = (
    "demo",
    "run csc_v0 --scenario tiny --agent random --episodes 1",
    "run csc_v0 --scenario tiny --agent pau --episodes 1",
    "run csc_v0 --scenario tiny --agent lookahead --episodes 1",
    "run dasc_v0 --scenario tiny --agent random --episodes 1",
    "run preference_v0 --scenario preference-tiny --agent random --episodes 1",
    "run sensing_v0 --agent random --episodes 1",
)


def measure_from_nothing(checkout: Path) -> list[tuple[str, float, float | None]]:
    """What was done, the seconds of the first time, and those of the second.

    The checkout is copied, so that its own environment and machine code count for nothing. Each command begins without
    machine code and datasets.
    """
    rows: list[tuple[str, float, float | None]] = []
    with tempfile.TemporaryDirectory(prefix="crowdgym-startup-") as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(
            checkout, copy, ignore=shutil.ignore_patterns(".venv", ".git", ".*_cache", "out"), symlinks=True
        )
        has_core = "/.core:" in (copy / "Makefile").read_text()
        installed_s = _processor_s(["make", ".venv/.core" if has_core else "install"], copy)
        size_mb = sum(file.stat().st_size for file in (copy / ".venv").rglob("*") if file.is_file()) / 1e6
        rows.append((f"install of `make demo`, {size_mb:.0f} MB", installed_s, None))
        for number, command in enumerate(COMMANDS):
            caches = {"CROWDGYM_DATA": f"{folder}/data{number}", "XDG_CACHE_HOME": f"{folder}/code{number}"}
            words = [".venv/bin/crowdgym", *command.split()]
            first_s, second_s = (_processor_s(words, copy, **caches) for _ in range(2))
            rows.append((f"`crowdgym {command}`", first_s, second_s))
    return rows


def _processor_s(command: list[str], folder: Path, **variables: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed; see above")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _python(program: str, *arguments: str, **variables: str) -> str:
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit("a part of the benchmark failed; see above")
    return done.stdout.splitlines()[-1]


def _forget_all_but_the_city(cache: Path) -> None:
    for kept in cache.iterdir():
        if kept.name != "datasets":
            shutil.rmtree(kept)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("env", nargs="?", default="csc_v0")
    parser.add_argument("--scenario", default="chengdu-synth")
    parser.add_argument("--from-nothing", nargs="?", type=Path, const=Path(__file__).parents[1], metavar="CHECKOUT")
    chosen = parser.parse_args()
    if chosen.from_nothing is not None:
        print("| what | first time, s | second time, s |\n|---|---:|---:|")
        for what, first_s, second_s in measure_from_nothing(chosen.from_nothing):
            print(f"| {what} | {first_s:.1f} | {'' if second_s is None else f'{second_s:.1f}'} |")
    else:
        for name, value in startup_rows(measure_startup(chosen.env, chosen.scenario)):
            print(f"{name:<48} {value:>8}")
