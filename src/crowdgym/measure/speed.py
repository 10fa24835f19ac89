"""How fast an environment is, measured through its public interface only.

What is timed is ``env.step`` and nothing else: the actions, random among the legal ones, are drawn from the masks
between two timed calls. Resets are timed separately. The first reset and the first steps, where code may be compiled
and caches filled, count only for ``first_reset_s`` and ``first_step_s``.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Protocol

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

import crowdgym
from crowdgym.agents.any.random_policy import RandomPolicy
from crowdgym.common.compiling import has_compiled
from crowdgym.common.errors import ConfigError
from crowdgym.measure.machine import machine_description, peak_memory_bytes
from crowdgym.registration import environment_spec

INTERFACES = ("vector", "dict")
WARM_UP_STEPS = 5
DEFAULT_COPIES = 32  # of the vector interface
THIRDS = 3


@dataclass(frozen=True)
class SpeedRun:
    """What was timed in one run: the raw values.

    Attributes:
        step_s: seconds of each step, of all copies together.
        reset_s: seconds of each reset, of all copies that it began together.
        reset_copies: how many copies each reset began.
        cpu_s: seconds of a processor that the process was given during the steps, all its threads together.
    """

    step_s: tuple[float, ...]
    reset_s: tuple[float, ...]
    reset_copies: tuple[int, ...]
    cpu_s: float


@dataclass(frozen=True)
class SpeedResult:
    """How fast an environment was; ``to_json`` is what ``crowdgym speed --json`` writes.

    Attributes:
        env: name of the environment.
        interface: "vector" or "dict".
        num_envs: copies stepped by one call.
        num_agents: of each copy.
        observation_numbers: that each agent sees.
        seed: of the first run. Run r begins with ``reset(seed=seed + r * num_envs)``.
        config: every setting of the environment.
        options: keywords of the interface that are no settings of the environment, such as ``num_threads``.
        compiled: whether code was compiled before the first run.
        first_reset_s: seconds to make the environment and reset it for the first time, compiling included.
        first_step_s: seconds of the first step, compiling included.
        peak_memory_bytes: peak memory of the process, Python included; None if the operating system does not report it.
        runs: in order.
        machine: what it was measured on; see `crowdgym.measure.machine.machine_description`.
    """

    env: str
    interface: str
    num_envs: int
    num_agents: int
    observation_numbers: int
    seed: int
    config: Mapping[str, Any]
    options: Mapping[str, Any]
    compiled: bool
    first_reset_s: float
    first_step_s: float
    peak_memory_bytes: int | None
    runs: tuple[SpeedRun, ...]
    machine: Mapping[str, Any] = field(default_factory=machine_description)

    @property
    def agent_steps_per_s_of_runs(self) -> tuple[float, ...]:
        """Actions taken by single agents, a second of stepping; for each run."""
        rows = self.num_envs * self.num_agents
        return tuple(rows * len(run.step_s) / sum(run.step_s) for run in self.runs)

    @property
    def agent_steps_per_s(self) -> float:
        """The median over the runs."""
        return median(self.agent_steps_per_s_of_runs)

    @property
    def agent_steps_per_s_of_thirds(self) -> tuple[float, ...]:
        """The same in each third of a run: in many settings little is left to happen at the end of an episode."""
        rows = self.num_envs * self.num_agents
        thirds = [np.array_split(run.step_s, THIRDS) for run in self.runs if len(run.step_s) >= THIRDS]
        return tuple(
            median(rows * len(part) / float(part.sum()) for part in parts) for parts in zip(*thirds, strict=True)
        )

    @property
    def agent_steps_per_s_with_resets(self) -> float:
        """The same, where the time of the resets counts, too."""
        rows = self.num_envs * self.num_agents
        return median(rows * len(run.step_s) / (sum(run.step_s) + sum(run.reset_s)) for run in self.runs)

    @property
    def cpu_share(self) -> float:
        """Processor time over time, while stepping: below 1 for each busy thread, others were using the machine."""
        return sum(run.cpu_s for run in self.runs) / float(self._steps_s().sum())

    @property
    def step_s(self) -> float:
        """Seconds of a step of all copies: the median over the steps of all runs."""
        return float(np.median(self._steps_s()))

    @property
    def step_p95_s(self) -> float:
        """Seconds that 95 of 100 steps stay under."""
        return float(np.percentile(self._steps_s(), 95))

    @property
    def copy_step_s(self) -> float:
        """Seconds of a step for each copy: the median."""
        return self.step_s / self.num_envs

    @property
    def copy_reset_s(self) -> float:
        """Seconds of a reset for each copy: the median over the resets of all runs."""
        return median(
            took_s / copies for run in self.runs for took_s, copies in zip(run.reset_s, run.reset_copies, strict=True)
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON: settings, figures, the raw values of all runs, and the machine."""
        return {
            "env": self.env,
            "interface": self.interface,
            "num_envs": self.num_envs,
            "num_agents": self.num_agents,
            "observation_numbers": self.observation_numbers,
            "seed": self.seed,
            "config": dict(self.config),
            "options": dict(self.options),
            "figures": {
                "agent_steps_per_s": self.agent_steps_per_s,
                "agent_steps_per_s_of_thirds": list(self.agent_steps_per_s_of_thirds),
                "agent_steps_per_s_with_resets": self.agent_steps_per_s_with_resets,
                "step_s": self.step_s,
                "step_p95_s": self.step_p95_s,
                "copy_step_s": self.copy_step_s,
                "copy_reset_s": self.copy_reset_s,
                "cpu_share": self.cpu_share,
                "first_reset_s": self.first_reset_s,
                "first_step_s": self.first_step_s,
                "compiled": self.compiled,
                "peak_memory_bytes": self.peak_memory_bytes,
            },
            "runs": [
                {
                    "agent_steps_per_s": rate,
                    "step_s": list(run.step_s),
                    "reset_s": list(run.reset_s),
                    "reset_copies": list(run.reset_copies),
                    "cpu_s": run.cpu_s,
                }
                for rate, run in zip(self.agent_steps_per_s_of_runs, self.runs, strict=True)
            ],
            "machine": dict(self.machine),
        }

    def _steps_s(self) -> NDArray[np.float64]:
        return np.concatenate([run.step_s for run in self.runs])


def measure_speed(
    name: str,
    *,
    interface: str = "vector",
    num_envs: int | None = None,
    runs: int = 5,
    steps: int | None = None,
    seed: int = 0,
    keywords: Mapping[str, Any] | None = None,
) -> SpeedResult:
    """Measure how fast an environment is; see the head of this module for what is timed.

    Every run begins with a reset of all copies. Copies whose episode is over are reset between two timed calls (in the
    vector interface with ``autoreset_mode`` DISABLED and a ``reset_mask``), so no step contains a reset.

    Args:
        name: of the environment, such as "csc_v0".
        interface: "vector" (Gymnasium's, through ``gymnasium.make_vec``) or "dict" (PettingZoo's parallel one).
        num_envs: copies; 32 in the vector interface if not given. The dict interface has one.
        runs: how often it is measured.
        steps: timed in each run; if not given, those of one episode.
        seed: of the first run, and of the actions.
        keywords: of the environment, and of its vector interface (``num_threads``, ``copy``).

    Raises:
        ConfigError: there is no such environment or interface; or a number or keyword that cannot be.
    """
    copies = _checked_copies(interface, num_envs)
    _check_counts({"runs": runs, **({} if steps is None else {"steps": steps})}, seed)
    began_s = time.perf_counter()
    subject = _SUBJECTS[interface](name, copies, seed, dict(keywords or {}))
    try:
        subject.reset(seed)
        first_reset_s = time.perf_counter() - began_s
        first_step_s, _ = subject.step()
        for _ in range(WARM_UP_STEPS):
            if not subject.ended().any():
                subject.step()
        compiled = has_compiled()
        timed = tuple(_run(subject, steps, seed + run * copies) for run in range(runs))
    finally:
        subject.env.close()
    settings: dict[str, Any] = subject.env.settings.model_dump(mode="json")
    return SpeedResult(
        env=name,
        interface=interface,
        num_envs=copies,
        num_agents=subject.num_agents,
        observation_numbers=subject.observation_numbers,
        seed=seed,
        config=settings,
        options={key: value for key, value in (keywords or {}).items() if key not in settings},
        compiled=compiled,
        first_reset_s=first_reset_s,
        first_step_s=first_step_s,
        peak_memory_bytes=peak_memory_bytes(),
        runs=timed,
    )


def _checked_copies(interface: str, num_envs: int | None) -> int:
    if interface not in INTERFACES:
        raise ConfigError(f"interface must be {' or '.join(INTERFACES)}, got {interface!r}")
    if num_envs is None:
        return DEFAULT_COPIES if interface == "vector" else 1
    _check_counts({"num_envs": num_envs}, seed=0)
    if interface == "dict" and num_envs != 1:
        raise ConfigError(f"num_envs must be 1 in the dict interface, which has one copy, got {num_envs}")
    return num_envs


def _check_counts(counts: Mapping[str, int], seed: int) -> None:
    for name, value in counts.items():
        if value < 1:
            raise ConfigError(f"{name} must be at least 1, got {value}")
    if seed < 0:
        raise ConfigError(f"seed must be at least 0, got {seed}")


class _Subject(Protocol):
    """An environment behind one of its interfaces, ready to be stepped with random legal actions."""

    env: Any
    num_agents: int
    observation_numbers: int

    def reset(self, seed: int | None, ended: NDArray[np.bool_] | None = None) -> int:
        """Reset all copies, or those that have ended; returns how many."""

    def step(self) -> tuple[float, float]:
        """Draw legal actions and play a step with them; returns the seconds it took, and those of the processor."""

    def ended(self) -> NDArray[np.bool_]:
        """Which copies are at the end of their episode. Shape [B]."""


def _run(subject: _Subject, steps: int | None, seed: int) -> SpeedRun:
    took_s: list[float] = []
    cpu_s = 0.0
    resets: list[tuple[float, int]] = [_timed_reset(subject, seed, None)]
    while steps is None or len(took_s) < steps:
        step_s, step_cpu_s = subject.step()
        took_s.append(step_s)
        cpu_s += step_cpu_s
        ended = subject.ended()
        if ended.any():
            if steps is None:
                break
            if len(took_s) < steps:
                resets.append(_timed_reset(subject, None, ended))
    reset_s, reset_copies = zip(*resets, strict=True)
    return SpeedRun(tuple(took_s), reset_s, reset_copies, cpu_s)


def _timed_reset(subject: _Subject, seed: int | None, ended: NDArray[np.bool_] | None) -> tuple[float, int]:
    began_s = time.perf_counter()
    copies = subject.reset(seed, ended)
    return time.perf_counter() - began_s, copies


def _timed_step(env: Any, actions: Any) -> tuple[Any, float, float]:
    """What the step returns, the seconds it took, and those of the processor."""
    cpu_began_s = time.process_time()
    began_s = time.perf_counter()
    result = env.step(actions)
    took_s = time.perf_counter() - began_s
    return result, took_s, time.process_time() - cpu_began_s


class _VectorSubject:
    """Many copies behind Gymnasium's vector interface, a row for every (copy, agent)."""

    def __init__(self, name: str, copies: int, seed: int, keywords: dict[str, Any]) -> None:
        if "autoreset_mode" in keywords:
            raise ConfigError("autoreset_mode cannot be chosen: resets are timed apart from steps")
        keywords["autoreset_mode"] = AutoresetMode.DISABLED
        env: Any = gymnasium.make_vec(environment_spec(name).registered_name, num_envs=copies, **keywords)
        self.env = env
        self.num_agents: int = env.batch_shape[1]
        self.observation_numbers = int(np.prod(env.single_observation_space.shape))
        self._generator = np.random.default_rng(seed)
        self._mask = np.zeros((0, 0), np.int8)
        self._over = np.zeros(copies, np.bool_)

    def reset(self, seed: int | None, ended: NDArray[np.bool_] | None = None) -> int:
        options = None if ended is None else {"reset_mask": ended}
        _, infos = self.env.reset(seed=seed, options=options)
        self._mask = infos["action_mask"]
        began = len(self._over) if ended is None else int(ended.sum())
        self._over[:] = False
        return began

    def step(self) -> tuple[float, float]:
        actions = self._legal_actions()
        (_, _, terminated, truncated, infos), *took_s = _timed_step(self.env, actions)
        self._mask = infos["action_mask"]
        self._over = (terminated | truncated).reshape(self.env.batch_shape).all(axis=1)
        return took_s[0], took_s[1]

    def ended(self) -> NDArray[np.bool_]:
        return self._over

    def _legal_actions(self) -> NDArray[np.int64]:
        lots = self._generator.random(self._mask.shape, np.float32)  # [rows, actions]
        actions: NDArray[np.int64] = np.where(self._mask > 0, lots, -1.0).argmax(axis=1)
        return actions


class _DictSubject:
    """One copy behind PettingZoo's parallel interface."""

    def __init__(self, name: str, copies: int, seed: int, keywords: dict[str, Any]) -> None:
        self.env: Any = crowdgym.make(name, **keywords)
        self.num_agents = len(self.env.possible_agents)
        space = self.env.observation_space(self.env.possible_agents[0])
        self.observation_numbers = int(np.prod(space.shape))
        self._policy = RandomPolicy(seed)
        self._seen: tuple[Any, Any] = ({}, {})

    def reset(self, seed: int | None, ended: NDArray[np.bool_] | None = None) -> int:
        self._seen = self.env.reset(seed=seed)
        return 1

    def step(self) -> tuple[float, float]:
        actions = self._policy.act(*self._seen)
        (observations, _, _, _, infos), *took_s = _timed_step(self.env, actions)
        self._seen = observations, infos
        return took_s[0], took_s[1]

    def ended(self) -> NDArray[np.bool_]:
        return np.array([not self.env.agents])


_SUBJECTS: dict[str, type[_VectorSubject] | type[_DictSubject]] = {"vector": _VectorSubject, "dict": _DictSubject}
