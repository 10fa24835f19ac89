"""Preference-aware assignment, version 0. It is documented at `crowdgym.envs.preference.env.PreferenceEnv`."""

from crowdgym.envs.api.aec import aec_forms
from crowdgym.envs.preference.env import PreferenceDispatcherEnv, PreferenceEnv, PreferenceVectorEnv

__all__ = ["dispatcher_env", "env", "parallel_env", "raw_env", "vector_env"]

parallel_env = PreferenceEnv
vector_env = PreferenceVectorEnv
dispatcher_env = PreferenceDispatcherEnv
env, raw_env = aec_forms(parallel_env, __name__)
