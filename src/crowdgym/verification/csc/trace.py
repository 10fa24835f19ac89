"""Converts a recorded episode of CSC to the input of the solution checker.

Nothing is worked out here that the trace does not claim: who took what and when, from where, when it arrived, when and
where it was idle again, and what became of every task.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.csc import CscSettings
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.csc.kernel.state import TaskStatus as RecordedTaskStatus
from crowdgym.envs.csc.kernel.state import WorkerStatus
from crowdgym.traces.format import Trace
from crowdgym.verification.csc.checker import check_schedule
from crowdgym.verification.csc.credit import check_rewards
from crowdgym.verification.csc.records import (
    Assignment,
    CheckedInstance,
    Schedule,
    TaskOutcome,
    TaskStatus,
    Totals,
    Violation,
)


def broken_rules(trace: Trace, env: Any) -> list[Violation]:
    """The violations in an episode.

    Args:
        trace: of the episode.
        env: its environment at the begin of the episode.
    """
    instance, schedule = checked_instance(env.instance, env.settings), schedule_of(trace, env.settings)
    rewards = trace.values["reward"][1:]  # the first row is that of the beginning
    return [*check_schedule(instance, schedule), *check_rewards(instance, schedule, env.settings.reward, rewards)]


def checked_instance(instance: CscInstance, settings: CscSettings) -> CheckedInstance:
    """The instance and the constants of an environment, in the form that the checker reads."""
    network = instance.network
    return CheckedInstance(
        indptr=network.indptr,
        indices=network.indices,
        length=network.length,
        unit_m=network.unit_m,
        worker_node=instance.worker_node,
        worker_skills=instance.worker_skills,
        task_node=instance.task_node,
        task_skill=instance.task_skill,
        created_s=instance.created_s,
        expected_s=instance.expected_s,
        deadline_s=instance.deadline_s,
        workload_s=instance.workload_s,
        max_payment=instance.payment,
        horizon_s=settings.horizon_s,
        step_s=settings.step_s,
        speed_mps=settings.speed_mps,
        range_m=settings.range_m,
        penalty_per_s=settings.penalty_per_s,
        max_candidates=settings.max_candidates,
    )


def schedule_of(trace: Trace, settings: CscSettings) -> Schedule:
    """The log of an episode, read off its trace."""
    values, last = trace.values, trace.header.steps
    step_s, horizon_s = settings.step_s, settings.horizon_s
    assignments: list[Assignment] = []
    for worker in range(len(trace.header.agents)):
        taken = np.flatnonzero(values["chosen"][:, worker] >= 0)  # rows; row k is after the k-th step
        for row, next_row in pairwise([*taken, last + 1]):
            taken_s = min((row - 1) * step_s, horizon_s)
            assignments.append(_assignment(values, worker, int(row), int(next_row) - 1, taken_s))
    return Schedule(
        until_s=min(last * step_s, horizon_s),
        assignments=tuple(assignments),
        tasks=tuple(_outcome(values, task) for task in range(values["task_status"].shape[1])),
        totals=Totals(**{name: trace.header.metrics[name] for name in Totals.__dataclass_fields__}),  # type: ignore[arg-type]
    )


def _assignment(values: dict[str, NDArray[Any]], worker: int, row: int, end: int, taken_s: float) -> Assignment:
    """What row ``row`` says was taken, and what row ``end``, the last before anything else, says became of it."""
    task = int(values["chosen"][row, worker])
    status = values["worker_status"][end, worker]
    arrived = status in (WorkerStatus.WORKING, WorkerStatus.IDLE)
    idle_node, idle_s, release_s = -1, np.nan, np.nan
    if status in (WorkerStatus.IDLE, WorkerStatus.RELEASED):
        place = "worker_node" if status == WorkerStatus.IDLE else "worker_goal"
        idle_node = int(values[place][end, worker])
        idle_s = float(values["free_s"][end, worker])
        release_s = float(values["end_s"][-1, task])
    return Assignment(
        worker=worker,
        task=task,
        taken_s=taken_s,
        from_node=int(values["worker_node"][row - 1, worker]),
        arrival_s=float(values["arrive_s"][end, worker]) if arrived else np.nan,
        release_s=release_s,
        idle_node=idle_node,
        idle_s=idle_s,
    )


def _outcome(values: dict[str, NDArray[Any]], task: int) -> TaskOutcome:
    status = RecordedTaskStatus(values["task_status"][-1, task])
    return TaskOutcome(TaskStatus[status.name], float(values["end_s"][-1, task]), float(values["paid"][-1, task]))
