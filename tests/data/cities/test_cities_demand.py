"""When orders come, and how unequal places are."""

from dataclasses import replace

import numpy as np
import pytest

from crowdgym.data.synthetic.cities.demand import WEEKDAY_PERCENT, WEEKEND_PERCENT, draw_times, shares_by_rank
from crowdgym.data.synthetic.cities.plan_haikou import HAIKOU
from crowdgym.data.synthetic.cities.plan_tiny import TINY


@pytest.mark.parametrize("percent", [WEEKDAY_PERCENT, WEEKEND_PERCENT])
def test_the_hours_of_a_day_add_up_to_all_orders(percent: tuple[float, ...]) -> None:
    assert len(percent) == 24
    assert sum(percent) == pytest.approx(100, abs=0.1)


def test_the_busiest_places_hold_what_they_are_given() -> None:
    weight = shares_by_rank(HAIKOU.orders.concentration, 10_000)
    assert weight[:100].sum() == pytest.approx(0.19, abs=0.005)
    assert weight[:500].sum() == pytest.approx(0.55, abs=0.005)
    assert weight[:1000].sum() == pytest.approx(0.77, abs=0.005)
    assert weight.sum() == pytest.approx(1.0)


def test_weights_fall_from_rank_to_rank_and_reach_everyone() -> None:
    weight = shares_by_rank(HAIKOU.orders.concentration, 10_000)
    assert np.all(np.diff(weight) <= 0)
    assert weight[-1] > 0


def test_the_first_day_is_a_monday_and_days_six_and_seven_a_weekend() -> None:
    """Between 7 and 8 come 3.28 % of a weekday's orders and 2.21 % of a weekend day's."""
    times = draw_times(replace(TINY.orders, per_day=20_000), np.random.default_rng(1))
    day, hour = times // 86_400, times % 86_400 // 3600
    share = np.array([np.mean(hour[day == d] == 7) for d in range(14)])
    weekend = np.isin(np.arange(14) % 7, (5, 6))
    assert share[~weekend] == pytest.approx(np.full(10, 0.0328), abs=0.005)
    assert share[weekend] == pytest.approx(np.full(4, 0.0221), abs=0.005)


def test_times_ascend_and_end_with_the_last_day() -> None:
    times = draw_times(replace(TINY.orders, days=3), np.random.default_rng(1))
    assert np.all(np.diff(times) >= 0)
    assert times[0] >= 0
    assert 2 * 86_400 < times[-1] < 3 * 86_400
