"""BenchMARL: any environment of ours as a task, with masks and the global state.

BenchMARL needs a TorchRL below 0.12, so it has a virtual environment of its own
(``examples/benchmarl_requirements.txt``).
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import crowdgym
from crowdgym.common.seeds import TRAINING
from crowdgym.runner import num_steps_of
from crowdgym.wrappers import KeepInInfos

try:
    from benchmarl.environments.pettingzoo.common import PettingZooClass
    from torchrl.envs import EnvBase, PettingZooWrapper, RewardScaling, Transform
except ImportError as error:
    raise ImportError(
        "crowdgym.integrations.benchmarl needs BenchMARL: see examples/benchmarl_requirements.txt"
    ) from error

_SCALE = "reward_scale"


class CrowdGymTask(PettingZooClass):  # type: ignore[misc]  # BenchMARL has no types
    """An environment of ours, as `benchmarl.experiment.Experiment` takes it."""

    _made = 0  # environments, so that each has episodes of its own

    def get_env_fun(
        self, num_envs: int, continuous_actions: bool, seed: int | None, device: Any
    ) -> Callable[[], EnvBase]:
        """Makes one environment; BenchMARL runs ``num_envs`` of them one after the other.

        BenchMARL gives all of them one seed, and they would play the same episodes. So their seeds are drawn here from
        that of the experiment and from the number of the environment.
        """
        del num_envs, continuous_actions
        keywords = {name: value for name, value in self.config.items() if name != _SCALE}

        def make() -> EnvBase:
            env = KeepInInfos(crowdgym.make(self.name, **keywords))
            own = None if seed is None else _seed_of_copy(seed, self._made)
            self._made += 1
            return PettingZooWrapper(env, return_state=True, categorical_actions=True, device=device, seed=own)

        return make

    def get_env_transforms(self, env: EnvBase) -> list[Transform]:
        """Rewards are payments; they are multiplied by ``reward_scale``."""
        return [RewardScaling(0.0, self.config[_SCALE], in_keys=[(group, "reward") for group in env.group_map])]

    def supports_continuous_actions(self) -> bool:
        """No."""
        return False

    def supports_discrete_actions(self) -> bool:
        """Yes."""
        return True

    def has_state(self) -> bool:
        """Yes: mixers and central critics see the global state."""
        return True

    def has_render(self, env: EnvBase) -> bool:
        """No: `crowdgym run` draws."""
        return False

    def max_steps(self, env: EnvBase) -> int:
        """Steps of an episode, of an evaluation: every episode ends by time."""
        steps = num_steps_of(env.unwrapped)
        return sys.maxsize if steps is None else steps

    @staticmethod
    def env_name() -> str:
        """The name of BenchMARL's folder of results."""
        return "crowdgym"


def _seed_of_copy(seed: int, number: int) -> int:
    """The seed of an environment: one of those that are for training."""
    return int(np.random.default_rng([seed, number]).integers(TRAINING.start, TRAINING.stop))


def make_task(environment: str, reward_scale: float = 0.001, **keywords: Any) -> CrowdGymTask:
    """A task for BenchMARL.

    Args:
        environment: name of the environment, such as "csc_v0".
        reward_scale: factor on the rewards.
        keywords: of the environment.

    Raises:
        ConfigError: a keyword cannot be used.
    """
    crowdgym.make(environment, **keywords).close()
    return CrowdGymTask(environment, {_SCALE: reward_scale, **keywords})
