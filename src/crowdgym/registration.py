"""The environments by name: CrowdGym's own `make`, and the registries of PettingZoo and Gymnasium.

CrowdGym's environments are found by folder: each package below `crowdgym.envs` that has a module ``spec`` with a
``SPEC`` is one. Another package adds its own with `register`.
"""

from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any

import gymnasium
import pettingzoo

import crowdgym.envs
from crowdgym.common.entry_points import import_module_from_here
from crowdgym.common.errors import ConfigError
from crowdgym.envs.api.spec import EnvironmentSpec

_added: dict[str, EnvironmentSpec] = {}  # by other packages


def environment_specs() -> tuple[EnvironmentSpec, ...]:
    """The specifications of all environments, CrowdGym's own in the order of their folders, then added ones."""
    return tuple((_specs_in(tuple(crowdgym.envs.__path__)) | _added).values())


@cache
def _specs_in(path: tuple[str, ...]) -> dict[str, EnvironmentSpec]:
    """The specifications in the folders of a search path, by name. Cached, since traces ask for one at every step."""
    own = {}
    for folder in iter_modules(path):
        module = f"crowdgym.envs.{folder.name}.spec"
        if folder.ispkg and find_spec(module) is not None and hasattr(found := import_module(module), "SPEC"):
            own[found.SPEC.name] = found.SPEC
    return own


def environment_names() -> tuple[str, ...]:
    """The names that `make` takes."""
    return tuple(spec.name for spec in environment_specs())


def environment_spec(name: str) -> EnvironmentSpec:
    """The specification of an environment.

    Args:
        name: such as "csc_v0"; or "module:name" for one of another package, whose module is imported first and calls
            `register`.

    Raises:
        ConfigError: there is no such environment.
    """
    module, colon, own_name = str(name).rpartition(":")
    if colon:
        import_module_from_here(module, str(name))
    for spec in environment_specs():
        if spec.name == own_name:
            return spec
    known = environment_names()
    if colon:
        raise ConfigError(f"the module {module!r} registers no environment {own_name!r} (known: {', '.join(known)})")
    close = get_close_matches(own_name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise ConfigError(f"there is no environment {name!r}{hint} (known: {', '.join(known)})")


def make(name: str, **keywords: Any) -> pettingzoo.ParallelEnv[str, Any, Any]:
    """Make an environment by its name.

    Args:
        name: such as "csc_v0"; see `environment_spec`.
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
    return environment_spec(name).interface("parallel_env")(**keywords)


def register(spec: EnvironmentSpec) -> None:
    """Add an environment of another package, so that every command and registry knows it.

    Raises:
        ConfigError: it is no specification, or there is another environment of that name.
    """
    if not isinstance(spec, EnvironmentSpec):
        raise ConfigError(f"register takes an EnvironmentSpec, got {spec!r}")
    there = {known.name: known for known in environment_specs()}.get(spec.name)
    if there is not None and there != spec:
        raise ConfigError(
            f"the name {spec.name!r} belongs to another environment ({there.module}); choose another name"
        )
    _added[spec.name] = spec
    _enter_in_registries(spec)


def register_environments() -> None:
    """Enter all environments in the registries; a second call changes nothing.

    PettingZoo's two have them as ``crowdgym/csc-v0``. Gymnasium has the central dispatcher and the vector environment
    as ``crowdgym/csc-v0`` and, as its own names are written, as ``crowdgym/CSC-v0``.
    """
    for spec in environment_specs():
        _enter_in_registries(spec)


def _enter_in_registries(spec: EnvironmentSpec) -> None:
    identity = spec.registered_name
    if identity not in pettingzoo.parallel_registry:
        pettingzoo.register("parallel", identity, entry_point=f"{spec.module}:parallel_env")
        pettingzoo.register("aec", identity, entry_point=f"{spec.module}:env")
    setting, _, number = identity.removeprefix("crowdgym/").rpartition("-")
    for name in (identity, f"crowdgym/{setting.upper()}-{number}"):
        if name not in gymnasium.registry:
            dispatcher, vector = f"{spec.module}:dispatcher_env", f"{spec.module}:vector_env"
            gymnasium.register(name, entry_point=dispatcher, vector_entry_point=vector)
