"""Any environment that has turns as a Gymnasium vector environment with one row a copy: whose turn it is."""

from typing import Any

import numpy as np
from gymnasium.error import InvalidAction
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from crowdgym.envs.api.definition import ACTION_MASK, EnvironmentDefinition, Turns
from crowdgym.envs.api.vector_env import Actions, BaseVectorEnv, Rows, StepResult


class BaseTurnVectorEnv(BaseVectorEnv):
    """Many copies of an environment side by side; in each step one agent of every copy chooses.

    This holds for every setting that has turns. What is not said here is as in
    `crowdgym.envs.api.vector_env.BaseVectorEnv`.

    ## Description
    B = ``num_envs`` copies, and a row for every copy: that of the agent whose turn it is. When all agents of a copy
    that have a choice have chosen, the copy plays on with the joint action that the choices add up to, through epochs
    at which no agent has a choice, to the next at which one has. Copies do so each at its own time.

    ## Action Space
    One ``Discrete`` a row. ``infos["action_mask"]``, int8 [B, actions], says what is legal in this turn.

    ## Observation Space
    One ``Box(-1, 1, (F,), float32)`` a row: what the agent sees, as those before it have chosen. All zeros of a copy
    whose episode is over.

    ## Rewards
    float64 [B]: the sum of the rewards of all agents over the intervals that the step has played; mostly 0, since most
    steps play none. ``infos["rewards"]``, float64 [B, N], has it agent by agent.

    ## Episode End
    As `BaseVectorEnv` states, with rows for copies. In ``SAME_STEP`` ``final_obs`` is all zeros, since no agent is to
    act at the end.

    ## Information
    ``chooser`` (int64 [B]): the number of the agent whose turn it is, -1 where the episode is over. ``epoch_done``
    (bool [B]): whether the step has played the copy on, so that this is the first turn of an epoch. ``rewards``: see
    Rewards. For each info of the parallel environment the row of the agent, [B, …], as those before it have chosen.
    ``metrics`` as in `BaseVectorEnv`.
    """

    def __init__(
        self,
        definition: EnvironmentDefinition[Any, Any],
        num_envs: int,
        num_threads: int,
        copy: bool,
        autoreset_mode: AutoresetMode | str,
    ) -> None:
        super().__init__(definition, num_envs, num_threads, copy, autoreset_mode)
        self._turns: Turns = definition.turns(self._simulation)
        self.num_envs = num_envs
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._earned = np.zeros(self.batch_shape)
        self._played = np.zeros(num_envs, np.bool_)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Rows, dict[str, Any]]:
        """Begin an episode in every copy, or in those of the ``reset_mask``. Raises what `BaseVectorEnv` raises."""
        self._earned[:], self._played[:] = 0.0, False
        super().reset(seed=seed, options=options)
        return self._rows(), self._infos()

    def step(self, actions: Actions) -> StepResult:
        """Let one agent of every copy choose. Raises what `BaseVectorEnv` raises."""
        self._refuse_unready()
        chosen = self._checked(actions)
        over_before = self._ended.copy()
        self._earned[:], self._played[:] = 0.0, False
        playing = np.flatnonzero(~over_before)
        self._turns.choose(playing, chosen)
        self._play_on(playing)
        truncated = self._simulation.is_over() & ~over_before
        self._ended = truncated.copy()
        extra = self._at_the_end(truncated) if truncated.any() else {}
        same_step = self.autoreset_mode is AutoresetMode.SAME_STEP
        self._reset_copies(np.flatnonzero(truncated if same_step else over_before), None, {})
        return (
            self._rows(),
            self._earned.sum(axis=1),
            np.zeros(self.num_envs, np.bool_),
            truncated,
            self._infos() | extra,
        )

    def _reset_copies(self, copies: NDArray[np.int64], benchmark: int | None, options: dict[str, Any]) -> None:
        super()._reset_copies(copies, benchmark, options)
        self._turns.begin(copies)
        self._play_on(copies)

    def _play_on(self, copies: NDArray[np.int64]) -> None:
        """While all agents of a copy have chosen, play its epoch."""
        waiting = copies[(self._turns.chooser[copies] < 0) & ~self._simulation.is_over()[copies]]
        while len(waiting):
            self._play(self._turns.joint, waiting)
            self._definition.write_rewards(self._simulation, self._rewards)
            self._earned[waiting] += self._rewards[waiting]
            self._played[waiting] = True
            self._turns.begin(waiting)
            waiting = waiting[(self._turns.chooser[waiting] < 0) & ~self._simulation.is_over()[waiting]]

    def _rows(self) -> Rows:
        """What those see whose turn it is. A new array, shape [B, F]."""
        rows = np.zeros(self.observation_space.shape or (), np.float32)
        for copy, agent in enumerate(self._turns.chooser.tolist()):
            if agent >= 0:
                rows[copy] = self._turns.observation(copy, agent)
        return rows

    def _infos(self) -> dict[str, Any]:
        chooser = self._turns.chooser.astype(np.int64)
        copies, last = np.arange(len(chooser)), np.maximum(chooser, 0)
        arrays = {name: array[copies, last] for name, array in self._turns.agent_arrays().items()}
        return {**arrays, "chooser": chooser, "epoch_done": self._played.copy(), "rewards": self._earned.copy()}

    def _at_the_end(self, truncated: NDArray[np.bool_]) -> dict[str, Any]:
        told = self._metrics_of(truncated)
        if self.autoreset_mode is not AutoresetMode.SAME_STEP:
            return told
        return told | {
            "final_obs": self._rows(),
            "_final_obs": truncated.copy(),
            "final_info": self._infos(),
            "_final_info": truncated.copy(),
        }

    def _checked(self, actions: Actions) -> Actions:
        """The actions as [B]."""
        chosen = np.asarray(actions)
        if chosen.dtype.kind not in "iu" or chosen.shape != (self.num_envs,):
            raise InvalidAction(
                f"actions must be whole numbers of shape ({self.num_envs},), got {chosen.dtype} of shape {chosen.shape}"
            )
        chosen = chosen.astype(np.int64, copy=False)
        outside = (chosen < 0) | (chosen >= self._num_actions)
        if outside.any():
            copy = int(np.argmax(outside))
            raise InvalidAction(
                f"the action in copy {copy} must be from 0 to {self._num_actions - 1}, got {chosen[copy]}"
            )
        if self._definition.settings.strict:
            self._refuse_illegal(chosen)
        return chosen

    def _refuse_illegal(self, joint: Actions) -> None:
        mask = self._infos()[ACTION_MASK]
        illegal = (mask[np.arange(self.num_envs), joint] == 0) & ~self._ended
        if illegal.any():
            copy = int(np.argmax(illegal))
            agent = self._agents[self._turns.chooser[copy]]
            allowed = ", ".join(map(str, np.flatnonzero(mask[copy])))
            raise InvalidAction(
                f"{agent} of copy {copy} may not take action {joint[copy]} in its turn; legal: {allowed}"
            )
