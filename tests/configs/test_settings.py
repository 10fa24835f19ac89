"""Settings and the keywords of constructors: the same names, types and order, written twice for type checkers."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from crowdgym.common.errors import ConfigError
from crowdgym.configs.cafe import CafeSettings, CaNofeSettings
from crowdgym.configs.csc import CscKeywords, CscSettings
from crowdgym.configs.dasc import DascKeywords, DascSettings
from crowdgym.configs.ippo import IppoSettings, TurnIppoSettings
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


def test_hyperparameters_of_a_learner_that_extends_another_begin_with_those_of_the_other() -> None:
    """ca-nofe extends cafe, cafe influence, influence ippo; each changes some. Those of an environment come along."""
    ours, cafe, ippo = (model.load("csc_v0") for model in (CaNofeSettings, CafeSettings, IppoSettings))
    assert (ours.refine_from, cafe.refine_from) == (1.0, 0.6)
    assert ours.model_dump(exclude={"refine_from"}) == cafe.model_dump(exclude={"refine_from"})
    assert (ours.network, ours.discount, ours.clip) == (ippo.network, ippo.discount, ippo.clip)
    assert CafeSettings.load("csc_v0", refine_from=0.5).refine_from == 0.5


def test_turn_ippo_is_ippo_but_for_four_settings() -> None:
    turn, ippo = TurnIppoSettings.load("csc_v0"), IppoSettings.load("csc_v0")
    assert (turn.turns, turn.mask_idle_gain, turn.gain_features, turn.entropy_coefficient) == (
        "gain",
        True,
        True,
        0.003,
    )
    changed = {"turns", "mask_idle_gain", "gain_features", "entropy_coefficient"}
    assert turn.model_dump(exclude=changed) == ippo.model_dump(exclude=changed)


def test_an_outer_level_of_revenue_needs_the_contribution_among_the_terms() -> None:
    with pytest.raises(ConfigError, match="outer = 'revenue' needs terms = 'wide', which contain the contribution"):
        CafeSettings.load("csc_v0", outer="revenue")


def test_a_learner_with_a_reward_of_its_own_takes_no_share_of_the_team() -> None:
    with pytest.raises(ConfigError, match=r"team_share must be less than or equal to 0, got 0\.5"):
        CafeSettings.load("csc_v0", team_share=0.5)
