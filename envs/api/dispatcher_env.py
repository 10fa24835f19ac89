"""Any environment with one central dispatcher, as a plain Gymnasium environment."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import InvalidAction
from numpy.typing import NDArray

from crowdgym.envs.api.parallel_env import RENDER_MODES, BaseParallelEnv

Joint = NDArray[np.float32]


class BaseDispatcherEnv(gymnasium.Env[Joint, NDArray[np.int64]]):
    """A setting as a plain Gymnasium environment: one agent, the platform, decides for all N agents at once.

    This holds for every setting. A subclass brings the keywords of its constructor.

    ## Description
    The world is that of the parallel environment of the setting, which documents it. This form is for methods that do
    not distinguish agents.

    ## Action Space
    ``MultiDiscrete``: for every agent the action that it would choose itself.

    ## Observation Space
    ``Box(-1, 1, (N, F), float32)``: what every agent sees, one row each.

    ## Starting State
    That of the parallel environment, with the same seeds and options of ``reset``.

    ## Rewards
    The sum of the agents' rewards.

    ## Episode End
    Truncated when the agents are; never terminated.

    ## Information
    For each info of the parallel environment an array of that name with a row for every agent; after the last step
    ``metrics``.

    ## Arguments
    Those of the parallel environment.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 5}  # noqa: RUF012 - Gymnasium's own way

    def __init__(self, env: BaseParallelEnv[Any, Any, Any]) -> None:
        self._env = env
        self.render_mode = env.render_mode
        agent = env.possible_agents[0]
        agents = len(env.possible_agents)
        seen = env.observation_space(agent)
        self.observation_space = gymnasium.spaces.Box(
            np.tile(seen.low, (agents, 1)), np.tile(seen.high, (agents, 1)), dtype=np.float32
        )
        self.action_space = gymnasium.spaces.MultiDiscrete([int(env.action_space(agent).n)] * agents)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Joint, dict[str, Any]]:
        """Begin an episode. Raises what ``reset`` of the parallel environment raises."""
        super().reset(seed=seed)
        observations, infos = self._env.reset(seed=seed, options=options)
        return np.stack(list(observations.values())), _joint_info(infos)

    def step(self, action: NDArray[np.int64]) -> tuple[Joint, float, bool, bool, dict[str, Any]]:
        """Play on to the next epoch. Raises what ``step`` of the parallel environment raises.

        Raises:
            InvalidAction: the action has not one number for each agent.
        """
        agents = self._env.agents
        if agents and np.shape(action) != self.action_space.shape:
            raise InvalidAction(f"the action must have shape {self.action_space.shape}, got {np.shape(action)}")
        actions = dict(zip(agents, action, strict=True)) if agents else {}
        observations, rewards, _, truncations, infos = self._env.step(actions)
        over = all(truncations.values())
        joint = np.stack(list(observations.values()))
        return joint, float(sum(rewards.values())), False, over, _joint_info(infos)

    def render(self) -> NDArray[np.uint8] | None:
        """As the parallel environment's own."""
        return self._env.render()

    def close(self) -> None:
        """Close the window, if there is one."""
        self._env.close()


def _joint_info(infos: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Metrics as they are, since all agents have the same; of all else an array with a row for each agent."""
    rows = list(infos.values())
    return {name: rows[0][name] if name == "metrics" else np.array([row[name] for row in rows]) for name in rows[0]}
