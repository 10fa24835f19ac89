"""The surrogates and the meta-gradients of RMO (Li et al., AAAI 2025): pure functions of parameters and decisions.

θ is the target policy, θ̂ the auxiliary policy, A and Â their advantages, ψ and ψ̂ the ratios of probabilities.
``docs/rmo.md`` has the equations and what they can do. Parameters are mappings from names to tensors; D decisions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

Parameters = Mapping[str, Tensor]

MOST_LOG_RATIO = 3.0  # a decision is left out of Ĵ where |log ψ̂| is larger: θ̂ has drifted away from the data


@dataclass(frozen=True)
class Decisions:
    """Decisions of a rollout.

    Attributes:
        observations: [D, F].
        masks: [D, A].
        actions: [D].
        log_probabilities: [D] ℓ, of the actions when they were chosen.
        advantages: [D] A, of the sparse reward.
        shaped_advantages: [D] Â, of the shaped reward.
        utility: [D, 3] u_skill, u_dist and u_time of the match that followed; zeros without a match.
    """

    observations: Tensor
    masks: Tensor
    actions: Tensor
    log_probabilities: Tensor
    advantages: Tensor
    shaped_advantages: Tensor
    utility: Tensor

    def part(self, chosen: Tensor) -> "Decisions":
        """Some of the decisions, by number."""
        return Decisions(*(tensor[chosen] for tensor in vars(self).values()))

    @property
    def matched(self) -> Tensor:
        """Whether a match followed, [D]: u_time of a match is positive."""
        return self.utility[:, 2] > 0


@dataclass(frozen=True)
class Constants:
    """Constants of the meta-gradients.

    Attributes:
        inner_rate: μ_f, length of the virtual step.
        clip: ε.
        utility_weight: κ, what a unit of utility adds to the shaped advantage of a match.
    """

    inner_rate: float
    clip: float
    utility_weight: float = 1.0


@dataclass(frozen=True)
class MetaGradients:
    """The result of `meta_gradients`.

    Attributes:
        target: m_θ, by parameter.
        eta: m_η, [2]: of α and β.
        alignment: mean of |s_θ̂ · g| over the inner decisions; m_η / (μ_f · alignment) does not depend on |g|.
    """

    target: Parameters
    eta: Tensor
    alignment: Tensor


def log_probabilities(actor: nn.Module, parameters: Parameters, decisions: Decisions) -> Tensor:
    """Logarithms of π(a_i | o_i), [D]."""
    log_policy = functional_call(actor, dict(parameters), (decisions.observations, decisions.masks))  # [D, A]
    return cast(Tensor, log_policy.gather(1, decisions.actions.unsqueeze(1)).squeeze(1))


def clipped_mean(log_ratio: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """E min(ψ A, clip(ψ, 1 ± ε) A), of logarithms of ψ, [D], and A, [D]."""
    ratio = log_ratio.exp()
    return torch.minimum(ratio * advantages, ratio.clamp(1.0 - clip, 1.0 + clip) * advantages).mean()


def auxiliary_surrogate(log_auxiliary: Tensor, log_target: Tensor, shaped_advantages: Tensor, clip: float) -> Tensor:
    """Ĵ(θ̂; θ), a scalar: the clipped surrogate with ψ̂ = π_θ̂ / π_θ, the collaborative constraint.

    Args:
        log_auxiliary: log π_θ̂ of the actions, [D].
        log_target: log π_θ of the actions, [D].
        shaped_advantages: Â, [D].
        clip: ε.
    """
    log_ratio = log_auxiliary - log_target
    near = log_ratio.detach().abs() <= MOST_LOG_RATIO
    return clipped_mean(log_ratio.where(near, 0.0), shaped_advantages.where(near, 0.0), clip)


def utility_of(eta: Tensor, utility: Tensor) -> Tensor:
    """The utility u = αβ u_skill + α(1 − β) u_dist + (1 − α) u_time, [D], of η = (α, β) and the three terms, [D, 3]."""
    alpha, beta = eta[0], eta[1]
    return utility @ torch.stack([alpha * beta, alpha * (1.0 - beta), 1.0 - alpha])


def meta_gradients(
    actor: nn.Module,
    target: Parameters,
    auxiliary: Parameters,
    eta: Tensor,
    inner: Decisions,
    outer: Decisions,
    constants: Constants,
) -> MetaGradients:
    """The gradients of Ĵ_O after a virtual step on Ĵ_I, by the target policy and by the weights of the utility.

        θ̂⁺(θ, η) = θ̂ + μ_f ∇_θ̂ Ĵ_I(θ̂; θ, Â(η)),   g = ∇ Ĵ_O(θ̂⁺),   m_θ = (∂θ̂⁺/∂θ)ᵀ g,   m_η = (∂θ̂⁺/∂η)ᵀ g

    with Â_i(η) = Â_i + κ 1[matched_i] (u_i(η) − u_i). π_θ of the outer decisions is held constant.

    Args:
        actor: the architecture of both policies.
        target: θ.
        auxiliary: θ̂.
        eta: (α, β), [2].
        inner: the decisions I of the virtual step.
        outer: the decisions O that evaluate it.
        constants: see `Constants`.
    """
    with torch.no_grad():
        outer_target = log_probabilities(actor, target, outer)
        present = utility_of(eta, inner.utility)

    def inner_surrogate(of_auxiliary: Parameters, of_target: Parameters, of_eta: Tensor) -> Tensor:
        change = (utility_of(of_eta, inner.utility) - present).where(inner.matched, 0.0)
        advantages = inner.shaped_advantages + constants.utility_weight * change
        log_auxiliary, log_target = (log_probabilities(actor, each, inner) for each in (of_auxiliary, of_target))
        return auxiliary_surrogate(log_auxiliary, log_target, advantages, constants.clip)

    def stepped(of_target: Parameters, of_eta: Tensor) -> dict[str, Tensor]:
        ascent = grad(inner_surrogate)(dict(auxiliary), of_target, of_eta)
        return {name: auxiliary[name] + constants.inner_rate * ascent[name] for name in auxiliary}

    def outer_surrogate(of_auxiliary: Parameters) -> Tensor:
        log_auxiliary = log_probabilities(actor, of_auxiliary, outer)
        return auxiliary_surrogate(log_auxiliary, outer_target, outer.shaped_advantages, constants.clip)

    of_target, of_eta = grad(lambda *both: outer_surrogate(stepped(*both)), argnums=(0, 1))(dict(target), eta)
    direction = grad(outer_surrogate)(stepped(dict(target), eta))  # g
    along = scores_along(actor, auxiliary, inner, direction)
    return MetaGradients(of_target, of_eta, along.abs().mean())


def scores_along(actor: nn.Module, parameters: Parameters, decisions: Decisions, direction: Parameters) -> Tensor:
    """s_i · g, [D]: the change of log π(a_i | o_i) in a direction of the parameters.

    Of Σ v_i s_i · g, which is linear in v, the gradient by v: two passes backwards, as torch's forward mode uses
    functions that it calls deprecated.
    """

    def weighted(weights: Tensor) -> Tensor:
        scores = grad(lambda some: (weights * log_probabilities(actor, some, decisions)).sum())(dict(parameters))
        return torch.stack([(scores[name] * direction[name]).sum() for name in scores]).sum()

    return cast(Tensor, grad(weighted)(torch.ones_like(decisions.shaped_advantages)))


def shaped_gradient(actor: nn.Module, target: Parameters, decisions: Decisions, constants: Constants) -> Parameters:
    """The gradient, at θ, of the surrogate with the shaped advantages (`transfer: mix`)."""

    def surrogate(parameters: Parameters) -> Tensor:
        log_ratio = log_probabilities(actor, parameters, decisions) - decisions.log_probabilities
        return clipped_mean(log_ratio, decisions.shaped_advantages, constants.clip)

    found: Parameters = grad(surrogate)(dict(target))
    return found


def lookahead_gradient(
    actor: nn.Module, target: Parameters, inner: Decisions, outer: Decisions, constants: Constants
) -> Parameters:
    """(I + μ_f ∇²Ĵ_I)ᵀ ∇J_O(θ⁺) with θ⁺ = θ + μ_f ∇Ĵ_I(θ): the sparse gradient after a shaped step (`lookahead`)."""

    def sparse_after_step(parameters: Parameters) -> Tensor:
        ascent = shaped_gradient(actor, parameters, inner, constants)
        stepped = {name: parameters[name] + constants.inner_rate * ascent[name] for name in parameters}
        log_ratio = log_probabilities(actor, stepped, outer) - outer.log_probabilities
        return clipped_mean(log_ratio, outer.advantages, constants.clip)

    found: Parameters = grad(sparse_after_step)(dict(target))
    return found


def length(gradient: Parameters) -> Tensor:
    """The Euclidean length of a gradient."""
    return torch.stack([tensor.square().sum() for tensor in gradient.values()]).sum().sqrt()


def cosine(one: Parameters, other: Parameters) -> Tensor:
    """The cosine of the angle between two gradients; 0 if one of them is 0."""
    product = torch.stack([(one[name] * other[name]).sum() for name in one]).sum()
    lengths = length(one) * length(other)
    return torch.where(lengths > 0, product / lengths, torch.zeros_like(lengths))
