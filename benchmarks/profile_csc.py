"""The time of each part of a step of `csc_v0`, compared with only writing the observations to memory.

    python benchmarks/profile_csc.py                          # chengdu-synth, 32 copies of 200 workers and 200 tasks
    python benchmarks/profile_csc.py --workers 1000 --copies 8 --markdown

A loop that is compiled here plays a running simulation with the kernels of envs/csc, copy after copy as `CscSimulation`
does, and reads the clock between two of them: processor time of the thread, less what it takes to read the clock. The
Python around the kernels is the difference to a step of `CscSimulation` and of the vector environment, measured in the
same minute on copies of the same seeds.
"""

import argparse
import ctypes
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import mean, median
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from crowdgym.envs import csc_v0
from crowdgym.envs.csc.kernel.candidates import list_candidates, notice_tasks
from crowdgym.envs.csc.kernel.dynamics import Rules, play, take_actions
from crowdgym.envs.csc.kernel.neighbour_lists import notice_changes
from crowdgym.envs.csc.kernel.observation import (
    _describe_tasks,
    _describe_workers,
    _observe_idle_near,
    _observe_own,
    _observe_tasks_near,
    _observe_workers_near,
    _sight_of,
    columns,
    locate_workers,
)
from crowdgym.measure.machine import cpu_model

TAKE_ACTIONS, PLAY, LOCATE, CANDIDATES, CHANGES, DESCRIBE, OWN, NEAR_TASKS, NEAR_WORKERS, IDLE, CLOCK = range(11)

NAMES = {
    TAKE_ACTIONS: "apply the actions",
    PLAY: "play the events of the interval",
    LOCATE: "locate workers",
    CANDIDATES: "list candidates and masks",
    CHANGES: "find what changed, fill the grids",
    DESCRIBE: "describe tasks and workers",
    OWN: "write the worker itself, its task, its candidates",
    NEAR_TASKS: "find and write the nearest tasks",
    NEAR_WORKERS: "find and write the nearest workers",
    IDLE: "find and write the nearest idle workers",
}

_clock_gettime = ctypes.CDLL(None).clock_gettime
_clock_gettime.argtypes = [ctypes.c_int, ctypes.c_size_t]
_clock_gettime.restype = ctypes.c_int
_THREAD_TIME = time.CLOCK_THREAD_CPUTIME_ID

# Compiled anew in every process: numba would not notice that a kernel has changed. Without reference counting, for the
# reason that crowdgym.common.jit gives.
_compiled: Callable[[Any], Any] = numba.njit(nogil=True, _nrt=False)


@_compiled
def _now_ns(clock: NDArray[np.int64], address: int) -> int:
    _clock_gettime(_THREAD_TIME, address)
    return clock[0] * 1_000_000_000 + clock[1]


@_compiled
def _timed_step(
    state: Any,
    roads: Any,
    rules: Rules,
    scales: Any,
    step_s: float,
    horizon_s: float,
    epochs: NDArray[np.int64],
    observations: NDArray[np.float32],
    actions: NDArray[np.int64],
    took_ns: NDArray[np.int64],
    clock: NDArray[np.int64],
    address: int,
) -> None:
    """Step all copies, as envs/csc/kernel/simulation.py does; adds the time of each part."""
    for b in range(len(epochs)):
        now_s, until_s = min(epochs[b] * step_s, horizon_s), min((epochs[b] + 1) * step_s, horizon_s)
        began = _now_ns(clock, address)
        took_ns[CLOCK] += _now_ns(clock, address) - began

        began = _now_ns(clock, address)
        take_actions(state, roads, rules, b, actions[b], now_s)
        ended = _now_ns(clock, address)
        took_ns[TAKE_ACTIONS] += ended - began
        play(state, roads, rules, b, until_s)
        began = _now_ns(clock, address)
        took_ns[PLAY] += began - ended
        epochs[b] += 1
        locate_workers(state, roads, rules, b, until_s)
        ended = _now_ns(clock, address)
        took_ns[LOCATE] += ended - began
        notice_tasks(state, b)
        list_candidates(state, rules, roads.unit_m, b)
        began = _now_ns(clock, address)
        took_ns[CANDIDATES] += began - ended
        changes = notice_changes(state, b)
        ended = _now_ns(clock, address)
        took_ns[CHANGES] += ended - began
        _describe_tasks(state, rules, scales, b, until_s)
        _describe_workers(state, scales, b, until_s)
        began = _now_ns(clock, address)
        took_ns[DESCRIBE] += began - ended
        sight, at, rows = _sight_of(state, scales, b), columns(state.output.candidates.shape[2]), observations[b]
        _observe_own(state, sight, roads.unit_m, rules, scales, b, until_s, rows)
        ended = _now_ns(clock, address)
        took_ns[OWN] += ended - began
        _observe_tasks_near(state, sight, b, changes, at.near_tasks, rows)
        began = _now_ns(clock, address)
        took_ns[NEAR_TASKS] += began - ended
        _observe_workers_near(state, sight, b, changes, at.near_workers, rows)
        ended = _now_ns(clock, address)
        took_ns[NEAR_WORKERS] += ended - began
        _observe_idle_near(state, sight, b, changes, at.idle_workers, rows)
        state.neighbour_lists.moved[b, :] = 0
        took_ns[IDLE] += _now_ns(clock, address) - ended


@dataclass(frozen=True)
class Profile:
    """What was measured; all times in microseconds of a step of all copies.

    Attributes:
        parts_us: by name, in the order in which they happen.
        kernels_us: all parts together.
        simulation_us: a step of `CscSimulation`.
        environment_us: a step of the vector environment, with copies of what it hands out.
        zero_us: to fill an array of the size of the observations with zeros, once its pages are there.
        copy_us: to copy the observations into another such array.
        observation_bytes: their size.
        clock_us: to read the clock as often as was done for one part.
    """

    parts_us: dict[str, float]
    kernels_us: float
    simulation_us: float
    environment_us: float
    zero_us: float
    copy_us: float
    observation_bytes: int
    clock_us: float


def profile(workers: int, copies: int, scenario: str, episodes: int) -> Profile:
    """Play episodes; means over the steps of all of them, as the steps of an episode differ."""
    settings: dict[str, Any] = {"scenario": scenario, "num_workers": workers, "num_tasks": workers}
    env = csc_v0.vector_env(num_envs=copies, autoreset_mode="Disabled", **settings)
    env.reset(seed=0)
    timed_ns, simulated_s, stepped_s, zeroed_s, copied_s = [], [], [], [], []
    _play_timed(env, 0, most=3)  # compiles
    for episode in range(episodes):
        timed_ns += _play_timed(env, seed=copies * episode)
        simulated_s += _play(env, copies * episode, lambda actions: env._simulation.step(actions))
        stepped_s += _play(env, copies * episode, env.step)
        zeroed_s += _writing_s(env._simulation.observations, lambda other, _: other.fill(0.0))
        copied_s += _writing_s(env._simulation.observations, np.copyto)
    env.close()
    parts_ns = np.mean(np.array(timed_ns), axis=0)
    parts_ns[:CLOCK] -= parts_ns[CLOCK]
    parts = {NAMES[part]: parts_ns[part] / 1e3 for part in NAMES}
    return Profile(
        parts_us={name: float(part_us) for name, part_us in parts.items()},
        kernels_us=float(sum(parts_ns[:CLOCK]) / 1e3),
        simulation_us=1e6 * mean(simulated_s),
        environment_us=1e6 * mean(stepped_s),
        zero_us=1e6 * median(zeroed_s),
        copy_us=1e6 * median(copied_s),
        observation_bytes=env._simulation.observations.nbytes,
        clock_us=float(parts_ns[CLOCK] / 1e3),
    )


def _play_timed(env: Any, seed: int, most: int | None = None) -> list[NDArray[np.int64]]:
    """Play an episode with the compiled loop; nanoseconds of each part, for each step."""
    env.reset(seed=seed)
    simulation = env._simulation
    clock = np.zeros(2, np.int64)
    arrays = (simulation.passed, simulation.roads, simulation.rules, simulation.scales, *simulation.clock)
    generator = np.random.default_rng(seed)
    took = []
    while not simulation.is_over().any() and (most is None or len(took) < most):
        actions = _legal_actions(simulation.state.output.mask, generator)
        took_ns = np.zeros(CLOCK + 1, np.int64)
        timing = (took_ns, clock, clock.ctypes.data)
        _timed_step(*arrays, simulation.epochs, simulation.observations, actions, *timing)
        took.append(took_ns)
    return took


def _play(env: Any, seed: int, step: Callable[[NDArray[np.int64]], Any]) -> list[float]:
    """Play an episode with ``step``; seconds of each."""
    env.reset(seed=seed)
    generator = np.random.default_rng(seed)
    took_s = []
    while not env._simulation.is_over().any():
        actions = _legal_actions(env._simulation.state.output.mask, generator)
        took_s.append(_seconds(lambda actions=actions: step(actions)))
    return took_s


def _writing_s(observations: NDArray[np.float32], write: Callable[[Any, Any], Any], times: int = 50) -> list[float]:
    """Seconds that ``write(other, observations)`` takes, the pages of ``other`` being there already."""
    other = np.ones_like(observations)
    return [_seconds(lambda: write(other, observations)) for _ in range(times)]


def _legal_actions(mask: NDArray[np.int8], generator: np.random.Generator) -> NDArray[np.int64]:
    lots = np.where(mask > 0, generator.random(mask.shape), -1.0)
    return lots.argmax(axis=2)  # [B, W]


def _seconds(call: Callable[[], Any]) -> float:
    began_s = time.thread_time()
    call()
    return time.thread_time() - began_s


def rows_of(profiled: Profile) -> list[tuple[str, float]]:
    """Each part of a step and its microseconds: the parts of the kernels, then the Python around them.

    The latter are differences of means; one that is lost in the noise may be negative.
    """
    return [
        *profiled.parts_us.items(),
        ("call the kernels", profiled.simulation_us - profiled.kernels_us),
        ("check actions, rewards, copy what is handed out", profiled.environment_us - profiled.simulation_us),
    ]


def table(profiled: Profile, markdown: bool) -> str:
    """As text, or as it stands in docs/performance.md."""
    total_us = profiled.environment_us
    rows = [(name, f"{us:,.0f}", f"{100 * us / total_us:.0f} %") for name, us in rows_of(profiled)]
    rows.append(("a step of all copies", f"{total_us:,.0f}", ""))
    rows.append(("to fill that much memory with zeros", f"{profiled.zero_us:,.0f}", ""))
    rows.append(("to copy it", f"{profiled.copy_us:,.0f}", ""))
    if markdown:
        lines = ["| what | µs a step | share |", "|---|---:|---:|", *("| " + " | ".join(row) + " |" for row in rows)]
    else:
        lines = [f"{name:<50} {us:>9} {share:>5}" for name, us, share in rows]
    size_mb = profiled.observation_bytes / 1e6
    note = (
        f"The observations are {size_mb:.1f} MB. A step takes {total_us / profiled.zero_us:.1f} times as long as "
        f"filling them with zeros, and {total_us / profiled.copy_us:.1f} times as long as copying them; the kernels "
        f"alone {profiled.kernels_us / profiled.zero_us:.1f} and {profiled.kernels_us / profiled.copy_us:.1f} times."
    )
    return "\n".join([*lines, "", note])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scenario", default="chengdu-synth")
    parser.add_argument("--workers", type=int, default=200, help="and as many tasks")
    parser.add_argument("--copies", type=int, default=32)
    parser.add_argument("--episodes", type=int, default=3)
    parser.add_argument("--markdown", action="store_true", help="print the table as it stands in the docs")
    parser.add_argument("--json", help="write the values to this file, too")
    chosen = parser.parse_args()
    if min(chosen.workers, chosen.copies, chosen.episodes) < 1:
        parser.error("--workers, --copies and --episodes must be at least 1")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    profiled = profile(chosen.workers, chosen.copies, chosen.scenario, chosen.episodes)
    print(table(profiled, chosen.markdown))
    print(f"\n{chosen.scenario}, {chosen.copies} copies of {chosen.workers} workers and tasks; {cpu_model()}, one core")
    if chosen.json:
        with open(chosen.json, "w", encoding="utf-8") as file:
            json.dump({"setting": vars(chosen), **asdict(profiled)}, file, indent=2)


if __name__ == "__main__":
    main()
