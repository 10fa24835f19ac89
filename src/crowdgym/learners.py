"""Learners by name, and the folders of trained agents.

Each folder of ``crowdgym.agents`` may list learners in the ``LEARNERS`` of its ``__init__``. A user's own
learner is given as ``module:ATTRIBUTE``, where the attribute is a `LearnerSpec`.
"""

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import crowdgym.agents
from crowdgym.agents.catalogue import LearnerSpec
from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import CheckpointError, ConfigError
from crowdgym.common.files import is_file

if TYPE_CHECKING:
    from crowdgym.configs.learning import LearnerSettings


def learner_names() -> tuple[str, ...]:
    """The learners that come with CrowdGym."""
    return tuple(_learners())


def find_learner(name: str) -> LearnerSpec:
    """A learner by its name, or by ``module:ATTRIBUTE``.

    Raises:
        ConfigError: there is no such learner; lists those that exist.
    """
    known = _learners()
    if name in known:
        return known[name]
    if ":" not in name:
        raise ConfigError(
            f"there is no learner {name!r} (known: {', '.join(known)}; your own is given as module:ATTRIBUTE)"
        )
    found = load_entry_point(name)
    if not isinstance(found, LearnerSpec):
        raise ConfigError(f"the learner {name!r} must be a LearnerSpec, but it is {type(found).__name__} {found!r}")
    return found


def learner_settings(spec: LearnerSpec) -> "type[LearnerSettings]":
    """The class of a learner's hyperparameters."""
    settings: type[LearnerSettings] = load_entry_point(spec.settings)
    return settings


def load_trained(folder: Path, environment: str) -> Any:
    """The policy in the folder of a trained agent, made by the learner that its ``agent.yaml`` names.

    Raises:
        CheckpointError: the folder holds no trained agent, or an agent of another environment.
        ConfigError: there is no such learner.
        ModuleNotFoundError: the learner needs a package that is not installed.
    """
    from crowdgym.agents.learning.description import read_description

    return load_entry_point(find_learner(read_description(folder).agent).policy)(folder, environment)


def trained_environment(agent: str | None) -> tuple[str, dict[str, Any]] | None:
    """The environment of a trained agent, and its keywords; None if ``agent`` is no folder of a trained agent.

    Raises:
        CheckpointError: its description is damaged.
    """
    from crowdgym.agents.learning.description import DESCRIPTION, read_description

    if agent is None or not is_file(Path(agent) / DESCRIPTION):
        return None
    description = read_description(Path(agent))
    return description.environment, dict(description.keywords)


def learner_of(folder: Path) -> str | None:
    """The name of the learner that trained the agent in a folder; None if it is no folder of a trained agent.

    Raises:
        CheckpointError: its description is damaged.
    """
    from crowdgym.agents.learning.description import DESCRIPTION, read_description

    return read_description(folder).agent if is_file(folder / DESCRIPTION) else None


def refuse_misfit(policy: Any, env: Any) -> None:
    """Check that a trained policy can play an environment; other policies are not checked.

    A trained policy has the attribute ``description``, and a method ``check_fit`` if it cannot play all sizes.

    Raises:
        CheckpointError: it cannot play it. The message names the settings that differ from those of training.
    """
    if not hasattr(policy, "check_fit"):
        return
    first = env.possible_agents[0]
    width, num_actions = env.observation_space(first).shape[0], int(env.action_space(first).n)
    try:
        policy.check_fit(width, num_actions, env.metadata)
    except CheckpointError as error:
        had, has = policy.description.config, env.settings.model_dump(mode="json")
        names = [name for name in has if name in had and had[name] != has[name]]
        if not names:
            raise
        trained, asked = (", ".join(f"{name}={values[name]}" for name in names) for values in (had, has))
        raise CheckpointError(f"the agent was trained with {trained}, but this run has {asked} ({error})") from None


def agent_packages() -> tuple[ModuleType, ...]:
    """The packages below `crowdgym.agents`, in alphabetical order; each may list ``POLICIES`` and ``LEARNERS``."""
    return _packages_in(tuple(crowdgym.agents.__path__))


@cache
def _packages_in(path: tuple[str, ...]) -> tuple[ModuleType, ...]:
    return tuple(import_module(f"crowdgym.agents.{entry.name}") for entry in pkgutil.iter_modules(path) if entry.ispkg)


def _learners() -> dict[str, LearnerSpec]:
    return {spec.name: spec for package in agent_packages() for spec in getattr(package, "LEARNERS", ())}
