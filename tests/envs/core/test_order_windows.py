"""Which orders become tasks: of three days with three orders each in the half hour from 18:00 on."""

from dataclasses import replace

import numpy as np
import pytest
from order_days import Chosen, three_days

from crowdgym.common.errors import ConfigError, DataError
from crowdgym.envs.core.order_windows import ChosenOrders, order_window

SIX_TEN = 18 * 3600 + 600.0


def chosen(seed: int = 0, *, dated: bool = True, **keywords: object) -> ChosenOrders:
    window = order_window(three_days(dated=dated), Chosen(**keywords))  # type: ignore[arg-type]
    return window.choose(np.random.default_rng(seed))


def test_all_nine_orders_of_the_window_are_drawn_from_all_days_together_by_the_clock() -> None:
    found = chosen(num_tasks=9)

    assert found.number.tolist() == [0, 3, 6, 1, 4, 7, 2, 5, 8]
    assert found.created_s.tolist() == [0.0] * 3 + [600.0] * 3 + [1200.0] * 3
    assert found.origin.tolist() == found.number.tolist()


@pytest.mark.parametrize("orders", ["drawn", "replay"])
def test_a_window_has_its_beginning_and_not_its_end(orders: str) -> None:
    """The window from 18:10 to 18:20 has the order of 18:10 of each day and not that of 18:20."""
    window: dict[str, object] = {"orders": orders, "days": "2", "window_start_s": SIX_TEN, "window_s": 600.0}

    assert chosen(num_tasks=1, **window).number.tolist() == [4]
    with pytest.raises(ConfigError, match="num_tasks must be at most 1,"):
        chosen(num_tasks=2, **window)
    assert chosen(num_tasks=2, **{**window, "window_s": 600.5}).number.tolist() == [4, 5]


def test_a_window_past_midnight_goes_on_with_the_small_hours() -> None:
    """Of the 24 hours from 20:00 on, the order at 20:00 is the first, that of 18:20 the last."""
    found = chosen(num_tasks=10, window_start_s=20 * 3600.0, window_s=86_400.0)

    assert (found.number[0], found.created_s[0]) == (9, 0.0)
    assert found.created_s[-1] == 22 * 3600.0 + 1200


def test_the_busiest_hour_begins_the_window() -> None:
    assert chosen(window_start_s="busiest", num_tasks=9).created_s.tolist()[0] == 0.0


@pytest.mark.parametrize(
    ("days", "zones"),
    [
        ("each", [{0, 1, 2}, {3, 4, 5}, {6, 7, 8}]),
        ("1..2,3", [{0, 1, 2, 3, 4, 5}, {6, 7, 8}]),
        ("2017-05-01, 2017-05-02..2017-05-03", [{0, 1, 2}, {3, 4, 5, 6, 7, 8}]),
        ("2", [{3, 4, 5}]),
    ],
)
def test_an_episode_has_orders_of_one_zone_of_days(days: str, zones: list[set[int]]) -> None:
    episodes = [set(chosen(seed, days=days, num_tasks=3).number.tolist()) for seed in range(40)]

    assert all(any(episode <= zone for zone in zones) for episode in episodes)
    assert all(any(episode <= zone for episode in episodes) for zone in zones)


def test_zones_are_equally_likely_however_long_they_are() -> None:
    first = sum(chosen(seed, days="1,2..3", num_tasks=1).number[0] < 3 for seed in range(400))

    assert first == pytest.approx(200, abs=50)  # five standard deviations


@pytest.mark.parametrize("seed", [0, 1])
def test_replayed_tasks_are_the_first_orders_of_the_day_at_their_own_times(seed: int) -> None:
    found = chosen(seed, orders="replay", days="2017-05-02", num_tasks=2)

    assert found.number.tolist() == [3, 4]
    assert found.created_s.tolist() == [0.0, 600.0]
    assert found.origin.tolist() == [3, 4]


@pytest.mark.parametrize("days", ["all", "each", "1..3"])
def test_a_replay_of_several_days_is_one_of_them_an_episode(days: str) -> None:
    episodes = {tuple(chosen(seed, orders="replay", days=days, num_tasks=3).number.tolist()) for seed in range(40)}

    assert episodes == {(0, 1, 2), (3, 4, 5), (6, 7, 8)}


def test_a_replay_goes_on_after_midnight_where_the_day_has_a_next_one() -> None:
    found = chosen(orders="replay", days="1", num_tasks=3, window_start_s=SIX_TEN, window_s=86_400.0)

    assert found.number.tolist() == [1, 2, 3]
    assert found.created_s.tolist() == [0.0, 600.0, 86_400.0 - 600]


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        (
            {"num_tasks": 10},
            "num_tasks must be at most 9, the orders of 'mine' in 1800 s from 18:00 on, got 10; a longer window_s",
        ),
        (
            {"num_tasks": 4, "days": "each"},
            "at most 3, the orders of 'mine' in 1800 s from 18:00 of 2017-05-01 on, got 4",
        ),
        ({"num_tasks": 4, "orders": "replay"}, "from 18:00 of 2017-05-01 on, got 4"),
        ({"num_tasks": 7, "days": "1..2", "dated": False}, "from 18:00 of day 1..2 on, got 7"),
        ({"days": "2..4"}, "days must be within 2017-05-01..2017-05-03, the days of 'mine', got '2..4'"),
        ({"days": "4", "dated": False}, "days must be within day 1..3, the days of 'mine', got '4'"),
        ({"days": "2017-04-30"}, "days must be within 2017-05-01..2017-05-03"),
    ],
)
def test_what_the_orders_do_not_hold_is_refused(keywords: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        chosen(**keywords)  # type: ignore[arg-type]


@pytest.mark.parametrize("orders", ["drawn", "replay"])
def test_a_zone_of_days_without_orders_is_refused(orders: str) -> None:
    days = three_days()
    gap = replace(days, orders=replace(days.orders, time_s=days.orders.time_s + 86_400 * (days.orders.time_s > 86_400)))

    with pytest.raises(ConfigError, match="num_tasks must be at most 0, the orders of 'mine' in 1800 s from 18:00 of"):
        order_window(gap, Chosen(orders=orders, days="2"))


@pytest.mark.parametrize(
    ("days", "dated", "sentence"),
    [
        ("weekend", True, "days is 'weekend'; expected a day as 2017-05-01, or days as 2017-05-01..2017-05-07"),
        ("1,", True, "days is ''; expected a day"),
        ("3..1", True, "days has '3..1'; expected the first day before the last"),
        ("0..1", True, "days is '0..1'; expected a day"),
        ("2017-05-01", False, "days is '2017-05-01', but the orders have no dates; expected numbers, 1 for the first"),
    ],
)
def test_days_that_are_none_are_refused(days: str, dated: bool, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        chosen(days=days, dated=dated)
