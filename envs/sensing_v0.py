"""Multi-attribute sensing, version 0. The environment is documented at `crowdgym.envs.sensing.env.SensingEnv`."""

from typing import Any

from pettingzoo.utils import wrappers
from pettingzoo.utils.conversions import parallel_to_aec

from crowdgym.envs.sensing.env import SensingDispatcherEnv, SensingEnv, SensingVectorEnv

__all__ = ["dispatcher_env", "env", "parallel_env", "raw_env", "vector_env"]

parallel_env = SensingEnv
vector_env = SensingVectorEnv
dispatcher_env = SensingDispatcherEnv


def raw_env(**keywords: Any) -> Any:
    """The environment in PettingZoo's agent-by-agent form, as it is."""
    return parallel_to_aec(parallel_env(**keywords))


def env(**keywords: Any) -> Any:
    """The environment in PettingZoo's agent-by-agent form, out-of-bounds actions and calls out of order refused."""
    return wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(raw_env(**keywords)))
