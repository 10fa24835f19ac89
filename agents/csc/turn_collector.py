"""Plays the episodes of an iteration of ``csc_v0`` in turn; see `crowdgym.agents.csc.turn_taking`."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.csc.turn_taking import Asked, TurnTaking, takes_turns
from crowdgym.agents.learning.collect import EpisodeRecord, LocalCollector, VectorEnvironment, choose
from crowdgym.agents.learning.rollout import Integers, Rollout
from crowdgym.agents.learning.row_network import LogPolicy
from crowdgym.agents.policy import Episode
from crowdgym.configs.learning import RolloutSettings


def collector_of(env: VectorEnvironment, settings: RolloutSettings) -> LocalCollector:
    """The collector that plays by the settings: in turn, or all agents at once."""
    return TurnCollector(env, settings) if takes_turns(settings) else LocalCollector(env)


class TurnCollector(LocalCollector):
    """A collector whose agents are asked by `TurnTaking`. One call of the network serves the k-th agents of all copies.

    Args:
        env: the copies of ``csc_v0``.
        settings: of the learner.
    """

    def __init__(self, env: VectorEnvironment, settings: RolloutSettings) -> None:
        super().__init__(env)
        self.settings = settings

    def episode(self) -> Episode:
        """What a policy may know of an episode of any copy. `TurnTaking` draws nothing, so the seed is any."""
        return Episode(
            seed=0,
            agents=tuple(f"worker_{w}" for w in range(self.env.batch_shape[1])),
            observation_space=self.env.single_observation_space,
            action_space=self.env.single_action_space,
            metadata=self.env.metadata,
            state=lambda: np.zeros(0),
        )

    def _begin(self) -> None:
        self._takings = [TurnTaking(self.episode(), self.settings) for _ in range(self.env.batch_shape[0])]

    def _act(
        self,
        policy: LogPolicy,
        observations: NDArray[np.float32],
        infos: Mapping[str, Any],
        draws: Sequence[np.random.Generator] | None,
        record: EpisodeRecord,
    ) -> Integers:
        record.keep_signals(infos)
        shape = self.env.batch_shape
        seen, candidates = observations.reshape(*shape, -1), infos["candidates"].reshape(*shape, -1)
        for copy, taking in enumerate(self._takings):
            taking.begin(seen[copy], candidates[copy].astype(np.int64))
        found: list[dict[str, NDArray[Any]]] = []
        while asked := {copy: now for copy, taking in enumerate(self._takings) if (now := taking.ask()) is not None}:
            found.append(self._answered(policy, asked, draws) | {"turn": np.full(_count(asked), len(found))})
        if found:
            decided = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
            by_row = np.argsort(decided["rows"], kind="stable")
            record.add(**{name: values[by_row] for name, values in decided.items()})
        joint = np.concatenate([taking.actions for taking in self._takings])
        record.joint_actions.append(joint)
        return joint

    def _answered(
        self, policy: LogPolicy, asked: Mapping[int, Asked], draws: Sequence[np.random.Generator] | None
    ) -> dict[str, NDArray[Any]]:
        """Let the network answer for one worker of each copy, or for all; returns the decisions by name."""
        names = [each.name for each in fields(Asked)]
        together = {name: np.concatenate([getattr(each, name) for each in asked.values()]) for name in names}
        lots = None if draws is None else [draws[copy].gumbel(size=each.masks.shape) for copy, each in asked.items()]
        noise = None if lots is None else np.concatenate(lots)
        actions, log_probabilities = choose(policy, together["observations"], together["masks"], noise)
        counts = [len(each.workers) for each in asked.values()]
        for copy, answers in zip(asked, np.split(actions, np.cumsum(counts)[:-1]), strict=True):
            self._takings[copy].answer(answers)
        rows = np.repeat(list(asked), counts) * self.env.batch_shape[1] + together.pop("workers")
        return {"rows": rows, "actions": actions, "log_probabilities": log_probabilities, **together}


def _count(asked: Mapping[int, Asked]) -> int:
    return sum(len(each.workers) for each in asked.values())


def chosen_tasks(rollout: Rollout) -> Integers:
    """The id of the task that each agent joins at each step, [T, R]; -1 for none.

    It reads ``candidates`` of the decisions, or of the signals where agents choose at once.
    """
    chosen = np.full(rollout.joint_actions.shape, -1)
    joins = np.flatnonzero(rollout.actions > 0)
    candidates = rollout.at_decisions("candidates")[joins, rollout.actions[joins] - 1]
    chosen[rollout.steps[joins], rollout.rows[joins]] = candidates
    return chosen
