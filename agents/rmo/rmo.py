"""Recommend and match optimisation (Li et al., AAAI 2025): PPO with an auxiliary policy, and weights of the utility.

The target policy θ climbs the surrogate of the sparse reward, the auxiliary policy θ̂ that of the shaped reward, and
`crowdgym.agents.rmo.meta` connects them. Settings choose the variant; ``docs/rmo.md`` lists them.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from crowdgym.agents.ippo.ippo import Batch, IppoLearner, Means, normal, policy_loss
from crowdgym.agents.learning.advantages import term_advantages
from crowdgym.agents.learning.checkpoint import StoredTensors, module_tensors
from crowdgym.agents.learning.networks import Actor, scaling_of
from crowdgym.agents.learning.rewards import RewardSource
from crowdgym.agents.learning.rollout import Floats, Rollout
from crowdgym.agents.rmo.meta import (
    Constants,
    Decisions,
    MetaGradients,
    Parameters,
    auxiliary_surrogate,
    cosine,
    length,
    log_probabilities,
    lookahead_gradient,
    meta_gradients,
    shaped_gradient,
)
from crowdgym.common.layout import ObservationSet
from crowdgym.configs.rmo import RmoSettings


def eta_options(eta: Tensor) -> dict[str, Any]:
    """η = (α, β), [2], as an option of the environment's ``reset``."""
    return {"utility": tuple(eta.tolist())}


@dataclass(frozen=True)
class Minibatch:
    """The same decisions, for the losses of PPO and for the meta-gradients."""

    batch: Batch
    decisions: Decisions

    def part(self, chosen: Tensor) -> "Minibatch":
        """Some of the decisions, by number."""
        return Minibatch(self.batch.part(chosen), self.decisions.part(chosen))

    def halves(self) -> tuple[Decisions, Decisions]:
        """I and O: the decisions at even and at odd places."""
        numbers = torch.arange(len(self.batch.actions), device=self.batch.actions.device)
        return self.decisions.part(numbers[::2]), self.decisions.part(numbers[1::2])


class RmoLearner(IppoLearner):
    """The target policy (``networks["actor"]``), the auxiliary policy, a critic with a head for each reward, and η.

    The auxiliary policy begins as a copy of the target policy. It is trained only if something depends on it.

    Args:
        sets: the sets of an observation.
        num_actions: A.
        settings: hyperparameters.
        seed: seed of the networks' initial weights.
        device: device of the networks.
    """

    settings: RmoSettings

    def __init__(
        self, sets: Sequence[ObservationSet], num_actions: int, settings: RmoSettings, seed: int, device: str = "cpu"
    ) -> None:
        super().__init__(sets, num_actions, settings, seed, num_terms=2, device=device)
        auxiliary = cast(Actor, copy.deepcopy(self.actor))
        self.networks["auxiliary"] = auxiliary
        self.optimisers["auxiliary"] = torch.optim.Adam(
            auxiliary.parameters(), settings.learning_rate, eps=settings.adam_epsilon
        )
        self.constants = Constants(settings.inner_rate, settings.clip, settings.utility_weight)
        self.iteration = 0
        self.set_eta(torch.tensor([settings.alpha, settings.beta], dtype=torch.float64))

    def set_eta(self, eta: Tensor) -> None:
        """Set the weights of the utility, [2], for the episodes to come; values outside 0 to 1 are clipped."""
        self.eta = eta.clamp(0.0, 1.0)
        self.reset_options = eta_options(self.eta)

    def learn(
        self, rollout: Rollout, source: RewardSource, generator: np.random.Generator, progress: float
    ) -> Mapping[str, float]:
        """See `crowdgym.agents.learning.learner.Learner`."""
        settings = self.settings
        values = self.values(rollout.observations)  # [2, D]
        advantages = term_advantages(
            rollout, source.terms(rollout), values, discount=settings.discount, gae_lambda=settings.gae_lambda
        )
        returns = advantages + values
        self.normaliser.update(returns)
        batch = self._batch(rollout, (returns - self.normaliser.mean) / self.normaliser.deviation)
        whole = Minibatch(batch, self._decisions(batch, rollout, advantages))
        learning_rate = self.set_learning_rate(progress)
        if settings.transfer == "lookahead":
            self.networks["auxiliary"].load_state_dict(self.actor.state_dict())
        losses, eta_steps = Means(), [torch.zeros_like(self.eta)]
        for _ in range(settings.epochs):
            count = len(batch.actions)
            for chosen in np.array_split(generator.permutation(count), max(1, round(count / settings.minibatch_size))):
                losses.add(self._improve_all(whole.part(torch.from_numpy(chosen).to(self.device)), eta_steps))
        figures = {"alpha": float(self.eta[0]), "beta": float(self.eta[1])}  # of the episodes that were played
        if settings.eta == "meta":
            self.set_eta(self.eta + settings.eta_rate * torch.stack(eta_steps[1:]).mean(dim=0))
        self.iteration += 1
        return {**losses.figures(), **figures, "charts/learning_rate": learning_rate}

    def tensors(self) -> dict[str, Tensor]:
        """Networks, optimisers, the value normaliser, η, and the number of finished iterations, for ξ."""
        return super().tensors() | {"eta": self.eta, "iteration": torch.tensor(self.iteration)}

    def policy_tensors(self) -> dict[str, Tensor]:
        """The target policy and η."""
        return module_tensors("actor", self.actor) | {"eta": self.eta}

    def restore(self, stored: StoredTensors) -> None:
        """See `IppoLearner`."""
        super().restore(stored)
        self.iteration = int(stored.get("iteration"))
        self.set_eta(stored.get("eta"))

    def start_from(self, stored: StoredTensors) -> None:
        """The actor of another run, of any learner; the auxiliary policy is its copy, and the critics start fresh."""
        stored.fill(self.actor, "actor")
        self.networks["auxiliary"].load_state_dict(self.actor.state_dict())
        scaling_of(self.networks["critic"]).load_state_dict(scaling_of(self.actor).state_dict())

    def _decisions(self, batch: Batch, rollout: Rollout, advantages: Floats) -> Decisions:
        sparse, shaped = (torch.from_numpy(normal(each)).float().to(self.device) for each in advantages)
        if self.settings.target_reward == "shaped":
            sparse = shaped
        utility = torch.from_numpy(rollout.after_step("match_utility")[rollout.steps, rollout.rows])
        return Decisions(
            batch.observations,
            batch.masks,
            batch.actions,
            batch.log_probabilities,
            sparse,
            shaped,
            utility.float().to(self.device),
        )

    def _improve_all(self, mini: Minibatch, eta_steps: list[Tensor]) -> Mapping[str, float]:
        """A step of every network on a minibatch: critics, meta-gradients at the present θ̂ and θ, θ̂, θ."""
        settings, batch, decisions = self.settings, mini.batch, mini.decisions
        value_loss = 0.5 * (self.networks["critic"](batch.observations) - batch.returns).square().mean()
        self.descend("critic", value_loss)
        weight = settings.transfer_weight * settings.transfer_decay**self.iteration
        found = self._meta(mini) if self._needs_meta(weight) else None
        if found is not None and settings.eta == "meta":
            scale = settings.inner_rate * found.alignment.clamp_min(1e-12)
            eta_steps.append((found.eta / scale).double().cpu())
        added = self._transfer(mini, found) if weight > 0 else None
        if self._needs_meta(weight):
            self._improve_auxiliary(decisions)
        policy = policy_loss(self.actor, batch, decisions.advantages, settings.clip)
        loss = policy.surrogate - settings.entropy_coefficient * policy.entropy
        figures = self._descend_target(policy.surrogate, loss, added, weight)
        return figures | {
            "losses/policy_loss": policy.surrogate.item(),
            "losses/value_loss": value_loss.item(),
            "losses/entropy": policy.entropy.item(),
            "losses/approx_kl": policy.approx_kl.item(),
            "losses/clipfrac": policy.clipfrac.item(),
        }

    def _needs_meta(self, weight: float) -> bool:
        return self.settings.eta == "meta" or (self.settings.transfer == "meta" and weight > 0)

    def _meta(self, mini: Minibatch) -> MetaGradients:
        target, auxiliary = _parameters(self.actor), _parameters(self.networks["auxiliary"])
        return meta_gradients(
            self.actor, target, auxiliary, self.eta.float().to(self.device), *mini.halves(), self.constants
        )

    def _transfer(self, mini: Minibatch, found: MetaGradients | None) -> Parameters:
        """What is added to the gradient of the target policy, before it is scaled."""
        target = _parameters(self.actor)
        if self.settings.transfer == "mix":
            return shaped_gradient(self.actor, target, mini.decisions, self.constants)
        if self.settings.transfer == "lookahead":
            return lookahead_gradient(self.actor, target, *mini.halves(), self.constants)
        assert found is not None  # the meta-gradient is needed if it has a weight
        sign = -1.0 if self.settings.meta_sign == "poster" else 1.0
        return {name: sign * tensor for name, tensor in found.target.items()}

    def _improve_auxiliary(self, decisions: Decisions) -> None:
        auxiliary = self.networks["auxiliary"]
        log_policy = auxiliary(decisions.observations, decisions.masks)  # [D, A]
        taken = log_policy.gather(1, decisions.actions.unsqueeze(1)).squeeze(1)
        with torch.no_grad():
            log_target = log_probabilities(self.actor, _parameters(self.actor), decisions)
        climbs = auxiliary_surrogate(taken, log_target, decisions.shaped_advantages, self.settings.clip)
        entropy = -(log_policy.exp() * log_policy.masked_fill(~decisions.masks, 0.0)).sum(dim=1).mean()
        self.descend("auxiliary", -climbs - self.settings.entropy_coefficient * entropy)

    def _descend_target(
        self, surrogate: Tensor, loss: Tensor, added: Parameters | None, weight: float
    ) -> dict[str, float]:
        """A step of the target policy on ∇J + ξ m̃; returns what is logged about m̃."""
        if added is None:
            self.descend("actor", loss)
            return {"meta_ratio": 0.0, "meta_cosine": 0.0}
        parameters = dict(self.actor.named_parameters())
        names, tensors = list(parameters), list(parameters.values())
        plain = torch.autograd.grad(surrogate, tensors, retain_graph=True)
        ascent = {name: -tensor for name, tensor in zip(names, plain, strict=True)}  # ∇J: the surrogate is a loss
        ratio = length(added) / length(ascent).clamp_min(1e-12)
        scale = weight / ratio.clamp_min(1e-12) if self.settings.meta_scale == "matched" else weight
        self.descend("actor", loss - scale * _inner_product(parameters, added))
        return {"meta_ratio": ratio.item(), "meta_cosine": cosine(added, ascent).item()}


def _parameters(network: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in network.named_parameters()}


def _inner_product(parameters: Mapping[str, Tensor], direction: Parameters) -> Tensor:
    """A term whose gradient by the parameters is the direction."""
    return torch.stack([(parameters[name] * direction[name]).sum() for name in parameters]).sum()
