"""What is said when the program is stopped by a signal. Imports nothing: it is needed before the first import."""

import sys
from types import FrameType
from typing import NoReturn

INTERRUPTED, TERMINATED = 130, 143  # what a shell expects of a program that was stopped by SIGINT or SIGTERM


class TerminatedError(KeyboardInterrupt):
    """SIGTERM: the program is to end, as with Ctrl-C."""


def terminate(number: int, frame: FrameType | None) -> NoReturn:
    """The handler of SIGTERM."""
    raise TerminatedError


def told(interrupt: KeyboardInterrupt) -> int:
    """Say that the program was stopped; returns its exit code."""
    terminated = isinstance(interrupt, TerminatedError)
    print("terminated" if terminated else "interrupted", file=sys.stderr)
    return TERMINATED if terminated else INTERRUPTED
