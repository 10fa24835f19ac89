"""What agents decided in an iteration, and what came of it.

Agents decide at moments of their own: an agent that travels or works has one legal action, and nothing to decide. A
decision is followed by however many steps until the agent's next one, so the process of an agent is semi-Markov: what
it earns in between is discounted step by step, and the value of its next decision by the discount to the power of the
steps that have passed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rollout:
    """One episode of every copy. D decisions, in the order of time; T steps; R rows, one for each agent of each copy.

    Attributes:
        observations: float32 [D, F], of the deciding agents.
        masks: bool [D, A], their legal actions.
        actions: int64 [D].
        log_probabilities: float32 [D], of the actions when they were chosen.
        rows: int64 [D], who decided.
        steps: int64 [D], when.
        rewards: float64 [T, R], of everyone.
        metrics: of every copy at its end, by name.
        environment_s: seconds spent in the environment.
    """

    observations: NDArray[np.float32]
    masks: NDArray[np.bool_]
    actions: NDArray[np.int64]
    log_probabilities: NDArray[np.float32]
    rows: NDArray[np.int64]
    steps: NDArray[np.int64]
    rewards: Floats
    metrics: Mapping[str, NDArray[Any]]
    environment_s: float


def generalised_advantages(
    rewards: Floats,
    rows: NDArray[np.int64],
    steps: NDArray[np.int64],
    values: Floats,
    *,
    discount: float,
    gae_lambda: float,
) -> Floats:
    """Generalised advantage estimation (Schulman et al. 2016) on decisions that lie unequal times apart.

    For an agent that decides at step k and next at step m, with γ the ``discount`` of a step and λ that of a decision:

        δ_k = r_k + γ r_{k+1} + … + γ^{m−k−1} r_{m−1} + γ^{m−k} V_m − V_k
        A_k = δ_k + γ^{m−k} λ A_m

    After the last step there is nothing: the value there is 0, because what is counted is what an episode earns, and
    observations say how much of it is over.

    Args:
        rewards: [T, R] of the interval behind each step.
        rows: [D] who decided; ``steps`` and ``values`` alike. In the order of time.
        steps: [D] when, 0 to T − 1.
        values: [D] in the units of the rewards.
        discount: γ.
        gae_lambda: λ.

    Returns:
        Advantages, [D]. Those plus ``values`` are what values should have been.
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


def shared_rewards(rewards: Floats, num_agents: int, team_share: float) -> Floats:
    """Replace a share of every reward, [T, R], by the mean of all agents of the copy at that step."""
    if team_share == 0.0:
        return rewards
    by_copy = rewards.reshape(len(rewards), -1, num_agents)
    mean = by_copy.mean(axis=2, keepdims=True)
    shared: Floats = (1.0 - team_share) * by_copy + team_share * mean
    return shared.reshape(rewards.shape)
