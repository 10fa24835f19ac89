"""The solution checkers on recorded episodes: the specification of an environment names its own."""

from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import TraceError
from crowdgym.registration import environment_names, environment_spec
from crowdgym.traces.format import Trace
from crowdgym.verification.violations import BrokenRule


def has_checker(trace: Trace) -> bool:
    """Whether there is a solution checker for the environment of a trace."""
    name = trace.header.env
    return name in environment_names() and environment_spec(name).solution_checker is not None


def broken_rules(trace: Trace) -> list[BrokenRule]:
    """The violations in an episode. Its instance is drawn again from the settings and the seed.

    Raises:
        TraceError: there is no checker for the environment of the trace, or what it was recorded on is not here.
    """
    name = trace.header.env
    if not has_checker(trace):
        checked = [known for known in environment_names() if environment_spec(known).solution_checker is not None]
        raise TraceError(f"there is no solution checker for {name}, only for {', '.join(checked)}")
    found: list[BrokenRule] = load_entry_point(str(environment_spec(name).solution_checker))(trace)
    return found
