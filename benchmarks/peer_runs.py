"""The peers of `benchmarks/speed.py`: each is installed into an environment of its own, and measured there.

The programs that measure are in `benchmarks/peers/`. A peer that cannot be installed or run is skipped, and the reason
is kept.
"""

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

PROGRAMS = Path(__file__).resolve().parent / "peers"
INSTALL_TIMEOUT_S, RUN_TIMEOUT_S = 1800, 900

# A CPU build of PyTorch, where that index can be reached; else what PyPI has, which is larger and as good here.
_TORCH = ("--extra-index-url", "https://download.pytorch.org/whl/cpu")


@dataclass(frozen=True)
class Peer:
    """A peer: what is installed, and the ways in which its program is called. The best way is what counts."""

    name: str
    requirements: tuple[str, ...]
    program: str
    calls: tuple[tuple[str, ...], ...]
    title: str


PEERS = (
    Peer("mpe2-3", ("mpe2",), "mpe2_spread.py", (("--agents", "3"),), "mpe2 simple_spread"),
    Peer("mpe2-100", ("mpe2",), "mpe2_spread.py", (("--agents", "100"),), "mpe2 simple_spread"),
    Peer("ridegym", ("ride-gym",), "ridegym_pooling.py", (("--agents", "20"), ("--agents", "200")), "RideGym pooling"),
    Peer(
        "vmas",
        (*_TORCH, "vmas"),
        "vmas_spread.py",
        (("--copies", "32"), ("--copies", "1024"), ("--copies", "8192")),
        "VMAS simple_spread",
    ),
    Peer(
        "jumanji",
        ("jumanji",),
        "jumanji_foraging.py",
        (("--copies", "32"), ("--copies", "1024")),
        "Jumanji LevelBasedForaging 20x20",
    ),
    Peer(
        "jaxmarl",
        ("jaxmarl",),
        "jaxmarl_spread.py",
        (("--copies", "32"), ("--copies", "1024")),
        "JaxMARL MPE simple_spread",
    ),
)
# One core, one thread: what `crowdgym` uses if not asked for more.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
}


class SkippedError(Exception):
    """A peer that cannot be measured: the reason."""


def measure_peer(peer: Peer, environments: Path, runs: int) -> dict[str, Any]:
    """Install a peer if need be, and measure it in all its ways.

    Returns:
        ``name`` and ``title``; then either ``skipped``, the reason, or ``packages`` and ``variants``, best first.
    """
    about = {"name": peer.name, "title": peer.title}
    try:
        python = _installed(peer, environments)
        reports = [_run(python, peer, call, runs) for call in peer.calls]
    except SkippedError as reason:
        return {**about, "skipped": str(reason)}
    variants = [variant for report in reports for variant in report["variants"]]
    return {**about, "packages": reports[0]["packages"], "variants": sorted(variants, key=rate_of, reverse=True)}


def rates_of(variant: dict[str, Any]) -> list[float]:
    """Agent-steps a second in each run."""
    rows = variant["copies"] * variant["agents"] * variant["steps_per_call"]
    return [rows * len(run) / sum(run) for run in variant["call_s"]]


def rate_of(variant: dict[str, Any]) -> float:
    """Agent-steps a second: the median over the runs."""
    return median(rates_of(variant))


def _installed(peer: Peer, environments: Path) -> Path:
    """The Python of the peer's environment, which is made if it is not there yet."""
    folder = environments / Path(peer.program).stem.partition("_")[0]
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = folder / "installed"
    if not complete.exists():
        print(f"installing {peer.requirements[-1]} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        _call([python, "-m", "pip", "install", "--quiet", *peer.requirements], "install it", INSTALL_TIMEOUT_S)
        complete.touch()
    return python


def _run(python: Path, peer: Peer, call: tuple[str, ...], runs: int) -> dict[str, Any]:
    print(f"measuring {peer.name} {' '.join(call)}", file=sys.stderr)
    output = _call([python, PROGRAMS / peer.program, *call, "--runs", str(runs)], "run it", RUN_TIMEOUT_S)
    try:
        report: dict[str, Any] = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        raise SkippedError(f"its program printed no result: {output[-200:]!r}") from None
    return report


def _call(program: list[Any], what: str, timeout_s: float) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | ONE_THREAD
    try:
        done = subprocess.run(
            list(map(str, program)), env=environment, capture_output=True, text=True, check=False, timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        raise SkippedError(f"to {what} took more than {timeout_s} s") from None
    except OSError as error:
        raise SkippedError(f"cannot {what}: {error}") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        errors = [line for line in lines if "error" in line.lower()] or lines
        raise SkippedError(f"cannot {what}: {errors[-1]}")
    return done.stdout
