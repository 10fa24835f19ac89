"""From the reference simulator to what the solution checker reads."""

import math
from itertools import accumulate

import numpy as np
from reference.preference_instance import PreferenceReferenceInstance
from reference.preference_reference import Ask as ReferenceAsk
from reference.preference_reference import Outcome, PreferenceReferenceSimulator

from crowdgym.verification.preference.records import (
    Answer,
    Ask,
    CheckedInstance,
    Schedule,
    TaskOutcome,
    TaskStatus,
    Totals,
)


def checked_instance(instance: PreferenceReferenceInstance) -> CheckedInstance:
    """The same instance as arrays."""
    shortest: dict[tuple[int, int], int] = {}
    for tail, head, units in instance.arcs:
        shortest[tail, head] = min(units, shortest.get((tail, head), units))
    roads = sorted(shortest.items())
    degree = [sum(tail == node for (tail, _), _ in roads) for node in range(instance.num_nodes)]
    return CheckedInstance(
        indptr=np.array([0, *accumulate(degree)], dtype=np.int32),
        indices=np.array([head for (_, head), _ in roads], dtype=np.int32),
        length=np.array([units for _, units in roads], dtype=np.int32),
        unit_m=instance.unit_m,
        worker_node=np.array([worker.start_node for worker in instance.workers], dtype=np.int32),
        preference=np.array([worker.preference for worker in instance.workers]),
        lots=np.array(instance.lots),
        task_node=np.array([task.node for task in instance.tasks], dtype=np.int32),
        task_category=np.array([task.category for task in instance.tasks], dtype=np.int32),
        created_s=np.array([task.created_s for task in instance.tasks]),
        expiry_s=np.array([task.expiry_s for task in instance.tasks]),
        horizon_s=instance.horizon_s,
        step_s=instance.step_s,
        speed_mps=instance.speed_mps,
        range_m=instance.range_m,
        max_candidates=instance.max_candidates,
        service_s=instance.service_s,
        pause_s=instance.pause_s,
        max_offers=instance.max_offers,
        always_accepts=instance.always,
        acceptance_min=instance.a_min,
        acceptance_max=instance.a_max,
        acceptance_exponent=instance.gamma,
    )


def schedule(simulator: PreferenceReferenceSimulator) -> Schedule:
    """The log of all that has happened up to the present epoch."""
    return Schedule(
        until_s=simulator.time_s,
        asks=tuple(_ask(simulator, ask) for ask in simulator.asks),
        tasks=tuple(
            TaskOutcome(
                TaskStatus(record.state.value),
                math.nan if record.end_s is None else record.end_s,
                -1 if record.worker is None else record.worker,
                record.declines,
            )
            for record in simulator.tasks
        ),
        totals=Totals(**simulator.metrics()),  # type: ignore[arg-type]
    )


def _ask(simulator: PreferenceReferenceSimulator, ask: ReferenceAsk) -> Ask:
    arrival_s, idle_s, idle_node = math.nan, math.nan, ask.from_node
    if ask.outcome is Outcome.ACCEPTED:
        trip = next(trip for trip in simulator.trips if trip.task == ask.task)
        arrival_s, idle_node = trip.arrival_s, trip.path[-1]
        idle_s = arrival_s + simulator.instance.service_s
    elif ask.outcome is Outcome.DECLINED:
        idle_s = ask.asked_s + simulator.instance.pause_s
    return Ask(
        worker=ask.worker,
        task=ask.task,
        asked_s=ask.asked_s,
        from_node=ask.from_node,
        answer=Answer(ask.outcome.value),
        arrival_s=arrival_s,
        idle_s=idle_s,
        idle_node=idle_node,
    )
