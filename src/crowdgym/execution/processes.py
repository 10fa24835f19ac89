"""The engine that executes jobs in processes of this machine. Each process can be killed.

A job runs in another process even if only one job runs at a time. A policy that never returns, or that ends its
process, is then one failed job, and the other jobs go on.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait

from crowdgym.execution.answers import Answer, prepare, run, too_long
from crowdgym.execution.guards import hide_memory
from crowdgym.execution.jobs import AnyJob, JobKind, Outcome

# Numerical libraries use one thread in each process: several threads would slow each other down, and the rounding of
# sums would depend on their number. A variable that is set already keeps its value.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_START = get_context("spawn")


class ProcessEngine:
    """Executes jobs in local processes; see `crowdgym.execution.jobs.Engine`.

    Use it with ``with``: the end of the block ends all processes.

    Args:
        num_processes: the most jobs that run at the same time.
    """

    def __init__(self, num_processes: int) -> None:
        self._num_processes = num_processes
        self._processes: list[_JobProcess] = []

    def __enter__(self) -> "ProcessEngine":
        hide_memory()  # it may hold seeds
        return self

    def __exit__(self, *exception: object) -> None:
        while self._processes:
            self._processes.pop().end()

    def run(self, kind: JobKind[AnyJob], jobs: Sequence[AnyJob]) -> Iterator[tuple[AnyJob, Outcome]]:
        """See `crowdgym.execution.jobs.Engine.run`.

        The first job is prepared alone: what it compiles is cached, and the other processes do not compile it again at
        the same time.
        """
        waiting: deque[AnyJob] = deque(jobs)
        busy: dict[_JobProcess, AnyJob] = {}
        most_busy = 1
        while waiting or busy:
            while waiting and len(busy) < most_busy:
                process, job = self._pair(waiting, busy)
                process.begin(kind, job)
                busy[process] = job
            for process in _first_to_answer(list(busy)):
                outcome = process.outcome(kind.time_limit_s)
                most_busy = self._num_processes  # the first job has at least begun
                if outcome is not None:
                    yield busy.pop(process), outcome

    def _pair(self, waiting: "deque[AnyJob]", busy: "dict[_JobProcess, AnyJob]") -> "tuple[_JobProcess, AnyJob]":
        """A free process with the first job that it may run; a new process if there is none."""
        self._processes = [process for process in self._processes if process in busy or process.is_alive()]
        free = [process for process in self._processes if process not in busy]
        for process in free:
            for job in waiting:
                if job.isolation_group() == process.group:
                    waiting.remove(job)
                    return process, job
        if len(self._processes) >= self._num_processes:
            free[0].end()
            self._processes.remove(free[0])
        job = waiting.popleft()
        self._processes.append(_JobProcess(job.isolation_group()))
        return self._processes[-1], job


class _JobProcess:
    """One process, as the engine sees it."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.deadline: float | None = None  # of the job, once it has begun
        self._begun: float | None = None
        self.connection, theirs = _START.Pipe()
        self._process = _START.Process(target=_serve, args=(theirs,))  # it may start processes
        with one_thread(), undisturbed():
            self._process.start()
        theirs.close()  # so that the end of the process is the end of the connection

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.is_alive()

    def begin(self, kind: JobKind[AnyJob], job: AnyJob) -> None:
        """Send a job to the process."""
        self._begun = self.deadline = None
        with suppress(BrokenPipeError):  # the process has just ended: `outcome` reports it
            self.connection.send((kind, job))

    def outcome(self, time_limit_s: float | None) -> Outcome | None:
        """The outcome of the job; None while it runs."""
        if self.deadline is not None and not self.connection.poll() and time.monotonic() >= self.deadline:
            self.end()
            return Outcome({}, too_long(time_limit_s), self._wall_s())
        if not self.connection.poll():
            return None
        try:
            answer: Answer = self.connection.recv()
        except (EOFError, ConnectionResetError):
            return self._ended()
        if answer.kind == "begun":
            self._begun = time.monotonic()
            self.deadline = None if time_limit_s is None else self._begun + time_limit_s
            return None
        return answer.outcome(self._wall_s())

    def end(self) -> None:
        """Kill the process, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self.connection.close()

    def _ended(self) -> Outcome:
        """The outcome of a job whose process ended without an answer."""
        self._process.join()
        how = how_ended(self._process.exitcode or 0)
        if self._begun is None and not self.group:  # no policy of a user can have done this
            raise RuntimeError(f"a process {how} before its job began")
        return Outcome({}, f"its process {how}", self._wall_s())

    def _wall_s(self) -> float:
        return 0.0 if self._begun is None else time.monotonic() - self._begun


def how_ended(exit_code: int) -> str:
    """How a process ended, from its exit code as `multiprocessing` gives it."""
    if exit_code >= 0:
        return f"exited with code {exit_code}"
    try:
        return f"was ended by {signal.Signals(-exit_code).name}"
    except ValueError:  # a real-time signal has no name
        return f"was ended by signal {-exit_code}"


def _first_to_answer(processes: "Sequence[_JobProcess]") -> "list[_JobProcess]":
    """Wait until at least one process has an answer or has reached its deadline; returns those processes."""
    deadlines = [process.deadline for process in processes if process.deadline is not None]
    timeout_s = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
    answered = wait([process.connection for process in processes], timeout_s)
    now = time.monotonic()
    return [p for p in processes if p.connection in answered or (p.deadline is not None and now >= p.deadline)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes that are started in the block use one numerical thread, unless the user has set the variable."""
    unset = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C, which reaches all processes of a terminal, waits in those that are started in the block, for good.

    They end with the process that starts them. In that process it waits until the end of the block.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # to start it in the block would end the block: it lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # started processes take this over
    try:
        with _told_later():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _told_later() -> Iterator[None]:
    """Ctrl-C that another thread of this process receives waits until the end of the block, too."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is None or threading.current_thread() is not threading.main_thread():
        yield  # Python's handlers run in the main thread, and only it may set them
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)  # it waits for the end of `undisturbed`


# In the other process


def _serve(connection: Connection) -> None:
    """Run jobs until the engine closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the engine, which ends this process
    if hasattr(signal, "SIGUSR2"):
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # so does Slurm's word that the machine is taken away
    hide_memory()  # it holds environments, of which policies in other processes must not know
    threading.Thread(target=end_with_parent, daemon=True).start()
    while True:
        try:
            kind, job = connection.recv()
        except EOFError:
            return
        answer = prepare(kind, job)
        if answer.kind == "begun":
            connection.send(answer)
            answer = run(kind, job)
        connection.send(answer)


def end_with_parent() -> None:
    """End this process when the engine's process is killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
