"""The state of `preference_v0` as one row of numbers, for centralised critics.

Places and statuses of all workers and tasks; no history and no preference. A task that is not created yet is all zeros,
as the platform does not know it.
"""

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.layout import ObservationLayout
from crowdgym.envs.preference.instance import NUM_CATEGORIES
from crowdgym.envs.preference.kernel.features import TASK_STATE, WORKER_STATE
from crowdgym.envs.preference.kernel.simulation import PreferenceSimulation
from crowdgym.envs.preference.kernel.state import TaskStatus, WorkerStatus


def state_layout(workers: int, tasks: int) -> ObservationLayout:
    """The sets of a state, in order."""
    return ObservationLayout.of(
        (("clock", 1, ("elapsed",)), ("workers", workers, WORKER_STATE), ("tasks", tasks, TASK_STATE))
    )


def global_state(simulation: PreferenceSimulation, b: int) -> NDArray[np.float32]:
    """The state of copy ``b``, in [-1, 1], scaled as the observations are. Shape [state_layout(W, T).width]."""
    workers, tasks, scales = simulation.state.workers, simulation.state.tasks, simulation.scales
    now_s = simulation.now_s(b)
    idle = workers.status[b] == WorkerStatus.IDLE
    until_idle_s = np.where(idle, 0.0, workers.free_s[b] - now_s)
    crowd = np.column_stack(
        [
            _placed(workers.x_m[b], workers.y_m[b], simulation),
            np.eye(len(WorkerStatus))[workers.status[b]],
            until_idle_s / scales.wait_s,
        ]
    )  # [W, len(WORKER_STATE)]
    jobs = np.column_stack(
        [
            _placed(tasks.x_m[b], tasks.y_m[b], simulation),
            np.eye(len(TaskStatus))[tasks.status[b]][:, TaskStatus.OPEN :],
            (tasks.expiry_s[b] - now_s) / scales.wait_s,
            tasks.declines[b] / simulation.rules.max_offers,
            np.eye(NUM_CATEGORIES)[tasks.category[b]],
        ]
    )  # [T, len(TASK_STATE)]
    jobs[tasks.status[b] == TaskStatus.PENDING] = 0.0
    row = np.concatenate([[now_s / scales.time_s], crowd.ravel(), jobs.ravel()])
    clipped: NDArray[np.float32] = np.clip(row, -1.0, 1.0).astype(np.float32)
    return clipped


def _placed(
    x_m: NDArray[np.float64], y_m: NDArray[np.float64], simulation: PreferenceSimulation
) -> NDArray[np.float64]:
    scales = simulation.scales
    placed: NDArray[np.float64] = np.stack([x_m - scales.centre_x_m, y_m - scales.centre_y_m], axis=1)
    return placed / scales.extent_m
