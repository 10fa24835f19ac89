"""Scenes: what players outside Python show is what happened."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from player.episodes import ON_ROADS, SCENARIOS, places_m, played

import crowdgym
from crowdgym.data.ground import ground_of
from crowdgym.data.registry import load_dataset
from crowdgym.envs.dasc.kernel.state import SubtaskStatus, TaskStatus
from crowdgym.envs.dasc.scene import critical_links
from crowdgym.envs.rendering.picture import HIDDEN


@pytest.mark.parametrize("environment", ON_ROADS)
def test_workers_are_where_the_dynamics_have_them_at_every_epoch(environment: str) -> None:
    of = played(environment)
    assert len(of.scene.legs.mover) > 10
    for snapshot in of.snapshots:
        there_m = np.stack([snapshot.worker_x_m, snapshot.worker_y_m], axis=1)
        assert np.abs(places_m(of, snapshot.time_s) - there_m).max() < 1e-6


@pytest.mark.parametrize("environment", ON_ROADS)
def test_ways_go_along_streets(environment: str) -> None:
    of = played(environment)
    network, legs = of.env.instance.network, of.scene.legs
    for leg in range(len(legs.mover)):
        nodes = legs.node[legs.first[leg] : legs.first[leg + 1]]
        for node, after in pairwise(nodes):
            assert after in network.indices[network.indptr[node] : network.indptr[node + 1]]


@pytest.mark.parametrize("environment", SCENARIOS)
def test_every_state_has_a_mark_and_a_place_in_time(environment: str) -> None:
    of, scene = played(environment), played(environment).scene
    epochs = len(of.snapshots)
    assert scene.mover_state.shape == (epochs, len(scene.mover_start))
    assert scene.mover_state.max() < len(scene.picture.mover_marks)
    shown = scene.site_state[scene.site_state != HIDDEN]
    assert shown.max() < len(scene.picture.site_marks)
    assert (np.diff([event.time_s for event in scene.events]) >= 0).all()
    assert {len(values) for values in scene.series.values()} == {epochs}


def test_the_last_figures_are_those_of_the_episode() -> None:
    of = played("csc_v0")
    assert of.scene.series["revenue"][-1] == of.env.metrics.revenue > 0
    finished = [event for event in of.scene.events if "is finished and pays" in event.text]
    assert len(finished) == of.env.metrics.completed


def test_a_worker_sets_out_before_it_arrives_and_arrives_where_its_way_ends() -> None:
    of = played("csc_v0")
    for worker in range(len(of.scene.mover_start)):
        texts = [event.text for event in of.scene.events if event.mover == worker]
        arrivals = [number for number, text in enumerate(texts) if "arrives" in text]
        assert all("sets out" in texts[number - 1] for number in arrivals)


def test_the_story_of_a_worker_goes_on_after_each_task() -> None:
    of = played("csc_v0")
    ends = ("has done its work", "is freed")
    for worker in range(len(of.scene.mover_start)):
        texts = [event.text for event in of.scene.events if event.mover == worker]
        begins = [number for number, text in enumerate(texts) if "sets out" in text]
        assert all(any(end in texts[number - 1] for end in ends) for number in begins if number > 0)


def test_subtasks_are_linked_as_their_precedence_says() -> None:
    of = played("dasc_v0")
    assert of.scene.links.tolist() == of.snapshots[0].arrows.tolist()


def test_every_environment_has_a_scene() -> None:
    assert [name for name in crowdgym.environment_names() if crowdgym.environment_spec(name).scene is None] == []


def test_participants_are_in_their_cells_at_every_cycle_and_rest_before_they_move() -> None:
    of = played("sensing_v0")
    cells_m = np.stack([of.scene.base.x_m, of.scene.base.y_m], axis=1)
    for cycle, snapshot in enumerate(of.snapshots[:40]):
        for time in (cycle, cycle + 0.5):
            assert np.abs(places_m(of, time) - cells_m[snapshot.participant_cell]).max() < 1e-6


def test_sensed_cells_have_the_mark_of_sensed_ones_and_the_others_that_of_their_error() -> None:
    of = played("sensing_v0")
    names = [mark.name for mark in of.scene.picture.site_marks]
    for snapshot, states in zip(of.snapshots, of.scene.site_state, strict=True):
        shown = [names[state] for state in states]
        assert [name == "sensed" for name in shown] == (snapshot.crowd > 0).tolist()
        for name, error in zip(shown, snapshot.cell_error, strict=True):
            assert name != "0.1 to 0.2" or 0.1 < error <= 0.2


def test_the_curves_of_sensing_end_with_the_metrics_of_the_episode() -> None:
    of = played("sensing_v0")
    assert of.scene.series["error"][-1] == of.env.metrics.error
    assert of.scene.series["cost, km"][-1] == of.env.metrics.cost_km


def test_the_critical_path_is_the_longest_chain_of_work() -> None:
    """Four subtasks: 0 before 1 and 2, both before 3; 1 takes longer than 2."""
    snapshot = replace(
        played("dasc_v0").snapshots[0],
        subtask_task=np.zeros(4, np.int32),
        duration_s=np.array([60.0, 300.0, 200.0, 10.0]),
        arrows=np.array([[0, 1], [0, 2], [1, 3], [2, 3]], np.int32),
    )
    assert critical_links(snapshot).tolist() == [True, False, True, False]


def test_arrows_are_done_once_the_subtask_before_is_finished() -> None:
    of = played("dasc_v0")
    names = [mark.name for mark in of.scene.picture.link_marks]
    for snapshot, states in zip(of.snapshots, of.scene.link_state, strict=True):
        for (before, after), state in zip(of.scene.links.tolist(), states.tolist(), strict=True):
            if state == HIDDEN:
                assert snapshot.task_status[snapshot.subtask_task[after]] != TaskStatus.OPEN
            else:
                assert (names[state] == "done") == (snapshot.subtask_status[before] == SubtaskStatus.FINISHED)


def test_the_chart_of_a_task_has_the_times_of_its_workers() -> None:
    of = played("dasc_v0")
    assert of.scene.spans is not None
    finished = of.snapshots[-1].subtask_status == SubtaskStatus.FINISHED
    assert finished.sum() > 3
    bounds_s, last = of.scene.spans.bounds_s[finished], of.snapshots[-1]
    np.testing.assert_array_equal(bounds_s[:, 1:], np.stack([last.arrive_s, last.start_s, last.finish_s], 1)[finished])
    assert (np.diff(bounds_s, axis=1) >= 0).all()


def test_offers_of_all_centres_are_those_of_the_episode() -> None:
    of = played("preference_v0")
    assert of.scene.table is not None
    metrics, (offers, accepted, declined) = of.env.metrics, of.scene.table.counts[-1].sum(axis=0)
    assert (offers, accepted, declined) == (metrics.offered, metrics.accepted, metrics.declined)


def test_water_is_where_a_city_has_no_crossings_but_those_of_bridges() -> None:
    from shapely import Polygon, contains_xy

    network = load_dataset("haikou-synth").network
    sea, *rivers = ground_of("haikou-synth").water
    in_sea, *in_rivers = (
        contains_xy(Polygon(outline).buffer(-30), network.x_m, network.y_m).sum() for outline in (sea, *rivers)
    )
    assert in_sea == 0
    assert sum(in_rivers) < 0.005 * network.num_nodes
