"""Dependency-aware spatial crowdsourcing, version 0. It is documented at `crowdgym.envs.dasc.env.DascEnv`."""

from crowdgym.envs.api.aec import aec_forms
from crowdgym.envs.dasc.env import DascDispatcherEnv, DascEnv, DascVectorEnv

__all__ = ["dispatcher_env", "env", "parallel_env", "raw_env", "vector_env"]

parallel_env = DascEnv
vector_env = DascVectorEnv
dispatcher_env = DascDispatcherEnv
env, raw_env = aec_forms(parallel_env, __name__)
