"""The solution checker of sensing on three cycles, worked out by hand: what has been tampered with is named.

cell        0 ------ 1 ------ 2 ------------- 4       one attribute, Gamma = 10, lambda = 0.1, the nearest one counts
at km       0        1        2               4
cycle 0     10 p0    12       14              18 p1   cells 1 and 2 are guessed as 10
cycle 1     20 p1    24 p0    .               30      cell 1 asked for p0, as did 2; cell 0 for p1; 3 is guessed as 24
cycle 2     30 p1    34 p0    36              40      no cell asks; cells 2 and 3 are guessed as 34
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crowdgym.common.errors import DataError
from crowdgym.verification.sensing.checker import check_log
from crowdgym.verification.sensing.records import CheckedInstance, SensingLog, Totals, Violation, ViolationKind

KIND = ViolationKind
NAN = float("nan")

INSTANCE = CheckedInstance(
    x_km=np.array([0.0, 1.0, 2.0, 4.0]),
    y_km=np.zeros(4),
    values=np.array([[10.0, 12.0, 14.0, 18.0], [20.0, 24.0, NAN, 30.0], [30.0, 34.0, 36.0, 40.0]])[:, :, np.newaxis],
    start=np.array([0, 3]),
    scale=np.array([10.0]),
    participants_act=False,
    inference="knn",
    neighbours=1,
    power=2.0,
    svr_c=1.0,
    svr_epsilon=0.1,
    reward="shared",
    cost_weight=0.1,
)
ERRORS = np.array([(2 + 4) / 2, 6.0, (2 + 6) / 2]) / 10  # of the cycles
COSTS_KM = np.array([0.0, (1 + 4) / 2, 0.0])
LOG = SensingLog(
    actions=np.array([[2, 1, 1, 0], [0, 0, 0, 0]]),
    chosen=np.array([[-1, -1, -1, -1], [1, 0, 0, -1], [-1, -1, -1, -1]]),
    cell=np.array([[0, 3], [1, 0], [1, 0]]),
    travel_km=np.array([[0.0, 0.0], [1.0, 4.0], [0.0, 0.0]]),
    crowd=np.array([[1, 0, 0, 1], [1, 1, 0, 0], [1, 1, 0, 0]]),
    cell_error=np.array([[NAN, 0.2, 0.4, NAN], [NAN, NAN, NAN, 0.6], [NAN, NAN, 0.2, 0.6]]),
    reward=np.array([[0.0] * 4, [(-0.6 - 0.25) / 4] * 4, [-0.4 / 4] * 4]),
    error=ERRORS.cumsum() / [1, 2, 3],
    cost_km=COSTS_KM.cumsum() / [1, 2, 3],
    error_per_attribute=(ERRORS.cumsum() / [1, 2, 3])[:, np.newaxis],
    totals=Totals(error=1.3 / 3, cost_km=2.5 / 3, error_per_attribute=(1.3 / 3,)),
)


def with_one(name: str, cycle: int, column: int, value: Any) -> SensingLog:
    """The log with another value in one place."""
    changed = getattr(LOG, name).copy()
    changed[cycle, column] = value
    return replace(LOG, **{name: changed})


def check(log: SensingLog = LOG, **changes: Any) -> list[Violation]:
    return check_log(replace(INSTANCE, **changes), log)


def kinds(log: SensingLog = LOG, **changes: Any) -> set[ViolationKind]:
    return {violation.kind for violation in check(log, **changes)}


def test_three_cycles_by_hand_are_confirmed() -> None:
    assert check() == []


# ---- places and moves ----


def test_who_begins_elsewhere_than_drawn() -> None:
    found = check(start=np.array([0, 2]))
    assert [str(v) for v in found] == [
        "participant 1 in cycle 0: begins in another cell than it was drawn into (expected 2, found 3)"
    ]


def test_two_who_begin_in_one_cell() -> None:
    log = replace(with_one("cell", 0, 1, 0), travel_km=np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]))
    assert KIND.SHARED_START in kinds(log, start=np.array([0, 0]))


def test_a_participant_that_moves_although_no_cell_asked() -> None:
    (found,) = [v for v in check(with_one("cell", 2, 0, 2)) if v.kind is KIND.NOT_ASKED]
    assert (found.cycle, found.participant, found.expected, found.found) == (2, 0, 1, 2)


def test_who_stays_although_it_was_asked_for() -> None:
    (found,) = [v for v in check(with_one("cell", 1, 1, 3)) if v.kind is KIND.NOT_GONE]
    assert (found.cycle, found.participant, found.expected) == (1, 1, 0)


@pytest.mark.parametrize("place", [2, 3])  # asked too, but lies farther away; did not ask
def test_who_goes_to_another_cell_than_the_nearest_that_asked(place: int) -> None:
    (found,) = [v for v in check(with_one("cell", 1, 0, place)) if v.kind is KIND.WRONG_ASKER]
    assert (found.participant, found.expected, found.found) == (0, 1, place)


def test_of_two_cells_as_near_the_smaller_one_counts() -> None:
    places = np.array([0.0, 1.0, -1.0, 4.0])
    assert KIND.WRONG_ASKER not in kinds(x_km=places)
    assert KIND.WRONG_ASKER in kinds(with_one("cell", 1, 0, 2), x_km=places)


def test_a_place_that_is_not_there() -> None:
    (found,) = check(with_one("cell", 1, 0, 4))
    assert str(found) == "participant 0 in cycle 1: is in a cell that is not there (expected 0..3, found 4)"


def test_an_action_that_is_not_there() -> None:
    log = with_one("actions", 1, 3, 3)
    assert kinds(replace(log, chosen=with_one("chosen", 2, 3, 2).chosen)) == {KIND.UNKNOWN_ACTION}


def test_a_choice_that_is_not_that_of_the_action() -> None:
    (found,) = check(with_one("chosen", 1, 3, 0))
    assert (found.kind, found.cell, found.expected, found.found) == (KIND.WRONG_CHOICE, 3, -1, 0)


# ---- travel and crowd ----


@pytest.mark.parametrize("travel_km", [0.9, 1.0 + 1e-6, NAN])
def test_who_travels_another_distance(travel_km: float) -> None:
    (found,) = [v for v in check(with_one("travel_km", 1, 0, travel_km)) if v.kind is KIND.WRONG_TRAVEL]
    assert (found.cycle, found.participant, found.expected) == (1, 0, 1.0)


def test_a_distance_that_is_only_rounded_is_none() -> None:
    assert check(with_one("travel_km", 1, 0, 1.0 + 1e-13)) == []


def test_the_first_cycle_costs_nothing() -> None:
    assert KIND.WRONG_TRAVEL in kinds(with_one("travel_km", 0, 0, 1.0))


def test_a_crowd_of_another_size() -> None:
    (found,) = check(with_one("crowd", 1, 2, 1))
    assert (
        str(found)
        == "cell 2 in cycle 1: is said to hold more or fewer participants than are in it (expected 0, found 1)"
    )


# ---- errors ----


def test_a_sensed_cell_with_an_error() -> None:
    (found,) = check(with_one("cell_error", 1, 0, 0.1))
    assert (found.kind, found.cycle, found.cell) == (KIND.WRONGLY_COUNTED, 1, 0)


def test_a_cell_of_which_nothing_is_known_with_an_error() -> None:
    assert kinds(with_one("cell_error", 1, 2, 0.1)) == {KIND.WRONGLY_COUNTED}


def test_a_cell_left_out_of_the_error() -> None:
    (found,) = check(with_one("cell_error", 0, 2, NAN))
    assert (found.kind, found.cell, found.expected) == (KIND.NOT_COUNTED, 2, pytest.approx(0.4))


@pytest.mark.parametrize("error", [0.4 + 1e-6, 0.4 - 1e-6])
def test_another_error_than_the_nearest_collected_value_gives(error: float) -> None:
    (found,) = check(with_one("cell_error", 0, 2, error))
    assert (found.kind, found.cycle, found.cell) == (KIND.WRONG_CELL_ERROR, 0, 2)


def test_errors_of_another_inference() -> None:
    everything = {KIND.WRONG_CELL_ERROR, KIND.WRONG_REWARD, KIND.ATTRIBUTE_TOTAL}
    assert kinds(neighbours=2) == everything
    assert kinds(neighbours=2, inference="idw") == everything
    assert kinds(inference="idw") == set()  # of one neighbour the weight is all the same


def test_errors_normalised_otherwise() -> None:
    assert KIND.WRONG_CELL_ERROR in kinds(scale=np.array([11.0]))


def test_a_truth_that_could_not_be_inferred_counts_as_the_whole_scale() -> None:
    """One participant goes from cell 0 to cell 1, and everything is 1: whatever is inferred is right."""
    values = np.ones((2, 2, 1))
    instance = replace(INSTANCE, x_km=np.array([0.0, 1.0]), y_km=np.zeros(2), start=np.array([0]), values=values)
    log = SensingLog(
        actions=np.array([[0, 1]]),
        chosen=np.array([[-1, -1], [-1, 0]]),
        cell=np.array([[0], [1]]),
        travel_km=np.array([[0.0], [1.0]]),
        crowd=np.array([[1, 0], [0, 1]]),
        cell_error=np.array([[NAN, 0.0], [0.0, NAN]]),
        reward=np.array([[0.0, 0.0], [-0.05, -0.05]]),
        error=np.zeros(2),
        cost_km=np.array([0.0, 0.5]),
        error_per_attribute=np.zeros((2, 1)),
        totals=Totals(0.0, 0.5, (0.0,)),
    )
    assert check_log(instance, log) == []
    unknown = replace(instance, values=np.array([[[NAN], [1.0]], [[1.0], [1.0]]]))  # cell 0 had no value to collect
    unknown_truths = [v for v in check_log(unknown, log) if v.kind is KIND.WRONG_CELL_ERROR]
    assert [(v.cycle, v.cell, v.expected) for v in unknown_truths] == [(0, 1, 1.0)]


def test_with_support_vectors_a_thousandth_is_no_fault_and_a_tenth_is() -> None:
    """All values equal: so is what is inferred, but for the solver's tolerance."""
    instance = replace(INSTANCE, inference="svr", values=np.full((1, 4, 1), 5.0))
    log = SensingLog(
        actions=np.zeros((0, 4), np.int64),
        chosen=LOG.chosen[:1],
        cell=LOG.cell[:1],
        travel_km=LOG.travel_km[:1],
        crowd=LOG.crowd[:1],
        cell_error=np.array([[NAN, 0.001, 0.0, NAN]]),
        reward=LOG.reward[:1],
        error=np.zeros(1),
        cost_km=np.zeros(1),
        error_per_attribute=np.zeros((1, 1)),
        totals=Totals(0.0, 0.0, (0.0,)),
    )
    assert check_log(instance, log) == []
    worse = replace(log, cell_error=np.array([[NAN, 0.1, 0.0, NAN]]))
    assert [v.kind for v in check_log(instance, worse)] == [KIND.WRONG_CELL_ERROR]


# ---- rewards ----


def test_a_reward_of_another_size() -> None:
    (found,) = check(with_one("reward", 2, 1, -0.11))
    assert (found.kind, found.cycle, found.cell, found.expected) == (KIND.WRONG_REWARD, 2, 1, pytest.approx(-0.1))


def test_rewards_with_another_weight_of_cost() -> None:
    assert {(v.kind, v.cycle) for v in check(cost_weight=0.2)} == {(KIND.WRONG_REWARD, 1)}


# Cycle 1: without cell 1, cells 1 and 3 are guessed as 20; without cell 0, cells 0 and 3 as 24. Cycle 2: as 30; as 34.
MARGINAL = np.array(
    [
        [0.0] * 4,
        [(4 + 6) / 20 - 0.6 - 0.1 * 2, (4 + 10) / 20 - 0.6 - 0.1 * 0.5, 0.0, 0.0],
        [(4 + 2 + 6) / 30 - 0.4, (4 + 6 + 10) / 30 - 0.4, 0.0, 0.0],
    ]
)


def test_marginal_rewards_of_cells() -> None:
    assert check(replace(LOG, reward=MARGINAL), reward="marginal") == []
    wrong = MARGINAL.copy()
    wrong[1, 0] += 0.01
    assert [v.kind for v in check(replace(LOG, reward=wrong), reward="marginal")] == [KIND.WRONG_REWARD]


def test_participants_that_act() -> None:
    """The same places, chosen by the participants; each is alone in its cell."""
    log = replace(
        LOG,
        actions=np.array([[1, 0], [1, 0]]),
        chosen=np.array([[-1, -1], [1, 0], [1, 0]]),
        reward=MARGINAL[:, [1, 0]],
    )
    assert check(log, participants_act=True, reward="marginal") == []
    elsewhere = replace(log, actions=np.array([[1, 0], [1, 3]]), chosen=np.array([[-1, -1], [1, 0], [1, 3]]))
    (found,) = check(elsewhere, participants_act=True, reward="marginal")
    assert (found.kind, found.cycle, found.participant, found.expected) == (KIND.NOT_CHOSEN, 2, 1, 3)


# ---- totals ----


@pytest.mark.parametrize(("name", "kind"), [("error", KIND.ERROR_TOTAL), ("cost_km", KIND.COST_TOTAL)])
def test_a_total_that_is_not_what_it_is_made_of(name: str, kind: ViolationKind) -> None:
    changed = getattr(LOG, name).copy()
    changed[1] *= 1.001
    (found,) = check(replace(LOG, **{name: changed}))
    assert (found.kind, found.cycle) == (kind, 1)


def test_an_error_of_an_attribute_that_is_not_the_mean_so_far() -> None:
    """The same fault in the sum over the attributes does not hide it."""
    wrong = LOG.error.copy()
    wrong[1] *= 1.001
    (found,) = check(replace(LOG, error=wrong, error_per_attribute=wrong[:, np.newaxis]))
    assert (found.kind, found.cycle) == (KIND.ATTRIBUTE_TOTAL, 1)


@pytest.mark.parametrize(
    "totals",
    [
        replace(LOG.totals, error=0.4),
        replace(LOG.totals, cost_km=0.0),
        replace(LOG.totals, error_per_attribute=(0.5,)),
        replace(LOG.totals, error=NAN),
    ],
)
def test_metrics_at_the_end_that_are_not_those_of_the_last_cycle(totals: Totals) -> None:
    assert kinds(replace(LOG, totals=totals)) == {KIND.FINAL_TOTAL}


def first_two() -> SensingLog:
    rows = {name: getattr(LOG, name)[:2] for name in LOG.__dataclass_fields__ if name not in ("totals", "actions")}
    return SensingLog(actions=LOG.actions[:1], totals=Totals(0.45, 1.25, (0.45,)), **rows)


def test_an_episode_cut_short() -> None:
    assert kinds(first_two()) == {KIND.INCOMPLETE}
    assert check_log(INSTANCE, first_two(), partial=True) == []


def test_an_episode_that_goes_on() -> None:
    found = check_log(replace(INSTANCE, values=INSTANCE.values[:2]), LOG, partial=True)
    assert {v.kind for v in found} == {KIND.TOO_LONG, KIND.FINAL_TOTAL}


# ---- what cannot be checked ----


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.zeros((3, 4, 2))}, r"values has shape \(3, 4, 2\), expected \(cycles, 4, 1\)"),
        ({"y_km": np.zeros(3)}, r"y_km has shape \(3,\), expected \(4,\)"),
        ({"start": np.array([0, 4])}, r"start must hold cells 0\.\.3, got \[0, 4\]"),
        ({"scale": np.array([0.0])}, r"scale must be positive for every attribute, got \[0\.0\]"),
        ({"neighbours": 0}, "neighbours must be at least 1, got 0"),
    ],
)
def test_an_instance_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(INSTANCE, **changes)


def test_a_log_that_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="crowd has 2 rows, expected 3: one for every cycle"):
        replace(LOG, crowd=LOG.crowd[:2])
    with pytest.raises(DataError, match=r"cell has shape \(3, 2\), expected \(3, 1\)"):
        check(start=np.array([0]))
