"""Stable-Baselines3 and sb3-contrib: any environment of ours as a ``VecEnv``. Needs the extra ``agents``."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.envs.api.vector_env import Actions, BaseVectorEnv, Rows
from crowdgym.registration import environment_spec

try:
    from stable_baselines3.common.vec_env import VecEnv
    from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices
except ImportError as error:
    raise ImportError(
        "crowdgym.integrations.sb3 needs Stable-Baselines3, which is in the extra 'agents': "
        "pip install 'crowdgym[agents]'"
    ) from error

StepResult = tuple[Rows, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]


class CrowdVecEnv(VecEnv):
    """A vector environment of ours as one of Stable-Baselines3: row ``c * N + a`` is agent a of copy c.

    One policy plays all rows: parameter sharing. To SB3 each row is an environment of its own, so ``num_envs`` is
    copies times agents, and a step of ours counts as that many time steps.

    Masks of legal actions are where MaskablePPO of sb3-contrib asks for them, ``env_method("action_masks")``. The infos
    of a row are empty but for the end of an episode: SB3 walks through them at every step, and there are many. They
    then hold ``terminal_observation``, ``TimeLimit.truncated`` (all our episodes end by time, so SB3 bootstraps from
    the value of the last observation) and ``metrics`` of the row's copy. What infos hold of all agents at present is
    in ``agent_arrays``.

    ``seed(s)`` gives copy c the seed s + c at the next reset, as the vector environment does: all its agents play the
    same episode. Options set by ``set_options`` reach the next reset only; they are the same for all rows.

    Args:
        vector_env: of ``crowdgym.envs``, with ``autoreset_mode`` ``SAME_STEP``; see `make_vec_env`.

    Raises:
        ConfigError: ``vector_env`` is none of ours, or resets in another way.

    Example:
        >>> from stable_baselines3 import PPO
        >>> env = make_vec_env("csc_v0", num_envs=2, scenario="tiny")
        >>> model = PPO("MlpPolicy", env, n_steps=32, seed=0).learn(1_000)
    """

    def __init__(self, vector_env: BaseVectorEnv) -> None:
        if not isinstance(vector_env, BaseVectorEnv):
            raise ConfigError(f"vector_env must be a vector environment of crowdgym.envs, got {vector_env!r}")
        if vector_env.autoreset_mode is not AutoresetMode.SAME_STEP:
            mode = vector_env.autoreset_mode.value
            raise ConfigError(f"autoreset_mode must be 'SameStep' for Stable-Baselines3, got {mode!r}")
        self.vector_env = vector_env
        self.agent_arrays: dict[str, NDArray[Any]] = {}
        self._actions: Actions | None = None
        super().__init__(vector_env.num_envs, vector_env.single_observation_space, vector_env.single_action_space)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are legal now. Shape [rows, actions].

        Raises:
            RuntimeError: before the first ``reset``.
        """
        if not self.agent_arrays:
            raise RuntimeError("there are no masks yet: call reset first")
        return self.agent_arrays["action_mask"].astype(np.bool_)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Fix the episodes from the next reset on; returns the seed of each row, which is that of its copy.

        Without a seed one is drawn from NumPy's global generator, as Stable-Baselines3 does everywhere.
        """
        first = super().seed(seed)[0]
        assert first is not None
        copies, agents = self.vector_env.batch_shape
        self._seeds = [first + copy for copy in range(copies) for _ in range(agents)]
        return self._seeds

    def reset(self) -> Rows:
        """Begin an episode in every copy.

        Raises:
            ConfigError: a seed or option that cannot be used, or options that differ between rows.
        """
        seeds = self._seeds[:: self.vector_env.batch_shape[1]]
        observations, self.agent_arrays = self.vector_env.reset(seed=seeds, options=self._common_options())
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [{} for _ in range(self.num_envs)]
        return np.require(observations, requirements="W")

    def step_async(self, actions: NDArray[Any]) -> None:
        """Remember the actions, one for each row."""
        self._actions = actions

    def step_wait(self) -> StepResult:
        """Play every copy on to its next epoch; a copy that is over begins anew.

        Raises:
            RuntimeError: there were no actions.
            InvalidAction: an action outside the space, or (``strict``) one that is masked.
        """
        if self._actions is None:
            raise RuntimeError("step_wait was called without step_async")
        actions, self._actions = self._actions, None
        observations, rewards, _, truncations, told = self.vector_env.step(actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if truncations.any():
            self._tell_ends(infos, told)
        self.agent_arrays = {name: told[name] for name in self.agent_arrays}
        # SB3 keeps an observation until after the next step: a view, which the environment writes over, is copied here.
        return np.require(observations, requirements="W"), rewards.astype(np.float32), truncations, infos

    def close(self) -> None:
        """Close the vector environment."""
        self.vector_env.close()

    def has_attr(self, attr_name: str) -> bool:
        """Whether the rows have an attribute: ``action_masks``, or one of the vector environment."""
        return attr_name == "action_masks" or hasattr(self.vector_env, attr_name)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute of the vector environment, which all rows share, once for each row; masks of each row.

        Raises:
            AttributeError: there is none.
        """
        rows = list(self._get_indices(indices))
        if attr_name == "action_masks":
            return [lambda row=row: self.action_masks()[row] for row in rows]
        return [getattr(self.vector_env, attr_name)] * len(rows)

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Raise AttributeError: settings are fixed when an environment is made."""
        raise AttributeError(f"{attr_name!r} cannot be set: rows share one environment, whose settings are fixed")

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """``action_masks``: which actions are legal now, an array for each row.

        Raises:
            AttributeError: any other method: rows have no methods of their own.
        """
        if method_name != "action_masks":
            raise AttributeError(f"rows have no method {method_name!r}, only 'action_masks'")
        masks = self.action_masks()
        return list(masks if indices is None else masks[list(self._get_indices(indices))])

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """False for each row: Gymnasium's wrappers of single environments do not fit."""
        return [False for _ in self._get_indices(indices)]

    def _common_options(self) -> dict[str, Any] | None:
        first = self._options[0]
        if any(options != first for options in self._options):
            raise ConfigError("options must be the same for all rows, since the agents of a copy share an episode")
        return dict(first) or None

    def _tell_ends(self, infos: list[dict[str, Any]], told: dict[str, Any]) -> None:
        """Fill the infos of the rows whose episode has just ended; a row gets arrays and dicts of its own."""
        agents = self.vector_env.batch_shape[1]
        for copy in np.flatnonzero(told["_metrics"]):
            metrics = {name: values[copy] for name, values in told["metrics"].items()}
            for row in range(copy * agents, (copy + 1) * agents):
                infos[row] = {
                    "terminal_observation": told["final_obs"][row],
                    "TimeLimit.truncated": True,
                    "metrics": dict(metrics),
                }


def make_vec_env(name: str, num_envs: int = 1, seed: int | None = None, **keywords: Any) -> CrowdVecEnv:
    """Make copies of an environment by its name, ready for Stable-Baselines3.

    Args:
        name: such as "csc_v0"; see `crowdgym.environment_names`.
        num_envs: copies B; the rows are B times the agents of one.
        seed: that of `CrowdVecEnv.seed`, if any.
        **keywords: of the environment's ``vector_env``, such as ``scenario`` and ``num_threads``.

    Raises:
        ConfigError: there is no such environment; or a keyword or its value cannot be used.
    """
    made: Any = gymnasium.make_vec(
        environment_spec(name).registered_name, num_envs=num_envs, autoreset_mode="SameStep", **keywords
    )
    env = CrowdVecEnv(made)
    if seed is not None:
        env.seed(seed)
    return env
