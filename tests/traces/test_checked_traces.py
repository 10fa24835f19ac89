"""Episodes of the kernel, as their traces tell them, are confirmed from first principles."""

from dataclasses import replace

import numpy as np
import pytest
from golden.rewrite import GOLDEN, record

from crowdgym.envs import csc_v0
from crowdgym.testing.csc_records import ViolationKind
from crowdgym.testing.csc_trace import broken_rules
from crowdgym.traces import TraceRecorder


@pytest.mark.parametrize("name", [name for name in GOLDEN if name.startswith("csc_v0")])
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
