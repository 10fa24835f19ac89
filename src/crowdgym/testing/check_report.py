"""The results of the environment checks: findings, their report, and the error that carries it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crowdgym.common.errors import CrowdGymError


@dataclass(frozen=True)
class Finding:
    """The first thing that a check found wrong.

    Attributes:
        check: The name of the check.
        quantity: What differs, such as ``observation[3]`` or ``info['action_mask']``.
        expected: The expected value, in words or in short form.
        got: The value that was returned.
        step: Where in the episode; 0 is the reset, None is outside an episode.
        agent: The agent; None if the finding concerns no single agent.
        seed: The seed of the episode; None if no seed matters.
        context: The circumstances, as the end of the sentence.
    """

    check: str
    quantity: str
    expected: str
    got: str
    step: int | None = None
    agent: Any = None
    seed: int | None = None
    context: str = ""

    def __str__(self) -> str:
        """One line: where, what, expected and got."""
        places = [
            "" if self.seed is None else f"seed {self.seed}",
            "" if self.step is None else "reset" if self.step == 0 else f"step {self.step}",
            "" if self.agent is None else f"agent {self.agent!r}",
            self.quantity,
        ]
        sentence = f"{self.check}: {', '.join(filter(None, places))}: expected {self.expected}, got {self.got}"
        return f"{sentence} ({self.context})" if self.context else sentence


class EnvironmentFault(Exception):  # noqa: N818  (it says what the environment did; no caller meets it)
    """The environment raised, or handed out something that cannot be played on with."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


class NotApplicableError(Exception):
    """The check does not apply to this environment; the message gives the reason, as the end of "not run, "."""


@dataclass(frozen=True)
class Outcome:
    """The result of one check: a finding, or a reason why it was not run, or neither if it passed."""

    check: str
    finding: Finding | None = None
    not_run: str = ""


@dataclass(frozen=True)
class EnvironmentReport:
    """The results of all checks.

    Attributes:
        outcomes: One for every check that was asked for, in the order in which they ran.
        notes: What the checks could not see, such as the end of an episode longer than ``max_steps``.
    """

    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no check found anything."""
        return not self.findings

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One for each failed check."""
        return tuple(outcome.finding for outcome in self.outcomes if outcome.finding is not None)

    @property
    def passed(self) -> tuple[str, ...]:
        """The names of the checks that ran and found nothing."""
        return tuple(outcome.check for outcome in self.outcomes if outcome.finding is None and not outcome.not_run)

    @property
    def not_run(self) -> dict[str, str]:
        """By the name of a check that was not run, the reason."""
        return {outcome.check: outcome.not_run for outcome in self.outcomes if outcome.not_run}

    def __str__(self) -> str:
        """A summary line, then a line for each finding, each reason why checks were not run and each note."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        ran = len(self.outcomes) - len(self.not_run)
        plural = "check" if ran == 1 else "checks"
        yield f"{len(self.findings)} of {ran} {plural} failed" if self.findings else f"all {ran} {plural} passed"
        yield from (f"  {finding}" for finding in self.findings)
        for reason in dict.fromkeys(self.not_run.values()):
            names = ", ".join(check for check, why in self.not_run.items() if why == reason)
            yield f"  not run, {reason}: {names}"
        yield from (f"  note: {note}" for note in self.notes)


class EnvironmentCheckError(CrowdGymError, AssertionError):
    """At least one check failed; ``report`` has everything, the message lists it."""

    def __init__(self, report: EnvironmentReport) -> None:
        super().__init__(str(report))
        self.report = report
