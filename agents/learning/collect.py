"""Plays the episodes of an iteration.

All random draws of an iteration are fixed by the run's seed and the number of the iteration (`IterationSeeds`). Every
copy has its own instance and its own generator of actions, and what the network makes of an observation does not depend
on other observations. So the result does not depend on which copies are played together: several processes or machines
may share them (`join`).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from crowdgym.agents.learning.by_centre import CENTRE, ByCentre, with_centre
from crowdgym.agents.learning.rollout import Integers, Rollout
from crowdgym.agents.learning.row_network import LogPolicy, by_rows
from crowdgym.common.errors import ConfigError

# Rows in one pass of torch. A matrix product may round a row differently if the number of rows differs, so this number
# is fixed, and rows of zeros fill the last block.
BLOCK = 64
_OF_DECISIONS = ("observations", "masks", "actions", "log_probabilities", "rows", "steps")  # of a `Rollout`
_LEAST_SEED = 2**32  # training instances have seeds from here on; smaller seeds are for evaluation


class VectorEnvironment(Protocol):
    """The required interface of an environment: rows are (copy, agent), copies end together, masks are in the infos."""

    num_envs: int
    metadata: dict[str, Any]
    batch_shape: tuple[int, int]
    single_observation_space: Any
    single_action_space: Any

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[NDArray[np.float32], dict[str, Any]]: ...  # noqa: D102

    def step(self, actions: Any, /) -> tuple[Any, Any, Any, Any, dict[str, Any]]: ...  # noqa: D102

    def state(self) -> NDArray[np.float32]: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class CopySeeds:
    """The seeds of the episodes of some copies.

    Attributes:
        instances: the seed of each copy's instance.
        actions: the seed of each copy's generator of actions; None if the most probable actions are taken.
        mix: the seed that draws which settings are played; see `crowdgym.agents.learning.mixing.MixedCollector`.
    """

    instances: tuple[int, ...]
    actions: tuple[np.random.SeedSequence, ...] | None
    mix: np.random.SeedSequence | None = None

    def part(self, chosen: slice) -> "CopySeeds":
        """The seeds of some of the copies."""
        return CopySeeds(self.instances[chosen], None if self.actions is None else self.actions[chosen])


@dataclass(frozen=True)
class IterationSeeds:
    """All seeds of one iteration: for the episodes, the order of the decisions, and the reward source."""

    copies: CopySeeds
    order: np.random.Generator
    source: np.random.Generator

    @classmethod
    def of(cls, seed: int, iteration: int, copies: int) -> "IterationSeeds":
        """The seeds of iteration number ``iteration`` of the run of ``seed``."""
        instances, actions, order, source, mix = np.random.SeedSequence((seed, iteration)).spawn(5)
        drawn = np.random.default_rng(instances).integers(_LEAST_SEED, 2**63, size=copies)
        of_copies = CopySeeds(tuple(drawn.tolist()), tuple(actions.spawn(copies)), mix)
        return cls(of_copies, np.random.default_rng(order), np.random.default_rng(source))


class Collector(Protocol):
    """Plays one episode of every copy, in whatever process each copy runs."""

    def collect(
        self,
        actor: nn.Module,
        seeds: CopySeeds,
        *,
        signals: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Rollout:
        """Play one episode of every copy.

        Args:
            actor: maps observations, [M, F], and masks, [M, A], to the logarithms of probabilities, [M, A].
            seeds: the seeds of the copies.
            signals: names of infos to be kept.
            options: options of ``reset``.
        """

    def close(self) -> None:
        """Close the environments."""


class LocalCollector:
    """A collector for the copies of one vector environment, in this process.

    Args:
        env: the copies. Their episodes must have equal lengths.
    """

    def __init__(self, env: VectorEnvironment) -> None:
        self.env = env

    def collect(
        self,
        actor: nn.Module,
        seeds: CopySeeds,
        *,
        signals: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Rollout:
        """See `Collector`.

        Raises:
            ConfigError: episodes have different lengths, no agent ever has a choice, or infos lack a signal.
        """
        draws = None if seeds.actions is None else [np.random.default_rng(seed) for seed in seeds.actions]
        record = EpisodeRecord(signals)
        self._begin()
        policy = log_policy_of(actor)
        environment_s = -time.perf_counter()
        observations, infos = self.env.reset(seed=list(seeds.instances), options=dict(options) if options else None)
        environment_s += time.perf_counter()
        while True:
            joint = self._act(policy, observations, infos, draws, record)
            environment_s -= time.perf_counter()
            observations, rewards, _, truncated, infos = self.env.step(joint)
            environment_s += time.perf_counter()
            record.rewards.append(rewards)
            if truncated.any():
                break
        if not truncated.all():
            raise ConfigError("training needs episodes of one length, but some copies ended before others")
        record.keep_signals(infos)
        return record.rollout(self.env.batch_shape, infos["metrics"], environment_s, options or {})

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def _begin(self) -> None:
        """Forget the last episodes; nothing where agents choose at once."""

    def _act(
        self,
        policy: LogPolicy,
        observations: NDArray[np.float32],
        infos: Mapping[str, Any],
        draws: Sequence[np.random.Generator] | None,
        record: "EpisodeRecord",
    ) -> Integers:
        """The joint action, [R]; its decisions are recorded."""
        record.keep_signals(infos)
        masks = infos["action_mask"] > 0  # [R, A]
        joint: Integers = masks.argmax(axis=1)
        rows = np.flatnonzero(masks.sum(axis=1) > 1)
        if len(rows):
            seen, legal = self._inputs(observations, infos, rows), masks[rows]
            noise = None if draws is None else self._noise(draws, rows, legal.shape[1])
            chosen, log_probabilities = choose(policy, seen, legal, noise)
            joint[rows] = chosen
            record.add(rows, observations=seen, masks=legal, actions=chosen, log_probabilities=log_probabilities)
        record.joint_actions.append(joint)
        return joint

    def _inputs(
        self, observations: NDArray[np.float32], infos: Mapping[str, Any], rows: Integers
    ) -> NDArray[np.float32]:
        """What the network sees of the rows that decide."""
        del infos
        return observations[rows]

    def _noise(self, draws: Sequence[np.random.Generator], rows: Integers, num_actions: int) -> NDArray[np.float64]:
        """Gumbel noise, [M, A], each copy's rows from its own generator."""
        deciding = np.bincount(rows // self.env.batch_shape[1], minlength=len(draws)).tolist()
        return np.concatenate([draw.gumbel(size=(n, num_actions)) for draw, n in zip(draws, deciding, strict=True)])


class CentreCollector(LocalCollector):
    """A collector whose actor is a `crowdgym.agents.learning.by_centre.ByCentre`."""

    def _inputs(
        self, observations: NDArray[np.float32], infos: Mapping[str, Any], rows: Integers
    ) -> NDArray[np.float32]:
        return with_centre(observations[rows], infos[CENTRE][rows])


class EpisodeRecord:
    """The steps of a rollout that have been played so far."""

    def __init__(self, signals: Sequence[str]) -> None:
        self.rewards: list[NDArray[np.float64]] = []
        self.joint_actions: list[Integers] = []
        self._decisions: list[dict[str, NDArray[Any]]] = []
        self._signals: dict[str, list[NDArray[Any]]] = {name: [] for name in signals}

    def add(self, rows: Integers, **of_decisions: NDArray[Any]) -> None:
        """Add decisions of the present step: their rows, and other attributes of `Rollout` or its decision infos."""
        steps = np.full(len(rows), len(self.rewards))
        self._decisions.append({"rows": rows, "steps": steps, **of_decisions})

    def keep_signals(self, infos: Mapping[str, Any]) -> None:
        """Copy the infos, since an environment may overwrite its arrays."""
        for name, kept in self._signals.items():
            if name not in infos:
                raise ConfigError(f"the infos have no {name!r}, which the learner reads (there: {', '.join(infos)})")
            kept.append(np.array(infos[name]))

    def rollout(
        self,
        batch_shape: tuple[int, int],
        metrics: Mapping[str, NDArray[Any]],
        environment_s: float,
        options: Mapping[str, Any],
    ) -> Rollout:
        """The whole rollout. Raises `ConfigError` if it has no decision."""
        if not self._decisions:
            raise ConfigError("there is no decision to learn from: no agent ever had more than one legal action")
        joined = {name: np.concatenate([each[name] for each in self._decisions]) for name in self._decisions[0]}
        attributes = {name: joined.pop(name) for name in _OF_DECISIONS}
        copies, agents = batch_shape
        return Rollout(
            **attributes,
            rewards=np.stack(self.rewards),
            joint_actions=np.stack(self.joint_actions),
            num_agents=np.full(copies, agents),
            metrics=metrics,
            environment_s=environment_s,
            signals={name: np.stack(kept) for name, kept in self._signals.items()},
            options=options,
            decision_infos=joined,
            groups=np.zeros(copies, np.int64),
        )


def choose(
    policy: LogPolicy,
    observations: NDArray[np.float32],
    masks: NDArray[np.bool_],
    noise: NDArray[np.float64] | None,
) -> tuple[Integers, NDArray[np.float32]]:
    """Choose actions, [M], for observations, [M, F], with masks, [M, A].

    Args:
        policy: see `log_policy_of`.
        observations: observations of the deciding agents.
        masks: their legal actions.
        noise: Gumbel noise, [M, A], for a draw from the policy; None for the most probable action.

    Returns:
        The actions, and the logarithms of their probabilities.
    """
    log_policy = policy(observations, masks)
    # The largest sum of a logarithm and Gumbel noise is a draw from the distribution; masked ones stay at -inf.
    lots = log_policy if noise is None else log_policy + noise
    actions = lots.argmax(axis=1)
    return actions, log_policy[np.arange(len(actions)), actions]


def log_policy_of(actor: nn.Module) -> LogPolicy:
    """The present weights of an actor, ready to be played: as compiled loops where there are some, else by torch.

    It is played on the CPU, on whatever device it learns: the same weights play the same episodes everywhere.

    Args:
        actor: see `Collector`. If its weights change, this has to be called again.
    """
    if isinstance(actor, ByCentre):
        return _of_centres([log_policy_of(network) for network in actor.networks])
    return by_rows(actor) or partial(_in_blocks, deepcopy(actor).cpu())


def _of_centres(policies: Sequence[LogPolicy]) -> LogPolicy:
    """Each centre's policy for its own rows; see `ByCentre`."""

    def log_policy(observations: NDArray[np.float32], masks: NDArray[np.bool_]) -> NDArray[np.float32]:
        found = np.empty(masks.shape, np.float32)
        for number, policy in enumerate(policies):
            rows = np.flatnonzero(observations[:, -1] == number)
            if len(rows):
                found[rows] = policy(observations[rows], masks[rows])
        return found

    return log_policy


def _in_blocks(actor: nn.Module, observations: NDArray[np.float32], masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The logarithms of probabilities, [M, A], computed in blocks of fixed size; see `BLOCK`."""
    rows = len(observations)
    filled = -(-rows // BLOCK) * BLOCK
    seen = np.zeros((filled, observations.shape[1]), np.float32)
    legal = np.ones((filled, masks.shape[1]), np.bool_)
    seen[:rows], legal[:rows] = observations, masks
    blocks = zip(*(torch.split(torch.from_numpy(array), BLOCK) for array in (seen, legal)), strict=True)
    with torch.inference_mode(), _one_thread():
        found = [actor(some, allowed).numpy() for some, allowed in blocks]
    log_policy: NDArray[np.float32] = np.concatenate(found)[:rows]
    return log_policy


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one thread: a block is too small to gain from several, and their number would change the rounding."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
