"""The episodes of an iteration: the decisions, the joint actions, the rewards, and the requested infos.

Copies may have different numbers of agents, if a run mixes settings of the environment.

Agents decide at different times: an agent that travels or works has one legal action, and no decision. Only agents with
several legal actions are among the decisions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Rollout:
    """One episode of every copy. D decisions, in the order of time; T steps; C copies; R rows, one for each agent.

    The rows of copy 0 come first, in the order of its agents, then those of copy 1, and so on.

    Attributes:
        observations: float32 [D, F], of the deciding agents.
        masks: bool [D, A], their legal actions.
        actions: int64 [D].
        log_probabilities: float32 [D], of the actions when they were chosen.
        rows: int64 [D], the row of each decision.
        steps: int64 [D], the step of each decision.
        rewards: float64 [T, R], of all agents; ``rewards[t]`` are those of step t.
        joint_actions: int64 [T, R], of all agents, those without a choice included.
        num_agents: int64 [C], of each copy.
        metrics: by name, the final metrics of every copy, [C] each.
        environment_s: seconds spent in the environment.
        signals: infos by name, [T + 1, R, ...]; index t is the info before step t, T the info after the last step.
        options: the options of ``reset``.
        decision_infos: by name, what was known at each decision besides the observation, [D, ...]. If agents choose in
            turn: ``candidates``, ``alone``, ``together`` and ``gain``, [D, K], see `crowdgym.agents.csc.turn_taking`,
            and ``turn``, [D], which choice of its copy and step it was.
        groups: int64 [C], which of the mixed settings each copy plays; all 0 without a mix.
    """

    observations: NDArray[np.float32]
    masks: NDArray[np.bool_]
    actions: Integers
    log_probabilities: NDArray[np.float32]
    rows: Integers
    steps: Integers
    rewards: Floats
    joint_actions: Integers
    num_agents: Integers
    metrics: Mapping[str, NDArray[Any]]
    environment_s: float
    signals: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    decision_infos: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    groups: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def num_steps(self) -> int:
        """T."""
        return len(self.rewards)

    @property
    def num_copies(self) -> int:
        """C."""
        return len(self.num_agents)

    @property
    def copy_of_rows(self) -> Integers:
        """The copy of each row, [R]."""
        return np.repeat(np.arange(self.num_copies), self.num_agents)

    @property
    def copies(self) -> Integers:
        """The copy of each decision, [D]."""
        copies: Integers = self.copy_of_rows[self.rows]
        return copies

    def at_decisions(self, info: str) -> NDArray[Any]:
        """An info of each decision, [D, ...]: from ``decision_infos``, or else from ``signals``."""
        if info in self.decision_infos:
            return self.decision_infos[info]
        found: NDArray[Any] = self.signals[info][self.steps, self.rows]
        return found

    def at_steps(self, values: Floats) -> Floats:
        """Values of decisions, [D], at their steps and rows, [T, R]; 0 elsewhere."""
        found = np.zeros(self.rewards.shape)
        found[self.steps, self.rows] = values
        return found

    def before_step(self, signal: str) -> NDArray[Any]:
        """An info before each step, such as ids of candidates: [T, R, ...]."""
        return self.signals[signal][:-1]

    def after_step(self, signal: str) -> NDArray[Any]:
        """An info after each step, such as parts of a reward: [T, R, ...]."""
        return self.signals[signal][1:]


def join(rollouts: Sequence[Rollout]) -> Rollout:
    """Join rollouts of different copies, as if all copies had been played at once.

    Their episodes must have the same length, signals and options.
    """
    offsets = np.cumsum([0, *(part.rewards.shape[1] for part in rollouts[:-1])])
    steps = np.concatenate([part.steps for part in rollouts])
    order = np.argsort(steps, kind="stable")  # within a step, the order of the rows

    def decisions(name: str) -> NDArray[Any]:
        found: NDArray[Any] = np.concatenate([getattr(part, name) for part in rollouts])[order]
        return found

    first = rollouts[0]
    rows = np.concatenate([part.rows + offset for part, offset in zip(rollouts, offsets, strict=True)])
    return Rollout(
        observations=decisions("observations"),
        masks=decisions("masks"),
        actions=decisions("actions"),
        log_probabilities=decisions("log_probabilities"),
        rows=rows[order],
        steps=steps[order],
        rewards=np.concatenate([part.rewards for part in rollouts], axis=1),
        joint_actions=np.concatenate([part.joint_actions for part in rollouts], axis=1),
        num_agents=np.concatenate([part.num_agents for part in rollouts]),
        metrics={name: np.concatenate([part.metrics[name] for part in rollouts]) for name in first.metrics},
        environment_s=sum(part.environment_s for part in rollouts),
        signals={name: np.concatenate([part.signals[name] for part in rollouts], axis=1) for name in first.signals},
        options=first.options,
        decision_infos={
            name: np.concatenate([part.decision_infos[name] for part in rollouts])[order]
            for name in first.decision_infos
        },
        groups=np.concatenate([part.groups for part in rollouts]),
    )
