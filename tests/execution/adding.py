"""A kind of jobs for tests of engines: sums, and jobs that misbehave if they are told to."""

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdgym.common.errors import ConfigError, PolicyError, UnwritableError
from crowdgym.execution.jobs import Engine, JobKind, Outcome

TOLD = "ADDING_DATA"  # an environment variable: what this machine's data are


@dataclass(frozen=True)
class Sum:
    """A job that misbehaves if it is told to. ``once`` is a file that is there when it has done so."""

    number: int
    deed: str = "add"
    group: str = ""
    once: Path | None = None

    def parameters(self) -> dict[str, Any]:
        return {"number": self.number}

    def isolation_group(self) -> str:
        return self.group


def play(job: Sum) -> dict[str, Any]:
    if _was_done(job):
        return _result(job)
    if job.deed == "sleep":
        time.sleep(1000)
    if job.deed == "be told to end":  # Slurm tells all processes of a job, before it takes their machine away
        for process in (os.getpid(), os.getppid()):
            os.kill(process, signal.SIGUSR2)
        time.sleep(1000)
    if job.deed == "die":
        os._exit(7)
    if job.deed == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if job.deed == "leave":
        sys.exit("enough")
    if job.deed == "fail":
        raise PolicyError("it is\nno good")
    if job.deed == "break":
        raise IndexError("our own fault")
    if job.deed == "fill the disk":
        raise UnwritableError("cannot write a.trace: No space left on device; make room there")
    if job.deed == "die later":
        threading.Timer(0.1, os._exit, (5,)).start()
    return _result(job)


def _was_done(job: Sum) -> bool:
    """Whether a job that misbehaves once has done so; it has from now on."""
    if job.once is None:
        return False
    done = job.once.exists()
    job.once.touch()
    return done


def _result(job: Sum) -> dict[str, Any]:
    return {"sum": job.number + 1, "process": os.getpid()}


def prepare(job: Sum) -> None:
    if job.deed == "prepare at leisure":
        time.sleep(0.8)
    if job.deed == "die while preparing" and not _was_done(job):
        os._exit(7)
    if job.deed == "ask too much":
        raise ConfigError("number must be less")


def fingerprint(job: Sum) -> dict[str, str]:
    elsewhere = job.deed == "have other data" and "SUBMITIT_FOLDER" in os.environ
    return {"data": "newer" if elsewhere else os.environ.get(TOLD, "the same"), "code": "1"}


def outcomes(engine: Engine, *jobs: Sum, time_limit_s: float | None = None) -> Mapping[int, Outcome]:
    kind: JobKind[Sum] = JobKind(play, prepare, time_limit_s, fingerprint)
    return {job.number: outcome for job, outcome in engine.run(kind, jobs)}
