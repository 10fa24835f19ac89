"""Does pieces of work in processes of this machine, each of which can be killed.

Even with one job the work is done in a process of its own: a policy that never returns, or that takes the process with
it, is then one failed piece and nothing more.
"""

import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, Literal

from crowdgym.common.errors import ConfigError, DataError, PolicyError
from crowdgym.execution.jobs import Item, Outcome, Piece, Task

# Libraries for numbers use one thread in each process: several would get in each other's way, and sums would depend on
# how many there are. Who sets one of these has their way.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_START = get_context("spawn")


class WorkerPool:
    """Some processes that do pieces of work. Use it with ``with``; none is left at the end."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._workers: list[_Worker] = []

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *exception: object) -> None:
        while self._workers:
            self._workers.pop().end()

    def run(self, task: Task[Item], items: Sequence[Item]) -> Iterator[tuple[Item, Outcome]]:
        """Do what is to be done with all items.

        The first is prepared alone: what is compiled then, and kept, the others need not compile at the same time.

        Yields:
            An item and what came of it, as they are finished.

        Raises:
            ConfigError: what a piece needs cannot be prepared.
            RuntimeError: a fault of the program, with the traceback of the process in which it happened.
        """
        waiting: deque[Item] = deque(items)
        busy: dict[_Worker, Item] = {}
        room = 1
        while waiting or busy:
            while waiting and len(busy) < room:
                worker, item = self._pair(waiting, busy)
                worker.begin(task, item)
                busy[worker] = item
            for worker in _first_to_answer(list(busy)):
                outcome = worker.outcome(task.time_limit_s)
                room = self._jobs  # it has begun, if it is not finished
                if outcome is not None:
                    yield busy.pop(worker), outcome

    def _pair(self, waiting: "deque[Item]", busy: "dict[_Worker, Item]") -> "tuple[_Worker, Item]":
        """A process that is free, and the first piece that it may do; a new process if there is none."""
        self._workers = [worker for worker in self._workers if worker in busy or worker.is_usable()]
        free = [worker for worker in self._workers if worker not in busy]
        for worker in free:
            for item in waiting:
                if item.isolation_group() == worker.group:
                    waiting.remove(item)
                    return worker, item
        if len(self._workers) >= self._jobs:
            free[0].end()
            self._workers.remove(free[0])
        item = waiting.popleft()
        self._workers.append(_Worker(item.isolation_group()))
        return self._workers[-1], item


@dataclass(frozen=True)
class _Answer:
    """What a process says about the piece that it was given."""

    kind: Literal["begun", "done", "failed", "refused", "crashed"]
    values: Any = None


class _Worker:
    """One process, seen from the one that gives it work."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.deadline: float | None = None  # of the piece, once it has begun
        self._begun: float | None = None
        self.connection, theirs = _START.Pipe()
        self._process = _START.Process(target=_work, args=(theirs,), daemon=True)
        with _one_thread():
            self._process.start()
        theirs.close()  # so that the end of the process is the end of the connection

    def is_usable(self) -> bool:
        """Whether it is still there."""
        return self._process.is_alive()

    def begin(self, task: Task[Item], item: Item) -> None:
        """Give it a piece."""
        self._begun = self.deadline = None
        with suppress(BrokenPipeError):  # it has just ended: `outcome` says so
            self.connection.send((task, item))

    def outcome(self, time_limit_s: float | None) -> Outcome | None:
        """What came of its piece; None if it is still at it."""
        if self.deadline is not None and not self.connection.poll() and time.monotonic() >= self.deadline:
            self.end()
            return Outcome({}, f"it took longer than the {time_limit_s:g} s that an episode may take", self._wall_s())
        if not self.connection.poll():
            return None
        try:
            answer: _Answer = self.connection.recv()
        except (EOFError, ConnectionResetError):
            return self._ended()
        if answer.kind == "begun":
            self._begun = time.monotonic()
            self.deadline = None if time_limit_s is None else self._begun + time_limit_s
            return None
        if answer.kind == "refused":
            raise ConfigError(answer.values)
        if answer.kind == "crashed":
            raise RuntimeError(f"a process of the benchmark failed:\n{answer.values}")
        if answer.kind == "failed":
            return Outcome({}, answer.values, self._wall_s())
        return Outcome(answer.values, None, self._wall_s())

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self.connection.close()

    def _ended(self) -> Outcome:
        """It is gone without an answer."""
        self._process.join()
        code = self._process.exitcode or 0
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        if self._begun is None and not self.group:  # nobody's policy was there
            raise RuntimeError(f"a process of the benchmark {how} before it played")
        return Outcome({}, f"the process that it played in {how}", self._wall_s())

    def _wall_s(self) -> float:
        return 0.0 if self._begun is None else time.monotonic() - self._begun


def _first_to_answer(workers: "Sequence[_Worker]") -> "list[_Worker]":
    """Wait until at least one has an answer or has run out of time; returns which."""
    deadlines = [worker.deadline for worker in workers if worker.deadline is not None]
    patience_s = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
    answered = wait([worker.connection for worker in workers], patience_s)
    now = time.monotonic()
    return [w for w in workers if w.connection in answered or (w.deadline is not None and now >= w.deadline)]


@contextmanager
def _one_thread() -> Iterator[None]:
    """What is started in the block uses one thread for numbers, unless the person has said otherwise."""
    unset = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


# In the other process


def _work(connection: Connection) -> None:
    """Do pieces until there are none any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that gives the work, which ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task, item = connection.recv()
        except EOFError:
            return
        connection.send(_done(task, item, connection))


def _end_with_parent() -> None:
    """If the one that gives the work is killed, nobody waits for what is being done here."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _done(task: Task[Any], item: Piece, connection: Connection) -> _Answer:
    try:
        task.prepare(item)
    except (ConfigError, DataError) as error:
        return _Answer("refused", str(error))
    except Exception:
        return _Answer("crashed", traceback.format_exc())
    connection.send(_Answer("begun"))
    try:
        return _Answer("done", task.play(item))
    except PolicyError as error:
        return _Answer("failed", " ".join(str(error).split()))
    except SystemExit as error:
        return _Answer("failed", f"it left the program with exit code {error.code!r}")
    except Exception:
        return _Answer("crashed", traceback.format_exc())
