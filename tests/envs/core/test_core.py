"""The parts that all environments share: neighbours, payment, the walk along a shortest path, seeds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crowdgym.envs.core.clock import Clock
from crowdgym.envs.core.neighbours import NO_NEIGHBOUR, Box, Grid, fill_grid, nearest, nearest_within
from crowdgym.envs.core.payment import payment_at
from crowdgym.envs.core.road_graph import RoadArrays, next_arc
from crowdgym.envs.core.seeding import EpisodeSeeds, InstanceSeeds, benchmark_sequence

coordinates = st.integers(-50, 50).map(float) | st.floats(-1e5, 1e5)
points = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=80)


def brute_force(x_m: NDArray[np.float64], y_m: NDArray[np.float64], ids: list[int], at: int, count: int) -> list[int]:
    squared = {i: (x_m[i] - x_m[at]) * (x_m[i] - x_m[at]) + (y_m[i] - y_m[at]) * (y_m[i] - y_m[at]) for i in ids}
    return sorted((i for i in ids if i != at), key=lambda i: (squared[i], i))[:count]


@settings(deadline=None)
@given(
    points=points,
    chosen=st.randoms(use_true_random=False),
    count=st.integers(1, 8),
    room=st.sampled_from((80, 400, 2_000)),  # one row of cells, two, five
)
def test_nearest_neighbours_are_those_of_a_full_search(
    points: list[tuple[float, float]], chosen, count: int, room: int
) -> None:
    x_m, y_m = np.array(points).T.copy()
    listed = np.array([chosen.random() < 0.7 for _ in points], np.int8)
    ids = np.flatnonzero(listed).tolist()
    grids = Grid.empty(2, room, Box.around(x_m, y_m))
    fill_grid(grids, 1, np.array([*ids, *range(len(points))], np.int32)[: len(points)], len(ids), x_m, y_m)
    grid = Grid(*(part[1] for part in grids))
    found, squared = np.zeros(count, np.int32), np.zeros(count)
    for at in range(len(points)):  # of a point that is in the grid, and of one that is not
        everyone = brute_force(x_m, y_m, ids, at, len(points))
        dx, dy = x_m - x_m[at], y_m - y_m[at]
        distances = (dx * dx + dy * dy)[np.array(everyone, np.int64)].tolist()
        for bound in (np.inf, 25.0, *distances):
            near = [i for i, distance in zip(everyone, distances, strict=True) if distance <= bound]
            assert nearest_within(grid, x_m[at], y_m[at], at, bound, found, squared) == len(near)
            assert found.tolist() == (near + [NO_NEIGHBOUR] * count)[:count]
        nearest(grid, x_m[at], y_m[at], at, 1.0, found, squared)
        assert found.tolist() == (everyone + [NO_NEIGHBOUR] * count)[:count]


@pytest.mark.parametrize(
    ("finish_s", "paid"),
    [
        (0.0, 100.0),
        (50.0, 100.0),  # at t_e: in full
        (60.0, 80.0),  # 10 s late at 2 % a second
        (99.0, 2.0),
        (100.0, 0.0),  # at t_d: nothing
        (120.0, 0.0),
    ],
)
def test_payment_falls_from_the_expected_time_on_and_is_nothing_at_the_deadline(finish_s: float, paid: float) -> None:
    assert payment_at(finish_s, 50.0, 100.0, 100.0, 0.02) == pytest.approx(paid, abs=1e-12)


def test_payment_is_never_negative() -> None:
    assert payment_at(90.0, 50.0, 100.0, 100.0, 0.03) == 0.0


def test_the_walk_takes_the_smaller_node_where_two_ways_are_as_short() -> None:
    """Both ways round the square are 2 units long, so from 0 the walk to 3 goes on to 1.

    0 -- 1
    |    |
    2 -- 3
    """
    roads = RoadArrays(
        indptr=np.array([0, 2, 4, 6, 8], np.int32),
        indices=np.array([1, 2, 0, 3, 0, 3, 1, 2], np.int32),
        length=np.ones(8, np.int32),
        head_position=np.array([1, 2, 0, 3, 0, 3, 1, 2], np.int32),
        x_m=np.zeros(4),
        y_m=np.zeros(4),
        unit_m=1.0,
    )
    to_target = np.array([2, 1, 1, 0], np.uint16)
    assert roads.indices[next_arc(roads, to_target, 0)] == 1
    assert roads.indices[next_arc(roads, to_target, 2)] == 3


@pytest.mark.parametrize(
    ("step_s", "horizon_s", "epochs"), [(30.0, 90.0, 3), (30.0, 91.0, 4), (100.0, 30.0, 1), (7.7, 74 * 7.7, 74)]
)
def test_an_episode_has_as_many_steps_as_reach_its_horizon(step_s: float, horizon_s: float, epochs: int) -> None:
    clock = Clock(step_s, horizon_s)
    assert clock.epochs == epochs
    assert clock.time_s(epochs) == horizon_s
    assert clock.time_s(epochs - 1) < horizon_s


def test_tasks_workers_and_noise_are_drawn_apart() -> None:
    first, second = (InstanceSeeds.of(np.random.SeedSequence(3)) for _ in range(2))
    first.workers.random(1000)
    assert first.tasks.random() == second.tasks.random()
    assert len({first.tasks.random(), first.workers.random(), first.noise.random()}) == 3


def test_every_episode_of_a_seed_is_another_one_and_none_is_of_the_benchmark_set() -> None:
    seeds = EpisodeSeeds()
    seeds.restart(0)
    sequences = [seeds.next() for _ in range(50)] + [benchmark_sequence(k) for k in range(50)]
    draws = {InstanceSeeds.of(sequence).tasks.random() for sequence in sequences}
    assert len(draws) == 100
