"""PettingZoo's agent-by-agent (AEC) forms of a parallel environment."""

from collections.abc import Callable
from typing import Any

from pettingzoo.utils import wrappers
from pettingzoo.utils.conversions import parallel_to_aec

MakeEnv = Callable[..., Any]


def aec_forms(parallel_env: MakeEnv, module: str) -> tuple[MakeEnv, MakeEnv]:
    """Make ``env`` and ``raw_env``, PettingZoo's usual names for the two AEC forms.

    Args:
        parallel_env: makes the parallel environment; both functions take its keywords.
        module: where the two functions will be found under these names, so that they can be sent to other processes.
    """

    def raw_env(**keywords: Any) -> Any:
        """The environment in PettingZoo's agent-by-agent form, without checks."""
        return parallel_to_aec(parallel_env(**keywords))

    def env(**keywords: Any) -> Any:
        """The environment in PettingZoo's agent-by-agent form; refuses unknown actions and calls in a wrong order."""
        return wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(raw_env(**keywords)))

    for function in (env, raw_env):
        function.__module__, function.__qualname__ = module, function.__name__
    return env, raw_env
