"""The protocol of learners, and the shared part of learners with networks."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdgym.agents.learning.by_centre import begin_with
from crowdgym.agents.learning.checkpoint import StoredTensors, module_tensors
from crowdgym.agents.learning.rewards import RewardSource
from crowdgym.agents.learning.rollout import Floats, Rollout


class Learner(Protocol):
    """Learns from rollouts.

    Attributes:
        reset_options: options of the environment's ``reset`` for episodes of training and evaluation.
    """

    reset_options: Mapping[str, Any]

    @property
    def actor(self) -> nn.Module:
        """The network that plays; see `crowdgym.agents.learning.collect.Collector`."""

    def fit_scaling(self, observations: NDArray[np.float32]) -> None:
        """Set the scaling of features from observations, [M, F]. It is called once, before the first iteration."""

    def learn(
        self, rollout: Rollout, source: RewardSource, generator: np.random.Generator, progress: float
    ) -> Mapping[str, float]:
        """Improve the policy on the decisions of a rollout.

        Args:
            rollout: the episodes that were played.
            source: the reward source, fitted to the rollout: the terms of the reward and their weights.
            generator: generator of all random draws.
            progress: finished share of the run, 0 to 1, for schedules.

        Returns:
            Figures for the logs, with TensorBoard's names ("losses/value_loss").
        """

    def tensors(self) -> dict[str, Tensor]:
        """All tensors that the next iteration needs, by name."""

    def policy_tensors(self) -> dict[str, Tensor]:
        """The tensors of the policy, by name."""

    def restore(self, stored: StoredTensors) -> None:
        """Restore the result of `tensors`. Raises `CheckpointError`."""

    def start_from(self, stored: StoredTensors) -> None:
        """Load the last networks of another run; optimisers start fresh. Raises `CheckpointError`."""


class NetworkLearner:
    """The checkpoints of a learner with several networks, each with its own optimiser.

    A subclass fills ``networks`` and ``optimisers``, with the same names; ``networks["actor"]`` plays. A subclass with
    more state extends `tensors`, `restore` and `start_from`.
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
        """See `Learner`. Of weights that were packaged there is the actor only; the other networks stay as they are."""
        for name, network in self.networks.items():
            if name == "actor" or stored.under(name):
                begin_with(network, stored, name)

    def _fill_networks(self, stored: StoredTensors) -> None:
        for name, network in self.networks.items():
            stored.fill(network, name)


class ValueNormaliser:
    """Exponentially weighted mean and deviation of the critic's targets, so that it predicts numbers around 0.

    Args:
        memory: weight of the earlier values that is kept at each `update`.
        num_terms: K, the number of terms of the reward, each with its own mean and deviation.
    """

    def __init__(self, memory: float, num_terms: int = 1) -> None:
        self.memory = memory
        self.sums = np.zeros((num_terms, 3))  # of weights, values, squares

    def update(self, values: Floats) -> None:
        """Add the values of an iteration, [K, D]."""
        seen = np.array([[1.0, of_term.mean(), (of_term**2).mean()] for of_term in values])
        self.sums = self.memory * self.sums + (1.0 - self.memory) * seen

    @property
    def mean(self) -> Floats:
        """The mean of each term, [K, 1]; 0 before the first `update`."""
        weight = self.sums[:, :1]
        return np.divide(self.sums[:, 1:2], weight, out=np.zeros_like(weight), where=weight > 0)

    @property
    def deviation(self) -> Floats:
        """The deviation of each term, [K, 1]; 1 before the first `update`, and if all values are equal."""
        weight, mean = self.sums[:, :1], self.mean
        squares = np.divide(self.sums[:, 2:], weight, out=np.zeros_like(weight), where=weight > 0)
        variance = squares - mean**2
        varies = variance > 1e-12 * np.maximum(1.0, mean**2)
        return np.sqrt(variance, out=np.ones_like(variance), where=varies)
