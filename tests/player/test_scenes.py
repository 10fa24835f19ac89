"""Scenes: what players outside Python show is what happened."""

from itertools import pairwise

import numpy as np
import pytest
from player.episodes import SCENARIOS, places_m, played

import crowdgym
from crowdgym.envs.rendering.scene import HIDDEN


@pytest.mark.parametrize("environment", SCENARIOS)
def test_workers_are_where_the_dynamics_have_them_at_every_epoch(environment: str) -> None:
    of = played(environment)
    assert len(of.scene.legs.mover) > 10
    for snapshot in of.snapshots:
        there_m = np.stack([snapshot.worker_x_m, snapshot.worker_y_m], axis=1)
        assert np.abs(places_m(of, snapshot.time_s) - there_m).max() < 1e-6


@pytest.mark.parametrize("environment", SCENARIOS)
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
    assert scene.mover_state.max() < len(scene.mover_marks)
    shown = scene.site_state[scene.site_state != HIDDEN]
    assert shown.max() < len(scene.site_marks)
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


def test_subtasks_are_linked_as_their_precedence_says() -> None:
    of = played("dasc_v0")
    assert of.scene.links.tolist() == of.snapshots[0].arrows.tolist()


def test_every_environment_on_roads_has_a_scene() -> None:
    shown = [name for name in crowdgym.environment_names() if crowdgym.environment_spec(name).scene is not None]
    assert shown == ["csc_v0", "dasc_v0", "preference_v0"]
