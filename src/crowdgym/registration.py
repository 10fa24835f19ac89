"""The environments by name: CrowdGym's own `make`, and the registries of PettingZoo and Gymnasium."""

from difflib import get_close_matches
from importlib import import_module
from typing import Any

import gymnasium
import pettingzoo

from crowdgym.common.errors import ConfigError

# By name, the module that has ``parallel_env`` and ``env``; imported when one is made.
_MODULES = {
    "csc_v0": "crowdgym.envs.csc_v0",
    "dasc_v0": "crowdgym.envs.dasc_v0",
    "sensing_v0": "crowdgym.envs.sensing_v0",
}


def environment_names() -> tuple[str, ...]:
    """The names that `make` takes."""
    return tuple(_MODULES)


def make(name: str, **keywords: Any) -> pettingzoo.ParallelEnv[str, Any, Any]:
    """Make an environment by its name.

    Args:
        name: such as "csc_v0"; see `environment_names`.
        **keywords: of the environment's ``parallel_env``.

    Raises:
        ConfigError: there is no such environment; or a keyword or its value cannot be used.

    Example:
        >>> import crowdgym
        >>> env = crowdgym.make("csc_v0", scenario="tiny", num_workers=5)
        >>> observations, infos = env.reset(seed=0)
        >>> len(observations)
        5
    """
    if name not in _MODULES:
        raise _unknown(name)
    return import_module(_MODULES[name]).parallel_env(**keywords)


def registered_name(name: str) -> str:
    """What an environment is called in the registries: "crowdgym/csc-v0" for "csc_v0".

    Raises:
        ConfigError: there is no such environment.
    """
    if name not in _MODULES:
        raise _unknown(name)
    return "crowdgym/" + name.replace("_v", "-v")


def register_environments() -> None:
    """Enter all environments in the registries; once is enough.

    PettingZoo's two have them as ``crowdgym/csc-v0``. Gymnasium has the central dispatcher and the vector environment
    as ``crowdgym/CSC-v0``, and the vector environment as ``crowdgym/csc-v0`` too.
    """
    for name, module in _MODULES.items():
        identity = registered_name(name)
        if identity not in pettingzoo.parallel_registry:
            pettingzoo.register("parallel", identity, entry_point=f"{module}:parallel_env")
            pettingzoo.register("aec", identity, entry_point=f"{module}:env")
        vector = f"{module}:vector_env"
        if identity not in gymnasium.registry:
            gymnasium.register(identity, vector_entry_point=vector)
            setting, number = identity.removeprefix("crowdgym/").split("-")
            dispatcher = f"{module}:dispatcher_env"
            gymnasium.register(
                f"crowdgym/{setting.upper()}-{number}", entry_point=dispatcher, vector_entry_point=vector
            )


def _unknown(name: str) -> ConfigError:
    close = get_close_matches(str(name), _MODULES, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return ConfigError(f"there is no environment {name!r}{hint} (known: {', '.join(_MODULES)})")
