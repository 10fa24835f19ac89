"""What a task pays."""

from crowdgym.common.jit import inlined


@inlined
def payment_at(
    finish_s: float, expected_s: float, deadline_s: float, maximum_payment: float, penalty_per_s: float
) -> float:
    """Payment ρ of a task that finishes at t_f (CAFE paper, section 3; the floor at zero is ours, design section 4)."""
    if finish_s >= deadline_s:
        return 0.0
    if finish_s <= expected_s:
        return maximum_payment
    return max(0.0, 1.0 - penalty_per_s * (finish_s - expected_s)) * maximum_payment


@inlined
def payment_less_penalty(
    finish_s: float, expected_s: float, deadline_s: float, maximum_payment: float, penalty_per_s: float
) -> float:
    """The same where the penalty ζ is currency per second, not a share of the payment (DASC; design section 6)."""
    if finish_s >= deadline_s:
        return 0.0
    if finish_s <= expected_s:
        return maximum_payment
    return max(0.0, maximum_payment - penalty_per_s * (finish_s - expected_s))
