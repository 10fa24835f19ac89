"""Vector environments over the healthy one: two sound ones, and some with one fault each."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from testing.broken_base import Broken, Healthy

BROKEN_VECTORS: list[Broken] = []


def broken(step: int | None, agent: str | None, quantity: str) -> Callable[[type], type]:
    def enter(cls: type) -> type:
        BROKEN_VECTORS.append(Broken(cls, "vector", step, agent, quantity))
        return cls

    return enter


class Rows(VectorEnv):
    """Sound: row 3 c + a is agent a of copy c. It can't be stepped after the first end of an agent, at step 4."""

    metadata: ClassVar[dict[str, Any]] = {"autoreset_mode": AutoresetMode.DISABLED}

    def __init__(self, copies: int) -> None:
        self.copies = [Healthy() for _ in range(copies)]
        self.num_envs = 3 * copies
        self.single_observation_space, self.single_action_space = self.copies[0].spaces
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        assert seed is not None
        return self.batch([env.reset(seed=self.seed_of(copy, seed)) for copy, env in enumerate(self.copies)])

    def step(self, actions: Any) -> Any:
        split = actions.reshape(-1, 3)
        agents = self.copies[0].possible_agents
        stepped = [env.step(dict(zip(agents, row, strict=True))) for env, row in zip(self.copies, split, strict=True)]
        return self.batch(stepped)

    def seed_of(self, copy: int, seed: int) -> int:
        return seed + copy

    def batch(self, returned: list[Any]) -> Any:
        *tables, infos = zip(*returned, strict=True)
        masks = self.stack([{agent: info["action_mask"] for agent, info in row.items()} for row in infos])
        return *(self.stack(rows) for rows in tables), {"action_mask": masks}

    def stack(self, rows: Any) -> Any:
        return np.stack([value for row in rows for value in row.values()])


class RowsThatBeginAnew(Rows):
    """Sound: at an end it already hands out the next episode, and the last observations in the infos."""

    metadata: ClassVar[dict[str, Any]] = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def step(self, actions: Any) -> Any:
        observations, rewards, terminations, truncations, infos = super().step(actions)
        if terminations.any():
            infos = {"final_obs": observations, "action_mask": np.ones_like(infos["action_mask"])}
            observations = self.copies[0].observe("late") + np.zeros_like(observations)
            observations[~terminations] = infos["final_obs"][~terminations]
            infos["action_mask"][~terminations] = [env.mask(a) for env in self.copies for a in env.agents]
        return observations, rewards, terminations, truncations, infos


@broken(None, None, "vector_factory()")
class CannotBeMade(Rows):
    def __init__(self, copies: int) -> None:
        raise ValueError("no vector today")


@broken(None, None, "num_envs")
class OneRowPerCopy(Rows):
    def __init__(self, copies: int) -> None:
        super().__init__(copies)
        self.num_envs = copies


@broken(0, "early", "observation[0]")
class OneSeedForAllCopies(Rows):
    """Copy 1 is the first that differs."""

    def seed_of(self, copy: int, seed: int) -> int:
        return seed


@broken(0, "middle", "observation[0]")
class RowsByAgent(Rows):
    def stack(self, rows: Any) -> Any:
        together = super().stack(rows)
        return together.reshape(len(self.copies), 3, *together.shape[1:]).swapaxes(0, 1).reshape(together.shape)


@broken(1, "early", "reward")
class RewardsShared(Rows):
    def step(self, actions: Any) -> Any:
        observations, rewards, *rest = super().step(actions)
        return observations, np.full_like(rewards, rewards.mean()), *rest


@broken(4, "early", "termination")
class NeverTerminates(Rows):
    def step(self, actions: Any) -> Any:
        observations, rewards, terminations, *rest = super().step(actions)
        return observations, rewards, np.zeros_like(terminations), *rest


@broken(2, "middle", "info['action_mask'][0]")
class ForbidsToStay(Rows):
    def step(self, actions: Any) -> Any:
        *returned, infos = super().step(actions)
        if self.copies[0].time == 2:
            infos["action_mask"][1, 0] = 0
        return *returned, infos
