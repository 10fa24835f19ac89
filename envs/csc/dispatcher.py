"""CSC with one central dispatcher, as a plain Gymnasium environment. See `CscDispatcherEnv`."""

from typing import Any, Unpack

import gymnasium
import numpy as np
from gymnasium.error import InvalidAction
from numpy.typing import NDArray

from crowdgym.configs.csc import CscKeywords
from crowdgym.envs.csc.env import RENDER_MODES, CscEnv, RenderMode
from crowdgym.envs.csc.generator import InstanceGenerator
from crowdgym.envs.csc.reward import RewardStrategy

Joint = NDArray[np.float32]


class CscDispatcherEnv(gymnasium.Env[Joint, NDArray[np.int64]]):
    """``csc_v0`` with one agent, the platform, that decides for all workers at once.

    ## Description
    The world of `crowdgym.envs.csc.env.CscEnv`, which documents it, for methods that know no agents.

    ## Action Space
    ``MultiDiscrete([K + 1] * N)``: for every worker what it would choose itself, 0 to hold or i for its i-th candidate.

    ## Observation Space
    ``Box(-1, 1, (N, F), float32)``: what every worker sees, one row each.

    ## Starting State
    As in `CscEnv`.

    ## Rewards
    The sum of the workers' rewards: for ``contribution`` and ``team`` the revenue of the interval.

    ## Episode End
    Truncated at ``horizon_s``; never terminated.

    ## Information
    ``action_mask`` (int8, [N, K + 1]), ``candidates`` (int32, [N, K]); after the last step ``metrics``.

    ## Arguments
    Those of `CscEnv`.

    ## Version History
    * v0: initial version
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 5}  # noqa: RUF012 - Gymnasium's own way

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: InstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[CscKeywords],
    ) -> None:
        self._env = CscEnv(render_mode=render_mode, generator=generator, reward_strategy=reward_strategy, **keywords)
        self.render_mode = render_mode
        agent = self._env.possible_agents[0]
        workers = len(self._env.possible_agents)
        width = self._env.observation_space(agent).shape[0]
        self.observation_space = gymnasium.spaces.Box(-1.0, 1.0, (workers, width), np.float32)
        self.action_space = gymnasium.spaces.MultiDiscrete([int(self._env.action_space(agent).n)] * workers)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Joint, dict[str, Any]]:
        """Begin an episode. Raises what `CscEnv.reset` raises."""
        super().reset(seed=seed)
        observations, infos = self._env.reset(seed=seed, options=options)
        return _stacked(observations), _joint_info(infos)

    def step(self, action: NDArray[np.int64]) -> tuple[Joint, float, bool, bool, dict[str, Any]]:
        """Play on to the next epoch. Raises what `CscEnv.step` raises.

        Raises:
            InvalidAction: the action has not one number for each worker.
        """
        agents = self._env.agents
        if agents and np.shape(action) != self.action_space.shape:
            raise InvalidAction(f"the action must have shape {self.action_space.shape}, got {np.shape(action)}")
        actions = dict(zip(agents, action, strict=True)) if agents else {}
        observations, rewards, _, truncations, infos = self._env.step(actions)
        over = all(truncations.values())
        return _stacked(observations), float(sum(rewards.values())), False, over, _joint_info(infos)

    def render(self) -> NDArray[np.uint8] | None:
        """As `CscEnv.render`."""
        return self._env.render()

    def close(self) -> None:
        """Close the window, if there is one."""
        self._env.close()


def _stacked(by_agent: dict[str, NDArray[Any]]) -> NDArray[Any]:
    return np.stack(list(by_agent.values()))


def _joint_info(infos: dict[str, dict[str, Any]]) -> dict[str, Any]:
    joint: dict[str, Any] = {
        name: _stacked({agent: info[name] for agent, info in infos.items()}) for name in ("action_mask", "candidates")
    }
    first = next(iter(infos.values()))
    return joint | {name: first[name] for name in first if name not in joint}
