"""One moment of one copy of CSC, copied out of the arrays: for pictures, logs and checks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.csc.kernel.dynamics import OPEN, TRAVELLING, WORKING
from crowdgym.envs.csc.kernel.simulation import CscSimulation, Metrics


@dataclass(frozen=True)
class CscSnapshot:
    """Everything at one epoch. W workers, T tasks; statuses as in ``WorkerStatus`` and ``TaskStatus``."""

    time_s: float
    metrics: Metrics
    worker_x_m: NDArray[np.float64]  # [W] projected, as the network's
    worker_y_m: NDArray[np.float64]  # [W]
    worker_status: NDArray[np.int8]  # [W]
    worker_task: NDArray[np.int32]  # [W] travelled to or worked at, or -1
    worker_node: NDArray[np.int32]  # [W] where it is, or where it set out from while under way
    worker_goal: NDArray[np.int32]  # [W] the node where its way ends
    depart_s: NDArray[np.float64]  # [W] when it last set out for a task, or NaN
    arrive_s: NDArray[np.float64]  # [W] when it arrives (arrived) there; NaN if it never will
    free_s: NDArray[np.float64]  # [W] when it became idle, or will be once released
    worker_illegal: NDArray[np.int32]  # [W] actions so far that were not legal
    task_x_m: NDArray[np.float64]  # [T]
    task_y_m: NDArray[np.float64]  # [T]
    task_status: NDArray[np.int8]  # [T]
    work_left_s: NDArray[np.float64]  # [T] worker-seconds left now; as it ended, of an ended task
    workers_present: NDArray[np.int32]  # [T]
    workers_en_route: NDArray[np.int32]  # [T]
    end_s: NDArray[np.float64]  # [T] when it finished or expired, NaN before
    paid: NDArray[np.float64]  # [T]

    @classmethod
    def of(cls, simulation: CscSimulation, b: int) -> "CscSnapshot":
        """The present moment of copy ``b``."""
        workers, tasks = simulation.state.workers, simulation.state.tasks
        now_s = simulation.now_s(b)
        status, open_now = workers.status[b].copy(), tasks.status[b] == OPEN
        done_s = tasks.present[b] * np.where(open_now, now_s - tasks.since_s[b], 0.0)
        return cls(
            time_s=now_s,
            metrics=simulation.metrics(b),
            worker_x_m=workers.x_m[b].copy(),
            worker_y_m=workers.y_m[b].copy(),
            worker_status=status,
            worker_task=np.where((status == TRAVELLING) | (status == WORKING), workers.task[b], -1).astype(np.int32),
            worker_node=workers.node[b].copy(),
            worker_goal=workers.goal[b].copy(),
            depart_s=workers.depart_s[b].copy(),
            arrive_s=workers.arrive_s[b].copy(),
            free_s=workers.free_s[b].copy(),
            worker_illegal=workers.illegal[b].copy(),
            task_x_m=tasks.x_m[b].copy(),
            task_y_m=tasks.y_m[b].copy(),
            task_status=tasks.status[b].copy(),
            work_left_s=np.maximum(0.0, tasks.work_left_s[b] - done_s),
            workers_present=tasks.present[b].copy(),
            workers_en_route=tasks.en_route[b].copy(),
            end_s=tasks.end_s[b].copy(),
            paid=tasks.paid[b].copy(),
        )
