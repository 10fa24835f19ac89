"""Reward sources: named terms of a reward, and the weights of their sum.

The environment's reward is one source. Other sources compute rewards from a `Rollout`, and may have parameters that
they learn themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor, nn

from crowdgym.agents.learning.checkpoint import StoredTensors
from crowdgym.agents.learning.rollout import Floats, Rollout


@dataclass(frozen=True)
class PassResult:
    """The data that a source may learn from, after each pass of the learner over the decisions.

    Attributes:
        actor: the present actor.
        before: the actor's tensors before the first pass.
        batch: the decisions of the learner: observations, masks, actions, log_probabilities.
        advantages: [K, D], advantages of each term.
    """

    actor: nn.Module
    before: Mapping[str, Tensor]
    batch: Any
    advantages: Floats


class RewardSource(Protocol):
    """Makes the rewards of a learner: K terms. A source of fixed rewards has one term and learns nothing.

    Attributes:
        name: name of the source in logs.
        signals: names of the infos that the collector keeps for it.
    """

    name: str
    signals: tuple[str, ...]

    @property
    def term_names(self) -> tuple[str, ...]:
        """The names of the terms, in order. The critic has a head for each."""

    def fit(self, rollout: Rollout, generator: np.random.Generator, progress: float) -> None:
        """Learn from a rollout, before `terms` is called. ``progress`` is the finished share of the run, 0 to 1."""

    def terms(self, rollout: Rollout) -> Mapping[str, Floats]:
        """The terms, [T, R] each. The reward of a decision is at its step and row."""

    def weights(self, rollout: Rollout) -> Floats:
        """The weight of each term, [K], or [C, K] if each copy has its own. It is called before every pass."""

    def improve(self, result: PassResult) -> None:
        """Learn from the changes of a pass."""

    def tensors(self) -> dict[str, Tensor]:
        """All learnt tensors, by name."""

    def restore(self, stored: StoredTensors) -> None:
        """Restore the result of `tensors`. Raises `CheckpointError` if they do not fit."""

    def figures(self) -> Mapping[str, float]:
        """Figures for the logs, after an iteration."""


class FixedReward:
    """A source of one term that learns nothing."""

    name: str
    signals: tuple[str, ...] = ()

    @property
    def term_names(self) -> tuple[str, ...]:
        """One term, with the name of the source."""
        return (self.name,)

    def reward(self, rollout: Rollout) -> Floats:
        """The reward, [T, R]."""
        raise NotImplementedError

    def fit(self, rollout: Rollout, generator: np.random.Generator, progress: float) -> None:
        """Nothing."""

    def terms(self, rollout: Rollout) -> Mapping[str, Floats]:
        """The reward."""
        return {self.name: self.reward(rollout)}

    def weights(self, rollout: Rollout) -> Floats:
        """1."""
        return np.ones(1)

    def improve(self, result: PassResult) -> None:
        """Nothing."""

    def tensors(self) -> dict[str, Tensor]:
        """None."""
        return {}

    def restore(self, stored: StoredTensors) -> None:
        """Nothing."""

    def figures(self) -> Mapping[str, float]:
        """None."""
        return {}


class EnvironmentReward(FixedReward):
    """The environment's reward, unchanged."""

    name = "environment"

    def reward(self, rollout: Rollout) -> Floats:
        """See `FixedReward`."""
        return rollout.rewards


class TeamShare(FixedReward):
    """The environment's reward; a share of it is replaced by the mean over all agents of the copy at that step.

    Args:
        share: from 0 (each agent's own reward) to 1 (the mean only).
    """

    name = "team_share"

    def __init__(self, share: float) -> None:
        self.share = share

    def reward(self, rollout: Rollout) -> Floats:
        """See `FixedReward`."""
        return shared_reward(rollout, rollout.rewards, self.share)


def shared_reward(rollout: Rollout, rewards: Floats, share: float) -> Floats:
    """Rewards of which a share is replaced by the mean over all agents of the copy at that step. Shape [T, R].

    Args:
        rollout: whose copies and agents the rewards are of.
        rewards: [T, R].
        share: from 0 to 1.
    """
    by_copy = np.split(rewards, np.cumsum(rollout.num_agents)[:-1], axis=1)
    means = np.stack([of_copy.mean(axis=1) for of_copy in by_copy], axis=1)  # [T, C]
    shared: Floats = (1.0 - share) * rewards + share * means[:, rollout.copy_of_rows]
    return shared
