"""Preference-aware assignment, version 0. Documented at `crowdgym.envs.preference.env.PreferenceEnv`."""

from typing import Any

from pettingzoo.utils import wrappers
from pettingzoo.utils.conversions import parallel_to_aec

from crowdgym.envs.preference.env import PreferenceDispatcherEnv, PreferenceEnv, PreferenceVectorEnv

__all__ = ["dispatcher_env", "env", "parallel_env", "raw_env", "vector_env"]

parallel_env = PreferenceEnv
vector_env = PreferenceVectorEnv
dispatcher_env = PreferenceDispatcherEnv


def raw_env(**keywords: Any) -> Any:
    """The environment in PettingZoo's agent-by-agent form, as it is."""
    return parallel_to_aec(parallel_env(**keywords))


def env(**keywords: Any) -> Any:
    """The environment in PettingZoo's agent-by-agent form, out-of-bounds actions and calls out of order refused."""
    return wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(raw_env(**keywords)))
