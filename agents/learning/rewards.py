"""What a learner learns from: named terms of a reward, and the weights of their sum.

The environment's reward is one source. Others are worked out from what was played (`Rollout`), and may have parameters
that they learn themselves.
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
    """What a source may learn from, behind each pass of the learner over the decisions.

    Attributes:
        actor: as it is now.
        before: the actor's tensors before the first pass.
        batch: the decisions as the learner has them: observations, masks, actions, log_probabilities.
        advantages: [K, D], of each term.
    """

    actor: nn.Module
    before: Mapping[str, Tensor]
    batch: Any
    advantages: Floats


class RewardSource(Protocol):
    """Makes the rewards that a learner learns from. K terms; a source of fixed rewards has one and learns nothing.

    Attributes:
        name: in logs.
        signals: infos that the collector keeps for it, by name.
    """

    name: str
    signals: tuple[str, ...]

    @property
    def term_names(self) -> tuple[str, ...]:
        """Of the terms, in their order. The critic has a head for each."""

    def fit(self, rollout: Rollout, generator: np.random.Generator) -> None:
        """Learn from what was played, before `terms` are asked for."""

    def terms(self, rollout: Rollout) -> Mapping[str, Floats]:
        """The terms, [T, R] each. What a decision earns lies at its step and row."""

    def weights(self, rollout: Rollout) -> Floats:
        """The weight of each term, [K], or [C, K] where each copy has its own. Asked for before every pass."""

    def improve(self, result: PassResult) -> None:
        """Learn from what a pass has changed."""

    def tensors(self) -> dict[str, Tensor]:
        """All that it has learnt, by name."""

    def restore(self, stored: StoredTensors) -> None:
        """Go back to what `tensors` has given. Raises `CheckpointError` if they do not fit."""

    def figures(self) -> Mapping[str, float]:
        """For the logs, behind an iteration."""


class FixedReward:
    """A source of one term that learns nothing."""

    name: str
    signals: tuple[str, ...] = ()

    @property
    def term_names(self) -> tuple[str, ...]:
        """One, called as the source is."""
        return (self.name,)

    def reward(self, rollout: Rollout) -> Floats:
        """The reward, [T, R]."""
        raise NotImplementedError

    def fit(self, rollout: Rollout, generator: np.random.Generator) -> None:
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
    """The environment's reward as it is."""

    name = "environment"

    def reward(self, rollout: Rollout) -> Floats:
        """See `FixedReward`."""
        return rollout.rewards


class TeamShare(FixedReward):
    """The environment's reward, a share of it replaced by the mean of all agents of the copy at that step.

    Args:
        share: from 0, everyone for themselves, to 1, all alike.
    """

    name = "team_share"

    def __init__(self, share: float) -> None:
        self.share = share

    def reward(self, rollout: Rollout) -> Floats:
        """See `FixedReward`."""
        by_copy = rollout.rewards.reshape(rollout.num_steps, -1, rollout.num_agents)
        mean = by_copy.mean(axis=2, keepdims=True)
        shared: Floats = (1.0 - self.share) * by_copy + self.share * mean
        return shared.reshape(rollout.rewards.shape)
