"""Shared by the programs of this folder: how a peer is timed, and how its results are printed.

Each program runs in an environment of its own, where nothing but the peer and what it needs is installed. It prints one
JSON object: the versions of its packages, and a variant for each way in which it was stepped.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

WARM_UP_CALLS = 3


@dataclass(frozen=True)
class Variant:
    """One way to step a peer.

    Attributes:
        how: what one timed call is.
        copies: stepped side by side.
        agents: of each copy.
        observation_numbers: that each agent sees.
        steps_per_call: how many steps one timed call plays.
        call_s: seconds of a processor that each timed call took; a list for each run.
        cpu_share: processor time over time, of the whole process, while it ran.
    """

    how: str
    copies: int
    agents: int
    observation_numbers: int
    steps_per_call: int
    call_s: list[list[float]]
    cpu_share: float


def arguments(description: str, copies: int | None = None) -> argparse.Namespace:
    """The options that every peer has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--agents", type=int, default=20)
    if copies is not None:
        parser.add_argument("--copies", type=int, default=copies)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--run-s", type=float, default=1.5, help="about how long a run lasts, in seconds")
    return parser.parse_args()


def time_calls(
    prepare: Callable[[], Any], call: Callable[[Any], None], runs: int, run_s: float
) -> tuple[list[list[float]], float]:
    """Time ``call(prepare())``, ``prepare`` apart; the first calls do not count.

    What counts is processor time of the process, all its threads together: other processes do not add to it.

    Returns:
        Seconds of each call, for each run; and the processor time over the time of all runs, ``prepare`` included.
    """
    took_s = [_timed(prepare, call) for _ in range(WARM_UP_CALLS)]
    calls = max(3, min(500, int(run_s / max(took_s[-1], 1e-9))))
    began_s, cpu_began_s = time.perf_counter(), time.process_time()
    call_s = [[_timed(prepare, call) for _ in range(calls)] for _ in range(runs)]
    return call_s, (time.process_time() - cpu_began_s) / (time.perf_counter() - began_s)


def _timed(prepare: Callable[[], Any], call: Callable[[Any], None]) -> float:
    prepared = prepare()
    began_s = time.process_time()
    call(prepared)
    return time.process_time() - began_s


def report(variants: list[Variant], packages: list[str]) -> None:
    """Print the results."""
    versions = {name: version(name) for name in packages}
    print(json.dumps({"packages": versions, "variants": [asdict(variant) for variant in variants]}))
