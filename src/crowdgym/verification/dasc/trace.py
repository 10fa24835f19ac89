"""Converts a recorded episode of DASC to the input of the solution checker.

Nothing is worked out here that the trace does not claim: who got what and when, from where, the times of the match,
when and where workers were idle again, what became of subtasks and tasks, and each change of what was paid.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.dasc import DascSettings
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.envs.dasc.kernel.state import SubtaskStatus as RecordedSubtaskStatus
from crowdgym.envs.dasc.kernel.state import TaskStatus as RecordedTaskStatus
from crowdgym.envs.dasc.kernel.state import WorkerStatus
from crowdgym.traces.format import Trace
from crowdgym.verification.dasc.checker import check_schedule
from crowdgym.verification.dasc.records import (
    Assignment,
    CheckedInstance,
    Payment,
    Schedule,
    SubtaskStatus,
    TaskOutcome,
    TaskStatus,
    Totals,
    Violation,
)

Values = dict[str, NDArray[Any]]


def broken_rules(trace: Trace, env: Any) -> list[Violation]:
    """The violations in an episode.

    Args:
        trace: of the episode.
        env: its environment at the begin of the episode.
    """
    schedule = schedule_of(trace, env.settings, env.instance.num_subtasks)
    return check_schedule(checked_instance(env.instance, env.settings), schedule)


def checked_instance(instance: DascInstance, settings: DascSettings) -> CheckedInstance:
    """The instance and the constants of an environment, in the form that the checker reads."""
    network = instance.network
    return CheckedInstance(
        indptr=network.indptr,
        indices=network.indices,
        length=network.length,
        unit_m=network.unit_m,
        worker_node=instance.worker_node,
        worker_skills=instance.worker_skills,
        created_s=instance.created_s,
        expected_s=instance.expected_s,
        deadline_s=instance.deadline_s,
        max_payment=instance.payment,
        subtask_task=instance.subtask_task,
        subtask_node=instance.subtask_node,
        subtask_skills=instance.subtask_skills,
        duration_s=instance.duration_s,
        predecessors=tuple(tuple(instance.predecessors_of(i).tolist()) for i in range(instance.num_subtasks)),
        horizon_s=settings.horizon_s,
        step_s=settings.step_s,
        speed_mps=settings.speed_mps,
        range_m=settings.range_m,
        penalty_per_s=settings.penalty_per_s,
        travel_cost_per_m=settings.travel_cost_per_m,
        max_candidates=settings.max_candidates,
        num_slots=settings.num_slots,
        selects=settings.action_mode == "select",
        after_finish=settings.dependency == "finished",
    )


def schedule_of(trace: Trace, settings: DascSettings, num_subtasks: int) -> Schedule:
    """The log of an episode, read off its trace; of the slots the first ``num_subtasks`` hold subtasks."""
    values, last = trace.values, trace.header.steps
    step_s, horizon_s = settings.step_s, settings.horizon_s
    times_s = [min(row * step_s, horizon_s) for row in range(last + 1)]  # of the rows
    return Schedule(
        until_s=times_s[last],
        assignments=tuple(_assignments(values, times_s)),
        subtasks=tuple(_subtask_status(status) for status in values["subtask_status"][-1][:num_subtasks]),
        tasks=tuple(
            TaskOutcome(TaskStatus[RecordedTaskStatus(status).name], float(end_s))
            for status, end_s in zip(values["task_status"][-1], values["end_s"][-1], strict=True)
        ),
        payments=tuple(_payments(values["paid"], times_s)),
        totals=Totals(**{name: trace.header.metrics[name] for name in Totals.__dataclass_fields__}),  # type: ignore[arg-type]
    )


def _subtask_status(status: int) -> SubtaskStatus:
    return SubtaskStatus[RecordedSubtaskStatus(status).name]


def _assignments(values: Values, times_s: list[float]) -> list[Assignment]:
    """One for every row in which a subtask has another worker than in the row before."""
    owner = values["subtask_worker"]
    begun = [
        (int(row) + 1, int(subtask), int(owner[row + 1, subtask]))
        for row, subtask in np.argwhere((owner[1:] != owner[:-1]) & (owner[1:] >= 0))
    ]
    rows_of_worker: dict[int, list[int]] = {}
    for row, _, worker in begun:
        rows_of_worker.setdefault(worker, []).append(row)
    made = []
    for row, subtask, worker in begun:
        end = min((later - 1 for later in rows_of_worker[worker] if later > row), default=len(times_s) - 1)
        made.append(_assignment(values, row, subtask, worker, end, times_s[row - 1]))
    return made


def _assignment(values: Values, row: int, subtask: int, worker: int, end: int, taken_s: float) -> Assignment:
    """What row ``row`` says of a match, and what row ``end``, the worker's last before another, of its end."""
    status = values["worker_status"][end, worker]
    idle_node, idle_s = -1, np.nan
    if status in (WorkerStatus.IDLE, WorkerStatus.RELEASED):
        idle_node = int(values["worker_goal"][end, worker])
        idle_s = float(values["free_s"][end, worker])
    return Assignment(
        worker=worker,
        subtask=subtask,
        taken_s=taken_s,
        from_node=int(values["worker_node"][row - 1, worker]),
        arrive_s=float(values["arrive_s"][row, subtask]),
        start_s=float(values["start_s"][row, subtask]),
        finish_s=float(values["finish_s"][row, subtask]),
        idle_node=idle_node,
        idle_s=idle_s,
    )


def _payments(paid: NDArray[np.float64], times_s: list[float]) -> list[Payment]:
    """One for every row in which another sum is paid for a task than in the row before."""
    return [
        Payment(int(task), times_s[row + 1], float(paid[row + 1, task] - paid[row, task]))
        for row, task in np.argwhere(paid[1:] != paid[:-1])
    ]
