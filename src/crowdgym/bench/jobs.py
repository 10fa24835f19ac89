"""The pieces of work of a suite that is a grid: episodes of agents on instances, and bounds of instances."""

import hashlib
import inspect
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import crowdgym
from crowdgym.configs.suites import Scalar
from crowdgym.policies import load_policy, policy_names
from crowdgym.runner import policy_seed, run_episodes
from crowdgym.traces import TraceRecorder, write_trace

# By environment, what says how much of its metric "revenue" any policy could earn in an instance.
BOUNDS = {
    "csc_v0": "crowdgym.envs.csc.bound",
    "dasc_v0": "crowdgym.envs.dasc.bound",
}
BOUNDED_METRIC = "revenue"

_COMPILED: set[str] = set()  # the environments of which a step has been played in this process

Assignments = tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True)
class Instance:
    """What all agents meet alike: an episode before anybody acts."""

    environment: str
    scenario: str
    settings: Assignments  # the same in all cells
    cell: Assignments
    seed: int


@dataclass(frozen=True)
class EpisodeWork:
    """One agent on one instance."""

    suite: str
    instance: Instance
    agent: str
    trace: Path | None  # where the episode is recorded, if it is

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Piece`."""
        at = self.instance
        return {"suite": self.suite, "scenario": at.scenario, "agent": self.agent, **dict(at.cell), "seed": at.seed}

    def isolation_group(self) -> str:
        """CrowdGym's own agents share processes; another's has its own, so that it meets nothing but itself."""
        return "" if self.agent in policy_names(self.instance.environment) else self.agent

    def has_trace(self) -> bool:
        """Whether nothing is missing of what was to be recorded."""
        return self.trace is None or self.trace.exists()


@dataclass(frozen=True)
class BoundWork:
    """The upper bound of one instance."""

    suite: str
    instance: Instance

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Piece`."""
        at = self.instance
        return {"suite": self.suite, "scenario": at.scenario, **dict(at.cell), "seed": at.seed}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Piece`."""
        return ""


@dataclass(frozen=True)
class PolicyWork:
    """An agent that is to be tried on a scenario before the suite begins."""

    environment: str
    scenario: str
    agent: str

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Piece`."""
        return {"environment": self.environment, "scenario": self.scenario, "agent": self.agent}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Piece`."""
        return self.agent


def prepare(piece: EpisodeWork | BoundWork) -> None:
    """Build the environment, and compile what is not compiled yet."""
    at = piece.instance
    env = _environment(at.environment, at.scenario, at.settings, at.cell)
    if at.environment not in _COMPILED:
        env.reset(seed=0)
        env.step(dict.fromkeys(env.agents, 0))
        _COMPILED.add(at.environment)


def play_episode(episode: EpisodeWork) -> dict[str, Any]:
    """Play one episode with a fresh policy.

    Returns:
        All metrics, and the number of steps.

    Raises:
        PolicyError: the policy cannot be had, raised, or returned nonsense.
    """
    at = episode.instance
    env = _environment(at.environment, at.scenario, at.settings, at.cell)
    _fix_randomness(policy_seed(at.seed))
    policy = load_policy(episode.agent, at.environment, at.scenario)
    _fix_randomness(policy_seed(at.seed))  # again: it may have been imported only now, or not
    if episode.trace is not None:
        env = TraceRecorder(env, episode.agent)
    (result,) = run_episodes(env, policy, agent=episode.agent, episodes=1, seed=at.seed).episodes
    if episode.trace is not None:
        write_trace(episode.trace, env.trace())
    return {**result.metrics, "steps": result.steps}


def bound_instance(bound: BoundWork) -> dict[str, Any]:
    """Work out how much anybody could earn in an instance."""
    at = bound.instance
    env = _environment(at.environment, at.scenario, at.settings, at.cell)
    env.reset(seed=at.seed)
    revenue_bound: Callable[[Any, Any], float] = import_module(BOUNDS[at.environment]).revenue_bound
    return {"bound": float(revenue_bound(env.instance, env.settings))}


def try_policy(policy: PolicyWork) -> dict[str, Any]:
    """See whether there is such a policy.

    Returns:
        ``digest``: of the file that its class, or the function that makes it, is in, and of its ``files``, if it has
        any; "unknown" if one of them cannot be read.

    Raises:
        PolicyError: there is none.
    """
    made = load_policy(policy.agent, policy.environment, policy.scenario)
    digest = hashlib.sha256()
    try:
        for file in (inspect.getfile(type(made)), *getattr(made, "files", ())):
            digest.update(Path(file).read_bytes())
    except (OSError, TypeError):
        return {"digest": "unknown"}
    return {"digest": digest.hexdigest()[:16]}


@lru_cache(maxsize=4)
def _environment(environment: str, scenario: str, settings: Assignments, cell: Assignments) -> Any:
    return crowdgym.make(environment, scenario=scenario, **dict(settings), **dict(cell))


def _fix_randomness(seed: int) -> None:
    """Fix what a policy may draw from without having been given it, too."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the generator that all programs share is the one that is meant
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
