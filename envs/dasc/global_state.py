"""The state of DASC as one row of numbers, for centralised critics.

Every worker and every slot is in it; a subtask whose task is not created yet is all zeros, as the platform does not
know it, and so is an empty slot.
"""

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.layout import ObservationLayout
from crowdgym.envs.dasc.instance import NUM_SKILLS
from crowdgym.envs.dasc.kernel.dynamics import ABSENT, UNASSIGNED
from crowdgym.envs.dasc.kernel.features import SUBTASK_STATE, WORKER_STATE
from crowdgym.envs.dasc.kernel.simulation import DascSimulation
from crowdgym.envs.dasc.kernel.state import SubtaskStatus, WorkerStatus


def state_layout(workers: int, slots: int) -> ObservationLayout:
    """The sets of a state, in order."""
    return ObservationLayout.of(
        (("clock", 1, ("elapsed",)), ("workers", workers, WORKER_STATE), ("subtasks", slots, SUBTASK_STATE))
    )


def global_state(simulation: DascSimulation, b: int) -> NDArray[np.float32]:
    """The state of copy ``b``, in [-1, 1], scaled as the observations are. Shape [state_layout(W, S).width]."""
    elapsed = simulation.now_s(b) / simulation.scales.horizon_s
    row = np.concatenate([[elapsed], _crowd(simulation, b).ravel(), _work(simulation, b).ravel()])
    clipped: NDArray[np.float32] = np.clip(row, -1.0, 1.0).astype(np.float32)
    return clipped


def _crowd(simulation: DascSimulation, b: int) -> NDArray[np.float64]:
    """A row for each worker. Shape [W, len(WORKER_STATE)]."""
    workers, scales = simulation.state.workers, simulation.scales
    until_s = np.maximum(workers.free_s[b] - simulation.now_s(b), 0.0)
    rows = [
        _placed(workers.x_m[b], workers.y_m[b], simulation),
        np.eye(len(WorkerStatus))[workers.status[b]],
        (until_s / scales.window_s)[:, np.newaxis],
        _skill_flags(workers.skill_bits[b]),
    ]
    return np.concatenate(rows, axis=1)


def _work(simulation: DascSimulation, b: int) -> NDArray[np.float64]:
    """A row for each slot. Shape [S, len(SUBTASK_STATE)]."""
    subtasks, tasks, scales = simulation.state.subtasks, simulation.state.tasks, simulation.scales
    now_s, task = simulation.now_s(b), subtasks.task[b]
    status = subtasks.status[b]
    unassigned = status <= UNASSIGNED
    done_s = np.where(unassigned | np.isnan(subtasks.finish_s[b]), now_s + subtasks.duration_s[b], subtasks.finish_s[b])
    size = np.diff(tasks.first[b])[task]
    numbers = [
        simulation.state.output.live[b],
        subtasks.duration_s[b] / scales.duration_s,
        (subtasks.latest_expected_s[b] - done_s) / scales.window_s,
        (subtasks.latest_deadline_s[b] - done_s) / scales.window_s,
        (tasks.expected_s[b][task] - now_s) / scales.window_s,
        (tasks.deadline_s[b][task] - now_s) / scales.window_s,
        np.where(unassigned, 0.0, np.maximum(done_s - now_s, 0.0)) / scales.window_s,
        tasks.payment[b][task] / size / scales.payment,
    ]
    rows = np.concatenate(
        [
            _placed(subtasks.x_m[b], subtasks.y_m[b], simulation),
            np.eye(len(SubtaskStatus))[status][:, UNASSIGNED:],
            np.stack(numbers, axis=1),
            _skill_flags(subtasks.skill_bits[b]),
        ],
        axis=1,
    )
    rows[status == ABSENT] = 0.0
    return rows


def _skill_flags(skill_bits: NDArray[np.uint16]) -> NDArray[np.float64]:
    return ((skill_bits[:, np.newaxis] >> np.arange(NUM_SKILLS)) & 1).astype(np.float64)


def _placed(x_m: NDArray[np.float64], y_m: NDArray[np.float64], simulation: DascSimulation) -> NDArray[np.float64]:
    scales = simulation.scales
    placed: NDArray[np.float64] = np.stack([x_m - scales.centre_x_m, y_m - scales.centre_y_m], axis=1)
    return placed / scales.extent_m
