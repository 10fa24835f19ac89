"""Errors after one swap: those of all cells worked out anew, and only where they can differ."""

import numpy as np
import pytest
from test_gaussian_swap import field, line, means_of_nearest

from crowdgym.agents.sensing.after_swap import errors_after, ranks_of, reach_of
from crowdgym.agents.sensing.expected_error import Field, cell_errors
from crowdgym.agents.sensing.inference_rule import Inference
from crowdgym.agents.sensing.support_vectors import scaled_places

ALL = np.ones(4, np.bool_)


def flags(cells: int, *chosen: int) -> np.ndarray:
    return np.isin(np.arange(cells), chosen)


def test_ranks_are_places_among_the_neighbours_of_each_cell() -> None:
    """Cells at 0, 1 and 3: the nearest of the last is the middle one, then the first."""
    ranks = ranks_of(means_of_nearest(line(0, 1, 3), 1).nearest)
    assert ranks.tolist() == [[3, 0, 1], [0, 3, 0], [1, 1, 3]]


def test_the_reach_is_the_rank_of_the_last_neighbour_that_is_used() -> None:
    """Cells 0 and 3 of a line are sensed; of the nearest two, cell 0 has only one that is sensed."""
    rule, known = means_of_nearest(line(0, 1, 2, 3), 1), field([0.0] * 4)
    assert reach_of(known, rule, flags(4, 0, 3)).tolist() == [2, 0, 1, 2]
    assert reach_of(known, rule._replace(neighbours=2), flags(4, 0, 3)).tolist() == [4, 2, 2, 4]


def test_a_cell_that_gives_nothing_is_passed_over() -> None:
    """Cell 1 infers from cell 0, but the second attribute, which cell 0 does not give, from cell 3."""
    gives = np.array([[True] * 4, [False, True, True, True]])
    known = Field(np.zeros((2, 4)), np.zeros((2, 4, 4)), np.ones(2), gives, gives.all(axis=1))
    assert reach_of(known, means_of_nearest(line(0, 1, 2, 3), 1), flags(4, 0, 3))[1] == 2


def test_what_is_inferred_from_neither_cell_keeps_its_error() -> None:
    """Cells 0 and 3 are sensed, then 2 in place of 3. Cell 1 is inferred from cell 0 as before, so keeps any error."""
    rule, known = means_of_nearest(line(0, 1, 2, 3), 1), field([0.0, 1.0, 5.0, 9.0])
    before = np.array([0.0, 77.0, 4.0, 0.0])
    reach = reach_of(known, rule, flags(4, 0, 3))
    after = errors_after(known, rule, flags(4, 0, 2), ALL, before, ranks_of(rule.nearest), reach, 3, 2)
    assert after.tolist() == [0.0, 77.0, 0.0, 4.0]


def test_cells_that_do_not_count_have_no_error() -> None:
    rule, known = means_of_nearest(line(0, 1, 2, 3), 1), field([0.0, 1.0, 5.0, 9.0])
    reach = reach_of(known, rule, flags(4, 0))
    after = errors_after(known, rule, flags(4, 3), flags(4, 1), np.zeros(4), ranks_of(rule.nearest), reach, 0, 3)
    assert after.tolist() == [0.0, 8.0, 0.0, 0.0]


@pytest.mark.parametrize("neighbours", [1, 3, 6, 0], ids=["1", "3", "6", "svr"])
def test_all_errors_are_those_worked_out_anew(neighbours: int) -> None:
    """To the bit, over a hundred swaps; 5 of 12 cells are sensed, so six neighbours are too many."""
    generator = np.random.default_rng(neighbours)
    places = generator.uniform(0.0, 10.0, (12, 2))
    km = np.hypot(*(places[:, np.newaxis] - places).transpose(2, 0, 1))
    rule: Inference = means_of_nearest(km, neighbours)._replace(places=scaled_places(places))
    root = generator.normal(size=(2, 12, 12))
    gives = np.array([[True] * 12, generator.random(12) < 0.7])
    known = Field(generator.normal(size=(2, 12)), root @ root.transpose(0, 2, 1), np.ones(2), gives, gives.all(axis=1))
    sensed = flags(12, 0, 1, 2, 3, 4)
    rank, errors = ranks_of(rule.nearest), cell_errors(known, rule, sensed, ~sensed)
    for _ in range(100):
        reach = reach_of(known, rule, sensed)
        left, come = generator.choice(np.flatnonzero(sensed)), generator.choice(np.flatnonzero(~sensed))
        sensed[left], sensed[come] = False, True
        errors = errors_after(known, rule, sensed, np.ones(12, np.bool_), errors, rank, reach, left, come)
        assert errors.tolist() == cell_errors(known, rule, sensed, ~sensed).tolist()
