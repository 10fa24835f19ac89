"""Settings and the keywords of constructors: the same names, types and order, written twice for type checkers."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from crowdgym.common.errors import ConfigError
from crowdgym.configs.csc import CscKeywords, CscSettings
from crowdgym.configs.dasc import DascKeywords, DascSettings
from crowdgym.configs.loading import Settings, describe_settings
from crowdgym.configs.preference import PreferenceKeywords, PreferenceSettings
from crowdgym.configs.sensing import SensingKeywords, SensingSettings

PAIRS = [
    (CscSettings, CscKeywords),
    (DascSettings, DascKeywords),
    (PreferenceSettings, PreferenceKeywords),
    (SensingSettings, SensingKeywords),
]


def plain(kind: Any) -> Any:
    """A type without the bounds and converters of `Annotated`, at every depth."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return plain(parts[0])
    if origin is None or origin is Literal:
        return kind
    if origin in (Union, types.UnionType):
        return Union[tuple(plain(part) for part in parts)]  # noqa: UP007 - of a number of parts that is not known
    return origin[tuple(part if part is ... else plain(part) for part in parts)]


@pytest.mark.parametrize(("settings", "keywords"), PAIRS)
def test_keywords_are_the_settings(settings: type[Settings], keywords: type) -> None:
    given = get_type_hints(keywords)
    assert list(given) == list(settings.model_fields)
    checked = get_type_hints(settings)
    for name, kind in given.items():
        assert plain(checked[name]) == kind, name


@pytest.mark.parametrize("settings", [settings for settings, _ in PAIRS])
def test_every_setting_says_in_one_line_what_it_means(settings: type[Settings]) -> None:
    for described in describe_settings(settings):
        assert described.meaning, described.name
        assert "\n" not in described.meaning


def test_a_setting_is_described_with_its_default() -> None:
    step = next(each for each in describe_settings(CscSettings) if each.name == "step_s")
    assert (step.default, step.meaning) == (30.0, "time between two decisions, seconds")


def test_defaults_are_those_of_the_scenario() -> None:
    of = {each.name: each.default for each in describe_settings(CscSettings, "chengdu-paper")}
    assert of["scenario"] == "chengdu-paper"
    assert of["payment_mean"] == CscSettings.load(scenario="chengdu-paper").payment_mean != 1558.0


def test_a_scenario_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="scenario must be the name"):
        describe_settings(CscSettings, "")
