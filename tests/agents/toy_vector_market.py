"""A vector environment of a few lines: agents pick one of three offers, and are busy until they are paid."""

from typing import Any

import gymnasium
import numpy as np

OFFERS, BUSY_STEPS, EPISODE_STEPS = 3, 2, 12
FEATURES = ("present", "pay")


class ToyVectorMarket:
    """Every idle agent sees ``OFFERS`` offers of its own, one of them absent at times. Action 0 holds.

    Who takes an offer is busy for ``BUSY_STEPS`` steps, and gets its pay at the end of the last.

    Args:
        copies: of two agents each.
        noise: what busy agents see; no learner should read it.
    """

    def __init__(self, copies: int, noise: float = 0.0) -> None:
        self.batch_shape = (copies, 2)
        self.num_envs = 2 * copies
        width = 1 + OFFERS * len(FEATURES)
        self.single_observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (width,), np.float32)
        self.single_action_space = gymnasium.spaces.Discrete(OFFERS + 1)
        self.metadata: dict[str, Any] = {
            "observation_layout": {
                "w_self": {"start": 0, "shape": (1, 1), "features": ("elapsed",)},
                "T_optional": {"start": 1, "shape": (OFFERS, 2), "features": FEATURES},
            }
        }
        self._noise = noise

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        del options
        self._generators = [np.random.default_rng(each) for each in seed for _ in range(2)]
        self._busy = np.zeros(self.num_envs, int)
        self._promised = np.zeros(self.num_envs)
        self._earned = np.zeros(self.num_envs)
        self._step = 0
        return self._look()

    def step(self, actions: Any, /) -> tuple[Any, ...]:
        assert (np.take_along_axis(self._legal, actions[:, np.newaxis], 1)).all()
        takes = (self._busy == 0) & (actions > 0)
        self._promised[takes] = self._pay[takes, actions[takes] - 1]
        self._busy[takes] = BUSY_STEPS
        rewards = np.where(self._busy == 1, self._promised, 0.0)
        self._busy = np.maximum(self._busy - 1, 0)
        self._earned += rewards
        self._step += 1
        over = self._step == EPISODE_STEPS
        observations, infos = self._look()
        if over:
            infos["metrics"] = {"revenue": self._earned.reshape(self.batch_shape).sum(axis=1)}
        return observations, rewards, np.zeros(self.num_envs, bool), np.full(self.num_envs, over), infos

    def _look(self) -> tuple[Any, dict[str, Any]]:
        drawn = np.stack([generator.random(2 * OFFERS) for generator in self._generators])
        self._pay, present = drawn[:, :OFFERS], drawn[:, OFFERS:] < 0.8
        self._legal = np.ones((self.num_envs, OFFERS + 1), bool)
        self._legal[:, 1:] = present & (self._busy == 0)[:, np.newaxis]
        offers = np.stack([present, self._pay * present], axis=2).reshape(self.num_envs, -1)
        seen = np.concatenate([np.full((self.num_envs, 1), self._step / EPISODE_STEPS), offers], axis=1)
        seen[self._busy > 0] = self._noise
        return seen.astype(np.float32), {"action_mask": self._legal.astype(np.int8)}
