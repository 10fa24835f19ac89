"""The engine for local processes: whatever a job does, the other jobs are executed."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from adding import Sum, outcomes

from crowdgym.common.errors import ConfigError, UnwritableError
from crowdgym.execution.jobs import JobKind, Outcome
from crowdgym.execution.processes import ProcessEngine


def threads_of(job: Sum) -> dict[str, Any]:
    return {"threads": os.environ["OMP_NUM_THREADS"]}


@pytest.fixture(scope="module")
def engine() -> Iterator[ProcessEngine]:
    with ProcessEngine(1) as one:
        yield one


def test_the_outcome_of_a_job(engine: ProcessEngine) -> None:
    found = outcomes(engine, Sum(1), Sum(2))
    assert [found[number].values["sum"] for number in (1, 2)] == [2, 3]
    assert all(outcome.failure is None and outcome.wall_s >= 0 for outcome in found.values())
    assert {outcome.values["process"] for outcome in found.values()}.isdisjoint({os.getpid()})


@pytest.mark.parametrize(
    ("deed", "failure"),
    [
        ("fail", "it is no good"),
        ("leave", "it left the program with exit code 'enough'"),
        ("die", "its process exited with code 7"),
        ("crash", "its process was ended by SIGSEGV"),
        ("sleep", "it took longer than the time limit of 0.5 s"),
    ],
)
def test_a_job_that_fails_does_not_stop_the_others(engine: ProcessEngine, deed: str, failure: str) -> None:
    found = outcomes(engine, Sum(1), Sum(2, deed), Sum(3), time_limit_s=0.5)
    assert found[2] == Outcome({}, failure, found[2].wall_s)
    assert [found[number].values["sum"] for number in (1, 3)] == [2, 4]


def test_time_to_prepare_is_not_counted(engine: ProcessEngine) -> None:
    found = outcomes(engine, Sum(1, "prepare at leisure"), time_limit_s=0.5)
    assert found[1].failure is None
    assert found[1].wall_s < 0.5


def test_a_fault_of_the_program_is_no_failure(engine: ProcessEngine) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)a job raised an unexpected error:.*our own fault"):
        outcomes(engine, Sum(1, "break"))


def test_a_job_that_cannot_be_prepared_is_refused(engine: ProcessEngine) -> None:
    with pytest.raises(ConfigError, match="number must be less"):
        outcomes(engine, Sum(1, "ask too much"))


def test_jobs_of_different_groups_never_share_a_process() -> None:
    jobs = [Sum(number, group=("", "a", "b")[number % 3]) for number in range(9)]
    with ProcessEngine(2) as two:
        found = outcomes(two, *jobs)
    met: dict[int, set[str]] = {}
    for job in jobs:
        met.setdefault(found[job.number].values["process"], set()).add(job.group)
    assert all(len(group) == 1 for group in met.values())
    assert set().union(*met.values()) == {"", "a", "b"}


def test_a_process_that_ends_late_only_fails_a_job_of_its_group() -> None:
    first, late, other = Sum(1, "die later", "a"), Sum(2, "sleep", "a"), Sum(3, group="b")
    with ProcessEngine(1) as one:
        found = outcomes(one, first, late, other)
    assert found[1].failure is None
    assert found[2].failure == "its process exited with code 5"
    assert found[3].failure is None


def test_one_numerical_thread_unless_the_user_sets_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    kind: JobKind[Sum] = JobKind(threads_of)
    for given, wanted in ((None, "1"), ("3", "3")):
        if given is None:
            monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        else:
            monkeypatch.setenv("OMP_NUM_THREADS", given)
        with ProcessEngine(1) as one:
            ((_, outcome),) = one.run(kind, [Sum(1)])
        assert outcome.values == {"threads": wanted}
        assert os.environ.get("OMP_NUM_THREADS") == given


def test_a_file_that_cannot_be_written_ends_the_run_with_its_sentence() -> None:
    with (
        ProcessEngine(1) as one,
        pytest.raises(UnwritableError, match=r"^cannot write a.trace: No space left on device;"),
    ):
        outcomes(one, Sum(1, "fill the disk"))


def is_interrupt_blocked(job: Sum) -> dict[str, Any]:
    return {"blocked": signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])}


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="there are no signal masks")
def test_an_interrupt_is_not_seen_by_a_process_that_still_imports_but_by_this_one() -> None:
    kind: JobKind[Sum] = JobKind(is_interrupt_blocked)
    with ProcessEngine(1) as one:
        ((_, outcome),) = one.run(kind, [Sum(1)])
    assert outcome.values == {"blocked": True}
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_no_process_is_left() -> None:
    with ProcessEngine(2) as two:
        found = outcomes(two, Sum(1), Sum(2))
    for outcome in found.values():
        with pytest.raises(ProcessLookupError):
            os.kill(outcome.values["process"], 0)
