"""From a recorded episode of ``preference_v0`` to what the solution checker reads.

Nothing is worked out here that the trace does not claim: which task was asked for whom and when, from where, what came
of it, when and where the worker was idle again, and what became of every task.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.preference import PreferenceSettings
from crowdgym.envs.preference.instance import PreferenceInstance
from crowdgym.envs.preference.kernel.state import Outcome
from crowdgym.envs.preference.kernel.state import TaskStatus as RecordedTaskStatus
from crowdgym.traces.format import Trace
from crowdgym.verification.preference.checker import check_schedule
from crowdgym.verification.preference.records import (
    Answer,
    Ask,
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
    return check_schedule(checked_instance(env.instance, env.settings), schedule_of(trace, env.settings))


def checked_instance(instance: PreferenceInstance, settings: PreferenceSettings) -> CheckedInstance:
    """The instance and the constants of an environment, as the checker takes them."""
    network = instance.network
    return CheckedInstance(
        indptr=network.indptr,
        indices=network.indices,
        length=network.length,
        unit_m=network.unit_m,
        worker_node=instance.worker_node,
        preference=instance.preference,
        lots=instance.lots,
        task_node=instance.task_node,
        task_category=instance.task_category,
        created_s=instance.created_s,
        expiry_s=instance.expiry_s,
        horizon_s=settings.horizon_s,
        step_s=settings.step_s,
        speed_mps=settings.speed_mps,
        range_m=settings.range_m,
        max_candidates=settings.max_candidates,
        service_s=settings.service_s,
        pause_s=settings.decline_cooldown_s,
        max_offers=settings.max_offers,
        always_accepts=settings.acceptance == "always",
        acceptance_min=settings.acceptance_min,
        acceptance_max=settings.acceptance_max,
        acceptance_exponent=settings.acceptance_exponent,
    )


def schedule_of(trace: Trace, settings: PreferenceSettings) -> Schedule:
    """The log of an episode, read off its trace."""
    values, last = trace.values, trace.header.steps
    step_s, horizon_s = settings.step_s, settings.horizon_s
    asked = (values["chosen"] >= 0) | (values["outcome"] != Outcome.NONE)
    asked[0] = False  # row k is after the k-th step
    rows, workers = np.nonzero(asked)
    return Schedule(
        until_s=min(last * step_s, horizon_s),
        asks=tuple(
            _ask(values, row, worker, min((row - 1) * step_s, horizon_s))
            for row, worker in zip(rows.tolist(), workers.tolist(), strict=True)
        ),
        tasks=tuple(_outcome(values, task) for task in range(values["task_status"].shape[1])),
        totals=Totals(**{name: trace.header.metrics[name] for name in Totals.__dataclass_fields__}),  # type: ignore[arg-type]
    )


def _ask(values: dict[str, NDArray[Any]], row: int, worker: int, asked_s: float) -> Ask:
    """What row ``row`` says was asked, and what came of it."""
    answer = Answer[Outcome(values["outcome"][row, worker]).name]
    from_node = int(values["worker_node"][row - 1, worker])
    arrival_s, idle_s, idle_node = np.nan, np.nan, from_node
    if answer is Answer.ACCEPTED:
        arrival_s, idle_node = float(values["arrive_s"][row, worker]), int(values["worker_goal"][row, worker])
    elif answer is Answer.DECLINED:
        idle_node = int(values["worker_node"][row, worker])
    if answer in (Answer.ACCEPTED, Answer.DECLINED):
        idle_s = float(values["free_s"][row, worker])
    return Ask(
        worker=worker,
        task=int(values["chosen"][row, worker]),
        asked_s=asked_s,
        from_node=from_node,
        answer=answer,
        arrival_s=arrival_s,
        idle_s=idle_s,
        idle_node=idle_node,
    )


def _outcome(values: dict[str, NDArray[Any]], task: int) -> TaskOutcome:
    status = RecordedTaskStatus(values["task_status"][-1, task])
    return TaskOutcome(
        status=TaskStatus[status.name],
        end_s=float(values["end_s"][-1, task]),
        worker=int(values["task_worker"][-1, task]),
        declines=int(values["declines"][-1, task]),
    )
