"""How hard Hypothesis searches: always the same examples in an ordinary run, many more and fresh ones in a slow one."""

from hypothesis import HealthCheck, settings

# Nothing here may depend on how busy the machine is: the first example compiles the kernel.
_PATIENT = {
    "deadline": None,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


def ordinary(examples: int, steps: int = 20) -> settings:
    """The same examples on every run and machine, until the tests or the version of Hypothesis change."""
    return settings(max_examples=examples, stateful_step_count=steps, derandomize=True, **_PATIENT)  # type: ignore[arg-type]


def thorough(examples: int, steps: int = 50) -> settings:
    """Other examples every time; a failure prints the line that brings its example back."""
    return settings(max_examples=examples, stateful_step_count=steps, print_blob=True, **_PATIENT)  # type: ignore[arg-type]
