"""PettingZoo's agent-by-agent (AEC) forms of a parallel environment."""

from collections.abc import Callable
from typing import Any

from pettingzoo.utils import wrappers
from pettingzoo.utils.conversions import parallel_to_aec

from crowdgym.envs.api.turn_env import TurnEnv

MakeEnv = Callable[..., Any]


def aec_forms(parallel_env: MakeEnv, module: str) -> tuple[MakeEnv, MakeEnv]:
    """Make ``env`` and ``raw_env``, PettingZoo's usual names for the two AEC forms.

    Args:
        parallel_env: makes the parallel environment; both functions take its keywords.
        module: where the two functions will be found under these names, so that they can be sent to other processes.
    """

    def raw_env(*, turns: bool = False, **keywords: Any) -> Any:
        """The environment in PettingZoo's agent-by-agent form, without checks.

        All agents act at every epoch, and see its beginning. With ``turns``, agents see what those before them chose:
        `crowdgym.envs.api.turn_env.TurnEnv`. Raises `ConfigError` if the environment has no turns.
        """
        parallel = parallel_env(**keywords)
        return TurnEnv(parallel) if turns else parallel_to_aec(parallel)

    def env(*, turns: bool = False, **keywords: Any) -> Any:
        """`raw_env`, but it refuses unknown actions and calls in a wrong order."""
        return wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(raw_env(turns=turns, **keywords)))

    for function in (env, raw_env):
        function.__module__, function.__qualname__ = module, function.__name__
    return env, raw_env
