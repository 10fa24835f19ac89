"""The processes that do pieces of work: whatever a piece does, the others are done."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from crowdgym.common.errors import ConfigError, PolicyError
from crowdgym.execution.jobs import Outcome, Task
from crowdgym.execution.processes import WorkerPool


@dataclass(frozen=True)
class Sum:
    """A piece of work that misbehaves if it is told to."""

    number: int
    deed: str = "add"
    friends: str = ""

    def parameters(self) -> dict[str, Any]:
        return {"number": self.number}

    def isolation_group(self) -> str:
        return self.friends


def play(piece: Sum) -> dict[str, Any]:
    if piece.deed == "sleep":
        time.sleep(1000)
    if piece.deed == "die":
        os._exit(7)
    if piece.deed == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if piece.deed == "leave":
        sys.exit("enough")
    if piece.deed == "fail":
        raise PolicyError("it is\nno good")
    if piece.deed == "break":
        raise IndexError("our own fault")
    if piece.deed == "die later":
        threading.Timer(0.1, os._exit, (5,)).start()
    return {"sum": piece.number + 1, "process": os.getpid()}


def prepare(piece: Sum) -> None:
    if piece.deed == "prepare at leisure":
        time.sleep(0.8)
    if piece.deed == "ask too much":
        raise ConfigError("number must be less")


def threads_of(piece: Sum) -> dict[str, Any]:
    return {"threads": os.environ["OMP_NUM_THREADS"]}


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(1) as one:
        yield one


def outcomes(pool: WorkerPool, *pieces: Sum, time_limit_s: float | None = None) -> dict[int, Outcome]:
    task: Task[Sum] = Task(play, prepare, time_limit_s)
    return {piece.number: outcome for piece, outcome in pool.run(task, pieces)}


def test_what_a_piece_comes_to(pool: WorkerPool) -> None:
    found = outcomes(pool, Sum(1), Sum(2))
    assert [found[number].values["sum"] for number in (1, 2)] == [2, 3]
    assert all(outcome.failure is None and outcome.wall_s >= 0 for outcome in found.values())
    assert {outcome.values["process"] for outcome in found.values()}.isdisjoint({os.getpid()})


@pytest.mark.parametrize(
    ("deed", "failure"),
    [
        ("fail", "it is no good"),
        ("leave", "it left the program with exit code 'enough'"),
        ("die", "the process that it played in exited with code 7"),
        ("crash", "the process that it played in was ended by SIGSEGV"),
        ("sleep", "it took longer than the 0.5 s that an episode may take"),
    ],
)
def test_a_piece_that_fails_stops_nobody(pool: WorkerPool, deed: str, failure: str) -> None:
    found = outcomes(pool, Sum(1), Sum(2, deed), Sum(3), time_limit_s=0.5)
    assert found[2] == Outcome({}, failure, found[2].wall_s)
    assert [found[number].values["sum"] for number in (1, 3)] == [2, 4]


def test_time_to_prepare_is_not_counted(pool: WorkerPool) -> None:
    found = outcomes(pool, Sum(1, "prepare at leisure"), time_limit_s=0.5)
    assert found[1].failure is None
    assert found[1].wall_s < 0.5


def test_a_fault_of_the_program_is_no_failure(pool: WorkerPool) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)a process of the benchmark failed:.*our own fault"):
        outcomes(pool, Sum(1, "break"))


def test_what_cannot_be_prepared_is_refused(pool: WorkerPool) -> None:
    with pytest.raises(ConfigError, match="number must be less"):
        outcomes(pool, Sum(1, "ask too much"))


def test_who_must_not_meet_is_never_in_the_same_process() -> None:
    pieces = [Sum(number, friends=("", "a", "b")[number % 3]) for number in range(9)]
    with WorkerPool(2) as two:
        found = outcomes(two, *pieces)
    met: dict[int, set[str]] = {}
    for piece in pieces:
        met.setdefault(found[piece.number].values["process"], set()).add(piece.friends)
    assert all(len(friends) == 1 for friends in met.values())
    assert set().union(*met.values()) == {"", "a", "b"}


def test_what_one_leaves_behind_harms_only_its_own_kind() -> None:
    first, late, other = Sum(1, "die later", "a"), Sum(2, "sleep", "a"), Sum(3, friends="b")
    with WorkerPool(1) as one:
        found = outcomes(one, first, late, other)
    assert found[1].failure is None
    assert found[2].failure == "the process that it played in exited with code 5"
    assert found[3].failure is None


def test_one_thread_for_numbers_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    task: Task[Sum] = Task(threads_of)
    for given, wanted in ((None, "1"), ("3", "3")):
        if given is None:
            monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        else:
            monkeypatch.setenv("OMP_NUM_THREADS", given)
        with WorkerPool(1) as one:
            ((_, outcome),) = one.run(task, [Sum(1)])
        assert outcome.values == {"threads": wanted}
        assert os.environ.get("OMP_NUM_THREADS") == given


def test_no_process_is_left() -> None:
    with WorkerPool(2) as two:
        found = outcomes(two, Sum(1), Sum(2))
    for outcome in found.values():
        with pytest.raises(ProcessLookupError):
            os.kill(outcome.values["process"], 0)
