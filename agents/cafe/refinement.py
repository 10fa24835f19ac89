"""Swift parameter refinement (CAFE paper, section 4.5): one Newton step on L_Λ, for each group of trajectories."""

import numpy as np

from crowdgym.agents.cafe.outer import credit_gradient, credit_hessian
from crowdgym.agents.learning.rollout import Floats, Integers


def refined(phi: Floats, sums: Floats, wanted: Floats, damping: float) -> Floats:
    """φ* = φ̂ − (∇²L_Λ + δI)⁻¹ ∇L_Λ, [K], equation 19. L_Λ is a square, so δ = 0 gives its least squares solution.

    Args:
        phi: φ̂, [K].
        sums: X, [Λ, K]; see `crowdgym.agents.cafe.outer.credit_loss`.
        wanted: ηR, [Λ].
        damping: δ, as a share of the mean diagonal of ∇²L_Λ. Few trajectories are nearly collinear.
    """
    second = credit_hessian(sums)
    damped = second + damping * np.trace(second) / len(phi) * np.eye(len(phi))
    step: Floats = np.linalg.lstsq(damped, credit_gradient(phi, sums, wanted), rcond=None)[0]
    return phi - step


def refined_by_group(phi: Floats, sums: Floats, wanted: Floats, groups: Integers, damping: float) -> Floats:
    """`refined` for each group of trajectories, [Λ, K]: the row of each trajectory is that of its group.

    The paper refines for "trajectory-specific patterns". Here a group has one number of workers and one of tasks.

    Args:
        phi: φ̂, [K].
        sums: X, [Λ, K].
        wanted: ηR, [Λ].
        groups: the group of each trajectory, [Λ].
        damping: see `refined`.
    """
    found = np.empty(sums.shape)
    for group in np.unique(groups):
        there = groups == group
        found[there] = refined(phi, sums[there], wanted[there], damping)
    return found
