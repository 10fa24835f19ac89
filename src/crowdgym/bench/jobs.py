"""The jobs of a suite: an episode of an agent on an instance, the bound of an instance, the check of a policy."""

import hashlib
import inspect
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import crowdgym
from crowdgym.agents.policy import Policy
from crowdgym.bench.hooks import load_hook
from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import ConfigError, PolicyError
from crowdgym.configs.suites import AgentEntry, Scalar
from crowdgym.policies import load_policy, policy_names
from crowdgym.registration import environment_spec
from crowdgym.runner import policy_seed, run_episodes
from crowdgym.traces import TraceRecorder, write_trace

UNKNOWN_DIGEST = "unknown"  # a file of the policy cannot be read

_COMPILED: set[str] = set()  # the environments of which this process has played a step

Assignments = tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True)
class Agent:
    """An agent of a suite.

    Attributes:
        name: name of the agent in the results.
        policy: name of the policy, as `crowdgym.policies.load_policy` takes it.
        arguments: keywords of the policy's class.
    """

    name: str
    policy: str
    arguments: Assignments = ()

    @classmethod
    def of(cls, entry: AgentEntry) -> "Agent":
        """The agent of an entry of a suite."""
        return cls(entry.name, entry.policy_name, tuple(entry.arguments.items()))

    def comes_with_crowdgym(self, environment: str, hook: str | None) -> bool:
        """Whether the code of the policy is part of CrowdGym or of the suite."""
        return self.policy in policy_names(environment) or self.policy in load_hook(hook).agents


@dataclass(frozen=True)
class InstanceSpec:
    """Identifies a problem instance, which is the same for all agents."""

    environment: str
    scenario: str
    settings: Assignments  # the same at all grid points
    point: Assignments
    seed: int
    hook: str | None = None

    def make_environment(self) -> Any:
        """The environment that draws the instance from its seed."""
        keywords = {**dict(self.settings), **load_hook(self.hook).keywords(self.scenario, dict(self.point))}
        return _environment(self.environment, self.scenario, tuple(keywords.items()))


@dataclass(frozen=True)
class EpisodeJob:
    """An episode of one agent on one instance."""

    suite: str
    instance: InstanceSpec
    agent: Agent
    trace: Path | None  # where the episode is recorded, if at all

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Job`."""
        of = self.instance
        return {
            "suite": self.suite,
            "scenario": of.scenario,
            "agent": self.agent.name,
            **dict(of.point),
            "seed": of.seed,
        }

    def isolation_group(self) -> str:
        """CrowdGym's own agents share processes. Every other agent has its own, so that no agent affects another."""
        known = self.agent.comes_with_crowdgym(self.instance.environment, self.instance.hook)
        return "" if known else self.agent.name

    def has_trace(self) -> bool:
        """Whether the trace exists, if the episode is recorded."""
        return self.trace is None or self.trace.exists()


@dataclass(frozen=True)
class BoundJob:
    """The upper bound of one instance."""

    suite: str
    instance: InstanceSpec

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Job`."""
        of = self.instance
        return {"suite": self.suite, "scenario": of.scenario, **dict(of.point), "seed": of.seed}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Job`."""
        return ""


@dataclass(frozen=True)
class PolicyCheckJob:
    """The check that a policy can be made, before the first episode."""

    environment: str
    scenario: str
    agent: Agent

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Job`."""
        return {"environment": self.environment, "scenario": self.scenario, "agent": self.agent.name}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Job`."""
        return self.agent.name


def prepare(job: EpisodeJob | BoundJob) -> None:
    """Build the environment, and compile what is not compiled yet."""
    env = job.instance.make_environment()
    if job.instance.environment not in _COMPILED:
        env.reset(seed=0)
        env.step(dict.fromkeys(env.agents, 0))
        _COMPILED.add(job.instance.environment)


def play_episode(job: EpisodeJob) -> dict[str, Any]:
    """Play one episode with a new policy.

    Returns:
        All metrics, those of the suite's hook included, and the number of steps.

    Raises:
        PolicyError: the policy cannot be made, raised, or returned nonsense.
    """
    instance = job.instance
    env, hook = instance.make_environment(), load_hook(instance.hook)
    _fix_randomness(policy_seed(instance.seed))
    policy = (
        hook.make_agent(job.agent.policy, env)
        if job.agent.policy in hook.agents
        else _load(job.agent, instance.environment, instance.scenario)
    )
    _fix_randomness(policy_seed(instance.seed))  # again: importing the policy may have drawn numbers
    played = env if job.trace is None else TraceRecorder(env, job.agent.name)
    (result,) = run_episodes(played, policy, agent=job.agent.name, episodes=1, seed=instance.seed).episodes
    if job.trace is not None:
        write_trace(job.trace, played.trace())
    return {**result.metrics, **hook.measure(env, result.metrics), "steps": result.steps}


def bound_instance(job: BoundJob) -> dict[str, Any]:
    """Compute the upper bound of an instance."""
    env = job.instance.make_environment()
    env.reset(seed=job.instance.seed)
    bound = environment_spec(job.instance.environment).bound
    assert bound is not None  # the suite was checked
    return {"bound": float(load_entry_point(bound.entry_point)(env.instance, env.settings))}


def check_policy(job: PolicyCheckJob) -> dict[str, Any]:
    """Check that a policy can be made.

    Returns:
        ``digest``: see `digest_of`.

    Raises:
        PolicyError: the policy cannot be made.
    """
    made = _load(job.agent, job.environment, job.scenario)
    return {"digest": digest_of(made, getattr(made, "files", ()))}


def digest_of(made: object, files: Sequence[str | Path]) -> str:
    """A digest of the file that defines the class of an object, and of other files; "unknown" if one is unreadable."""
    digest = hashlib.sha256()
    try:
        for file in (inspect.getfile(type(made)), *files):
            digest.update(Path(file).read_bytes())
    except (OSError, TypeError):
        return UNKNOWN_DIGEST
    return digest.hexdigest()[:16]


def _load(agent: Agent, environment: str, scenario: str) -> Policy:
    """The policy of an agent. Its arguments go to the class of the policy that `load_policy` makes.

    Raises:
        PolicyError: there is no such policy, or it does not take the arguments.
    """
    policy = load_policy(agent.policy, environment, scenario)
    if not agent.arguments:
        return policy
    keywords = dict(agent.arguments)
    try:
        made: Policy = type(policy)(**keywords)
    except (TypeError, ConfigError) as error:
        raise PolicyError(f"the agent {agent.name!r} does not take the arguments {keywords!r}: {error}") from error
    return made


@lru_cache(maxsize=4)
def _environment(environment: str, scenario: str, keywords: tuple[tuple[str, Any], ...]) -> Any:
    return crowdgym.make(environment, scenario=scenario, **dict(keywords))


def _fix_randomness(seed: int) -> None:
    """Seed the global generators, from which a policy may draw although it gets a generator of its own."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the generator that all programs share is meant
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
