"""The kernel of sensing and its reference simulator, side by side: the same world, actions and moment."""

import numpy as np
from numpy.testing import assert_allclose
from reference.sensing_instance import SensingReferenceInstance
from reference.sensing_random_worlds import Policy, random_actions
from reference.sensing_reference import SensingReferenceSimulator

from crowdgym.configs.sensing import SensingSettings
from crowdgym.envs.sensing.agent_modes import AGENT_MODES
from crowdgym.envs.sensing.definition import inference_of
from crowdgym.envs.sensing.instance import SensingInstance
from crowdgym.envs.sensing.kernel.simulation import SensingSimulation
from crowdgym.envs.sensing.kernel.state import World
from crowdgym.envs.sensing.reward import REWARDS
from crowdgym.envs.sensing.snapshot import SensingSnapshot

TOLERANCE = {"rtol": 1e-9, "atol": 1e-9}


def to_simulation(world: SensingReferenceInstance) -> SensingSimulation:
    """The same world in arrays, cycle 0 played."""
    settings = SensingSettings.load(
        inference=world.inference,
        knn_neighbours=world.neighbours,
        idw_neighbours=world.neighbours,
        idw_power=world.power,
        svr_c=world.svr_c,
        svr_epsilon=world.svr_epsilon,
    )
    x_km, y_km = np.array(world.places_km).T
    side = AGENT_MODES["participants" if world.participants_act else "cells"]
    simulation = SensingSimulation(
        World.of(np.ascontiguousarray(x_km), np.ascontiguousarray(y_km), np.array(world.scale)),
        side(world.num_cells, len(world.start), tuple("abc"[: world.num_attributes])),
        inference_of(settings),
        cycles=world.num_cycles,
        batch=1,
        needs_gains=True,
    )
    values = np.array(world.values, np.float64)  # None becomes NaN
    simulation.reset_copy(0, SensingInstance(values, np.array(world.start, np.int32)))
    return simulation


def play_both(world: SensingReferenceInstance, policy: Policy, rng: np.random.Generator) -> SensingReferenceSimulator:
    """Play an episode in both, comparing after every cycle."""
    reference, simulation = SensingReferenceSimulator(world), to_simulation(world)
    assert_same_moment(SensingSnapshot.of(simulation, 0), reference)
    while not reference.done:
        actions = random_actions(rng, reference, policy)
        reference.step(actions)
        simulation.step(np.array([actions], np.int64))
        assert_same_moment(SensingSnapshot.of(simulation, 0), reference)
        for name in ("shared", "marginal"):
            rewards = np.full((1, world.num_agents), np.nan)
            REWARDS[name](world.cost_weight).write(simulation.state.outcome, rewards)
            assert_allclose(rewards[0], getattr(reference, name)(), **TOLERANCE, err_msg=name)
    assert simulation.is_over().all()
    return reference


def assert_same_moment(snapshot: SensingSnapshot, reference: SensingReferenceSimulator) -> None:
    """All that there is after a cycle."""
    assert snapshot.cycle == reference.cycle
    assert snapshot.participant_cell.tolist() == reference.places
    assert snapshot.came_from.tolist() == reference.came_from
    assert snapshot.crowd.tolist() == [reference.places.count(x) for x in range(len(snapshot.crowd))]
    assert_allclose(snapshot.travel_km, reference.travel_km, **TOLERANCE)
    np.testing.assert_array_equal(snapshot.collected, np.array(reference.collected, np.float64))
    assert_allclose(snapshot.inferred, np.array(reference.inferred, np.float64), **TOLERANCE)
    assert_allclose(snapshot.attribute_error, reference.attribute_errors[-1], **TOLERANCE)
    assert_allclose(snapshot.error[-1], reference.error, **TOLERANCE)
    assert_allclose(snapshot.cost_km, reference.costs_km, **TOLERANCE)
    metrics = reference.metrics()
    assert_allclose(snapshot.metrics.error, metrics.error, **TOLERANCE)
    assert_allclose(snapshot.metrics.cost_km, metrics.cost_km, **TOLERANCE)
    assert_allclose(snapshot.metrics.error_per_attribute, metrics.error_per_attribute, **TOLERANCE)
