"""Policies by name: those that come with CrowdGym, for each environment, and the user's own as ``module:Class``.

The folder of a trained agent is also a name. The name of a learning agent stands for the weights that come with
CrowdGym for the environment and the scenario, if there are any.
"""

import hashlib
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

from crowdgym.agents.catalogue import PolicySpec
from crowdgym.agents.information import information_of
from crowdgym.agents.policy import FunctionPolicy, Policy, is_rule
from crowdgym.common.entry_points import is_missing, search_current_folder
from crowdgym.common.errors import ConfigError, PolicyError
from crowdgym.common.extras import missing_package
from crowdgym.common.files import is_folder
from crowdgym.common.raised import described, where_raised
from crowdgym.common.text import shown as in_short
from crowdgym.configs.loading import default_scenario
from crowdgym.learners import agent_packages, find_learner, learner_names, learner_of, load_trained

UNKNOWN_DIGEST = "unknown"  # a file of the policy cannot be read


@dataclass(frozen=True)
class PolicySource:
    """What `load_policy` makes a policy from, as plain data.

    Attributes:
        name: see `load_policy`.
        environment: likewise.
        scenario: likewise.
        arguments: likewise, as pairs.
        label: likewise.
    """

    name: str
    environment: str
    scenario: str | None = None
    arguments: tuple[tuple[str, Any], ...] = ()
    label: str | None = None

    def __post_init__(self) -> None:
        """Raise `PolicyError` if a value is of another type."""
        _check_types(self.name, self.environment, self.scenario, self.label)
        pairs: object = self.arguments
        if not isinstance(pairs, tuple) or not all(isinstance(one, tuple) and len(one) == 2 for one in pairs):
            raise PolicyError(f"arguments of an agent must be a tuple of pairs, got {in_short(pairs)}")
        _arguments(dict(pairs))

    def load(self) -> Policy:
        """Make the policy; see `load_policy`."""
        return load_policy(self.name, self.environment, self.scenario, dict(self.arguments), label=self.label)

    @property
    def shown(self) -> str:
        """The name of the policy in messages."""
        return self.name if self.label is None else self.label

    @property
    def is_foreign(self) -> bool:
        """Whether the code of the policy is not CrowdGym's own. Weights alone are no code."""
        if self.name in policy_names(self.environment):
            return False
        if ":" in self.name:
            return True
        learner = learner_of(Path(self.name))
        return learner is not None and learner not in learner_names()


def policy_specs(environment: str) -> tuple[PolicySpec, ...]:
    """The policies that come with CrowdGym and play ``environment`` on every scenario; its own come first."""
    fit = [one for one in all_policies() if one.environments is None or environment in one.environments]
    return tuple(sorted(fit, key=lambda one: one.environments is None))


def policy_names(environment: str) -> tuple[str, ...]:
    """The names of `policy_specs`."""
    return tuple(one.name for one in policy_specs(environment))


def trained_scenarios(agent: str, environment: str) -> tuple[str, ...]:
    """The scenarios of an environment for which the weights of a learning agent come with CrowdGym."""
    weights = find_learner(agent).weights
    if weights is None:
        return ()
    folder = files(weights).joinpath(environment)
    return tuple(sorted(entry.name for entry in folder.iterdir())) if is_folder(str(folder)) else ()


def load_policy(
    name: str,
    environment: str,
    scenario: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    *,
    label: str | None = None,
) -> Policy:
    """Make a policy by its name.

    Args:
        name: one of ``policy_names(environment)``, the name of a learning agent (``ippo``), a folder that
            ``crowdgym train`` has written, or ``module:Class``. The module is imported as by
            Python in the current folder; the class is called with ``arguments``. In place of the class, the attribute
            may be a function of observations and infos, one that returns a policy, or a policy.
        environment: the environment to be played, such as "csc_v0". The same name may be another policy elsewhere.
        scenario: the scenario to be played, for weights that fit it; the environment's default scenario if None.
        arguments: keywords of the class or function.
        label: the name of the policy in messages; ``name`` if None.

    Raises:
        PolicyError: there is no such policy, module or class, the object is not a policy, or it does not take the
            arguments.
        ConfigError: the folder holds no trained agent that can be played.
    """
    _check_types(name, environment, scenario, label)
    shown = name if label is None else label
    known = {one.name: one.entry_point for one in policy_specs(environment)}
    given = _arguments(arguments)
    is_trained = name in learner_names() or (name not in known and is_folder(name))
    if given and is_trained:
        raise PolicyError(f"the agent {shown!r} is trained and takes no arguments, got {given!r}")
    if name in learner_names():
        return _trained(
            packaged_weights(name, environment, scenario or default_scenario(environment)), shown, environment
        )
    if is_trained:
        return _trained(Path(name), shown, environment)
    if name not in known and ":" not in name:
        raise PolicyError(
            f"there is no agent {in_short(name)} for {in_short(environment)[1:-1]}{_hint(name, environment)} "
            f"(known: {', '.join((*known, *_learnt_in(environment)))}; "
            "your own is given as module:Class, a trained one as its folder)"
        )
    module_name, _, attribute = known.get(name, name).partition(":")
    if module_name.endswith(".py") or "/" in module_name or os.sep in module_name:
        raise PolicyError(
            f"the agent {shown!r} must be given as module:Class, the module as in an import: "
            "without .py, its folders separated by dots"
        )
    if not all(part.isidentifier() for part in (*module_name.split("."), *attribute.split("."))):
        raise PolicyError(f"the agent {shown!r} must be given as module:Class, such as my_policies:MyPolicy")
    module = _import(module_name, shown)
    found: Any = module
    for part in attribute.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise PolicyError(f"the agent {shown!r} cannot be loaded: {_whereabouts(module)} has no {attribute!r}")
    return _as_policy(found, shown, given)


def _check_types(name: object, environment: object, scenario: object, label: object) -> None:
    for what, value in (("the name of an agent", name), ("the name of an environment", environment)):
        if not isinstance(value, str):
            raise PolicyError(f"{what} must be text, got {in_short(value)}")
    for what, value in (("the name of a scenario", scenario), ("the label of an agent", label)):
        if value is not None and not isinstance(value, str):
            raise PolicyError(f"{what} must be text or None, got {in_short(value)}")


def _arguments(arguments: object) -> dict[str, Any]:
    if arguments is None:
        return {}
    if not isinstance(arguments, Mapping) or not all(isinstance(name, str) for name in arguments):
        raise PolicyError(f"arguments of an agent must be a dict with names, got {in_short(arguments)}")
    return dict(arguments)


def digest_of(made: object, files: Sequence[str | Path]) -> str:
    """A digest of the file that defines the class of an object, and of other files; "unknown" if one is unreadable."""
    digest = hashlib.sha256()
    try:
        for file in (inspect.getfile(type(made)), *files):
            digest.update(Path(file).read_bytes())
    except (OSError, TypeError):
        return UNKNOWN_DIGEST
    return digest.hexdigest()[:16]


def all_policies() -> tuple[PolicySpec, ...]:
    """The policies that the packages below `crowdgym.agents` list, in the order of the packages."""
    return tuple(policy for package in agent_packages() for policy in getattr(package, "POLICIES", ()))


def _learnt_in(environment: str) -> tuple[str, ...]:
    """The learners that have packaged weights for at least one scenario of an environment."""
    return tuple(name for name in learner_names() if trained_scenarios(name, environment))


def packaged_weights(name: str, environment: str, scenario: str) -> Path:
    """The folder of the weights that come with CrowdGym. Raises `PolicyError` if there are none."""
    there = trained_scenarios(name, environment)
    if scenario not in there:
        found = (
            f"there are weights for {', '.join(there)}"
            if there
            else f"there are none for any scenario of {environment}"
        )
        raise PolicyError(
            f"no weights of {name!r} come with CrowdGym for {environment} on {in_short(scenario)} ({found}); "
            f"'crowdgym train {name} {environment}' trains weights, and --agent FOLDER plays them"
        )
    return Path(str(files(find_learner(name).weights or "").joinpath(environment).joinpath(scenario)))


def _trained(folder: Path, name: str, environment: str) -> Policy:
    try:
        policy: Policy = load_trained(folder, environment)
    except ModuleNotFoundError as error:
        raise PolicyError(missing_package(error, f"the agent {name!r}") or described(error)) from None
    return policy


def _hint(name: str, environment: str) -> str:
    """A hint for an unknown name: a similar name, or the environments that have a policy of this name."""
    close = get_close_matches(name, (*policy_names(environment), *_learnt_in(environment)), n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    elsewhere = [other for one in all_policies() if one.name == name for other in one.environments or ()]
    return f", only for {', '.join(elsewhere)}" if elsewhere else ""


def _import(module_name: str, name: str) -> ModuleType:
    here = search_current_folder()
    try:
        return import_module(module_name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and is_missing(error, module_name):
            raise PolicyError(
                f"the agent {name!r} cannot be loaded: "
                f"there is no module {error.name!r}, neither in {here} nor installed"
            ) from None
        raise PolicyError(
            f"the agent {name!r} cannot be loaded: importing {module_name!r} raised {described(error)} "
            f"({where_raised(error)})"
        ) from error


def _as_policy(found: Any, name: str, arguments: Mapping[str, Any]) -> Policy:
    if is_rule(found):
        _check_arguments(partial(found, None, None), name, arguments)
        return FunctionPolicy(found, dict(arguments))
    made = found
    if inspect.isclass(found) or not hasattr(found, "act"):
        if not callable(found):
            raise PolicyError(
                f"the agent {name!r} must be a class with a method 'act', but it is {type(found).__name__} {found!r}"
            )
        made = _made(found, name, arguments)
    elif arguments:
        raise PolicyError(f"the agent {name!r} is made already and takes no arguments, got {dict(arguments)!r}")
    if not callable(getattr(made, "act", None)):
        raise PolicyError(
            f"the agent {name!r} must have a method act(observations, infos) that returns an action for every agent, "
            f"but {type(made).__name__} has none"
        )
    try:
        information_of(made)
    except PolicyError as error:
        raise PolicyError(f"the agent {name!r} cannot be loaded: {error}") from None
    policy: Policy = made
    return policy


def _made(make: Callable[..., Any], name: str, arguments: Mapping[str, Any]) -> Any:
    _check_arguments(make, name, arguments)
    try:
        return make(**arguments)
    except ConfigError as error:
        raise PolicyError(f"the agent {name!r} does not take the arguments {dict(arguments)!r}: {error}") from None
    except (Exception, SystemExit) as error:
        asked = f"with {dict(arguments)!r}" if arguments else "without arguments"
        raise PolicyError(
            f"the agent {name!r} must be made {asked}, but making it raised {described(error)} ({where_raised(error)})"
        ) from error


def _check_arguments(make: Callable[..., Any], name: str, arguments: Mapping[str, Any]) -> None:
    """Check that a class or function takes the arguments, if there are any."""
    try:
        inspect.signature(make).bind(**arguments)
    except TypeError as error:
        if arguments:
            raise PolicyError(f"the agent {name!r} does not take the arguments {dict(arguments)!r}: {error}") from None
    except ValueError:  # some classes of other languages have no signature
        pass


def _whereabouts(module: ModuleType) -> str:
    return (
        f"the module {module.__name__!r} ({module.__file__})" if module.__file__ else f"the module {module.__name__!r}"
    )
