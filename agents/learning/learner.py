"""What improves a policy: the protocol of learners, and what those with networks share."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdgym.agents.learning.checkpoint import StoredTensors, module_tensors
from crowdgym.agents.learning.rewards import RewardSource
from crowdgym.agents.learning.rollout import Floats, Rollout


class Learner(Protocol):
    """Learns from rollouts.

    Attributes:
        reset_options: passed on to the environment's ``reset`` when episodes are played, in training and evaluation.
    """

    reset_options: Mapping[str, Any]

    @property
    def actor(self) -> nn.Module:
        """The network that plays; see `crowdgym.agents.learning.collect.Collector`."""

    def fit_scaling(self, observations: NDArray[np.float32]) -> None:
        """Fix how features are scaled, from observations, [M, F]; once, before the first iteration."""

    def learn(
        self, rollout: Rollout, source: RewardSource, generator: np.random.Generator, progress: float
    ) -> Mapping[str, float]:
        """Improve the policy on what was decided.

        Args:
            rollout: what was played.
            source: has been fitted to it; gives the terms of the reward and their weights.
            generator: for everything that is random.
            progress: share of the run that is over, 0 to 1, for schedules.

        Returns:
            Figures for the logs, named as TensorBoard has them ("losses/value_loss").
        """

    def tensors(self) -> dict[str, Tensor]:
        """Everything that the next iteration needs, by name."""

    def policy_tensors(self) -> dict[str, Tensor]:
        """What playing needs, by name."""

    def restore(self, stored: StoredTensors) -> None:
        """Go back to what `tensors` has given. Raises `CheckpointError`."""

    def start_from(self, stored: StoredTensors) -> None:
        """Take over the networks that another run ended with; optimisers begin anew. Raises `CheckpointError`."""


class NetworkLearner:
    """The checkpoints of a learner whose state is networks, each with an optimiser of its own.

    A child fills ``networks`` and ``optimisers``, by the same names; ``networks["actor"]`` plays. A child with more
    state extends `tensors`, `restore` and `start_from`.
    """

    networks: dict[str, nn.Module]
    optimisers: dict[str, torch.optim.Optimizer]
    reset_options: Mapping[str, Any]

    def __init__(self) -> None:
        self.networks, self.optimisers, self.reset_options = {}, {}, {}

    @property
    def actor(self) -> nn.Module:
        """The network that plays."""
        return self.networks["actor"]

    def policy_tensors(self) -> dict[str, Tensor]:
        """See `Learner`."""
        return module_tensors("actor", self.actor)

    def tensors(self) -> dict[str, Tensor]:
        """See `Learner`."""
        tensors: dict[str, Tensor] = {}
        for name, network in self.networks.items():
            tensors |= module_tensors(name, network)
            state = self.optimisers[name].state
            for of_parameter, parameter in network.named_parameters():
                for moment, tensor in state.get(parameter, {}).items():
                    tensors[f"optimiser.{moment}.{name}.{of_parameter}"] = tensor
        return tensors

    def restore(self, stored: StoredTensors) -> None:
        """See `Learner`."""
        self._fill_networks(stored)
        moments = stored.under("optimiser")
        for name, network in self.networks.items():
            state = self.optimisers[name].state
            for of_parameter, parameter in network.named_parameters():
                end = f".{name}.{of_parameter}"
                state[parameter] = {
                    key.removesuffix(end): moment.to(parameter.device if moment.dim() else "cpu")
                    for key, moment in moments.items()
                    if key.endswith(end)
                }

    def start_from(self, stored: StoredTensors) -> None:
        """See `Learner`."""
        self._fill_networks(stored)

    def _fill_networks(self, stored: StoredTensors) -> None:
        for name, network in self.networks.items():
            stored.fill(network, name)


class ValueNormaliser:
    """Mean and deviation of what a critic has to predict, forgotten slowly, so that it predicts numbers around 0.

    Args:
        memory: share of what was known that is kept at each `update`.
        num_terms: K, terms of the reward, each with a mean and a deviation of its own.
    """

    def __init__(self, memory: float, num_terms: int = 1) -> None:
        self.memory = memory
        self.sums = np.zeros((num_terms, 3))  # of weights, values, squares

    def update(self, values: Floats) -> None:
        """Take in the values of an iteration, [K, D]."""
        seen = np.array([[1.0, of_term.mean(), (of_term**2).mean()] for of_term in values])
        self.sums = self.memory * self.sums + (1.0 - self.memory) * seen

    @property
    def mean(self) -> Floats:
        """Of each term, [K, 1]; 0 before the first `update`."""
        weight = self.sums[:, :1]
        return np.divide(self.sums[:, 1:2], weight, out=np.zeros_like(weight), where=weight > 0)

    @property
    def deviation(self) -> Floats:
        """Of each term, [K, 1]; 1 before the first `update`, and where all values are alike."""
        weight, mean = self.sums[:, :1], self.mean
        squares = np.divide(self.sums[:, 2:], weight, out=np.zeros_like(weight), where=weight > 0)
        variance = squares - mean**2
        varies = variance > 1e-12 * np.maximum(1.0, mean**2)
        return np.sqrt(variance, out=np.ones_like(variance), where=varies)
