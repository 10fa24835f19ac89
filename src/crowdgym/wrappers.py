"""Wrappers around parallel environments, for libraries that expect masks or infos in another form."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from pettingzoo.utils.wrappers import BaseParallelWrapper

from crowdgym.common.errors import ConfigError

MASK = "action_mask"


class MaskInObservation(BaseParallelWrapper[str, dict[str, NDArray[Any]], int]):
    """Puts the action mask into the observation, for libraries that look for it only there.

    Every observation becomes a dict with two entries: the observation itself under ``key``, and ``"action_mask"``.
    PettingZoo's own tests and Tianshou look for the key ``"observation"``, RLlib for ``"observations"``. Infos do not
    change.

    Args:
        env: a parallel environment whose infos have an ``"action_mask"``, 0 or 1 for each action of a Discrete space.
        key: the key of the observation itself.

    Raises:
        ConfigError: ``key`` is empty or the key of the mask.

    Example:
        >>> env = MaskInObservation(csc_v0.parallel_env(scenario="tiny"), key="observations")
        >>> env.observation_space("worker_0")
        Dict('observations': Box(-1.0, 1.0, (272,), float32), 'action_mask': Box(0, 1, (11,), int8))
    """

    def __init__(self, env: ParallelEnv[str, NDArray[Any], int], key: str = "observation") -> None:
        if not key or key == MASK:
            raise ConfigError(f"key must be a name other than {MASK!r}, got {key!r}")
        super().__init__(env)
        self._key = key
        self._spaces: dict[str, gymnasium.spaces.Dict] = {}

    @property
    def observation_spaces(self) -> dict[str, gymnasium.spaces.Dict]:
        """`observation_space` by agent."""
        return {agent: self.observation_space(agent) for agent in self.env.possible_agents}

    def observation_space(self, agent: str) -> gymnasium.spaces.Dict:
        """The space of both, the same object at every call."""
        if agent not in self._spaces:
            actions = self.env.action_space(agent)
            mask = gymnasium.spaces.Box(0, 1, (int(actions.n),), np.int8)
            self._spaces[agent] = gymnasium.spaces.Dict({self._key: self.env.observation_space(agent), MASK: mask})
        return self._spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], Any]:
        """Like the method of the environment, with masks in the observations."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return self._joined(observations, infos), infos

    def step(self, actions: dict[str, int]) -> tuple[dict[str, Any], Any, Any, Any, Any]:
        """Like the method of the environment, with masks in the observations."""
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        return self._joined(observations, infos), rewards, terminations, truncations, infos

    def _joined(self, observations: dict[str, Any], infos: dict[str, dict[str, Any]]) -> dict[str, Any]:
        key = self._key
        return {agent: {key: seen, MASK: infos[agent][MASK]} for agent, seen in observations.items()}


class KeepInInfos(BaseParallelWrapper[str, NDArray[Any], int]):
    """Keeps the same entries of the infos at every step, for libraries that require infos with constant entries.

    TorchRL makes a tensor of every entry that is there after ``reset`` and stops with an error at the first that comes
    later, as ``metrics`` does at the end of an episode. The metrics are in ``env.unwrapped.metrics`` at any time.

    Args:
        env: a parallel environment.
        names: the entries of every agent's info that are kept, if they exist.

    Raises:
        ConfigError: ``names`` is one text instead of several names.

    Example:
        >>> env = KeepInInfos(csc_v0.parallel_env(scenario="tiny"))
        >>> list(env.reset(seed=0)[1]["worker_0"])
        ['action_mask']
    """

    def __init__(self, env: ParallelEnv[str, NDArray[Any], int], names: Sequence[str] = (MASK,)) -> None:
        if isinstance(names, str):
            raise ConfigError(f"names must be several names, such as a tuple, got {names!r}")
        super().__init__(env)
        self._names = tuple(names)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """Like the method of the environment, with only the kept entries in the infos."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return observations, self._kept(infos)

    def step(self, actions: dict[str, int]) -> tuple[Any, Any, Any, Any, Any]:
        """Like the method of the environment, with only the kept entries in the infos."""
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        return observations, rewards, terminations, truncations, self._kept(infos)

    def _kept(self, infos: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {agent: {name: info[name] for name in self._names if name in info} for agent, info in infos.items()}
