"""From the plain worlds of the reference simulator to the arrays of the package."""

from dataclasses import dataclass

import numpy as np
from reference.csc_instance import ReferenceInstance

from crowdgym.configs.csc import CscSettings
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.csc.instance import NUM_SKILLS, CscInstance


@dataclass(frozen=True)
class World:
    """One world as the package takes it."""

    instance: CscInstance
    settings: CscSettings


def to_world(reference: ReferenceInstance) -> World:
    """The same world in arrays; nodes lie on a circle, as the reference knows no coordinates."""
    instance = CscInstance(
        network=to_network(reference),
        worker_node=np.array([worker.start_node for worker in reference.workers], np.int32),
        worker_skills=np.array([[k in worker.skills for k in range(NUM_SKILLS)] for worker in reference.workers]),
        task_node=np.array([task.node for task in reference.tasks], np.int32),
        task_skill=np.array([task.skill for task in reference.tasks], np.int8),
        created_s=np.array([task.created_s for task in reference.tasks]),
        expected_s=np.array([task.expected_s for task in reference.tasks]),
        deadline_s=np.array([task.deadline_s for task in reference.tasks]),
        workload_s=np.array([task.workload_s for task in reference.tasks]),
        payment=np.array([task.max_payment for task in reference.tasks]),
    )
    settings = CscSettings.load(
        scenario="tiny",
        num_workers=len(reference.workers),
        num_tasks=len(reference.tasks),
        horizon_s=reference.horizon_s,
        step_s=reference.step_s,
        speed_mps=reference.speed_mps,
        range_m=reference.range_m,
        penalty_per_s=reference.penalty_per_s,
        max_candidates=reference.max_candidates,
    )
    return World(instance, settings)


def to_network(reference: ReferenceInstance) -> RoadNetwork:
    """The roads as a CSR graph."""
    arcs = np.array(sorted(reference.arcs), np.int32).reshape(-1, 3)
    angle = np.linspace(0, 2 * np.pi, reference.num_nodes, endpoint=False)
    return RoadNetwork(
        node_ids=np.arange(reference.num_nodes, dtype=np.int64),
        x_m=1000 * np.cos(angle),
        y_m=1000 * np.sin(angle),
        longitude_deg=np.zeros(reference.num_nodes),
        latitude_deg=np.zeros(reference.num_nodes),
        indptr=np.searchsorted(arcs[:, 0], np.arange(reference.num_nodes + 1)).astype(np.int32),
        indices=arcs[:, 1].copy(),
        length=arcs[:, 2].copy(),
        unit_m=reference.unit_m,
        crs="EPSG:32649",
    )
