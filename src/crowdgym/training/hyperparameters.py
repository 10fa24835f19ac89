"""The hyperparameters of a learner in an environment: their names, meanings and defaults."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from crowdgym.agents.catalogue import LearnerSpec
from crowdgym.common.errors import ConfigError, UnknownKeywordError
from crowdgym.configs.learning import LearnerSettings
from crowdgym.learners import learner_settings
from crowdgym.registration import environment_spec


@dataclass(frozen=True)
class Hyperparameter:
    """A hyperparameter, with its default in an environment."""

    name: str
    default: Any
    meaning: str

    @property
    def text(self) -> str:
        """The default as ``--set`` takes it."""
        return "null" if self.default is None else str(self.default)


def hyperparameters(spec: LearnerSpec, environment: str) -> Iterator[Hyperparameter]:
    """The hyperparameters of a learner, in the order of its settings class."""
    model = learner_settings(spec)
    meanings = model.meanings()
    for name, default in model.load(environment).model_dump(mode="json").items():
        yield Hyperparameter(name, default, meanings[name])


def split_keywords(
    spec: LearnerSpec, environment: str, keywords: Mapping[str, Any]
) -> tuple[dict[str, Any], LearnerSettings]:
    """Split keywords into those of the environment and those of the learner.

    Returns:
        The keywords of the environment, checked, and the settings of the learner.

    Raises:
        UnknownKeywordError: a keyword belongs neither to the environment nor to the learner. The message lists both.
        ConfigError: a value cannot be used.
    """
    model = learner_settings(spec)
    of_learner = {name: value for name, value in keywords.items() if name in model.model_fields}
    of_environment = {name: value for name, value in keywords.items() if name not in of_learner}
    try:
        environment_spec(environment).settings_class().load(**of_environment)
    except UnknownKeywordError as error:
        raise UnknownKeywordError(f"{error}{_of_learner_instead(spec, environment, of_environment)}") from None
    try:
        return of_environment, model.load(environment, **of_learner)
    except ConfigError as error:
        raise ConfigError(f"{error} ({spec.name} in {environment}: {_defaults(spec, environment)})") from None


def _of_learner_instead(spec: LearnerSpec, environment: str, keywords: Mapping[str, Any]) -> str:
    of_environment = environment_spec(environment).settings_class().model_fields
    unknown = [name for name in keywords if name not in of_environment]
    names = learner_settings(spec).model_fields
    close = [match for name in unknown for match in get_close_matches(name, names, n=1)]
    hint = f"; did you mean {spec.name}'s {close[0]!r}?" if close else ""
    return f"{hint} (hyperparameters of {spec.name}: {_defaults(spec, environment)})"


def _defaults(spec: LearnerSpec, environment: str) -> str:
    return ", ".join(f"{each.name}={each.text}" for each in hyperparameters(spec, environment))
