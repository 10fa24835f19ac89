"""Odd values for every argument and every setting: what is refused is refused in one line, by an error of ours.

`csc_v0` alone takes all of them; the parts that it is made of are those of all environments.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest

import crowdgym
from crowdgym.common.errors import CrowdGymError
from crowdgym.data.registry import dataset_kind, load_dataset, load_series, remove_dataset
from crowdgym.envs import csc_v0
from crowdgym.traces import TraceRecorder, read_trace

SMALL: dict[str, Any] = {"scenario": "tiny", "num_workers": 3, "num_tasks": 3, "horizon_s": 60.0}
ODD: list[Any] = [
    *(None, True, -1, 0, 1, 1.5, float("nan"), float("inf"), 10**30, -(10**30), 1j, Ellipsis, type, object()),
    *("", "x", "1", b"x", "a\0b", "x" * 5000, [], [1], [[1]], (1, 2), {}, {"a": 1}, {1: 2}, set(), range(3)),
    *(np.array([1, 2]), np.array(["a"]), np.float64(2.5), np.int64(3), lambda: 1),
]
ENDS = [0, 1e-300, 1e-12, 1e-9, 1e-6, 1e-3, 0.5, 1.0, 2.0, 1e3, 1e6, 1e9, 1e12, 1, 2, 10, 100, 5.0, 20.0, 86_399.0]


def calls() -> Iterator[tuple[str, Callable[[Any], object]]]:
    """Each public call, as a function of one odd value."""
    env: Any = csc_v0.parallel_env(**SMALL)
    vector, dispatcher = csc_v0.vector_env(2, **SMALL), csc_v0.dispatcher_env(**SMALL)
    for each in (env, vector, dispatcher):
        each.reset(seed=0)
    yield "make", crowdgym.make
    yield "environment_spec", crowdgym.environment_spec
    yield "register", crowdgym.register
    for name, each in (("parallel", env), ("vector", vector), ("dispatcher", dispatcher)):
        yield f"{name} reset seed", lambda odd, each=each: each.reset(seed=odd)
        yield f"{name} reset options", lambda odd, each=each: each.reset(options=odd)
        yield f"{name} reset instance", lambda odd, each=each: each.reset(options={"instance": odd})
        yield f"{name} step", lambda odd, each=each: each.step(odd)
    yield "vector reset mask", lambda odd: vector.reset(options={"reset_mask": odd})
    yield "vector reset seeds", lambda odd: vector.reset(seed=[odd, 0])
    yield "step", lambda odd: env.step(dict.fromkeys(env.possible_agents, odd))
    yield "chosen", env.chosen
    for keyword in ("render_mode", "generator", "reward_strategy"):
        yield keyword, lambda odd, keyword=keyword: csc_v0.parallel_env(**SMALL, **{keyword: odd})
    for keyword in ("num_threads", "copy", "autoreset_mode"):
        yield keyword, lambda odd, keyword=keyword: csc_v0.vector_env(2, **SMALL, **{keyword: odd})
    yield "num_envs", lambda odd: csc_v0.vector_env(odd, **SMALL)
    for setting in type(env.settings).model_fields:
        yield setting, lambda odd, setting=setting: csc_v0.parallel_env(**{**SMALL, setting: odd})
    for read in (load_dataset, load_series, dataset_kind, remove_dataset, read_trace):
        yield read.__name__, read
    recorder = TraceRecorder(csc_v0.parallel_env(**SMALL), "x")
    yield "recorder reset", recorder.reset
    yield "recorder options", lambda odd: recorder.reset(0, odd)
    yield "recorder step", recorder.step


@pytest.mark.slow
def test_no_call_with_an_odd_value_raises_anything_of_python_s() -> None:
    count, raw = 0, []
    for name, call in calls():
        for odd in ODD:
            count += 1
            try:
                with warnings.catch_warnings(action="ignore"):
                    call(odd)
            except Exception as error:
                if not isinstance(error, CrowdGymError | gymnasium.error.Error) or "\n" in str(error):
                    raw.append(f"{name}({odd!r:.60}): {error!r:.80}")
    assert raw == []
    assert count > 1_500


@pytest.mark.slow
def test_what_can_be_constructed_at_the_ends_of_settings_can_be_reset_and_played() -> None:
    made = 0
    for setting in csc_v0.parallel_env(**SMALL).settings.model_dump():
        for value in ENDS:
            if setting.startswith("num_") and value > 10:
                continue
            try:
                env: Any = csc_v0.parallel_env(**{**SMALL, setting: value})
            except CrowdGymError:
                continue
            made += 1
            for seed in range(3):
                env.reset(seed=seed)
                env.step(dict.fromkeys(env.agents, 0))
    assert made > 200
