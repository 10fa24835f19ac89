"""Tests for environments: `check_env` for any environment, and the solution checker of CSC."""

from crowdgym.testing.check_env import ENVIRONMENT_CHECKS, check_env, inspect_env
from crowdgym.testing.check_report import EnvironmentCheckError, EnvironmentReport, Finding
from crowdgym.verification.csc.checker import check_schedule
from crowdgym.verification.csc.records import (
    Assignment,
    CheckedInstance,
    Schedule,
    TaskOutcome,
    TaskStatus,
    Totals,
    Violation,
    ViolationKind,
)

__all__ = [
    "ENVIRONMENT_CHECKS",
    "Assignment",
    "CheckedInstance",
    "EnvironmentCheckError",
    "EnvironmentReport",
    "Finding",
    "Schedule",
    "TaskOutcome",
    "TaskStatus",
    "Totals",
    "Violation",
    "ViolationKind",
    "check_env",
    "check_schedule",
    "inspect_env",
]
