"""One moment of one copy of DASC, copied out of the arrays: for pictures, logs and checks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.dasc.kernel.dynamics import RELEASED, TRAVELLING
from crowdgym.envs.dasc.kernel.simulation import DascSimulation, Metrics


@dataclass(frozen=True)
class DascSnapshot:
    """Everything at one epoch. W workers, Q tasks, S slots, E precedences; statuses as the enums of ``state.py``."""

    time_s: float
    metrics: Metrics
    worker_x_m: NDArray[np.float64]  # [W] projected, as the network's
    worker_y_m: NDArray[np.float64]  # [W]
    worker_status: NDArray[np.int8]  # [W]
    worker_subtask: NDArray[np.int32]  # [W] travelled to, waited at or worked at, or -1
    worker_node: NDArray[np.int32]  # [W] where it is, or where it set out from while under way
    worker_goal: NDArray[np.int32]  # [W] the node where its way ends, or where it is
    depart_s: NDArray[np.float64]  # [W] when it last set out, or NaN
    free_s: NDArray[np.float64]  # [W] when it became idle, or will be as far as is known
    task_status: NDArray[np.int8]  # [Q]
    end_s: NDArray[np.float64]  # [Q] when it finished or expired, NaN before
    paid: NDArray[np.float64]  # [Q]
    subtask_task: NDArray[np.int32]  # [S] or -1 of an empty slot
    subtask_x_m: NDArray[np.float64]  # [S]
    subtask_y_m: NDArray[np.float64]  # [S]
    subtask_status: NDArray[np.int8]  # [S]
    duration_s: NDArray[np.float64]  # [S] of the work
    subtask_worker: NDArray[np.int32]  # [S] the one it ever got, or -1
    arrive_s: NDArray[np.float64]  # [S] when that worker arrives at it; NaN before the match, as are the next two
    start_s: NDArray[np.float64]  # [S]
    finish_s: NDArray[np.float64]  # [S] as planned at the match, even if the task expired before
    outcome: NDArray[np.int8]  # [S] what became of the latest action
    illegal: NDArray[np.int32]  # [S] actions so far that were not legal
    invalid: NDArray[np.int32]  # [S] requests so far that were not admitted
    unmatched: NDArray[np.int32]  # [S] admitted ones so far that got no worker
    arrows: NDArray[np.int32]  # [E, 2] predecessor and successor

    @classmethod
    def of(cls, simulation: DascSimulation, b: int) -> "DascSnapshot":
        """The present moment of copy ``b``."""
        workers, tasks, subtasks = simulation.state.workers, simulation.state.tasks, simulation.state.subtasks
        status = workers.status[b].copy()
        moving = (status == TRAVELLING) | (status == RELEASED)
        node = simulation.state.distances.place_node[b][workers.place[b]]
        start = simulation.state.precedence.start[b]
        before = simulation.state.precedence.predecessors[b, : start[-1]]
        after = np.repeat(np.arange(len(start) - 1), np.diff(start))
        return cls(
            time_s=simulation.now_s(b),
            metrics=simulation.metrics(b),
            worker_x_m=workers.x_m[b].copy(),
            worker_y_m=workers.y_m[b].copy(),
            worker_status=status,
            worker_subtask=np.where(status == RELEASED, -1, workers.subtask[b]).astype(np.int32),
            worker_node=node,
            worker_goal=np.where(moving, workers.goal[b], node).astype(np.int32),
            depart_s=workers.depart_s[b].copy(),
            free_s=workers.free_s[b].copy(),
            task_status=tasks.status[b].copy(),
            end_s=tasks.end_s[b].copy(),
            paid=tasks.paid[b].copy(),
            subtask_task=subtasks.task[b].copy(),
            subtask_x_m=subtasks.x_m[b].copy(),
            subtask_y_m=subtasks.y_m[b].copy(),
            subtask_status=subtasks.status[b].copy(),
            duration_s=subtasks.duration_s[b].copy(),
            subtask_worker=subtasks.worker[b].copy(),
            arrive_s=subtasks.arrive_s[b].copy(),
            start_s=subtasks.start_s[b].copy(),
            finish_s=subtasks.finish_s[b].copy(),
            outcome=simulation.state.output.outcome[b].copy(),
            illegal=subtasks.illegal[b].copy(),
            invalid=subtasks.invalid[b].copy(),
            unmatched=subtasks.unmatched[b].copy(),
            arrows=np.stack([before, after], axis=1).astype(np.int32),
        )
