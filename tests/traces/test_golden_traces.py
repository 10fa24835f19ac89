"""The regression test of the dynamics: recorded episodes are replayed, and everything has to be as it was."""

import pytest
from golden.rewrite import FOLDER, GOLDEN

from crowdgym.traces import compare, read_trace, replay

WHAT_TO_DO = (
    "The dynamics, or what agents see or earn, have changed. If that was meant: give the environment a new version "
    "(csc_v1), say so in its Version History, and write the golden traces anew with 'make golden'. If not, the change "
    "that broke this is a fault."
)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_trace(name: str) -> None:
    trace = read_trace(FOLDER / f"{name}.trace")
    mismatch = compare(trace, replay(trace))
    assert mismatch is None, f"{name}: {mismatch}. {WHAT_TO_DO}"


def test_there_is_no_golden_trace_that_nobody_replays() -> None:
    assert {file.stem for file in FOLDER.glob("*.trace")} == set(GOLDEN)


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
