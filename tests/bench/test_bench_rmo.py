"""The suite ``dasc-rmo``: the runs that it trains, and its results, worked out by hand."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from crowdgym.bench.report.table import ResultTable
from crowdgym.bench.rmo.hook import DascRmo
from crowdgym.bench.rmo.page import page
from crowdgym.bench.rmo.results import RmoResults
from crowdgym.bench.training import RUNS_NAME, check_training, teacher_jobs, training_jobs
from crowdgym.common.errors import ConfigError
from crowdgym.configs.suites import SuiteSettings, named_suite

SUITE = SuiteSettings.model_validate(
    {
        "environment": "dasc_v0",
        "scenarios": ["dasc-small"],
        "settings": {"num_tasks": 24},
        "grid": [
            {"alpha": [0.2, 0.5], "beta": [0.2], "num_workers": [20]},
            {"alpha": [0.2], "beta": [0.2], "num_workers": [10, 20]},
        ],
        "agents": ["recommend-all", "rolling-horizon"],
        "first_seed": 50,
        "episodes": 4,
        "metrics": ["revenue"],
        "hook": "crowdgym.bench.rmo.hook:DascRmo",
        "training": {
            "learner": "rmo",
            "teacher": "task-schedule",
            "teacher_steps": 7,
            "steps": 9,
            "seeds": 2,
            "settings": {"eta": "fixed", "clip": 0.1},
            "variants": {"plain": {"transfer_weight": 0.0}, "search": {"eta": "search"}},
            "several": ["search"],
            "starts": {"(0.5, 0.2)": {"alpha": 0.5}},
            "only": {"alpha": [0.2]},
        },
    }
)
BASE = {"alpha": 0.2, "beta": 0.2, "num_workers": 20}


def episodes(agent: str, alpha: float, workers: int, *revenue: float) -> list[dict[str, Any]]:
    at = {"scenario": "dasc-small", "agent": agent, "alpha": alpha, "beta": 0.2, "num_workers": workers}
    return [
        {**at, "seed": 50 + number, "revenue": value, "failure": None, "information": "x"}
        for number, value in enumerate(revenue)
    ]


def trained(variant: str, seed: int, profit: tuple[float, float], revenue: list[list[float]]) -> dict[str, Any]:
    curve = [
        {"steps": 0.0, "evaluation": profit[0]},
        {"steps": 9.0, "evaluation": profit[1], "alpha": 0.6, "beta": 0.3},
    ]
    of = {"scenario": "dasc-small", "variant": variant, "seed": seed}
    return {**of, "curve": curve, "processor_s": 3.0, "revenue": revenue}


@cache
def results() -> RmoResults:
    played = [
        *episodes("recommend-all", 0.2, 20, 10.0, 10.0, 10.0, 10.0),
        *episodes("recommend-all", 0.5, 20, 12.0, 11.0, 14.0, 13.0),
        *episodes("recommend-all", 0.2, 10, 5.0, 5.0, 5.0, 5.0),
        *episodes("rolling-horizon", 0.2, 20, 20.0, 20.0, 20.0, 20.0),
    ]
    runs = [
        trained("plain", 0, (1.0, 3.0), [[24.0, 24.0, 24.0, 24.0], [6.0, 6.0, 6.0, 6.0]]),
        trained("plain", 1, (3.0, 7.0), [[26.0, 26.0, 26.0, 26.0], [8.0, 8.0, 8.0, 8.0]]),
        trained("search from (0.5, 0.2)", 0, (1.0, 1.0), []),
    ]
    return RmoResults(ResultTable.of(SUITE, played, [], runs), "dasc-small")


# ---- the runs


def test_variants_are_trained_with_every_seed_and_starts_with_one() -> None:
    jobs = training_jobs("mine", SUITE, Path("out"))
    assert [(job.variant, job.seed) for job in jobs] == [("plain", 0), ("search from (0.5, 0.2)", 0), ("plain", 1)]
    assert dict(jobs[0].hyperparameters) == {"num_tasks": 24, "eta": "fixed", "clip": 0.1, "transfer_weight": 0.0}
    assert dict(jobs[1].hyperparameters) == {"num_tasks": 24, "eta": "search", "clip": 0.1, "alpha": 0.5}
    assert len({job.folder for job in jobs}) == 3


def test_all_runs_begin_with_the_clone_of_the_scenario() -> None:
    (clone,) = teacher_jobs("mine", SUITE, Path("out"))
    assert (clone.learner, dict(clone.hyperparameters)["teacher"], clone.steps) == ("clone", "task-schedule", 7)
    assert clone.folder == Path("out") / RUNS_NAME / "dasc-small" / "clone"
    assert {job.init for job in training_jobs("mine", SUITE, Path("out"))} == {clone.folder}


def test_trained_policies_play_the_grid_points_that_the_suite_says() -> None:
    job, other, _ = training_jobs("mine", SUITE, Path("out"))
    usual = {"num_tasks": 24, "utility": (0.2, 0.2)}
    assert [dict(point) for point in job.points] == [{**usual, "num_workers": 20}, {**usual, "num_workers": 10}]
    assert (job.first_seed, job.episodes) == (50, 4)
    assert other.points == ()


def test_a_suite_without_training_trains_nothing() -> None:
    plain = named_suite("dasc-settings")
    assert teacher_jobs("x", plain, Path("out")) == training_jobs("x", plain, Path("out")) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learner": "rmoo"}, "there is no learner 'rmoo'"),
        ({"settings": {"clip": "much"}}, "clip"),
        ({"teacher": "absent"}, "there is no agent 'absent'"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_played(changes: dict[str, Any], message: str) -> None:
    content = SUITE.model_dump(mode="json")
    wrong = SuiteSettings.model_validate({**content, "training": {**content["training"], **changes}}, strict=False)
    with pytest.raises(ConfigError, match=message):
        check_training("mine", wrong)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"several": ["plan"]}, r"several must be some of the variants \(plain, search\), got 'plan'"),
        ({"only": {"gamma": [1]}}, "only of training must name parameters of the grid"),
    ],
)
def test_what_a_suite_may_not_say_of_training(changes: dict[str, Any], message: str) -> None:
    content = SUITE.model_dump(mode="json")
    with pytest.raises(ValidationError, match=message):
        SuiteSettings.model_validate({**content, "training": {**content["training"], **changes}}, strict=False)


def test_alpha_and_beta_are_the_weights_of_the_utility() -> None:
    assert DascRmo().keywords("dasc-small", BASE) == {"num_workers": 20, "utility": (0.2, 0.2)}


# ---- the results


def test_a_curve_is_the_mean_over_seeds() -> None:
    curve = results().curve("plain")
    assert (curve.steps, [of.value for of in curve.profit], curve.seeds) == ([0.0, 9.0], [2.0, 5.0], 2)


def test_a_trained_policy_is_compared_on_the_same_instances() -> None:
    """Means of 24 and 26: 25, and 20 of rolling-horizon."""
    assert results().agents(BASE) == ("recommend-all", "rolling-horizon", "plain")
    above = results().above("plain", "rolling-horizon", BASE)
    assert above is not None
    assert (above.value, above.low, above.high) == pytest.approx((0.25, 0.25, 0.25))


def test_the_best_weights_are_chosen_on_one_half_and_measured_on_the_other() -> None:
    """On instances 0 and 2 they earn 13 of 10; on 1 and 3 they earn 12 of 10."""
    best = results().best_eta()
    assert best is not None
    assert best.eta == (0.5, 0.2)
    assert best.gain.value == pytest.approx(0.2)
    assert best.episodes == 2


def test_the_paths_of_the_weights() -> None:
    assert results().paths == {"search from (0.5, 0.2)": [(0.6, 0.3)]}


def test_a_sweep_changes_one_size() -> None:
    points = results().sweep_of("num_workers")
    assert [point["num_workers"] for point in points] == [10, 20]
    found = [results().revenue("plain", point) for point in points]
    assert [np.mean(of) for of in found if of is not None] == [7.0, 25.0]
    assert results().revenue("rolling-horizon", points[0]) is None


def test_the_page_and_the_pictures() -> None:
    table = results().table
    text = page(table, "mine")
    assert "| `plain` | 25 | +25.0 % [+25.0, +25.0] |" in text
    assert "The best point on every other instance is (0.5, 0.2)" in text
    assert "| `plain` | 7 | 25 |" in text
    drawn = DascRmo().pictures(table)
    assert tuple(drawn) == DascRmo().picture_names(SUITE)
    assert all(picture.startswith(b"\x89PNG") for picture in drawn.values())
