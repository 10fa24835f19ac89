"""The price of a worker's second, by hand.

Three workers with skills {0}, {0} and {0, 1}; the first is busy. Two tasks have been seen, paying 800 and 1,200: the
mean is 1,000, so with no weight but that of the level a second costs 0.1 times its exponential.
"""

import numpy as np
import pytest

from crowdgym.agents.csc.epoch_reader import DEMAND_S, Columns, Crowd, Memory, empty_memory
from crowdgym.agents.csc.price_of_time import FEATURES, mean_payment_seen, price_of_time

COLUMNS = Columns(*range(21), *[1.0] * 8, 5000.0)


def crowd() -> Crowd:
    busy = np.array([True, False, False])
    places = np.zeros(3)
    return Crowd(~busy, np.zeros(3, bool), busy, places, places, places, np.array([1, 1, 3]), np.array([1, 1, 2]))


def memory() -> Memory:
    remembered = empty_memory(3, 2, 2)
    remembered.payments[:] = 2, 2000
    return remembered


def price(
    weights: dict[str, float], waiting_s: tuple[float, float] = (0.0, 0.0), now_s: float = 0.0, demand_s: float = 0.0
) -> list[float]:
    remembered = memory()
    remembered.demand_s[0] = demand_s
    columns = COLUMNS._replace(num_skills=2)
    vector = np.array([weights.get(name, 0.0) for name in FEATURES])
    return price_of_time(vector, columns, remembered, crowd(), np.array(waiting_s), now_s).tolist()


def test_the_level_is_a_factor() -> None:
    assert price({}) == pytest.approx([0.1] * 3)
    assert price({"level": np.log(2)}) == pytest.approx([0.2] * 3)


def test_before_a_task_is_seen_the_mean_payment_is_one() -> None:
    assert mean_payment_seen(empty_memory(3, 2, 2)) == 1.0
    assert mean_payment_seen(memory()) == 1000.0


def test_weight_one_is_in_proportion_to_the_share_that_is_busy() -> None:
    assert price({"busy_share": 1}) == pytest.approx([0.1 * (1 / 3 + 0.02)] * 3)


def test_arriving_work_is_per_second_and_worker() -> None:
    """After a long time what fades and what comes balance: 3 a second for three workers are twice the usual half."""
    assert price({"arriving_work": 1}, demand_s=3 * DEMAND_S, now_s=1e6) == pytest.approx([0.1 * 2.02] * 3)


def test_waiting_work_is_per_worker() -> None:
    assert price({"waiting_work": 1}, (600, 300)) == pytest.approx([0.1 * 1.02] * 3)


def test_the_price_falls_towards_the_end() -> None:
    assert price({"time_left": 1}, now_s=1000.0) == pytest.approx([0.1 * 1.02] * 3)
    assert price({"time_left": 1}, now_s=4000.0) == pytest.approx([0.1 * 0.52] * 3)
    assert price({"time_left": 1}, now_s=5000.0) == pytest.approx([0.1 * 0.02] * 3)


def test_who_has_more_skills_costs_more() -> None:
    """1, 1 and 2 skills, 4/3 in the mean."""
    assert price({"own_skills": 1}) == pytest.approx([0.075, 0.075, 0.15])


def test_who_has_the_skill_that_is_wanted_costs_more() -> None:
    """Skill 1 waits with 300 for one and a half workers: 200 each. The third has 100 of it, the mean is 100/3."""
    cheap, dear = 0.1 / (100 / 3 + 1), 0.1 * 101 / (100 / 3 + 1)
    assert price({"scarce_skills": 1}, (0, 300)) == pytest.approx([cheap, cheap, dear])


def test_no_weight_makes_a_price_infinite_or_nothing() -> None:
    assert price({"level": 1e9}) == pytest.approx([0.1 * np.exp(5)] * 3)
    assert price({"level": -1e9}) == pytest.approx([0.1 * np.exp(-8)] * 3)
