"""From the plain worlds of the reference simulator of DASC to the arrays of the package."""

import numpy as np
from reference.csc_arrays import to_network
from reference.dasc_instance import DascReferenceInstance
from worlds.dasc_worlds import World

from crowdgym.configs.dasc import DascSettings
from crowdgym.envs.dasc.instance import NUM_SKILLS, DascInstance


def to_world(reference: DascReferenceInstance) -> World:
    """The same world in arrays; nodes lie on a circle, as the reference knows no coordinates."""
    jobs, subtasks = reference.jobs, reference.subtasks
    instance = DascInstance(
        network=to_network(reference),
        worker_node=np.array([worker.start_node for worker in reference.workers], np.int32),
        worker_skills=_flags([worker.skills for worker in reference.workers]),
        created_s=np.array([job.created_s for job in jobs]),
        expected_s=np.array([job.expected_s for job in jobs]),
        deadline_s=np.array([job.deadline_s for job in jobs]),
        payment=np.array([job.max_payment for job in jobs]),
        subtask_task=np.array([q for q, job in enumerate(jobs) for _ in job.subtasks], np.int32),
        subtask_node=np.array([subtask.node for subtask in subtasks], np.int32),
        subtask_skills=_flags([subtask.skills for subtask in subtasks]),
        duration_s=np.array([subtask.duration_s for subtask in subtasks]),
        predecessor_start=np.cumsum([0, *(len(subtask.before) for subtask in subtasks)]).astype(np.int32),
        predecessors=np.array([j for subtask in subtasks for j in subtask.before], np.int32),
    )
    settings = DascSettings.load(
        scenario="tiny",
        num_workers=len(reference.workers),
        num_tasks=len(jobs),
        subtasks_mean=reference.num_slots / len(jobs),
        horizon_s=reference.horizon_s,
        step_s=reference.step_s,
        speed_mps=reference.speed_mps,
        range_m=reference.range_m,
        max_candidates=reference.max_candidates,
        action_mode="select" if reference.selects else "recommend",
        dependency="finished" if reference.after_finished else "assigned",
        utility=reference.utility,
        penalty_per_s=reference.penalty_per_s,
        travel_cost_per_m=reference.travel_cost_per_m,
        unmatched_penalty=reference.unmatched_penalty,
        invalid_penalty=reference.invalid_penalty,
    )
    assert settings.num_slots == reference.num_slots
    return World(instance, settings)


def _flags(sets: list[frozenset[int]]) -> np.ndarray:
    return np.array([[k in some for k in range(NUM_SKILLS)] for some in sets], np.bool_)
