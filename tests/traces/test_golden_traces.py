"""The regression test of the dynamics: recorded episodes are replayed, and everything has to be as it was."""

import numpy as np
import pytest
from golden.rewrite import FOLDER, GOLDEN

from crowdgym.traces import compare, read_trace, replay

WHAT_TO_DO = (
    "The dynamics, or what agents see or earn, have changed. If that was meant: give the environment a new version "
    "(such as csc_v1), say so in its Version History, and write the golden traces anew with 'make golden'. If not, the "
    "change that broke this is a fault."
)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_trace(name: str) -> None:
    trace = read_trace(FOLDER / f"{name}.trace")
    mismatch = compare(trace, replay(trace))
    assert mismatch is None, f"{name}: {mismatch}. {WHAT_TO_DO}"


def test_every_golden_trace_is_replayed() -> None:
    assert {file.stem for file in FOLDER.glob("*.trace")} == set(GOLDEN)


def seen_in(environment: str, quantity: str) -> set[int]:
    names = [name for name in GOLDEN if name.startswith(environment)]
    return {int(v) for name in names for v in np.unique(read_trace(FOLDER / f"{name}.trace").values[quantity])}


def test_golden_traces_of_dasc_tell_of_everything_that_can_happen() -> None:
    assert seen_in("dasc_v0", "task_status") == {0, 1, 2, 3}
    assert seen_in("dasc_v0", "subtask_status") == {0, 1, 2, 3, 4}
    assert seen_in("dasc_v0", "worker_status") == {0, 1, 2, 3, 4}
    assert seen_in("dasc_v0", "outcome") == {0, 1, 2, 3, 4}
    recipes = [recipe[1] for recipe in GOLDEN.values() if recipe[0] == "dasc_v0"]
    for name, values in (
        ("action_mode", {None, "select"}),
        ("dependency", {None, "finished"}),
        ("reward", {None, "sparse", "shaped", "team", "shared"}),
    ):
        assert {keywords.get(name) for keywords in recipes} == values


def test_golden_traces_of_preference_tell_of_everything_that_can_happen() -> None:
    assert seen_in("preference_v0", "task_status") == {0, 1, 2, 3, 4}
    assert seen_in("preference_v0", "worker_status") == {0, 1, 2, 3}
    assert seen_in("preference_v0", "outcome") == {0, 1, 2, 3}
    assert seen_in("preference_v0", "declines") >= {0, 1, 2, 3, 4}
    recipes = [recipe[1] for recipe in GOLDEN.values() if recipe[0] == "preference_v0"]
    assert {keywords.get("reward") for keywords in recipes} == {None, "preference", "team"}
    assert {keywords.get("acceptance") for keywords in recipes} == {None, "always"}


def test_golden_traces_of_csc_tell_of_everything_that_can_happen() -> None:
    statuses, workers, illegal = set(), set(), 0.0
    for name in (name for name in GOLDEN if name.startswith("csc_v0")):
        trace = read_trace(FOLDER / f"{name}.trace")
        statuses |= set(trace.values["task_status"].ravel().tolist())
        workers |= set(trace.values["worker_status"].ravel().tolist())
        illegal += trace.header.metrics["illegal"]
    assert statuses == {0, 1, 2, 3}
    assert workers == {0, 1, 2, 3}
    assert illegal > 0
