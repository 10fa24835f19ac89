"""Semi-Markov advantages against numbers worked out by hand."""

import numpy as np
import pytest

from crowdgym.agents.learning.advantages import generalised_advantages, weighted_sum

HALF = 0.5  # a discount that one can reckon with


def advantages(rewards, rows, steps, values, discount=HALF, gae_lambda=1.0):
    return generalised_advantages(
        np.array(rewards, float),
        np.array(rows, np.int64),
        np.array(steps, np.int64),
        np.array(values, float),
        discount=discount,
        gae_lambda=gae_lambda,
    )


def test_an_agent_that_decides_at_every_step_has_the_usual_advantages() -> None:
    """δ_1 = 4 − 2 = 2;  δ_0 = 1 + ½·2 − 1 = 1;  A_0 = 1 + ½·½·2 = 1.5 with λ = ½."""
    assert advantages([[1], [4]], [0, 0], [0, 1], [1, 2], gae_lambda=0.5).tolist() == [1.5, 2.0]


def test_what_is_earned_on_the_way_is_discounted_by_the_steps_that_have_passed() -> None:
    """Decides at 0 and at 3.  δ_3 = 16 − 8 = 8;  δ_0 = 0 + ½·8 + ¼·4 + ⅛·8 − 2 = 4;  A_0 = 4 + ⅛·8 = 5."""
    assert advantages([[0], [8], [4], [16]], [0, 0], [0, 3], [2, 8]).tolist() == [5.0, 8.0]


def test_lambda_counts_decisions_and_not_steps() -> None:
    """As before with λ = ½: A_0 = 4 + ⅛·½·8 = 4.5."""
    assert advantages([[0], [8], [4], [16]], [0, 0], [0, 3], [2, 8], gae_lambda=0.5).tolist() == [4.5, 8.0]


def test_behind_the_last_step_nothing_is_worth_anything() -> None:
    """One decision, at step 1 of 3:  2 + ½·4 − 3 = 1. What was earned before it is no merit of it."""
    assert advantages([[100], [2], [4]], [0], [1], [3]).tolist() == [1.0]


def test_agents_are_apart() -> None:
    """Row 1 decides between the decisions of row 0 and earns other rewards."""
    alone = advantages([[0], [8], [4], [16]], [0, 0], [0, 3], [2, 8])
    both = advantages([[0, 7], [8, 1], [4, 3], [16, 5]], [0, 1, 0], [0, 2, 3], [2, 9, 8])
    assert both.tolist() == [alone[0], 3 + 0.5 * 5 - 9, alone[1]]


def test_with_lambda_1_advantages_are_returns_less_values() -> None:
    """Whatever the values: the return of a decision is all that follows it, discounted step by step."""
    generator = np.random.default_rng(5)
    rewards = generator.normal(size=(30, 4))
    decides = generator.random((30, 4)) < 0.3
    steps, rows = np.nonzero(decides)
    values = generator.normal(size=len(rows))
    found = advantages(rewards, rows, steps, values, discount=0.9)
    returns = [sum(0.9 ** (t - k) * rewards[t, row] for t in range(k, 30)) for k, row in zip(steps, rows, strict=True)]
    np.testing.assert_allclose(found + values, returns, rtol=0, atol=1e-12)


def test_advantages_of_terms_add_up_to_those_of_the_weighted_reward() -> None:
    """A is linear: 2·A(r, v) − 3·A(s, w) = A(2r − 3s, 2v − 3w)."""
    generator = np.random.default_rng(6)
    steps, rows = np.nonzero(generator.random((20, 3)) < 0.4)
    (r, s), (v, w) = generator.normal(size=(2, 20, 3)), generator.normal(size=(2, len(rows)))
    apart = np.stack([advantages(r, rows, steps, v, 0.9, 0.8), advantages(s, rows, steps, w, 0.9, 0.8)])
    together = advantages(2 * r - 3 * s, rows, steps, 2 * v - 3 * w, 0.9, 0.8)
    summed = weighted_sum(apart, np.array([2.0, -3.0]), copies=rows)
    np.testing.assert_allclose(summed, together, rtol=0, atol=1e-12)


def test_each_copy_may_have_weights_of_its_own() -> None:
    """Decisions of copies 0, 1, 0; weights (1, 0) and (0, 2)."""
    of_terms = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    weights = np.array([[1.0, 0.0], [0.0, 2.0]])
    assert weighted_sum(of_terms, weights, np.array([0, 1, 0])).tolist() == [1.0, 40.0, 3.0]


@pytest.mark.parametrize("discount", [0.0, 1.0])
def test_either_end_of_the_discount(discount: float) -> None:
    found = advantages([[1], [2], [3]], [0], [0], [0], discount=discount)
    assert found.tolist() == ([1.0] if discount == 0.0 else [6.0])
