"""The book of histories, and the population that is drawn from a known model."""

from dataclasses import replace

import numpy as np
import pytest

from crowdgym.common.errors import ConfigError, DataError
from crowdgym.data.dataset import CATEGORIES
from crowdgym.data.histories import CentreHistories, HistoryBook
from crowdgym.data.histories.synthetic import Population, PopulationPlan, centres_of, draw_population
from crowdgym.data.registry import load_dataset

NUM_CATEGORIES = len(CATEGORIES)
PLAN = PopulationPlan(
    num_workers=7,
    num_centres=3,
    history_events=20,
    num_places=40,
    num_types=4,
    centre_concentration=0.5,
    seed=5,
)


def population(**changes: object) -> Population:
    return draw_population(load_dataset("tiny"), replace(PLAN, **changes))  # type: ignore[arg-type]


def test_shares_by_hand() -> None:
    histories = CentreHistories(
        worker=np.array([4, 4, 4, 6], np.int32),
        place=np.array([0, 1, 0, 2], np.int32),
        category=np.array([2, 0, 2, 1], np.int8),
        time_s=np.array([0.0, 5.0, 9.0, 1.0]),
    )
    shares = histories.category_shares(np.array([4, 5, 6]), 3)
    np.testing.assert_allclose(shares, [[1 / 3, 0, 2 / 3], [0, 0, 0], [0, 1, 0]])


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="the arrays of a history must have one length"):
        CentreHistories(np.zeros(2, np.int32), np.zeros(1, np.int32), np.zeros(2, np.int8), np.zeros(2))


def test_the_book_gives_one_centre_at_a_time() -> None:
    book = population().histories
    assert book.num_centres == 3
    assert [sorted(set(book.of(p).worker.tolist())) for p in range(3)] == [[0, 1, 2], [3, 4], [5, 6]]
    for centre in (-1, 3):
        with pytest.raises(DataError, match=f"centre must be from 0 to 2, got {centre}"):
            book.of(centre)


def test_the_book_has_no_call_that_returns_all() -> None:
    public = {name for name in dir(HistoryBook) if not name.startswith("_")} | set(vars(population().histories))
    assert {name for name in public if not name.startswith("_")} == {"of", "num_centres", "places", "digest"}
    with pytest.raises(TypeError):
        iter(population().histories)  # type: ignore[call-overload]


def test_the_digest_tells_books_apart() -> None:
    one, same, other = (population(seed=seed).histories.digest for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert one.shape == (8,)


def test_centres_are_blocks() -> None:
    assert centres_of(7, 3).tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_histories_are_sorted_and_name_places_of_their_category() -> None:
    drawn = population()
    for p in range(3):
        own = drawn.histories.of(p)
        assert len(own) == 20 * len(set(own.worker.tolist()))
        assert (np.diff(own.worker) >= 0).all()
        assert (np.diff(own.time_s)[np.diff(own.worker) == 0] > 0).all()
        np.testing.assert_array_equal(drawn.histories.places.category[own.place], own.category)


def test_every_category_of_the_city_has_a_place() -> None:
    dataset, places = load_dataset("tiny"), population(num_places=8).histories.places
    assert set(places.category.tolist()) == set(dataset.category[np.unique(dataset.orders.origin)].tolist())
    np.testing.assert_array_equal(dataset.category[places.node], places.category)


def test_a_seed_fixes_everything_and_another_changes_it() -> None:
    one, same, other = population(), population(), population(seed=6)
    np.testing.assert_array_equal(one.truth.place, same.truth.place)
    np.testing.assert_array_equal(one.preference, same.preference)
    assert (one.truth.place != other.truth.place).any()


def test_more_centres_than_workers_are_refused() -> None:
    with pytest.raises(ConfigError, match="num_centres must be at most num_workers = 7, got 8"):
        population(num_centres=8)


def test_probabilities_are_distributions() -> None:
    truth = population().truth
    for event in (0, 1, 19, 20):
        category = truth.category_probabilities(event)
        np.testing.assert_allclose(category.sum(axis=1), 1.0)
        for kind in range(NUM_CATEGORIES):
            place = truth.place_probabilities(event, np.full(7, kind))
            np.testing.assert_allclose(place.sum(axis=1), 1.0)
            assert not place[:, truth.places.category != kind].any()


def test_the_preference_is_the_distribution_of_the_event_after_the_history() -> None:
    drawn = population()
    last = drawn.truth.category[:, -1]
    for w in range(7):
        row = drawn.truth.transitions[drawn.truth.worker_type[w], last[w]]
        np.testing.assert_allclose(drawn.preference[w], 0.5 * drawn.truth.own_mix[w] + 0.5 * row)


def test_the_next_place_by_hand() -> None:
    """Half on the successor of the last place of the category, if there is one; the other half by liking."""
    truth = population().truth
    w, event = 2, 20
    kind = int(truth.category[w, -1])
    last = truth.place[w, np.flatnonzero(truth.category[w] == kind)[-1]]
    liking = np.where(truth.places.category == kind, truth.liking[w], 0.0)
    expected = 0.5 * liking / liking.sum()
    expected[truth.successor[last]] += 0.5
    np.testing.assert_allclose(truth.place_probabilities(event, np.full(7, kind))[w], expected)
    first = truth.place_probabilities(0, np.full(7, kind))[w]
    np.testing.assert_allclose(first, liking / liking.sum())


def test_frequencies_over_a_hundred_thousand_draws_are_the_probabilities() -> None:
    """Given the past, every event is a draw from its p: sums of counts less p are within 4.5 standard deviations."""
    truth = population(num_workers=2_000, num_centres=10, history_events=50).truth
    counts, expected, variance = (np.zeros(NUM_CATEGORIES) for _ in range(3))
    in_places, in_places_expected, in_places_variance = (np.zeros(len(truth.places)) for _ in range(3))
    for event in range(50):
        p = truth.category_probabilities(event)
        counts += np.bincount(truth.category[:, event], minlength=NUM_CATEGORIES)
        expected += p.sum(axis=0)
        variance += (p * (1 - p)).sum(axis=0)
        q = truth.place_probabilities(event, truth.category[:, event])
        in_places += np.bincount(truth.place[:, event], minlength=len(truth.places))
        in_places_expected += q.sum(axis=0)
        in_places_variance += (q * (1 - q)).sum(axis=0)
    assert counts.sum() == 100_000
    assert (np.abs(counts - expected) <= 4.5 * np.sqrt(variance)).all()
    assert (np.abs(in_places - in_places_expected) <= 4.5 * np.sqrt(in_places_variance)).all()


def test_centres_are_the_more_unlike_the_smaller_the_concentration() -> None:
    def spread(concentration: float) -> float:
        drawn = population(num_workers=400, num_centres=8, centre_concentration=concentration)
        shares = [np.bincount(drawn.truth.worker_type[drawn.centre == p], minlength=4) / 50 for p in range(8)]
        return float(np.std(shares, axis=0).mean())

    assert spread(0.1) > 2 * spread(100.0)
