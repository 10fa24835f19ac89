"""The outer level of CAFE against solutions that are found without its formulas."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.cafe.outer import (  # noqa: E402
    InnerLevel,
    credit_gradient,
    credit_hessian,
    credit_loss,
    revenue_gradient,
    shaped_gradient,
    solve_by_conjugate_gradients,
    solve_exactly,
)
from crowdgym.agents.cafe.refinement import refined, refined_by_group  # noqa: E402

STATES, ACTIONS, FEATURES, TERMS = 6, 3, 4, 2
PHI = torch.tensor([0.7, -0.4], dtype=torch.float64)
EXACT = solve_exactly(0.0)


def inner_level() -> tuple[InnerLevel, Any, Any]:
    """A softmax policy with linear scores; each state meets each action once. In state 0 action 2 is illegal."""
    draws = torch.Generator().manual_seed(5)
    features = torch.randn(STATES, ACTIONS, FEATURES, generator=draws, dtype=torch.float64)
    states = torch.arange(STATES).repeat_interleave(ACTIONS)
    actions = torch.arange(ACTIONS).repeat(STATES)
    masks = torch.ones(STATES * ACTIONS, ACTIONS, dtype=torch.bool)
    masks[states == 0, 2] = False
    kept = masks.gather(1, actions.unsqueeze(1)).squeeze(1)
    states, actions, masks = states[kept], actions[kept], masks[kept]

    def log_policy(theta: Any) -> Any:
        return (features[states] @ theta).masked_fill(~masks, -torch.inf).log_softmax(dim=1)

    before = 0.3 * torch.randn(FEATURES, generator=draws, dtype=torch.float64)
    reference = log_policy(before).gather(1, actions.unsqueeze(1)).squeeze(1)
    terms = torch.randn(TERMS, len(actions), generator=draws, dtype=torch.float64)
    revenue = torch.randn(len(actions), generator=draws, dtype=torch.float64)
    return InnerLevel(log_policy, masks, actions, reference, before, 0.05, 1.5), terms, revenue


def solved_anew(inner: InnerLevel, terms: Any, phi: Any) -> Any:
    """θ* of the inner level, by Newton's method on automatic derivatives."""
    theta = inner.before.clone()
    while True:
        slope, curve = (
            derivative(lambda at: inner.objective(at, phi @ terms), theta)
            for derivative in (torch.autograd.functional.jacobian, torch.autograd.functional.hessian)
        )
        step = torch.linalg.solve(curve, slope)
        theta = theta - step
        if step.abs().max() < 1e-13:
            return theta


def by_differences(outer: Any, width: float = 1e-3) -> Any:
    """dJ/dφ by central differences of the fourth order, the inner level solved anew at each."""
    found = torch.zeros(TERMS, dtype=torch.float64)
    for k in range(TERMS):
        one = torch.zeros(TERMS, dtype=torch.float64)
        one[k] = width
        near, far = outer(PHI + one) - outer(PHI - one), outer(PHI + 2 * one) - outer(PHI - 2 * one)
        found[k] = (8 * near - far) / (12 * width)
    return found


def test_the_implicit_gradient_is_that_of_the_inner_level_solved_anew() -> None:
    inner, terms, _ = inner_level()
    theta = solved_anew(inner, terms, PHI)
    found = shaped_gradient(inner, theta, terms, PHI, EXACT)
    wanted = by_differences(lambda phi: inner.surrogate(solved_anew(inner, terms, phi), phi @ terms))
    torch.testing.assert_close(found.of_phi, wanted, rtol=0, atol=1e-9)
    assert found.lowest > 0
    assert found.damping == 0


def test_the_same_for_the_revenue_as_outer_objective() -> None:
    inner, terms, revenue = inner_level()
    theta = solved_anew(inner, terms, PHI)
    found = revenue_gradient(inner, theta, terms, PHI, revenue, EXACT)
    wanted = by_differences(lambda phi: inner.surrogate(solved_anew(inner, terms, phi), revenue))
    torch.testing.assert_close(found.of_phi, wanted, rtol=0, atol=1e-9)


def test_conjugate_gradients_find_the_same() -> None:
    inner, terms, revenue = inner_level()
    theta = solved_anew(inner, terms, PHI)
    exact, found = (
        revenue_gradient(inner, theta, terms, PHI, revenue, solver) for solver in (EXACT, solve_by_conjugate_gradients)
    )
    torch.testing.assert_close(found.of_phi, exact.of_phi, rtol=0, atol=1e-11)


def test_an_indefinite_hessian_is_damped_until_it_can_be_inverted() -> None:
    """Without the proximal term, advantages of one sign make it indefinite."""
    inner, terms, _ = inner_level()
    bare = InnerLevel(inner.log_policy, inner.masks, inner.actions, inner.reference, inner.before, 0.0, 1e-9)
    found = shaped_gradient(bare, inner.before, terms.abs(), PHI.abs(), solve_exactly(1e-3))
    assert found.lowest < 0 < found.lowest + found.damping
    assert found.of_phi.isfinite().all()


def trajectories(count: int = 12) -> tuple[Any, Any]:
    draws = np.random.default_rng(3)
    return draws.normal(1.0, 0.3, (count, TERMS)), draws.normal(1.3, 0.2, count)


def test_the_derivatives_of_the_credit_loss_are_the_automatic_ones() -> None:
    sums, wanted = trajectories()

    def loss(phi: Any) -> Any:
        return ((torch.from_numpy(sums) @ phi - torch.from_numpy(wanted)) ** 2).mean()

    phi = PHI.numpy()
    assert credit_loss(phi, sums, wanted) == pytest.approx(float(loss(PHI)), abs=1e-14)
    slope = torch.autograd.functional.jacobian(loss, PHI).numpy()
    curve = torch.autograd.functional.hessian(loss, PHI).numpy()
    np.testing.assert_allclose(credit_gradient(phi, sums, wanted), slope, atol=1e-13)
    np.testing.assert_allclose(credit_hessian(sums), curve, atol=1e-13)


def test_a_credit_loss_by_hand() -> None:
    """Two trajectories with X = (1, 2) and (3, 0), wanted 4 and 1: at φ = (1, 1) errors of −1 and 2."""
    sums, wanted, phi = np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([4.0, 1.0]), np.ones(2)
    assert credit_loss(phi, sums, wanted) == 2.5
    assert credit_gradient(phi, sums, wanted).tolist() == [5.0, -2.0]
    assert credit_hessian(sums).tolist() == [[10.0, 2.0], [2.0, 4.0]]


def test_one_undamped_step_is_least_squares_and_a_second_one_moves_nothing() -> None:
    sums, wanted = trajectories()
    once = refined(PHI.numpy(), sums, wanted, damping=0.0)
    np.testing.assert_allclose(once, np.linalg.lstsq(sums, wanted, rcond=None)[0], atol=1e-12)
    assert np.abs(refined(once, sums, wanted, damping=0.0) - once).max() < 1e-12


def test_damping_keeps_phi_near_where_it_was() -> None:
    sums, wanted = trajectories()
    phi = PHI.numpy()
    exact, damped = (refined(phi, sums, wanted, damping) for damping in (0.0, 1.0))
    assert np.linalg.norm(damped - phi) < np.linalg.norm(exact - phi)
    assert credit_loss(exact, sums, wanted) < credit_loss(damped, sums, wanted) < credit_loss(phi, sums, wanted)


def test_each_group_is_refined_on_its_own_trajectories() -> None:
    sums, wanted = trajectories()
    groups = np.arange(12) % 2
    found = refined_by_group(PHI.numpy(), sums, wanted, groups, 0.1)
    for group in range(2):
        there = groups == group
        alone = refined(PHI.numpy(), sums[there], wanted[there], 0.1)
        assert (found[there] == alone).all()
