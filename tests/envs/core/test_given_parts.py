"""What a dataset gives of tasks and workers, and where environments are asked to use it."""

from dataclasses import replace

import numpy as np
import pytest
from order_days import SIX, Chosen, stream, three_days

from crowdgym.common.errors import ConfigError
from crowdgym.data.dataset import Dataset
from crowdgym.envs.core.given_parts import GivenParts, WorkerPlaces, parts_of
from crowdgym.envs.core.order_windows import ChosenOrders, order_window

NAN = np.nan
FARES = [8.5, NAN, 0.0, *[1.0] * 7]
WINDOWS_S = [600.0, NAN, 0.0, *[1.0] * 7]
QUANTITIES = [6.0, NAN, 0.0, *[2.0] * 6, NAN]  # of those greater than 0 the mean is 18 / 7
DRAWN = np.array([100.0, 200.0, 300.0])


def given() -> Dataset:
    return three_days(payment=FARES, deadline_s=WINDOWS_S, quantity=QUANTITIES)


def first_three(dataset: Dataset) -> ChosenOrders:
    return order_window(dataset, Chosen(num_tasks=3, orders="replay", days="1")).choose(np.random.default_rng(0))


def test_fares_are_payments_where_an_order_has_one() -> None:
    parts = GivenParts.of(given(), ("payments",))

    assert parts.payments(first_three(given()), DRAWN).tolist() == [8.5, 200.0, 300.0]


def test_deadlines_count_from_creation() -> None:
    parts = GivenParts.of(given(), ("deadlines",))

    np.testing.assert_array_equal(parts.windows_s(first_three(given())), [600.0, NAN, NAN])


def test_quantities_are_in_means_of_the_dataset() -> None:
    parts = GivenParts.of(given(), ("quantities",))

    np.testing.assert_allclose(parts.relative_quantities(first_three(given())), [6 / (18 / 7), NAN, NAN])


def test_what_is_not_asked_for_is_drawn() -> None:
    parts, chosen = GivenParts.of(given(), ()), first_three(given())

    assert parts.payments(chosen, DRAWN).tolist() == DRAWN.tolist()
    assert np.isnan(parts.windows_s(chosen)).all()
    assert np.isnan(parts.relative_quantities(chosen)).all()


def test_all_are_the_parts_that_the_dataset_gives() -> None:
    some = three_days(payment=FARES)
    some = replace(some, workers=stream([SIX]))

    assert parts_of(some) == ("payments", "workers")
    assert GivenParts.of(some, "all").used == {"payments", "workers"}
    assert GivenParts.of(three_days(), "all").used == frozenset()


def test_a_part_that_the_dataset_does_not_give_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"from_data must name parts that 'mine' gives \(payments\), got 'workers'"):
        GivenParts.of(three_days(payment=FARES), ("payments", "workers"))
    with pytest.raises(ConfigError, match=r"'mine' gives \(it gives none\), got 'deadlines'"):
        GivenParts.of(three_days(), ("deadlines",))


def places(times_s: list[int], count: int, seed: int = 0, orders: str = "replay", **parts: list[float]) -> list[int]:
    """Where workers begin at 18:00; the log's first began at node 3."""
    dataset = replace(three_days(), workers=stream(times_s, first_node=3, **parts))
    workers = WorkerPlaces(GivenParts.of(dataset, ("workers",)), Chosen(num_workers=count, orders=orders))
    return workers.draw(np.random.default_rng(seed)).tolist()


LOG = [6 * 3600, 17 * 3600, 19 * 3600]


def test_replayed_orders_have_the_workers_who_began_last_before_the_window_then_the_next() -> None:
    assert places(LOG, 2) == [4, 3]
    assert places(LOG, 3) == [4, 3, 5]


def test_workers_of_drawn_orders_are_drawn_and_none_twice() -> None:
    drawn = {tuple(places(LOG, 2, seed, orders="drawn")) for seed in range(60)}

    assert drawn == {(3, 4), (3, 5), (4, 3), (4, 5), (5, 3), (5, 4)}


def test_only_workers_whose_shift_holds_the_beginning_are_there() -> None:
    """Shifts from 06:00 to 18:00, from 17:00 to 18:01, from 19:00 over midnight to 18:30, and one without an end."""
    shifts_s = [12 * 3600.0, 3660.0, 23.5 * 3600, NAN]

    assert sorted(places([*LOG, 2 * 3600], 3, deadline_s=shifts_s)) == [4, 5, 6]
    with pytest.raises(
        ConfigError, match="at most 3, the workers of 'mine' who are at work when the window begins, got 4"
    ):
        places([*LOG, 2 * 3600], 4, deadline_s=shifts_s)


def test_days_of_the_log_are_taken_together() -> None:
    assert places([17 * 3600, 86_400 + 17 * 3600 + 1800], 1) == [4]
