"""What a process that executes jobs says about its job, whichever engine has started it."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crowdgym.common.errors import ConfigError, DataError, PolicyError, UnwritableError
from crowdgym.common.text import one_line
from crowdgym.execution.jobs import AnyJob, JobKind, Outcome


@dataclass(frozen=True)
class Answer:
    """What a process says about its job.

    Attributes:
        kind: "begun" is the end of the preparation; the others are the end of the job.
        values: the result of a job that is done, the sentence about one that failed, the error that refuses it, or the
            traceback of an error of the program.
    """

    kind: Literal["begun", "done", "failed", "refused", "crashed"]
    values: Any = None

    def outcome(self, wall_s: float) -> Outcome:
        """The outcome of the job that has ended so, after ``wall_s`` seconds.

        Raises:
            ConfigError, DataError, UnwritableError: the job was refused.
            RuntimeError: an error of the program.
        """
        if self.kind == "refused":
            raise self.values
        if self.kind == "crashed":
            raise RuntimeError(f"a job raised an unexpected error:\n{self.values}")
        if self.kind == "failed":
            return Outcome({}, self.values, wall_s)
        return Outcome(self.values, None, wall_s)


def prepare(kind: JobKind[AnyJob], job: AnyJob) -> Answer:
    """Prepare a job in this process. The answer is "begun", "refused" or "crashed"."""
    try:
        kind.prepare(job)
    except (ConfigError, DataError) as error:
        return Answer("refused", type(error)(str(error)))
    except Exception:
        return Answer("crashed", traceback.format_exc())
    return Answer("begun")


def prepare_elsewhere(kind: JobKind[AnyJob], job: AnyJob, expected: Mapping[str, str], machine: str) -> Answer:
    """Prepare a job on a machine that may be another than that of the engine.

    Args:
        kind: the kind of the job.
        job: to be prepared.
        expected: the fingerprint of the job on the engine's machine.
        machine: the name of this machine.

    Returns:
        As `prepare`; "refused" if the fingerprint is another here.
    """
    answer = prepare(kind, job)
    if answer.kind != "begun":
        return answer
    try:
        found = kind.fingerprint(job)
    except (ConfigError, DataError) as error:
        return Answer("refused", type(error)(f"on {machine}: {error}"))
    other = next((name for name in {**expected, **found} if expected.get(name) != found.get(name)), None)
    if other is None:
        return answer
    return Answer(
        "refused",
        DataError(
            f"{machine} has another {other} ({found.get(other)}) than this machine ({expected.get(other)}): results "
            "are not mixed; install the same version and the same datasets on all machines"
        ),
    )


def run(kind: JobKind[AnyJob], job: AnyJob) -> Answer:
    """Run a job that was prepared in this process."""
    try:
        return Answer("done", kind.run(job))
    except PolicyError as error:
        return Answer("failed", one_line(error))
    except UnwritableError as error:  # the disk is full: no fault of the policy or of the program
        return Answer("refused", UnwritableError(str(error)))
    except SystemExit as error:
        return Answer("failed", f"it left the program with exit code {error.code!r}")
    except Exception:
        return Answer("crashed", traceback.format_exc())


def too_long(time_limit_s: float | None) -> str:
    """The failure of a job that took longer than its time limit."""
    return f"it took longer than the time limit of {time_limit_s:g} s"
