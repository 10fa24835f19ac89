"""The solution checkers on recorded episodes: the specification of an environment names its own."""

from typing import Protocol

from crowdgym.common.errors import TraceError
from crowdgym.envs.api.spec import imported
from crowdgym.registration import environment_names, environment_spec
from crowdgym.traces.format import Trace


class Violation(Protocol):
    """A rule that an episode breaks; as text, one sentence."""

    @property
    def message(self) -> str:
        """The sentence."""


def has_checker(trace: Trace) -> bool:
    """Whether there is a solution checker for the environment of a trace."""
    name = trace.header.env
    return name in environment_names() and environment_spec(name).solution_checker is not None


def broken_rules(trace: Trace) -> list[Violation]:
    """What the solution checker finds wrong with an episode, its instance drawn anew from the settings and the seed.

    Raises:
        TraceError: there is no checker for the environment of the trace, or what it was recorded on is not here.
    """
    name = trace.header.env
    if not has_checker(trace):
        checked = [known for known in environment_names() if environment_spec(known).solution_checker is not None]
        raise TraceError(f"there is no solution checker for {name}, only for {', '.join(checked)}")
    found: list[Violation] = imported(str(environment_spec(name).solution_checker))(trace)
    return found
