"""Episodes of the kernel, as their traces tell them, are confirmed from first principles."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from golden.rewrite import GOLDEN, record

from crowdgym.agents.any.random_policy import RandomPolicy
from crowdgym.common.errors import TraceError
from crowdgym.envs import csc_v0, dasc_v0, sensing_v0
from crowdgym.traces import Trace, TraceRecorder
from crowdgym.verification.csc.records import ViolationKind
from crowdgym.verification.dasc.records import ViolationKind as DascKind
from crowdgym.verification.sensing.records import ViolationKind as SensingKind
from crowdgym.verification.traces import broken_rules


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_episodes_are_confirmed(name: str) -> None:
    assert broken_rules(record(*GOLDEN[name])) == []


@pytest.mark.parametrize("policy", ["greedy", "random"])
def test_an_episode_on_a_whole_city_is_confirmed(policy: str) -> None:
    env = TraceRecorder(csc_v0.parallel_env(scenario="haikou-synth"), agent=policy)
    rng = np.random.default_rng(1)
    _, infos = env.reset(seed=1)
    while env.agents:
        legal = {agent: np.flatnonzero(info["action_mask"]) for agent, info in infos.items()}
        actions = {
            agent: int(a[min(1, len(a) - 1)] if policy == "greedy" else rng.choice(a)) for agent, a in legal.items()
        }
        infos = env.step(actions)[4]
    trace = env.trace()
    assert trace.header.metrics["completed"] > 100
    assert broken_rules(trace) == []


def test_a_fault_in_a_trace_is_found() -> None:
    trace = record(*GOLDEN["csc_v0-contribution"])
    paid = trace.values["paid"].copy()
    task = int(np.argmax(paid[-1]))
    paid[:, task] *= 1.01
    found = broken_rules(replace(trace, values={**trace.values, "paid": paid}))
    assert {violation.kind for violation in found} == {ViolationKind.WRONG_PAYMENT, ViolationKind.REVENUE_TOTAL}


@pytest.mark.parametrize(("action_mode", "dependency"), [("recommend", "assigned"), ("select", "finished")])
def test_an_episode_of_dasc_on_a_whole_city_is_confirmed(action_mode: Any, dependency: Any) -> None:
    """300 workers, 60 tasks, as by default, but with coarser epochs."""
    env = TraceRecorder(
        dasc_v0.parallel_env(
            scenario="chengdu-synth", action_mode=action_mode, dependency=dependency, step_s=20.0, horizon_s=5000.0
        ),
        agent="random",
    )
    policy = RandomPolicy()
    observations, infos = env.reset(seed=1)
    assert (env.settings.num_workers, env.settings.num_tasks) == (300, 60)
    while env.agents:
        observations, _, _, _, infos = env.step(dict(policy.act(observations, infos)))
    trace = env.trace()
    assert trace.header.metrics["completed"] > 20
    assert broken_rules(trace) == []


@cache
def dasc_trace() -> Trace:
    return record(*GOLDEN["dasc_v0-failing"])


def with_column(name: str, column: int, value: Any, row: int = 0) -> Trace:
    """The trace with another value in a column, from a row on."""
    changed = dasc_trace().values[name].copy()
    changed[row:, column] = value
    return replace(dasc_trace(), values={**dasc_trace().values, name: changed})


def kinds_in(trace: Trace) -> set[Any]:
    return {violation.kind for violation in broken_rules(trace)}  # type: ignore[attr-defined]


def first_match(subtask: int) -> int:
    return int(np.argmax(dasc_trace().values["subtask_worker"][:, subtask] >= 0))


def test_faults_in_a_trace_of_dasc_are_found() -> None:
    values = dasc_trace().values
    assert kinds_in(dasc_trace()) == set()
    paid_task = int(np.argmax(values["paid"][-1]))
    again = len(values["paid"]) - 3
    doubled = with_column("paid", paid_task, 2 * values["paid"][-1, paid_task], again)
    assert kinds_in(doubled) == {DascKind.PAID_TWICE, DascKind.REVENUE_TOTAL, DascKind.PROFIT_TOTAL}
    unpaid = with_column("paid", int(np.argmin(values["paid"][-1])), 5.0, again)
    assert kinds_in(unpaid) == {DascKind.PAID_UNFINISHED, DascKind.REVENUE_TOTAL, DascKind.PROFIT_TOTAL}
    row = first_match(0)
    assert DascKind.TOO_FAST in kinds_in(with_column("arrive_s", 0, values["arrive_s"][row, 0] - 1.0))
    assert DascKind.FINISHES_EARLY in kinds_in(with_column("finish_s", 0, values["finish_s"][row, 0] - 1.0))
    busy = int(values["subtask_worker"][row, 0])
    at_once = next(s for s in range(1, 36) if first_match(s) > 0 and values["subtask_worker"][-1, s] != busy)
    double = with_column("subtask_worker", at_once, busy, first_match(at_once))
    assert kinds_in(double) & {DascKind.NOT_IDLE, DascKind.WRONG_ORIGIN}
    swapped = with_column("subtask_worker", 0, (busy + 1) % 7, row + 1)
    assert DascKind.SERVED_TWICE in kinds_in(swapped)


def sensing_trace(**keywords: Any) -> Trace:
    env = TraceRecorder(sensing_v0.parallel_env(**keywords), agent="random")
    policy = RandomPolicy(2)
    observations, infos = env.reset(seed=2)
    while env.agents:
        observations, _, _, _, infos = env.step(dict(policy.act(observations, infos)))
    return env.trace()


WEEKS = {"start_s": 86_400.0, "step_s": 7 * 86_400.0, "horizon_s": 10 * 7 * 86_400.0, "attributes": ("WS", "PM10")}


@pytest.mark.parametrize(
    "keywords",
    [
        {"agents": "cells"},
        {"agents": "participants", "inference": "idw"},
        {"agents": "cells", "reward": "marginal", "cost_weight": 0.05, "inference": "idw", **WEEKS},
        {"agents": "participants", "reward": "marginal", "normalisation": "p99", "num_participants": 4, **WEEKS},
        {"agents": "cells", "inference": "svr", "horizon_s": 6 * 86_400.0},
        {"agents": "participants", "inference": "svr", "reward": "marginal", "horizon_s": 3 * 86_400.0},
        {"agents": "cells", "inference": "svr", "num_participants": 1, "horizon_s": 3 * 86_400.0},
        {"agents": "cells", "inference": "svr", "num_participants": 24, "horizon_s": 2 * 86_400.0},
        {"agents": "cells", "num_participants": 1, "horizon_s": 20 * 86_400.0},
        {"agents": "cells", "num_participants": 24, "reward": "marginal", "horizon_s": 20 * 86_400.0},
    ],
)
def test_episodes_of_sensing_are_confirmed(keywords: Any) -> None:
    trace = sensing_trace(**keywords)
    assert trace.header.metrics["error"] > 0
    assert broken_rules(trace) == []


def sensing_with(name: str, row: int, column: int, change: float) -> Trace:
    """A golden trace with something added in one place."""
    trace = record(*GOLDEN["sensing_v0-cells"])
    changed = trace.values[name].copy()
    changed[row, column] += change
    return replace(trace, values={**trace.values, name: changed})


def test_faults_in_a_trace_of_sensing_are_found() -> None:
    trace = record(*GOLDEN["sensing_v0-cells"])
    origin, place = (int(trace.values["participant_cell"][row, 0]) for row in (4, 5))
    sensed = int(trace.values["participant_cell"][5, 0])
    moved = kinds_in(sensing_with("participant_cell", 5, 0, (place + 1) % 24 - place))
    assert moved >= {SensingKind.WRONG_CROWD, SensingKind.WRONG_TRAVEL}
    assert moved & {SensingKind.NOT_ASKED, SensingKind.WRONG_ASKER, SensingKind.NOT_GONE} or origin == place
    assert kinds_in(sensing_with("crowd", 5, sensed, 1)) == {SensingKind.WRONG_CROWD}
    assert kinds_in(sensing_with("reward", 5, 3, -1e-4)) == {SensingKind.WRONG_REWARD}
    assert kinds_in(sensing_with("travel_km", 5, 0, 0.01)) == {
        SensingKind.WRONG_TRAVEL,
        SensingKind.WRONG_REWARD,
        SensingKind.COST_TOTAL,
    }
    assert kinds_in(sensing_with("metrics", 5, 0, 1e-6)) == {SensingKind.ERROR_TOTAL}
    assert kinds_in(sensing_with("metrics", 5, 1, 1e-6)) == {SensingKind.COST_TOTAL}
    assert kinds_in(sensing_with("metrics", 5, 2, 1e-6)) == {SensingKind.ATTRIBUTE_TOTAL, SensingKind.ERROR_TOTAL}
    unsensed = int(np.argmin(trace.values["crowd"][5]))
    assert kinds_in(sensing_with("cell_error", 5, unsensed, -1e-6)) == {SensingKind.WRONG_CELL_ERROR}
    other = replace(trace, header=trace.header.model_copy(update={"metrics": {**trace.header.metrics, "error": 0.1}}))
    assert kinds_in(other) == {SensingKind.FINAL_TOTAL}


def test_a_trace_of_sensing_that_lacks_something_is_refused() -> None:
    trace = record(*GOLDEN["sensing_v0-cells"])
    fewer = {name: value for name, value in trace.values.items() if name != "crowd"}
    with pytest.raises(
        TraceError, match=r"does not hold what one of sensing_v0 holds: .*: crowd expected nothing, got it"
    ):
        broken_rules(replace(trace, values=fewer))
    narrow = {**trace.values, "crowd": trace.values["crowd"][:, :3]}
    with pytest.raises(TraceError, match=r"does not hold what one of sensing_v0 holds: .*: crowd expected 3 columns"):
        broken_rules(replace(trace, values=narrow))


def test_an_environment_without_a_checker_is_told() -> None:
    trace = record(*GOLDEN["csc_v0-team"])
    other = replace(trace, header=trace.header.model_copy(update={"env": "foreign_v0"}))
    with pytest.raises(
        TraceError, match=r"no solution checker for foreign_v0, only for csc_v0, dasc_v0, preference_v0, sensing_v0"
    ):
        broken_rules(other)
