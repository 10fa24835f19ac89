"""The CAFE paper's tables as data."""

import pytest

from crowdgym.bench.published.cafe import (
    _BY_TASKS,
    _BY_WORKERS,
    AGENTS,
    CITIES,
    COUNTS,
    Point,
    _entries,
    points,
    published,
)


def test_every_agent_has_a_figure_at_every_point() -> None:
    figures = published()
    assert set(figures) == {(agent, point) for agent in AGENTS for city in CITIES for point in points(city)}
    assert len(figures) == len(AGENTS) * len(CITIES) * 13


@pytest.mark.parametrize("city", CITIES)
def test_the_point_that_is_in_both_tables_is_the_same_in_both(city: str) -> None:
    def at_200(table: str) -> dict[str, object]:
        return {agent: revenue for agent, count, revenue in _entries(table) if count == 200}

    assert at_200(_BY_TASKS[city]) == at_200(_BY_WORKERS[city])


@pytest.mark.parametrize(
    ("agent", "point", "mean", "sd"),
    [
        ("greedy", Point("chengdu", 200, 50), 65_300, 1_600),
        ("cafe", Point("chengdu", 200, 350), 415_500, 14_200),
        ("pau", Point("haikou", 50, 200), 163_800, 17_300),
        ("ca-nofe", Point("haikou", 350, 200), 298_700, 5_500),
        ("ippo", Point("chengdu", 350, 200), 237_100, 4_200),
    ],
)
def test_figures_at_the_corners(agent: str, point: Point, mean: float, sd: float) -> None:
    revenue = published()[agent, point]
    assert (revenue.mean, revenue.sd) == (pytest.approx(mean), pytest.approx(sd))


def test_points_are_table_1_and_then_table_2() -> None:
    assert points("haikou") == (
        *(Point("haikou", 200, count) for count in COUNTS),
        *(Point("haikou", count, 200) for count in COUNTS),
    )
