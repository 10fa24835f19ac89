"""The contract between jobs and the engines that execute them.

A job is plain data, and running it is a plain function of a module. An engine therefore only has to send both to
another process or another machine. `crowdgym.execution.processes` is the engine for the processes of one machine,
`crowdgym.execution.ray_engine` and `crowdgym.execution.slurm_engine` those for several machines.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar


class Job(Protocol):
    """One unit of work, such as an episode. An engine pickles it."""

    def parameters(self) -> dict[str, Any]:
        """What distinguishes this job from the others of its kind, as a JSON object."""

    def isolation_group(self) -> str:
        """Only jobs with the same group share a process. It separates a user's own policies from all others."""


AnyJob = TypeVar("AnyJob", bound=Job)


def nothing_to_prepare(job: Any) -> None:
    """The preparation of a kind of jobs that needs none."""


def no_fingerprint(job: Any) -> dict[str, str]:
    """The fingerprint of a kind of jobs whose results depend on the job alone."""
    return {}


@dataclass(frozen=True)
class JobKind(Generic[AnyJob]):
    """The work on each of many jobs. All functions are attributes of a module, so that an engine can pickle them.

    Attributes:
        run: returns the result of a job as a JSON object. A `crowdgym.common.errors.PolicyError` is a failure of the
            policy, which becomes an outcome; any other exception is an error of the program.
        prepare: is called before ``run`` in the same process, such as to build and compile. Its time does not count.
        time_limit_s: the most seconds of wall-clock time that ``run`` may take; None for no limit.
        fingerprint: what the result of a job depends on besides the job, such as the code and the data of a machine, by
            name. An engine of several machines runs a job only where it is the same as here.
    """

    run: Callable[[AnyJob], dict[str, Any]]
    prepare: Callable[[AnyJob], object] = nothing_to_prepare
    time_limit_s: float | None = None
    fingerprint: Callable[[AnyJob], Mapping[str, str]] = no_fingerprint


@dataclass(frozen=True)
class Outcome:
    """The result of a job, or its failure.

    Attributes:
        values: what `JobKind.run` returned; empty after a failure.
        failure: one sentence about what the policy did wrong; None for a result.
        wall_s: wall-clock time of the run, in seconds.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    failure: str | None = None
    wall_s: float = 0.0


class Engine(Protocol):
    """Executes jobs. The outcomes do not depend on the engine; their order may."""

    def run(self, kind: JobKind[AnyJob], jobs: Sequence[AnyJob]) -> Iterator[tuple[AnyJob, Outcome]]:
        """Execute all jobs.

        Args:
            kind: the work on each job.
            jobs: in the order in which they should be started.

        Yields:
            Each job with its outcome, in the order in which they finish.

        Raises:
            ConfigError: the preparation refused a job.
            DataError: the preparation found that data are missing.
            UnwritableError: a job could not write a file.
            RuntimeError: an error of the program, with the traceback of the process in which it happened.
        """
