"""The suite ``preference-sources``: who plays, what the learnt agents know, and what its page says."""

from typing import Any

import numpy as np
import pytest

import crowdgym
from crowdgym.agents.information import information_of
from crowdgym.agents.preference.policies import KmPolicy
from crowdgym.agents.preference.sources import TableSource, UniformSource
from crowdgym.bench.preference import hook
from crowdgym.bench.preference.hook import BLIND, LEARNT, ORACLE, STRATEGIES, PreferenceSources, difference_text
from crowdgym.bench.report.table import ResultTable
from crowdgym.configs.suites import named_suite
from crowdgym.configs.ta_fpl import TaFplSettings
from crowdgym.runner import run_episodes

SUITE = named_suite("preference-sources")


def tiny(population_seed: int) -> Any:
    keywords = {"num_workers": 6, "num_centres": 2, "history_events": 12, "population_seed": population_seed}
    return crowdgym.make("preference_v0", scenario="preference-tiny", **keywords)


def preferences_of(name: str, env: Any) -> np.ndarray[Any, Any]:
    policy = PreferenceSources().make_agent(name, env)
    assert isinstance(policy, KmPolicy)
    assert isinstance(policy.source, TableSource)
    return policy.source.preferences(None)  # type: ignore[arg-type]  # a table needs no state


def test_all_strategies_play_and_everyone_is_compared_with_the_shares_of_histories() -> None:
    assert {*LEARNT.values()} == set(STRATEGIES) == {"local", "fedavg", "fedprox", "feddyn", "scaffold", "central"}
    assert {BLIND, ORACLE, *LEARNT} < set(SUITE.agent_names)
    assert SUITE.compared_with == "km"
    assert SUITE.share_of_bound


def test_the_blind_agent_knows_nothing_and_the_oracle_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    env = tiny(0)
    blind = PreferenceSources().make_agent(BLIND, env)
    assert isinstance(blind, KmPolicy)
    assert isinstance(blind.source, UniformSource)
    oracle, seen = PreferenceSources().make_agent(ORACLE, env), []

    class Spy(TableSource):
        def __init__(self, table: np.ndarray[Any, Any]) -> None:
            seen.append(table)
            super().__init__(table)

    monkeypatch.setattr(hook, "TableSource", Spy)
    run_episodes(env, oracle, agent=ORACLE, episodes=1, seed=7)
    np.testing.assert_array_equal(seen[0], env.instance.preference)
    assert information_of(oracle) == "clairvoyant"


def test_a_learnt_agent_knows_its_population_which_is_learnt_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="the extra 'agents' is not installed")
    short = TaFplSettings.load("preference_v0", strategy="local", rounds=1, personal_epochs=0)
    loaded: list[dict[str, object]] = []

    def load(environment: str, **keywords: object) -> TaFplSettings:
        loaded.append(keywords)
        return short

    monkeypatch.setattr(TaFplSettings, "load", load)
    first = preferences_of("km-local", tiny(0))
    assert first.shape == (6, 8)
    np.testing.assert_allclose(first.sum(axis=1), 1.0)
    assert preferences_of("km-local", tiny(0)) is first  # another environment of the same population
    assert not np.array_equal(preferences_of("km-local", tiny(1)), first)
    assert loaded == [{"strategy": "local"}] * 2


def test_the_page_compares_populations() -> None:
    suite = SUITE.corner()
    rows = [
        {
            **point,
            "suite": "s",
            "scenario": "preference-tiny",
            "agent": agent,
            "seed": seed,
            "failure": None,
            "information": "x",
        }
        | {"accepted": 10.0 + population + gain + spread * (seed - 4000.5), "declined": 1.0, "preference": 0.5}
        for population, point in enumerate(suite.points())
        for agent, gain in (("km", 0.0), ("km-oracle", 4.0 + 2.0 * population))
        for seed, spread in ((4000, 1.0), (4001, 1.0))
    ]
    page = PreferenceSources().markdown(ResultTable.of(suite, rows, []), "preference-sources")
    # the oracle has 4 and 6 more: 5 ± t(0.975, 1) · 1 = 5 ± 12.7
    assert "### accepted, preference-tiny, 2 populations" in page
    assert "| `km` | 10.5 |  |  |" in page
    assert "| `km-oracle` | 15.5 | +5.0 (-7.7 to +17.7) |  |" in page
    assert "difference to `km` on the same instances" in page  # the tables of every suite follow


@pytest.mark.parametrize(
    ("differences", "text"),
    [([1.0, 1.0], "+1.0 (+1.0 to +1.0)"), ([2.0], "+2.0"), ([0.0, 0.0], ""), ([1.0, 3.0], "+2.0 (-10.7 to +14.7)")],
)
def test_a_difference_as_text(differences: list[float], text: str) -> None:
    assert difference_text(np.array(differences)) == text
