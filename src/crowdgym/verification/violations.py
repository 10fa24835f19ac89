"""What every solution checker reports: a broken rule, in one sentence."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class BrokenRule:
    """A rule that an episode breaks. A checker's own class adds what its rules are about.

    Attributes:
        kind: of the checker's enumeration of rules; its value says in words what is wrong.
        expected: what the rule demands.
        found: what the episode says.
        message: one sentence.
    """

    kind: Enum
    expected: float | str
    found: float | str
    message: str

    def __str__(self) -> str:
        """The message."""
        return self.message


def sentence(kind: Enum, expected: float | str, found: float | str, when: str, **numbers: int | None) -> str:
    """The sentence of a broken rule.

    Args:
        kind: see `BrokenRule`.
        expected: likewise.
        found: likewise.
        when: such as " at 30 s"; empty if no time applies.
        **numbers: what the rule is about, such as ``worker=3``; None if one does not apply.
    """
    about = [f"{name} {number}" for name, number in numbers.items() if number is not None]
    subject = " and ".join(filter(None, [", ".join(about[:-1]), *about[-1:]])) or "the log"
    return f"{subject}{when}: {kind.value} (expected {expected}, found {found})"


def at(time_s: float | None) -> str:
    """The ``when`` of `sentence` for a time in seconds."""
    return "" if time_s is None else f" at {time_s:.10g} s"
