"""From YAML files and keywords to checked, frozen settings.

Three layers, the later one wins: the defaults of the environment (``envs/NAME.yaml``, or the defaults in the settings'
class for an environment of another package), the scenario's own settings (``scenarios/NAME.yaml``, where there is one),
and the keywords of the caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from crowdgym.common.errors import ConfigError, UnknownKeywordError

LONGEST_NAME = 64  # characters of a scenario's name; file systems take little more


class Settings(BaseModel):
    """The base of every environment's settings: frozen, strict about names and types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    environment: ClassVar[str]

    scenario: str

    @property
    def dataset(self) -> str:
        """The dataset of the scenario: the one that its file names, or the one of the same name."""
        return str(_read_yaml("scenarios", self.scenario).get("dataset", self.scenario))


class AgentSettings(BaseModel):
    """The base of every learning agent's hyperparameters: frozen, strict about names and types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    agent: ClassVar[str]


@dataclass(frozen=True)
class SettingDescription:
    """One setting, for lists of settings.

    Attributes:
        name: the keyword.
        default: its value in a scenario.
        meaning: one line, with the unit.
        choices: the words that it may be, if it may be one of a few; it may be a number besides where the meaning
            says so.
    """

    name: str
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()


AnySettings = TypeVar("AnySettings", bound=Settings)
AnyAgentSettings = TypeVar("AnyAgentSettings", bound=AgentSettings)


def load_settings(model: type[AnySettings], keywords: Mapping[str, object]) -> AnySettings:
    """Check ``keywords`` and add the defaults of the others.

    Raises:
        UnknownKeywordError: a keyword does not exist. The message lists the known keywords.
        ConfigError: a value cannot be used, or the preset is of other environments. The message names it and what was
            expected.
    """
    _refuse_unknown(model, model.environment, keywords)
    in_class = {name: field.default for name, field in model.model_fields.items() if not field.is_required()}
    defaults = {**in_class, **_read_yaml("envs", model.environment)}
    scenario = keywords.get("scenario", defaults["scenario"])
    if not isinstance(scenario, str) or not scenario:
        raise ConfigError(f"scenario must be the name of a dataset or preset, got {scenario!r}")
    content = _read_yaml("scenarios", scenario)
    preset = content.get(model.environment, {})
    if content and model.environment not in content and content["dataset"] != scenario:
        raise ConfigError(
            f"the preset {scenario!r} has no settings of {model.environment}, only of "
            f"{', '.join(_preset(scenario).settings)}; expected another preset, or its dataset {content['dataset']!r}"
        )
    try:
        return model(**{**defaults, **preset, **{name: _plain(value) for name, value in keywords.items()}})
    except ValidationError as error:
        raise ConfigError(_in_one_sentence(error)) from None


def load_agent_settings(
    model: type[AnyAgentSettings], environment: str, keywords: Mapping[str, object]
) -> AnyAgentSettings:
    """Check hyperparameters: the defaults of ``agents/NAME.yaml``, those it has for an environment, then ``keywords``.

    A file that ``extends`` another begins with all defaults of that one. A user's own learner has no such file; its
    defaults are those of its class.

    Raises:
        UnknownKeywordError: a hyperparameter does not exist. The message lists the known ones.
        ConfigError: a value cannot be used. The message names it and what was expected.
    """
    _refuse_unknown(model, model.agent, keywords)
    given = {name: _plain(value) for name, value in keywords.items()}
    try:
        return model(**{**_agent_defaults(model.agent, environment), **given})
    except ValidationError as error:
        raise ConfigError(_in_one_sentence(error)) from None


def describe_settings(model: type[Settings], scenario: str | None = None) -> tuple[SettingDescription, ...]:
    """Every setting of an environment, in order, with its default in a scenario.

    Args:
        model: the settings of the environment.
        scenario: the scenario of the defaults; if None, the default scenario of the environment.

    Raises:
        ConfigError: the scenario's values cannot be used.
    """
    settings = load_settings(model, {} if scenario is None else {"scenario": scenario})
    return tuple(
        SettingDescription(name, getattr(settings, name), field.description or "", words_in(field.annotation))
        for name, field in model.model_fields.items()
    )


def words_in(kind: Any) -> tuple[str, ...]:
    """The words of all `Literal` types in a type, in order, each once."""
    if get_origin(kind) is Literal:
        return tuple(word for word in get_args(kind) if isinstance(word, str))
    return tuple(dict.fromkeys(word for part in get_args(kind) for word in words_in(part)))


def default_scenario(environment: str) -> str:
    """The scenario that an environment of CrowdGym plays by default."""
    return str(_read_yaml("envs", environment)["scenario"])


def scenario_names() -> tuple[str, ...]:
    """The scenarios that come with CrowdGym. Every dataset is also a scenario."""
    names = (entry.name for entry in files("crowdgym.configs").joinpath("scenarios").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


@dataclass(frozen=True)
class Preset:
    """A scenario that comes with CrowdGym: a dataset and settings.

    Attributes:
        name: of the scenario.
        about: one line.
        dataset: dataset of the scenario.
        settings: by environment, the settings that differ from its defaults.
    """

    name: str
    about: str
    dataset: str
    settings: Mapping[str, Mapping[str, Any]]


def presets() -> tuple[Preset, ...]:
    """The scenarios that come with CrowdGym, in alphabetical order."""
    return tuple(map(_preset, scenario_names()))


def as_names(value: object) -> object:
    """For a setting of several names: a tuple from a list or from text with commas; "all" is unchanged."""
    if isinstance(value, str) and value != "all":
        return tuple(name.strip() for name in value.split(","))
    return tuple(value) if isinstance(value, list) else value


def as_text(value: object) -> object:
    """For a setting of text that can look like a number or a date, which YAML then makes of it."""
    return str(value) if isinstance(value, int | date) and not isinstance(value, bool) else value


def _preset(name: str) -> Preset:
    content = dict(_read_yaml("scenarios", name))
    return Preset(name, content.pop("about"), content.pop("dataset"), content)


def _agent_defaults(name: str, environment: str) -> dict[str, object]:
    """The defaults of ``agents/NAME.yaml`` in an environment, after those of the file that it extends."""
    content = _read_yaml("agents", name)
    extended = _agent_defaults(content["extends"], environment) if "extends" in content else {}
    return {**extended, **content.get("defaults", {}), **content.get("environments", {}).get(environment, {})}


def _refuse_unknown(model: type[BaseModel], owner: str, keywords: Mapping[str, object]) -> None:
    unknown = sorted(set(keywords) - set(model.model_fields))
    if unknown:
        close = get_close_matches(unknown[0], model.model_fields, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise UnknownKeywordError(
            f"{owner} has no keyword {unknown[0]!r}{hint} (known: {', '.join(model.model_fields)})"
        )


def _plain(value: object) -> object:
    """NumPy scalars as Python numbers; integers stay integers."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value


@cache
def _read_yaml(folder: str, name: str) -> dict[str, Any]:
    if len(name) > LONGEST_NAME or not name.replace("-", "").replace("_", "").isalnum():
        return {}
    resource = files("crowdgym.configs").joinpath(folder, f"{name}.yaml")
    if not resource.is_file():
        return {}
    content = yaml.safe_load(resource.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ConfigError(f"{resource} must hold a mapping of names to values")
    return content


def _in_one_sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    name = first["loc"][0] if first["loc"] else "settings"
    if first["type"] == "missing":
        return f"{name} must be given: it has no default here"
    wanted = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    others = [
        other["msg"].removeprefix("Input should be ") for other in error.errors()[1:] if other["loc"][:1] == (name,)
    ]
    ways = dict.fromkeys([wanted, *others])  # two numbers of one pair may lack the same
    return f"{name} must be {' or '.join(ways)}, got {first['input']!r}"
