"""Any environment that has turns in PettingZoo's agent-by-agent (AEC) form, agents choosing one after the other."""

import operator
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from numpy.typing import NDArray
from pettingzoo.utils.env import AECEnv

from crowdgym.envs.api.definition import ACTION_MASK, Turns

_ONLY_COPY = np.zeros(1, np.int64)


class TurnEnv(AECEnv[str, NDArray[np.float32], int]):  # type: ignore[misc]  # PettingZoo's class counts as Any
    """A setting in PettingZoo's agent-by-agent form, in which agents see what those before them chose at this epoch.

    The world is that of the parallel environment of the setting, which documents it; this class is documented here for
    every setting that has turns. Within an epoch the agents that have a choice act one after the other, in the order
    that the page on the dynamics states; all others hold, and are not asked. When all have acted, the world plays on
    with the joint action that the choices add up to, through epochs at which no agent has a choice, to the next at
    which one has.

    ``observe`` and the infos of ``agent_selection`` count what was chosen before it; the infos of the others are those
    of the beginning of the epoch, or of their own turn. A masked action holds and counts as illegal, or raises if
    ``strict``. Rewards, which the parallel environment defines, come when the world has played on. All agents are
    truncated together. Options and seeds of ``reset`` are those of the parallel environment.

    Args:
        env: the parallel environment, or a wrapper of it such as `crowdgym.traces.TraceRecorder`.

    Raises:
        ConfigError: the setting has no turns.
    """

    metadata: dict[str, Any]
    terminations: dict[str, bool]
    truncations: dict[str, bool]
    rewards: dict[str, float]
    infos: dict[str, dict[str, Any]]

    def __init__(self, env: Any) -> None:
        super().__init__()
        self._env = env
        self._turns: Turns = env.turns()
        self.metadata = {**env.metadata, "is_parallelizable": False}
        self.render_mode = env.render_mode
        self.settings: Any = env.settings
        self.possible_agents = list(env.possible_agents)
        self._number = {agent: number for number, agent in enumerate(self.possible_agents)}
        self.agents: list[str] = []
        self.observation_spaces, self.action_spaces = env.observation_spaces, env.action_spaces

    def observation_space(self, agent: str) -> gymnasium.spaces.Box:
        """That of the parallel environment."""
        space: gymnasium.spaces.Box = self._env.observation_space(agent)
        return space

    def action_space(self, agent: str) -> gymnasium.spaces.Discrete:
        """That of the parallel environment."""
        space: gymnasium.spaces.Discrete = self._env.action_space(agent)
        return space

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin an episode. Raises what ``reset`` of the parallel environment raises."""
        self._env.reset(seed=seed, options=options)
        self.agents = self.possible_agents.copy()
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._skip_agent_selection = None
        self._begin_epoch()
        self._play_on()

    def step(self, action: int | None) -> None:
        """Let ``agent_selection`` act; the world plays on when it was the last of its epoch.

        Raises:
            ResetNeeded: no episode has begun, or it is over and every agent is gone.
            InvalidAction: an action outside the space; if ``strict``, one that is masked.
        """
        if not self.agents:
            raise ResetNeeded("step was called, but there is no agent: call reset first")
        agent = self.agent_selection
        if self.truncations[agent]:
            self._was_dead_step(action)
            return
        chosen = self._checked(agent, action)
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self._turns.choose(_ONLY_COPY, np.array([chosen]))
        self._play_on()
        self._accumulate_rewards()

    def observe(self, agent: str) -> NDArray[np.float32]:
        """What an agent sees now, as those before it have chosen."""
        return self._turns.observation(0, self._number[agent])

    def state(self) -> NDArray[np.float32]:
        """The beginning of the epoch in one row, as of the parallel environment."""
        row: NDArray[np.float32] = self._env.state()
        return row

    def render(self) -> NDArray[np.uint8] | None:
        """As the parallel environment's own."""
        picture: NDArray[np.uint8] | None = self._env.render()
        return picture

    def close(self) -> None:
        """Close the window, if there is one."""
        self._env.close()

    @property
    def metrics(self) -> Any:
        """The figures of the episode so far."""
        return self._env.metrics

    def _begin_epoch(self) -> None:
        self._turns.begin(_ONLY_COPY)
        self.infos = {agent: self._info(number) for agent, number in self._number.items()}

    def _play_on(self) -> None:
        """While all have chosen, play the epoch; then select who is next."""
        while self._turns.chooser[0] < 0 and not all(self.truncations.values()):
            joint = dict(zip(self.possible_agents, self._turns.joint[0].tolist(), strict=True))
            _, rewards, _, truncations, infos = self._env.step(joint)
            for agent, reward in rewards.items():
                self.rewards[agent] += reward
            self.truncations = truncations
            self._begin_epoch()
            if all(truncations.values()):
                self.infos = infos
                self.agent_selection = self.agents[0]
                return
        self.agent_selection = self.possible_agents[self._turns.chooser[0]]
        self.infos[self.agent_selection] = self._info(int(self._turns.chooser[0]))

    def _info(self, number: int) -> dict[str, Any]:
        return {name: array[0, number].copy() for name, array in self._turns.agent_arrays().items()}

    def _checked(self, agent: str, action: int | None) -> int:
        most = int(self.action_space(agent).n) - 1
        try:
            chosen = operator.index(action)  # type: ignore[arg-type]
        except TypeError:
            chosen = -1
        if not 0 <= chosen <= most:
            raise InvalidAction(f"the action of {agent} must be a whole number from 0 to {most}, got {action!r}")
        mask = self._turns.agent_arrays()[ACTION_MASK][0, self._number[agent]]
        if self.settings.strict and mask[chosen] == 0:
            allowed = ", ".join(map(str, np.flatnonzero(mask)))
            raise InvalidAction(f"{agent} may not take action {chosen} in its turn; legal: {allowed}")
        return chosen
