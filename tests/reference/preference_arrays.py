"""From the plain worlds of the reference simulator to the arrays of the package."""

from dataclasses import dataclass

import numpy as np
from reference.csc_arrays import to_network
from reference.preference_instance import PreferenceReferenceInstance

from crowdgym.configs.preference import PreferenceSettings
from crowdgym.envs.preference.instance import PreferenceInstance
from crowdgym.envs.preference.kernel.simulation import PreferenceSimulation


@dataclass(frozen=True)
class World:
    """One world as the package takes it."""

    instance: PreferenceInstance
    settings: PreferenceSettings

    def start(self, batch: int = 1) -> PreferenceSimulation:
        """Copies of it at their first epoch."""
        simulation = PreferenceSimulation(self.instance.network, self.settings, batch)
        for b in range(batch):
            simulation.reset_copy(b, self.instance)
        return simulation


def to_world(reference: PreferenceReferenceInstance) -> World:
    """The same world in arrays. The history shares, of which the reference knows nothing, are the preferences."""
    preference = np.array([worker.preference for worker in reference.workers])
    instance = PreferenceInstance(
        network=to_network(reference),
        centre=np.array([reference.centre(w) for w in range(len(reference.workers))], np.int32),
        worker_node=np.array([worker.start_node for worker in reference.workers], np.int32),
        history_share=preference,
        preference=preference,
        lots=np.array(reference.lots),
        task_node=np.array([task.node for task in reference.tasks], np.int32),
        task_category=np.array([task.category for task in reference.tasks], np.int8),
        created_s=np.array([task.created_s for task in reference.tasks]),
        expiry_s=np.array([task.expiry_s for task in reference.tasks]),
    )
    return World(instance, settings_of(reference))


def settings_of(reference: PreferenceReferenceInstance) -> PreferenceSettings:
    """The constants of a world."""
    return PreferenceSettings.load(
        scenario="preference-tiny",
        num_workers=len(reference.workers),
        num_centres=reference.num_centres,
        num_tasks=len(reference.tasks),
        horizon_s=reference.horizon_s,
        step_s=reference.step_s,
        speed_mps=reference.speed_mps,
        range_m=reference.range_m,
        max_candidates=reference.max_candidates,
        service_s=reference.service_s,
        decline_cooldown_s=reference.pause_s,
        max_offers=reference.max_offers,
        acceptance="always" if reference.always else "preference",
        acceptance_min=reference.a_min,
        acceptance_max=reference.a_max,
        acceptance_exponent=reference.gamma,
    )
