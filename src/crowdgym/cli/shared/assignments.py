"""Options of the form ``NAME=VALUE``: the keywords of an environment, and the columns of a file."""

from datetime import date
from typing import Any

from crowdgym.common.errors import ConfigError, DataError

# Keywords of the constructors that take objects, or that have an option of their own.
_NOT_SETTINGS = ("render_mode", "generator", "reward_strategy")


def keywords_of(assignments: list[str], scenario: str | None) -> dict[str, Any]:
    """The keywords of an environment: those of ``--set``, and ``--scenario`` if it is given.

    Raises:
        ConfigError: see `parse_assignments`; or the scenario is given twice.
    """
    keywords = parse_assignments(assignments)
    if scenario is not None:
        if "scenario" in keywords:
            raise ConfigError(f"the scenario is given twice: {scenario!r} and {keywords['scenario']!r}")
        keywords["scenario"] = scenario
    return keywords


def parse_assignments(assignments: list[str]) -> dict[str, Any]:
    """Turn ``NAME=VALUE`` of ``--set`` into keywords; see `named_values`.

    Raises:
        ConfigError: as `named_values`; or an assignment is not for ``--set``.
    """
    keywords = named_values("--set", assignments, "num_workers=200")
    for name in _NOT_SETTINGS:
        if name in keywords:
            raise ConfigError(
                f"--set takes settings, but {name} is not a setting; see 'crowdgym run --help' for the other options"
            )
    return keywords


def named_values(option: str, assignments: list[str], example: str) -> dict[str, Any]:
    """Turn ``NAME=VALUE`` into a dict; a value is a YAML scalar: a number, true, false, or text.

    Raises:
        ConfigError: an assignment is not ``NAME=VALUE``, or is given twice.
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.strip()
        if not equals or not name:
            raise ConfigError(f"{option} must be NAME=VALUE, such as {example}, got {assignment!r}")
        if name in values:
            raise ConfigError(f"{option} {name} is given twice: {values[name]!r} and {text!r}")
        values[name] = _scalar(option, name, text)
    return values


def lists_of(assignments: list[str], option: str) -> dict[str, list[Any]]:
    """Turn ``NAME=VALUE,VALUE`` into lists; a value is one of `parse_assignments`.

    Raises:
        ConfigError: an assignment is not of this form, or a name is given twice.
    """
    lists: dict[str, list[Any]] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name or not all(text.split(",")):
            raise ConfigError(f"{option} must be NAME=VALUE,VALUE, such as num_workers=100,200, got {assignment!r}")
        if name in lists:
            raise ConfigError(f"{option} {name} is given twice; expected all its values in one option")
        lists[name] = [_scalar(option, name, value) for value in text.split(",")]
    return lists


def _scalar(option: str, name: str, text: str) -> Any:
    import yaml

    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # a number of thousands of digits, brackets in brackets
        value = None
    if isinstance(value, bool) or (isinstance(value, int | float) and ":" not in text):  # 8:30 is no number to us
        return value
    try:
        return float(text)  # 1e3, which YAML takes for text
    except ValueError:
        pass
    if isinstance(value, date):
        return text  # a day
    if not isinstance(value, str):
        raise ConfigError(f"{option} {name} must be a number, true, false or a word, got {text!r}")
    return value


def column_pairs(option: str, given: list[str], known: tuple[str, ...], form: str = "KEY=COLUMN") -> dict[str, str]:
    """Turn ``KEY=COLUMN``, or what else ``form`` calls it, into a dict.

    Raises:
        DataError: a pair is not of that form, has an unknown key, or is given twice.
    """
    pairs: dict[str, str] = {}
    for text in given:
        key, mark, value = text.partition("=")
        if not mark or not value or key not in known:
            raise DataError(
                f"{option} is {text!r}; expected {form} where {form.partition('=')[0]} is one of {', '.join(known)}"
            )
        if key in pairs:
            raise DataError(f"{option} {key} is given twice ({pairs[key]!r} and {value!r}); expected it once")
        pairs[key] = value
    return pairs
