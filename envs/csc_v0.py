"""Collaborative spatial crowdsourcing, version 0. It is documented at `crowdgym.envs.csc.env.CscEnv`."""

from crowdgym.envs.api.aec import aec_forms
from crowdgym.envs.csc.env import CscDispatcherEnv, CscEnv, CscVectorEnv

__all__ = ["dispatcher_env", "env", "parallel_env", "raw_env", "vector_env"]

parallel_env = CscEnv
vector_env = CscVectorEnv
dispatcher_env = CscDispatcherEnv
env, raw_env = aec_forms(parallel_env, __name__)
