"""The time until the first observation: building the city and its distances, and compiling the code.

    python benchmarks/startup.py                      # csc_v0 on chengdu-synth
    python benchmarks/startup.py csc_v0 --scenario tiny

Each figure is of a fresh process, in a cache folder of its own: the folder is empty, or holds the city, or the city and
the data derived from it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

IMPORTS = 5

_IMPORT = "import time; began_s = time.perf_counter(); import crowdgym; print(time.perf_counter() - began_s)"
_BUILD = """
import sys, time
from crowdgym.data.registry import load_dataset
began_s = time.perf_counter()
load_dataset(sys.argv[1])
print(time.perf_counter() - began_s)
"""
_FIRST = """
import json, sys, time
import crowdgym
from crowdgym.measure.machine import peak_memory_bytes
began_s = time.perf_counter()
env = crowdgym.make(sys.argv[1], scenario=sys.argv[2])
env.reset(seed=0)
env.step(dict.fromkeys(env.agents, 0))
print(json.dumps({"first_s": time.perf_counter() - began_s, "peak_memory_bytes": peak_memory_bytes()}))
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
    chosen = parser.parse_args()
    for name, value in startup_rows(measure_startup(chosen.env, chosen.scenario)):
        print(f"{name:<48} {value:>8}")
