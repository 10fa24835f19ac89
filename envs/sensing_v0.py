"""Multi-attribute sensing, version 0. It is documented at `crowdgym.envs.sensing.env.SensingEnv`."""

from crowdgym.envs.api.aec import aec_forms
from crowdgym.envs.sensing.env import SensingDispatcherEnv, SensingEnv, SensingVectorEnv

__all__ = ["dispatcher_env", "env", "parallel_env", "raw_env", "vector_env"]

parallel_env = SensingEnv
vector_env = SensingVectorEnv
dispatcher_env = SensingDispatcherEnv
env, raw_env = aec_forms(parallel_env, __name__)
