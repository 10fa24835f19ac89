"""One moment of one copy of `preference_v0`, copied out of the arrays: for pictures, logs and checks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.preference.kernel.simulation import Metrics, PreferenceSimulation


@dataclass(frozen=True)
class PreferenceSnapshot:
    """Everything at one epoch. W workers, T tasks; codes as in ``WorkerStatus``, ``TaskStatus`` and ``Outcome``."""

    time_s: float
    metrics: Metrics
    centre: NDArray[np.int32]  # [W]
    worker_x_m: NDArray[np.float64]  # [W] projected, as the network's
    worker_y_m: NDArray[np.float64]  # [W]
    worker_status: NDArray[np.int8]  # [W]
    worker_task: NDArray[np.int32]  # [W] driven to or served, or -1
    worker_node: NDArray[np.int32]  # [W] where it is, or where it set out from while driving
    worker_goal: NDArray[np.int32]  # [W] the node where its latest way ends
    outcome: NDArray[np.int8]  # [W] of the latest step
    depart_s: NDArray[np.float64]  # [W] when it last set out for a task, or NaN
    arrive_s: NDArray[np.float64]  # [W] when it arrives (arrived) there, or NaN
    free_s: NDArray[np.float64]  # [W] when it became idle, or will be
    worker_illegal: NDArray[np.int32]  # [W] actions so far that were not legal
    task_x_m: NDArray[np.float64]  # [T]
    task_y_m: NDArray[np.float64]  # [T]
    task_category: NDArray[np.int8]  # [T]
    task_status: NDArray[np.int8]  # [T]
    task_worker: NDArray[np.int32]  # [T] who accepted it, or -1
    declines: NDArray[np.int32]  # [T]
    end_s: NDArray[np.float64]  # [T] when it was accepted, closed or expired, NaN before

    @classmethod
    def of(cls, simulation: PreferenceSimulation, b: int) -> "PreferenceSnapshot":
        """The present moment of copy ``b``."""
        workers, tasks = simulation.state.workers, simulation.state.tasks
        return cls(
            time_s=simulation.now_s(b),
            metrics=simulation.metrics(b),
            centre=workers.centre[b].copy(),
            worker_x_m=workers.x_m[b].copy(),
            worker_y_m=workers.y_m[b].copy(),
            worker_status=workers.status[b].copy(),
            worker_task=workers.task[b].copy(),
            worker_node=workers.node[b].copy(),
            worker_goal=workers.goal[b].copy(),
            outcome=simulation.state.output.outcome[b].copy(),
            depart_s=workers.depart_s[b].copy(),
            arrive_s=workers.arrive_s[b].copy(),
            free_s=workers.free_s[b].copy(),
            worker_illegal=workers.illegal[b].copy(),
            task_x_m=tasks.x_m[b].copy(),
            task_y_m=tasks.y_m[b].copy(),
            task_category=tasks.category[b].copy(),
            task_status=tasks.status[b].copy(),
            task_worker=tasks.worker[b].copy(),
            declines=tasks.declines[b].copy(),
            end_s=tasks.end_s[b].copy(),
        )
