"""Small worlds by hand. Unless a test says otherwise, everybody drives at 10 m/s and the roads are

0 --100 m-- 1 --100 m-- 2 --100 m-- 3
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reference.csc_instance import both_ways
from reference.preference_arrays import to_world
from reference.preference_instance import PreferenceReferenceInstance, ReferenceTask, ReferenceWorker

from crowdgym.envs.preference.kernel.simulation import PreferenceSimulation
from crowdgym.envs.preference.snapshot import PreferenceSnapshot

FIRST = (0.5, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0)  # a preference: category 0 most
NEVER, ALWAYS = 0.999, 0.0  # lots


def a_task(node: int, **others: Any) -> ReferenceTask:
    """Of category 0, open from 0 to 60 s."""
    return replace(ReferenceTask(node=node, category=0, created_s=0.0, expiry_s=60.0), **others)


def a_world(
    starts: Sequence[int],
    tasks: Sequence[ReferenceTask],
    lots: Mapping[tuple[int, int], float] | None = None,
    **others: Any,
) -> PreferenceReferenceInstance:
    """All workers would accept all tasks, but for the pairs (worker, task) in ``lots``."""
    given = lots or {}
    plain = PreferenceReferenceInstance(
        num_nodes=4,
        unit_m=1.0,
        arcs=both_ways((0, 1, 100), (1, 2, 100), (2, 3, 100)),
        workers=tuple(ReferenceWorker(start, FIRST) for start in starts),
        tasks=tuple(tasks),
        lots=tuple(tuple(given.get((w, s), ALWAYS) for s in range(len(tasks))) for w in range(len(starts))),
        num_centres=1,
        horizon_s=100.0,
        step_s=5.0,
        speed_mps=10.0,
        range_m=1e6,
        max_candidates=10,
        service_s=20.0,
        pause_s=15.0,
        max_offers=2,
        always=False,
        a_min=0.05,
        a_max=0.95,
        gamma=1.0,
    )
    return replace(plain, **others)


def start(world: PreferenceReferenceInstance) -> PreferenceSimulation:
    return to_world(world).start()


def moment(simulation: PreferenceSimulation) -> PreferenceSnapshot:
    return PreferenceSnapshot.of(simulation, 0)
