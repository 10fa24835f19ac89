"""The outer level of CAFE: the weights φ of the reward's terms (paper, equations 6 to 14).

The reward of a decision is Σ_k φ_k x_k, linear in φ. So all derivatives with respect to φ are exact: L_Λ is a square,
and the advantage is A = Σ_k φ_k A_k. The inner level is the policy's last layers θ^l, [P]; its objective is

    J(θ) = E[ψ A] + c · entropy − κ/2 · ‖θ − θ_old‖²,   ψ = π_θ(a) / π_reference(a),

where the last term (Rajeswaran et al. 2019) makes the Hessian of equation 12 invertible: that of E[ψ A] alone is
indefinite. Shapes: D decisions, A actions, K terms, Λ trajectories.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.func import grad, jacrev

from crowdgym.agents.learning.rollout import Floats

_LESS: Final = 10.0  # the damping grows by this factor until the matrix has a Cholesky decomposition
_CG_STEPS: Final = 10


def credit_loss(phi: Floats, sums: Floats, wanted: Floats) -> float:
    """L_Λ, equation 6: the mean over trajectories of (φᵀX − ηR)².

    Args:
        phi: [K].
        sums: X, [Λ, K]: each term, summed over steps and agents, divided by the number of agents.
        wanted: ηR, [Λ]: the revenue, likewise.
    """
    return float(((sums @ phi - wanted) ** 2).mean())


def credit_gradient(phi: Floats, sums: Floats, wanted: Floats) -> Floats:
    """dL_Λ/dφ, [K]."""
    gradient: Floats = 2.0 * sums.T @ (sums @ phi - wanted) / len(wanted)
    return gradient


def credit_hessian(sums: Floats) -> Floats:
    """d²L_Λ/dφ², [K, K]."""
    second: Floats = 2.0 * sums.T @ sums / len(sums)
    return second


@dataclass(frozen=True)
class InnerLevel:
    """What the inner level maximises, as a function of θ^l.

    Attributes:
        log_policy: from θ^l, [P], to the logarithms of probabilities, [D, A]; −inf where an action is not legal.
        masks: [D, A].
        actions: [D].
        reference: [D], logarithm of the probability of each action under the policy that ψ refers to.
        before: θ_old, [P].
        entropy_weight: c.
        proximal_weight: κ.
    """

    log_policy: Callable[[Tensor], Tensor]
    masks: Tensor
    actions: Tensor
    reference: Tensor
    before: Tensor
    entropy_weight: float
    proximal_weight: float

    def surrogate(self, theta: Tensor, advantages: Tensor) -> Tensor:
        """E[ψ A], [...], of advantages, [..., D]."""
        taken = self.log_policy(theta).gather(1, self.actions.unsqueeze(1)).squeeze(1)
        return (advantages * (taken - self.reference).exp()).mean(dim=-1)

    def objective(self, theta: Tensor, advantages: Tensor) -> Tensor:
        """J, a number, of advantages, [D]."""
        log_policy = self.log_policy(theta)
        # exp(−inf) = 0, but 0 · (−inf) would be no number, nor would its derivatives.
        entropy = -(log_policy.exp() * log_policy.masked_fill(~self.masks, 0.0)).sum(dim=1).mean()
        distance = (theta - self.before).square().sum()
        taken = log_policy.gather(1, self.actions.unsqueeze(1)).squeeze(1)
        surrogate = (advantages * (taken - self.reference).exp()).mean()
        return surrogate + self.entropy_weight * entropy - 0.5 * self.proximal_weight * distance


@dataclass(frozen=True)
class ImplicitGradient:
    """dJ/dφ and how it was found.

    Attributes:
        of_phi: [K].
        damping: what was added to the diagonal of −∂²J/∂θ².
        lowest: smallest eigenvalue of −∂²J/∂θ² before that; nan if it was not computed.
        highest: largest one.
    """

    of_phi: Tensor
    damping: float
    lowest: float
    highest: float


def shaped_gradient(inner: InnerLevel, theta: Tensor, terms: Tensor, phi: Tensor, solver: "Solver") -> ImplicitGradient:
    """Equation 13 by the letter: dJ/dφ_k = E[A_k] − gᵀ H⁻¹ M_k, g = Σ φ_k M_k, M_k = ∂²J/∂θ∂φ_k = ∇E[ψ A_k].

    Args:
        inner: the inner level.
        theta: θ^l, [P].
        terms: A_k, [K, D].
        phi: [K].
        solver: solves with −H.
    """
    mixed = jacrev(inner.surrogate)(theta, terms)  # [K, P]
    solved = solver(inner, theta, phi @ terms, mixed)
    direct = inner.surrogate(theta, terms)
    return ImplicitGradient(direct + solved.of_terms @ (phi @ mixed), solved.damping, solved.lowest, solved.highest)


def revenue_gradient(
    inner: InnerLevel, theta: Tensor, terms: Tensor, phi: Tensor, revenue: Tensor, solver: "Solver"
) -> ImplicitGradient:
    """The same for an outer objective J_ρ that does not contain φ: dJ_ρ/dφ_k = −∇J_ρᵀ H⁻¹ M_k.

    Args:
        inner: the inner level.
        theta: θ^l, [P].
        terms: A_k, [K, D].
        phi: [K].
        revenue: advantages of the environment's reward, [D].
        solver: solves with −H.
    """
    mixed = jacrev(inner.surrogate)(theta, terms)  # [K, P]
    solved = solver(inner, theta, phi @ terms, mixed)
    slope = grad(inner.surrogate)(theta, revenue)  # [P]
    return ImplicitGradient(solved.of_terms @ slope, solved.damping, solved.lowest, solved.highest)


@dataclass(frozen=True)
class Solved:
    """(−H + δI)⁻¹ M, [K, P], and diagnostics as in `ImplicitGradient`."""

    of_terms: Tensor
    damping: float
    lowest: float
    highest: float


Solver = Callable[[InnerLevel, Tensor, Tensor, Tensor], Solved]


def solve_exactly(share: float) -> Solver:
    """Solve with a Cholesky decomposition of −H + δI; δ is ``share`` of the mean diagonal, ten times more if needed."""

    def solve(inner: InnerLevel, theta: Tensor, advantages: Tensor, mixed: Tensor) -> Solved:
        negative = -jacrev(grad(inner.objective))(theta, advantages)
        negative = (negative + negative.T) / 2.0
        eigenvalues = torch.linalg.eigvalsh(negative)
        diagonal = torch.eye(len(theta), dtype=theta.dtype)
        damping = share * float(negative.diagonal().mean().abs())
        factor, failed = torch.linalg.cholesky_ex(negative + damping * diagonal)
        while failed:
            damping = max(_LESS * damping, 1e-12)
            factor, failed = torch.linalg.cholesky_ex(negative + damping * diagonal)
        solved = torch.cholesky_solve(mixed.T, factor).T
        return Solved(solved, damping, float(eigenvalues[0]), float(eigenvalues[-1]))

    return solve


def solve_by_conjugate_gradients(inner: InnerLevel, theta: Tensor, advantages: Tensor, mixed: Tensor) -> Solved:
    """Solve with conjugate gradients, without the matrix. A direction of negative curvature ends the solution."""

    def product(vector: Tensor) -> Tensor:
        slope = grad(inner.objective)
        curved: Tensor = grad(lambda at: slope(at, advantages) @ vector)(theta)
        return -curved

    solved = torch.stack([_conjugate_gradients(product, wanted) for wanted in mixed])
    return Solved(solved, 0.0, float("nan"), float("nan"))


def _conjugate_gradients(product: Callable[[Tensor], Tensor], wanted: Tensor) -> Tensor:
    found, residual = torch.zeros_like(wanted), wanted
    direction, square = residual, residual @ residual
    enough = 1e-30 * float(square)
    for _ in range(_CG_STEPS):
        if float(square) <= enough:
            break
        curved = product(direction)
        curvature = direction @ curved
        if curvature <= 0:
            break
        step = square / curvature
        found, residual = found + step * direction, residual - step * curved
        square, last = residual @ residual, square
        direction = residual + square / last * direction
    return found
