"""The solution checker confirms what the reference simulator plays in random worlds, and nothing else."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from reference.csc_instance import ReferenceInstance
from reference.csc_reference import ReferenceSimulator
from reference.csc_schedule import checked_instance, schedule
from reference.random_worlds import Flavour, Policy, play, random_actions, random_world

from crowdgym.testing import Schedule, TaskStatus, ViolationKind, check_schedule

KIND = ViolationKind
NAN = math.nan


# ---- what is true is confirmed ----


@pytest.mark.parametrize("flavour", Flavour)
@pytest.mark.parametrize("policy", Policy)
def test_whatever_the_reference_plays_is_confirmed(flavour: Flavour, policy: Policy) -> None:
    for seed in range(3):
        rng = np.random.default_rng([seed, list(Flavour).index(flavour), list(Policy).index(policy)])
        world = random_world(rng, flavour)
        assert check_schedule(checked_instance(world), schedule(play(rng, world, policy))) == []


@pytest.mark.parametrize("flavour", Flavour)
def test_a_log_closed_at_any_epoch_is_confirmed_as_a_partial_one(flavour: Flavour) -> None:
    rng = np.random.default_rng([77, list(Flavour).index(flavour)])
    simulator = ReferenceSimulator(random_world(rng, flavour))
    instance = checked_instance(simulator.instance)
    while not simulator.done:
        assert check_schedule(instance, schedule(simulator), partial=True) == []
        simulator.step(random_actions(rng, simulator, Policy.RANDOM))


# ---- no single claim can be changed unnoticed ----


def _changed_claims(log: Schedule, rng: np.random.Generator, num_nodes: int) -> list[Schedule]:
    """The log with one claim changed, for every claim that can be held against others."""
    changed: list[Schedule] = []
    for number, row in enumerate(log.assignments):
        changes: list[dict[str, Any]] = [{"taken_s": row.taken_s + 0.01}]
        for name in ("arrival_s", "release_s", "idle_s"):
            value = getattr(row, name)
            off = float(rng.choice([-1, 1])) * float(rng.choice([1e-3, 1.0, 50.0]))
            changes.append({name: 0.5 * log.until_s if math.isnan(value) else value + off})
            if not math.isnan(value) and name != "arrival_s":
                changes.append({name: NAN})
        if num_nodes > 1:
            changes += [{name: (getattr(row, name) + 1) % num_nodes} for name in ("from_node", "idle_node")]
        for change in changes:
            rows = (*log.assignments[:number], replace(row, **change), *log.assignments[number + 1 :])
            changed.append(replace(log, assignments=rows))
    for number, task in enumerate(log.tasks):
        changes = [{"payment": task.payment + 0.01}, {"end_s": 0.5 * log.until_s + 0.123}]
        changes += [{"status": status} for status in TaskStatus if status is not task.status]
        for change in changes:
            tasks = (*log.tasks[:number], replace(task, **change), *log.tasks[number + 1 :])
            changed.append(replace(log, tasks=tasks))
    for name, step in {"revenue": 0.01, "completed": 1, "expired": -1, "travel_m": 0.01}.items():
        totals = replace(log.totals, **{name: getattr(log.totals, name) + step})
        changed.append(replace(log, totals=totals))
    return changed


@pytest.mark.parametrize("seed", range(6))
def test_no_single_claim_can_be_changed_unnoticed(seed: int) -> None:
    rng = np.random.default_rng([11, seed])
    world = random_world(rng, [Flavour.ORDINARY, Flavour.COARSE_UNIT, Flavour.CROWD][seed % 3])
    instance, log = checked_instance(world), schedule(play(rng, world, Policy.HERD))
    unnoticed = [
        change for change in _changed_claims(log, rng, world.num_nodes) if not check_schedule(instance, change)
    ]
    assert unnoticed == []


# ---- an environment with a rule switched off is found out ----


def _all_skills(world: ReferenceInstance) -> ReferenceInstance:
    return replace(world, workers=tuple(replace(w, skills=frozenset(range(4))) for w in world.workers))


def _tasks_with(name: str, factor: float) -> Callable[[ReferenceInstance], ReferenceInstance]:
    def change(world: ReferenceInstance) -> ReferenceInstance:
        tasks = tuple(replace(task, **{name: factor * getattr(task, name)}) for task in world.tasks)
        return replace(world, tasks=tasks)

    return change


BROKEN = {
    "skills are not asked for": (_all_skills, {KIND.WRONG_SKILL}),
    "the range test is off": (lambda w: replace(w, range_m=1e9), {KIND.OUT_OF_RANGE}),
    "everyone drives faster": (lambda w: replace(w, speed_mps=1.01 * w.speed_mps), {KIND.TOO_FAST}),
    "everyone drives slower": (lambda w: replace(w, speed_mps=0.99 * w.speed_mps), {KIND.TOO_SLOW}),
    "a unit counts as another length": (lambda w: replace(w, unit_m=0.98), {KIND.TOO_FAST, KIND.TRAVEL_TOTAL}),
    "lateness is free": (lambda w: replace(w, penalty_per_s=0.0), {KIND.WRONG_PAYMENT}),
    "there is less to do": (_tasks_with("workload_s", 0.99), {KIND.WORK_MISMATCH}),
    "there is more to do": (_tasks_with("workload_s", 1.01), {KIND.WORK_MISMATCH}),
    "deadlines come late": (_tasks_with("deadline_s", 1.05), {KIND.AFTER_DEADLINE, KIND.WRONG_END}),
    "tasks come early": (_tasks_with("created_s", 0.5), {KIND.NOT_OPEN}),
    "pay is higher": (_tasks_with("max_payment", 1.1), {KIND.WRONG_PAYMENT}),
    "there are too many candidates": (lambda w: replace(w, max_candidates=25), {KIND.NOT_A_CANDIDATE}),
    "epochs are too close": (lambda w: replace(w, step_s=0.7 * w.step_s), {KIND.NOT_AN_EPOCH}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_environment_with_a_broken_rule_is_found_out(name: str) -> None:
    break_rule, expected = BROKEN[name]
    kinds: set[ViolationKind] = set()
    for seed in range(8):
        rng = np.random.default_rng([23, seed])
        true = replace(random_world(rng, Flavour.ORDINARY), penalty_per_s=0.02, range_m=500.0, max_candidates=2)
        log = schedule(play(rng, break_rule(true), Policy.RANDOM))
        kinds |= {violation.kind for violation in check_schedule(checked_instance(true), log)}
    assert expected <= kinds
