"""The jobs of a suite: an episode of an agent on an instance, the bound of an instance, the check of a policy."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import crowdgym
from crowdgym.bench.hooks import load_hook
from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.files import write_bytes
from crowdgym.configs.suites import AgentEntry, Scalar
from crowdgym.isolation.policy import how_played, open_policy, policy_digest
from crowdgym.policies import PolicySource, policy_names
from crowdgym.registration import environment_spec
from crowdgym.runner import fix_global_generators, policy_seed, run_episodes
from crowdgym.traces import TraceRecorder, trace_to_bytes

_COMPILED: set[str] = set()  # the environments of which this process has played a step

_TRACE = "the trace as bytes"  # no metric has such a name

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

    def source(self, environment: str, scenario: str) -> PolicySource:
        """What its policy is made from."""
        return PolicySource(self.policy, environment, scenario, self.arguments, self.name)

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
    """An episode of one agent on one instance.

    Attributes:
        suite: name of the suite.
        instance: to be played.
        agent: plays.
        number: of the instance among those of its grid point; fixes the policy's own randomness.
        trace: where the episode is recorded, if at all.
        isolated: whether the agent plays in a process of its own in any case.
    """

    suite: str
    instance: InstanceSpec
    agent: Agent
    number: int
    trace: Path | None
    isolated: bool = False

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
        All metrics, those of the suite's hook included, the number of steps, and as ``information`` what the policy was
        given and where it played, such as "centralised (isolated)"; of an episode that is recorded also the trace, as
        bytes.

    Raises:
        PolicyError: the policy cannot be made, raised, or returned nonsense.
    """
    instance, agent = job.instance, job.agent
    env, hook = instance.make_environment(), load_hook(instance.hook)
    with ExitStack() as stack:
        if agent.policy in hook.agents:
            policy = hook.make_agent(agent.policy, env)
        else:
            source = agent.source(instance.environment, instance.scenario)
            policy = stack.enter_context(
                open_policy(source, policy_seed(job.number), inside=False if job.isolated else None)
            )
        fix_global_generators(policy_seed(job.number))  # to make the policy may have drawn numbers
        played = env if job.trace is None else TraceRecorder(env, agent.name)
        run = run_episodes(played, policy, agent=agent.name, episodes=1, seed=instance.seed, first_number=job.number)
        result, how = run.episodes[0], f"{run.information} ({how_played(policy)})"
    values = {**result.metrics, **hook.measure(env, result.metrics), "steps": result.steps, "information": how}
    return values if job.trace is None else {**values, _TRACE: trace_to_bytes(played.trace())}


def recorded_trace(values: Mapping[str, Any]) -> bytes:
    """The trace of an episode that was recorded, from what `play_episode` returns."""
    recorded: bytes = values[_TRACE]
    return recorded


def keep_trace(job: EpisodeJob, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write the trace of an episode that was recorded. Returns the other values."""
    if job.trace is not None and _TRACE in values:
        write_bytes(job.trace, values[_TRACE])
    return {name: value for name, value in values.items() if name != _TRACE}


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
        ``digest``: see `crowdgym.policies.digest_of`.

    Raises:
        PolicyError: the policy cannot be made.
    """
    with open_policy(job.agent.source(job.environment, job.scenario), policy_seed(0)) as policy:
        return {"digest": policy_digest(policy)}


@lru_cache(maxsize=4)
def _environment(environment: str, scenario: str, keywords: tuple[tuple[str, Any], ...]) -> Any:
    return crowdgym.make(environment, scenario=scenario, **dict(keywords))
