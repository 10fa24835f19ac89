"""Which solution checker reads a trace, by the environment that it is of."""

from importlib import import_module
from typing import Protocol

from crowdgym.common.errors import TraceError
from crowdgym.traces.format import Trace

# By environment, the module with ``broken_rules(trace)``; imported when a trace is to be checked.
_CHECKERS = {
    "csc_v0": "crowdgym.verification.csc.trace",
    "dasc_v0": "crowdgym.verification.dasc.trace",
    "sensing_v0": "crowdgym.verification.sensing.trace",
}


class Violation(Protocol):
    """One thing that cannot be so; as text, one sentence."""

    @property
    def message(self) -> str:
        """The sentence."""


def has_checker(trace: Trace) -> bool:
    """Whether there is a solution checker for the environment of a trace."""
    return trace.header.env in _CHECKERS


def broken_rules(trace: Trace) -> list[Violation]:
    """What the solution checker finds wrong with an episode, its instance drawn anew from the settings and the seed.

    Raises:
        TraceError: there is no checker for the environment of the trace, or what it was recorded on is not here.
    """
    if not has_checker(trace):
        raise TraceError(f"there is no solution checker for {trace.header.env}, only for {', '.join(_CHECKERS)}")
    found: list[Violation] = import_module(_CHECKERS[trace.header.env]).broken_rules(trace)
    return found
