"""The solution checkers on recorded episodes: the specification of an environment names its own."""

import numpy as np

from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import TraceError
from crowdgym.common.text import shortened
from crowdgym.registration import environment_names, environment_spec
from crowdgym.traces.format import Trace
from crowdgym.traces.replaying import NO_FILES, Files, begin
from crowdgym.verification.violations import BrokenRule


def has_checker(trace: Trace) -> bool:
    """Whether there is a solution checker for the environment of a trace."""
    name = trace.header.env
    return name in environment_names() and environment_spec(name).solution_checker is not None


def broken_rules(trace: Trace, files: Files = NO_FILES) -> list[BrokenRule]:
    """The violations in an episode. Its instance is drawn again from the settings and the seed.

    Args:
        trace: of the episode.
        files: see `crowdgym.traces.replay`.

    Raises:
        TraceError: there is no checker for the environment of the trace, what it was recorded on is not here, or it
            holds something that no episode of its environment holds.
    """
    name = trace.header.env
    if not has_checker(trace):
        checked = [known for known in environment_names() if environment_spec(known).solution_checker is not None]
        raise TraceError(f"there is no solution checker for {shortened(name)}, only for {', '.join(checked)}")
    env = begin(trace, files)
    check = load_entry_point(str(environment_spec(name).solution_checker))
    try:
        with np.errstate(all="ignore"):  # the numbers of a trace may be any
            found: list[BrokenRule] = check(trace, env)
    except (ValueError, LookupError, ArithmeticError) as error:
        raise TraceError(
            f"the trace holds what no episode of {name} holds ({type(error).__name__}: {shortened(error)})"
        ) from error
    return found
