"""Collaborative spatial crowdsourcing, version 0. It is documented at `crowdgym.envs.csc.env.CscEnv`."""

from typing import Any

from crowdgym.envs.api.aec import aec_forms
from crowdgym.envs.api.vector_env import BaseVectorEnv
from crowdgym.envs.csc.env import CscDispatcherEnv, CscEnv, CscTurnVectorEnv, CscVectorEnv

__all__ = ["dispatcher_env", "env", "parallel_env", "raw_env", "vector_env"]

parallel_env = CscEnv
dispatcher_env = CscDispatcherEnv
env, raw_env = aec_forms(parallel_env, __name__)


def vector_env(num_envs: int = 1, *, turns: bool = False, **keywords: Any) -> BaseVectorEnv:
    """Many copies at once: `crowdgym.envs.csc.env.CscVectorEnv`, a row for every worker of every copy.

    What holds for every vector environment is documented at `crowdgym.envs.api.vector_env.BaseVectorEnv`.

    Args:
        num_envs: copies.
        turns: workers choose one after the other, a row for every copy: `crowdgym.envs.csc.env.CscTurnVectorEnv`.
        **keywords: of these two classes.
    """
    return CscTurnVectorEnv(num_envs, **keywords) if turns else CscVectorEnv(num_envs, **keywords)
