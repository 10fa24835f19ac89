"""The engine that executes jobs as job arrays of Slurm, on machines that share a file system.

The jobs are cut into slices. Each slice is one job of Slurm, which executes its part in processes of its machine, as
`crowdgym.execution.processes` does.
"""

import math
import socket
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from crowdgym.common.errors import ConfigError, DataError, UnwritableError
from crowdgym.common.extras import needs
from crowdgym.execution.answers import Answer, prepare_elsewhere
from crowdgym.execution.jobs import AnyJob, JobKind, Outcome
from crowdgym.execution.processes import ProcessEngine

MOST_LOSSES: Final = 3  # of the same slice
_TIME_MIN: Final = 60  # of a slice, unless the user says; submitit would give it five minutes
_OVER_TIME: Final = "timed-out too many times"  # as submitit says it, in the text of an error
_LOOK_S: Final = 0.5  # time between two looks at the jobs of Slurm
_SLICES_PER_SEAT: Final = 4  # so that a machine that is slow or lost holds up little


@dataclass(frozen=True)
class SlurmEngine:
    """Executes jobs on a Slurm cluster; see `crowdgym.execution.jobs.Engine`.

    Args:
        num_seats: the most slices that run at the same time.
        folder: for the files of Slurm's jobs; all machines must see it.
        parameters: of the jobs, as ``sbatch`` takes them, such as ``partition`` or ``time``.
        cluster: "slurm", or "local" for processes of this machine, to try it.
    """

    num_seats: int
    folder: Path
    parameters: Mapping[str, str] = field(default_factory=dict)
    cluster: str = "slurm"

    def __enter__(self) -> "SlurmEngine":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, kind: JobKind[AnyJob], jobs: Sequence[AnyJob]) -> Iterator[tuple[AnyJob, Outcome]]:
        """See `crowdgym.execution.jobs.Engine.run`.

        Raises:
            DataError: a machine has other code or other data than this one.
            ConfigError: a slice has met its time limit again and again.
            RuntimeError: the same slice was lost `MOST_LOSSES` times.
        """
        executor = self._executor()
        waiting = [_Slice(kind, part, tuple(map(kind.fingerprint, part))) for part in self._parts(jobs)]
        running = dict(zip(executor.map_array(Execution(), waiting), waiting, strict=True)) if waiting else {}
        losses: dict[_Slice, int] = {}
        try:
            while running:
                done = [one for one in running if one.done()]
                for one in done:
                    part = running.pop(one)
                    found = _result(one)
                    if isinstance(found, str):
                        losses[part] = losses.get(part, 0) + 1
                        if losses[part] >= MOST_LOSSES:
                            raise RuntimeError(f"a job of Slurm was lost {MOST_LOSSES} times, at last because {found}")
                        running[executor.submit(Execution(), part)] = part
                    elif isinstance(found, Answer):
                        _refuse(found)
                    else:
                        yield from zip(part.jobs, found, strict=True)
                time.sleep(0.0 if done else _LOOK_S)
        finally:
            for one in running:
                one.cancel(check=False)  # it may have ended by now

    def _parts(self, jobs: Sequence[AnyJob]) -> list[tuple[AnyJob, ...]]:
        """The jobs of every slice."""
        size = max(1, -(-len(jobs) // (self.num_seats * _SLICES_PER_SEAT)))
        return [tuple(jobs[first : first + size]) for first in range(0, len(jobs), size)]

    def _executor(self) -> Any:
        try:
            import submitit
        except ImportError:
            raise ConfigError(needs("--engine slurm", "submitit")) from None
        try:
            executor = submitit.AutoExecutor(folder=str(self.folder), cluster=self.cluster)
        except RuntimeError as error:  # there is no sbatch
            raise ConfigError(f"there is no Slurm on this machine: {error}") from error
        of_slurm = {f"slurm_{name}": value for name, value in self._parameters().items()}
        try:
            executor.update_parameters(
                name="crowdgym", cpus_per_task=1, slurm_array_parallelism=self.num_seats, **of_slurm
            )
        except (NameError, TypeError, ValueError) as error:
            raise ConfigError(f"Slurm does not take {dict(self.parameters)}: {' '.join(str(error).split())}") from error
        return executor

    def _parameters(self) -> dict[str, str | int]:
        """Those of the user, with whole numbers as numbers: submitit computes with them."""
        given = {name: int(text) if text.isdecimal() else text for name, text in self.parameters.items()}
        return {**given, "time": minutes(self.parameters["time"]) if "time" in given else _TIME_MIN}


@dataclass(frozen=True, eq=False)
class _Slice:
    """Some of the jobs, and what their results depend on besides."""

    kind: JobKind[Any]
    jobs: tuple[Any, ...]
    expected: tuple[Mapping[str, str], ...]


def minutes(time_limit: str) -> int:
    """A time limit as ``sbatch`` takes it, such as "90", "1:30:00" or "1-12", in minutes, rounded up.

    Raises:
        ConfigError: it is none.
    """
    days, dash, rest = time_limit.rpartition("-")
    parts = rest.split(":")
    if not all(part.isdecimal() for part in (*parts, days if dash else "0")) or len(parts) > 3:
        raise ConfigError(f"time must be as sbatch takes it, such as 90 (minutes) or 1-12:00:00, got {time_limit!r}")
    units = ("hours", "minutes", "seconds")[0 if dash or len(parts) == 3 else 1 :]
    limit = timedelta(days=int(days or 0), **dict(zip(units, map(int, parts), strict=False)))
    return math.ceil(limit / timedelta(minutes=1))


class Execution:
    """Executes a slice on the machine that calls it. If Slurm takes the machine away, it goes on where it was.

    Args:
        found: outcomes that are there already, by the number of the job in the slice.
    """

    def __init__(self, found: Mapping[int, Outcome] | None = None) -> None:
        self._found = dict(found or {})

    def __call__(self, part: _Slice) -> list[Outcome] | Answer:
        """Execute the jobs that have no outcome yet.

        Returns:
            The outcomes, in the order of the jobs; or why the slice was not executed to the end.
        """
        for job, expected in zip(part.jobs, part.expected, strict=True):
            answer = prepare_elsewhere(part.kind, job, expected, f"the machine {socket.gethostname()}")
            if answer.kind != "begun":
                return answer
        numbers = {id(job): number for number, job in enumerate(part.jobs)}
        waiting = [job for job in part.jobs if numbers[id(job)] not in self._found]
        try:
            with ProcessEngine(1) as engine:
                for job, outcome in engine.run(part.kind, waiting):
                    self._found[numbers[id(job)]] = outcome
        except (ConfigError, DataError, UnwritableError) as error:
            return Answer("refused", type(error)(str(error)))
        except RuntimeError:
            return Answer("crashed", traceback.format_exc())
        return [self._found[number] for number in range(len(part.jobs))]

    def checkpoint(self, part: _Slice) -> Any:
        """What submitit calls when the machine is taken away, or the time is over, and submits again."""
        import submitit.helpers

        return submitit.helpers.DelayedSubmission(Execution(self._found), part)


def _refuse(answer: Answer) -> None:
    """Raise what has ended a slice for good."""
    if answer.kind == "crashed" and _OVER_TIME in answer.values:
        raise ConfigError("a slice is not finished after four time limits; give it more with --engine-arg time=MINUTES")
    answer.outcome(0.0)


def _result(job: Any) -> list[Outcome] | Answer | str:
    """What an `Execution` returned; if the job ended before, a sentence about how."""
    import submitit.core.utils

    try:
        found: list[Outcome] | Answer = job.result()
    except submitit.core.utils.FailedJobError as error:
        return Answer("crashed", str(error))
    except submitit.core.utils.UncompletedJobError as error:
        return " ".join(str(error).split())[:500]
    return found
