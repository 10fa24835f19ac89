"""Advantages of decisions that are unequal times apart.

The number of steps between two decisions of an agent varies, so its process is semi-Markov: rewards between the
decisions are discounted step by step, and the value of the next decision by the discount to the power of the number of
steps between them.
"""

from collections.abc import Mapping

import numpy as np

from crowdgym.agents.learning.rollout import Floats, Integers, Rollout


def generalised_advantages(
    rewards: Floats,
    rows: Integers,
    steps: Integers,
    values: Floats,
    *,
    discount: float,
    gae_lambda: float,
) -> Floats:
    """Generalised advantage estimation (Schulman et al. 2016) on decisions that are unequal times apart.

    For an agent that decides at step k and next at step m, with γ the ``discount`` of a step and λ that of a decision:

        δ_k = r_k + γ r_{k+1} + … + γ^{m−k−1} r_{m−1} + γ^{m−k} V_m − V_k
        A_k = δ_k + γ^{m−k} λ A_m

    The value after the last step is 0: the objective is the return of one episode, and observations contain the elapsed
    share of the episode.

    Args:
        rewards: [T, R] rewards of the interval after each step.
        rows: [D] the row of each decision. Decisions are in order of time.
        steps: [D] the step of each decision, 0 to T − 1.
        values: [D] the value of each decision, in the units of the rewards.
        discount: γ.
        gae_lambda: λ.

    Returns:
        Advantages, [D]. Advantages plus ``values`` are the targets of the critic.
    """
    advantages = np.zeros(len(rows))
    num_steps, num_rows = rewards.shape
    earned = np.zeros(num_rows)  # since the present step, up to the next decision, discounted
    next_step = np.full(num_rows, num_steps)
    next_value, next_advantage = np.zeros(num_rows), np.zeros(num_rows)
    first = np.searchsorted(steps, np.arange(num_steps + 1))
    for step in reversed(range(num_steps)):
        earned = rewards[step] + discount * earned
        here = slice(first[step], first[step + 1])
        who = rows[here]
        passing = discount ** (next_step[who] - step)
        surprise = earned[who] + passing * next_value[who] - values[here]
        advantages[here] = surprise + passing * gae_lambda * next_advantage[who]
        earned[who], next_step[who] = 0.0, step
        next_value[who], next_advantage[who] = values[here], advantages[here]
    return advantages


def term_advantages(
    rollout: Rollout, terms: Mapping[str, Floats], values: Floats, *, discount: float, gae_lambda: float
) -> Floats:
    """Advantages of each term of the reward, [K, D]: `generalised_advantages` is linear in rewards and values.

    Args:
        rollout: the decisions.
        terms: K terms, [T, R] each; see `crowdgym.agents.learning.rewards.RewardSource`.
        values: [K, D], values of the decisions, in the units of each term.
        discount: γ, for each step.
        gae_lambda: λ, for each decision.
    """
    return np.stack(
        [
            generalised_advantages(
                term, rollout.rows, rollout.steps, expected, discount=discount, gae_lambda=gae_lambda
            )
            for term, expected in zip(terms.values(), values, strict=True)
        ]
    )


def weighted_sum(of_terms: Floats, weights: Floats, copies: Integers) -> Floats:
    """Sum over the terms, [D].

    Args:
        of_terms: [K, D], such as advantages.
        weights: [K], or [C, K] where each copy has its own.
        copies: [D], the copy of each decision.
    """
    of_decisions = weights[copies].T if weights.ndim == 2 else weights[:, np.newaxis]  # [K, D] or [K, 1]
    total: Floats = (of_decisions * of_terms).sum(axis=0)
    return total
