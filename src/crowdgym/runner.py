"""Plays episodes with a policy and returns their results."""

import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, NoReturn, Protocol, runtime_checkable

import numpy as np
from gymnasium.error import InvalidAction
from numpy.typing import NDArray

from crowdgym.agents.information import Information, information_of
from crowdgym.agents.policy import Actions, Episode, EpisodicPolicy, Policy
from crowdgym.common.compile_time import compile_time_s
from crowdgym.common.errors import ConfigError, PolicyError, PolicyFaultError
from crowdgym.common.raised import described, where_raised
from crowdgym.common.seeds import POLICY_ENTROPY
from crowdgym.common.text import shown


@dataclass(frozen=True)
class EpisodeResult:
    """The result of one episode.

    Attributes:
        seed: the seed of ``reset``.
        steps: number of steps played.
        metrics: those of the environment at the end; for CSC: revenue, completed, expired, travel_m, illegal. A metric
            that is several numbers has an entry for each number: "NAME 0" and so on.
        wall_s: duration in seconds, including the policy, excluding rendering and compiling.
        decisions: number of actions other than 0, which is to hold.
    """

    seed: int
    steps: int
    metrics: Mapping[str, float]
    wall_s: float
    decisions: int = 0

    def to_json(self) -> dict[str, float]:
        """The result as one flat JSON object."""
        return {"seed": self.seed, **self.metrics, "steps": self.steps, "wall_s": round(self.wall_s, 4)}


@dataclass(frozen=True)
class RunResult:
    """The results of a run of episodes; ``to_json`` is what ``crowdgym run --json`` writes.

    Attributes:
        env: name of the environment.
        scenario: name of the scenario.
        agent: name of the policy.
        seed: seed of the run. Episode i, from 0 on, is that of ``reset(seed=seed + i)``.
        config: every setting of the environment.
        episodes: in order.
        information: what the policy was given.
    """

    env: str
    scenario: str
    agent: str
    seed: int
    config: Mapping[str, Any]
    episodes: tuple[EpisodeResult, ...]
    information: Information = Information.CENTRALISED

    @property
    def mean(self) -> dict[str, float]:
        """Mean of every metric and of the number of steps, over the episodes."""
        return self._over_episodes(np.mean)

    @property
    def standard_deviation(self) -> dict[str, float]:
        """Standard deviation of the same values, over the episodes."""
        return self._over_episodes(np.std)

    @property
    def illegal_share(self) -> float:
        """The share of illegal ones among all decisions; 0 where the environment does not count them."""
        decisions = sum(episode.decisions for episode in self.episodes)
        return sum(episode.metrics.get("illegal", 0) for episode in self.episodes) / max(decisions, 1)

    def to_json(self) -> dict[str, Any]:
        """The results as JSON: the same for the same seed, except ``wall_s``."""
        return {
            "env": self.env,
            "scenario": self.scenario,
            "agent": self.agent,
            "information": str(self.information),
            "seed": self.seed,
            "config": dict(self.config),
            "episodes": [episode.to_json() for episode in self.episodes],
            "mean": self.mean,
        }

    def _over_episodes(self, figure: Callable[[list[float]], Any]) -> dict[str, float]:
        rows = [{**episode.metrics, "steps": episode.steps} for episode in self.episodes]
        return {name: float(figure([row[name] for row in rows])) for name in rows[0]}


@runtime_checkable
class AttachedPolicy(Policy, Protocol):
    """The runner's own side of a policy in another process, which reads the arrays of an environment."""

    def attach_environment(self, env: Any) -> None:
        """Play this environment from now on."""


def play_through(episode: int, steps: Iterator[int]) -> None:
    """Play the steps one after the other, without watching."""
    for _ in steps:
        pass


def num_steps_of(env: Any) -> int | None:
    """The number of steps of an episode, by the settings ``horizon_s`` and ``step_s``; None if they do not say."""
    horizon_s, step_s = (getattr(env.settings, name, None) for name in ("horizon_s", "step_s"))
    if not isinstance(horizon_s, int | float) or not isinstance(step_s, int | float):
        return None
    return math.ceil(horizon_s / step_s)


def run_episodes(
    env: Any,
    policy: Policy,
    *,
    agent: str,
    episodes: int,
    seed: int,
    first_number: int = 0,
    watch: Callable[[int, Iterator[int]], object] = play_through,
) -> RunResult:
    """Play ``episodes`` episodes; the i-th, from 0 on, is that of ``env.reset(seed=seed + i)``.

    Args:
        env: one of CrowdGym's parallel environments.
        policy: acts for all agents of the environment.
        agent: the name of the policy, for the result and for messages.
        episodes: number of episodes, at least 1.
        seed: seed of the first episode, at least 0.
        first_number: number of the first episode, which fixes the policy's own randomness; see `policy_seed`.
        watch: is called for every episode with its number and an iterator. Each ``next`` of the iterator plays one step
            and returns the number of steps played (0: only reset). ``watch`` must consume the iterator. Between steps
            it may read the environment, draw it, or show progress.

    Raises:
        PolicyError: the policy raised an error, or did not return an action for every agent.
        ConfigError: an argument cannot be used; names it.
    """
    _check_run(env, policy, agent, {"episodes": episodes, "seed": seed, "first_number": first_number}, watch)
    information = information_of(policy)
    if isinstance(policy, AttachedPolicy):
        policy.attach_environment(env)
    results: list[EpisodeResult] = []
    for i in range(episodes):
        calls = _PolicyCalls(policy, information, agent, f"episode {i} (seed {seed + i})")
        watch(i, _play_episode(env, calls, seed + i, policy_seed(first_number + i), results))
        if len(results) != i + 1:
            raise RuntimeError(f"watch did not play episode {i} to its end")
    settings = env.settings
    config = settings.model_dump(mode="json")
    return RunResult(env.metadata["name"], settings.scenario, agent, seed, config, tuple(results), information)


def _check_run(env: Any, policy: object, agent: object, numbers: Mapping[str, object], watch: object) -> None:
    for name in ("reset", "step", "possible_agents"):
        if not hasattr(env, name):
            raise ConfigError(f"env must be a parallel environment, but {shown(env)} has no {name!r}")
    if not callable(getattr(policy, "act", None)):
        raise PolicyError(f"policy must have a method act(observations, infos), but {shown(policy)} has none")
    if not isinstance(agent, str):
        raise ConfigError(f"agent must be the name of the policy, got {shown(agent)}")
    for name, number in numbers.items():
        least = 1 if name == "episodes" else 0
        if not isinstance(number, int | np.integer) or isinstance(number, bool) or number < least:
            raise ConfigError(f"{name} must be a whole number of at least {least}, got {shown(number)}")
    if not callable(watch):
        raise ConfigError(f"watch must be a function, got {shown(watch)}")


def _play_episode(
    env: Any, calls: "_PolicyCalls", seed: int, own_seed: int, results: list[EpisodeResult]
) -> Iterator[int]:
    """Yield the number of steps played; append the result to ``results`` at the end."""
    began_s = _clock_s()
    observations, infos = env.reset(seed=seed, **_options_of(calls.policy))
    calls.reset(episode_of(env, own_seed, calls.information))
    wall_s, step, decisions = _clock_s() - began_s, 0, 0
    yield step
    while env.agents:
        began_s = _clock_s()
        step += 1
        actions = calls.act(observations, infos, step)
        try:
            observations, _, _, _, infos = env.step(actions)
        except InvalidAction as error:
            raise PolicyError(f"{calls.where(step)} chose an invalid action: {error}") from error
        wall_s += _clock_s() - began_s
        decisions += sum(1 for action in actions.values() if action)
        yield step
    results.append(EpisodeResult(seed, step, _metrics(infos), wall_s, decisions))


def _clock_s() -> float:
    """A clock that stands still while code is compiled."""
    return time.perf_counter() - compile_time_s()


def _options_of(policy: Policy) -> dict[str, Any]:
    """The options with which a policy wants an episode to begin, as the keyword of ``reset``; none for most."""
    options = getattr(policy, "reset_options", None)
    return {"options": dict(options)} if options else {}


def policy_seed(number: int) -> int:
    """The seed that a policy gets for its own randomness in the episode ``number`` of a run.

    It does not depend on the seed of the environment: a policy could find a small seed by trying all.
    """
    return int(np.random.SeedSequence((POLICY_ENTROPY, number)).generate_state(1)[0])


def fix_global_generators(seed: int) -> None:
    """Seed the global generators, from which a policy may draw although it gets a generator of its own."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the generator that all programs share is meant
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


def episode_of(env: Any, own_seed: int, information: Information) -> Episode:
    """What a policy is told at the start of an episode of a parallel environment.

    Args:
        env: has been reset.
        own_seed: of the policy's own draws.
        information: what the policy is given.
    """
    agents = tuple(env.possible_agents)
    return Episode(
        seed=own_seed,
        agents=agents,
        observation_space=env.observation_space(agents[0]),
        action_space=env.action_space(agents[0]),
        metadata=env.metadata,
        state=refuse_state if information is Information.DECENTRALISED else env.state,
        instance=dict(_instance_arrays(env.instance)) if information is Information.CLAIRVOYANT else None,
    )


def refuse_state() -> NoReturn:
    """The global state, as a decentralised policy gets it. Raises `PolicyFaultError`."""
    raise PolicyFaultError("asked for the global state, which a decentralised policy does not get")


def _instance_arrays(instance: Any, prefix: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """Copies of all numbers of an instance by name; those of its road network begin with "network."."""
    for field in fields(instance):
        value = getattr(instance, field.name)
        if is_dataclass(value):
            yield from _instance_arrays(value, f"{prefix}{field.name}.")
        elif (array := np.array(value, ndmin=1)).dtype.kind in "biuf":
            yield f"{prefix}{field.name}", array


def _metrics(infos: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The common metrics, from the infos of any agent after the last step."""
    metrics = next(iter(infos.values()))["metrics"]
    flat: dict[str, float] = {}
    for name, value in metrics.items():
        if isinstance(value, int | float):
            flat[name] = value
        elif isinstance(value, Sequence) and not isinstance(value, str):  # one by one
            flat |= {f"{name} {number}": float(one) for number, one in enumerate(value)}
    return flat


@dataclass(frozen=True)
class _PolicyCalls:
    """Calls a policy. An error inside it becomes one sentence that names the episode and the step."""

    policy: Policy
    information: Information
    agent: str
    episode: str

    def where(self, step: int) -> str:
        return f"the agent {self.agent!r}, in {self.episode}, step {step},"

    def at_start(self) -> str:
        return f"the agent {self.agent!r}, at the start of {self.episode},"

    def reset(self, episode: Episode) -> None:
        if isinstance(self.policy, EpisodicPolicy):
            try:
                self.policy.reset(episode)
            except PolicyFaultError as fault:
                raise PolicyError(f"{self.at_start()} {fault}") from None
            except (Exception, SystemExit) as error:
                raise PolicyError(f"{self.at_start()} raised {described(error)} ({where_raised(error)})") from error

    def act(self, observations: Any, infos: Any, step: int) -> Actions:
        try:
            actions = self.policy.act(observations, infos)
        except PolicyFaultError as fault:
            raise PolicyError(f"{self.where(step)} {fault}") from None
        except (Exception, SystemExit) as error:
            raise PolicyError(f"{self.where(step)} raised {described(error)} ({where_raised(error)})") from error
        if not isinstance(actions, Mapping):
            raise PolicyError(
                f"{self.where(step)} must return a dict with an action for every agent, got {type(actions).__name__}"
            )
        return actions
