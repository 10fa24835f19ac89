"""A part of a suite: the jobs with the parameter values of ``--only``."""

from collections.abc import Mapping, Sequence

from crowdgym.common.errors import ConfigError
from crowdgym.execution.jobs import AnyJob


def only(jobs: Sequence[AnyJob], choices: Mapping[str, tuple[str, ...]], suite: str) -> list[AnyJob]:
    """The jobs that have one of the given values of each parameter.

    Args:
        jobs: at least one.
        choices: values as text, by parameter.
        suite: its name, for messages.

    Raises:
        ConfigError: there is no such parameter, or no job has the value.
    """
    for name, values in choices.items():
        parameters = [job.parameters() for job in jobs]
        known = {str(of[name]): None for of in parameters if name in of}
        if not known:
            raise ConfigError(f"{suite} has no parameter {name!r} (known: {', '.join(parameters[0])})")
        wrong = next((value for value in values if value not in known), None)
        if wrong is not None:
            raise ConfigError(f"{name} must be one of {', '.join(known)}, got {wrong!r}")
        jobs = [job for job, of in zip(jobs, parameters, strict=True) if str(of[name]) in values]
    return list(jobs)
