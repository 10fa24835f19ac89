"""How good are the tests? Change the code in one place at a time, and see whether a test notices.

    NUMBA_DISABLE_JIT=1 nice python tests/mutation/run.py [TARGET ...] [--sample N [--seed S]] [--again] [--out FOLDER]

The targets and their tests are in targets.toml. No file is ever changed: each mutant lives in the memory of a child
process, forked from one that has loaded the libraries already, which imports the package with the changed module and
runs pytest. Killed is what fails a test, takes far longer than the tests themselves, or can't be imported. One child
at a time; results go to FOLDER/TARGET.jsonl.
"""

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import time
import tomllib
import traceback
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest
from mutants import Mutant, mutants_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MEMORY = 6 << 30  # bytes, for mutants that grow without end
WAITS = 20  # seconds of wall-clock time for a second of processor time, for mutants that wait without end
PYTEST = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
LIBRARIES = [
    "crowdgym.configs.csc",
    "crowdgym.data.registry",
    "crowdgym.data.roads.distances",
    "gymnasium",
    "networkx",
    "numba",
    "numpy",
    "pettingzoo",
    "pydantic",
    "scipy.sparse.csgraph",
    "torch",
    "torch._dynamo",  # which the first optimiser imports
]


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from changed source."""

    def __init__(self, name: str, path: Path, code: str) -> None:
        self.name, self.path, self.code, self.used = name, path, code, False

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        self.used = True
        exec(compile(self.code, str(self.path), "exec"), module.__dict__)


def _child(target: dict[str, Any], code: str, stage: str, limit_s: int) -> None:
    """Run the tests of a stage on changed code and leave: 0 if all pass."""
    signal.setitimer(signal.ITIMER_PROF, limit_s)  # of processor time: a busy machine must not kill a mutant
    signal.alarm(WAITS * limit_s)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    finder = _Changed(target["module"], ROOT / target["file"], code)
    sys.meta_path.insert(0, finder)
    if target["module"] in sys.modules:  # a library that was loaded imports it: what it has to do with is loaded again
        for loaded in [name for name in sys.modules if name.split(".")[0] == "crowdgym"]:
            del sys.modules[loaded]
    with open(os.devnull, "w") as nowhere:
        if "MUTATION_SHOW" not in os.environ:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        for arguments in target[stage]:
            if pytest.main([*PYTEST, *arguments]) != 0:
                os._exit(1)
    os._exit(0 if finder.used else 3)


def verdict(target: dict[str, Any], code: str, stage: str, limit_s: int) -> str:
    """``killed``, ``timeout`` or ``survived``."""
    child = os.fork()
    if child == 0:
        try:
            _child(target, code, stage, limit_s)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "timeout" if os.WTERMSIG(status) in (signal.SIGALRM, signal.SIGPROF) else "killed"
    if os.WEXITSTATUS(status) == 3:
        sys.exit(f"the tests never import {target['module']}")
    return "killed" if os.WEXITSTATUS(status) else "survived"


def judge(target: dict[str, Any], code: str, limits_s: dict[str, int]) -> tuple[str, str]:
    """The verdict, and the stage that gave it: a mutant that passes the quick tests runs the thorough ones."""
    outcome, stage = "survived", ""
    for stage in limits_s:
        outcome = verdict(target, code, stage, limits_s[stage])
        if outcome != "survived":
            break
    return outcome, stage


def measure(target: dict[str, Any], code: str) -> dict[str, int]:
    """The seconds of processor time of each stage: five times what it takes on the code as it is, which must pass."""
    limits_s = {}
    for stage in [stage for stage in ("quick", "thorough") if target.get(stage)]:
        before_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        if verdict(target, code, stage, 600) != "survived":
            sys.exit(f"{stage} tests of {target['file']} fail on the code as it is")
        limits_s[stage] = 5 + int(5 * (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before_s))
    return limits_s


def run(name: str, target: dict[str, Any], sample: int, seed: int, again: bool, out: Path) -> None:
    source = (ROOT / target["file"]).read_text()
    mutants: list[Mutant] = mutants_of(source)
    total = len(mutants)
    results = out / f"{name}.jsonl"
    past = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    if again:  # only what survived the last time
        alive = {(row["name"], row["after"]) for row in past if row["outcome"] == "survived"}
        mutants = [mutant for mutant in mutants if (mutant.name, mutant.after) in alive]
    elif 0 < sample < total:
        mutants = random.Random(seed).sample(mutants, sample)
    limits_s = measure(target, source)
    print(f"{name}: {len(mutants)} of {total} mutants, limits {limits_s}", flush=True)
    rows, start_s = [], time.monotonic()
    for mutant in mutants:
        outcome, stage = judge(target, mutant.code, limits_s)
        row = {"name": mutant.name, "line": mutant.line, "before": mutant.before, "after": mutant.after}
        rows.append({**row, "outcome": outcome, "stage": stage})
        if not again:  # a run that is stopped has said what it found
            results.write_text("".join(json.dumps(row) + "\n" for row in rows))
        if outcome == "survived":
            print(f"  {mutant.line}: {mutant.before}  ->  {mutant.after}  [{mutant.name}]", flush=True)
    if again:
        new = {(row["name"], row["after"]): row for row in rows}
        rows = [new.get((row["name"], row["after"]), row) for row in past]
    results.write_text("".join(json.dumps(row) + "\n" for row in rows))
    counts = Counter(row["outcome"] for row in rows)
    killed = counts["killed"] + counts["timeout"]
    print(
        f"{name}: {total} mutants, {len(rows)} tried, {killed} killed ({counts['timeout']} by time), "
        f"{counts['survived']} survived: {100 * killed / max(1, len(rows)):.1f} %, {time.monotonic() - start_s:.0f} s",
        flush=True,
    )


def main() -> None:
    targets = tomllib.loads((HERE / "targets.toml").read_text())
    parser = argparse.ArgumentParser(description="Mutation testing of CrowdGym.")
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(targets)}; all unless told")
    parser.add_argument("--sample", type=int, default=0, help="try that many mutants of each, drawn at random")
    parser.add_argument("--seed", type=int, default=2024, help="of the draw")
    parser.add_argument("--again", action="store_true", help="try only what survived the last time")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "mutation")
    options = parser.parse_args()
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":
        sys.exit("set NUMBA_DISABLE_JIT=1: compiled code can't be changed")
    os.chdir(ROOT)
    for library in LIBRARIES:
        importlib.import_module(library)
    hypothesis.settings.register_profile(  # a failure need not be made small, and a verdict must be the same tomorrow
        "mutation", phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate], derandomize=True, database=None
    )
    hypothesis.settings.load_profile("mutation")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.targets or targets:
        run(name, targets[name], options.sample, options.seed, options.again, options.out)


if __name__ == "__main__":
    main()
