"""The results of a suite: figures worked out by hand, the table as CSV and Markdown, and the picture."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from crowdgym.bench.report.markdown import failures_of, markdown, terminal_tables
from crowdgym.bench.report.plot import plot
from crowdgym.bench.report.statistics import interquartile_mean, interquartile_means, mean_difference
from crowdgym.bench.report.table import ResultTable
from crowdgym.configs.suites import SuiteSettings

EIGHT = (2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0)  # mean 5, deviation 2, middle half 4 4 5 5

SUITE = SuiteSettings.model_validate(
    {
        "about": "by hand",
        "environment": "csc_v0",
        "scenarios": ["north", "south"],
        "grid": [{"num_workers": [1, 2], "num_tasks": [7]}, {"num_workers": [2], "num_tasks": [7, 8]}],
        "agents": ["b", "a"],
        "first_seed": 0,
        "episodes": 8,
        "metrics": ["revenue", "completed"],
        "share_of_bound": True,
        "time_limit_s": 1.0,
        "published": [
            {"scenario": "north", "agent": "b", "at": {"num_workers": 1, "num_tasks": 7}, "mean": 4.0, "sd": 0.5},
            {"scenario": "north", "agent": "b", "at": {"num_tasks": 7, "num_workers": 2}, "mean": 2.0},
        ],
    }
)


GIVEN = "centralised (inside)"


def episodes(scenario: str, agent: str, workers: int, tasks: int, scores: Any, *failed: int) -> list[dict[str, Any]]:
    """A line for each score; those of the seeds ``failed`` say why there is none."""
    at = {"suite": "hand", "scenario": scenario, "agent": agent, "num_workers": workers, "num_tasks": tasks}
    return [
        {**at, "seed": seed, "failure": "it was lazy"}
        if seed in failed
        else {**at, "seed": seed, "revenue": score, "completed": 2, "steps": 1, "information": GIVEN, "failure": None}
        for seed, score in enumerate(scores)
    ]


def bounds(scenario: str, workers: int, tasks: int, bound: float) -> list[dict[str, Any]]:
    at = {"suite": "hand", "scenario": scenario, "num_workers": workers, "num_tasks": tasks}
    return [{**at, "seed": seed, "bound": bound} for seed in range(8)]


@cache
def table() -> ResultTable:
    """North: b in all three cells, a in one, in another with two failures. South: b in one, without bounds."""
    return ResultTable.of(
        SUITE,
        [
            *episodes("north", "a", 1, 7, EIGHT, 3, 5),
            *episodes("north", "b", 1, 7, EIGHT),
            *episodes("south", "b", 1, 7, [3.0] * 8),
            *episodes("north", "b", 2, 7, [3.0] * 8),
            *episodes("north", "b", 2, 8, [6.0] * 8),
            *episodes("north", "a", 2, 7, [0.0, 1.0]),
        ],
        [*bounds("north", 1, 7, 10.0), *bounds("north", 2, 7, 4.0), *bounds("north", 2, 8, 8.0)],
    )


# Statistics


def test_the_interquartile_mean_is_that_of_the_middle_half() -> None:
    assert interquartile_mean(np.array(EIGHT)[:, np.newaxis]).value == 4.5
    assert interquartile_mean(np.array([[100.0], [1.0], [0.0], [3.0], [2.0]])).value == 2.0  # one cut off at each end


def test_many_cells_at_once_are_each_by_itself() -> None:
    """A column of equal scores has them for an interval, whatever is in the other."""
    two, same = np.array([[0.0, 7.0], [1.0, 7.0]]), [0.0, 0.5, 1.0]
    first, second = interquartile_means(two)
    assert [first.low, first.value, first.high] == same
    assert (second.low, second.value, second.high) == (7.0, 7.0, 7.0)
    (eight,) = interquartile_means(np.array(EIGHT)[:, np.newaxis])
    assert eight == interquartile_mean(np.array(EIGHT)[:, np.newaxis])


def test_the_interval_of_two_scores_goes_from_one_to_the_other() -> None:
    """Each is drawn twice in a quarter of all samples, more often than 1 in 40."""
    interval = interquartile_mean(np.array([[0.0], [1.0]]))
    assert (interval.low, interval.value, interval.high) == (0.0, 0.5, 1.0)


def test_episodes_are_drawn_within_their_cell() -> None:
    """Four times 0 in one cell and four times 10 in the other: so it is in every sample."""
    interval = interquartile_mean(np.tile([0.0, 10.0], (4, 1)))
    assert (interval.low, interval.value, interval.high) == (5.0, 5.0, 5.0)


def test_the_same_scores_give_the_same_interval_whatever_was_drawn_before_and_change_no_other_draw() -> None:
    scores = np.random.default_rng(1).normal(size=(9, 2))
    np.random.seed(5)  # noqa: NPY002
    first = interquartile_mean(scores)
    drawn = np.random.random()  # noqa: NPY002
    second = interquartile_mean(scores)
    assert first == second
    np.random.seed(5)  # noqa: NPY002
    assert np.random.random() == drawn  # noqa: NPY002
    assert first.low < first.value < first.high


def test_the_interval_agrees_with_that_of_rliable() -> None:
    """Agarwal et al.'s own library, version 1.2.0, with 2,000 samples gave 0.5452 and 0.4754 to 0.6085."""
    interval = interquartile_mean(np.random.default_rng(0).random((20, 8)).round(3))
    assert interval.value == pytest.approx(0.5451625)
    assert (interval.low, interval.high) == pytest.approx((0.4754, 0.6085), abs=0.005)  # the noise of 2,000 samples


def test_a_difference_is_a_share_of_the_others_mean() -> None:
    ours, theirs = np.array([[11.0], [13.0]]), np.array([[10.0], [10.0]])
    difference = mean_difference(ours, theirs)
    assert (difference.low, difference.value, difference.high) == pytest.approx((0.1, 0.2, 0.3))


def test_what_differs_between_instances_does_not_widen_the_interval_of_a_difference() -> None:
    theirs = np.array([[1.0], [100.0], [10_000.0]])
    difference = mean_difference(theirs + 101.01, theirs)
    assert (difference.low, difference.high) == pytest.approx((difference.value, difference.value))


def test_a_difference_below_zero_stays_below_for_a_negative_mean() -> None:
    assert mean_difference(np.array([[-3.0]]), np.array([[-2.0]])).value == -0.5


# The table


def test_the_csv_has_the_figures_worked_out_by_hand() -> None:
    lines = table().to_csv().splitlines()
    assert lines[0] == (
        "scenario,agent,num_workers,num_tasks,metric,mean,sd,iqm,iqm_low,iqm_high,share_of_bound,episodes,paper,"
        "information"
    )
    rows = [line.split(",") for line in lines[1:] if ",revenue," in line]
    assert [row[:4] for row in rows] == [
        ["north", "b", "1", "7"],
        ["north", "b", "2", "7"],
        ["north", "b", "2", "8"],
        ["north", "a", "1", "7"],
        ["north", "a", "2", "7"],
        ["south", "b", "1", "7"],
    ]
    assert rows[0][5:8] == ["5.000000", "2.000000", "4.500000"]
    assert rows[0][10:] == ["0.500000", "8", "4.000000", GIVEN]  # mean of 0.2 0.4 0.4 0.4 0.5 0.5 0.7 0.9
    assert rows[1][5:-1] == ["3.000000", "0.000000", "3.000000", "3.000000", "3.000000", "0.750000", "8", "2.000000"]
    assert rows[4][5:-1] == ["0.500000", "0.500000", "0.500000", "0.000000", "1.000000", "0.125000", "2", ""]
    assert rows[5][10:-1] == ["", "8", ""]  # no bound, nothing published


def test_a_grid_point_with_a_failure_has_no_figures_and_says_how_many_episodes_finished() -> None:
    (line,) = [line for line in table().to_csv().splitlines() if line.startswith("north,a,1,7,revenue")]
    assert line == f"north,a,1,7,revenue,,,,,,,6,,{GIVEN}"
    assert failures_of(table()) == [
        "a on north, num_workers = 1, num_tasks = 7: 2 of 8 episodes failed; the one of seed 3: it was lazy"
    ]


def test_the_share_of_all_cells_and_what_it_is_off_the_published_points() -> None:
    of = {(one.scenario, one.agent): one for one in table().summaries("revenue")}
    # Points of the two sweeps: 5 of 4 is 25 % above; 3 of 2 is 50 % above, and in both sweeps.
    assert of["north", "b"].deviations == pytest.approx((0.25, 0.5, 0.5))
    # Shares: 8 of EIGHT / 10, 8 times 3 / 4, 8 times 6 / 8: of 24, the middle 12 from the seventh on: .5 -> .75.
    share = of["north", "b"].share
    assert share is not None
    assert share.value == pytest.approx((0.7 + 11 * 0.75) / 12)
    assert of["north", "a"].share is None  # an episode failed
    assert of["south", "b"].share is None  # no bound


def test_the_markdown_has_a_table_for_each_sweep_with_the_papers_figures_beside_ours() -> None:
    text = markdown(table(), "hand")
    assert "Information: centralised (inside): `b`, `a`." in text
    assert "### revenue, north by num_workers (num_tasks = 7)" in text
    assert "| num_workers | `b` | paper | off | `a` |" in text
    assert "| 1 | 5.0000 ± 2.0000 | 4.0000 ± 0.5000 | +25.0 % | 2 failed |" in text
    assert "| 2 | 3.0000 ± 0.0000 | 2.0000 | +50.0 % | 0.5000 ± 0.5000 |" in text
    assert "### revenue, north by num_tasks (num_workers = 2)" in text
    assert "| 8 | 6.0000 ± 0.0000 |  |  |  |" in text
    assert "### revenue, south by num_workers (num_tasks = 7)" in text
    assert "| north | `b` | 74.6 % [" in text
    assert "] | 3 | 41.7 % | 50.0 % |" in text
    assert "- a on north, num_workers = 1, num_tasks = 7: 2 of 8 episodes failed" in text


def test_on_the_terminal_agents_are_beside_each_other() -> None:
    revenue, completed = terminal_tables(table(), "hand")
    headings, rows = revenue.headings, revenue.rows
    assert (revenue.title, completed.title) == ("hand: revenue", "hand: completed")
    assert headings[:5] == ["scenario", "num_workers", "num_tasks", "agent", "information"]
    assert [row[:4] for row in rows[:3]] == [
        ["north", "1", "7", "b"],
        ["north", "1", "7", "a"],
        ["north", "2", "7", "b"],
    ]
    assert rows[0][4:6] == [GIVEN, "5.0000 ± 2.0000"]
    assert rows[0][7:] == ["50.0 %", "8", "4.0000 ± 0.5000", "+25.0 %"]
    assert rows[1][5] == "2 failed"


def test_the_picture_is_the_same_for_the_same_table() -> None:
    assert plot(table(), "north", "revenue").startswith(b"\x89PNG")
    assert plot(table(), "north", "revenue") == plot(table(), "north", "revenue")
    assert plot(table(), "south", "revenue") != plot(table(), "north", "revenue")


def compared(*rows: dict[str, Any]) -> ResultTable:
    """A suite whose agents are compared with b."""
    suite = SuiteSettings.model_validate({**SUITE.model_dump(), "compared_with": "b"})
    return ResultTable.of(suite, [*episodes("north", "b", 1, 7, EIGHT), *rows], [])


def test_agents_are_compared_on_the_same_instances() -> None:
    twice = [2 * score for score in EIGHT]
    found = compared(*episodes("north", "a", 1, 7, twice))
    row = found.find("north", "a", "revenue", {"num_workers": 1, "num_tasks": 7})
    difference = found.difference([row])
    assert difference is not None
    assert difference.value == pytest.approx(1.0)
    assert difference.low < 1.0 < difference.high
    text = markdown(found, "hand")
    assert "### revenue, difference to `b` on the same instances [95 %], north by num_workers (num_tasks = 7)" in text
    assert f"| 1 | +100.0 % [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}] |" in text


def test_agents_are_not_compared_on_other_instances() -> None:
    for rows in (episodes("north", "a", 1, 7, EIGHT[:5]), episodes("north", "a", 1, 7, EIGHT, 3)):
        found = compared(*rows)
        row = found.find("north", "a", "revenue", {"num_workers": 1, "num_tasks": 7})
        assert found.difference([row]) is None
        assert "difference" not in markdown(found, "hand")
    assert table().difference([table().rows[0]]) is None  # the suite compares with no agent


def test_a_suite_compares_with_one_of_its_agents() -> None:
    with pytest.raises(ValueError, match="compared_with must be one of the agents, got 'c'"):
        SuiteSettings.model_validate({**SUITE.model_dump(), "compared_with": "c"})
