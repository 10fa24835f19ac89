"""The state of CSC as one row of numbers, for centralised critics.

Every worker and every task is in it; a task that is not created yet is all zeros, as the platform does not know it.
"""

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.layout import ObservationLayout
from crowdgym.envs.csc.instance import NUM_SKILLS
from crowdgym.envs.csc.kernel.dynamics import OPEN, PENDING
from crowdgym.envs.csc.kernel.features import TASK_STATE, WORKER_STATE
from crowdgym.envs.csc.kernel.observation import CREW_SCALE
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.kernel.state import TaskStatus, WorkerStatus


def state_layout(workers: int, tasks: int) -> ObservationLayout:
    """The sets of a state, in order."""
    return ObservationLayout.of(
        (("clock", 1, ("elapsed",)), ("workers", workers, WORKER_STATE), ("tasks", tasks, TASK_STATE))
    )


def global_state(simulation: CscSimulation, b: int) -> NDArray[np.float32]:
    """The state of copy ``b``, in [-1, 1], scaled as the observations are. Shape [state_layout(W, T).width]."""
    workers, tasks, scales = simulation.state.workers, simulation.state.tasks, simulation.scales
    now_s = simulation.now_s(b)

    status = np.eye(len(WorkerStatus))[workers.status[b]]  # [W, statuses]
    crowd = np.concatenate(
        [_placed(workers.x_m[b], workers.y_m[b], simulation), status, _skill_flags(workers.skill_bits[b])], axis=1
    )
    open_now = tasks.status[b] == OPEN
    left_s = tasks.work_left_s[b] - tasks.present[b] * np.where(open_now, now_s - tasks.since_s[b], 0.0)
    work = np.concatenate(
        [
            _placed(tasks.x_m[b], tasks.y_m[b], simulation),
            np.eye(len(TaskStatus))[tasks.status[b]][:, OPEN:],
            np.stack(
                [
                    np.maximum(left_s, 0.0) / scales.work_s,
                    (tasks.expected_s[b] - now_s) / scales.time_s,
                    (tasks.deadline_s[b] - now_s) / scales.time_s,
                    tasks.payment[b] / scales.payment,
                    tasks.present[b] / CREW_SCALE,
                    tasks.en_route[b] / CREW_SCALE,
                ],
                axis=1,
            ),
            np.eye(NUM_SKILLS)[tasks.skill[b]],
        ],
        axis=1,
    )  # [T, len(TASK_STATE)]
    work[tasks.status[b] == PENDING] = 0.0
    row = np.concatenate([[now_s / scales.time_s], crowd.ravel(), work.ravel()])
    clipped: NDArray[np.float32] = np.clip(row, -1.0, 1.0).astype(np.float32)
    return clipped


def _skill_flags(skill_bits: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.unpackbits(skill_bits[:, np.newaxis], axis=1, bitorder="little")[:, :NUM_SKILLS].astype(np.float64)


def _placed(x_m: NDArray[np.float64], y_m: NDArray[np.float64], simulation: CscSimulation) -> NDArray[np.float64]:
    scales = simulation.scales
    placed: NDArray[np.float64] = np.stack([x_m - scales.centre_x_m, y_m - scales.centre_y_m], axis=1)
    return placed / scales.extent_m
