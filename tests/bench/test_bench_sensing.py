"""The suite ``sensing-paper``: its grid, the paper's figures, the bound, and what its page says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import crowdgym
from crowdgym.agents.sensing.static import GivenStatic
from crowdgym.bench.jobs import EpisodeJob
from crowdgym.bench.published.qco_ta import ATTRIBUTES, INFERENCES, PARTICIPANTS, published
from crowdgym.bench.report.table import ResultTable
from crowdgym.bench.sensing.claims import OTHERS, findings
from crowdgym.bench.sensing.clairvoyant import Clairvoyant, Pool, plan, pool_of
from crowdgym.bench.sensing.hindsight import best_static_cells
from crowdgym.bench.sensing.hook import SensingPaper
from crowdgym.bench.sensing.known_series import errors_of_set, known_series
from crowdgym.bench.sensing.schemes import BASELINES, FRONT_PREFIX, OURS, SchemeTable
from crowdgym.bench.suite import Suite
from crowdgym.common.errors import ConfigError
from crowdgym.configs.suites import named_suite
from crowdgym.runner import run_episodes

PAPER = named_suite("sensing-paper")
FRONT = [name for name in PAPER.agent_names if name.startswith(FRONT_PREFIX)]


def jobs(**choices: tuple[str, ...]) -> list[EpisodeJob]:
    """The episodes of the whole suite."""
    (episodes,) = Suite("sensing-paper", PAPER).job_lists(Path("run"), choices, traces=False)
    return list(episodes.jobs)


def test_the_grid_has_every_column_of_the_paper_ten_times_for_each_of_its_schemes() -> None:
    episodes = jobs()
    assert len(set(episodes)) == len(episodes) == 6840
    for agent in (*BASELINES, "qco-ta", OURS):
        for inference in INFERENCES:
            of = jobs(agent=(agent,), inference=(inference,), start_s=("0.0",))
            assert len(of) == len(PARTICIPANTS) * len(ATTRIBUTES) * 10
            assert {job.instance.seed for job in of} == set(range(10))


def test_a_part_of_the_grid() -> None:
    some = jobs(num_participants=("8",), agent=("qco-ta",), inference=("idw",), start_s=("0.0",))
    assert {(dict(j.instance.point)["num_participants"], j.agent.name) for j in some} == {(8, "qco-ta")}
    assert len(some) == 3 * 10


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"cells": ("1",)}, "sensing-paper has no parameter 'cells' .known: suite, scenario, agent, "),
        ({"num_participants": ("9",)}, "num_participants must be one of 8, 10, 12, 14, got '9'"),
    ],
)
def test_what_is_not_in_the_grid_is_refused(choices: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        jobs(**choices)


def test_the_number_of_attributes_stands_for_the_first_of_the_scenario() -> None:
    point = {"inference": "knn", "num_attributes": 2}
    assert SensingPaper().keywords("piemonte-synth", point) == {"inference": "knn", "attributes": ("EMI", "PM10")}
    with pytest.raises(ConfigError, match="num_attributes must be at most 4 on 'piemonte-synth', got 5"):
        SensingPaper().keywords("piemonte-synth", {"num_attributes": 5})


def test_the_error_with_the_range_is_that_of_the_same_play_with_this_normalisation() -> None:
    ends = {}
    for normalisation in ("p99", "range"):
        env = crowdgym.make("sensing_v0", num_participants=8, normalisation=normalisation, horizon_s=20 * 86_400.0)
        policy = crowdgym.policies.load_policy("uns-ta", "sensing_v0")
        ends[normalisation] = env, run_episodes(env, policy, agent="it", episodes=1, seed=0).episodes[0].metrics
    measured = SensingPaper().measure(*ends["p99"])
    assert measured == {"error_range": pytest.approx(ends["range"][1]["error"], rel=1e-12)}


def test_the_paper_has_180_errors_and_180_costs() -> None:
    for metric in ("error", "cost_km"):
        assert len(published(metric)) == 5 * 4 * 9
    # The gains of QCO-TA over OO-MTA that section 5.5.1 names, KNN, two attributes: 4.8 %, 4.4 %, 3.0 %, 3.1 %. For the
    # second of them the table gives 3.4 %.
    error = published("error")
    gains = [error["oo-mta", p, 2, "knn"] - error["qco-ta", p, 2, "knn"] for p in PARTICIPANTS]
    assert gains == pytest.approx([0.048, 0.034, 0.030, 0.031])


# The bound


def static_environment(inference: str = "knn") -> Any:
    return crowdgym.make(
        "sensing_v0", num_participants=8, attributes=("EMI", "PM10"), inference=inference, horizon_s=20 * 86_400.0
    )


@pytest.mark.parametrize(("inference", "tolerance"), [("knn", 1e-12), ("idw", 1e-12), ("svr", 1e-4)])
def test_the_error_of_cells_that_are_kept_is_the_one_that_the_environment_takes(
    inference: str, tolerance: float
) -> None:
    env = static_environment(inference)
    cells = best_static_cells(env.settings)
    assert len(cells) == 8
    run_episodes(env, GivenStatic(cells), agent="it", episodes=1, seed=0)
    found = env.snapshot().error[1:]  # the first cycle is a placement that is drawn
    errors = errors_of_set(known_series(env.settings), np.isin(np.arange(24), cells), 1, 20)
    assert found == pytest.approx(errors, abs=tolerance)


def test_no_cells_drawn_at_random_are_better_than_the_bound() -> None:
    env, generator = static_environment(), np.random.default_rng(7)

    def error(cells: Any) -> float:
        run_episodes(env, GivenStatic(cells), agent="it", episodes=1, seed=0)
        return float(env.snapshot().error[1:].mean())

    best = error(best_static_cells(env.settings))
    assert all(error(generator.choice(24, 8, replace=False)) > best for _ in range(20))


def test_a_plan_moves_where_that_saves_more_error_than_it_costs() -> None:
    """Two sets, 2 km apart. The first is better by 1 in cycles 1 and 2, the second by 1 in cycles 3 to 5."""
    errors = np.array([[0.0, 0.0], [1.0, 2.0], [1.0, 2.0], [2.0, 1.0], [2.0, 1.0], [2.0, 1.0]])
    distance_km = np.array([[0.0, 2.0], [2.0, 0.0]])
    pool = Pool(np.array([[0], [1]]), errors, distance_km, distance_km)
    assert plan(pool, np.array([0]), 1.0) == [0, 0, 1, 1, 1]
    assert plan(pool, np.array([0]), 1.6) == [0] * 5


def test_who_knows_the_future_is_at_least_as_good_as_fixed_cells() -> None:
    env = static_environment()

    def objective(policy: Any, weight: float) -> float:
        mean = run_episodes(env, policy, agent="it", episodes=2, seed=0).mean
        return mean["error"] + weight * mean["cost_km"]

    pool = pool_of(env.settings)
    for weight in (0.0, 0.02):
        fixed = objective(GivenStatic(best_static_cells(env.settings)), weight)
        assert objective(Clairvoyant(pool, weight), weight) <= fixed + 1e-12


# Findings


def rows(
    agent: str, error: float, cost_km: float, scenario: str = "piemonte", inference: str = "knn"
) -> list[dict[str, Any]]:
    """An episode in each of the twelve columns, the same everywhere."""
    at = {"suite": "sensing-paper", "scenario": scenario, "agent": agent, "inference": inference, "start_s": 0.0}
    return [
        {
            **at,
            "num_participants": p,
            "num_attributes": a,
            "seed": 0,
            "error": error,
            "error_range": error,
            "cost_km": cost_km,
            "information": "centralised",
            "failure": None,
        }
        for p in PARTICIPANTS
        for a in ATTRIBUTES
    ]


def results(*agents: list[dict[str, Any]], scenario: str = "piemonte") -> ResultTable:
    """The results of a suite with these episodes."""
    suite = PAPER.model_copy(update={"scenarios": (scenario,)})
    return ResultTable.of(suite, [row for of in agents for row in of], [])


def found(*agents: list[dict[str, Any]]) -> dict[str, tuple[str, bool]]:
    """The figures and whether the claim holds, by claim."""
    table = SchemeTable.of(results(*agents), "piemonte")
    return {one.claim: (one.found, one.holds) for one in findings(table)}


def of_claim(words: str, *agents: list[dict[str, Any]]) -> tuple[str, bool]:
    """The one finding whose claim has these words."""
    (one,) = [one for claim, one in found(*agents).items() if words in claim]
    return one


def test_ours_has_to_be_better_at_lower_cost() -> None:
    qco, claim = rows("qco-ta", 0.2, 2.0), "gaussian-swap has less error"
    assert of_claim(claim, qco, rows(OURS, 0.1, 1.0)) == (
        "error in 12 of 12 (0.50 times on average), cost in 12 (0.50 times)",
        True,
    )
    assert not of_claim(claim, qco, rows(OURS, 0.1, 2.0))[1]
    assert not of_claim(claim, qco, rows(OURS, 0.2, 1.0))[1]


def test_qco_ta_has_to_be_cheapest_and_about_as_good_as_oo_mta() -> None:
    others = [rows(agent, 0.2, 4.0) for agent in BASELINES]
    good = rows("qco-ta", 0.21, 1.0)
    assert of_claim("costs less", good, *others) == (
        "in 12 of 12 columns; 0.25 of the cheapest baseline's cost on average",
        True,
    )
    assert of_claim("1.05 times", good, *others) == ("1.050 times", True)
    assert of_claim("the paper's claim", good, *others) == ("in 0 of 12", False)
    assert not of_claim("costs less", rows("qco-ta", 0.21, 4.0), *others)[1]
    assert not of_claim("1.05 times", rows("qco-ta", 0.22, 1.0), *others)[1]


def test_the_front_has_to_dominate_every_point() -> None:
    front = [rows(agent, 0.3 - 0.05 * k, 1.0 + k) for k, agent in enumerate((OURS, *FRONT))]
    others = [rows(agent, 0.31, 1.5) for agent in OTHERS]
    claim = "every point of the paper's schemes, column by column, KNN"
    assert of_claim(claim, *front, *others) == ("60 of 60 points", True)
    assert of_claim("means over the columns", *front, *others) == ("6 of 6 schemes", True)
    cheap = rows("ewa-ta", 0.31, 0.9)  # worse, but cheaper than all of the front
    some = [cheap if of[0]["agent"] == "ewa-ta" else of for of in others]
    assert of_claim(claim, *front, *some) == ("48 of 60 points; not dominated: ewa-ta 12", False)
    assert of_claim("means over the columns", *front, *some) == ("5 of 6 schemes; not: ewa-ta", False)


def test_all_36_columns_are_counted_together() -> None:
    """With SVR ours is cheaper but no better than QCO-TA, and the front's other point does not dominate it either."""
    played = []
    for inference in INFERENCES:
        error = 0.3 if inference == "svr" else 0.1
        played += [rows(OURS, error, 1.0, inference=inference), rows(FRONT[0], error, 1.5, inference=inference)]
        played += [rows(agent, 0.2, 2.0, inference=inference) for agent in OTHERS]
    assert of_claim("less cost than QCO-TA in 33", *played) == ("error in 24, cost in 36, both in 24", False)
    assert of_claim("The front dominates every point", *played) == ("in 24 of 36", False)


def test_uniform_sampling_is_held_against_the_papers_figures() -> None:
    paper = published("cost_km")
    uniform = rows("uns-ta", 0.25, 0.0)
    for row in uniform:
        of = [cost for (agent, p, _, _), cost in paper.items() if (agent, p) == ("uns-ta", row["num_participants"])]
        row["cost_km"] = float(np.mean(of)) * 1.05
        row["error"] = published("error")["uns-ta", row["num_participants"], row["num_attributes"], "knn"] + 0.01
    off = "+5.0 % (P = 8), +5.0 % (P = 10), +5.0 % (P = 12), +5.0 % (P = 14)"
    assert of_claim("UNS-TA's cost", uniform) == (off, True)
    assert of_claim("UNS-TA's error", uniform) == ("0.0100", True)
    for row in uniform:
        row["cost_km"] *= 1.05
        row["error"] += 0.02
    assert [holds for _, holds in found(uniform).values()] == [False, False]


def test_nothing_is_said_of_what_was_not_played() -> None:
    assert found(rows("qco-ta", 0.2, 2.0)) == {}


# The page


def test_on_the_papers_series_the_page_has_the_papers_figures_and_claims() -> None:
    page = SensingPaper().markdown(results(rows("qco-ta", 0.2, 2.0), rows(OURS, 0.1, 1.0)), "sensing-paper")
    assert "| `qco-ta` | 8 | 0.200 (0.153) |" in page
    assert "| `qco-ta` | 0.2000 | 0.1746 | 2.000 | 3.588 |" in page
    assert "## Cost in km (table 2)" in page
    assert "| gaussian-swap has less error than QCO-TA" in page


def test_the_page_says_what_share_of_the_possible_is_reached() -> None:
    """At λ = 0.02: 0.3 without moving, 0.1 + 0.02 at best; ours is at 0.2 + 0.01, half of the way."""
    bound = rows("clairvoyant λ=0.02", 0.1, 1.0)
    others = [rows("random-static", 0.3, 0.0), rows(OURS, 0.2, 0.5), rows("hindsight-best-static", 0.15, 0.0)]
    page = SensingPaper().markdown(results(bound, *others), "sensing-paper")
    assert "| KNN | 0.02 | 0.3000 | 0.2100 | 0.1500 | 0.1200 | 50 % | 83 % |" in page


def test_on_another_series_the_page_has_nothing_of_the_paper() -> None:
    played = [rows(agent, 0.2, 2.0, "elsewhere") for agent in (*OTHERS, OURS, *FRONT)]
    page = SensingPaper().markdown(results(*played, scenario="elsewhere"), "sensing-paper")
    assert "| `qco-ta` | 8 | 0.200 |" in page
    assert "| `qco-ta` | 0.2000 | 2.000 |" in page
    assert not [word for word in ("paper", "0.153", "claim", "table 1", "piemonte") if word in page]


def test_a_scheme_that_failed_is_left_out_of_the_page() -> None:
    failed = [{**row, "failure": "it raised", "error": None, "cost_km": None} for row in rows("ewa-ta", 0, 0)]
    page = SensingPaper().markdown(results(rows("qco-ta", 0.2, 2.0), failed), "sensing-paper")
    assert "ewa-ta" not in page
