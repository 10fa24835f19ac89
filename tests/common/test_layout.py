"""How an observation is described by an environment, and read by an agent."""

import numpy as np
import pytest

from crowdgym.common.layout import FLAG, ObservationLayout, Unit

LAYOUT = ObservationLayout.of((("self", 1, ("x", "elapsed")), ("tasks", 3, ("present", "distance"))))
UNITS = {"x": Unit.of(2500.0, "m"), "elapsed": Unit.of(60.0, "s"), "present": FLAG, "distance": Unit.of(1e6 / 3, "m")}


def test_sets_lie_one_behind_the_other() -> None:
    assert [(part.name, part.start, part.stop, part.shape) for part in LAYOUT] == [
        ("self", 0, 2, (1, 2)),
        ("tasks", 2, 8, (3, 2)),
    ]
    assert LAYOUT.width == 8
    assert len(LAYOUT) == 2


def test_a_set_without_the_feature_present_is_never_empty() -> None:
    assert [part.may_be_empty for part in LAYOUT] == [False, True]


def test_a_unit_says_the_same_number_as_text_and_as_a_scale() -> None:
    assert Unit.of(5000.0, "m") == ("5000 m", 5000.0)
    assert Unit.of(160.0) == ("160", 160.0)
    assert Unit.of(1e6 / 3, "m") == ("333333 m", 333333.0)  # six digits


def test_metadata_are_plain_data() -> None:
    assert LAYOUT.in_units(UNITS).describe()["tasks"] == {
        "start": 2,
        "stop": 8,
        "shape": (3, 2),
        "features": ("present", "distance"),
        "units": ("flag", "333333 m"),
        "scales": (1.0, 333333.0),
    }


def test_what_is_described_is_read() -> None:
    layout = LAYOUT.in_units(UNITS)
    assert ObservationLayout.from_metadata({"observation_layout": layout.describe()}, 8) == layout


def test_a_state_is_read_by_its_own_name() -> None:
    assert ObservationLayout.from_metadata({"state_layout": LAYOUT.describe()}, 8, "state_layout") == LAYOUT


def test_without_a_layout_an_observation_is_one_set_of_one_row() -> None:
    (only,) = ObservationLayout.from_metadata({}, 3)
    assert (only.name, only.start, only.rows, only.features) == (
        "observation",
        0,
        1,
        ("number_0", "number_1", "number_2"),
    )


def test_rows_of_several_observations_are_taken_at_once() -> None:
    seen = np.arange(16).reshape(2, 8)
    tasks = LAYOUT["tasks"]
    assert tasks.take(seen).tolist() == [[[2, 3], [4, 5], [6, 7]], [[10, 11], [12, 13], [14, 15]]]
    assert tasks.take(seen[0])[:, tasks.column("distance")].tolist() == [3, 5, 7]


def test_the_scale_of_a_feature() -> None:
    assert LAYOUT.in_units(UNITS)["self"].scale("elapsed") == 60.0


def test_a_set_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="there is no set 'workers', only self, tasks"):
        LAYOUT["workers"]


def test_a_feature_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="there is no feature 'metres' in tasks, only present, distance"):
        LAYOUT["tasks"].column("metres")
